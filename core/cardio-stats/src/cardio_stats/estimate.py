"""An estimate: a number that carries its interval, how it was made, and on how many."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number with everything a reader needs to judge it.

    Attributes
    ----------
    name : str
        What is estimated, in snake case: ``"auc"``, ``"sensitivity"``, ``"odds_ratio"``.
    value : float
        The point estimate. Never NaN: a number that cannot be computed is a
        :class:`~cardio_stats.errors.DataError`, not an estimate.
    low, high : float or None
        Limits of the interval; None where the method gives none (a count, say).
    level : float or None
        Coverage of the interval, 0.95 for a 95 % interval; None without one.
    method : str
        How value and interval were made, as a methods section would say it.
    n : int
        Number of units that entered.
    unit : str
        What `n` counts, and so what was resampled or assumed independent:
        ``"patient"``, ``"record"``, ``"beat"``, ``"study"``, ``"video"``, ``"row"``.
    n_patients : int or None
        Number of patients behind the `n` units; None where patients are unknown.
    p_value : float or None
        Two-sided p-value of the hypothesis named in `method`.
    n_dropped : int
        Rows left out because a value was missing.
    threshold_source : str or None
        Where the threshold came from (``"inner folds"``, ``"fixed 0.5"``); None without one.
    seed : int or None
        Seed of the resampling; None where nothing is random.
    note : str
        A caveat in one sentence; empty without one.
    extra : mapping of str to float
        Further numbers of the same computation (``se``, ``df``, ``chi2``, ``z``).

    Examples
    --------
    >>> e = Estimate("auc", 0.8123, 0.71, 0.90, 0.95, "DeLong", n=120, unit="patient")
    >>> str(e)
    'auc 0.812 (95 % CI 0.710 to 0.900; DeLong; n = 120 patients)'
    >>> value, low, high = e
    >>> float(e) == value, e.ci == (low, high)
    (True, True)
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    level: float | None = None
    method: str = ""
    n: int = 0
    unit: str = "row"
    n_patients: int | None = None
    p_value: float | None = None
    n_dropped: int = 0
    threshold_source: str | None = None
    seed: int | None = None
    note: str = ""
    extra: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if math.isnan(self.value):
            raise ValueError(f"estimate {self.name!r} is NaN; refuse the data instead")

    def __str__(self) -> str:
        parts = []
        if self.low is not None and self.high is not None and self.level is not None:
            parts.append(f"{self.level * 100:g} % CI {self.low:.3f} to {self.high:.3f}")
        parts += [part for part in (self.method, f"n = {self.n} {self.unit}s") if part]
        return f"{self.name} {self.value:.3f} ({'; '.join(parts)})"

    @property
    def ci(self) -> tuple[float | None, float | None]:
        """The limits of the interval, None where there is none."""
        return self.low, self.high

    def __float__(self) -> float:
        return self.value

    def __iter__(self) -> Iterator[float | None]:
        """Unpack as ``value, low, high``."""
        return iter((self.value, self.low, self.high))

    def _repr_html_(self) -> str:
        from html import escape

        head, _, tail = str(self).partition(" (")
        words = "; ".join(part for part in (tail[:-1], self.note) if part)
        return f"<b>{escape(head)}</b> <small>{escape(words)}</small>"

    def to_frame(self) -> pd.DataFrame:
        """Return one row with every field but `extra`; ``pd.concat`` joins several."""
        import pandas as pd

        row = {name: value for name, value in self.to_dict().items() if name != "extra"}
        return pd.DataFrame([row])

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping of every field."""
        return asdict(self) | {"extra": dict(self.extra)}

    def replace(self, **changes: Any) -> Estimate:
        """Return a copy with some fields changed."""
        return replace(self, **changes)
