"""One page a study: its slices with the wall, its maps and its histogram, to check it by."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from cardio_core.api import canvas
from cardio_spect_polar.drawing.style import resize

_WIDTH_IN = 8.6
_HEIGHTS_IN = (3.4, 3.6, 2.9)


def study_sheet(
    slices: canvas.Draw, maps: canvas.Draw, histogram: canvas.Draw, *, title: str = ""
) -> canvas.Draw:
    """Return a function that draws three figures of one study below each other.

    Parameters
    ----------
    slices, maps, histogram : callable
        As `slices_with_wall`, `study_maps` and `histogram_figure` return them, without titles.
    title : str
    """

    def draw(figure: Figure) -> None:
        resize(figure, _WIDTH_IN, sum(_HEIGHTS_IN) + (0.3 if title else 0.0))
        rooms: Any = figure.subfigures(3, 1, height_ratios=_HEIGHTS_IN, hspace=0.02)
        for part, room in zip((slices, maps, histogram), rooms, strict=True):
            part(room)
        if title:
            figure.suptitle(
                title,
                x=0.01,
                ha="left",
                fontsize=canvas.TEXT_PT + 1,
                fontweight="bold",
                color=canvas.INK,
            )

    return draw
