"""What every check is made of: numbers as printed, its fields, and what it finds."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, InstanceOf
from scipy.special import ndtr

from cardio_stats._numerics.intervals import normal_quantile
from cardio_stats._numerics.validate import checked_level
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

# Numbers as they are printed, and what a printed mean, SD, interval or error must obey.

_NUMBER = re.compile(r"^(<\s*)?[-+]?\d*\.?\d+$")


@dataclass(frozen=True, slots=True)
class Printed:
    """A rounded number and the interval of numbers that round to it.

    Attributes
    ----------
    text : str
        As printed.
    value : float
    low, high : float
        Limits before rounding, both included, since papers round halves either way.

    Examples
    --------
    >>> p = printed("0.60")
    >>> (round(p.low, 4), round(p.high, 4)), p.holds(0.604), p.holds(0.61)
    ((0.595, 0.605), True, False)
    >>> printed("<0.001").holds(0.0004)
    True
    """

    text: str
    value: float
    low: float
    high: float

    @property
    def half_step(self) -> float:
        """Half a unit of the last printed digit."""
        return (self.high - self.low) / 2

    def holds(self, number: float) -> bool:
        """Say whether `number` rounds to what is printed."""
        return self.meets(number, number)

    def meets(self, low: float, high: float) -> bool:
        """Say whether some number between `low` and `high` rounds to what is printed."""
        slack = 1e-9 * max(1.0, abs(self.value))
        return low <= self.high + slack and high >= self.low - slack

    def __str__(self) -> str:
        return self.text


def printed(text: object) -> Printed:
    """Read a number with the digits it was printed with.

    Parameters
    ----------
    text : str or int
        ``"0.60"``, ``"83"``, ``"<0.001"``: rounded to the last digit. An int is an exact count. A
        float is refused: 0.6 no longer knows that it was printed as 0.60.

    Raises
    ------
    ValueError
        Not a number, or a float; pydantic turns it into a message that names the place.
    """
    if isinstance(text, Printed):
        return text
    if isinstance(text, bool) or not isinstance(text, str | int):
        raise ValueError(f"write the number in quotes, as it is printed; found {text!r}")
    words = str(text).strip()
    if not _NUMBER.match(words):
        raise ValueError(f"expected a number such as '0.60' or '<0.001', found {words!r}")
    if words.startswith("<"):
        limit = float(words[1:])
        return Printed(words, limit, 0.0, limit)
    decimals = len(words.split(".")[1]) if "." in words else 0
    # a count is exact; text was rounded to its last digit
    half = 0.0 if isinstance(text, int) else 0.5 * 10.0**-decimals
    value = float(words)
    return Printed(words, value, value - half, value + half)


def se_from_or_ci(low: float, high: float, *, level: float = 0.95) -> Estimate:
    """Return the standard error of a log odds ratio from its printed interval.

    Parameters
    ----------
    low, high : float
        Limits of the ratio, both above 0.
    level : float

    Examples
    --------
    >>> round(se_from_or_ci(0.91, 5.47).value, 4)
    0.4576
    """
    if not 0 < low < high:
        raise DataError(f"ratio: expected limits with 0 < low < high, found {low:g} and {high:g}")
    width = math.log(high) - math.log(low)
    return Estimate(
        "se_log_odds_ratio",
        width / (2 * normal_quantile(checked_level(level))),
        method=f"width of the {level * 100:g} % interval on the log scale",
    )


def interval_level(low: float, high: float, se: float) -> Estimate:
    """Return the coverage that an interval of this width has, given its standard error.

    A 90 % interval printed as 95 % is 16 % too narrow: many programs return the 5th and 95th
    percentile.

    Parameters
    ----------
    low, high : float
        Limits on the scale on which `se` applies.
    se : float

    Examples
    --------
    >>> round(interval_level(-1.645, 1.645, 1.0).value, 3)
    0.9
    """
    if not (low < high and se > 0):
        raise DataError(
            f"interval: expected low < high and an error above 0, found {low:g}, {high:g}, {se:g}"
        )
    return Estimate(
        "interval_level",
        float(2 * ndtr((high - low) / (2 * se)) - 1),
        method="normal interval of the given width and standard error",
    )


@dataclass(frozen=True, slots=True)
class Grim:
    """Whether a printed mean of whole numbers exists.

    Attributes
    ----------
    possible : bool
    nearest_total : int
        The whole number whose mean comes closest.
    denominators : tuple of int
        Sample sizes near the given one (up to a tenth away, at least 3) for which the mean exists.
    """

    possible: bool
    nearest_total: int
    denominators: tuple[int, ...]


def grim(mean: Printed, n: int) -> Grim:
    """Check a mean of whole numbers, or a proportion, against its sample size.

    Parameters
    ----------
    mean : Printed
        Of counts, scores or 0/1 codes; a percentage divided by 100.
    n : int
        At least 1.

    References
    ----------
    Brown NJL, Heathers JAJ. The GRIM test. Soc Psychol Personal Sci 2017;8:363.

    Examples
    --------
    A specificity of .038 is no share of 25 patients, but one of 26:

    >>> found = grim(printed("0.038"), 25)
    >>> found.possible, found.denominators
    (False, (26,))
    """
    if n < 1:
        raise DataError(f"grim: expected at least 1 value, found {n}")

    def exists(size: int) -> bool:
        total = round(mean.value * size)
        return any(mean.holds(k / size) for k in (total - 1, total, total + 1) if k >= 0)

    reach = max(3, n // 10)
    near = tuple(
        size for size in range(max(1, n - reach), n + reach + 1) if size != n and exists(size)
    )
    return Grim(exists(n), round(mean.value * n), near)


def smallest_logistic_se(n: int, n_exposed: int) -> Estimate:
    """Return the least standard error of a log odds ratio that any logistic model can have.

    Parameters
    ----------
    n : int
        Patients.
    n_exposed : int
        Of them with the binary predictor.

    Returns
    -------
    Estimate
        sqrt(4/n_exposed + 4/n_unexposed): the error when half of either group has the outcome,
        where the information is largest; further predictors can only add to it.

    Examples
    --------
    >>> round(smallest_logistic_se(103, 75).value, 2)
    0.44
    """
    if not 0 < n_exposed < n:
        raise DataError(f"expected some of {n} exposed and some not, found {n_exposed} exposed")
    return Estimate(
        "smallest_se_log_odds_ratio",
        math.sqrt(4 / n_exposed + 4 / (n - n_exposed)),
        method="information bound at an outcome probability of one half",
        n=n,
        unit="patient",
    )


def linear_probability_se(n: int, n_events: int, n_exposed: int) -> Estimate:
    """Return the standard error of a risk difference from a linear probability model.

    Parameters
    ----------
    n, n_events, n_exposed : int

    Returns
    -------
    Estimate
        sqrt(p (1 - p) / (n var x)), about as large however many other predictors there are.

    Examples
    --------
    >>> round(linear_probability_se(103, 69, 75).value, 3)
    0.104
    """
    if not (0 < n_events < n and 0 < n_exposed < n):
        raise DataError(
            f"expected some of {n} with the outcome and some exposed, found {n_events} and "
            f"{n_exposed}"
        )
    p, x = n_events / n, n_exposed / n
    return Estimate(
        "se_risk_difference",
        math.sqrt(p * (1 - p) / (n * x * (1 - x))),
        method="linear probability model, one binary predictor",
        n=n,
        unit="patient",
    )


Verdict = Literal["impossible", "unlikely", "not reproduced", "note", "agrees"]
VERDICTS: tuple[Verdict, ...] = ("impossible", "unlikely", "not reproduced", "note", "agrees")
"""From the gravest to none."""
ACCUSING: tuple[Verdict, ...] = VERDICTS[:3]
UNLIKELY = 0.01
"""A number is called unlikely below this probability: a paper prints many, and one in twenty of
them would be called so by chance at the usual level."""


PrintedNumber = Annotated[InstanceOf[Printed], BeforeValidator(printed)]
"""A pydantic field that takes a number as printed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes
    ----------
    verdict : {"impossible", "unlikely", "not reproduced", "note", "agrees"}
        Not all of the numbers can be right; they can, with the stated probability under a stated
        model; they do not follow from what is printed; they are in order and mean something that
        the reader should know; they agree.
    sentence : str
        One or two sentences with the numbers.
    estimates : tuple of Estimate
    by_hand : str
        The arithmetic, to be done again; never empty with one of the first three verdicts.
    """

    verdict: Verdict
    sentence: str
    estimates: tuple[Estimate, ...] = ()
    by_hand: str = ""


class Part(BaseModel):
    """A group of fields inside a check."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Check(Part, ABC):
    """One check of printed numbers; each kind is one class.

    Attributes
    ----------
    name : str
        What the numbers are about: "QRS duration", "ResNet-50".
    where : str
        Where they are printed: "Table 1", "abstract".
    because : str
        What we make of it; added to the sentence as our reading.
    cause : str
        What it has in common with other findings of the paper; they are told as one.
    explained : str
        Where the paper itself says why the numbers differ; the finding is then in order.
    no_more_than : {"unlikely", "not reproduced", "note"}, optional
        The gravest verdict that what is printed allows; `because` says why.
    """

    name: str
    where: str = ""
    because: str = ""
    cause: str = ""
    explained: str = ""
    no_more_than: Literal["unlikely", "not reproduced", "note"] | None = None

    @abstractmethod
    def find(self) -> Finding:
        """Do the arithmetic and say what it shows."""

    def judged(self) -> Finding:
        """Return the finding, no graver than the paper's own words and ours allow."""
        found = self.find()
        if found.verdict == "agrees":
            return found
        if self.explained:
            words = f"{found.sentence} The paper explains it: {self.explained}"
            return replace(found, verdict="agrees", sentence=words, by_hand="")
        if self.no_more_than is not None:
            kept = max(found.verdict, self.no_more_than, key=VERDICTS.index)
            return replace(found, verdict=kept)
        return found
