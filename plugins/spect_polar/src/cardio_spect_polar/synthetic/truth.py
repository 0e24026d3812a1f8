"""What is known about an imaged ventricle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_spect_polar.phase.geometry import N_RAYS, WallGeometry
from cardio_spect_polar.polar.maps import segment_means, segments_of
from cardio_spect_polar.synthetic.ventricle import (
    PERFUSION_EDGE_DEG,
    Pose,
    Ventricle,
    cavity_ml,
    descent,
    descent_mm,
    mesh,
    motion,
    muscle_at,
    over_wall,
    share_at,
    wall_beat,
)

Floats = NDArray[np.float64]

_N_TIMES = 16
_N_FINE = 4096
_N_MERIDIAN = 181
_CYLINDER = 2 / 3
_SCAR, _MUSCLE = 0.5, 0.5
_WITHIN = 0.95


@dataclass(frozen=True)
class Truth:
    """The truth about a ventricle in its image, in canonical orientation.

    Attributes
    ----------
    ventricle : Ventricle
        Who.
    pose : Pose
        Where: centre of the base and direction of the long axis.
    geometry : WallGeometry
        The middle of the wall averaged over the cycle, where the method would sample it: rings
        across the long axis up to two thirds of its length, a hemisphere beyond.
    phase_deg : ndarray, shape (n_rings, N_RAYS)
        First harmonic of g(t - tau) at the samples, in [0, 360): the time of its maximum. NaN in
        the membranous septum, which enters nothing below.
    segments : ndarray of int, shape (n_rings, N_RAYS)
        AHA segment of every sample.
    segment_phase_deg : ndarray, shape (17,)
        Circular mean over the samples of a segment.
    segment_perfusion : ndarray, shape (17,)
        Mean activity; normal myocardium is 1.
    psd_deg, pbw_deg : float
        Standard deviation (n - 1) of the samples' phases, and the smallest arc that holds 95 % of
        them; every sample counts the same.
    scar_pct : float
        Share of samples whose activity is below .5.
    volume_ml : ndarray, shape (n_slots,)
        Cavity, averaged over each gate.
    edv_ml, esv_ml, ef_pct : float
        From the largest and smallest volume of the cycle, not averaged over gates.
    gated_ef_pct : float
        From the largest and smallest entry of `volume_ml`.
    base_mm, apex_mm : float
        Where the long axis meets the base plane and the epicardium (mean over the cycle): distance
        from the centre of slice 0 along the stack.
    base_by_slot_mm : ndarray, shape (n_slots,)
        The same of the base (mean over angles) in every gate.
    """

    ventricle: Ventricle
    pose: Pose
    geometry: WallGeometry
    phase_deg: Floats
    segments: NDArray[np.int64]
    segment_phase_deg: Floats
    segment_perfusion: Floats
    psd_deg: float
    pbw_deg: float
    scar_pct: float
    volume_ml: Floats
    edv_ml: float
    esv_ml: float
    ef_pct: float
    gated_ef_pct: float
    base_mm: float
    apex_mm: float
    base_by_slot_mm: Floats

    def phase_at(self, points_mm: Floats) -> Floats:
        """Return the true phase of the wall nearest to points (z, y, x), shape (..., 3)."""
        arc, angle = self.arc_and_angle(points_mm)
        delay = over_wall(self.ventricle.delay_rr, angle, arc)
        phase: Floats = (beat_phase_deg(self.ventricle) + 360.0 * delay) % 360.0
        return phase

    def arc_and_angle(self, points_mm: Floats) -> tuple[Floats, Floats]:
        """Return arc (share from the apex) and angle in degrees of the wall nearest to points.

        Points are where the wall is on the average over the cycle; the answer is of the muscle.
        """
        radius, depth, angle = self.pose.locate(points_mm)
        if self.ventricle.shortening_mm:
            depth = _without_descent(self.ventricle, depth, angle)
        latitude = np.linspace(np.pi / 2, 0.0, _N_MERIDIAN)
        at = mesh(self.ventricle, latitude, np.zeros(1))
        middle = self.ventricle.thickness_mm / 2
        r, s = (at.foot_mm[i] + middle * at.normal[i] for i in (0, 1))
        away = (radius[..., None] - r[:, 0]) ** 2 + (depth[..., None] - s[:, 0]) ** 2
        return at.arc[np.argmin(away, axis=-1), 0], angle

    def centre_at(self, z_mm: Floats) -> Floats:
        """Return (y, x) in mm of the long axis at heights along the stack, shape (..., 2)."""
        along = (z_mm - self.pose.base_mm[0]) / self.pose.axis[0]
        return np.asarray(self.pose.base_mm[1:] + along[..., None] * self.pose.axis[1:])


def beat_phase_deg(ventricle: Ventricle) -> float:
    """Return the phase of the first harmonic of g itself, 0 to 360 degrees."""
    time = (np.arange(_N_FINE) + 0.5) / _N_FINE
    wave = wall_beat(time, ventricle.end_systole_rr, ventricle.relaxation_rr) @ np.exp(
        2j * np.pi * time
    )
    return float(np.degrees(np.angle(wave)) % 360.0)


def truth_of(ventricle: Ventricle, at: Pose, slice_mm: float, n_slots: int) -> Truth:
    """Work out what is known.

    Parameters
    ----------
    ventricle : Ventricle
        Who.
    at : Pose
        Where.
    slice_mm : float
        Distance of the rings along the long axis.
    n_slots : int
        Gates.
    """
    geometry, arc, angle, tip = _known_wall(ventricle, at, slice_mm)
    delay = over_wall(ventricle.delay_rr, angle, arc)
    activity = over_wall(ventricle.perfusion, angle, arc, edge_deg=PERFUSION_EDGE_DEG)
    _, depth, _ = at.locate(geometry.points_mm)
    if ventricle.shortening_mm:
        depth = _without_descent(ventricle, depth, angle)
    muscle = muscle_at(ventricle, depth, angle) > _MUSCLE
    shift = 360.0 * delay[muscle]
    phase = np.where(muscle, (beat_phase_deg(ventricle) + 360.0 * delay) % 360.0, np.nan)
    segments = segments_of(geometry.arc[:, None], angle)
    time = (np.arange(n_slots * _N_TIMES) + 0.5) / (n_slots * _N_TIMES)
    volume = cavity_ml(ventricle, time)
    gated = volume.reshape(n_slots, -1).mean(axis=1)
    all_around = np.arange(36, dtype=np.float64) * 10
    descended = descent_mm(ventricle, time[:, None], all_around)
    base = at.base_mm[0] + at.axis[0] * descended.mean(axis=1).reshape(n_slots, -1).mean(axis=1)
    return Truth(
        ventricle=ventricle,
        pose=at,
        geometry=geometry,
        phase_deg=phase,
        segments=segments,
        segment_phase_deg=segment_means(phase, segments, circular=True),
        segment_perfusion=segment_means(np.where(muscle, activity, np.nan), segments),
        psd_deg=float(np.std(shift, ddof=1)),
        pbw_deg=_bandwidth(shift),
        scar_pct=float(100 * np.mean(activity[muscle] < _SCAR)),
        volume_ml=gated,
        edv_ml=float(volume.max()),
        esv_ml=float(volume.min()),
        ef_pct=float(100 * (1 - volume.min() / volume.max())),
        gated_ef_pct=float(100 * (1 - gated.min() / gated.max())),
        base_mm=float(base.mean()) if ventricle.shortening_mm else float(at.base_mm[0]),
        apex_mm=float(at.base_mm[0] + at.axis[0] * tip),
        base_by_slot_mm=base,
    )


def _known_wall(
    ventricle: Ventricle, at: Pose, slice_mm: float
) -> tuple[WallGeometry, Floats, Floats, float]:
    """Sample the mean middle of the wall; also the arc and angle of each sample, and the tip."""
    angle = np.arange(N_RAYS) * 360.0 / N_RAYS
    wall = mesh(ventricle, np.linspace(np.pi / 2, 0.0, _N_MERIDIAN), angle)
    inner, thickness = motion(wall, ventricle, (np.arange(32) + 0.5) / 32)
    x = (inner + thickness / 2).mean(axis=0)
    meridian = (wall.foot_mm[0] + x * wall.normal[0], wall.foot_mm[1] + x * wall.normal[1])
    tip = ventricle.length_mm + float((inner + thickness).mean(axis=0)[0].mean())
    base_mm = 0.0
    if ventricle.shortening_mm:
        descended = descent(wall, ventricle, (np.arange(32) + 0.5) / 32).mean(axis=0)
        meridian = (meridian[0], meridian[1] + descended * share_at(ventricle, meridian[1])[0])
        tip += float(descended.mean()) * float(share_at(ventricle, np.array(tip))[0])
        # The deepest side, so that every ring meets the wall all around.
        base_mm = float(descended.max())
    steps = np.hypot(*(np.diff(part, axis=0) for part in meridian))
    length = steps.sum(axis=0)
    origin, polar = _rings(float(meridian[1][0].mean()), slice_mm, base_mm)
    r, s, arc = _meet(meridian, wall.arc[:, 0], origin, polar)
    around = Pose(np.zeros(3), at.axis, at.anterior, at.septal)
    geometry = WallGeometry(
        points_mm=at.place(r, s, angle),
        directions=around.place(np.sin(polar), np.cos(polar), angle),
        arc=arc.mean(axis=1),
        area_mm2=_area(r, arc, length),
        n_cap=int(np.sum(polar < np.pi / 2 - 1e-9)),
    )
    return geometry, arc, np.broadcast_to(angle, r.shape), tip


def _without_descent(ventricle: Ventricle, depth_mm: Floats, angle_deg: Floats) -> Floats:
    """Return how deep the muscle lies at end-diastole that is on average at a depth."""
    time = (np.arange(32) + 0.5) / 32
    mean_mm = descent_mm(ventricle, time, angle_deg[..., None]).mean(axis=-1)
    depth = depth_mm
    for _ in range(12):
        depth = depth_mm - mean_mm * share_at(ventricle, depth)[0]
    return depth


def _rings(tip_mm: float, slice_mm: float, base_mm: float) -> tuple[Floats, Floats]:
    """Return depth of the origin and polar angle in radians of every ring, from apex to base."""
    n_cylinder = max(int(_CYLINDER * (tip_mm - base_mm) / slice_mm), 2)
    cylinder = base_mm + (np.arange(n_cylinder)[::-1] + 0.5) * slice_mm
    n_cap = max(round((tip_mm - cylinder[0]) / slice_mm), 2)
    origin = np.concatenate([np.full(n_cap, cylinder[0]), cylinder])
    cap = (np.arange(n_cap) + 0.5) / n_cap * np.pi / 2
    polar = np.concatenate([cap, np.full(n_cylinder, np.pi / 2)])
    return origin[:, None], polar[:, None]


def _meet(
    meridian: tuple[Floats, Floats], arc: Floats, origin: Floats, polar: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return radius, depth and arc where the rays meet the meridians, (n_rings, n_angles)."""
    radius, depth = meridian
    side = (
        radius * np.cos(polar)[..., None] - (depth - origin[..., None]) * np.sin(polar)[..., None]
    )
    after = np.clip(np.argmax(side > 0, axis=1), 1, None)[:, None, :]
    low = np.take_along_axis(side, after - 1, axis=1)[:, 0]
    high = np.take_along_axis(side, after, axis=1)[:, 0]
    share = -low / (high - low)
    last, column = after[:, 0], np.arange(radius.shape[1])

    def between(values: Floats) -> Floats:
        start, end = values[last - 1, column], values[last, column]
        return np.asarray(start + share * (end - start))

    along = np.broadcast_to(arc[:, None], radius.shape)
    return between(radius), between(depth), between(along)


def _area(radius: Floats, arc: Floats, length_mm: Floats) -> Floats:
    """Return the area of every sample: from halfway to its neighbours, apex and base included."""
    edge = np.concatenate([0 * arc[:1], (arc[1:] + arc[:-1]) / 2, 0 * arc[:1] + 1.0])
    return np.asarray(np.diff(edge, axis=0) * length_mm * radius * 2 * np.pi / N_RAYS)


def _bandwidth(shift_deg: Floats) -> float:
    """Return the width of the smallest arc with 95 % of phases that span less than the circle."""
    ordered = np.sort(shift_deg)
    n_within = int(np.ceil(_WITHIN * ordered.size))
    return float(np.min(ordered[n_within - 1 :] - ordered[: ordered.size - n_within + 1]))
