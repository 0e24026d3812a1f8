"""A predicted number beside the measured one: scatter above, Bland and Altman's plot below."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from cardio_stats._numerics.validate import Floats, Ints
from cardio_stats.agreement import Agreement
from cardio_stats.figures.canvas import (
    BLUE,
    DASHED,
    GREY,
    INK,
    SMALL_PT,
    VERMILION,
    Draw,
    quiet_axes,
)
from cardio_stats.words import count, number

MOST_POINTS = 2000
"""Beyond it a figure is a blot, and a page of many megabytes; numbers are of all points."""


def agreement_figure(
    measured: ArrayLike,
    predicted: ArrayLike,
    *,
    patient: ArrayLike | None = None,
    unit: str = "",
    level: float = 0.95,
) -> Draw:
    """Draw predicted against measured values, and their differences against their means.

    Parameters
    ----------
    measured, predicted : array-like, shape (n,)
        In `unit`.
    patient : array-like, shape (n,), optional
        The person behind each row, where somebody has several.
    unit : str
        Empty for a pure number.
    level : float
        Of the intervals of bias and limits.

    Raises
    ------
    DataError
        Too few values for limits of agreement.
    """
    from cardio_stats import limits_of_agreement as limits_between

    truth, shown = np.asarray(measured, np.float64), np.asarray(predicted, np.float64)
    found = limits_between(truth, shown, patient=patient, level=level)
    in_unit = f" ({unit})" if unit else ""

    def draw(figure: Figure) -> None:
        figure.set_size_inches(4.6, 7.0)
        above, below = figure.subplots(2, 1, height_ratios=(1.25, 1))
        _scatter(above, truth, shown)
        quiet_axes(above, x=f"measured{in_unit}", y=f"predicted{in_unit}")
        limits_of_agreement(below, found, unit)
        quiet_axes(below, x=f"mean of predicted and measured{in_unit}",
                   y=f"predicted − measured{in_unit}")  # fmt: skip

    return draw


def _scatter(axes: Axes, truth: Floats, predicted: Floats) -> None:
    both = np.concatenate([truth, predicted])
    low, high = float(both.min()), float(both.max())
    edge = 0.04 * (high - low or 1.0)
    axes.plot([low, high], [low, high], **DASHED)
    shown = _some(truth.size)
    axes.plot(truth[shown], predicted[shown], "o", color=BLUE, markersize=3.5, alpha=0.7,
              markeredgewidth=0)  # fmt: skip
    if shown.size < truth.size:
        axes.set_title(f"{count(shown.size)} of {count(truth.size)} points are drawn",
                       fontsize=SMALL_PT, color=GREY, loc="left")  # fmt: skip
    axes.set_xlim(low - edge, high + edge)
    axes.set_ylim(low - edge, high + edge)
    axes.set_aspect("equal")
    axes.locator_params(nbins=5)


def _some(n: int) -> Ints:
    """Return the places of `MOST_POINTS` of n points at most, evenly among them."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST_POINTS)).astype(np.int64))


def limits_of_agreement(axes: Axes, found: Agreement, unit: str = "") -> None:
    """Draw differences with bias and limits, each with the band of its interval and its value.

    Values that lie close are written apart.
    """
    shown = _some(found.mean.size)
    axes.plot(found.mean[shown], found.difference[shown], "o", color=BLUE, markersize=3.5,
              alpha=0.7, markeredgewidth=0)  # fmt: skip
    axes.axhline(0, **DASHED)
    lines = ((found.upper, "upper limit"), (found.bias, "bias"), (found.lower, "lower limit"))
    for estimate, _ in lines:
        if estimate.low is not None and estimate.high is not None:
            axes.axhspan(estimate.low, estimate.high, color=VERMILION, alpha=0.10, linewidth=0)
        axes.axhline(estimate.value, color=VERMILION, linewidth=1.2)
    axes.locator_params(axis="x", nbins=5)
    # Upper limit, bias and lower limit never change places, so their words need not either.
    bottom, top = axes.get_ylim()
    room = 0.16 * (top - bottom)
    middle = lines[1][0].value
    heights = (max(lines[0][0].value, middle + room), middle, min(lines[2][0].value, middle - room))
    for (estimate, words), height in zip(lines, heights, strict=True):
        axes.annotate(
            f"{words}\n{number(estimate.value)} {unit}".rstrip(), (1.0, height),
            xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points",
            va="center", fontsize=SMALL_PT, color=INK,
        )  # fmt: skip


# The plot of Bland and Altman: differences against means, with the limits of agreement.


def bland_altman(found: Agreement, *, reference: str, measured: str, title: str = "") -> Draw:
    """Draw the differences with bias and limits, each with the band of its interval.

    `reference` and `measured` are the names of the two methods.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        limits_of_agreement(axes, found)
        quiet_axes(
            axes,
            x=f"mean of {measured} and {reference}",
            y=f"{measured} − {reference}",
            title=title,
        )

    return draw
