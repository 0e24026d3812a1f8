"""From slices along the axes of the body to short-axis slices.

The long axis is given as two angles, or found (`shell`). A long axis that was found must
point, as every heart's does, somewhat to the left, the front and the feet; else it is refused.
The turned stack has cubic voxels.

References
----------
Germano G et al. Automatic reorientation of three-dimensional, transaxial myocardial perfusion
SPECT images. J Nucl Med 1995; 36: 1107-1114 (an ellipsoid fitted to the mid-wall).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_core.api import DataError
from cardio_spect_polar.readers.reorientation.shell import (
    BACK,
    HEAD,
    LEFT,
    USUAL_APEX,
    Body,
    find_shell,
    short_axes,
)

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
