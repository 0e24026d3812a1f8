"""Checks of odds ratios: the counts behind them, and the model that they came from."""

from __future__ import annotations

import math
from typing import Literal

from cardio_stats.contingency import odds_ratio_2x2
from cardio_stats.forensics.checks import Check, Finding, Part, PrintedNumber, compared
from cardio_stats.forensics.formulas import (
    PrintedOddsRatio,
    linear_probability_se,
    se_from_or_ci,
    search_2x2,
    smallest_logistic_se,
)


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
        by_hand = f"({a} x {d})/({b} x {c}) = {found.value:.3f}"
        return compared(same, "not reproduced", text + ".", estimates=(found,), by_hand=by_hand)


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
        return compared(bool(stated), "not reproduced", text + ".", by_hand=by_hand)


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
