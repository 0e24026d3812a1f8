"""The phase histogram in the colours of the map, with phase SD and bandwidth marked on it."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from cardio_core.api import canvas
from cardio_spect_polar.drawing.polar_axes import phase_norm
from cardio_spect_polar.drawing.style import PHASE_COLOURS, PHASE_MIDDLE_DEG, resize
from cardio_spect_polar.phase.cycle.histogram import unwrapped
from cardio_spect_polar.phase.indices.dyssynchrony import phase_indices, smallest_arc

BAR_DEG = 3
"""Bins of one degree are drawn by threes: with 700 samples they would be a comb."""


def binned_histogram_figure(
    heights: ArrayLike,
    *,
    psd_deg: float | None = None,
    pbw_deg: float | None = None,
    convention: Literal["peak", "onset"] = "peak",
    normal_psd_deg: float | None = None,
    normal_pbw_deg: float | None = None,
) -> canvas.Draw:
    """Return a function that draws the histogram of 360 bins, on the same axis for every patient.

    Parameters
    ----------
    heights : array-like, shape (360,)
        Samples in each degree.
    psd_deg, pbw_deg : float, optional
        As they were found from the samples themselves; from the bins by default, which moves
        them by a fraction of a degree.
    convention : {"peak", "onset"}
        What the phases are of; the mean of normal hearts stands in the middle of the axis.
    normal_psd_deg, normal_pbw_deg : float, optional
        Limits of normal hearts, as dotted brackets with ticks.

    Raises
    ------
    DataError
        Fewer than two bins that hold samples.
    """
    counts = np.asarray(heights, np.float64)
    middles = np.arange(counts.size) * 360 / counts.size + 180 / counts.size
    found = phase_indices(middles, weights=counts, name="phase histogram")
    begin, width = smallest_arc(middles, weights=counts)
    if pbw_deg is not None:
        begin, width = begin + (width - pbw_deg) / 2, pbw_deg
    held = counts > 0
    # PSD is around the mean of unwrapped phases, which need not be the circular one.
    centre = float(np.average(unwrapped(middles[held]), weights=counts[held])) % 360
    psd = found.psd_deg if psd_deg is None else psd_deg
    normal = PHASE_MIDDLE_DEG[convention]
    first = round(normal) - 180
    begin, centre = (first + (angle - first) % 360 for angle in (begin, centre))
    bars = np.roll(100 * counts / counts.sum(), -first).reshape(-1, BAR_DEG).sum(axis=1)
    edges = np.arange(first, first + 360, BAR_DEG)

    def draw(figure: Figure) -> None:
        resize(figure, 6.2, 3.2)
        axes = canvas.bare_axes(
            figure.subplots(), x=f"{convention} of thickening (° of the cycle)", y="samples (%)"
        )
        top = float(bars.max())
        axes.set_xlim(first, first + 360)
        axes.set_ylim(0, 1.62 * top)
        colours = PHASE_COLOURS(phase_norm(normal)(edges + BAR_DEG / 2))
        # A thin line: the light middle of the scale would not be seen on paper.
        axes.bar(edges, bars, BAR_DEG, align="edge", color=colours,
                 edgecolor=canvas.fixed(canvas.GREY), linewidth=0.3)  # fmt: skip
        # An arc that reaches beyond the right end goes on at the left one.
        for turn in (0, -360, 360):
            low, high = begin + turn, begin + turn + width
            if high > first and low < first + 360:
                axes.axvspan(low, high, color=canvas.LIGHT, linewidth=0, zorder=0)
                _bracket(axes, low, high, 1.36 * top, canvas.GREY)
            low, high = centre - psd + turn, centre + psd + turn
            if high > first and low < first + 360:
                _bracket(axes, low, high, 1.1 * top, canvas.VERMILION)
        inside = begin + width <= first + 360
        middle = begin + width / 2 if inside else centre
        _words(axes, middle, 1.36 * top,
               f"bandwidth (95 % of samples) {width:.0f}°{_limit(normal_pbw_deg)}",
               canvas.GREY)  # fmt: skip
        _words(axes, centre, 1.1 * top, f"mean ± phase SD {psd:.1f}°{_limit(normal_psd_deg)}",
               canvas.VERMILION)  # fmt: skip
        if normal_pbw_deg is not None and inside:
            _dotted(axes, middle, normal_pbw_deg / 2, 1.36 * top, canvas.GREY)
        if normal_psd_deg is not None:
            _dotted(axes, centre, normal_psd_deg, 1.1 * top, canvas.VERMILION)
        ticks = np.arange(int(np.ceil(first / 60)) * 60, first + 361, 60)
        axes.set_xticks(ticks, [f"{tick % 360}" for tick in ticks])
        axes.set_yticks([tick for tick in axes.get_yticks() if tick <= top])
        n = round(float(counts.sum()))
        numbers = f"n = {n}, mean {found.mean_deg:.0f}°, entropy {found.entropy:.2f}"
        axes.set_title(numbers, loc="right", fontsize=canvas.SMALL_PT, color=canvas.INK)

    return draw


def _bracket(axes: Axes, low: float, high: float, height: float, colour: str) -> None:
    tick = 0.02 * height
    axes.plot([low, low, high, high], [height - tick, height, height, height - tick],
              color=colour, linewidth=1.2)  # fmt: skip


def _dotted(axes: Axes, middle: float, reach: float, height: float, colour: str) -> None:
    low, high = axes.get_xlim()
    ends = np.clip([middle - reach, middle + reach], low, high)
    axes.plot(ends, [height] * 2, linestyle=(0, (1, 1.5)), color=colour, linewidth=1.0,
              marker="|", markersize=4)  # fmt: skip


def _limit(normal_deg: float | None) -> str:
    return "" if normal_deg is None else f" (ticks: normal up to {normal_deg:.0f}°)"


def _words(axes: Axes, middle: float, height: float, words: str, colour: str) -> None:
    """Write above a bracket, within the axes."""
    low, high = axes.get_xlim()
    axes.annotate(words, (min(max(middle, low + 70), high - 70), height), xytext=(0, 2),
                  textcoords="offset points", ha="center", va="bottom", fontsize=canvas.SMALL_PT,
                  color=colour)  # fmt: skip
