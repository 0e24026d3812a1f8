"""Polar maps as figures: axes with the 17 segments, and what a deep feature shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike, NDArray

from cardio_core.api import DataError, canvas
from cardio_spect_polar.phase.perfusion import VIABLE_PCT
from cardio_spect_polar.polar.maps import (
    CAP,
    N_SEGMENTS,
    raster,
    raster_coordinates,
    segment_means,
    segments_of,
    signed_deg,
)

MISSING = "#b8b8b8"

HALO = (withStroke(linewidth=2.0, foreground="white"),)
"""Keeps dark letters readable on dark ground."""

SHADE = (withStroke(linewidth=2.0, foreground="black"),)
"""Keeps white letters readable on light ground."""

PHASE_COLOURS = LinearSegmentedColormap.from_list(
    "cardio_phase",
    ["#0b3a66", canvas.BLUE, "#6fbfe8", "#f7f7f4", "#f4b04f", "#cf5410", "#7a2410"],
    N=360,
).with_extremes(under="#000000", over="#000000")
"""Earlier is blue, later orange, the middle light, and what lies beyond the ends black.

Blue and orange stay apart with every common kind of colour blindness, and lightness falls with
the distance from the middle, so that the map is also read in grey.
"""

PHASE_MIDDLE_DEG = {"peak": 140.0, "onset": 50.0}
"""Middle of the scale on which patients compare: about the mean of normal hearts (134.5 degrees in
men and 140.2 in women for the peak, Chen 2005); the onset is a quarter of the cycle earlier."""

PHASE_REACH_DEG = 120.0
"""So far the scale goes on either side: late walls of dilated hearts lie within, and what lies
beyond is opposite to a normal wall rather than late."""

THICKENING_REACH_PCT = 60.0

AMOUNT_COLOURS, CHANGE_COLOURS = "inferno", "RdBu_r"


def resize(figure: Figure, width_in: float, height_in: float) -> None:
    """Give a figure its size; a part of a larger figure keeps the room it has."""
    if isinstance(figure, Figure):
        figure.set_size_inches(width_in, height_in)


def circular_mean_deg(phase_deg: NDArray[np.floating]) -> float:
    """Return the mean direction in [0, 360); 0 where nothing is known."""
    known = np.radians(phase_deg[np.isfinite(phase_deg)].astype(float))
    return float(np.degrees(np.angle(np.exp(1j * known).sum())) % 360) if known.size else 0.0


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
        axes.text(place[0], place[1], wall, fontsize=canvas.SMALL_PT, color=canvas.GREY,
                  in_layout=False, **how)  # fmt: skip
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
            in_layout=False,  # within the map, whose place is known without them
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
    if "cax" in options:
        place = {"orientation": "horizontal"}
    bar = figure.colorbar(image, ax=axes, **(place | options))
    bar.set_label(label, fontsize=canvas.TEXT_PT, color=canvas.INK)
    bar.ax.tick_params(
        labelsize=canvas.SMALL_PT, length=2.5, width=0.6, color=canvas.GREY, labelcolor=canvas.INK
    )
    bar.outline.set_linewidth(0.5)
    return bar


def study_maps(
    phase: ArrayLike,
    perfusion: ArrayLike,
    thickening: ArrayLike,
    *,
    convention: Literal["peak", "onset"] = "peak",
) -> canvas.Draw:
    """Return a function that draws the three polar maps of a study beside each other.

    Their scales are the same for every patient: phases up to 120 degrees around the mean of normal
    hearts, and black beyond; 0 to 100 %; thickening from -60 to 60 %, light where a wall does not
    thicken.

    Parameters
    ----------
    phase : array-like
        Degrees, as a polar grid, a picture or 17 segments; NaN is grey.
    perfusion, thickening : array-like
        Percent. Perfusion below 50 % is outlined on the maps of phase and perfusion.
    convention : {"peak", "onset"}
        What the phases are of; it moves the scale.
    """
    middle = PHASE_MIDDLE_DEG[convention]
    bar: dict[str, Any] = {"location": "right", "shrink": 0.78, "aspect": 20, "pad": 0.03}

    def draw(figure: Figure) -> None:
        resize(figure, 11.4, 3.1)
        first, second, third = figure.subplots(1, 3)
        image = phase_map(first, phase, middle, "phase", words=_if_known(first, phase))
        label = f"{convention} of thickening (°)\nblack: beyond the scale"
        phase_bar(figure, image, first, label, **bar)
        image = draw_map(second, perfusion, colours=AMOUNT_COLOURS, norm=Normalize(0, 100),
                         title="perfusion")  # fmt: skip
        colour_bar(figure, image, second, "perfusion (% of the best wall)", **bar)
        reach = THICKENING_REACH_PCT
        image = draw_map(third, thickening, colours=CHANGE_COLOURS, norm=Normalize(-reach, reach),
                         title="thickening", words=_if_known(third, thickening))  # fmt: skip
        colour_bar(figure, image, third, "thickening (%)\nblue: thins in systole",
                   extend=_beyond(thickening, (-reach, reach)), **bar)  # fmt: skip
        scar = [outline_scar(axes, perfusion) for axes in (first, second)]
        if any(scar):
            figure.supxlabel("Thin dashed line: perfusion below 50 %",
                             fontsize=canvas.SMALL_PT, color=canvas.INK)  # fmt: skip

    return draw


def outline_scar(axes: Axes, perfusion: ArrayLike) -> bool:
    """Draw a line around perfusion below 50 %, white with dark dashes; return whether there is any.

    Parameters
    ----------
    axes : Axes
        With a map of the same study on it.
    perfusion : array-like
        Percent, as for `picture_of`.
    """
    picture = picture_of(perfusion)
    if not np.any(picture < VIABLE_PCT):
        return False
    n = picture.shape[0]
    middle = (np.arange(n) + 0.5) * 2 / n - 1
    # Beyond the rim everything counts as scar's neighbour of the same kind: no line along it.
    for width, colour, dashes in ((1.8, "white", "solid"), (1.1, _INK, (0, (3, 2)))):
        axes.contour(
            middle, -middle, np.ma.masked_invalid(picture), levels=[VIABLE_PCT], colors=[colour],
            linewidths=[width], linestyles=[dashes], zorder=3.5,
        )  # fmt: skip
    return True


def flow_maps(maps: Mapping[str, tuple[ArrayLike, str, tuple[float, float]]]) -> canvas.Draw:
    """Return a function that draws polar maps beside each other, each with its own scale.

    Parameters
    ----------
    maps : mapping of name to (values, unit, limits)
        Values are a polar grid, a picture or 17 segments, of which each is then written down; NaN
        is grey. The unit, such as ``"ml/min/g"``, is empty for a pure number. The limits are the
        values of the first and the last colour; what lies beyond takes theirs.
    """

    def draw(figure: Figure) -> None:
        resize(figure, max(3.0, 2.8 * len(maps)), 3.6)
        rooms = figure.subplots(1, len(maps), squeeze=False)[0]
        for axes, (name, (values, unit, limits)) in zip(rooms, maps.items(), strict=True):
            image = draw_map(axes, values, colours=AMOUNT_COLOURS, norm=Normalize(*limits),
                             title=name, words=_numbers(values))  # fmt: skip
            label = " ".join(part for part in (name, f"({unit})" if unit else "") if part)
            colour_bar(figure, image, axes, label, extend=_beyond(values, limits))

    return draw


def _if_known(axes: Axes, values: ArrayLike) -> list[str] | None:
    """Write across a map without any value that there is none; return words for its segments."""
    if np.isfinite(np.asarray(values, np.float64)).any():
        return None
    axes.text(0, 0, "no verdict", ha="center", va="center", fontsize=canvas.TEXT_PT,
              color=canvas.fixed(canvas.INK), path_effects=HALO, zorder=5)  # fmt: skip
    return [""] * N_SEGMENTS


def _numbers(values: ArrayLike) -> list[str] | None:
    """Return the values of 17 segments as words; None for finer maps."""
    table = np.asarray(values, np.float64)
    if table.shape != (N_SEGMENTS,):
        return None
    return [f"{value:.1f}" if np.isfinite(value) else "–" for value in table]


def _beyond(values: ArrayLike, limits: tuple[float, float]) -> str:
    """Return where the colour bar needs an arrow, because values lie beyond its ends."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if not known.size:
        return "neither"
    below, above = known.min() < limits[0], known.max() > limits[1]
    return {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[(below, above)]


_TRAVERSE_IN = 3.35
"""Height of a map with its title and its colour bar."""


def traverse_maps(
    low: ArrayLike, mean: ArrayLike, high: ArrayLike, *, n_sd: float = 2.0, title: str = ""
) -> canvas.Draw:
    """Return a function that draws a feature's maps and how each segment changes between them.

    Parameters
    ----------
    low, mean, high : array-like, shape (n_rings, n_angles) or (size, size)
        Decoded phases in degrees with the feature `n_sd` standard deviations below its mean, at
        it, and above; polar grids, ring 0 at the apex, or square pictures with NaN outside.
    n_sd : float
    title : str
        Such as the feature's name.
    """
    low, mean, high = (np.asarray(part, np.float64) for part in (low, mean, high))
    change = segment_change_deg(low, high)
    middle = circular_mean_deg(mean)
    reach = max(5.0, float(np.nanmax(np.abs(change), initial=0.0)))

    def draw(figure: Figure) -> None:
        head_in = 0.3 if title else 0.05
        figure.set_size_inches(6.2, head_in + 2 * _TRAVERSE_IN)
        for place, name in enumerate((f"mean − {n_sd:g} SD", "mean", f"mean + {n_sd:g} SD", "")):
            left, top = 0.1 + 3.1 * (place % 2), head_in + _TRAVERSE_IN * (place // 2)
            axes = canvas.axes_at(figure, left + 0.2, top + 0.2, 2.5, 2.5)
            bar = canvas.axes_at(figure, left + 0.35, top + 2.78, 2.2, 0.1)
            if name:
                image = phase_map(axes, (low, mean, high)[place], middle, name)
                phase_bar(figure, image, axes, cax=bar)
                continue
            image = draw_map(axes, change, colours=CHANGE_COLOURS, norm=Normalize(-reach, reach),
                             title="change by segment",
                             words=[_signed(value) for value in change])  # fmt: skip
            colour_bar(figure, image, axes, "later at the high end (°)", cax=bar)
        if title:
            figure.text(0.01, 1 - 0.06 / figure.get_figheight(), title, va="top",
                        fontsize=canvas.TEXT_PT + 1, fontweight="bold",
                        color=canvas.INK)  # fmt: skip

    return draw


def segment_change_deg(low: ArrayLike, high: ArrayLike) -> NDArray[np.float64]:
    """Return how much later each segment is on one polar grid of phases than on another.

    Parameters
    ----------
    low, high : array-like, shape (n_rings, n_angles) or (size, size)
        Degrees, on polar grids or on pictures.

    Returns
    -------
    ndarray, shape (17,)
        Circular means of `high` minus those of `low`, in [-180, 180). A pixel counts by its area
        on the polar map.

    Raises
    ------
    DataError
        If the maps are not of one shape.
    """
    before, after = np.asarray(low, np.float64), np.asarray(high, np.float64)
    if before.ndim != 2 or before.shape != after.shape:
        raise DataError(
            "change by segment: expected two maps of one shape, found "
            f"{before.shape} and {after.shape}"
        )
    segments, area = _pixels(before.shape)
    first, second = (
        segment_means(part, segments, weights=area, circular=True) for part in (before, after)
    )
    return signed_deg(second - first)


def _pixels(shape: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    n_rows, n_columns = shape
    if n_rows == n_columns:
        radius, angle = raster_coordinates(n_rows)
        return segments_of(radius, angle), np.ones(shape)
    arc = (np.arange(n_rows)[:, None] + 0.5) / n_rows
    return segments_of(arc, np.arange(n_columns) * 360 / n_columns), np.broadcast_to(arc, shape)


def _signed(value: float) -> str:
    if not np.isfinite(value):
        return "–"
    return f"{value:+.0f}".replace("-", "−") if round(value) else "0"
