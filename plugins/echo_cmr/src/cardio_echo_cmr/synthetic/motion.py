"""Where tissue goes in systole: thickening, inward and longitudinal motion, segment by segment.

A segment's amplitude is 1 in a usual heart. With amplitude 1 the wall shortens by 15 % along the
long axis, the endocardium goes inwards by 24 % of half the ventricle's width and the epicardium by
8 %: the wall thickens by 45 %, as it must to keep its volume with a circumference that shortens by
a sixth. Motion fades out smoothly in blood and around the heart, so that the map of
places is one to one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cardio_echo_cmr.segments.wall import Wall, WallPlace, fade
from cardio_echo_cmr.synthetic.chambers import chambers

ENDOCARDIUM, EPICARDIUM = 0.24, 0.08
"""Inward motion at amplitude 1, as a share of half the ventricle's width."""

SHORTENING = 0.15
"""Of the long axis, at amplitude 1."""

_FADE_OUT_MM, _FADE_BELOW_MM, _ATRIUM_MM = 12.0, 25.0, 45.0
_USUAL = dict.fromkeys(range(1, 18), 1.0)


@dataclass(frozen=True)
class Ventricle:
    """A left ventricle in one view, at end diastole, and what its segments do.

    Attributes
    ----------
    wall : Wall
        Its shape.
    amplitude : mapping of int to float
        Of the motion of AHA segments 1 to 17; 1 is usual.
    thickness : mapping of int to float
        Of segments, as a share of ``wall.wall_mm``; thinning leaves the epicardium where it is.
    texture_seed : int
        Which patches of tissue are brighter.
    """

    wall: Wall
    amplitude: Mapping[int, float] = field(default_factory=lambda: dict(_USUAL))
    thickness: Mapping[int, float] = field(default_factory=lambda: dict(_USUAL))
    texture_seed: int = 0

    @cached_property
    def _amplitude_along(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.wall.profile(self.amplitude)

    @cached_property
    def _thickness_along(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.wall.profile(self.thickness)

    def across(self, place: WallPlace) -> NDArray[np.float64]:
        """Return 0 at the epicardium, 1 at the endocardium, and beyond them outside the wall.

        Examples
        --------
        >>> heart = Ventricle(Wall("a4c"))
        >>> heart.across(heart.wall.place(np.array([[23.25, 82.0]]))).round(2).tolist()
        [1.0]
        """
        share = np.interp(place.eccentric, *self._thickness_along)
        return (self.wall.wall_mm / 2 - place.depth_mm) / (share * self.wall.wall_mm)

    def systole(self, heart_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far points (u, v) go from end diastole to end systole, in mm.

        Parameters
        ----------
        heart_mm : ndarray, shape (n, 2)
            Places at end diastole.

        Returns
        -------
        ndarray, shape (n, 2)
            (du, dv).
        """
        place = self.wall.place(heart_mm)
        moved = self._inward_mm(heart_mm, place)[:, None] * place.inward
        if not self.wall.is_ring:
            moved[:, 1] -= self._upward_mm(heart_mm)
        return moved + self._squeeze_mm(heart_mm, place)

    def _inward_mm(self, heart_mm: NDArray[np.float64], place: WallPlace) -> NDArray[np.float64]:
        """Return the motion along the normal: thickening added to the epicardium's motion."""
        wall = self.wall
        amplitude = np.interp(place.eccentric, *self._amplitude_along)
        share = np.interp(place.eccentric, *self._thickness_along)
        across = (wall.wall_mm / 2 - place.depth_mm) / (share * wall.wall_mm)
        thickening = (ENDOCARDIUM - EPICARDIUM) * share * np.clip(across, 0.0, 1.0)
        inward = amplitude * wall.half_width_mm * (EPICARDIUM + thickening)
        cavity_mm = (across - 1.0) * share * wall.wall_mm
        inward *= fade(cavity_mm, 0.75 * wall.half_width_mm)
        inward *= fade(place.depth_mm - wall.wall_mm / 2, _FADE_OUT_MM)
        if wall.is_ring:
            return inward
        inward *= fade(heart_mm[:, 1] - wall.length_mm, _FADE_BELOW_MM)
        return np.asarray(inward * (0.5 + 0.5 * np.abs(np.cos(place.eccentric))))

    def _upward_mm(self, heart_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the motion towards the apex: shortening summed up from there along either side."""
        wall = self.wall
        v = np.linspace(0.0, wall.length_mm, 200)
        eccentric = np.arcsin(1.0 - v / wall.length_mm)
        right, left = (
            np.cumsum(np.interp(angle, *self._amplitude_along)) * SHORTENING * (v[1] - v[0])
            for angle in (eccentric, np.pi - eccentric)
        )
        to_right = np.clip((heart_mm[:, 0] / wall.half_width_mm + 1.0) / 2.0, 0.0, 1.0)
        at = heart_mm[:, 1]
        upward = to_right * np.interp(at, v, right) + (1.0 - to_right) * np.interp(at, v, left)
        beside_mm = np.abs(heart_mm[:, 0]) - 2.2 * wall.half_width_mm
        upward *= fade(at - wall.length_mm, _ATRIUM_MM) * fade(beside_mm, 25.0)
        return np.asarray(np.where(at > 0, upward, 0.0))

    def _squeeze_mm(self, heart_mm: NDArray[np.float64], place: WallPlace) -> NDArray[np.float64]:
        """Return the motion of the other chambers' walls, none at the left ventricle's."""
        wall = self.wall
        free = np.clip((place.depth_mm - wall.wall_mm / 2 - 1.0) / 8.0, 0.0, 1.0)
        if not wall.is_ring:
            over_mm = heart_mm[:, 1] - wall.length_mm
            free = np.where(over_mm > 0, np.clip(over_mm / 10.0, 0.0, 1.0), free)
        moved = np.zeros(heart_mm.shape)
        for chamber in chambers(wall):
            away, inward = chamber.depth(heart_mm)
            near = chamber.squeeze_mm * free * fade(np.abs(away) - 3.0, 10.0)
            if chamber.beyond_base is not None:
                near = near * ((heart_mm[:, 1] > wall.length_mm) == chamber.beyond_base)
            moved += near[:, None] * inward
        return moved
