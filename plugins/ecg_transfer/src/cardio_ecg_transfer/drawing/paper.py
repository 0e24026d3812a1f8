"""ECGs on ECG paper: median beats with the limits of their waves, and strips with R peaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cardio_core.api import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

THIN, THICK = "#f6d9d6", "#e9aaa5"
"""Lines of 1 mm and of 5 mm of the paper: 40 and 200 ms, 0.1 and 0.5 mV."""

WAVES = {"P": canvas.GREEN, "QRS": canvas.BLUE, "T": "#9A4F80"}

LAYOUT = (
    ("I", "aVR", "V1", "V4"),
    ("II", "aVL", "V2", "V5"),
    ("III", "aVF", "V3", "V6"),
)
"""The usual order of twelve leads on paper."""

STRIP_S = 10.0

Limits = Mapping[str, tuple[float, float]]


def paper(axes: Axes, x: tuple[float, float], y_mv: tuple[float, float], *, per_s: float) -> None:
    """Rule axes as ECG paper.

    Parameters
    ----------
    axes : Axes
        Emptied of frame and ticks.
    x, y_mv : tuple of float
        What they span; x in units of which `per_s` make a second.
    per_s : float
        1000 for ms.
    """
    for step, colour, width in ((1, THIN, 0.4), (5, THICK, 0.6)):
        across, up = 0.04 * per_s * step, 0.1 * step
        for at in np.arange(np.ceil(x[0] / across), x[1] / across + 1e-9) * across:
            axes.axvline(at, color=colour, linewidth=width, zorder=0)
        for at in np.arange(np.ceil(y_mv[0] / up), y_mv[1] / up + 1e-9) * up:
            axes.axhline(at, color=colour, linewidth=width, zorder=0)
    axes.set_xlim(*x)
    axes.set_ylim(*y_mv)
    axes.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def median_beats(
    grid: NDArray[Any],
    signals_mv: Mapping[str, NDArray[np.floating[Any]]],
    time_ms: NDArray[np.floating[Any]],
    limits: Limits,
) -> None:
    """Draw twelve median beats in the order of `LAYOUT`, one scale for all, limits across.

    Parameters
    ----------
    grid : ndarray of Axes, shape (3, 4)
        Where.
    signals_mv : mapping of str to ndarray, shape (n_samples,)
        By lead, from the level before the QRS.
    time_ms : ndarray, shape (n_samples,)
        After R.
    limits : mapping of str to (begin, end)
        Of ``"P"``, ``"QRS"`` and ``"T"``, in ms after R; NaN where there is none.
    """
    shown = np.concatenate(list(signals_mv.values()))
    low = min(-0.5, float(np.floor(shown.min() * 2) / 2))
    high = max(1.0, float(np.ceil(shown.max() * 2) / 2))
    x = (float(time_ms[0]), float(time_ms[-1]))
    for row, names in zip(grid, LAYOUT, strict=True):
        for axes, lead in zip(row, names, strict=True):
            paper(axes, x, (low, high), per_s=1000.0)
            _waves(axes, limits)
            axes.plot(time_ms, signals_mv[lead], color=canvas.INK, linewidth=1.1)
            axes.text(
                0.02, 0.96, lead, transform=axes.transAxes, va="top", fontweight="bold",
                fontsize=canvas.TEXT_PT, color=canvas.INK,
            )  # fmt: skip
    for wave, (begin, end) in limits.items():
        middle = np.nanmean([begin, end]) if np.isfinite([begin, end]).any() else np.nan
        if np.isfinite(middle):
            grid[0, 0].annotate(
                wave, (middle, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2),
                textcoords="offset points", ha="center", fontsize=canvas.SMALL_PT,
                color=WAVES[wave],
            )  # fmt: skip


def strip(
    axes: Axes,
    signal_mv: NDArray[np.floating[Any]],
    rate_hz: float,
    r_s: NDArray[np.floating[Any]],
    others_s: NDArray[np.floating[Any]],
    lead: str,
    *,
    begin_s: float = 0.0,
    spikes_s: NDArray[np.floating[Any]] | None = None,
) -> None:
    """Draw ten seconds of one lead: R peaks above, other beats' in orange, pacing spikes below."""
    first = round(begin_s * rate_hz)
    shown = signal_mv[first : first + round(STRIP_S * rate_hz)]
    known = shown[np.isfinite(shown)]
    level = float(np.median(known)) if known.size else 0.0
    low, high = (-0.5, 1.0) if not known.size else np.percentile(known - level, (0.1, 99.9))
    low = min(-0.5, float(np.floor(low * 2) / 2))
    high = max(1.0, float(np.ceil(high * 2) / 2)) + 0.5
    paper(axes, (begin_s, begin_s + STRIP_S), (low, high), per_s=1.0)
    axes.plot(begin_s + np.arange(shown.size) / rate_hz, shown - level, color=canvas.INK,
              linewidth=0.8)  # fmt: skip
    for times, colour in ((r_s, canvas.BLUE), (others_s, canvas.VERMILION)):
        inside = times[(times >= begin_s) & (times < begin_s + STRIP_S)]
        axes.plot(inside, np.full(inside.size, high - 0.15), linestyle="none", marker="v",
                  markersize=5, color=colour)  # fmt: skip
    if spikes_s is not None:
        inside = spikes_s[(spikes_s >= begin_s) & (spikes_s < begin_s + STRIP_S)]
        axes.plot(inside, np.full(inside.size, low + 0.15), linestyle="none", marker="|",
                  markersize=9, markeredgewidth=1.6, color=canvas.GREEN)  # fmt: skip
    axes.text(
        0.004, 0.05, lead, transform=axes.transAxes, va="bottom", fontweight="bold",
        fontsize=canvas.TEXT_PT, color=canvas.INK,
    )  # fmt: skip


def _waves(axes: Axes, limits: Limits) -> None:
    for wave, (begin, end) in limits.items():
        if np.isfinite(begin) and np.isfinite(end):
            axes.axvspan(begin, end, color=WAVES[wave], alpha=0.10, linewidth=0, zorder=0.5)
        for at in (begin, end):
            if np.isfinite(at):
                axes.axvline(at, color=WAVES[wave], linewidth=0.8, zorder=1)
