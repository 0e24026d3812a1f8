"""The sampled wall of the left ventricle: one curve over the cycle for every sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_RAYS = 40
"""Rays of a ring, 9 degrees apart."""


@dataclass(frozen=True)
class WallGeometry:
    """Where the wall lies, on the time-averaged volume in canonical orientation.

    Rings run from the apex to the base, rays from anterior (0 degrees) towards the septum (90),
    inferior (180) and lateral (270). Points are (z, y, x) in mm from the centre of the first
    voxel of the canonical volume: z from base to apex, y from anterior to inferior, x from the
    septum to the lateral wall.

    Attributes
    ----------
    points_mm : ndarray, shape (n_rings, N_RAYS, 3)
        Mid-wall points.
    directions : ndarray, shape (n_rings, N_RAYS, 3)
        Unit vectors of the rays, from the cavity outwards.
    arc : ndarray, shape (n_rings,)
        Arc length of the ring's middle from the apex, as a share of that of the base, 0 to 1.
    area_mm2 : ndarray, shape (n_rings, N_RAYS)
        Wall area that a sample stands for.
    n_cap : int
        Rings of the apical hemisphere, the first ones.
    """

    points_mm: NDArray[np.float64]
    directions: NDArray[np.float64]
    arc: NDArray[np.float64]
    area_mm2: NDArray[np.float64]
    n_cap: int


@dataclass(frozen=True)
class SampledWall:
    """Curves of the wall over the cycle.

    Attributes
    ----------
    curves : ndarray, shape (n_slots, n_rings, N_RAYS)
        Counts of the sample in every time slot.
    geometry : WallGeometry
        Where they were taken.
    """

    curves: NDArray[np.float64]
    geometry: WallGeometry
