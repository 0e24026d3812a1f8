"""A heart in three dimensions, drawn at random, of which any plane can be looked at.

Coordinates (x, y, z) are in mm. z runs along the long axis of the left ventricle, from the plane of
the mitral ring (0) to the apex. Around that axis, angles count from the anterolateral wall (0°, +x)
over anterior (60°), anteroseptal (120°), inferoseptal (180°) and inferior (240°) to inferolateral
(300°). So the apical four-chamber plane is 0° to 180°, the two-chamber plane 60° to 240°, and the
three-chamber plane, which is that of the parasternal long axis too, 120° to 300°.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Heart:
    """Sizes in mm and levels in dB; 0 dB is myocardium of middling brightness.

    Attributes
    ----------
    radius, length : float
        Of the left ventricle's cavity at the end of diastole.
    oval : float
        Its width from septum to side wall over that across.
    wall, septum_more, apex_less : float
        Thickness, how much thicker the septum is, and how much thinner the apex (shares).
    right_mm, right_span, right_length : float
        How far the right ventricle reaches beyond the septum, its half-width around the left one,
        and where it ends (share of `length`).
    left_atrium, right_atrium : tuple of float
        Radii across and along.
    aorta_mm, outflow_mm : float
        Radii of the aortic root and of the right ventricle's outflow.
    aorta_lean : tuple of float
        Where the aorta leans to, in x and y a mm along it.
    ejection, shortening, thickening : float
        Shares by which radius and length fall and the wall gains in systole.
    effusion_mm : float
        Fluid around the heart; mostly 0.
    lead, descending : bool
        Whether there is a pacing lead in the right ventricle, and the descending aorta is seen.
    muscle_db, blood_db, wall_db, valve_db, rim_db, around_db, lung_db : float
        Levels of myocardium, blood, thin walls, leaflets, pericardium, fat around, and lung.
    right_db, atria_db : float
        Levels of the walls of the right ventricle and of the atria over `wall_db`; often so low
        that nobody sees them.
    patchy_db : float
        Standard deviation of slow changes of brightness in tissue.
    """

    radius: float
    length: float
    oval: float
    wall: float
    septum_more: float
    apex_less: float
    right_mm: float
    right_span: float
    right_length: float
    left_atrium: tuple[float, float]
    right_atrium: tuple[float, float]
    aorta_mm: float
    outflow_mm: float
    aorta_lean: tuple[float, float]
    ejection: float
    shortening: float
    thickening: float
    effusion_mm: float
    lead: bool
    descending: bool
    muscle_db: float
    blood_db: float
    wall_db: float
    valve_db: float
    rim_db: float
    around_db: float
    lung_db: float
    right_db: float
    atria_db: float
    patchy_db: float
    systole: float = 0.0

    @property
    def outer(self) -> float:
        """Radius of the left ventricle with its wall."""
        return self.radius + self.wall

    def at(self, systole: float) -> Heart:
        """Return the heart at a moment: 0 at the end of diastole, 1 at the end of systole."""
        fall = 1.0 - self.ejection * systole
        fuller = 1.0 + 0.12 * systole
        return replace(
            self,
            radius=self.radius * fall,
            wall=self.wall * (1.0 + self.thickening * systole),
            right_mm=self.right_mm * (1.0 - 0.8 * self.ejection * systole),
            left_atrium=(self.left_atrium[0] * fuller, self.left_atrium[1] * fuller),
            right_atrium=(self.right_atrium[0] * fuller, self.right_atrium[1] * fuller),
            systole=systole,
        )

    @property
    def base_mm(self) -> float:
        """How far the base has come towards the apex."""
        return self.shortening * self.length * self.systole


def draw_heart(rng: np.random.Generator) -> Heart:
    """Draw a heart: most are of a common size, others dilated, thick, small, or right-heavy.

    Examples
    --------
    >>> heart = draw_heart(np.random.default_rng(0))
    >>> heart.at(1.0).radius < heart.radius
    True
    """
    kind = rng.choice(
        ["plain", "dilated", "thick", "small", "right"], p=[0.5, 0.2, 0.1, 0.08, 0.12]
    )
    u = rng.uniform
    radius = {"dilated": u(27, 37), "thick": u(14, 22), "small": u(15, 20)}.get(kind, u(19, 27))
    wall = u(11, 18) if kind == "thick" else u(6.5, 11.5)
    length = u(2.4, 3.7) * radius if kind == "dilated" else np.clip(u(3.0, 4.4) * radius, 58, 100)
    big = 1.25 if kind == "right" else 1.0
    return Heart(
        radius=radius, length=float(length), oval=u(0.86, 1.12),
        wall=wall, septum_more=u(-0.15, 0.35), apex_less=u(0.1, 0.6),
        right_mm=big * u(15, 34), right_span=big * u(1.0, 1.35) * (radius + wall),
        right_length=u(0.62, 0.92) + 0.08 * (kind == "right"),
        left_atrium=(u(16, 29), u(17, 31)), right_atrium=(big * u(16, 27), big * u(17, 29)),
        aorta_mm=u(10, 17), outflow_mm=u(9, 15), aorta_lean=(u(-0.35, 0.0), u(-0.15, 0.3)),
        ejection=u(0.08, 0.4), shortening=u(0.04, 0.18), thickening=u(0.1, 0.5),
        effusion_mm=u(5, 22) if rng.random() < 0.1 else 0.0, lead=bool(rng.random() < 0.12),
        descending=bool(rng.random() < 0.6),
        muscle_db=u(-5, 4), blood_db=u(-42, -20), wall_db=u(-6, 5), valve_db=u(-4, 8),
        rim_db=u(0, 14), around_db=u(-24, 2) if rng.random() < 0.7 else u(-50, -24),
        lung_db=u(-45, -4),
        right_db=u(-6, 2) if rng.random() < 0.6 else u(-26, -6),
        atria_db=u(-6, 4) if rng.random() < 0.7 else u(-20, -6), patchy_db=u(0.5, 6.0),
    )  # fmt: skip


def levels(
    heart: Heart, points: Floats, *, liver_mm: float = 0.0, depth_mm: Floats | None = None
) -> tuple[Floats, Floats]:
    """Return the echo level of points in dB, and their distance from the left ventricle's cavity.

    Parameters
    ----------
    heart : Heart
        At a moment.
    points : ndarray, shape (n, 3)
        In mm.
    liver_mm : float
        Outside the heart there is liver to this depth from the probe.
    depth_mm : ndarray, shape (n,), optional
        Of the points from the probe, for the liver.

    Returns
    -------
    level_db, cavity_mm : ndarray, shape (n,)
    """
    x, y = points[:, 0], points[:, 1]
    z = points[:, 2] - heart.base_mm
    length = heart.length - heart.base_mm
    angle = np.arctan2(y, x)
    across = np.hypot(x, y)
    cavity = _ellipsoid(x / heart.oval, y, z - 0.16 * length, heart.radius, 0.84 * length, 1.1)
    thick = heart.wall * (1.0 + heart.septum_more * np.cos(angle - np.radians(150)))
    thick = thick * (1.0 - heart.apex_less * np.clip(z / length, 0.0, 1.0) ** 3)
    left = np.maximum(cavity - thick, -6.0 - z)
    right = _right_ventricle(heart, x, y, z, length)
    mitral = _turned(295.0, 0.3 * heart.radius)
    wide, high = heart.left_atrium
    atrium_z = z + 0.8 * high
    left_atrium = _ellipsoid(x - mitral[0], y - mitral[1], atrium_z, wide, high, 1.0)
    left_atrium = np.maximum(left_atrium, z)
    tricuspid = _turned(184.0, heart.outer + 0.45 * heart.right_mm)
    wide, high = heart.right_atrium
    step = 5.0
    right_atrium = _ellipsoid(
        x - tricuspid[0], y - tricuspid[1], z - step + 0.8 * high, wide, high, 1.0
    )
    right_atrium = np.maximum(right_atrium, z - step)
    aorta, along = _aorta(heart, x, y, z)
    outflow = _capsule(
        points, heart, _turned(103.0, heart.outer + 0.55 * heart.outflow_mm), 0.45 * length, -55.0
    )
    descending = _capsule(points, heart, _turned(298.0, heart.outer + 22.0), 0.1 * length, -80.0)

    heart_mm = np.minimum.reduce([left, right - 3, left_atrium - 2, right_atrium - 2, outflow - 2])
    level = np.where(heart_mm < 14.0, heart.around_db, heart.lung_db).astype(np.float32)
    if heart.descending:
        level[descending < heart.aorta_mm * 0.8 + 2] = heart.wall_db
        level[descending < heart.aorta_mm * 0.8] = heart.blood_db
    if liver_mm and depth_mm is not None:
        level[depth_mm < liver_mm] = heart.muscle_db - 3.0
    level[heart_mm < heart.effusion_mm + 2.0] = heart.rim_db
    if heart.effusion_mm:
        level[heart_mm < heart.effusion_mm] = heart.blood_db
    # What is painted later hides what lies there already.
    right_db, atria_db = heart.wall_db + heart.right_db, heart.wall_db + heart.atria_db
    for surface, thickness, wall_db in (
        (right, 3.5, right_db), (outflow, 2.5, right_db), (right_atrium, 2.0, atria_db),
    ):  # fmt: skip
        level[surface < thickness] = wall_db
        level[surface < 0] = heart.blood_db
    if heart.lead:
        level[_lead(heart, x, y, z, tricuspid, length)] = heart.valve_db + 12
    muscle = left < 0
    level[muscle] = heart.muscle_db
    level[left_atrium < 2.2] = atria_db
    level[left_atrium < 0] = heart.blood_db
    level[(cavity < 0) & (z > 0)] = heart.blood_db
    level[_papillary(heart, angle, across, z, length) & (cavity < 0)] = heart.muscle_db + 1
    level[(aorta < 2.0) & (along > 0)] = heart.wall_db + 2
    level[(aorta < 0) & (along > -3)] = heart.blood_db
    open_now = 1.0 - np.clip(2.0 * heart.systole, 0.0, 1.0)
    for place, ring, at_z in (
        (mitral, 0.62 * heart.radius, z),
        (tricuspid, 0.62 * heart.right_atrium[0], z - step),
    ):
        leaflet = _leaflets(x - place[0], y - place[1], at_z, ring, float(open_now))
        level[leaflet & (aorta > 0)] = heart.valve_db
    cusps = (np.abs(along - 3.0) < 0.9) & (aorta < 0) & (heart.systole < 0.4)
    level[cusps] = heart.valve_db
    return level, cavity.astype(np.float32)


def _turned(angle_deg: float, away_mm: float) -> tuple[float, float]:
    return (
        away_mm * float(np.cos(np.radians(angle_deg))),
        away_mm * float(np.sin(np.radians(angle_deg))),
    )


def _ellipsoid(
    x: Floats, y: Floats, z: Floats, across: float, along: float, below: float
) -> Floats:
    """Return the first-order distance from an ellipsoid, longer by `below` towards the base."""
    reach = np.where(z > 0, along, along * below)
    rho = np.sqrt((x * x + y * y) / across**2 + (z / reach) ** 2) + 1e-4
    steep = np.sqrt((x * x + y * y) / across**4 + z * z / reach**4) + 1e-5
    distance: Floats = (rho - 1.0) * rho / steep
    return distance


def _right_ventricle(heart: Heart, x: Floats, y: Floats, z: Floats, length: float) -> Floats:
    """Return the distance from the right ventricle, which the left one cuts to a crescent."""
    turn = np.radians(158.0)
    out = x * np.cos(turn) + y * np.sin(turn) - heart.outer
    side = -x * np.sin(turn) + y * np.cos(turn)
    reach = (heart.right_length - 0.15) * length
    up = (z - 0.15 * length) / np.where(z > 0.15 * length, reach, reach)
    width = np.where(out > 0, heart.right_mm, heart.outer)
    rho = np.sqrt((out / width) ** 2 + (side / heart.right_span) ** 2 + up**2) + 1e-4
    steep = (
        np.sqrt(
            out**2 / width**4 + side**2 / heart.right_span**4 + (up / reach) ** 2
        ) + 1e-5
    )  # fmt: skip
    distance: Floats = np.maximum((rho - 1.0) * rho / steep, 5.0 - z)
    return distance


def _aorta(heart: Heart, x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats]:
    """Return the distance from the aorta's wall, and the way along it from the valve."""
    foot_x, foot_y = _turned(122.0, 0.52 * heart.radius)
    along = -(z - 2.0)
    lean_x, lean_y = heart.aorta_lean
    from_axis = np.hypot(
        x - foot_x - lean_x * np.maximum(along, 0), y - foot_y - lean_y * np.maximum(along, 0)
    )
    sinus = 2.5 * np.exp(-(((along - 10.0) / 7.0) ** 2))
    distance: Floats = from_axis - heart.aorta_mm - sinus
    return distance, along


def _capsule(
    points: Floats, heart: Heart, foot: tuple[float, float], top_z: float, end_z: float
) -> Floats:
    """Return the distance from a tube's axis (of outflow: from its wall), parallel to the axis."""
    z = points[:, 2] - heart.base_mm
    beyond = np.maximum(z - top_z, 0) + np.maximum(end_z - z, 0)
    lean = 0.25 * np.maximum(-z, 0)
    away = np.sqrt(
        (points[:, 0] - foot[0] - 0.5 * lean) ** 2 + (points[:, 1] - foot[1]) ** 2 + beyond**2
    )
    descending = end_z < -60
    distance: Floats = away if descending else away - heart.outflow_mm
    return distance


def _papillary(
    heart: Heart, angle: Floats, across: Floats, z: Floats, length: float
) -> NDArray[np.bool_]:
    """Return which points lie in the two papillary muscles."""
    here = np.zeros(across.shape, bool)
    size = 0.24 * heart.radius
    for at_deg in (330.0, 225.0):
        foot = _turned(at_deg, 0.72 * heart.radius)
        away = np.hypot(across * np.cos(angle) - foot[0], across * np.sin(angle) - foot[1])
        here |= (away < size) & (z > 0.36 * length) & (z < 0.68 * length)
    return here


def _leaflets(x: Floats, y: Floats, z: Floats, ring: float, openness: float) -> NDArray[np.bool_]:
    """Return which points lie in a valve's leaflets: a flat tent closed, a funnel open."""
    away = np.hypot(x, y)
    tip = ring * (0.35 + 0.75 * openness)
    narrow = ring * (1.0 - (0.95 - 0.5 * openness) * z / tip)
    funnel: NDArray[np.bool_] = (np.abs(away - narrow) < 1.2 + 0.04 * ring) & (z > -1) & (z < tip)
    return funnel


def _lead(
    heart: Heart, x: Floats, y: Floats, z: Floats, tricuspid: tuple[float, float], length: float
) -> NDArray[np.bool_]:
    """Return which points lie in a lead from the right atrium to the right ventricle's apex."""
    end = _turned(165.0, heart.outer)
    share = np.clip((z + 30.0) / (0.7 * length + 30.0), 0.0, 1.0)
    from_x = tricuspid[0] + share * (end[0] - tricuspid[0])
    from_y = tricuspid[1] + share * (end[1] - tricuspid[1])
    near: NDArray[np.bool_] = (np.hypot(x - from_x, y - from_y) < 2.5) & (share > 0) & (share < 1)
    return near


# Where the probe stands and how it is held for every view, and how far off it may be.

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Plane:
    """A plane through the heart, as the picture shows it.

    Attributes
    ----------
    probe_mm : ndarray, shape (3,)
        Where the beams meet.
    down, right : ndarray, shape (3,)
        Unit vectors of the picture's directions.
    depth_mm : float
        That shows what the view is about.
    liver_mm : float
        Depth of liver before the heart.
    target : dict of str to float
        What the picture shares between views: {"a4c": 1.0}, or two halves between two planes.
    """

    probe_mm: Vector
    down: Vector
    right: Vector
    depth_mm: float
    target: dict[str, float]
    liver_mm: float = 0.0

    def points(self, range_mm: NDArray[np.float64], angle_rad: NDArray[np.float64]) -> Vector:
        """Return the places (n, 3) of a grid of ranges and angles, ranges first."""
        down = range_mm[:, None] * np.cos(angle_rad)
        right = range_mm[:, None] * np.sin(angle_rad)
        places: Vector = (
            self.probe_mm + down.ravel()[:, None] * self.down + right.ravel()[:, None] * self.right
        )
        return places


def _held(
    probe: Vector,
    aim: Vector,
    right: Vector,
    depth_mm: float,
    target: dict[str, float],
    tilt_deg: float = 0.0,
    liver_mm: float = 0.0,
) -> Plane:
    """Return the plane from the probe to `aim`, turned in itself by `tilt_deg`."""
    down = (aim - probe) / np.linalg.norm(aim - probe)
    right = right - (right @ down) * down
    right /= np.linalg.norm(right)
    turn = np.radians(tilt_deg)
    turned_down = np.cos(turn) * down + np.sin(turn) * right
    turned_right = np.cos(turn) * right - np.sin(turn) * down
    return Plane(probe, turned_down, turned_right, depth_mm, target, liver_mm)


def _spoke(angle_deg: float) -> Vector:
    return np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg)), 0.0])


_AXIS = np.array([0.0, 0.0, 1.0])
_APICAL = {"a4c": 0.0, "a2c": 60.0, "a3c": 120.0}


def apical(heart: Heart, rng: np.random.Generator, view: str) -> Plane:
    """Return an apical plane; ``a5c`` is the four-chamber one, angled towards the aorta."""
    u = rng.uniform
    turn = _APICAL.get(view, 0.0) + rng.normal(0.0, 6.0)
    across = _spoke(turn)
    normal = _spoke(turn + 90.0)
    # The aorta stands clear of the four- and two-chamber planes, and in the three-chamber one.
    lean = {"a4c": u(-14, -3), "a2c": u(-12, -3), "a3c": u(-4, 4)}.get(view, u(7, 15))
    probe = _AXIS * (heart.length + 0.7 * heart.wall + u(3, 22))
    probe = probe + across * rng.normal(0, 7.0) + normal * rng.normal(0, 5.0)
    if rng.random() < 0.3:  # foreshortened: the probe stands above the apex
        probe = probe + normal * rng.choice([-1, 1]) * u(6, 16) - _AXIS * u(0, 8)
    centre = -across * u(0.0, 0.45) * heart.outer if view in ("a4c", "a5c") else 0.0 * across
    aim = centre + normal * lean - 12.0 * _AXIS
    depth = heart.length + heart.wall + 2.0 * heart.left_atrium[1] * u(0.85, 1.25) + u(10, 30)
    target = {"a4c": 0.5, "other": 0.5} if view == "a5c" else {view: 1.0}
    return _held(probe, aim, across, depth, target, rng.normal(0.0, 7.0))


def between_apical(heart: Heart, rng: np.random.Generator) -> Plane:
    """Return an apical plane half way between two views: neither may be named for sure."""
    u = rng.uniform
    first, second, middle = (("a4c", "a2c", 30.0), ("a2c", "a3c", 90.0), ("a4c", "a3c", 150.0))[
        int(rng.integers(3))
    ]
    turn = middle + u(-5, 5)
    across = _spoke(turn)
    probe = _AXIS * (heart.length + 0.7 * heart.wall + u(3, 22)) + across * rng.normal(0, 6.0)
    aim = _spoke(turn + 90.0) * u(-9, 2) - 12.0 * _AXIS
    depth = heart.length + 2.2 * heart.left_atrium[1] + u(15, 35)
    target = {first: 0.4, second: 0.4, "other": 0.2}
    return _held(probe, aim, across, depth, target, rng.normal(0.0, 7.0))


def parasternal_long(heart: Heart, rng: np.random.Generator) -> Plane:
    """Return the parasternal long axis: right ventricle on top, apex left, aorta right."""
    u = rng.uniform
    turn = 121.0 + rng.normal(0.0, 5.0)
    spoke = _spoke(turn)
    near = heart.outer + u(0.7, 1.0) * heart.right_mm + u(8, 24)
    start = u(0.02, 0.42) * heart.length
    probe = near * spoke + start * _AXIS + _spoke(turn + 90) * rng.normal(0, 4.0)
    aim = (start + rng.normal(0, 9.0)) * _AXIS - 10 * spoke + _spoke(turn + 90) * rng.normal(0, 4.0)
    depth = near + heart.outer + u(5, 60)
    return _held(probe, aim, -_AXIS, depth, {"plax": 1.0}, rng.normal(0.0, 9.0))


def parasternal_short(heart: Heart, rng: np.random.Generator) -> Plane:
    """Return a short axis at any level from the great vessels to near the apex."""
    u = rng.uniform
    up = u(65.0, 120.0)
    deep = heart.length
    levels = [u(-22, -6), u(3, 14), u(0.3, 0.65) * deep, u(0.6, 0.82) * deep]
    level = rng.choice(levels, p=[0.25, 0.25, 0.35, 0.15])
    spoke = _spoke(up)
    near = heart.outer + u(0.5, 1.0) * heart.right_mm + u(8, 24)
    probe = near * spoke + (level + rng.normal(0, 7.0)) * _AXIS + _spoke(up - 90) * rng.normal(0, 8)
    aim = level * _AXIS + _spoke(up - 90) * rng.normal(0, 8)
    depth = near + heart.outer + u(5, 50)
    return _held(probe, aim, _spoke(up - 90.0), depth, {"psax": 1.0}, rng.normal(0.0, 8.0))


def subcostal(heart: Heart, rng: np.random.Generator) -> Plane:
    """Return the subcostal four-chamber plane: liver on top, the heart lies oblique below it."""
    u = rng.uniform
    side = _spoke(rng.normal(0.0, 14.0))
    oblique = np.radians(u(0.0, 55.0))
    down = np.cos(oblique) * side - np.sin(oblique) * _AXIS
    right = np.sin(oblique) * side + np.cos(oblique) * _AXIS
    liver = u(25.0, 60.0)
    centre = -0.3 * heart.outer * side + u(0.05, 0.35) * heart.length * _AXIS
    centre = centre + _spoke(90.0) * rng.normal(0, 5.0)
    away = heart.outer + 0.6 * heart.right_mm + liver
    depth = away + heart.outer + heart.radius + u(10, 50)
    probe = centre - away * down
    return _held(probe, centre, right, depth, {"subcostal": 1.0}, rng.normal(0.0, 6.0), liver + 8)


def off_axis(heart: Heart, rng: np.random.Generator) -> Plane:
    """Return a plane through the heart that is no standard view."""
    u = rng.uniform
    kind = rng.choice(["foreshortened", "beside", "oblique", "anywhere"])
    if kind == "foreshortened":  # an apical plane that misses the apex and most of the axis
        turn = u(0, 360)
        aim = u(0.1, 0.4) * heart.length * _AXIS + _spoke(turn + 90) * u(-8, 8)
        lean = np.radians(u(42, 60))
        way = np.cos(lean) * _AXIS + np.sin(lean) * _spoke(turn + 90)
        probe = aim + way * (heart.outer + u(25, 50))
        # It may pass for a short axis, so that neither is named for sure.
        target = {"other": 0.7, "psax": 0.3}
        return _held(probe, aim, _spoke(turn), u(90, 160), target, u(-20, 20))
    if kind == "beside":  # parallel to a long axis, through the edge of the ventricle or beyond
        turn = u(0, 360)
        shift = _spoke(turn + 90) * rng.choice([-1, 1]) * (heart.outer + u(-6, 12))
        probe = shift + _AXIS * (heart.length + u(0, 20))
        return _held(
            probe, shift - 20 * _AXIS, _spoke(turn), u(110, 180), {"other": 1.0}, u(-15, 15)
        )
    if kind == "oblique":  # half way between the parasternal long and short axes
        up = u(90, 125)
        spoke = _spoke(up)
        right = np.cos(u(0.65, 0.95)) * _spoke(up - 90.0) - np.sin(u(0.65, 0.95)) * _AXIS
        start = u(0.0, 0.6) * heart.length * _AXIS
        near = heart.outer + heart.right_mm + u(8, 24)
        return _held(
            start + near * spoke, start, right, near + heart.outer + u(10, 50), {"other": 1.0}
        )
    way = rng.standard_normal(3)
    way /= np.linalg.norm(way)
    aim = rng.normal(0, 40.0, 3) + 0.3 * heart.length * _AXIS
    probe = aim + way * u(70, 110)
    return _held(probe, aim, rng.standard_normal(3), u(90, 200), {"other": 1.0})


def esophageal(heart: Heart, rng: np.random.Generator) -> Plane:
    """Return a plane seen from behind the left atrium, which no class fits."""
    u = rng.uniform
    turn = u(0, 360)
    foot = -1.65 * heart.left_atrium[1] * _AXIS + _spoke(295.0) * 0.3 * heart.radius
    probe = foot - u(2, 10) * _AXIS + _spoke(turn + 90) * rng.normal(0, 5.0)
    aim = u(0.3, 1.0) * heart.length * _AXIS + _spoke(turn) * rng.normal(0, 12.0)
    depth = 1.65 * heart.left_atrium[1] + u(0.4, 1.1) * heart.length
    views = ("a4c", "a2c", "a3c", "plax", "psax", "subcostal", "other")
    return _held(
        probe, aim, _spoke(turn), depth, dict.fromkeys(views, 1 / 7), rng.normal(0.0, 15.0)
    )


def plane_of(view: str, heart: Heart, rng: np.random.Generator) -> Plane:
    """Return a plane of a view, ``a5c``, ``between`` two, ``off_axis`` or ``esophageal``."""
    made = {
        "plax": parasternal_long, "psax": parasternal_short, "subcostal": subcostal,
        "between": between_apical, "off_axis": off_axis, "esophageal": esophageal,
    }  # fmt: skip
    return made[view](heart, rng) if view in made else apical(heart, rng, view)


# What else a probe shows: vessels in the neck's pit, liver, lung, noise, and no body at all.

SCENES = ("arch", "liver", "lung", "noise", "bars", "trace", "tissue", "balls")


def scene(
    kind: str, rng: np.random.Generator, range_mm: NDArray[np.float64], angle: NDArray[np.float64]
) -> Floats:
    """Return the echo levels in dB of one of `SCENES` on a polar grid.

    Parameters
    ----------
    kind : str
    rng : numpy.random.Generator
    range_mm, angle : ndarray, shape (n_ranges,), (n_beams,)
        The grid; angles in radians.
    """
    away = range_mm[:, None]
    x, z = away * np.sin(angle), away * np.cos(angle)
    share = away / range_mm[-1] + 0 * angle
    u = rng.uniform
    if kind == "arch":  # a bow of aorta over the right pulmonary artery, with branches upwards
        level = np.full(x.shape, u(-18, -4))
        centre = (u(-15, 15), u(55, 80))
        bow = np.abs(np.hypot(x - centre[0], (z - centre[1]) * u(0.8, 1.2)) - u(22, 32))
        wide = u(9, 14)
        level[(bow < wide + 2) & (z < centre[1] + u(0, 40))] = u(-2, 6)
        level[(bow < wide) & (z < centre[1] + u(0, 40))] = u(-40, -25)
        for place in (-14, 2, 18):
            branch = (np.abs(x - centre[0] - place - 0.2 * (z - 30)) < 3.5) & (z < centre[1] - 20)
            level[branch] = u(-38, -25)
        level[np.hypot(x - centre[0] - 3, z - centre[1]) < u(7, 11)] = u(-40, -25)
        return level.astype(np.float32)
    if kind == "liver":  # with vessels, and often the inferior vena cava
        level = np.full(x.shape, u(-8, 2))
        for _ in range(int(rng.integers(2, 9))):
            way, at, wide = u(0, np.pi), u(-60, 60), u(1.5, 6)
            along = (x * np.cos(way) + (z - 70) * np.sin(way)) - at
            level[(np.abs(along) < wide) & (np.abs(z - u(30, 130)) < u(15, 50))] = u(-40, -20)
        if rng.random() < 0.6:
            slope, at, wide = u(-0.3, 0.3), u(50, 100), u(6, 14)
            level[np.abs(z - at - slope * x) < wide + 2] = u(0, 5)
            level[np.abs(z - at - slope * x) < wide] = u(-40, -25)
        edge = u(100, 170)
        level[np.hypot(x - u(-20, 20), z) > edge] = u(5, 14)
        level[np.hypot(x, z) > edge + 5] = u(-25, -5)
        return level.astype(np.float32)
    if kind == "lung":  # the pleura and what it throws back, equidistant
        level = u(-30, -15) + 10 * np.exp(-share / 0.2)
        between = u(12, 35)
        level = level + u(8, 25) * np.exp(-((((away % between) - between / 2) / 1.5) ** 2)) * (
            1 - 0.7 * share
        )
        rays = np.exp(-(((angle - u(-0.4, 0.4)) / u(0.02, 0.08)) ** 2))
        return np.asarray(level + u(0, 25) * rays, dtype=np.float32)
    if kind == "noise":
        return np.full(x.shape, u(-80, -20), np.float32)
    if kind == "bars":  # a test picture
        n = int(rng.integers(3, 10))
        step = np.floor(n * (angle - angle[0]) / (angle[-1] - angle[0] + 1e-6)) + 0 * away
        if rng.random() < 0.5:
            step = np.floor(n * share)
        return np.asarray(-40 + 55 * rng.permutation(n + 1)[step.astype(int)] / n, np.float32)
    if kind == "trace":  # a spectral or M-mode strip under the sector's mask
        base, period = u(40, 110), u(25, 70)
        wave = np.abs(np.sin(np.pi * (x + u(0, 50)) / period)) ** u(1, 4) * u(15, 60)
        filled = (z < base) & (z > base - wave)
        return np.asarray(np.where(filled, u(-8, 6), u(-60, -35)), np.float32)
    if kind == "tissue":  # layers of muscle and fat, an abscess or a cyst
        level = u(-20, 0) + 8 * np.sin(away / u(2, 12) + 3 * np.sin(u(0, 3) * angle + u(0, 6)))
        if rng.random() < 0.5:
            level[np.hypot(x - u(-40, 40), z - u(30, 110)) < u(8, 35)] = u(-45, -25)
        return np.asarray(level, np.float32)
    level = np.full(x.shape, u(-25, 0))  # balls: chambers of no heart
    for _ in range(int(rng.integers(1, 7))):
        wide, high, turn = u(8, 40), u(8, 40), u(0, np.pi)
        right, down = x - u(-50, 50), z - u(25, 130)
        item = right * np.cos(turn) + down * np.sin(turn)
        other = down * np.cos(turn) - right * np.sin(turn)
        rho = np.hypot(item / wide, other / high)
        level[rho < 1 + u(2, 12) / wide] = u(-6, 8)
        level[rho < 1] = u(-45, -20)
    return level.astype(np.float32)
