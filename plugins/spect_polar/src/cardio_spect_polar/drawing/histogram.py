"""The phase histogram, with phase SD and bandwidth marked on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from cardio_core.api import canvas
from cardio_spect_polar.drawing.style import resize
from cardio_spect_polar.phase.cycle.histogram import phase_histogram, unwrapped
from cardio_spect_polar.phase.indices.dyssynchrony import PhaseIndices, phase_indices, smallest_arc


def histogram_figure(
    phase_deg: ArrayLike, *, weights: ArrayLike | None = None, title: str = ""
) -> canvas.Draw:
    """Return a function that draws the histogram of 360 bins, one cycle around the mean phase.

    Parameters
    ----------
    phase_deg : array-like
        Degrees of the samples; NaN is left out.
    weights : array-like, optional
        Of the same shape; samples count alike by default.
    title : str

    Raises
    ------
    DataError
        Fewer than two phases.
    """
    found = phase_indices(phase_deg, weights=weights, name="phase histogram")
    heights = phase_histogram(phase_deg, weights=weights)
    begin, width = smallest_arc(phase_deg, weights=weights)
    flat = np.ravel(np.asarray(phase_deg, np.float64))
    known = np.isfinite(flat)
    size = None if weights is None else np.ravel(np.asarray(weights, np.float64))[known]
    # PSD is around the mean of unwrapped phases, which need not be the circular one.
    centre = float(np.average(unwrapped(flat[known]), weights=size)) % 360
    return _drawing(heights, begin, width, centre, found, title)


def binned_histogram_figure(
    heights: ArrayLike, *, psd_deg: float | None = None, pbw_deg: float | None = None,
    title: str = "",
) -> canvas.Draw:  # fmt: skip
    """Return a function that draws a histogram of which only the bins are kept.

    Parameters
    ----------
    heights : array-like, shape (360,)
        Samples in each degree.
    psd_deg, pbw_deg : float, optional
        As they were found from the samples themselves; from the bins by default, which moves
        them by a fraction of a degree.
    title : str

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
    line = unwrapped(middles[held])
    centre = float(np.average(line, weights=counts[held])) % 360
    found = replace(found, pbw_deg=width, n=round(float(counts.sum())),
                    psd_deg=found.psd_deg if psd_deg is None else psd_deg)  # fmt: skip
    return _drawing(counts, begin, width, centre, found, title)


def _drawing(
    counts: NDArray[np.float64],
    begin: float,
    width: float,
    centre: float,
    found: PhaseIndices,
    title: str,
) -> canvas.Draw:
    """Return the function that draws bars and brackets, half a cycle on either side of centre."""
    heights = 100 * counts / counts.sum()
    first = round(centre) - 180
    begin = first + (begin - first) % 360

    def draw(figure: Figure) -> None:
        resize(figure, 6.2, 3.2)
        axes = canvas.bare_axes(figure.subplots(), x="phase (° of the cycle)", y="samples (%)")
        top = float(heights.max())
        axes.set_xlim(first, first + 360)
        axes.set_ylim(0, 1.36 * top)
        axes.stairs(
            np.roll(heights, -first), np.arange(first, first + 361), fill=True, color=canvas.BLUE
        )
        # An arc that reaches beyond the right end goes on at the left one.
        for turn in (0, -360):
            axes.axvspan(
                begin + turn, begin + turn + width, color=canvas.LIGHT, linewidth=0, zorder=0
            )
            _bracket(axes, begin + turn, begin + turn + width, 1.20 * top, canvas.GREY)
        _bracket(axes, centre - found.psd_deg, centre + found.psd_deg, 1.06 * top, canvas.VERMILION)
        inside = begin + width <= first + 360
        _words(axes, begin + width / 2 if inside else centre, 1.20 * top,
               f"bandwidth (95 % of samples) {found.pbw_deg:.0f}°", canvas.GREY)  # fmt: skip
        _words(axes, centre, 1.06 * top, f"mean ± phase SD {found.psd_deg:.1f}°", canvas.VERMILION)
        ticks = np.arange(int(np.ceil(first / 60)) * 60, first + 361, 60)
        axes.set_xticks(ticks, [f"{tick % 360}" for tick in ticks])
        axes.set_yticks([tick for tick in axes.get_yticks() if tick <= top])
        numbers = f"n = {found.n}, mean {found.mean_deg:.0f}°, entropy {found.entropy:.2f}"
        axes.set_title(numbers, loc="right", fontsize=canvas.SMALL_PT, color=canvas.INK)
        if title:
            axes.set_title(
                title, loc="left", fontsize=canvas.TEXT_PT + 1, fontweight="bold", color=canvas.INK
            )

    return draw


def _bracket(axes: Axes, low: float, high: float, height: float, colour: str) -> None:
    tick = 0.02 * height
    axes.plot([low, low, high, high], [height - tick, height, height, height - tick],
              color=colour, linewidth=1.2)  # fmt: skip


def _words(axes: Axes, middle: float, height: float, words: str, colour: str) -> None:
    """Write above a bracket, within the axes."""
    low, high = axes.get_xlim()
    axes.annotate(words, (min(max(middle, low + 70), high - 70), height), xytext=(0, 2),
                  textcoords="offset points", ha="center", va="bottom", fontsize=canvas.SMALL_PT,
                  color=colour)  # fmt: skip
