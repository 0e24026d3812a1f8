"""The septum as a bright ridge between two dark ventricles: contrasts, and the best path.

All of it works on pictures of 1 mm pixels, in which the septum runs roughly from top to bottom.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_core.api import DataError

WALL_MM = (-3, 3)
RV_MM, LV_MM = (-15, -7), (7, 17)
"""Bands from the middle of the septum: the wall, and blood on either side of it."""

FLOOR_SHARE = 0.08
"""Of the bright tissue's level: contrasts of what is darker than this do not count."""

_ALONG_MM = 2.0
_MIN_COVER = 0.3
_UNKNOWN = -0.3
_RV_LIMIT = 0.4
_WEIGHT = 0.6
_PRIOR_MM, _PRIOR_SPREAD_MM, _PRIOR_WEIGHT = -4.0, 20.0, 0.125
_BEND = 0.25
_MOST_MM = 1000.0


def to_millimetres(
    frames: NDArray[np.uint8], mm_per_pixel: tuple[float, float]
) -> NDArray[np.float32]:
    """Return frames with pixels of 1 mm, as area means: speckle gets weaker.

    Raises
    ------
    DataError
        If no picture of a body measures so much, or so little.

    Examples
    --------
    >>> to_millimetres(np.full((2, 200, 100), 7, np.uint8), (0.5, 0.4)).shape
    (2, 100, 40)
    """
    n_rows, n_columns = frames.shape[1:]
    wide, high = n_columns * mm_per_pixel[1], n_rows * mm_per_pixel[0]
    if not (1 <= wide <= _MOST_MM and 1 <= high <= _MOST_MM):
        raise DataError(
            f"expected a picture of 1 to {_MOST_MM:g} mm, found {wide:.3g} by {high:.3g} mm; "
            "correct the distance of its pixels"
        )
    size = round(wide), round(high)
    small = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]
    return np.stack(small).astype(np.float32)


def contrast(
    wall: NDArray[np.floating], blood: NDArray[np.floating], floor: float
) -> NDArray[np.floating]:
    """Return (wall - blood) / (wall + blood), towards 0 where both are black.

    Examples
    --------
    >>> contrast(np.array([90.0, 2.0]), np.array([10.0, 1.0]), 5.0).round(2).tolist()
    [0.76, 0.12]
    """
    return (wall - blood) / (wall + blood + floor)


def ridge_score(
    picture: NDArray[np.float32], sector: NDArray[np.bool_], floor: float
) -> NDArray[np.float64]:
    """Return how much every pixel looks like the middle of the septum.

    Parameters
    ----------
    picture : ndarray, shape (n_rows, n_columns)
        Mean of the frames, pixels of 1 mm.
    sector : ndarray of bool
        The same shape.
    floor : float
        See `contrast`.

    Returns
    -------
    ndarray of float64
        Brighter than the left ventricle's blood to its right and the right one's to its left, with
        a weak preference for the middle of the sector; -1 outside it.
    """
    wall, rv, lv = (_band(picture, sector, *ends) for ends in (WALL_MM, RV_MM, LV_MM))
    right = np.nan_to_num(contrast(wall, lv, floor), nan=_UNKNOWN)
    left = np.nan_to_num(contrast(wall, rv, floor), nan=_UNKNOWN)
    first = np.flatnonzero(sector.any(axis=1))[0]
    tip = np.flatnonzero(sector[first + 2]).mean()
    away = (np.arange(picture.shape[1]) - tip - _PRIOR_MM) / _PRIOR_SPREAD_MM
    score = _WEIGHT * (right + np.minimum(left, _RV_LIMIT)) - _PRIOR_WEIGHT * away**2
    return np.where(sector, score, -1.0)


def best_path(score: NDArray[np.float64], bend: float = _BEND) -> NDArray[np.intp]:
    """Return the column in every row of the path with the highest total score.

    Dynamic programming over columns and slopes of -1, 0 and 1; a change of slope costs `bend`.

    Examples
    --------
    >>> score = np.zeros((5, 9))
    >>> score[[0, 1, 2, 3, 4], [3, 3, 4, 5, 5]] = 1.0
    >>> best_path(score, bend=0.1).tolist()
    [3, 3, 4, 5, 5]
    """
    n_rows, n_columns = score.shape
    slopes = np.array([-1, 0, 1])
    columns = np.arange(n_columns)
    total = np.repeat(score[0][:, None], 3, axis=1)
    came_from = np.zeros((n_rows, n_columns, 3), dtype=np.intp)
    bends = bend * np.abs(slopes[:, None] - slopes)
    for row in range(1, n_rows):
        at = np.full_like(total, -np.inf)
        for index, slope in enumerate(slopes):
            source = columns - slope
            there = (source >= 0) & (source < n_columns)
            options = total[source[there]] - bends[index]
            came_from[row, there, index] = options.argmax(axis=1)
            at[there, index] = options.max(axis=1)
        total = at + score[row][:, None]
    column, index = (int(place) for place in np.unravel_index(total.argmax(), total.shape))
    path = [column]
    for row in range(n_rows - 1, 0, -1):
        before = int(came_from[row, column, index])
        column, index = column - int(slopes[index]), before
        path.append(column)
    return np.array(path[::-1])


def centred(
    picture: NDArray[np.float32], rows: NDArray[np.intp], path: NDArray[np.float64], floor: float
) -> NDArray[np.float64]:
    """Move a path to the middle between the two edges of the wall that it lies on.

    Parameters
    ----------
    picture : ndarray, shape (n_rows, n_columns)
        Mean of frames around one moment, pixels of 1 mm.
    rows : ndarray of int, shape (n,)
        Consecutive rows.
    path : ndarray of float64, shape (n,)
        A column in each.
    floor : float
        See `contrast`.

    Returns
    -------
    ndarray of float64, shape (n,)
        Columns, at most 6 mm away; smooth over 6 mm.
    """
    per_mm, reach, flank = 2, 16, 8
    smooth = ndimage.gaussian_filter(picture, (2.5, 1.0))
    offsets = np.arange(-reach, reach + 0.01, 1.0 / per_mm)
    grid = np.broadcast_arrays(rows[:, None], path[:, None] + offsets)
    profile = ndimage.map_coordinates(smooth, np.stack(grid), order=1)
    sums = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(profile, axis=1)], axis=1)
    middle, shifts = reach * per_mm, np.arange(-12, 13)
    score = np.full((len(rows), shifts.size), -np.inf)
    for half in (6, 8, 10):  # walls of 6, 8 and 10 mm
        low, high = middle + shifts - half, middle + shifts + half + 1
        wall = (sums[:, high] - sums[:, low]) / (high - low)
        left = (sums[:, low] - sums[:, low - flank]) / flank
        right = (sums[:, high + flank] - sums[:, high]) / flank
        both = np.minimum(contrast(wall, left, floor), 0.5) + np.minimum(
            contrast(wall, right, floor), 0.7
        )
        score = np.maximum(score, both + 0.01 * half)
    chosen = best_path(score - 0.0006 * shifts**2, bend=0.15)
    moved = path + shifts[chosen] / per_mm
    return np.asarray(ndimage.gaussian_filter1d(moved, 6.0, mode="nearest"), dtype=np.float64)


def _band(
    picture: NDArray[np.float32], sector: NDArray[np.bool_], low: int, high: int
) -> NDArray[np.float64]:
    """Return means over columns `low` to `high` from every pixel; NaN where most is outside."""
    inside = sector.astype(np.float64)
    sums = []
    for values in (np.where(sector, picture, 0.0), inside):
        mean = ndimage.uniform_filter1d(values, high - low + 1, axis=1, mode="constant")
        mean = ndimage.gaussian_filter1d(mean, _ALONG_MM, axis=0)
        sums.append(ndimage.shift(mean, (0, -(low + high) / 2), order=1))
    return np.where(sums[1] > _MIN_COVER, sums[0] / np.maximum(sums[1], 1e-3), np.nan)
