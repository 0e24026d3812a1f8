"""The heart in a view: chambers around the left ventricle, how tissue moves, how bright it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cardio_echo_cmr.segments import Wall
from cardio_ultrasound import WallPlace, fade, from_ellipse, leaflet, mitral_leaflets


@dataclass(frozen=True)
class Chamber:
    """A chamber or vessel: an ellipse of blood with a wall.

    Attributes
    ----------
    centre_mm, radii_mm : tuple of float
        (u, v) of its middle, and its semi-axes.
    wall_db, wall_mm : float
        Level, 0 dB being myocardium, and thickness of its wall.
    squeeze_mm : float
        How far its wall goes inwards in systole; atria grow.
    beyond_base : bool or None
        Whether it lies beyond the base, before it, or (None) on both sides.
    """

    centre_mm: tuple[float, float]
    radii_mm: tuple[float, float]
    wall_db: float = -5.0
    wall_mm: float = 2.5
    squeeze_mm: float = 0.0
    beyond_base: bool | None = None

    def depth(
        self, heart_mm: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the first-order distance of points, inside negative, and normals inwards."""
        return from_ellipse(heart_mm - np.array(self.centre_mm), self.radii_mm)


def chambers(wall: Wall) -> tuple[Chamber, ...]:
    """Return what lies around the left ventricle; of two that overlap the later one is seen.

    Examples
    --------
    >>> from cardio_echo_cmr.segments import Wall
    >>> [len(chambers(Wall(view))) for view in ("a4c", "a2c", "plax", "other")]
    [3, 1, 4, 1]
    """
    half, base, edge = wall.half_width_mm, wall.length_mm, wall.wall_mm / 2
    septal = -half - edge
    right = 0.9 * half
    left_atrium = Chamber((0.04 * half, base + 13.0), (0.93 * half, 23.0), -6.0, 2.5, -2.0, True)
    if wall.view == "a2c":
        return (left_atrium,)
    if wall.view == "a4c":
        return (
            Chamber((-0.55 * half, base), (0.45 * half + edge + right, 0.82 * base), -4.0, 4.0,
                    3.0, False),
            Chamber((septal - 0.55 * right, base + 11.0), (0.56 * right, 21.0), -6.0, 2.5, -2.0,
                    True),
            left_atrium,
        )  # fmt: skip
    if wall.view == "other":
        return (Chamber((septal + 3.0, base), (0.9 * half, 1.15 * half), -4.0, 3.5, 3.0),)
    return (
        Chamber((septal - 0.42 * half, 0.8 * base), (0.4 * half, 0.65 * base), -3.0, 3.5, 2.0),
        Chamber((0.58 * half, base + 20.0), (0.6 * half, 23.0), -6.0, 2.5, -2.0, True),
        Chamber((1.65 * half, base + 10.0), (0.32 * half, 0.32 * half), -3.0, 2.5, 0.0),
        Chamber((-0.38 * half, base + 26.0), (0.48 * half, 42.0), 1.0, 2.5, 0.0, True),
    )


@dataclass(frozen=True)
class Leaflets:
    """Scatterers of leaflets.

    Attributes
    ----------
    heart_mm : ndarray, shape (n, 2)
        Places (u, v), valves closed.
    inflow_mm, outflow_mm : ndarray, shape (n, 2)
        From closed to open, of the mitral and tricuspid, and of the aortic valve.
    """

    heart_mm: NDArray[np.float64]
    inflow_mm: NDArray[np.float64]
    outflow_mm: NDArray[np.float64]


def leaflets(wall: Wall, rng: np.random.Generator) -> Leaflets:
    """Draw the leaflets of a view; a short axis has none."""
    places, inflow, outflow = [np.zeros((0, 2))], [np.zeros((0, 2))], [np.zeros((0, 2))]
    for hinge, tip, open_tip, aortic in _shapes(wall):
        closed, opening = leaflet(hinge, tip, open_tip, rng, sags=2.0 if aortic else -2.0)
        places.append(closed)
        inflow.append(opening * (not aortic))
        outflow.append(opening * aortic)
    return Leaflets(np.concatenate(places), np.concatenate(inflow), np.concatenate(outflow))


def _shapes(
    wall: Wall,
) -> tuple[tuple[tuple[float, float], tuple[float, float], tuple[float, float], bool], ...]:
    """Return hinge, closed tip and open tip of every leaflet, and whether it is aortic."""
    half, base = wall.half_width_mm, wall.length_mm
    right, septal = 0.9 * half, -half - wall.wall_mm / 2
    mitral = tuple((*shape, False) for shape in mitral_leaflets(half, base))
    if wall.view == "a2c":
        return mitral
    if wall.view == "a4c":
        return (
            *mitral,
            ((septal, base - 1.0), (septal - 0.5 * right, base - 6.0), (septal - 4.0, base - 14.0),
             False),
            ((septal - 0.92 * right, base), (septal - 0.48 * right, base - 6.0),
             (septal - 0.75 * right, base - 15.0), False),
        )  # fmt: skip
    if wall.view == "plax":
        return (
            ((0.12 * half, base), (0.42 * half, base - 13.0), (-0.28 * half, base - 19.0), False),
            ((0.88 * half, base), (0.45 * half, base - 12.0), (0.74 * half, base - 13.0), False),
            ((-0.83 * half, base + 3.0), (-0.38 * half, base + 8.0), (-0.74 * half, base + 15.0),
             True),
            ((0.08 * half, base + 3.0), (-0.38 * half, base + 8.0), (0.0, base + 15.0), True),
        )  # fmt: skip
    return ()


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
        lateral_mm = np.abs(heart_mm[:, 0]) - 2.2 * wall.half_width_mm
        upward *= fade(at - wall.length_mm, _ATRIUM_MM) * fade(lateral_mm, 25.0)
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


BLOOD_DB = -38.0
_AROUND_DB, _LUNG_DB, _PERICARDIUM_DB, _PAPILLARY_DB = -17.0, -26.0, 5.0, -1.0
_PERICARDIUM_MM = 2.2


def reflectivity_db(ventricle: Ventricle, heart_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the level of every point.

    Parameters
    ----------
    ventricle : Ventricle
        The left ventricle at end diastole.
    heart_mm : ndarray, shape (n, 2)
        Points (u, v).

    Returns
    -------
    ndarray, shape (n,)
        dB.
    """
    wall = ventricle.wall
    place = wall.place(heart_mm)
    depth, edge = place.depth_mm, wall.wall_mm / 2
    before = np.ones(depth.shape, np.bool_) if wall.is_ring else heart_mm[:, 1] <= wall.length_mm
    patches = _texture_db(ventricle.texture_seed, heart_mm)
    level = _around_db(wall, heart_mm) + patches
    # The pericardium is the brightest line of a view.
    bright = (depth > edge) & (depth < edge + _PERICARDIUM_MM) & before & _free(wall, heart_mm)
    level = np.where(bright, _PERICARDIUM_DB, level)
    for chamber in chambers(wall):
        there = ~before if chamber.beyond_base else (depth > edge) | ~before
        if chamber.beyond_base is False:
            there &= before
        away, _ = chamber.depth(heart_mm)
        level = np.where(there & (np.abs(away) < chamber.wall_mm / 2), chamber.wall_db, level)
        level = np.where(there & (away <= -chamber.wall_mm / 2), BLOOD_DB, level)
    if not wall.is_ring:
        # Beyond the ring the wall thins out into the groove between ventricle and atrium.
        over_mm = heart_mm[:, 1] - wall.length_mm
        groove = ~before & (np.abs(depth) <= edge) & (over_mm < 7.0)
        level = np.where(groove, -3.0 - 1.2 * over_mm + patches, level)
    across = ventricle.across(place)
    rim = 2.5 * np.exp(-((np.minimum(across, 1.0 - across) / 0.08) ** 2))
    level = np.where((across >= 0) & (across <= 1) & before, rim + patches, level)
    level = np.where((across > 1) & before, BLOOD_DB, level)
    return np.where(_papillary(wall, heart_mm), _PAPILLARY_DB + patches, level)


def _free(wall: Wall, heart_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell where pericardium lies on the wall, and no other chamber."""
    across = heart_mm[:, 0] / wall.half_width_mm
    if wall.view == "a2c":
        return np.asarray(np.abs(across) > 0.5)
    return np.asarray(across > {"a4c": 0.25, "plax": 0.0, "other": -0.3}[wall.view])


def _papillary(wall: Wall, heart_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which points of a short axis lie in a papillary muscle."""
    inside = np.zeros(len(heart_mm), np.bool_)
    if wall.is_ring:
        for side in (-0.42, 0.55):
            middle = (side * wall.half_width_mm, 1.4 * wall.length_mm)
            inside |= np.hypot(*(heart_mm - np.array(middle)).T) < 0.2 * wall.half_width_mm
    return inside


def _around_db(wall: Wall, heart_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the level of what lies around the heart; lung beside it is darker."""
    lateral_mm = np.abs(heart_mm[:, 0]) - wall.half_width_mm - wall.wall_mm / 2
    lung = 1.0 - fade(lateral_mm - 4.0, 12.0)
    return np.asarray(_AROUND_DB + (_LUNG_DB - _AROUND_DB) * lung)


def _texture_db(seed: int, heart_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return slow variation of brightness, about ±3 dB."""
    rng = np.random.default_rng(seed)
    wave, phase = rng.normal(0.0, 2 * np.pi / 30.0, (6, 2)), rng.uniform(0.0, 2 * np.pi, 6)
    return np.asarray(1.2 * np.cos(heart_mm @ wave.T + phase).sum(axis=1))
