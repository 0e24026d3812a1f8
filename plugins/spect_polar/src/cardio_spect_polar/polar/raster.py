"""Polar maps: the wall laid flat, its apex in the middle, interpolated between the samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_core.api import DataError
from cardio_spect_polar.polar.angles import wrapped_deg

Floats = NDArray[np.float64]


def polar_grid(
    values: ArrayLike,
    arc: ArrayLike,
    n_rings: int = 24,
    n_angles: int = 72,
    *,
    circular: bool = False,
) -> Floats:
    """Return the map on a polar grid.

    Parameters
    ----------
    values : array-like, shape (..., n_sampled_rings, n_rays)
        One value a sample, rings from the apex, rays from anterior towards the septum. NaN is
        left out of what is interpolated.
    arc : array-like, shape (n_sampled_rings,)
        Arc length of each ring from the apex, 0 to 1, increasing.
    n_rings, n_angles : int
        Ring j of the grid lies at arc (j + 1/2) / n_rings, column k at k * 360 / n_angles
        degrees.
    circular : bool
        The values are degrees: exp(i phi) is interpolated, and the result is in [0, 360).

    Returns
    -------
    ndarray, shape (..., n_rings, n_angles)
        Ring 0 at the apex, column 0 anterior. NaN where no sample around is known.

    Raises
    ------
    DataError
        If `arc` and `values` do not fit.

    Examples
    --------
    >>> wall = np.broadcast_to([[358.0], [2.0]], (2, 40))
    >>> polar_grid(wall, [0.25, 0.75], n_rings=2, n_angles=4, circular=True)[:, 0]
    array([358.,   2.])
    >>> polar_grid(wall, [0.25, 0.75], n_rings=1, n_angles=4, circular=True)[:, 0]
    array([0.])
    """
    rings = (np.arange(n_rings) + 0.5) / n_rings
    angles = np.arange(n_angles) * 360 / n_angles
    where, direction = np.broadcast_arrays(rings[:, None], angles)
    return _interpolated(values, arc, where, direction, circular)


def raster(values: ArrayLike, arc: ArrayLike, size: int = 128, *, circular: bool = False) -> Floats:
    """Return the map as a square picture: anterior on top, the septum on the left.

    Parameters
    ----------
    values, arc, circular
        As for `polar_grid`.
    size : int
        Pixels of a side.

    Returns
    -------
    ndarray, shape (..., size, size)
        Rows run from anterior to inferior, columns from the septum to the lateral wall. NaN
        outside the circle.

    Examples
    --------
    >>> picture = raster(np.ones((2, 40)), [0.25, 0.75], size=4)
    >>> bool(np.isnan(picture[0, 0])), float(picture[1, 1])
    (True, 1.0)
    """
    radius, angle = raster_coordinates(size)
    found = _interpolated(values, arc, np.minimum(radius, 1.0), angle, circular)
    return np.where(radius <= 1, found, np.nan)


def raster_coordinates(size: int) -> tuple[Floats, Floats]:
    """Return radius (1 at the rim) and angle in degrees of each pixel's middle."""
    middle = (np.arange(size) + 0.5) * 2 / size - 1
    down, right = np.meshgrid(middle, middle, indexing="ij")
    return np.hypot(down, right), wrapped_deg(np.degrees(np.arctan2(-right, -down)))


def _interpolated(
    values: ArrayLike, arc: ArrayLike, radius: Floats, angle_deg: Floats, circular: bool
) -> Floats:
    table, place = np.asarray(values, np.float64), np.asarray(arc, np.float64)
    if table.ndim < 2 or place.shape != table.shape[-2:-1]:
        raise DataError(
            f"polar map: expected values (..., rings, rays) with one arc length a ring, found "
            f"values of shape {table.shape} and arcs of shape {place.shape}"
        )
    if place.size > 1 and not (np.diff(place) > 0).all():
        raise DataError("polar map: expected arc lengths that increase from apex to base")
    known = np.isfinite(table)
    weight = known.astype(np.float64)
    numbers: NDArray[Any] = np.exp(1j * np.radians(table)) if circular else table
    numbers = np.where(known, numbers, 0)
    numbers, place = _with_apex(numbers, place)
    weight, _ = _with_apex(weight, np.asarray(arc, np.float64))

    n_rays = table.shape[-1]
    upper = np.searchsorted(place, radius).clip(1, place.size - 1)
    lower = upper - 1
    outward = ((radius - place[lower]) / (place[upper] - place[lower])).clip(0, 1)
    around = angle_deg / 360 * n_rays
    left = np.floor(around).astype(np.int64)
    onward, left = around - left, left % n_rays
    right = (left + 1) % n_rays

    def mix(of: NDArray[Any]) -> NDArray[Any]:
        inner = of[..., lower, left] * (1 - onward) + of[..., lower, right] * onward
        outer = of[..., upper, left] * (1 - onward) + of[..., upper, right] * onward
        return np.asarray(inner * (1 - outward) + outer * outward)

    share, mixed = mix(weight).real, mix(numbers)
    if circular:
        # Rounding keeps -1e-14 degrees from becoming 360 minus a hair.
        found = wrapped_deg(np.round(np.degrees(np.angle(mixed)), 9))
    else:
        found = np.divide(mixed, share, out=np.zeros(share.shape), where=share > 0)
    return np.where(share > 0, found, np.nan)


def _with_apex(numbers: NDArray[Any], place: Floats) -> tuple[NDArray[Any], Floats]:
    """Put a ring at the apex itself: the mean of the first one, where all rays meet."""
    if place[0] <= 0:
        return numbers, place
    first = np.broadcast_to(
        numbers[..., :1, :].mean(axis=-1, keepdims=True), numbers[..., :1, :].shape
    )
    return np.concatenate([first, numbers], axis=-2), np.concatenate([[0.0], place])
