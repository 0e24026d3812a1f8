"""Panels of a loop's sheet: a frame in its sector, and how much the picture changes over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from cardio_core.api import canvas


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
    """

    picture: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    title: str


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
