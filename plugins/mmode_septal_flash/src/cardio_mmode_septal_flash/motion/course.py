"""The septum's motion as a reader is told it: medians over the beats and their spread."""

from __future__ import annotations

import numpy as np

from cardio_mmode_septal_flash.motion.beats import BeatsMotion

COURSE = (
    ("heart_rate_bpm", "1/min", "Heart rate"),
    ("early_peak_mm", "mm", "Early inward peak of the septum above its foot"),
    ("early_onset_ms", "ms", "Onset of the early inward peak after R"),
    ("early_peak_ms", "ms", "Time of the early inward peak after R"),
    ("early_duration_ms", "ms", "Duration of the early inward peak"),
    ("early_inward_mm", "mm", "Largest inward displacement within 180 ms"),
    ("rebound_mm", "mm", "Rebound of the septum outwards"),
    ("range_mm", "mm", "Septal excursion over the cycle"),
    ("range_pct", "%", "Septal excursion over the cycle, of the septum's length"),
    ("fit", "1", "Fit of the tracking, 1 is perfect"),
    ("beats_measured", "1", "Beats measured"),
    ("beats_left_out", "1", "Beats left out"),
)
"""Names, units and titles of what a reader is told: medians over the measured beats."""

_DIFFERS = (
    ("early_peak", "excursion_mm", "mm", "Early inward peak"),
    ("early_peak_time", "peak_ms", "ms", "Time of the early inward peak"),
    ("range", "range_mm", "mm", "Septal excursion over the cycle"),
)
_HOW = (
    ("low", "lowest of the beats"),
    ("high", "highest of the beats"),
    ("sd", "SD between beats"),
)

SPREAD = tuple(
    (f"{what}_{how}_{unit}", unit, f"{title}, {words}")
    for what, _, unit, title in _DIFFERS
    for how, words in _HOW
)
"""Names, units and titles of what differs between beats."""


def course_of(
    motion: BeatsMotion | None,
    rr_ms: float,
    n_left_out: int,
    *,
    from_r: bool,
    timed: bool,
    septum_mm: float,
    scaled: bool,
) -> list[float]:
    """Return the numbers of `COURSE`; NaN where there is no early peak, or nothing is known.

    Parameters
    ----------
    motion : BeatsMotion or None
        None where the septum was not followed: then the heart rate alone is known.
    rr_ms : float
        Length of the beat that is shown.
    n_left_out : int
        Beats that lie whole in the loop and were not measured.
    from_r : bool
        Whether the beats begin at R peaks; else nothing says what is early.
    timed : bool
        Whether the times are such that a beat could have them; else no rate is known.
    septum_mm : float
        Length of the septum's line.
    scaled : bool
        Whether mm are mm; else lengths are given in per cent of the septum's length alone.
    """
    per_minute = 60000.0 if timed else float("nan")
    told: dict[str, float] = {"heart_rate_bpm": per_minute / rr_ms, "beats_measured": 0.0}
    if motion is not None:
        told |= {
            "heart_rate_bpm": per_minute / float(np.median(motion.rr_ms)),
            "range_pct": 100.0 * motion.median("range_mm") / septum_mm,
            "rebound_mm": motion.median("rebound_mm"),
            "range_mm": motion.median("range_mm"),
            "fit": motion.median("fit"),
            "beats_measured": float(len(motion.beats)),
            "beats_left_out": float(n_left_out),
        }
    if motion is not None and from_r:
        told |= {
            "early_peak_mm": motion.median("excursion_mm"),
            "early_onset_ms": motion.median("onset_ms"),
            "early_peak_ms": motion.median("peak_ms"),
            "early_duration_ms": motion.median("duration_ms"),
            "early_inward_mm": motion.median("early_inward_mm"),
        }
    unknown = {name for name, unit, _ in COURSE if unit == "mm" and not scaled}
    return [float("nan") if n in unknown else told.get(n, float("nan")) for n, _, _ in COURSE]


def spread_of(motion: BeatsMotion | None) -> list[float]:
    """Return the numbers of `SPREAD`; NaN of one beat, or where the septum was not followed."""
    if motion is None:
        return [float("nan")] * len(SPREAD)
    return [
        number for _, name, _, _ in _DIFFERS for number in (*motion.limits(name), motion.sd(name))
    ]
