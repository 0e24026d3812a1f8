"""The cavity's volume over the cycle, with end-diastole, end-systole and ejection fraction."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from cardio_core.api import canvas
from cardio_spect_polar.drawing.style import resize


def volume_curves(curves_ml: Mapping[str, ArrayLike]) -> canvas.Draw:
    """Return a function that draws the volume curves of rest and stress over each other.

    Parameters
    ----------
    curves_ml : mapping of name to array-like, shape (n,)
        As for `volume_figure`; a curve that is not known is left out.
    """
    known = {name: np.asarray(curve, np.float64) for name, curve in curves_ml.items()}
    known = {name: curve for name, curve in known.items() if np.isfinite(curve).all()}

    def draw(figure: Figure) -> None:
        axes = canvas.bare_axes(figure.subplots(), x="time (% of the RR interval)", y="volume (mL)")
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 1.15 * max((float(curve.max()) for curve in known.values()), default=1.0))
        lines = zip(known.items(), (canvas.BLUE, canvas.VERMILION), ("-", "--"), strict=False)
        for (name, curve), colour, dashes in lines:
            times = 100 * (np.arange(curve.size) + 0.5) / curve.size
            axes.plot(times, curve, dashes, color=colour, linewidth=1.6, label=name)
        if known:
            axes.legend(frameon=False, fontsize=canvas.SMALL_PT, loc="lower right")
        if len(known) < len(curves_ml):
            missing = ", ".join(name for name in curves_ml if name not in known)
            axes.set_title(f"no verdict on the volumes at {missing}", loc="right",
                           fontsize=canvas.SMALL_PT, color=canvas.VERMILION)  # fmt: skip

    return draw


def volume_figure(
    curve_ml: ArrayLike, *, ef_pct: float = math.nan, gates: tuple[int, int, int] | None = None
) -> canvas.Draw:
    """Return a function that draws a volume curve.

    Parameters
    ----------
    curve_ml : array-like, shape (n,)
        Volumes at (k + 1/2) / n of the cycle, from the R wave on.
    ef_pct : float
        Written above; NaN is left out.
    gates : tuple of int, optional
        The gates of end-diastole and end-systole that the slices show, from 0, and the number of
        gates: marked on the axis.
    """
    curve = np.asarray(curve_ml, np.float64)
    times = 100 * (np.arange(curve.size) + 0.5) / curve.size

    def draw(figure: Figure) -> None:
        resize(figure, 4.2, 3.2)
        axes = canvas.bare_axes(figure.subplots(), x="time (% of the RR interval)", y="volume (mL)")
        axes.plot(times, curve, color=canvas.BLUE, linewidth=1.6)
        top = float(curve.max())
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 1.22 * top)
        for name, place, above in (
            ("EDV", int(curve.argmax()), 5),
            ("ESV", int(curve.argmin()), -5),
        ):
            axes.plot(times[place], curve[place], "o", color=canvas.BLUE, markersize=4)
            side = "left" if times[place] < 25 else "right" if times[place] > 75 else "center"
            axes.annotate(
                f"{name} {curve[place]:.0f} mL", (times[place], curve[place]), xytext=(0, above),
                textcoords="offset points", ha=side, va="bottom" if above > 0 else "top",
                fontsize=canvas.SMALL_PT, color=canvas.INK,
            )  # fmt: skip
        for gate in gates[:2] if gates is not None else ():
            n = gates[2] if gates is not None else 1
            axes.axvspan(100 * gate / n, 100 * (gate + 1) / n, color=canvas.LIGHT, linewidth=0,
                         zorder=0)  # fmt: skip
        if math.isfinite(ef_pct):
            axes.set_title(f"EF {ef_pct:.0f} %; grey: the gates that the slices show", loc="right",
                           fontsize=canvas.SMALL_PT, color=canvas.INK)  # fmt: skip

    return draw
