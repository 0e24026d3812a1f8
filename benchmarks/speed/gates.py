"""Whether measured ratios hold what the docs promise: the logic of `make bench`'s exit code."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from speed.floors import FLOORS, OPTIONAL_PEERS


@dataclass(frozen=True)
class Verdict:
    """One ratio, measured in several rounds, beside its floor.

    Attributes
    ----------
    name : str
    values : tuple of float
        One a round; empty where it was not measured.
    floor : float or None
    """

    name: str
    values: tuple[float, ...]
    floor: float | None

    @property
    def median(self) -> float | None:
        """Median of the rounds."""
        return statistics.median(self.values) if self.values else None

    @property
    def holds(self) -> bool:
        """Whether the median reaches the floor; a peer that may be absent may be."""
        if self.floor is None:
            return False
        if self.median is None:
            return any(peer in self.name for peer in OPTIONAL_PEERS)
        return self.median >= self.floor

    @property
    def told(self) -> str:
        """One line: what was measured and what it should have been."""
        if self.floor is None:
            return f"{self.name}: has no floor; name one in benchmarks/speed/floors.py"
        if self.median is None:
            missing = "peer not installed" if self.holds else "was not measured"
            return f"{self.name}: {missing}; floor {self.floor:g} x"
        spread = f"{min(self.values):.3g} to {max(self.values):.3g}"
        relation = "at or above" if self.holds else "BELOW"
        return (
            f"{self.name}: {self.median:.3g} x ({spread} in {len(self.values)} rounds), "
            f"{relation} its floor of {self.floor:g} x"
        )


def judge(
    name: str,
    rounds: Sequence[Mapping[str, float]],
    floors: Mapping[str, Mapping[str, float]] = FLOORS,
) -> list[Verdict]:
    """Hold the ratios of one benchmark's rounds against their floors.

    Parameters
    ----------
    name : str
        The benchmark's.
    rounds : sequence of mapping
        What each round measured, by what was compared.
    floors : mapping
        By benchmark and by what was compared.

    Examples
    --------
    >>> found = judge("b", [{"x": 9.0}, {"x": 11.0}, {"x": 10.0}], {"b": {"x": 10.5, "y": 2}})
    >>> [one.holds for one in found]
    [False, False]
    >>> print(found[0].told)
    x: 10 x (9 to 11 in 3 rounds), BELOW its floor of 10.5 x
    """
    promised = floors.get(name, {})
    measured = {ratio for one in rounds for ratio in one}
    names = [*promised, *sorted(measured - promised.keys())]
    return [
        Verdict(ratio, tuple(one[ratio] for one in rounds if ratio in one), promised.get(ratio))
        for ratio in names
    ]
