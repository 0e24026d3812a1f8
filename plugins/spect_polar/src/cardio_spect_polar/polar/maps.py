"""Polar maps: angles, the 17 segments of the AHA, rasters, and pictures for a network."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_core.api import DataError


def wrapped_deg(angle_deg: ArrayLike) -> NDArray[np.float64]:
    """Return angles in [0, 360); 360 itself, which rounding can leave, becomes 0."""
    inside = np.mod(np.asarray(angle_deg, np.float64), 360.0)
    return np.where(inside == 360.0, 0.0, inside)


def signed_deg(difference_deg: ArrayLike) -> NDArray[np.float64]:
    """Return a difference of angles in [-180, 180)."""
    return wrapped_deg(np.asarray(difference_deg, np.float64) + 180.0) - 180.0


N_SEGMENTS = 17

CAP = 0.1
"""Share of the arc from the apex that is segment 17."""

SEPTAL = (2, 3, 8, 9, 14)
LATERAL = (5, 6, 11, 12, 16)


def segments_of(arc: ArrayLike, angle_deg: ArrayLike) -> NDArray[np.int64]:
    """Return the segment, 1 to 17, in which a point of the wall lies.

    Parameters
    ----------
    arc : array-like
        Arc length from the apex as a share of the base's, 0 to 1.
    angle_deg : array-like
        0 is anterior, 90 septal, 180 inferior, 270 lateral. Broadcast against `arc`.

    Returns
    -------
    ndarray of int
        Of the broadcast shape.

    Notes
    -----
    Cerqueira et al., Circulation 2002;105:539. The cap is the last tenth of the arc; the rest is
    cut in thirds. Six basal and six mid segments of 60 degrees and four apical ones of 90, the
    anterior one centred at 0. A point on a border belongs to the segment beyond it.

    Examples
    --------
    >>> segments_of([0.05, 0.2, 0.5, 0.9], 90.0).tolist()
    [17, 14, 9, 3]
    """
    share, angle = np.broadcast_arrays(
        np.asarray(arc, np.float64), wrapped_deg(np.asarray(angle_deg, np.float64))
    )
    # Rounding keeps a border that is computed (0.1 + 2 * 0.3) where it is written (0.7).
    third = np.floor(np.round((share - CAP) / (1 - CAP) * 3, 9)).astype(np.int64)
    sixth = (np.floor(np.round((angle + 30) / 60, 9)).astype(np.int64)) % 6
    quarter = (np.floor(np.round((angle + 45) / 90, 9)).astype(np.int64)) % 4
    return np.select([third < 0, third == 0, third == 1], [np.full_like(third, 17), 13 + quarter,
                     7 + sixth], 1 + sixth)  # fmt: skip


def segment_means(
    values: ArrayLike,
    segments: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    circular: bool = False,
) -> NDArray[np.float64]:
    """Return the mean of each segment.

    Parameters
    ----------
    values : array-like, shape (...)
        NaN is left out. Degrees where `circular`.
    segments : array-like of int, shape (...)
        1 to 17, as `segments_of` gives them.
    weights : array-like, shape (...), optional
        Not negative: wall area, for example.
    circular : bool
        Average directions, not numbers: the mean of 350 and 10 degrees is 0.

    Returns
    -------
    ndarray, shape (17,)
        NaN where a segment holds no value; [0, 360) where circular.

    Examples
    --------
    >>> segment_means([350.0, 10.0, 5.0], [1, 1, 17], circular=True)[[0, 16]].round(6)
    array([0., 5.])
    """
    number = np.ravel(np.asarray(segments))
    flat = np.ravel(np.broadcast_to(np.asarray(values, np.float64), np.shape(segments)))
    weight = (
        np.ones(flat.shape)
        if weights is None
        else np.ravel(np.broadcast_to(np.asarray(weights, np.float64), np.shape(segments)))
    )
    known = np.isfinite(flat)
    index, weight, flat = number[known] - 1, weight[known], flat[known]

    def total(of: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(index, weight * of, minlength=N_SEGMENTS).astype(np.float64)

    size = total(np.ones(flat.shape))
    with np.errstate(invalid="ignore", divide="ignore"):
        if not circular:
            return np.where(size > 0, total(flat) / size, np.nan)
        radians = np.radians(flat)
        x, y = total(np.cos(radians)), total(np.sin(radians))
    # Rounding keeps -1e-17 degrees from becoming 360 minus a hair.
    return np.where(size > 0, wrapped_deg(np.round(np.degrees(np.arctan2(y, x)), 9)), np.nan)


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
