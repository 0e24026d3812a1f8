"""The wall of the left ventricle in one view: an ellipse, and the AHA segments along it.

Positions in the heart are (u, v) in mm. The middle of the wall is an ellipse about (0, length_mm)
with semi-axes half_width_mm and length_mm. In the long-axis views it is half an ellipse, from the
apex (v = 0) to the base (v = length_mm); in the short axis it is a whole one. Places along the
wall are eccentric angles: 0 at u > 0, π/2 at v = 0, π at u < 0, and negative ones beyond a whole
ellipse's widest line.

References
----------
Cerqueira et al., Circulation 2002;105:539-542 (the 17 segments).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

_BASE, _MID, _CAP = 0.347, 0.72, 1.195
"""Eccentric angles where the basal, the mid and the apical third end; beyond is the apex."""

_LONG_BORDERS = (0.0, _BASE, _MID, _CAP, np.pi - _CAP, np.pi - _MID, np.pi - _BASE, np.pi)
_RING_BORDERS = tuple(np.radians(np.arange(-180.0, 181.0, 60.0)))

SEGMENTS_ALONG = {
    "a4c": (6, 12, 16, 17, 14, 9, 3),
    "a2c": (1, 7, 13, 17, 15, 10, 4),
    "plax": (5, 11, 0, 0, 0, 8, 2),
    "other": (9, 10, 11, 12, 7, 8),
}
"""AHA segments of each view by growing eccentric angle; 0 is wall that belongs to no segment.

``other`` is a parasternal short axis through the papillary muscles.
"""

_N_GRID = 512
_SMOOTH_MM = 4.0  # SD of the Gaussian that smooths the borders along the wall


@dataclass(frozen=True)
class WallPlace:
    """Where points lie relative to the middle of the wall.

    Attributes
    ----------
    depth_mm : ndarray, shape (n,)
        Distance from the middle of the wall, negative towards the cavity.
    inward : ndarray, shape (n, 2)
        Unit normals (u, v) towards the cavity.
    eccentric : ndarray, shape (n,)
        Eccentric angle in radians.
    """

    depth_mm: NDArray[np.float64]
    inward: NDArray[np.float64]
    eccentric: NDArray[np.float64]


@dataclass(frozen=True)
class Wall:
    """The left ventricle's wall in one view.

    Attributes
    ----------
    view : {"a4c", "a2c", "plax", "other"}
        Which segments lie along it.
    half_width_mm, length_mm : float
        Semi-axes of the middle of the wall.
    wall_mm : float
        Thickness where it is not thinned.
    """

    view: str
    half_width_mm: float = 28.0
    length_mm: float = 82.0
    wall_mm: float = 9.5

    @property
    def is_ring(self) -> bool:
        """Whether the wall is closed."""
        return self.view == "other"

    @property
    def segments(self) -> tuple[int, ...]:
        """AHA segments along the wall, 0 for none."""
        return SEGMENTS_ALONG[self.view]

    @property
    def borders(self) -> NDArray[np.float64]:
        """Eccentric angles between which they lie, one more than segments."""
        return np.asarray(_RING_BORDERS if self.is_ring else _LONG_BORDERS)

    def place(self, heart_mm: NDArray[np.float64]) -> WallPlace:
        """Return where points (u, v) lie; below the base an open wall goes straight on.

        Examples
        --------
        >>> ring = Wall("other", 25.0, 25.0)
        >>> ring.place(np.array([[30.0, 25.0], [0.0, 5.0]])).depth_mm.round(6).tolist()
        [5.0, -5.0]
        """
        across = heart_mm[:, 0] / self.half_width_mm
        along = (self.length_mm - heart_mm[:, 1]) / self.length_mm
        if not self.is_ring:
            along = np.maximum(along, 0.0)
        rho = np.maximum(np.hypot(across, along), 1e-3)
        slope = np.stack([across / self.half_width_mm, -along / self.length_mm], axis=1)
        steepness = np.maximum(np.hypot(slope[:, 0], slope[:, 1]), 1e-6)
        # First-order distance to the ellipse, exact along its axes.
        depth_mm = (rho - 1.0) * rho / steepness
        return WallPlace(depth_mm, -slope / steepness[:, None], np.arctan2(along, across))

    def segment_at(self, eccentric: ArrayLike) -> NDArray[np.uint8]:
        """Return the AHA segment at eccentric angles, 0 for none.

        Examples
        --------
        >>> Wall("a4c").segment_at([0.1, np.pi / 2, 3.1]).tolist()
        [6, 17, 3]
        """
        between = np.searchsorted(self.borders, np.asarray(eccentric), side="right") - 1
        index = np.clip(between, 0, len(self.segments) - 1)
        return np.asarray(self.segments, np.uint8)[index]

    def profile(
        self, of_segment: Mapping[int, float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return a value along the wall that passes smoothly from segment to segment.

        Parameters
        ----------
        of_segment : mapping of int to float
            The value of every AHA segment; wall without a segment takes the nearest one's.

        Returns
        -------
        eccentric, value : ndarray, shape (512,)
            For `numpy.interp`.

        Examples
        --------
        >>> angle, value = Wall("a4c").profile({s: float(s == 17) for s in range(1, 18)})
        >>> np.interp([0.1, np.pi / 2], angle, value).round(2).tolist()
        [0.0, 1.0]
        """
        fine = np.linspace(self.borders[0], self.borders[-1], 4 * _N_GRID)
        speed = np.hypot(self.half_width_mm * np.sin(fine), self.length_mm * np.cos(fine))
        arc = np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2 * np.diff(fine))])
        eccentric = np.interp(np.linspace(0.0, arc[-1], _N_GRID), arc, fine)
        names = _nearest_named(self.segment_at(eccentric))
        steps = np.array([of_segment[int(name)] for name in names])
        value = ndimage.gaussian_filter1d(
            steps, _SMOOTH_MM * _N_GRID / arc[-1], mode="wrap" if self.is_ring else "nearest"
        )
        return eccentric, np.asarray(value, dtype=np.float64)


def _nearest_named(names: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Replace 0 by the nearest value that is not."""
    nearest = ndimage.distance_transform_edt(
        names == 0, return_distances=False, return_indices=True
    )
    return np.asarray(names[nearest[0]])


def fade(beyond_mm: NDArray[np.float64], over_mm: float) -> NDArray[np.float64]:
    """Return 1 at 0 and below, 0 from `over_mm`, a squared cosine between.

    Examples
    --------
    >>> fade(np.array([-1.0, 5.0, 10.0]), 10.0).round(6).tolist()
    [1.0, 0.5, 0.0]
    """
    share = np.clip(beyond_mm / over_mm, 0.0, 1.0)
    return np.asarray(np.cos(0.5 * np.pi * share) ** 2, dtype=np.float64)
