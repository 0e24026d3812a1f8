"""A table of numbers on a sheet: what was measured, its value, and what is usual."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from matplotlib.figure import Figure

from cardio_core.api import canvas

WITHHELD, UNKNOWN = "no verdict", "not known"
LIKE_NOISE = "not distinguishable from noise"
MORE = " *"
"""Ends a difference that is larger than repeats."""

_VALUE, _UNIT = 0.43, 0.445
_PAIR = (0.0, 0.42, 0.55, 0.7, 0.72)


class Limit(Protocol):
    """What an index is in normal people, by one source."""

    @property
    def index(self) -> str:
        """The index."""

    @property
    def people(self) -> str:
        """Of whom."""

    @property
    def low(self) -> float:
        """The lower limit; minus infinity where there is none."""

    @property
    def high(self) -> float:
        """The upper limit; infinity where there is none."""

    @property
    def software(self) -> str:
        """By which software."""

    @property
    def source(self) -> str:
        """Who published it."""


def normal_range(limits: Sequence[Limit]) -> str:
    """Return what an index is in normal people, to stand behind its unit; empty without limits."""
    said = [
        f"{one.people} {'≤ ' if math.isinf(one.low) else f'{one.low:.0f}–'}{one.high:.0f}"
        for one in limits
    ]
    return f" normal {', '.join(said)}" if said else ""


def numbers_table(rows: Sequence[tuple[str, str, str]]) -> canvas.Draw:
    """Return a function that writes (title, value, what follows it) below each other.

    Parameters
    ----------
    rows : sequence of (str, str, str)
        Values of `WITHHELD`, `UNKNOWN` and `LIKE_NOISE` are written in words where the number
        would stand.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.set_axis_off()
        for n, (title, value, after) in enumerate(rows):
            y = 1 - (n + 0.5) / len(rows)
            missing = value in (WITHHELD, UNKNOWN, LIKE_NOISE)
            quiet = canvas.VERMILION if value == WITHHELD else canvas.GREY
            texts = (
                (0.0, title, "left", canvas.INK),
                (_UNIT, value, "left", quiet) if missing else (_VALUE, value, "right", canvas.INK),
                (_UNIT, "" if missing else after, "left", canvas.INK),
            )
            for x, text, side, colour in texts:
                axes.text(
                    x, y, text, transform=axes.transAxes, ha=side, va="center",
                    fontsize=canvas.TEXT_PT - 1, color=colour,
                    fontweight="bold" if side == "right" else "normal",
                ).set_in_layout(False)  # fmt: skip
            if n:
                axes.plot([0, 1], [1 - n / len(rows)] * 2, transform=axes.transAxes,
                          color=canvas.LIGHT, linewidth=0.6)  # fmt: skip

    return draw


def pair_table(rows: Sequence[tuple[str, str, str, str, str]]) -> canvas.Draw:
    """Return a function that writes two studies and their difference below each other.

    Parameters
    ----------
    rows : sequence of (str, str, str, str, str)
        Title, value at rest, value at stress, difference, and within what that repeats. A
        difference that ends with `MORE` is larger. A row of which only the title is filled is a
        sentence.
    """
    head = ("", "rest", "stress", "difference", "two studies of one heart agree within")

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.set_axis_off()
        for n, row in enumerate([head, *rows]):
            y = 1 - (n + 0.5) / (len(rows) + 1)
            for x, text, side in zip(_PAIR, row, ("left", *["right"] * 3, "left"), strict=True):
                quiet = text in (WITHHELD, UNKNOWN) or not n
                colour = canvas.GREY if quiet else canvas.INK
                axes.text(
                    x, y, text, transform=axes.transAxes, ha=side, va="center",
                    fontsize=canvas.TEXT_PT - 1 - quiet,
                    color=canvas.VERMILION if text.endswith(MORE) else colour,
                    fontweight="bold" if side == "right" and n and not quiet else "normal",
                ).set_in_layout(False)  # fmt: skip
            if n:
                axes.plot([0, 1], [1 - n / (len(rows) + 1)] * 2, transform=axes.transAxes,
                          color=canvas.LIGHT, linewidth=0.6)  # fmt: skip

    return draw


def in_words(words: str) -> canvas.Draw:
    """Return a function that writes a sentence in place of a figure that cannot be drawn."""

    def draw(figure: Figure) -> None:
        figure.text(0.5, 0.5, words, ha="center", va="center", fontsize=canvas.TEXT_PT,
                    color=canvas.VERMILION)  # fmt: skip

    return draw
