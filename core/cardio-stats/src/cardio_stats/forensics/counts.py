"""Checks of areas under the curve, errors, and the intervals around them."""

from __future__ import annotations

import math
import re
from typing import Literal

from pydantic import model_validator

from cardio_stats.agreement import gaussian_constant_mae
from cardio_stats.auc_published import auc_binormal, hanley_mcneil, hanley_mcneil_effective_n
from cardio_stats.forensics.checks import Check, Finding, Part, PrintedNumber, compared


class BinormalAuc(Check):
    """The AUC that two printed means and SDs imply: ``check: binormal_auc``.

    Attributes
    ----------
    mean_1, sd_1, mean_0, sd_0 : float
    compared_with : number in quotes, optional
        A published AUC of a larger model.
    """

    check: Literal["binormal_auc"]
    mean_1: float
    sd_1: float
    mean_0: float
    sd_0: float
    compared_with: PrintedNumber | None = None

    def find(self) -> Finding:
        """Assume two normal groups."""
        found = auc_binormal(self.mean_1, self.sd_1, self.mean_0, self.sd_0)
        text = f"alone has a binormal AUC of {found.value:.3f}"
        if self.compared_with is not None:
            text += f", next to the published {self.compared_with}"
        return Finding("note", text + ".", (found,))


class PrintedInterval(Part):
    """Limits of an interval, in quotes as printed."""

    low: PrintedNumber
    high: PrintedNumber


class AucInterval(Check):
    """An AUC's interval beside the one its patients allow: ``check: auc_interval``.

    Attributes
    ----------
    auc : number in quotes
    n_events, n_others : int
        Patients of either class.
    interval : {low, high}, optional
    """

    check: Literal["auc_interval"]
    auc: PrintedNumber
    n_events: int
    n_others: int
    interval: PrintedInterval | None = None

    def find(self) -> Finding:
        """Apply Hanley and McNeil's formula in both directions."""
        n = self.n_events + self.n_others
        expected = hanley_mcneil(self.auc.value, self.n_events, self.n_others, unit="patient")
        text = (
            f"AUC {self.auc} from {self.n_events} and {self.n_others} patients has a Hanley-McNeil "
            f"interval of {expected.low:.2f} to {expected.high:.2f} "
            f"(standard error {expected.extra['se']:.4f})"
        )
        if self.interval is None:
            return Finding("note", text + ".", (expected,))
        low, high = self.interval.low, self.interval.high
        effective = hanley_mcneil_effective_n(
            self.auc.value, low.value, high.value, self.n_events / n
        )
        # 1.5 times the patients is beyond what the choice of the formula explains
        too_narrow = effective.value > 1.5 * n
        text += (
            f"; the printed {low} to {high} is as narrow as that of {effective.value:.0f} "
            f"independent patients"
        )
        if too_narrow:
            by_hand = (
                f"1.96 x {expected.extra['se']:.4f} = {1.96 * expected.extra['se']:.3f} to either "
                f"side (Hanley-McNeil), printed ({high} - {low})/2 = "
                f"{(high.value - low.value) / 2:.3f}"
            )
            return Finding("not reproduced", text + ".", (expected, effective), by_hand)
        return Finding("agrees", text + ".", (expected, effective))


class Quantiles(Check):
    """Which interval two bootstrap quantiles give: ``check: quantiles``.

    Attributes
    ----------
    low_pct, high_pct : float
        Percentiles that the code returns.
    stated_pct : float
        Coverage that is printed.
    """

    check: Literal["quantiles"]
    low_pct: float
    high_pct: float
    stated_pct: float = 95.0

    @model_validator(mode="after")
    def _ordered(self) -> Quantiles:
        if not 0 <= self.low_pct < self.high_pct <= 100:
            raise ValueError("expected 0 <= low_pct < high_pct <= 100")
        return self

    def find(self) -> Finding:
        """Compare coverage."""
        covered = self.high_pct - self.low_pct
        good = math.isclose(covered, self.stated_pct)
        return compared(
            good,
            "impossible",
            f"percentiles {self.low_pct:g} and {self.high_pct:g} are a {covered:g} % interval"
            + ("." if good else f", not one of {self.stated_pct:g} %."),
            by_hand=f"{self.high_pct:g} - {self.low_pct:g} = {covered:g}",
        )


class ConstantMae(Check):
    """A mean absolute error beside a constant's: ``check: constant_mae``."""

    check: Literal["constant_mae"]
    sd: PrintedNumber
    mae: PrintedNumber

    def find(self) -> Finding:
        """Assume a normal outcome."""
        found = gaussian_constant_mae(self.sd.value)
        worse = self.mae.low > gaussian_constant_mae(self.sd.high).value
        return Finding(
            "note" if worse else "agrees",
            f"were the outcome normal with an SD of {self.sd}, predicting the mean for everybody "
            f"would err by {found.value:.2f}; the model errs by {self.mae}"
            + (", no better than a constant." if worse else "."),
            (found,),
        )


# Checks of counts, copies of one number, and the limits that sampling sets.

_NUMBERS = re.compile(r"\d")


class SameNumber(Check):
    """One quantity printed in several places: ``check: same``.

    Attributes
    ----------
    printed : place to text
        Compared as text, so that ``">"`` and ``">="`` differ too; words that differ are a note,
        numbers that differ cannot all be right.
    """

    check: Literal["same"]
    printed: dict[str, str | int]

    def find(self) -> Finding:
        """Compare the places."""
        texts = {str(text) for text in self.printed.values()}
        listed = ", ".join(f"{text} ({place})" for place, text in self.printed.items())
        if len(texts) == 1:
            return Finding("agrees", f"printed alike: {listed}.")
        if not all(_NUMBERS.search(text) for text in texts):
            return Finding("note", f"printed as {listed}.")
        return Finding(
            "impossible",
            f"printed as {listed}.",
            by_hand=" ≠ ".join(dict.fromkeys(map(str, self.printed.values()))),
        )


class Arithmetic(Check):
    """A count that follows from others: ``check: arithmetic``.

    Attributes
    ----------
    terms : rows of int
        The factors of each term; the terms are added.
    published : int, optional
        What is printed.
    meaning : str
        What the result is.
    """

    check: Literal["arithmetic"]
    terms: tuple[tuple[int, ...], ...]
    published: int | None = None
    meaning: str = ""

    @property
    def total(self) -> int:
        """The sum of the products."""
        return sum(math.prod(factors) for factors in self.terms)

    def find(self) -> Finding:
        """Multiply and add."""
        total = self.total
        text = " + ".join(" x ".join(map(str, factors)) for factors in self.terms)
        text = text.replace("+ -", "- ")
        text = f"{text} = {total}" + (f" {self.meaning}" if self.meaning else "")
        if self.published is None:
            return Finding("note", text + ".")
        if total == self.published:
            return Finding("agrees", f"{text}, as printed.")
        return Finding("not reproduced", f"{text}, printed {self.published}.", by_hand=text)


class AtMost(Check):
    """A number that another one bounds: ``check: at_most``.

    Attributes
    ----------
    value, bound : float
    bound_is : str
        What the bound is.
    """

    check: Literal["at_most"]
    value: float
    bound: float
    bound_is: str

    def find(self) -> Finding:
        """Compare."""
        good = self.value <= self.bound
        word = "is within" if good else "exceeds"
        text = f"{self.value:g} {word} {self.bound_is} ({self.bound:g})."
        return compared(good, "impossible", text, by_hand=f"{self.value:g} > {self.bound:g}")


class LargerThan(Check):
    """A method that is said to be better, and its comparator: ``check: larger``.

    Attributes
    ----------
    first, second : numbers in quotes
        The claim is that the first is larger.
    second_is : str
    """

    check: Literal["larger"]
    first: PrintedNumber
    second: PrintedNumber
    second_is: str

    def find(self) -> Finding:
        """Compare."""
        good = self.first.value > self.second.value
        word = "exceeds" if good else "does not exceed"
        return compared(good, "note", f"{self.first} {word} {self.second} ({self.second_is}).")


class Nyquist(Check):
    """A filter's cut-off beside the sampling limit: ``check: nyquist``.

    Attributes
    ----------
    cutoff_per_mm, spacing_mm : float
    """

    check: Literal["nyquist"]
    cutoff_per_mm: float
    spacing_mm: float

    def find(self) -> Finding:
        """Compare with half the sampling frequency."""
        limit = 1 / (2 * self.spacing_mm)
        good = self.cutoff_per_mm <= limit
        text = (
            f"a cut-off of {self.cutoff_per_mm:g} cycles/mm with pixels of {self.spacing_mm:g} mm, "
            f"whose Nyquist limit is {limit:.3f}"
        )
        if good:
            return Finding("agrees", text + ".")
        text += ": such a filter removes nothing"
        if self.cutoff_per_mm / 10 <= limit:
            text += f"; one of {self.cutoff_per_mm:g} cycles/cm would"
        by_hand = f"1/(2 x {self.spacing_mm:g}) = {limit:.3f}"
        return Finding("note", text + ".", by_hand=by_hand)


class WindowLength(Check):
    """A spectrogram window beside the segment it is laid on: ``check: window_length``.

    Attributes
    ----------
    window_samples : int
    rate_hz : float
    segment_rr : float
        Length of a segment in RR intervals.
    heart_rate_bpm : float
    """

    check: Literal["window_length"]
    window_samples: int
    rate_hz: float
    segment_rr: float
    heart_rate_bpm: float

    def find(self) -> Finding:
        """Compare in samples."""
        segment = self.segment_rr * 60 / self.heart_rate_bpm * self.rate_hz
        needed = self.segment_rr * 60 * self.rate_hz / self.window_samples
        good = self.window_samples <= segment
        return compared(
            good,
            "not reproduced",
            f"a window of {self.window_samples} samples on segments of {self.segment_rr:g} RR, "
            f"which are {segment:.0f} samples at {self.heart_rate_bpm:g} beats/min"
            + ("." if good else f"; it fits only below {needed:.1f} beats/min."),
            by_hand=f"{self.segment_rr:g} x 60/{self.heart_rate_bpm:g} x {self.rate_hz:g} = "
            f"{segment:.0f} < {self.window_samples}",
        )


class Resolution(Check):
    """How many samples or cells an event spans: ``check: resolution``.

    Attributes
    ----------
    event_ms, step_ms : float
        Duration of the event, and of one frame or cell.
    needed : float
        Fewest steps that resolve it.
    """

    check: Literal["resolution"]
    event_ms: float
    step_ms: float
    needed: float

    def find(self) -> Finding:
        """Divide."""
        steps = self.event_ms / self.step_ms
        good = steps >= self.needed
        return Finding(
            "agrees" if good else "note",
            f"an event of {self.event_ms:g} ms spans {steps:.1f} steps of {self.step_ms:.3g} ms"
            + ("." if good else f", fewer than the {self.needed:g} that resolve it."),
        )
