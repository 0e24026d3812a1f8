"""The phase histogram, with phase SD and bandwidth marked on it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from cardio_core.api import canvas
from cardio_spect_polar.drawing.style import resize
from cardio_spect_polar.phase.cycle.histogram import unwrapped
from cardio_spect_polar.phase.indices.dyssynchrony import phase_indices, smallest_arc


def binned_histogram_figure(
    heights: ArrayLike, *, psd_deg: float | None = None, pbw_deg: float | None = None
) -> canvas.Draw:
    """Return a function that draws the histogram of 360 bins, one cycle around the mean phase.

    Parameters
    ----------
    heights : array-like, shape (360,)
        Samples in each degree.
    psd_deg, pbw_deg : float, optional
        As they were found from the samples themselves; from the bins by default, which moves
        them by a fraction of a degree.

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
    shares = 100 * counts / counts.sum()
    first = round(centre) - 180
    begin = first + (begin - first) % 360

    def draw(figure: Figure) -> None:
        resize(figure, 6.2, 3.2)
        axes = canvas.bare_axes(figure.subplots(), x="phase (° of the cycle)", y="samples (%)")
        top = float(shares.max())
        axes.set_xlim(first, first + 360)
        axes.set_ylim(0, 1.36 * top)
        edges = np.arange(first, first + 361)
        axes.stairs(np.roll(shares, -first), edges, fill=True, color=canvas.BLUE)
        # An arc that reaches beyond the right end goes on at the left one.
        for turn in (0, -360):
            low, high = begin + turn, begin + turn + width
            axes.axvspan(low, high, color=canvas.LIGHT, linewidth=0, zorder=0)
            _bracket(axes, low, high, 1.20 * top, canvas.GREY)
        _bracket(axes, centre - psd, centre + psd, 1.06 * top, canvas.VERMILION)
        inside = begin + width <= first + 360
        _words(axes, begin + width / 2 if inside else centre, 1.20 * top,
               f"bandwidth (95 % of samples) {width:.0f}°", canvas.GREY)  # fmt: skip
        _words(axes, centre, 1.06 * top, f"mean ± phase SD {psd:.1f}°", canvas.VERMILION)
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


def _words(axes: Axes, middle: float, height: float, words: str, colour: str) -> None:
    """Write above a bracket, within the axes."""
    low, high = axes.get_xlim()
    axes.annotate(words, (min(max(middle, low + 70), high - 70), height), xytext=(0, 2),
                  textcoords="offset points", ha="center", va="bottom", fontsize=canvas.SMALL_PT,
                  color=colour)  # fmt: skip
