"""The digital left ventricle: shape, beat, perfusion, pose, and the motion of its wall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation
from scipy.special import ndtr

from cardio_core.api import DataError

N_SEGMENTS = 17
RELAXATION_RR = 0.37
"""From end-systole until the wall is as thin as before. With end-systole at .38 RR the first
harmonic then peaks at 135.8 degrees, as in healthy people (134.5 ± 14.3 in men, 140.2 ± 14.9 in
women)."""

CENTRE_DEG = (0.0, 60.0, 120.0, 180.0, 240.0, 300.0) * 2 + (0.0, 90.0, 180.0, 270.0)


@dataclass(frozen=True)
class Ventricle:
    """A left ventricle and its surroundings.

    Seventeen values stand for the AHA segments 1 to 17, in their order. Lengths are in mm, times
    in shares of the RR interval, activities in shares of normal myocardium's.

    Attributes
    ----------
    length_mm, radius_mm : float
        Semi-axes of the endocardium at end-diastole: from the base plane to the apex, and at the
        base. Its volume is 2/3·π·radius²·length.
    thickness_mm : float
        Thickness h0 of the wall at end-diastole, everywhere the same.
    end_systole_rr : float
        Time of the largest thickness where the delay is 0.
    relaxation_rr : float
        From there until the wall is as thin as before; .15 to .25 fills fast.
    thickening : tuple of float, length 17
        Relative thickening eps.
    delay_rr : tuple of float, length 17
        Delay tau; negative where the wall is early.
    perfusion : tuple of float, length 17
        Activity of the wall.
    short_septum_mm : float
        How much later the wall begins at the middle of the septum than elsewhere, where the
        membranous septum takes up no tracer; 0 cuts the wall off evenly.
    base_tilt_deg, base_tilt_towards_deg : float
        Angle between the mitral plane and the plane across the long axis, and the side on which
        the wall then begins latest (0 anterior, 90 septal); on the opposite side it begins at the
        base plane.
    beyond_activity : float
        Activity where the wall has ended early, of the outflow tract and the right ventricle: it
        does not beat.
    shortening_mm : float
        How far the base descends towards the apex in systole; 0 keeps it where it is. Healthy
        hearts have 10 to 14 mm.
    shortening_difference : float
        By which share of it the lateral side descends farther than the mean, and the septal side
        less.
    atrial_share : float
        Share of the way back that the base comes with the atrial kick.
    twist_deg : float
        By how much the apex turns against the base at end-systole.
    rr_ms : float
        RR interval.
    tilt_deg, tilt_towards_deg : float
        Angle between the long axis and the stack, and the direction in which the apex leans: 0
        anterior, 90 towards the septum.
    offset_mm : tuple of float
        Middle of the long axis from the middle of the image, along rows and columns.
    blood, background : float
        Activity of the blood pool and of everything else.
    rv_activity, rv_length_mm : float
        The stubs of the right ventricle at its two insertions, 30 and 150 degrees.
    gut_activity : float
        Largest activity of a blob under the inferior wall, 0 for none.
    gut_distance_mm : float
        From the epicardium to its centre.
    liver_activity : float
        Largest activity of a large blob below and beside the inferior septum, 0 for none.
    liver_distance_mm : float
        From the epicardium to its centre.
    """

    length_mm: float = 85.0
    radius_mm: float = 26.0
    thickness_mm: float = 9.5
    end_systole_rr: float = 0.38
    relaxation_rr: float = RELAXATION_RR
    thickening: tuple[float, ...] = (0.35,) * N_SEGMENTS
    delay_rr: tuple[float, ...] = (0.0,) * N_SEGMENTS
    perfusion: tuple[float, ...] = (1.0,) * N_SEGMENTS
    short_septum_mm: float = 0.0
    base_tilt_deg: float = 0.0
    base_tilt_towards_deg: float = 90.0
    beyond_activity: float = 0.0
    shortening_mm: float = 0.0
    shortening_difference: float = 0.15
    atrial_share: float = 0.25
    twist_deg: float = 0.0
    rr_ms: float = 850.0
    tilt_deg: float = 0.0
    tilt_towards_deg: float = 0.0
    offset_mm: tuple[float, float] = (0.0, 0.0)
    blood: float = 0.06
    background: float = 0.03
    rv_activity: float = 0.0
    rv_length_mm: float = 18.0
    gut_activity: float = 0.0
    gut_distance_mm: float = 25.0
    liver_activity: float = 0.0
    liver_distance_mm: float = 55.0

    def __post_init__(self) -> None:
        for name in ("thickening", "delay_rr", "perfusion"):
            if len(getattr(self, name)) != N_SEGMENTS:
                raise DataError(
                    f"ventricle: expected {name} of {N_SEGMENTS} segments, found "
                    f"{len(getattr(self, name))}; give one value a segment"
                )
        if min(self.thickening) < 0 or min(self.perfusion) < 0 or self.tilt_deg > 30:
            raise DataError(
                "ventricle: expected no negative thickening or perfusion and a tilt of at most "
                f"30 degrees, found {min(self.thickening):g}, {min(self.perfusion):g} and "
                f"{self.tilt_deg:g}; correct the ventricle"
            )
        farthest = self.shortening_mm * (1 + abs(self.shortening_difference))
        if not (self.shortening_mm >= 0 and farthest <= self.length_mm / 4):
            raise DataError(
                "ventricle: expected a base that descends by 0 to a quarter of the length "
                f"({self.length_mm / 4:g} mm) on every side, found {farthest:g} mm; correct "
                "shortening_mm"
            )


def wall_beat(
    time_rr: ArrayLike, end_systole_rr: float, relaxation_rr: float = RELAXATION_RR
) -> NDArray[np.float64]:
    """Return g: a raised cosine from 0 at the R wave to 1 at end-systole and back to 0.

    Parameters
    ----------
    time_rr : array_like
        Times in shares of the RR interval; g repeats every interval.
    end_systole_rr : float
        Its peak.
    relaxation_rr : float
        From its peak until it is 0 again.

    Returns
    -------
    ndarray
        0 to 1, shaped as `time_rr`.

    Examples
    --------
    >>> wall_beat([0.0, 0.19, 0.38, 0.565, 0.9], 0.38).round(6).tolist()
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    time = np.mod(np.asarray(time_rr, dtype=float), 1.0) - end_systole_rr
    turn = np.where(time < 0, time / end_systole_rr, np.minimum(time / relaxation_rr, 1.0))
    return np.asarray(0.5 * (1.0 + np.cos(np.pi * turn)))


def lbbb_delay(septum_rr: float = -0.05, lateral_rr: float = 0.10) -> tuple[float, ...]:
    """Return the delays of a left bundle branch block: early septum, late lateral wall.

    The delay runs as the sine of the angle between the two, the same from apex to base; the
    apex itself has their mean.

    Examples
    --------
    >>> delay = lbbb_delay()
    >>> [round(delay[segment - 1], 3) for segment in (14, 16, 17, 1)]
    [-0.05, 0.1, 0.025, 0.025]
    """
    mean, swing = (septum_rr + lateral_rr) / 2, (septum_rr - lateral_rr) / 2
    return (*(mean + swing * np.sin(np.radians(CENTRE_DEG)).round(12)).tolist(), mean)


def with_segments(
    values: tuple[float, ...], segments: tuple[int, ...], value: float
) -> tuple[float, ...]:
    """Return `values` with `value` in the AHA segments named.

    Examples
    --------
    >>> with_segments((1.0,) * 17, (4, 10), 0.3)[3:5]
    (0.3, 1.0)
    """
    return tuple(value if n in segments else old for n, old in enumerate(values, start=1))


def draw_ventricle(rng: np.random.Generator, **fixed: Any) -> Ventricle:
    """Draw a ventricle from the ranges of the method page; what is named in `fixed` stays.

    Length 70 to 110 mm with the radius that goes with it (22 to 38 mm), thickness 8 to 11 mm,
    end-systole at .34 to .42 RR, thickening 15 to 45 % (less in wide ventricles), a base that
    descends by 0 to 14 mm (`draw_shortening`; at most .19 of the length), tilt up to 10 degrees,
    offset up to 12 mm in rows and columns, the right ventricle's stubs in everybody, gut activity
    in every third and liver activity in every second. Conduction and perfusion are normal unless
    given.
    """
    # Of its own stream, so that hearts drawn from `rng` are the same with and without it.
    more = rng.spawn(1)[0]
    length = rng.uniform(70.0, 110.0)
    radius = float(np.clip(22.0 + (length - 70.0) * 0.35 + rng.uniform(-1.0, 3.0), 22.0, 38.0))
    healthy = 0.45 - 0.3 * (radius - 22.0) / 16.0
    drawn: dict[str, Any] = {
        "length_mm": float(length),
        "radius_mm": radius,
        "thickness_mm": float(rng.uniform(8.0, 11.0)),
        "end_systole_rr": float(rng.uniform(0.34, 0.42)),
        "thickening": (float(np.clip(healthy + rng.normal(0.0, 0.03), 0.12, 0.45)),) * N_SEGMENTS,
        "rr_ms": float(rng.uniform(650.0, 1050.0)),
        "tilt_deg": float(rng.uniform(0.0, 10.0)),
        "tilt_towards_deg": float(rng.uniform(0.0, 360.0)),
        "offset_mm": (float(rng.uniform(-12.0, 12.0)), float(rng.uniform(-12.0, 12.0))),
        "rv_activity": float(rng.uniform(0.2, 0.45)),
        "rv_length_mm": float(rng.uniform(12.0, 24.0)),
        "gut_activity": float(rng.uniform(0.3, 1.0) if rng.uniform() < 1 / 3 else 0.0),
        "gut_distance_mm": float(rng.uniform(22.0, 34.0)),
        **draw_shortening(more),
        "liver_activity": float(more.uniform(0.3, 0.9) if more.uniform() < 0.5 else 0.0),
        "liver_distance_mm": float(more.uniform(45.0, 65.0)),
    }
    chosen = {**drawn, **fixed}
    if "shortening_mm" not in fixed:
        chosen["shortening_mm"] = min(chosen["shortening_mm"], 0.19 * chosen["length_mm"])
    return Ventricle(**chosen)


def draw_shortening(rng: np.random.Generator) -> dict[str, float]:
    """Draw how a base descends, as arguments of `Ventricle`.

    Shortening 0 to 14 mm, lateral side 5 to 25 % farther than the mean, atrial share .1 to .35,
    twist 0 to 15 degrees.
    """
    return {
        "shortening_mm": float(rng.uniform(0.0, 14.0)),
        "shortening_difference": float(rng.uniform(0.05, 0.25)),
        "atrial_share": float(rng.uniform(0.1, 0.35)),
        "twist_deg": float(rng.uniform(0.0, 15.0)),
    }


_ARC_EDGES = (-np.inf, 0.1, 0.4, 0.7, np.inf)
"""Cap, apical, mid and basal thirds: the cap is the last tenth."""
_EDGE_ARC = 0.04
_FIRST = {1: 13, 2: 7, 3: 1}
_PER_RING = {1: 4, 2: 6, 3: 6}


def over_wall(
    values: ArrayLike, angle_deg: ArrayLike, arc: ArrayLike, *, edge_deg: float = 20.0
) -> NDArray[np.float64]:
    """Spread the values of the AHA segments over the wall with soft borders.

    Every segment is a box in angle and arc length, blurred by a Gaussian; the boxes fit without
    gaps, so that the blurred ones add up to 1 everywhere and equal values give a constant map.

    Parameters
    ----------
    values : array_like, shape (17,)
        Of segments 1 to 17.
    angle_deg : array_like
        0 anterior, 90 septal, 180 inferior, 270 lateral.
    arc : array_like
        Share of the arc length from the apex (0) to the base (1); broadcast with `angle_deg`.
    edge_deg : float
        Standard deviation of the blur in angle; in arc length it is .04.

    Returns
    -------
    ndarray
        The map, shaped as `angle_deg` and `arc` broadcast.

    Examples
    --------
    >>> inferior = [0.0] * 17
    >>> inferior[9] = 1.0  # segment 10, mid inferior
    >>> over_wall(inferior, [180.0, 90.0, 150.0], 0.55, edge_deg=5.0).round(3).tolist()
    [1.0, 0.0, 0.5]
    """
    of_segment = np.asarray(values, dtype=float)
    angle = np.mod(np.asarray(angle_deg, dtype=float), 360.0)
    along = np.asarray(arc, dtype=float)
    if np.all(of_segment == of_segment[0]):
        return np.full(np.broadcast_shapes(angle.shape, along.shape), of_segment[0])
    below = [ndtr((along - edge) / _EDGE_ARC) for edge in _ARC_EDGES]
    spread = of_segment[16] * (below[0] - below[1])
    for ring, first in _FIRST.items():
        width = 360.0 / _PER_RING[ring]
        around = np.zeros(angle.shape)
        for place in range(_PER_RING[ring]):
            around += of_segment[first - 1 + place] * _box(angle, place * width, width, edge_deg)
        spread = spread + (below[ring] - below[ring + 1]) * around
    return np.asarray(spread, dtype=float)


def _box(
    angle_deg: NDArray[np.float64], centre_deg: float, width_deg: float, edge_deg: float
) -> NDArray[np.float64]:
    """Return a box on the circle, blurred; its neighbours fill up to 1."""
    total = np.zeros(angle_deg.shape)
    for turn in (-360.0, 0.0, 360.0):
        away = angle_deg - centre_deg + turn
        total += ndtr((away + width_deg / 2) / edge_deg) - ndtr((away - width_deg / 2) / edge_deg)
    return total


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


APEX_SHARE = 0.08
"""So much of the base's way the apex moves, the other way."""

BASAL_TWIST = -0.3
"""Share of the twist at the base; the apex has the rest, the other way round."""

_EARLY_RR, _KICK_RR = 0.22, 0.14
_MID_ARC = 0.55


def base_course(time_rr: Floats, ventricle: Ventricle) -> Floats:
    """Return how far the base has come at times in RR: 0 at the R wave, 1 at end-systole.

    Examples
    --------
    >>> heart = Ventricle(atrial_share=0.25)
    >>> base_course(np.array([0.0, 0.38, 0.7, 0.93]), heart).round(3).tolist()
    [0.0, 1.0, 0.25, 0.125]
    """
    time = np.mod(time_rr, 1.0)
    systole = ventricle.end_systole_rr
    left = ventricle.atrial_share

    def rise(start: float, length: float) -> Floats:
        share = np.clip((time - start) / length, 0.0, 1.0)
        return np.asarray(0.5 * (1.0 - np.cos(np.pi * share)))

    back = (1.0 - left) * rise(systole, _EARLY_RR) + left * rise(1.0 - _KICK_RR, _KICK_RR)
    return np.asarray(rise(0.0, systole) - back)


def descent_mm(ventricle: Ventricle, time_rr: Floats, angle_deg: Floats) -> Floats:
    """Return d, how far the base has descended, broadcast over times and angles.

    Parameters
    ----------
    ventricle : Ventricle
        Its `shortening_mm`, `shortening_difference` and delays.
    time_rr, angle_deg : ndarray
        Times in shares of the RR interval, and angles; they broadcast.
    """
    around = over_wall(ventricle.delay_rr, angle_deg, _MID_ARC)
    delay = (around + over_wall(ventricle.delay_rr, np.arange(36) * 10.0, _MID_ARC).mean()) / 2
    uneven = 1.0 - ventricle.shortening_difference * np.sin(np.radians(angle_deg))
    return np.asarray(
        ventricle.shortening_mm * uneven * base_course(np.asarray(time_rr) - delay, ventricle)
    )


def share_at(ventricle: Ventricle, depth_mm: Floats) -> tuple[Floats, Floats]:
    """Return w and its derivative per mm at depths below the base plane of end-diastole.

    Examples
    --------
    >>> share, slope = share_at(Ventricle(), np.array([0.0, 85.0 + 9.5]))
    >>> share.round(6).tolist(), bool(slope[1] == 0)
    ([1.0, -0.08], True)
    """
    reach = ventricle.length_mm + ventricle.thickness_mm
    u = np.minimum(np.asarray(depth_mm) / reach, 1.0)
    steep = 1.25 * (1.0 + APEX_SHARE)
    u2 = u * u
    u4 = u2 * u2
    return 1.0 - steep * u * (1.0 - u4 / 5), -steep * (1.0 - u4) / reach


def twist_deg(ventricle: Ventricle, time_rr: Floats, depth_mm: Floats) -> Floats:
    """Return by how much the wall has turned, towards the septum, at times and depths."""
    reach = ventricle.length_mm + ventricle.thickness_mm
    share = BASAL_TWIST + np.clip(np.asarray(depth_mm) / reach, 0.0, 1.0)
    return np.asarray(ventricle.twist_deg * share * base_course(np.asarray(time_rr), ventricle))


_LEAST_CAVITY_MM = 1.0
PERFUSION_EDGE_DEG = 6.0
_ARC_TABLE = 2001


@dataclass(frozen=True)
class Mesh:
    """Feet on the end-diastolic endocardium, and what the wall over them is like.

    All arrays are broadcastable to (n_latitudes, n_angles).

    Attributes
    ----------
    angle_deg : ndarray, shape (1, n_angles)
        0 anterior, 90 septal.
    arc : ndarray, shape (n_latitudes, 1)
        Arc length from the apex, as a share of that of the base, along the middle of the wall.
    foot_mm : tuple of ndarray
        Distance from the long axis, and from the base plane towards the apex.
    normal : tuple of ndarray
        The same components of the outward normal.
    k1_per_mm, k2_per_mm : ndarray
        Principal curvatures along the meridian and around.
    h0_mm : float
        Thickness at end-diastole.
    thickening, delay_rr, perfusion : ndarray
        See `Ventricle`.
    muscle : ndarray
        1 where the wall takes up tracer, 0 in the membranous septum.
    """

    angle_deg: Floats
    arc: Floats
    foot_mm: tuple[Floats, Floats]
    normal: tuple[Floats, Floats]
    k1_per_mm: Floats
    k2_per_mm: Floats
    h0_mm: float
    thickening: Floats
    delay_rr: Floats
    perfusion: Floats
    muscle: Floats

    def volume_mm(self, x_mm: Floats) -> Floats:
        """Return the volume from the endocardium to x per area of the endocardium."""
        k1, k2 = self.k1_per_mm, self.k2_per_mm
        # Horner's rule: powers of large arrays are slow.
        return np.asarray(x_mm * (1 + x_mm * ((k1 + k2) / 2 + x_mm * (k1 * k2 / 3))))


def mesh(ventricle: Ventricle, latitude: Floats, angle_deg: Floats) -> Mesh:
    """Lay a mesh on the endocardium.

    Parameters
    ----------
    ventricle : Ventricle
        The ventricle.
    latitude : ndarray, shape (n_latitudes,)
        u in radians, 0 at the base to π/2 at the apex: the foot is (R cos u, L sin u).
    angle_deg : ndarray, shape (n_angles,)
        Angles.

    Returns
    -------
    Mesh
        One row a latitude, one column an angle.
    """
    long, short = ventricle.length_mm, ventricle.radius_mm
    u, angle = latitude[:, None], angle_deg[None, :]
    stretch = np.hypot(short * np.sin(u), long * np.cos(u))
    arc = _arc(ventricle, u)
    k1, k2 = short * long / stretch**3, long / (short * stretch)
    h0 = ventricle.thickness_mm
    eps = np.minimum(over_wall(ventricle.thickening, angle, arc), _limit(k1, k2, h0))
    return Mesh(
        angle_deg=angle,
        arc=arc,
        foot_mm=(short * np.cos(u), long * np.sin(u)),
        normal=(long * np.cos(u) / stretch, short * np.sin(u) / stretch),
        k1_per_mm=k1,
        k2_per_mm=k2,
        h0_mm=h0,
        thickening=eps,
        delay_rr=over_wall(ventricle.delay_rr, angle, arc),
        perfusion=over_wall(ventricle.perfusion, angle, arc, edge_deg=PERFUSION_EDGE_DEG),
        muscle=muscle_at(ventricle, long * np.sin(u), angle),
    )


def muscle_at(ventricle: Ventricle, depth_mm: Floats, angle_deg: Floats) -> Floats:
    """Return 1 where the wall takes up tracer, 0 beyond its end, soft in between.

    The septum begins `short_septum_mm` below the base plane at 90 degrees, and less so, as the
    square of the sine, towards the anterior and inferior walls. A tilted mitral plane adds
    ``R tan(tilt) (1 + cos(angle - towards))``.
    """
    depth, angle = np.broadcast_arrays(depth_mm, np.radians(angle_deg))
    if ventricle.short_septum_mm == 0 and ventricle.base_tilt_deg == 0:
        return np.ones(depth.shape)
    begins = ventricle.short_septum_mm * np.maximum(np.sin(angle), 0.0) ** 2
    rise = ventricle.radius_mm * np.tan(np.radians(ventricle.base_tilt_deg))
    begins = begins + rise * (1 + np.cos(angle - np.radians(ventricle.base_tilt_towards_deg)))
    # A border a third as wide as the gap itself, so that the gap closes smoothly.
    return np.asarray(ndtr(3.0 * (depth / np.maximum(begins, 1e-6) - 1.0)), dtype=float)


def motion(at: Mesh, ventricle: Ventricle, time_rr: Floats) -> tuple[Floats, Floats]:
    """Return where the endocardium is, and how thick the wall is, at every time.

    Parameters
    ----------
    at : Mesh
        Where.
    ventricle : Ventricle
        Whose beat.
    time_rr : ndarray, shape (n_times,)
        Times in shares of the RR interval.

    Returns
    -------
    inner_mm, thickness_mm : ndarray, shape (n_times, n_latitudes, n_angles)
        Distance of the endocardium from where it was at end-diastole (negative: inwards), and
        the wall's thickness along the normal.
    """
    beat = wall_beat(
        time_rr[:, None, None] - at.delay_rr, ventricle.end_systole_rr, ventricle.relaxation_rr
    )
    thickness = at.h0_mm * (1.0 + at.thickening * beat)
    stretch = 1.0 + descent(at, ventricle, time_rr) * share_at(ventricle, at.foot_mm[1])[1]
    return _inner(at.k1_per_mm, at.k2_per_mm, at.h0_mm, thickness, stretch), thickness


def descent(at: Mesh, ventricle: Ventricle, time_rr: Floats) -> Floats:
    """Return how far the base has descended over the mesh's angles, (n_times, 1, n_angles)."""
    if ventricle.shortening_mm == 0:
        return np.zeros((len(time_rr), 1, 1))
    return descent_mm(ventricle, time_rr[:, None, None], at.angle_deg)


def cavity_ml(ventricle: Ventricle, time_rr: Floats) -> Floats:
    """Return the cavity's volume in ml at every time.

    Numerical integration over the endocardium (Gauss-Legendre along the meridian, midpoints
    around) of the exact volume between the long axis and the moving endocardium.
    """
    latitude, weight = latitudes(24)
    at = mesh(ventricle, latitude, angles(36))
    inner, _ = motion(at, ventricle, time_rr)
    if ventricle.shortening_mm == 0:
        depth = at.volume_mm(inner) - at.volume_mm(-1.0 / at.k2_per_mm)
    else:
        depth = _shortened(at, ventricle, descent(at, ventricle, time_rr), inner)
    area = area_mm2(ventricle, latitude, weight, 36)
    return np.asarray((depth * area[:, None]).sum(axis=(1, 2)) / 1000.0)


def _shortened(at: Mesh, ventricle: Ventricle, base_mm: Floats, inner: Floats) -> Floats:
    """Return the cavity's volume per endocardial area, times the axial stretch of each part."""
    axis = -1.0 / at.k2_per_mm
    total = np.zeros(inner.shape)
    for node, share in zip(*np.polynomial.legendre.leggauss(5), strict=True):
        x = axis + (inner - axis) * (node + 1) / 2
        slope = share_at(ventricle, at.foot_mm[1] + x * at.normal[1])[1]
        part = (1 + at.k1_per_mm * x) * (1 + at.k2_per_mm * x) * (1 + base_mm * slope)
        total += part * (inner - axis) * share / 2
    return total


def latitudes(n: int) -> tuple[Floats, Floats]:
    """Return Gauss-Legendre nodes and weights from base (0) to apex (π/2)."""
    node, weight = np.polynomial.legendre.leggauss(n)
    return (node + 1) * np.pi / 4, weight * np.pi / 4


def angles(n: int) -> Floats:
    """Return the midpoints of n equal angles in degrees."""
    return (np.arange(n) + 0.5) * 360.0 / n


def area_mm2(ventricle: Ventricle, latitude: Floats, weight: Floats, n_angles: int) -> Floats:
    """Return the endocardial area at end-diastole that a node of the mesh stands for."""
    long, short = ventricle.length_mm, ventricle.radius_mm
    stretch = np.hypot(short * np.sin(latitude), long * np.cos(latitude))
    return np.asarray(short * np.cos(latitude) * stretch * weight * 2 * np.pi / n_angles)


def _arc(ventricle: Ventricle, latitude: Floats) -> Floats:
    """Return the arc length from the apex along the middle of the wall, base = 1."""
    long, short = ventricle.length_mm, ventricle.radius_mm
    u = np.linspace(0.0, np.pi / 2, _ARC_TABLE)
    stretch = np.hypot(short * np.sin(u), long * np.cos(u))
    speed = stretch + short * long / stretch**2 * ventricle.thickness_mm / 2
    step = (speed[1:] + speed[:-1]) / 2
    from_base = np.concatenate([[0.0], np.cumsum(step)])
    return np.asarray(1.0 - np.interp(latitude, u, from_base / from_base[-1]))


def _inner(
    k1: Floats, k2: Floats, h0: float, thickness: Floats, stretch: Floats | float = 1.0
) -> Floats:
    """Solve for the endocardium that keeps the wall's volume (module docstring)."""
    mean, product = (k1 + k2) / 2, k1 * k2
    kept = (h0 + mean * h0**2 + product * h0**3 / 3) / stretch
    linear = 2 * mean + product * thickness
    constant = 1 + mean * thickness + product * thickness**2 / 3 - kept / thickness
    # The root near 0, in the form that does not cancel.
    root: Floats = (
        -2 * constant / (linear + np.sqrt(np.maximum(linear**2 - 4 * product * constant, 0.0)))
    )
    return root


def _limit(k1: Floats, k2: Floats, h0: float) -> Floats:
    """Return the thickening that leaves the least cavity on the long axis."""
    low, high = np.zeros(k1.shape), np.full(k1.shape, 5.0)
    for _ in range(40):
        middle = (low + high) / 2
        open_still = _inner(k1, k2, h0, h0 * (1 + middle)) > -1.0 / k2 + _LEAST_CAVITY_MM
        low, high = np.where(open_still, middle, low), np.where(open_still, high, middle)
    return low
