"""What one deep feature stands for: the decoder's map as the feature goes from low to high."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from cardio_core.api import DataError, canvas
from cardio_spect_polar.drawing.polar_axes import colour_bar, draw_map, phase_bar, phase_map
from cardio_spect_polar.drawing.style import CHANGE_COLOURS, circular_mean_deg, resize
from cardio_spect_polar.polar.angles import signed_deg
from cardio_spect_polar.polar.raster import raster_coordinates
from cardio_spect_polar.polar.segments import segment_means, segments_of


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
        resize(figure, 6.2, 6.8)
        rooms = figure.subplots(2, 2).ravel()
        names = (f"mean − {n_sd:g} SD", "mean", f"mean + {n_sd:g} SD")
        for axes, values, name in zip(rooms, (low, mean, high), names, strict=False):
            image = phase_map(axes, values, middle, name)
            phase_bar(figure, image, axes)
        image = draw_map(rooms[3], change, colours=CHANGE_COLOURS, norm=Normalize(-reach, reach),
                         title="change by segment",
                         words=[_signed(value) for value in change])  # fmt: skip
        colour_bar(figure, image, rooms[3], "later at the high end (°)")
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=canvas.TEXT_PT + 1,
                            fontweight="bold", color=canvas.INK)  # fmt: skip

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
    one, other = (
        segment_means(part, segments, weights=area, circular=True) for part in (before, after)
    )
    return signed_deg(other - one)


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
