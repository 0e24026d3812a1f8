"""Where the probe stands and how it is held for every view, and how far off it may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_core.ultrasound.phantoms.views.heart import Heart

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


def plane_of(view: str, heart: Heart, rng: np.random.Generator) -> Plane:
    """Return a plane of a view, of ``a5c``, ``between`` two views, or ``off_axis``."""
    made = {
        "plax": parasternal_long, "psax": parasternal_short, "subcostal": subcostal,
        "between": between_apical, "off_axis": off_axis,
    }  # fmt: skip
    return made[view](heart, rng) if view in made else apical(heart, rng, view)
