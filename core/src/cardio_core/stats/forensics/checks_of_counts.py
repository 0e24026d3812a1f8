"""Checks of counts, copies of one number, and the limits that sampling sets."""

from __future__ import annotations

import math
import re
from typing import Literal

from cardio_core.stats.forensics.check import Check, Finding, PrintedNumber

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
        return Finding(
            "agrees" if good else "impossible",
            f"{self.value:g} " + ("is within" if good else "exceeds") + f" {self.bound_is} "
            f"({self.bound:g}).",
            by_hand="" if good else f"{self.value:g} > {self.bound:g}",
        )


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
        return Finding(
            "agrees" if good else "note", f"{self.first} {word} {self.second} ({self.second_is})."
        )


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
        return Finding(
            "note",
            text + ".",
            by_hand=f"1/(2 x {self.spacing_mm:g}) = {limit:.3f}",
        )


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
        return Finding(
            "agrees" if good else "not reproduced",
            f"a window of {self.window_samples} samples on segments of {self.segment_rr:g} RR, "
            f"which are {segment:.0f} samples at {self.heart_rate_bpm:g} beats/min"
            + ("." if good else f"; it fits only below {needed:.1f} beats/min."),
            by_hand=""
            if good
            else f"{self.segment_rr:g} x 60/{self.heart_rate_bpm:g} x {self.rate_hz:g} = "
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
