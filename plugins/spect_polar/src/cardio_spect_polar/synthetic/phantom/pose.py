"""Where the ventricle lies in the image: from its own frame to the stack's and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from cardio_spect_polar.synthetic.phantom.ventricle import Ventricle

Floats = NDArray[np.float64]

_OUTSIDE_MM = 30.0
"""Room beyond base and apex in a stack that is as long as the heart asks."""


@dataclass(frozen=True)
class Pose:
    """The ventricle's frame in the canonical stack.

    Attributes
    ----------
    base_mm : ndarray, shape (3,)
        Centre of the base plane, (z, y, x) from the centre of the first voxel.
    axis, anterior, septal : ndarray, shape (3,)
        Unit vectors from base to apex, and across.
    """

    base_mm: Floats
    axis: Floats
    anterior: Floats
    septal: Floats

    def place(self, radius_mm: Floats, depth_mm: Floats, angle_deg: Floats) -> Floats:
        """Return the points at a distance from the axis, from the base and at an angle.

        The arguments broadcast; the result has one more axis of (z, y, x) in mm.
        """
        angle = np.radians(angle_deg)
        return np.asarray(
            self.base_mm
            + depth_mm[..., None] * self.axis
            + (radius_mm * np.cos(angle))[..., None] * self.anterior
            + (radius_mm * np.sin(angle))[..., None] * self.septal
        )

    def locate(self, points_mm: Floats) -> tuple[Floats, Floats, Floats]:
        """Return distance from the axis, from the base plane, and the angle in degrees."""
        away = points_mm - self.base_mm
        depth, front, left = away @ self.axis, away @ self.anterior, away @ self.septal
        return np.hypot(front, left), depth, np.degrees(np.arctan2(left, front)) % 360.0


def pose(
    ventricle: Ventricle, shape: tuple[int, int, int], voxel_mm: tuple[float, float, float]
) -> Pose:
    """Put the middle of the long axis in the middle of the stack, and tilt it about there.

    Parameters
    ----------
    ventricle : Ventricle
        Its `tilt_deg`, `tilt_towards_deg` and `offset_mm`.
    shape : tuple of int
        Slices, rows and columns.
    voxel_mm : tuple of float
        Their distances.
    """
    towards = np.radians(ventricle.tilt_towards_deg)
    lean = np.array([0.0, -np.cos(towards), -np.sin(towards)])
    stack = np.array([1.0, 0.0, 0.0])
    turn = Rotation.from_rotvec(np.cross(stack, lean) * np.radians(ventricle.tilt_deg))
    axis, anterior, septal = turn.apply([stack, [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]])
    middle = (np.array(shape) - 1) / 2 * np.array(voxel_mm) + np.array([0.0, *ventricle.offset_mm])
    half = (ventricle.length_mm + ventricle.thickness_mm) / 2
    return Pose(middle - half * axis, axis, anterior, septal)


def n_slices_for(ventricle: Ventricle, slice_mm: float) -> int:
    """Return how many slices show the ventricle with 30 mm to spare at either end."""
    reach = ventricle.length_mm + ventricle.thickness_mm + 2 * _OUTSIDE_MM
    return int(np.ceil(reach / slice_mm))
