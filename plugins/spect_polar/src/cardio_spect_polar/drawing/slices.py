"""Slices of a study with the sampled wall drawn over them, to check the segmentation by eye."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cardio_core.api import DataError, canvas
from cardio_spect_polar.drawing.style import SHADE, resize
from cardio_spect_polar.phase.ventricle.wall import WallGeometry

_MARGIN_MM = 22.0
_LETTER: dict[str, Any] = {
    "fontsize": canvas.SMALL_PT, "color": "white", "ha": "center", "va": "center",
}  # fmt: skip


def slices_with_wall(
    counts: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    geometry: WallGeometry,
    *,
    n_slices: int = 10,
) -> canvas.Draw:
    """Return a function that draws two long-axis cuts and short-axis slices with the wall.

    Parameters
    ----------
    counts : ndarray, shape (n_slices, n_rows, n_columns)
        Summed over the cycle, in canonical orientation: base to apex, anterior to inferior,
        septum to lateral wall.
    voxel_mm : tuple of float
        Distance of neighbouring slices, rows and columns.
    geometry : WallGeometry
        Its mid-wall points are drawn as dots on the slice next to each.
    n_slices : int
        At most so many short-axis slices are drawn, equally spaced from the apex to the base.

    Raises
    ------
    DataError
        If `counts` is no volume.
    """
    volume = np.asarray(counts, np.float64)
    if volume.ndim != 3:
        raise DataError(
            f"slices with the wall: expected a volume (slices, rows, columns), found shape "
            f"{volume.shape}; sum the time slots first"
        )
    step = np.asarray(voxel_mm, np.float64)
    points = geometry.points_mm.reshape(-1, 3) / step
    shown = _shown_slices(points[:, 0], len(volume), n_slices)
    box = _box(points, volume.shape, _MARGIN_MM / step)
    middle = np.rint(points.mean(axis=0)).astype(int).clip(0, np.array(volume.shape) - 1)
    brightest = float(np.percentile(volume[tuple(slice(*edge) for edge in box)], 99.7)) or 1.0
    apex_mm = float(geometry.points_mm[..., 0].max())

    def draw(figure: Figure) -> None:
        n_columns = -(-len(shown) // 2)
        resize(figure, 2.1 + 1.25 * n_columns, 3.3)
        rooms = figure.add_gridspec(2, n_columns + 1, width_ratios=[1.45] + [1.0] * n_columns)
        for row, (axis, name, ends) in enumerate(
            ((2, "vertical long axis", ("base", "apex", "ant.", "inf.")),
             (1, "horizontal long axis", ("base", "apex", "sept.", "lat.")))
        ):  # fmt: skip
            axes = figure.add_subplot(rooms[row, 0])
            _long_axis(axes, volume, points, middle, axis, box, step, brightest)
            axes.set_title(name, fontsize=canvas.SMALL_PT, color=canvas.INK, pad=2)
            _letters(axes, *ends)
        for number, z in enumerate(shown):
            axes = figure.add_subplot(rooms[number // n_columns, 1 + number % n_columns])
            near = np.abs(points[:, 0] - z) <= 0.5
            _picture(axes, volume[z], points[near][:, [2, 1]], box[2], box[1],
                     step[1] / step[2], brightest)  # fmt: skip
            distance = f"{max(0.0, apex_mm - z * step[0]):.0f} mm"
            axes.set_title(distance, fontsize=canvas.SMALL_PT, color=canvas.INK, pad=2)
            if number == 0:
                _letters(axes, "sept.", "lat.", "ant.", "inf.")
        words = (
            "short-axis slices by distance from the apical end of the wall, apex first; dots: "
            "sampled mid-wall"
        )
        figure.supxlabel(words, fontsize=canvas.SMALL_PT, color=canvas.INK)

    return draw


def _shown_slices(z: NDArray[np.float64], n_all: int, n_wanted: int) -> NDArray[np.int64]:
    """Return slices from the apex to the base that hold samples."""
    last, first = min(n_all - 1, int(np.rint(z.max()))), max(0, int(np.rint(z.min())))
    wanted = max(1, min(n_wanted, last - first + 1))
    return np.unique(np.rint(np.linspace(first, last, wanted)).astype(np.int64))[::-1]


def _box(
    points: NDArray[np.float64], shape: tuple[int, ...], margin: NDArray[np.float64]
) -> list[tuple[int, int]]:
    """Return first and last-plus-one voxel around the wall, along each axis."""
    low = np.floor(points.min(axis=0) - margin).astype(int)
    high = np.ceil(points.max(axis=0) + margin).astype(int) + 1
    return [(max(0, a), min(n, b)) for a, b, n in zip(low, high, shape, strict=True)]


def _long_axis(
    axes: Axes,
    volume: NDArray[np.float64],
    points: NDArray[np.float64],
    middle: NDArray[np.int64],
    axis: int,
    box: list[tuple[int, int]],
    step: NDArray[np.float64],
    brightest: float,
) -> None:
    """Draw the cut through the middle of the heart, base on the left."""
    other = 3 - axis
    cut = np.take(volume, int(middle[axis]), axis=axis).T
    centre = points.reshape(-1, 3).mean(axis=0)[axis]
    # Rays are 9 degrees apart: within 0.6 voxel or the nearest rays, so each ring is met.
    near = np.abs(points[:, axis] - centre) <= max(0.6, 3.0 / float(step[axis]))
    _picture(axes, cut, points[near][:, [0, other]], box[0], box[other],
             step[other] / step[0], brightest)  # fmt: skip


def _picture(
    axes: Axes,
    picture: NDArray[np.float64],
    dots: NDArray[np.float64],
    across: tuple[int, int],
    down: tuple[int, int],
    aspect: float,
    brightest: float,
) -> None:
    axes.imshow(picture, cmap="gray", vmin=0, vmax=brightest, aspect=aspect, interpolation="none")
    axes.plot(dots[:, 0], dots[:, 1], ".", color=canvas.SKY, markersize=3.2, markeredgewidth=0)
    axes.set_xlim(across[0] - 0.5, across[1] - 0.5)
    axes.set_ylim(down[1] - 0.5, down[0] - 0.5)
    axes.set_axis_off()


def _letters(axes: Axes, left: str, right: str, top: str, bottom: str) -> None:
    """Write inside the picture which wall lies where."""
    for word, place, turn in ((left, (0.06, 0.5), 90), (right, (0.94, 0.5), 270),
                              (top, (0.5, 0.94), 0), (bottom, (0.5, 0.06), 0)):  # fmt: skip
        axes.text(
            *place, word, transform=axes.transAxes, rotation=turn, path_effects=SHADE, **_LETTER
        )
