"""An explained clip on one sheet: frames under their heat, heat over time, segments occluded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cardio_core.api import canvas
from cardio_echo_cmr.clips import Segments
from cardio_echo_cmr.drawing.overlay import overlay_frames
from cardio_echo_cmr.mechanics import Mechanics
from cardio_echo_cmr.networks.heat_volume import time_curve
from cardio_echo_cmr.segments import SEGMENT_NAMES


@dataclass(frozen=True, eq=False)
class ShownFrame:
    """One frame to be drawn.

    Attributes
    ----------
    picture : ndarray of uint8, shape (n_rows, n_columns)
        Black outside the sector.
    mask : ndarray of bool, shape (n_rows, n_columns)
        The sector.
    title : str
        What the frame is.
    septum_px : ndarray, shape (n, 2), or None
        (row, column) of the septum's line.
    """

    picture: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    title: str
    septum_px: NDArray[np.floating] | None = None


def frame_panel(axes: Axes, shown: ShownFrame, mm_per_pixel: tuple[float, float] | None) -> None:
    """Draw a frame with the border of its sector.

    Parameters
    ----------
    axes : Axes
    shown : ShownFrame
    mm_per_pixel : tuple of float or None
        Rows and columns; None takes pixels for square.
    """
    row_mm, column_mm = mm_per_pixel or (1.0, 1.0)
    axes.imshow(
        shown.picture, cmap="gray", vmin=0, vmax=255, aspect=row_mm / column_mm,
        interpolation="none",
    )  # fmt: skip
    axes.contour(shown.mask, levels=[0.5], colors=[canvas.SKY], linewidths=0.9)
    if shown.septum_px is not None:
        axes.plot(*shown.septum_px.T[::-1], color=canvas.AMBER, linewidth=1.6)
    rows, columns = (np.flatnonzero(shown.mask.any(axis=axis)) for axis in (1, 0))
    edge = 0.03 * max(np.ptp(rows), np.ptp(columns))
    axes.set_xlim(columns[0] - edge, columns[-1] + edge)
    axes.set_ylim(rows[-1] + edge, rows[0] - edge)
    axes.set_axis_off()
    axes.set_title(shown.title, fontsize=canvas.SMALL_PT, color=canvas.INK)


def motion_panel(
    axes: Axes,
    frames: NDArray[np.uint8],
    times_ms: NDArray[np.floating],
    r_times_ms: NDArray[np.floating] | None,
    shown_ms: Sequence[float],
) -> None:
    """Draw how unlike the first frame the others are: a beating heart comes back to it.

    Parameters
    ----------
    axes : Axes
    frames : ndarray of uint8, shape (n, rows, columns)
        The small video.
    times_ms : ndarray, shape (n,)
    r_times_ms : ndarray or None
        R peaks, drawn where they are known.
    shown_ms : sequence of float
        Times of the frames that are drawn.
    """
    inside = (frames > 0).any(axis=0)
    grey = frames[:, inside].astype(np.float32)
    unlike = np.abs(grey - grey[0]).mean(axis=1) if inside.any() else np.zeros(len(frames))
    axes.plot(times_ms, unlike, color=canvas.BLUE, linewidth=1.4)
    for at_ms in () if r_times_ms is None else r_times_ms:
        axes.axvline(float(at_ms), color=canvas.VERMILION, linewidth=1.0, linestyle="--")
    for at_ms in shown_ms:
        axes.plot(at_ms, 0, marker="^", markersize=6, color=canvas.INK, clip_on=False)
    axes.set_ylim(bottom=0)
    r_peaks = "dashed: R peaks" if r_times_ms is not None and len(r_times_ms) else "no R peak known"
    canvas.bare_axes(
        axes,
        x=f"ms from the first frame ({r_peaks}; triangles: frames above)",
        y="mean change (grey levels)",
        title="How far the picture is from the first frame",
    )


def plane_panel(axes: Axes, found: Mechanics) -> None:
    """Draw the course of the mitral ring's septal end, in per cent of the septum where mm lack."""
    if found.plane is None:
        axes.set_axis_off()
        text = fill("; ".join(found.flags), _WRAPPED_AT, break_on_hyphens=False)
        axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes,
                  fontsize=canvas.TEXT_PT, color=canvas.VERMILION)  # fmt: skip
        return
    scaled = np.isfinite(found.mitral_excursion_mm)
    height = found.plane.height_mm * (1.0 if scaled else 100.0 / found.septum_mm)
    axes.plot(found.plane.times_ms, height, color=canvas.BLUE, linewidth=1.6)
    axes.set_ylim(bottom=0)
    canvas.bare_axes(
        axes,
        x="ms from the first frame",
        y="mm towards the apex" if scaled else "% of the septum's length",
        title="Mitral plane (end of the orange line)",
    )


N_SHOWN = 8
WHAT_TO_SEE = (
    "Eight frames of the clip; warm is where and when the network saw what raised its output, blue "
    "outlines are the segments of an average heart. Below, how the heat is spread over time, and "
    "how far the output falls when a segment is covered: a long blue bar is a segment that the "
    "network went by."
)
"""Caption of a sheet."""

_SIZE_IN = (6.8, 6.3)
_WRAPPED_AT = 48


@dataclass(frozen=True, eq=False)
class ClipView:
    """Everything that a sheet and an overlay show.

    Attributes
    ----------
    frames : ndarray of uint8, shape (n, rows, columns)
        The recorded frames of the clip that was explained.
    times_ms : ndarray, shape (n,)
        Since the first frame of the video.
    heat : ndarray of float32, shape (n, rows, columns)
        0 to 1.
    segments : Segments
        Of the view's atlas.
    drops : ndarray, shape (n_segments,), or None
        How far the output falls without each segment; None where it was not asked for.
    unit : str
        Of the output: ``logit``, or that of the value.
    """

    frames: NDArray[np.uint8]
    times_ms: NDArray[np.floating[Any]]
    heat: NDArray[np.float32]
    segments: Segments
    drops: NDArray[np.floating[Any]] | None
    unit: str

    @property
    def sector(self) -> NDArray[np.bool_]:
        """Where any frame shows anything, shape (rows, columns)."""
        return np.asarray((self.frames > 0).any(axis=0))

    @property
    def rate_hz(self) -> float:
        """Frames a second of the clip."""
        steps = np.diff(self.times_ms)
        return float(1000 / np.median(steps)) if len(steps) and np.median(steps) > 0 else 25.0


def clip_sheet(view: ClipView, *, title: str = "") -> canvas.Draw:
    """Return a function that draws a clip on one sheet.

    Eight frames, equally spaced in the clip, under their heat with the outlines of the atlas; the
    share of the heat in each frame; and how far the output falls without each segment.
    """

    def draw(figure: Figure) -> None:
        figure.set_size_inches(*_SIZE_IN)
        rooms: Any = figure.subfigures(2, 1, height_ratios=(1.75, 1))
        top, below = rooms
        if title:
            top.suptitle(title, fontsize=canvas.TEXT_PT, color=canvas.INK, x=0.01, ha="left")
        shown = np.unique(np.linspace(0, len(view.frames) - 1, N_SHOWN).round().astype(int))
        side = view.frames.shape[-1]
        untimed = np.full(len(shown), np.nan)
        mixed = overlay_frames(view.frames[shown], view.heat[shown], untimed, side=side)
        for number, axes in enumerate(top.subplots(2, N_SHOWN // 2).flat):
            axes.set_axis_off()
            if number < len(shown):
                _frame(axes, mixed[number], view.segments, numbered=number == 0)
                at = f"{view.times_ms[shown[number]]:.0f} ms"
                axes.set_title(at, fontsize=canvas.SMALL_PT, color=canvas.INK, pad=2)
        scale = ScalarMappable(Normalize(0, 1), "inferno")
        bar = top.colorbar(scale, ax=top.axes, location="right", shrink=0.7, aspect=25, pad=0.01)
        bar.set_label("evidence (share of the largest)", fontsize=canvas.SMALL_PT)
        bar.ax.tick_params(labelsize=canvas.SMALL_PT, length=2)
        curve, bars = below.subplots(1, 2)
        _curve(curve, view, shown)
        _bars(bars, view)

    return draw


def _frame(axes: Axes, picture: NDArray[np.uint8], segments: Segments, *, numbered: bool) -> None:
    # "none" keeps the picture's own pixels in the file: a sheet is then half as large.
    axes.imshow(picture, interpolation="none")
    for number in segments.numbers:
        inside = segments.labels == number
        axes.contour(inside, levels=[0.5], colors=[canvas.SKY], linewidths=0.5, alpha=0.8)
        if numbered:
            row, column = np.argwhere(inside).mean(axis=0)
            axes.text(column, row, str(number), fontsize=canvas.SMALL_PT - 1.5, color="white",
                      ha="center", va="center")  # fmt: skip


def _curve(axes: Axes, view: ClipView, shown: NDArray[np.int64]) -> None:
    curve = 100 * time_curve(view.heat, view.sector)
    axes.vlines(
        view.times_ms[shown], 0, max(float(curve.max()), 1.0), color=canvas.LIGHT, linewidth=0.8
    )
    axes.plot(view.times_ms, curve, color=canvas.VERMILION, linewidth=1.6)
    axes.set_ylim(bottom=0)
    title = "Heat over time" if curve.any() else "Empty map: nothing spoke for it"
    canvas.bare_axes(axes, x="ms from the first frame", y="heat in a frame (%)", title=title)


def _bars(axes: Axes, view: ClipView) -> None:
    if view.drops is None:
        axes.set_axis_off()
        return
    names = [f"{number} {SEGMENT_NAMES[number - 1]}" for number in view.segments.numbers]
    places = np.arange(len(names))
    colours = [canvas.BLUE if drop > 0 else canvas.GREY for drop in view.drops]
    axes.barh(places, view.drops, color=colours, height=0.65)
    axes.axvline(0, color=canvas.INK, linewidth=0.8)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.locator_params(axis="x", nbins=5)
    canvas.bare_axes(
        axes,
        x=f"falls by ({view.unit.replace('logit', 'log odds')})",
        title="Without the segment, the output",
    )
