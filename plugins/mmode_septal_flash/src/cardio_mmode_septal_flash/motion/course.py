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
    motion: BeatsMotion | None, rr_ms: float, n_left_out: int, *, from_r: bool
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
    """
    told: dict[str, float] = {"heart_rate_bpm": 60000.0 / rr_ms, "beats_measured": 0.0}
    if motion is not None:
        told |= {
            "heart_rate_bpm": 60000.0 / float(np.median(motion.rr_ms)),
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
    return [told.get(name, float("nan")) for name, _, _ in COURSE]


def spread_of(motion: BeatsMotion | None) -> list[float]:
    """Return the numbers of `SPREAD`; NaN of one beat, or where the septum was not followed."""
    if motion is None:
        return [float("nan")] * len(SPREAD)
    return [
        number for _, name, _, _ in _DIFFERS for number in (*motion.limits(name), motion.sd(name))
    ]
