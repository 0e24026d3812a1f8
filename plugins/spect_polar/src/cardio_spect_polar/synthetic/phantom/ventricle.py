"""The digital left ventricle: its shape, its beat, its perfusion, and where it lies.

At end-diastole the endocardium is half of a prolate ellipsoid, cut at the base. The wall thickens
by ``h(t) = h0 (1 + eps g(t - tau))``, where g is a raised cosine that peaks at end-systole; eps,
tau and perfusion vary over the wall (see `wall_motion` for the motion and `aha_map` for how
seventeen segments become a smooth map).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
