"""Slices along the axes of the body, turned to the short axis of the left ventricle."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize

from cardio_core.api import DataError

LEFT, BACK, HEAD = np.eye(3)
"""The axes of the patient, as DICOM has them."""

USUAL_APEX = np.array([1.0, -1.0, -0.7]) / np.linalg.norm([1.0, -1.0, -0.7])
"""Where apices point: between the patient's left and front, and down by 26 degrees. The fit starts
here."""

_SMOOTH_MM = 4.0
_THRESHOLDS = (0.5, 0.35, 0.25, 0.18)
_PART_ML = (15.0, 800.0)
_MAX_PARTS = 3
_MAX_POINTS = 800
_START_MM = (85.0, 32.0)
_LOW_MM, _HIGH_MM = (45.0, 18.0), (140.0, 55.0)
_NEAR_MM = 14.0
_SHARE_OF_WALL = 0.4
_N_REFINED = 3
_STARTS_UP_MM = (0.0, 25.0, 50.0)
_CLEAR_CONTRAST = 0.5
LEAST_CONTRAST = 0.35
"""Least difference of wall and cavity, as a share of the wall, that makes a ventricle."""


@dataclass(frozen=True)
class Body:
    """A gated stack along the axes of the body.

    Attributes
    ----------
    counts : ndarray, shape (n_slots, n_i, n_j, n_k)
        Counts.
    voxel_mm : tuple of float
        Distances along the last three axes.
    directions : ndarray, shape (3, 3)
        Where the last three axes point, one a row: unit vectors to the patient's left, back and
        head.
    """

    counts: NDArray[np.float32]
    voxel_mm: tuple[float, float, float]
    directions: NDArray[np.float64]


@dataclass(frozen=True)
class Shell:
    """A prolate half ellipsoid.

    Attributes
    ----------
    base, apex : ndarray, shape (3,)
        Middle of the base in mm, and the unit vector from there to the apex: to the patient's
        left, back and head from the first voxel's centre.
    length_mm, radius_mm : float
        Semi-axes of the mid-wall.
    """

    base: NDArray[np.float64]
    apex: NDArray[np.float64]
    length_mm: float
    radius_mm: float

    @property
    def middle(self) -> NDArray[np.float64]:
        """The middle of the long axis in mm."""
        return self.base + 0.5 * self.length_mm * self.apex

    def off_mm(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far points lie from the shell, about; behind the base, from its rim."""
        offset = points - self.base
        along = offset @ self.apex
        out = np.linalg.norm(offset - along[:, None] * self.apex, axis=1)
        share = np.hypot(along / self.length_mm, out / self.radius_mm)
        size = np.hypot(along, out) / np.maximum(share, 1e-6)
        return np.asarray(np.hypot((share - 1.0) * size, np.minimum(along, 0.0)))


def short_axes(apex: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the directions of slices (to the apex), rows (down) and columns (to the side).

    Rows run from anterior to inferior: towards the feet, as far as the long axis allows. Columns
    run from the septum to the lateral wall: towards the left and the back.
    """
    rows = -HEAD + (HEAD @ apex) * apex
    rows /= np.linalg.norm(rows)
    columns = np.cross(rows, apex)
    if columns @ (LEFT + BACK) < 0:
        columns = -columns
    return np.stack([apex, rows, columns])


def find_shell(body: Body, start: NDArray[np.float64], *, free: bool) -> Shell | None:
    """Find the left ventricle, or return None where nothing looks like one.

    Parameters
    ----------
    body : Body
        The stack.
    start : ndarray, shape (3,)
        Where the apex is thought to point.
    free : bool
        Whether the direction is fitted, or kept as it is.
    """
    summed = ndimage.gaussian_filter(
        body.counts.sum(axis=0, dtype=np.float64), [_SMOOTH_MM / mm for mm in body.voxel_mm]
    )
    best, most = None, LEAST_CONTRAST
    parts = list(_bright_parts(summed, float(np.prod(body.voxel_mm)) / 1000.0))
    for up_mm, chosen in itertools.product(_STARTS_UP_MM, parts):
        shell = _guess(body, chosen, start, up_mm)
        if up_mm == 0.0:
            shell = _fitted(body, summed, chosen, shell, free=free)
        for _ in range(_N_REFINED):
            shell = _fitted(body, summed, _near(body, summed, shell), shell, free=free)
        contrast = _contrast(body, summed, shell)
        if contrast > most:
            best, most = shell, contrast
        if most > _CLEAR_CONTRAST:
            break
    return best


def _bright_parts(summed: NDArray[np.float64], voxel_ml: float) -> Iterator[NDArray[np.bool_]]:
    """Yield connected bright parts of about a ventricle's size."""
    for threshold in _THRESHOLDS:
        labels, n_found = ndimage.label(summed > threshold * summed.max())
        sizes_ml = np.bincount(labels.ravel(), minlength=n_found + 1)[1:] * voxel_ml
        for index in np.argsort(-sizes_ml)[:_MAX_PARTS]:
            if _PART_ML[0] <= sizes_ml[index] <= _PART_ML[1]:
                yield labels == index + 1


def _positions(body: Body, index: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.asarray((index * body.voxel_mm) @ body.directions)


def _guess(
    body: Body, chosen: NDArray[np.bool_], start: NDArray[np.float64], up_mm: float
) -> Shell:
    """Put a ventricle of usual size around the middle of a bright part, or above it."""
    length_mm, radius_mm = _START_MM
    middle = _positions(body, np.argwhere(chosen)).mean(axis=0) + up_mm * HEAD
    return Shell(middle - 0.4 * length_mm * start, start, length_mm, radius_mm)


def _near(body: Body, summed: NDArray[np.float64], shell: Shell) -> NDArray[np.bool_]:
    """Choose the voxels near a shell that are not dark against its wall."""
    index = np.argwhere(np.ones_like(summed, dtype=bool))
    off_mm = shell.off_mm(_positions(body, index)).reshape(summed.shape)
    wall = np.median(_sampled(body, summed, shell, 1.0))
    return (off_mm < _NEAR_MM) & (summed > _SHARE_OF_WALL * wall)


def _fitted(
    body: Body, summed: NDArray[np.float64], chosen: NDArray[np.bool_], guess: Shell, *, free: bool
) -> Shell:
    """Fit the shell to voxels, weighted by their counts; too few leave the guess as it is."""
    index = np.argwhere(chosen)
    if len(index) < 20:
        return guess
    index = index[:: 1 + len(index) // _MAX_POINTS]
    points = _positions(body, index)
    weights = np.sqrt(summed[tuple(index.T)] / summed[chosen].max())
    across = short_axes(guess.apex)[1:]

    def shell_of(values: NDArray[np.float64]) -> Shell:
        apex = guess.apex + values[5:] @ across if free else guess.apex
        return Shell(values[:3], apex / np.linalg.norm(apex), values[3], values[4])

    limits = np.array([_LOW_MM, _HIGH_MM])
    size = np.clip([guess.length_mm, guess.radius_mm], limits[0] + 1e-6, limits[1] - 1e-6)
    n_turns = 2 if free else 0
    fitted = optimize.least_squares(
        lambda values: shell_of(values).off_mm(points) * weights,
        np.concatenate([guess.base, size, np.zeros(n_turns)]),
        bounds=(
            np.concatenate([guess.base - 120.0, limits[0], np.full(n_turns, -3.0)]),
            np.concatenate([guess.base + 120.0, limits[1], np.full(n_turns, 3.0)]),
        ),
        loss="soft_l1",
        f_scale=4.0,
        max_nfev=30,
    )
    return shell_of(fitted.x)


def _sampled(
    body: Body, summed: NDArray[np.float64], shell: Shell, scale: float
) -> NDArray[np.float64]:
    """Return counts on the shell, shrunk to `scale` towards the middle of its base."""
    latitude = np.deg2rad(np.linspace(10.0, 85.0, 8))[:, None]  # from the base to the apex
    angle = np.deg2rad(np.arange(0.0, 360.0, 15.0))[None, :]
    along = scale * shell.length_mm * np.sin(latitude) * np.ones_like(angle)
    out = scale * shell.radius_mm * np.cos(latitude)
    _, rows, columns = short_axes(shell.apex)
    places = (
        shell.base
        + along[..., None] * shell.apex
        + (out * np.cos(angle))[..., None] * rows
        + (out * np.sin(angle))[..., None] * columns
    )
    index = (places @ body.directions.T) / body.voxel_mm
    return np.asarray(ndimage.map_coordinates(summed, index.T, order=1).ravel())


def _contrast(body: Body, summed: NDArray[np.float64], shell: Shell) -> float:
    """Return how much darker the cavity is than the wall, as a share of the wall."""
    wall = _sampled(body, summed, shell, 1.0)
    cavity = _sampled(body, summed, shell, 0.35)
    typical = float(np.median(wall))
    return (typical - float(np.median(cavity))) / typical if typical > 0 else -1.0


WIDEST_DEG = 60.0
"""Farthest from the usual direction that a long axis may be found."""

_SIDE_MM, _LENGTH_MM = 160.0, 190.0


@dataclass(frozen=True)
class ShortAxis:
    """The stack, turned.

    Attributes
    ----------
    counts : ndarray of float32, shape (n_slots, n_slices, n_rows, n_columns)
        Slices from base to apex, rows from anterior to inferior, columns from the septum to the
        lateral wall.
    voxel_mm : tuple of float
        Three times the smallest distance of the original.
    apex : ndarray, shape (3,)
        Where the apex points: to the left, back and head.
    flags : tuple of str
        The angles that were used.
    """

    counts: NDArray[np.float32]
    voxel_mm: tuple[float, float, float]
    apex: NDArray[np.float64]
    flags: tuple[str, ...]


def apex_direction(azimuth_deg: float, elevation_deg: float) -> NDArray[np.float64]:
    """Return the unit vector from base to apex.

    Parameters
    ----------
    azimuth_deg : float
        From straight ahead towards the patient's left, seen from the head.
    elevation_deg : float
        Upwards from the horizontal; hearts point down, so it is usually negative.

    Examples
    --------
    >>> apex_direction(45.0, -30.0).round(3)
    array([ 0.612, -0.612, -0.5  ])
    """
    azimuth, elevation = np.deg2rad([azimuth_deg, elevation_deg])
    return np.array(
        [
            np.sin(azimuth) * np.cos(elevation),
            -np.cos(azimuth) * np.cos(elevation),
            np.sin(elevation),
        ]
    )


def turn(body: Body, name: str, long_axis: tuple[float, float] | Literal["find"]) -> ShortAxis:
    """Turn a stack by what is said of its long axis: two angles, or that it be found."""
    return reorient(body, name, None if long_axis == "find" else apex_direction(*long_axis))


def reorient(body: Body, name: str, apex: NDArray[np.float64] | None = None) -> ShortAxis:
    """Turn a stack along the axes of the body into short-axis slices.

    Parameters
    ----------
    body : Body
        The stack.
    name : str
        The file's name, for messages.
    apex : ndarray, shape (3,), optional
        Where the apex points; None has the long axis found.

    Raises
    ------
    DataError
        No shell of a ventricle's size is found, or its long axis points elsewhere.
    """
    shell = find_shell(body, USUAL_APEX if apex is None else apex, free=apex is None)
    if shell is None:
        raise _not_found(name, "none")
    away_deg = np.rad2deg(np.arccos(np.clip(shell.apex @ USUAL_APEX, -1.0, 1.0)))
    if apex is None and away_deg > WIDEST_DEG:
        raise _not_found(name, f"an axis {away_deg:.0f} degrees away from the usual one")
    azimuth_deg = np.rad2deg(np.arctan2(shell.apex @ LEFT, -shell.apex @ BACK))
    elevation_deg = np.rad2deg(np.arcsin(np.clip(shell.apex @ HEAD, -1.0, 1.0)))
    how = "found by an ellipsoid" if apex is None else "as given"
    flag = (
        f"turned to short-axis slices: long axis {azimuth_deg:.0f} degrees to the left, "
        f"{-elevation_deg:.0f} down, {how}"
    )
    counts, voxel_mm = _resample(body, shell.middle, shell.apex)
    return ShortAxis(counts, (voxel_mm,) * 3, shell.apex, (flag,))


def _resample(
    body: Body, centre: NDArray[np.float64], apex: NDArray[np.float64]
) -> tuple[NDArray[np.float32], float]:
    """Sample a box around the ventricle, trilinear, zero outside the original."""
    step = min(body.voxel_mm)
    n_slices, n_side = round(_LENGTH_MM / step), round(_SIDE_MM / step)
    shape = (n_slices, n_side, n_side)
    axes = short_axes(apex)
    # index of the original = matrix @ index of the turned stack + offset
    to_index = body.directions / np.asarray(body.voxel_mm)[:, None]
    matrix = to_index @ axes.T * step
    offset = to_index @ centre - matrix @ ((np.array(shape) - 1) / 2)
    turned = np.stack(
        [
            ndimage.affine_transform(
                slot, matrix, offset, output_shape=shape, order=1, output=np.float32
            )
            for slot in body.counts
        ]
    )
    return turned, float(step)


def _not_found(name: str, found: str) -> DataError:
    return DataError.unusable(
        name,
        "the bright shell of one left ventricle in slices along the axes of the body",
        found,
        "give its angles with --long-axis AZIMUTH,ELEVATION, or reorient on the workstation",
    )
