"""An apical four-chamber view, drawn: where blood is, where wall is, and where the septum runs.

Positions in the heart are (u, v) in mm: v runs along the long axis from the middle of the apical
wall (0) to the base (`length_mm`) and on into the atria, u across it towards the lateral wall. The
middle of the left ventricle's wall is half an ellipse. In the picture the apex is at the top, the
left ventricle to the right and the right ventricle to the left, as echocardiographers see it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_ultrasound import (
    LEAFLET_DB,
    WallPlace,
    fade,
    from_ellipse,
    leaflet,
    mitral_leaflets,
    wall_place,
)

N_POINTS = 62
"""Points of the septum's polyline, from base to apex."""

MMODE_POINT = 14
"""Index from 0 of the point on which the M-mode's line stands: the 15th, between 10 and 20."""

_SEPTUM_FROM, _SEPTUM_TO = 0.05, 1.30
"""Eccentric angles between which the septum is drawn; 0 is the base, π/2 the apex."""

CLEAR_BLOOD_DB, MURKY_BLOOD_DB = -38.0, -15.0
_AROUND_DB, _LUNG_DB = -17.0, -25.0


@dataclass(frozen=True)
class Anatomy:
    """Sizes of a heart and how the probe sees it.

    Attributes
    ----------
    length_mm : float
        From the middle of the apical wall to the plane of the mitral ring.
    half_width_mm : float
        From the long axis to the middle of the septum and of the lateral wall, at the base.
    wall_mm : float
        Thickness of the septum and the lateral wall.
    rv_width_mm : float
        Width of the right ventricle at the base.
    apex_mm : tuple of float
        (x, z) of the middle of the apical wall in the sector.
    tilt_deg : float
        How far the base is turned to the left of the picture.
    texture_seed : int
        Which patches of myocardium are brighter.
    """

    length_mm: float = 82.0
    half_width_mm: float = 28.0
    wall_mm: float = 9.5
    rv_width_mm: float = 25.0
    apex_mm: tuple[float, float] = (9.0, 15.0)
    tilt_deg: float = -3.0
    texture_seed: int = 0

    def to_body(self, heart_mm: ArrayLike) -> NDArray[np.float64]:
        """Turn (u, v) into (x, z), both along the last axis.

        Examples
        --------
        >>> Anatomy(tilt_deg=0.0).to_body([-28.0, 82.0]).tolist()  # the base of the septum
        [-19.0, 97.0]
        """
        body: NDArray[np.float64] = np.asarray(heart_mm, dtype=np.float64) @ self._turn().T
        body += np.array(self.apex_mm)
        return body

    def to_heart(self, body_mm: ArrayLike) -> NDArray[np.float64]:
        """Turn (x, z) into (u, v), both along the last axis."""
        away = np.asarray(body_mm, dtype=np.float64) - np.array(self.apex_mm)
        return np.asarray(away @ self._turn(), dtype=np.float64)

    def turn(self, vector: NDArray[np.floating]) -> NDArray[np.float64]:
        """Turn vectors (du, dv) into (dx, dz)."""
        return np.asarray(vector @ self._turn().T, dtype=np.float64)

    def _turn(self) -> NDArray[np.float64]:
        angle = np.radians(self.tilt_deg)
        return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    def wall_place(self, heart_mm: NDArray[np.float64]) -> WallPlace:
        """Return where points (u, v) lie relative to the left ventricle's wall."""
        return wall_place(heart_mm, self.half_width_mm, self.length_mm)

    def septum(self, n_points: int = N_POINTS) -> NDArray[np.float64]:
        """Return equidistant points (u, v) along the middle of the septum, base to apex.

        Returns
        -------
        ndarray, shape (n_points, 2)
            Distances of neighbours agree within 0.1 %.
        """
        fine = np.linspace(_SEPTUM_FROM, _SEPTUM_TO, 4001)
        u = -self.half_width_mm * np.cos(fine)
        v = self.length_mm * (1.0 - np.sin(fine))
        arc = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(u), np.diff(v)))])
        at = np.linspace(0.0, arc[-1], n_points)
        return np.stack([np.interp(at, arc, u), np.interp(at, arc, v)], axis=1)


def reflectivity_db(
    anatomy: Anatomy, heart_mm: NDArray[np.float64], *, blood_db: float = CLEAR_BLOOD_DB
) -> NDArray[np.float64]:
    """Return the level of every point in dB relative to myocardium.

    Parameters
    ----------
    anatomy : Anatomy
        The heart.
    heart_mm : ndarray, shape (n, 2)
        Points (u, v).
    blood_db : float
        Level of blood; where it is nearly as bright as wall, contrast is low.

    Examples
    --------
    >>> septum, cavity = [-28.0, 80.0], [0.0, 60.0]
    >>> reflectivity_db(Anatomy(), np.array([septum, cavity]))[1].tolist()
    -38.0
    """
    u, v = heart_mm[:, 0], heart_mm[:, 1]
    base, half = anatomy.length_mm, anatomy.half_width_mm
    depth, edge = anatomy.wall_place(heart_mm).depth_mm, anatomy.wall_mm / 2
    rv_edge = -half - edge
    rv_depth = _ellipse_depth(u + 0.55 * half, base - v, _rv_half_width(anatomy), 0.82 * base)
    la_depth = _ellipse_depth(u - 0.04 * half, v - base - 13.0, 0.93 * half, 23.0)
    ra_depth = _ellipse_depth(
        u - rv_edge + 0.55 * anatomy.rv_width_mm, v - base - 11.0, 0.52 * anatomy.rv_width_mm, 21.0
    )
    patches = _texture_db(anatomy, u, v)
    above = v <= base
    lung = 1.0 / (1.0 + np.exp(-(u - half - edge - 8.0) / 3.0))
    level = _AROUND_DB + (_LUNG_DB - _AROUND_DB) * lung + patches
    level = np.where((np.abs(rv_depth) < 2.2) & above & (depth > edge), -4.0 + patches, level)
    level = np.where((rv_depth < -1.8) & above & (depth > edge), blood_db, level)
    for depth_of_atrium in (la_depth, ra_depth):
        level = np.where((depth_of_atrium < 2.5) & ~above, -6.0 + patches, level)
    # The pericardium is the brightest line of the view.
    level = np.where((depth > edge) & (depth < edge + 2.2) & (u > 0.25 * half) & above, 5.0, level)
    rim = 2.5 * np.exp(-(((np.abs(depth) - edge + 0.7) / 0.7) ** 2))
    level = np.where((np.abs(depth) <= edge) & above, rim + patches, level)
    # Below the ring the wall thins out into the groove between ventricle and atrium.
    groove = ~above & (np.abs(depth) <= edge) & (v < base + 9.0)
    level = np.where(groove, -3.0 - 1.2 * (v - base) + patches, level)
    level = np.where((depth < -edge) & above, blood_db, level)
    for depth_of_atrium in (la_depth, ra_depth):
        level = np.where((depth_of_atrium < 0) & (v > base - 1.0), blood_db, level)
    return level


def _rv_half_width(anatomy: Anatomy) -> float:
    """Return half the width of the ellipse whose left part bounds the right ventricle."""
    return 0.45 * anatomy.half_width_mm + anatomy.wall_mm / 2 + anatomy.rv_width_mm


def _ellipse_depth(
    across: NDArray[np.float64], along: NDArray[np.float64], half_across: float, half_along: float
) -> NDArray[np.float64]:
    return from_ellipse(np.stack([across, along], axis=1), (half_across, half_along))[0]


def rv_depth_mm(anatomy: Anatomy, heart_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of points (u, v) from the right ventricle's free wall, outside positive.

    Below the base the wall goes straight on.
    """
    u, v = heart_mm[:, 0], heart_mm[:, 1]
    along = np.maximum(anatomy.length_mm - v, 0.0)
    across = u + 0.55 * anatomy.half_width_mm
    return _ellipse_depth(across, along, _rv_half_width(anatomy), 0.82 * anatomy.length_mm)


def _texture_db(
    anatomy: Anatomy, u: NDArray[np.float64], v: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return slow variation of brightness, about ±3 dB."""
    rng = np.random.default_rng(anatomy.texture_seed)
    level = np.zeros(u.shape)
    for _ in range(6):
        wave, phase = rng.normal(0.0, 2 * np.pi / 30.0, 2), rng.uniform(0.0, 2 * np.pi)
        level += 1.2 * np.cos(wave[0] * u + wave[1] * v + phase)
    return level


MODES = ("septum", "lateral", "base", "rv", "breath", "valves")
"""Septum and lateral wall inward; base towards the apex; free wall of the right ventricle inward;
the whole heart away from the probe; leaflets from closed to open."""

_FADE_OUT_MM = 15.0
_FADE_BELOW_MM = 25.0
_ATRIUM_MM = 45.0


def tissue_modes(anatomy: Anatomy, heart_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how tissue at rest places moves in every mode but the valves'.

    Parameters
    ----------
    anatomy : Anatomy
        The heart.
    heart_mm : ndarray, shape (n, 2)
        Places (u, v) at rest.

    Returns
    -------
    ndarray, shape (5, n, 2)
        Displacements (du, dv) for a weight of 1: septum, lateral, base, rv, breath.

    Examples
    --------
    >>> from cardio_mmode_septal_flash.synthetic.anatomy import MMODE_POINT, Anatomy
    >>> heart = Anatomy()
    >>> point = heart.septum()[MMODE_POINT : MMODE_POINT + 1]
    >>> np.linalg.norm(tissue_modes(heart, point)[:, 0], axis=1).round(2).tolist()
    [1.0, 0.0, 0.73, 0.0, 1.0]
    """
    u, v = heart_mm[:, 0], heart_mm[:, 1]
    base = anatomy.length_mm
    place = anatomy.wall_place(heart_mm)
    plateau = anatomy.wall_mm / 2 + 2.0
    inside_mm = 0.75 * anatomy.half_width_mm
    radial = fade(np.maximum(-place.depth_mm - plateau, 0.0), inside_mm) * fade(
        np.maximum(place.depth_mm - plateau, 0.0), _FADE_OUT_MM
    )
    below = fade(np.maximum(v - base, 0.0), _FADE_BELOW_MM)
    along = radial * np.abs(np.cos(place.eccentric)) * below / _at_mmode_line(anatomy)
    septum = along * (u < 0)
    lateral = along * (u >= 0)
    aside = fade(np.maximum(np.abs(u) - 2.4 * anatomy.half_width_mm, 0.0), 25.0)
    upward = np.where(v <= base, np.maximum(v, 0.0) / base, fade(v - base, _ATRIUM_MM)) * aside
    rv_depth = rv_depth_mm(anatomy, heart_mm)
    rv = (
        fade(np.maximum(np.abs(rv_depth) - 3.0, 0.0), 18.0)
        * fade(np.maximum(plateau + 14.0 - place.depth_mm, 0.0), 14.0)
        * below
        * (u < 0)
    )
    modes = np.zeros((5, *heart_mm.shape))
    modes[0] = septum[:, None] * place.inward
    modes[1] = lateral[:, None] * place.inward
    modes[2, :, 1] = -upward
    modes[3, :, 0] = rv
    modes[4, :, 1] = 1.0
    return modes


def _at_mmode_line(anatomy: Anatomy) -> float:
    """Return the radial motion's share where the M-mode's line stands, before scaling."""
    point = anatomy.septum()[MMODE_POINT : MMODE_POINT + 1]
    return float(np.abs(np.cos(anatomy.wall_place(point).eccentric[0])))


_PER_MM2 = 6.0
"""Ten in a resolution cell at the range of the valves."""

_LEAD_MM, _LEAD_DB = 1.1, 12.0
_LEAD_TAIL = ((0.0, 0.0), (4.0, -14.0), (8.0, -20.0))
"""Copies of the lead behind it, in mm along the beam, and how much weaker they are."""


@dataclass(frozen=True)
class Strands:
    """Scatterers of thin structures.

    Attributes
    ----------
    heart_mm : ndarray, shape (n, 2)
        Places (u, v) at rest, valves closed.
    opening_mm : ndarray, shape (n, 2)
        From closed to open.
    level_db : ndarray, shape (n,)
        Relative to myocardium.
    """

    heart_mm: NDArray[np.float64]
    opening_mm: NDArray[np.float64]
    level_db: NDArray[np.float64]


def leaflets(anatomy: Anatomy, rng: np.random.Generator) -> Strands:
    """Draw the leaflets of the mitral and the tricuspid valve."""
    base, half = anatomy.length_mm, anatomy.half_width_mm
    rv, septal_rv = anatomy.rv_width_mm, -half - anatomy.wall_mm / 2
    tricuspid = (
        ((septal_rv, base - 1.0), (septal_rv - 0.5 * rv, base - 6.0), (septal_rv - 4, base - 14)),
        ((septal_rv - 0.92 * rv, base), (septal_rv - 0.48 * rv, base - 6.0),
         (septal_rv - 0.75 * rv, base - 15.0)),
    )  # fmt: skip
    drawn = [leaflet(*shape, rng) for shape in (*mitral_leaflets(half, base), *tricuspid)]
    closed, opening = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    return Strands(closed, opening, np.full(len(closed), LEAFLET_DB))


def pacing_lead(anatomy: Anatomy, rng: np.random.Generator) -> Strands:
    """Draw a lead from the right atrium to the apex of the right ventricle, with its tail."""
    base, half, edge = anatomy.length_mm, anatomy.half_width_mm, anatomy.wall_mm / 2
    septal_rv = -half - edge
    bend = np.array([
        [septal_rv - 0.80 * anatomy.rv_width_mm, base + 24.0],
        [septal_rv - 0.20 * anatomy.rv_width_mm, base + 6.0],
        [septal_rv - 0.75 * anatomy.rv_width_mm, 0.75 * base],
        [-0.78 * half - edge - 3.0, 0.38 * base],
    ])  # fmt: skip
    curve = _bezier(bend, np.linspace(0.0, 1.0, 200))
    length = float(np.hypot(*np.diff(curve, axis=0).T).sum())
    n = round(_PER_MM2 * length * _LEAD_MM)
    thread = _bezier(bend, rng.uniform(0.0, 1.0, n)) + rng.uniform(-0.5, 0.5, (n, 2)) * _LEAD_MM
    places = np.concatenate([thread + np.array([0.0, behind]) for behind, _ in _LEAD_TAIL])
    level = np.concatenate([np.full(n, _LEAD_DB + weaker) for _, weaker in _LEAD_TAIL])
    return Strands(places, np.zeros_like(places), level)


def _bezier(points: NDArray[np.float64], share: ArrayLike) -> NDArray[np.float64]:
    """Return places on the cubic Bézier curve of four points, shares from 0 to 1."""
    t = np.asarray(share, dtype=np.float64)[:, None]
    return np.asarray(
        (1 - t) ** 3 * points[0]
        + 3 * (1 - t) ** 2 * t * points[1]
        + 3 * (1 - t) * t**2 * points[2]
        + t**3 * points[3]
    )
