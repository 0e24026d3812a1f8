"""Draw a polar map as a square picture: apex in the middle, anterior wall up, septum left."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cardio_spect_polar.polar.raster import raster_coordinates
from cardio_spect_polar.polar.segments import segments_of

LARGEST = {"rest": 2.0, "stress": 5.0, "reserve": 5.0}
"""What full brightness stands for: ml/min/g, and 1 for the reserve."""


def disc(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return a map as a disc in a square picture.

    Parameters
    ----------
    values : ndarray, shape (n_rings, n_angles) or (17,)
        As of `polar.flow_maps.FlowMaps`. A grid is interpolated bilinearly, segments are areas.
    size : int
        Rows and columns.

    Returns
    -------
    ndarray, shape (size, size)
        Row 0 is anterior, column 0 septal; NaN outside the disc and where a map is NaN.

    Examples
    --------
    >>> grid = np.tile(np.arange(4.0)[:, None], (1, 8))  # apex 0, base 3
    >>> made = disc(grid, 32)
    >>> float(made[16, 16].round(1)), float(made[1, 16].round(1)), bool(np.isnan(made[0, 0]))
    (0.0, 3.0, True)
    """
    if values.ndim == 1:
        arc, angle_deg, inside = _places(size)
        return np.where(inside, values[segments_of(arc, angle_deg) - 1], np.nan)
    corners, weights, inside = _bilinear(size, *values.shape)
    drawn = (values.ravel()[corners] * weights).sum(axis=0)
    return np.where(inside, drawn, np.nan)


def to_bytes(picture: NDArray[np.float64], largest: float | None) -> NDArray[np.uint8]:
    """Scale a picture to 0 to 255; what is unknown or outside is 0.

    Parameters
    ----------
    picture : ndarray
    largest : float or None
        What 255 stands for; None takes the picture's largest value.

    Examples
    --------
    >>> to_bytes(np.array([[0.0, 1.0, 3.0, np.nan]]), 2.0).tolist()
    [[0, 128, 255, 0]]
    """
    known = np.nan_to_num(picture, nan=0.0)
    top = largest if largest is not None else float(known.max())
    if top <= 0:
        return np.zeros(picture.shape, np.uint8)
    return np.asarray(np.rint(np.clip(known / top, 0, 1) * 255).astype(np.uint8))


@lru_cache(maxsize=4)
def _places(size: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return arc, angle (degrees) and whether a pixel lies on the disc, each (size, size)."""
    arc, angle_deg = raster_coordinates(size)
    return np.minimum(arc, 1.0), angle_deg, arc <= 1.0


@lru_cache(maxsize=8)
def _bilinear(
    size: int, n_rings: int, n_angles: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return positions in the flat grid and weights of four neighbours, each (4, size, size)."""
    arc, angle_deg, inside = _places(size)
    ring = np.clip(arc * n_rings - 0.5, 0, n_rings - 1)
    column = angle_deg / 360.0 * n_angles
    low_ring = np.minimum(ring.astype(np.int64), max(n_rings - 2, 0))
    low_column = np.floor(column).astype(np.int64)
    up, across = ring - low_ring, column - low_column
    corners, weights = [], []
    for step_ring, weight_ring in ((0, 1 - up), (1, up)):
        for step_column, weight_column in ((0, 1 - across), (1, across)):
            row = np.minimum(low_ring + step_ring, n_rings - 1)
            corners.append(row * n_angles + (low_column + step_column) % n_angles)
            weights.append(weight_ring * weight_column)
    return np.stack(corners), np.stack(weights), inside


def segment_picture(size: int) -> NDArray[np.int64]:
    """Return the segment, 1 to 17, of each pixel of the disc, shape (size, size); 0 outside.

    Examples
    --------
    >>> made = segment_picture(64)
    >>> int(made[2, 32]), int(made[32, 32]), int(made[32, 2]), int(made[0, 0])
    (1, 17, 3, 0)
    """
    arc, angle_deg, inside = _places(size)
    return np.where(inside, segments_of(arc, angle_deg), 0)
