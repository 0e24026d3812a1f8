"""Keywords that most functions share: declared once, spelled out in every signature and help."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypedDict, TypeVar

from numpy.typing import ArrayLike

from cardio_stats._numerics.intervals import bootstrapped
from cardio_stats._numerics.validate import (
    Floats,
    ScoredSample,
    checked_level,
    require_probabilities,
    scored_sample,
)
from cardio_stats.estimate import Estimate


class UnitOptions(TypedDict, total=False):
    """Whose the rows are, and what is independent."""

    patient: ArrayLike | None
    unit: str | None


class LabelOptions(UnitOptions, total=False):
    """Those of a function that takes an outcome."""

    event: str | None


class RowOptions(UnitOptions, total=False):
    """Those of a function that returns an interval."""

    level: float


class OutcomeOptions(RowOptions, LabelOptions, total=False):
    """Those of a function that takes an outcome and returns an interval."""


class DrawOptions(RowOptions, total=False):
    """Those of a function that draws resamples."""

    n_resamples: int
    seed: int


class OutcomeDrawOptions(OutcomeOptions, DrawOptions, total=False):
    """Those of a function that takes an outcome and draws resamples."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """The shared keywords with their defaults; ``**options`` of a public function becomes one.

    Attributes
    ----------
    event : str, optional
        Word of the outcome that counts, where it is not 0 and 1, or yes and no.
    patient : array-like, shape (n,), optional
        Patient or record of every row, where some have several: whole clusters are then resampled,
        and errors allow for correlation within them.
    n_resamples : int
        Of the bootstrap.
    seed : int
        Of every random draw.
    level : float
        Coverage of intervals.
    unit : str, optional
        What is independent: ``"row"`` by default, ``"patient"`` with `patient`.
    """

    event: str | None = None
    patient: ArrayLike | None = None
    n_resamples: int = 2000
    seed: int = 0
    level: float = 0.95
    unit: str | None = None

    def __post_init__(self) -> None:
        checked_level(self.level)

    @property
    def named_unit(self) -> str:
        """What is independent."""
        return self.unit or ("row" if self.patient is None else "patient")

    @property
    def of_labels(self) -> LabelOptions:
        """What a function of labels takes of these."""
        return {"event": self.event, "patient": self.patient, "unit": self.unit}

    @property
    def of_outcome(self) -> OutcomeOptions:
        """What a function of an outcome with an interval takes of these."""
        return {**self.of_labels, "level": self.level}

    def scored(self, outcome: ArrayLike, *scores: ArrayLike) -> ScoredSample:
        """Return labels and scores on the rows where everything is known."""
        return scored_sample(outcome, *scores, event=self.event, clusters=self.patient)

    def probabilities(self, outcome: ArrayLike, probabilities: ArrayLike) -> ScoredSample:
        """Return labels and probabilities on complete rows, of five clusters or more."""
        sample = self.scored(outcome, probabilities)
        require_probabilities(sample.scores[0])
        sample.require_clusters(self.unit)
        return sample

    def bootstrapped(self, estimate: Estimate, replicates: Floats, **more: Any) -> Estimate:
        """Give an estimate the interval of its replicates."""
        return bootstrapped(estimate, replicates, self.level, self.seed, self.n_resamples, **more)


P = ParamSpec("P")
R = TypeVar("R")
_ENTRY = r"^{name} : .*(?:\n    .*)*"


def spells_out(shared: type) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Show the keywords behind ``**options: Unpack[shared]`` in signature and docstring.

    What the docstring says of one of them by itself stays. Any other keyword is a TypeError, as
    of a function that spells its own.

    Examples
    --------
    >>> @spells_out(RowOptions)
    ... def share(values, **options):
    ...     '''Return a share.
    ...
    ...     Parameters
    ...     ----------
    ...     values : array-like
    ...     '''
    >>> list(inspect.signature(share).parameters)
    ['values', 'patient', 'level', 'unit']
    >>> "level : float" in share.__doc__
    True
    """
    of_all = inspect.signature(Sampling).parameters
    names = [name for name in of_all if name in shared.__annotations__]
    texts = inspect.cleandoc(Sampling.__doc__ or "")
    found = [re.search(_ENTRY.format(name=name), texts, re.MULTILINE) for name in names]
    entries = [entry[0] for entry in found if entry]

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for name in kwargs:
                if name not in spelled:
                    raise TypeError(f"{function.__name__}() got an unexpected keyword {name!r}")
            return function(*args, **kwargs)

        signature = inspect.signature(function)
        *own, _ = signature.parameters.values()
        added = [of_all[name].replace(kind=inspect.Parameter.KEYWORD_ONLY) for name in names]
        made = signature.replace(parameters=[*own, *added])
        spelled = made.parameters
        checked.__signature__ = made  # type: ignore[attr-defined]
        checked.__doc__ = _described(inspect.cleandoc(function.__doc__ or ""), entries)
        return checked

    return decorate


def _described(docstring: str, entries: list[str]) -> str:
    """Return a docstring whose Parameters end with the entries that it lacks."""
    summary, heading, rest = docstring.partition("Parameters\n----------\n")
    own, blank, after = rest.partition("\n\n")
    heads = re.findall(r"^(\S.*?)(?: :|$)", own, re.MULTILINE)
    described = {name.strip() for head in heads for name in head.split(",")}
    lacking = [entry for entry in entries if entry.split(" :")[0] not in described]
    return summary + heading + "\n".join([own.rstrip(), *lacking]) + blank + after
