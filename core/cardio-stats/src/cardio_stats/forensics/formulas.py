"""Formulas that published numbers must obey; none of them needs pydantic or a file."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from cardio_stats._numerics.intervals import normal_quantile
from cardio_stats._numerics.validate import Bools, Floats, checked_level
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


# Accuracy lies between sensitivity and specificity, at the place that the prevalence says.


@dataclass(frozen=True, slots=True)
class AccuracyIdentity:
    """What accuracy, sensitivity and specificity say about each other.

    Attributes
    ----------
    feasible_pooled : bool
        Some prevalence from 0 to 1 gives the three figures, within their rounding. If not, they
        do not come from one table.
    implied_prevalence : Estimate or None
        The prevalence that the figures imply, possibly outside 0 to 1, with the range that
        rounding leaves; None where sensitivity equals specificity.
    accuracy_expected : Estimate or None
        Accuracy at the true prevalence, with the range that rounding leaves; None without it.
    at_prevalence : bool or None
        The printed accuracy is one of those; None without a prevalence.
    """

    feasible_pooled: bool
    implied_prevalence: Estimate | None
    accuracy_expected: Estimate | None
    at_prevalence: bool | None


def check_acc_identity(
    acc: float,
    sens: float,
    spec: float,
    prevalence: float | None = None,
    *,
    half_steps: tuple[float, float, float] = (0.0005, 0.0005, 0.0005),
) -> AccuracyIdentity:
    """Check ``accuracy = prevalence * sensitivity + (1 - prevalence) * specificity``.

    Parameters
    ----------
    acc, sens, spec : float
        From 0 to 1, as printed.
    prevalence : float, optional
        True share of patients with the outcome.
    half_steps : tuple of 3 float
        Half a unit of the last digit of the three figures; 0.0005 for three decimals.

    Returns
    -------
    AccuracyIdentity

    Raises
    ------
    DataError
        A figure outside 0 to 1.

    Notes
    -----
    The identity holds for one pooled table. Means over folds obey it up to the covariance of
    fold prevalence and the difference of the two rates, which stratified folds keep near 0.

    Examples
    --------
    >>> check_acc_identity(0.721, 0.783, 0.792, 46 / 71).feasible_pooled
    False
    >>> found = check_acc_identity(0.613, 0.529, 0.710, 46 / 71)
    >>> found.feasible_pooled, round(found.implied_prevalence.value, 3), found.at_prevalence
    (True, 0.536, False)
    """
    figures = {"accuracy": acc, "sensitivity": sens, "specificity": spec}
    if prevalence is not None:
        figures["prevalence"] = prevalence
    for name, value in figures.items():
        if not 0 <= value <= 1:
            raise DataError(f"{name}: expected a number from 0 to 1, found {value:g}")
    h_acc, h_sens, h_spec = half_steps
    feasible = _feasible_prevalences(
        (acc - h_acc, acc + h_acc),
        (max(0.0, sens - h_sens), min(1.0, sens + h_sens)),
        (max(0.0, spec - h_spec), min(1.0, spec + h_spec)),
    )
    implied = None
    low, high = feasible or (None, None)
    if sens != spec:
        implied = Estimate(
            "implied_prevalence",
            (acc - spec) / (sens - spec),
            low,
            high,
            method="accuracy identity; the range is that of rounding",
        )
    expected = at_prevalence = None
    if prevalence is not None:
        value = prevalence * sens + (1 - prevalence) * spec
        slack = prevalence * h_sens + (1 - prevalence) * h_spec
        expected = Estimate(
            "accuracy_expected",
            value,
            max(0.0, value - slack),
            min(1.0, value + slack),
            method="accuracy identity; the range is that of rounding",
        )
        at_prevalence = abs(acc - value) <= slack + h_acc + 1e-9
    return AccuracyIdentity(feasible is not None, implied, expected, at_prevalence)


def _feasible_prevalences(
    acc: tuple[float, float], sens: tuple[float, float], spec: tuple[float, float]
) -> tuple[float, float] | None:
    """Return the prevalences at which the three ranges meet, None where there is none.

    At prevalence q the accuracy ranges from ``q sens_low + (1 - q) spec_low`` to ``q sens_high +
    (1 - q) spec_high``; both are linear in q, and each must reach the printed range.
    """
    low, high = 0.0, 1.0
    # each condition reads constant + slope * q <= 0
    conditions = ((spec[0] - acc[1], sens[0] - spec[0]), (acc[0] - spec[1], spec[1] - sens[1]))
    for constant, slope in conditions:
        if abs(slope) < 1e-12:
            if constant > 1e-9:
                return None
            continue
        root = -constant / slope
        if slope > 0:
            high = min(high, root)
        else:
            low = max(low, root)
    return (low, high) if low <= high + 1e-9 else None


# Which whole-number tables give a printed odds ratio with its interval and p.

MAX_N = 400


@dataclass(frozen=True, slots=True)
class PrintedOddsRatio:
    """An odds ratio as a paper prints it; p may be missing."""

    odds_ratio: Printed
    low: Printed
    high: Printed
    p: Printed | None = None


@dataclass(frozen=True, slots=True)
class SampleFound:
    """One sample in which every printed odds ratio has a table.

    Attributes
    ----------
    n, n_events : int
    tables : mapping of name to tuple
        All (exposed with event, exposed without) that fit; the unexposed follow.
    """

    n: int
    n_events: int
    tables: Mapping[str, tuple[tuple[int, int], ...]]


def search_2x2(
    published: Mapping[str, PrintedOddsRatio], n_range: tuple[int, int], *, level: float = 0.95
) -> list[SampleFound]:
    """Find every sample size and number of events in which all printed odds ratios can arise.

    Parameters
    ----------
    published : mapping of name to PrintedOddsRatio
        Univariable odds ratios of binary predictors in one sample.
    n_range : tuple of int
        Smallest and largest sample size, at most 400.
    level : float
        Of the printed intervals.

    Returns
    -------
    list of SampleFound
        Empty if no sample gives them all. A sample comes with its mirror: exchanging events with
        others and exposed with unexposed changes neither ratio nor interval.

    Notes
    -----
    All tables are tried. A univariable logistic regression of a binary predictor has the sample
    odds ratio, Woolf's standard error and the Wald p, so no model needs to be fitted.

    Examples
    --------
    >>> from cardio_stats.forensics.checks import printed
    >>> row = PrintedOddsRatio(*map(printed, ("6.00", "0.81", "44.35", "0.079")))
    >>> [(s.n, s.n_events, s.tables["x"]) for s in search_2x2({"x": row}, (19, 20))]
    [(20, 8, ((6, 4),)), (20, 10, ((6, 2), (8, 4))), (20, 12, ((8, 2),))]
    """
    low, high = n_range
    if not published or not 4 <= low <= high <= MAX_N:
        raise DataError(
            f"2x2 search: expected odds ratios and sample sizes from 4 to {MAX_N}, found "
            f"{len(published)} and {low} to {high}"
        )
    z = normal_quantile(level)
    found = []
    for n in range(low, high + 1):
        for n_events in range(1, n):
            tables = _tables(published, n, n_events, z)
            if tables:
                found.append(SampleFound(n, n_events, tables))
    return found


def _tables(
    published: Mapping[str, PrintedOddsRatio], n: int, n_events: int, z: float
) -> dict[str, tuple[tuple[int, int], ...]]:
    """Return the fitting tables of every odds ratio, or nothing if one has none."""
    a = np.arange(1, n_events, dtype=np.float64)[:, None]
    b = np.arange(1, n - n_events, dtype=np.float64)[None, :]
    if a.size == 0 or b.size == 0:
        return {}
    c, d = n_events - a, n - n_events - b
    log_or = np.log(a * d / (b * c))
    se = np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    tables = {}
    for name, row in published.items():
        fits = (
            _within(np.exp(log_or), row.odds_ratio)
            & _within(np.exp(log_or - z * se), row.low)
            & _within(np.exp(log_or + z * se), row.high)
        )
        if row.p is not None and fits.any():
            fits &= _within(2 * ndtr(-np.abs(log_or / se)), row.p)
        cells = np.argwhere(fits) + 1
        if not len(cells):
            return {}
        tables[name] = tuple((int(i), int(j)) for i, j in cells)
    return tables


def _within(values: Floats, number: Printed) -> Bools:
    slack = 1e-9 * max(1.0, abs(number.value))
    return np.asarray((values >= number.low - slack) & (values <= number.high + slack))
