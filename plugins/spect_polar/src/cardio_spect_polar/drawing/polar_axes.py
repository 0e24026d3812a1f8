"""One polar map on its axes: the wall laid flat, with the grid of the 17 segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import ArrayLike, NDArray

from cardio_core.api import DataError, canvas
from cardio_spect_polar.drawing.style import HALO, MISSING, PHASE_COLOURS, PHASE_REACH_DEG
from cardio_spect_polar.polar.angles import signed_deg
from cardio_spect_polar.polar.raster import raster, raster_coordinates
from cardio_spect_polar.polar.segments import CAP, N_SEGMENTS, segments_of

_SIZE = 200
_INK = canvas.fixed(canvas.INK)
_RINGS = (CAP, CAP + (1 - CAP) / 3, CAP + 2 * (1 - CAP) / 3)
_WALLS: tuple[tuple[str, tuple[float, float], dict[str, Any]], ...] = (
    ("anterior", (0, 1.04), {"ha": "center", "va": "bottom"}),
    ("inferior", (0, -1.04), {"ha": "center", "va": "top"}),
    ("septal", (-1.04, 0), {"ha": "right", "va": "center", "rotation": 90}),
    ("lateral", (1.04, 0), {"ha": "left", "va": "center", "rotation": 270}),
)


def picture_of(values: ArrayLike, *, circular: bool = False) -> NDArray[np.float64]:
    """Return a map of any form as a square picture, NaN outside the circle.

    Parameters
    ----------
    values : array-like
        17 segments; a polar grid (n_rings, n_angles), ring 0 at the apex and column 0 anterior;
        or a square picture already.
    circular : bool
        The values are degrees.

    Raises
    ------
    DataError
        For any other shape.
    """
    table = np.asarray(values, np.float64)
    if table.shape == (N_SEGMENTS,):
        radius, angle = raster_coordinates(_SIZE)
        return np.where(radius <= 1, table[segments_of(radius, angle) - 1], np.nan)
    if table.ndim != 2:
        raise DataError(
            "polar map figure: expected 17 segments, a grid (rings, angles) or a square picture, "
            f"found shape {table.shape}"
        )
    if table.shape[0] == table.shape[1]:
        return table
    arc = (np.arange(len(table)) + 0.5) / len(table)
    return raster(table, arc, _SIZE, circular=circular)


def draw_map(
    axes: Axes,
    values: ArrayLike,
    *,
    colours: Any,
    norm: Any,
    title: str = "",
    words: Sequence[str] | None = None,
) -> Any:
    """Draw one map and the grid of its segments; return the image, for a colour bar.

    Parameters
    ----------
    axes : Axes
        Empty; changed in place.
    values : array-like
        As for `picture_of`; NaN is grey.
    colours, norm
        Colour map and scale of matplotlib.
    title : str
    words : sequence of 17 str, optional
        What is written in each segment; its number by default.
    """
    rim = Circle((0, 0), 1.0, facecolor=MISSING, edgecolor="none", zorder=1)
    axes.add_patch(rim)
    image = axes.imshow(
        np.ma.masked_invalid(picture_of(values)),
        extent=(-1, 1, -1, 1), cmap=colours, norm=norm, interpolation="none", zorder=2,
    )  # fmt: skip
    image.set_clip_path(rim)
    segment_grid(axes, words)
    for wall, place, how in _WALLS:
        axes.text(place[0], place[1], wall, fontsize=canvas.SMALL_PT, color=canvas.GREY, **how)
    axes.set_xlim(-1.2, 1.2)
    axes.set_ylim(-1.2, 1.2)
    axes.set_aspect("equal")
    axes.set_axis_off()
    if title:
        axes.set_title(title, fontsize=canvas.TEXT_PT, color=canvas.INK, pad=2)
    return image


def segment_grid(axes: Axes, words: Sequence[str] | None = None) -> None:
    """Draw the borders of the 17 segments and write in each."""
    line: dict[str, Any] = {"color": _INK, "linewidth": 0.6, "zorder": 3}
    for radius in (*_RINGS, 1.0):
        axes.add_patch(Circle((0, 0), radius, fill=False, **line))
    for begin, end, angles in (
        (_RINGS[0], _RINGS[1], 45 + 90 * np.arange(4)),
        (_RINGS[1], 1.0, 30 + 60 * np.arange(6)),
    ):
        x, y = -np.sin(np.radians(angles)), np.cos(np.radians(angles))
        axes.plot(np.array([begin, end])[:, None] * x, np.array([begin, end])[:, None] * y, **line)
    for segment, (x, y) in enumerate(segment_centres(), start=1):
        axes.text(
            x,
            y,
            words[segment - 1] if words else str(segment),
            fontsize=canvas.SMALL_PT,
            color=_INK,
            ha="center",
            va="center",
            path_effects=HALO,
            zorder=4,
        )


def segment_centres() -> NDArray[np.float64]:
    """Return the middle of each segment on a map of radius 1, (x right, y up), shape (17, 2)."""
    basal, mid = (_RINGS[2] + 1) / 2, (_RINGS[1] + _RINGS[2]) / 2
    apical = (_RINGS[0] + _RINGS[1]) / 2
    radius = np.repeat([basal, mid, apical, 0.0], [6, 6, 4, 1])
    angle = np.radians(
        np.concatenate([60 * np.arange(6), 60 * np.arange(6), 90 * np.arange(4), [0]])
    )
    return np.column_stack([-radius * np.sin(angle), radius * np.cos(angle)])


def phase_norm(middle_deg: float) -> Normalize:
    """Return the scale of phases around an angle; those opposite to it lie beyond its ends."""
    return Normalize(middle_deg - PHASE_REACH_DEG, middle_deg + PHASE_REACH_DEG)


def phase_map(
    axes: Axes, values: ArrayLike, middle_deg: float, title: str = "", **options: Any
) -> Any:
    """Draw a map of phases, `middle_deg` in the lightest colour; return the image.

    What lies more than 120 degrees from it, on the circle, is black.
    """
    picture = picture_of(values, circular=True)
    around = middle_deg + signed_deg(picture - middle_deg)
    return draw_map(axes, around, colours=PHASE_COLOURS, title=title,
                    norm=phase_norm(middle_deg), **options)  # fmt: skip


def phase_bar(
    figure: Figure, image: Any, axes: Any, label: str = "phase (°)", **options: Any
) -> None:
    """Add the colour bar of a phase map, with angles in [0, 360) and black ends."""
    ticks = np.arange(image.norm.vmin, image.norm.vmax + 1e-9, 40)
    bar = colour_bar(figure, image, axes, label, ticks=ticks, extend="both", **options)
    bar.set_ticklabels([f"{tick % 360:.0f}" for tick in ticks])


def colour_bar(figure: Figure, image: Any, axes: Any, label: str, **options: Any) -> Any:
    """Add a colour bar below the axes, with its label and unit; return it."""
    place: dict[str, Any] = {"location": "bottom", "shrink": 0.8, "aspect": 22, "pad": 0.02}
    bar = figure.colorbar(image, ax=axes, **(place | options))
    bar.set_label(label, fontsize=canvas.TEXT_PT, color=canvas.INK)
    bar.ax.tick_params(
        labelsize=canvas.SMALL_PT, length=2.5, width=0.6, color=canvas.GREY, labelcolor=canvas.INK
    )
    bar.outline.set_linewidth(0.5)
    return bar
