"""The heart cut in end-diastole and end-systole, the sampled wall on it, to check it by eye."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cardio_core.api import canvas
from cardio_spect_polar.drawing.style import SHADE, resize
from cardio_spect_polar.phase.sampling.qc_view import (
    CUTS,
    GATES,
    LONG_AXIS,
    N_PIXELS,
    SHORT_AXIS,
    QcView,
)

WIDTH_IN, HEIGHT_IN = 7.2, 3.1
BAR_MM = 20.0
GAMMA = 0.75
_LETTER: dict[str, Any] = {
    "fontsize": canvas.SMALL_PT, "color": "white", "ha": "center", "va": "center",
}  # fmt: skip
_ENDS = {
    "base": ("sept.", "lat.", "ant.", "inf."),
    "vertical": ("base", "apex", "ant.", "inf."),
    "horizontal": ("sept.", "lat.", "apex", "base"),
}
"""What lies left, right, above and below in a cut."""


def gate_slices(view: QcView, *, dot_pt: float = 2.5) -> canvas.Draw:
    """Return a function that draws a row a gate: three short-axis and two long-axis cuts.

    Parameters
    ----------
    view : QcView
        Its dots and the lines of endocardium and epicardium are drawn as they are, in that gate;
        its lines along the base in the long-axis cuts.
    dot_pt : float
        Size of the dots.
    """

    def draw(figure: Figure) -> None:
        resize(figure, WIDTH_IN, HEIGHT_IN)
        rooms = figure.subplots(2, len(CUTS))
        for gate, row in enumerate(rooms):
            for cut, axes in enumerate(row):
                _cut(axes, view, gate, cut, dot_pt)
            _beside(row[0], f"{GATES[gate]}\ngate {view.slots[gate] + 1} of {view.n_slots}")
        for cut, name in enumerate(CUTS):
            kind = "short axis" if name in SHORT_AXIS else "long axis"
            words = f"{kind}, {name}" if name in SHORT_AXIS else f"{name} {kind}"
            rooms[0, cut].set_title(words, fontsize=canvas.SMALL_PT, color=canvas.INK, pad=3)
            if name in _ENDS:
                _letters(rooms[0, cut], *_ENDS[name])
        for cut in (0, len(SHORT_AXIS)):
            _scale_bar(rooms[1, cut], _pixel_mm(view, cut))

    return draw


def _cut(axes: Axes, view: QcView, gate: int, cut: int, dot_pt: float) -> None:
    picture = view.counts[gate, cut]
    # Faint walls are lifted: a dot on a defect is to be judged as well.
    axes.imshow(picture, cmap="gray", norm=PowerNorm(GAMMA, 0, 255), interpolation="bilinear")
    for edge in view.edges_mm[gate, cut]:
        x, y = _pixels(edge, view, cut).T
        axes.plot(x, y, "-", color=canvas.GREEN, linewidth=0.8, alpha=0.9)
    x, y = _pixels(view.dots_mm[gate, cut], view, cut).T
    # Dark rims: on a bright wall the dots would not be seen.
    axes.plot(x, y, "o", color=canvas.SKY, markersize=dot_pt, markeredgewidth=dot_pt / 5,
              markeredgecolor="black")  # fmt: skip
    if CUTS[cut] in LONG_AXIS:
        x, y = _pixels(view.base_mm[gate, cut - len(SHORT_AXIS)], view, cut).T
        axes.plot(x, y, "-", color=canvas.AMBER, linewidth=1.3)
    axes.set_xlim(-0.5, picture.shape[1] - 0.5)
    axes.set_ylim(picture.shape[0] - 0.5, -0.5)
    axes.set_axis_off()


def _pixel_mm(view: QcView, cut: int) -> float:
    return view.pixels_mm[cut >= len(SHORT_AXIS)]


def _pixels(points_mm: NDArray[np.floating], view: QcView, cut: int) -> NDArray[np.float64]:
    """Return places in the picture of points in mm from its middle, without the missing ones."""
    points = np.asarray(points_mm, np.float64)
    known = points[np.isfinite(points).all(axis=1)]
    return known / _pixel_mm(view, cut) + (N_PIXELS - 1) / 2


def _beside(axes: Axes, words: str) -> None:
    """Write left of a row, upwards."""
    axes.annotate(
        words, (0, 0.5), xycoords="axes fraction", xytext=(-4, 0), textcoords="offset points",
        rotation=90, ha="right", va="center", multialignment="center",
        fontsize=canvas.SMALL_PT, color=canvas.INK,
    )  # fmt: skip


def _scale_bar(axes: Axes, pixel_mm: float) -> None:
    length, right = BAR_MM / pixel_mm, N_PIXELS - 4
    axes.plot([right - length, right], [N_PIXELS - 4] * 2, "-", color="white", linewidth=1.5,
              path_effects=SHADE)  # fmt: skip
    axes.text(right - length / 2, N_PIXELS - 8, f"{BAR_MM / 10:.0f} cm", path_effects=SHADE,
              **_LETTER)  # fmt: skip


def _letters(axes: Axes, left: str, right: str, top: str, bottom: str) -> None:
    """Write inside the picture which wall lies where."""
    for word, place, turn in ((left, (0.06, 0.5), 90), (right, (0.94, 0.5), 270),
                              (top, (0.5, 0.94), 0), (bottom, (0.5, 0.06), 0)):  # fmt: skip
        axes.text(
            *place, word, transform=axes.transAxes, rotation=turn, path_effects=SHADE, **_LETTER
        )
