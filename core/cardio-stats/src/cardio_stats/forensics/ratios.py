"""Checks of odds ratios: the counts behind them, and the model that they came from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtr

from cardio_stats._numerics.intervals import normal_quantile
from cardio_stats._numerics.validate import Bools, Floats
from cardio_stats.contingency import odds_ratio_2x2
from cardio_stats.errors import DataError
from cardio_stats.forensics.checks import (
    Check,
    Finding,
    Part,
    Printed,
    PrintedNumber,
    linear_probability_se,
    se_from_or_ci,
    smallest_logistic_se,
)

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


class OddsRatioRow(Part):
    """An odds ratio with its interval and p, all in quotes as printed."""

    odds_ratio: PrintedNumber
    low: PrintedNumber
    high: PrintedNumber
    p: PrintedNumber | None = None

    def as_printed(self) -> PrintedOddsRatio:
        """Return the plain numbers."""
        return PrintedOddsRatio(self.odds_ratio, self.low, self.high, self.p)


class CountsOddsRatio(Check):
    """An odds ratio beside the counts of another table: ``check: odds_ratio_of_counts``.

    Attributes
    ----------
    counts : two rows of two counts
        Exposed and unexposed; with and without the event.
    published : {odds_ratio, low, high, p}
    """

    check: Literal["odds_ratio_of_counts"]
    counts: tuple[tuple[int, int], tuple[int, int]]
    published: OddsRatioRow

    def find(self) -> Finding:
        """Compute the ratio of the counts and compare."""
        found = odds_ratio_2x2(self.counts)
        row = self.published
        same = (
            row.odds_ratio.holds(found.value)
            and row.low.holds(float(found.low or 0.0))
            and row.high.holds(float(found.high or 0.0))
        )
        text = (
            f"the counts give an odds ratio of {found.value:.3f} ({found.low:.2f} to "
            f"{found.high:.2f}), printed {row.odds_ratio} ({row.low} to {row.high})"
        )
        opposite = math.log(found.value) * math.log(row.odds_ratio.value) < 0
        if not same and opposite:
            text += ", which points the other way"
        (a, b), (c, d) = self.counts
        return Finding(
            "agrees" if same else "not reproduced",
            text + ".",
            (found,),
            "" if same else f"({a} x {d})/({b} x {c}) = {found.value:.3f}",
        )


class OddsRatioSearch(Check):
    """The only samples in which printed odds ratios can arise: ``check: odds_ratio_search``.

    Attributes
    ----------
    rows : name to {odds_ratio, low, high, p}
        Univariable odds ratios of binary predictors in one sample.
    n_low, n_high : int
        Sample sizes to be tried.
    n_stated, n_events_stated : int, optional
        What the paper says about its sample.
    """

    check: Literal["odds_ratio_search"]
    rows: dict[str, OddsRatioRow]
    n_low: int
    n_high: int
    n_stated: int | None = None
    n_events_stated: int | None = None

    def find(self) -> Finding:
        """Try every whole-number table."""
        samples = search_2x2(
            {name: row.as_printed() for name, row in self.rows.items()}, (self.n_low, self.n_high)
        )
        names = ", ".join(self.rows)
        tried = f"of all samples of {self.n_low} to {self.n_high}"
        if not samples:
            return Finding(
                "impossible",
                f"{tried}, none gives the odds ratios of {names} together.",
                by_hand="every whole-number table of these sizes was tried (search_2x2); a table "
                "a, b, c, d has the ratio ad/bc = exp(x) and the limits "
                "exp(x ± 1.96 sqrt(1/a + 1/b + 1/c + 1/d))",
            )
        stated = [
            sample
            for sample in samples
            if (self.n_stated is None or sample.n == self.n_stated)
            and (self.n_events_stated is None or sample.n_events == self.n_events_stated)
        ]
        found = " and ".join(f"n = {each.n} with {each.n_events} events" for each in samples)
        text = f"{tried}, the odds ratios of {names} arise together in {found} only"
        majority = max(samples, key=lambda sample: sample.n_events)
        cells = "; ".join(
            f"{name} {' or '.join(f'{a}|{b}' for a, b in pairs)}"
            for name, pairs in majority.tables.items()
        )
        text += f" (exposed with|without the event, {majority.n_events} events: {cells})"
        if not stated:
            text += (
                f"; the paper states n = {self.n_stated}"
                + (f" with {self.n_events_stated} events" if self.n_events_stated else "")
                + ", of which no table gives them"
            )
        by_hand = "; ".join(
            f"{name}: ({a} x {majority.n - majority.n_events - b})/({b} x {majority.n_events - a}) "
            f"= {a * (majority.n - majority.n_events - b) / (b * (majority.n_events - a)):.2f}"
            for name, [(a, b), *_] in majority.tables.items()
        )
        return Finding(
            "agrees" if stated else "not reproduced", text + ".", by_hand="" if stated else by_hand
        )


class RatioOrDifference(Check):
    """Whether a printed "odds ratio" can come from a logistic model: ``check: ratio_model``.

    Attributes
    ----------
    odds_ratio, low, high : numbers in quotes
    n, n_events, n_exposed : int
        Of the sample and its binary predictor.
    """

    check: Literal["ratio_model"]
    odds_ratio: PrintedNumber
    low: PrintedNumber
    high: PrintedNumber
    n: int
    n_events: int
    n_exposed: int

    def find(self) -> Finding:
        """Compare the interval's width with what either model can give."""
        se = se_from_or_ci(self.low.value, self.high.value)
        widest = se_from_or_ci(self.low.low, self.high.high)
        least = smallest_logistic_se(self.n, self.n_exposed)
        linear = linear_probability_se(self.n, self.n_events, self.n_exposed)
        estimates = (se, least, linear)
        text = f"the interval implies a standard error of {se.value:.3f}"
        if widest.value >= least.value:
            return Finding(
                "agrees", f"{text}, at least the {least.value:.2f} of a logistic model.", estimates
            )
        points = 100 * math.log(self.odds_ratio.value)
        text += (
            f", but no logistic model of {self.n} patients of whom {self.n_exposed} are exposed "
            f"has one below {least.value:.2f}"
        )
        if abs(se.value - linear.value) < 0.25 * linear.value:
            text += (
                f"; a linear probability model has {linear.value:.3f}, so "
                f"{self.odds_ratio} as exp of a risk difference of {points:+.0f} percentage points "
                "fits these limits and the odds ratio of a logistic model does not"
            )
        return Finding(
            "impossible",
            text + ".",
            estimates,
            f"(ln {self.high} - ln {self.low})/(2 x 1.96) = {se.value:.3f}; "
            f"sqrt(4/{self.n_exposed} + 4/{self.n - self.n_exposed}) = {least.value:.3f}",
        )
