"""How the heart lies in the sector in each view: its pose and its default sizes.

In the apical views the apex is at the top and the base below it. In the parasternal long axis the
base is at the right, the septum above and the posterior wall below. In the short axis the septum
is at the left and the anterior wall above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_echo_cmr.segments.wall import Wall

DEPTH_MM = {"a4c": 145.0, "a2c": 145.0, "plax": 140.0, "other": 125.0}
VIEWS = tuple(DEPTH_MM)
"""Apical four- and two-chamber, parasternal long axis, and a parasternal short axis."""

HALF_ANGLE_DEG = 38.0
"""Field of view in the middle of what is drawn for patients."""

_ANCHOR_MM = {"a4c": (5.0, 18.0), "a2c": (1.0, 18.0), "plax": (12.0, 77.0), "other": (8.0, 64.0)}
_AXES = {
    "a4c": ((1.0, 0.0), (0.0, 1.0)),
    "a2c": ((1.0, 0.0), (0.0, 1.0)),
    "plax": ((0.0, 1.0), (1.0, 0.0)),
    "other": ((1.0, 0.0), (0.0, 1.0)),
}
_TILT_DEG = {"a4c": 1.0, "a2c": 0.0, "plax": 0.0, "other": 0.0}

_RING_SHARE = 0.95
"""Radius of the short axis as a share of half the width of the long one."""


@dataclass(frozen=True)
class Geometry:
    """A wall, and where a view shows it.

    Attributes
    ----------
    wall : Wall
        The left ventricle.
    anchor_mm : tuple of float
        (x, z) of the apex in the apical views, of the middle of the base in the parasternal long
        axis, and of the centre in the short axis.
    tilt_deg : float
        How far the heart is turned about it; positive turns the right side downwards.
    """

    wall: Wall
    anchor_mm: tuple[float, float]
    tilt_deg: float = 0.0

    @property
    def view(self) -> str:
        """Which view it is."""
        return self.wall.view

    def to_body(self, heart_mm: ArrayLike) -> NDArray[np.float64]:
        """Turn (u, v) into (x, z) in the sector, both along the last axis.

        Examples
        --------
        >>> default_geometry("plax").to_body([28.0, 82.0]).tolist()  # base of the posterior wall
        [12.0, 105.0]
        """
        away = np.asarray(heart_mm, dtype=np.float64) - self._anchor_heart()
        return np.asarray(self.turn(away) + np.asarray(self.anchor_mm))

    def to_heart(self, body_mm: ArrayLike) -> NDArray[np.float64]:
        """Turn (x, z) into (u, v), both along the last axis."""
        away = np.asarray(body_mm, dtype=np.float64) - np.asarray(self.anchor_mm)
        return np.asarray(away @ self._axes().T + self._anchor_heart())

    def turn(self, vector: NDArray[np.floating]) -> NDArray[np.float64]:
        """Turn vectors (du, dv) into (dx, dz)."""
        return np.asarray(vector @ self._axes(), dtype=np.float64)

    def _anchor_heart(self) -> NDArray[np.float64]:
        apical = self.view in ("a4c", "a2c")
        return np.array([0.0, 0.0 if apical else self.wall.length_mm])

    def _axes(self) -> NDArray[np.float64]:
        """Return (x, z) of the unit vectors of u and of v, a row each."""
        angle = np.radians(self.tilt_deg)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        return np.asarray(np.array(_AXES[self.view]) @ turn)


def default_geometry(view: str, *, size: float = 1.0) -> Geometry:
    """Return the heart in the middle of what is drawn for patients.

    Parameters
    ----------
    view : {"a4c", "a2c", "plax", "other"}
        The view.
    size : float
        Its size relative to a half width of 28 mm and a length of 82 mm.

    Examples
    --------
    >>> default_geometry("other").wall.is_ring
    True
    """
    half, length = 28.0 * size, 82.0 * size
    if view == "other":
        half = length = _RING_SHARE * half
    return Geometry(Wall(view, half, length), _ANCHOR_MM[view], _TILT_DEG[view])
