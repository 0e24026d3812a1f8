"""Who is recorded, and what their septum does: drawing studies whose probabilities are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from cardio_mmode_septal_flash.synthetic.anatomy import Anatomy
from cardio_mmode_septal_flash.synthetic.septal_flash import Beat, LoopSpec, SeptalMotion
from cardio_ultrasound import Conditions, darker, draw_conditions

TIMEPOINTS = ("baseline", "follow-up")

FOLLOW_UP_SHARE = 0.5
"""Patients who come back; the paper's 89 patients have 143 usable sequences."""

PREVALENCE = {"baseline": 0.5, "follow-up": 0.5}
CONFOUNDED = {"baseline": 0.85, "follow-up": 0.12}
"""How often a flash is seen: resynchronisation takes it away, where a lead then lies."""

_STAYS = 0.7
_MURKY_SHARE = {"clear": 0.0, "medium": 0.3, "subtle": 0.0, "impossible": 0.0}
_FLASH_MM = {
    ("clear", True): (3.0, 6.0),
    ("medium", True): (0.5, 3.5),
    ("medium", False): (0.0, 1.5),
    ("subtle", True): (1.0, 3.0),
}
_SEEN_FROM_MM, _SEEN_PER_MM = {"medium": 1.25, "subtle": 1.0}, {"medium": 2.5, "subtle": 4.0}


@dataclass(frozen=True)
class Study:
    """One study and what is known about it.

    Attributes
    ----------
    patient_id, study_id, timepoint : str
        Who and when.
    spec : LoopSpec
        What is recorded.
    probability : float
        Of the label being 1, given what is recorded.
    label : bool
        What the reader says.
    """

    patient_id: str
    study_id: str
    timepoint: str
    spec: LoopSpec
    probability: float
    label: bool


def draw_patient(
    patient_id: str, rng: np.random.Generator, *, difficulty: str, confounder: bool
) -> Iterator[Study]:
    """Draw the studies of one patient: a baseline, and a follow-up in half of them.

    Parameters
    ----------
    patient_id : str
        Also how the ids of the studies begin.
    rng : numpy.random.Generator
        The only source of chance.
    difficulty : {"clear", "medium", "subtle", "impossible"}
        ``clear``: a flash of 3 to 6 mm or none, and the label says which. ``medium``: flashes of
        0 to 3.5 mm, which the reader sees the more often the larger they are (a logistic function,
        half of those of 1.25 mm). ``subtle``: a flash of 1 to 3 mm or none, a reader who misses
        half of those of 1 mm and hardly one of 2 mm, and recordings under the conditions of the
        clinic (`cardio_ultrasound.draw_conditions`).
        ``impossible``: no flash in anybody, and labels by the toss of a coin.
    confounder : bool
        At follow-up a pacing lead lies in the right ventricle, the motion is that of a paced
        heart, and flashes (``impossible``: labels) are rare; at baseline they are common.

    Yields
    ------
    Study
        Baseline first.
    """
    anatomy = _draw_anatomy(rng)
    prevalence = CONFOUNDED if confounder else PREVALENCE
    comes_back = rng.uniform() < FOLLOW_UP_SHARE
    flash = None
    for timepoint in TIMEPOINTS[: 1 + comes_back]:
        drawn = bool(rng.uniform() < prevalence[timepoint])
        stays = bool(rng.uniform() < _STAYS)
        flash = drawn if flash is None or confounder or not stays else flash
        amplitude_mm = _draw_amplitude_mm(flash, difficulty, rng)
        paced = confounder and timepoint == "follow-up"
        spec = _draw_loop(anatomy, amplitude_mm, paced, difficulty, rng)
        probability = {
            "clear": float(flash),
            "medium": seen_probability(amplitude_mm, "medium"),
            "subtle": seen_probability(amplitude_mm, "subtle"),
            "impossible": prevalence[timepoint],
        }[difficulty]
        study_id = f"{patient_id}-{'bl' if timepoint == 'baseline' else 'fu'}"
        label = bool(rng.uniform() < probability)
        if difficulty == "subtle":
            # A stream of its own, so that hearts and flashes are drawn as elsewhere.
            spec = replace(spec, held=draw_conditions(rng.spawn(1)[0]))
        yield Study(patient_id, study_id, timepoint, spec, probability, label)


def draw_as_given(
    patient_id: str,
    rng: np.random.Generator,
    *,
    difficulty: str,
    effect: float,
    shift: float = 0.0,
) -> Study:
    """Draw the baseline study of a patient whose effect is told.

    Parameters
    ----------
    patient_id : str
    rng : numpy.random.Generator
        The only source of chance.
    difficulty : {"clear", "medium", "subtle"}
        See `draw_patient`: the reader is that one's, and so are the recordings.
    effect : float
        Size of the flash; see `flash_mm_of`.
    shift : float
        A scanner with less gain and more noise, by 6 and 8 dB for 1.
    """
    anatomy = _draw_anatomy(rng)
    flash_mm = flash_mm_of(effect, difficulty)
    spec = _draw_loop(anatomy, flash_mm, False, difficulty, rng)
    probability = (
        float(flash_mm > 0) if difficulty == "clear" else seen_probability(flash_mm, difficulty)
    )
    label = bool(rng.uniform() < probability)
    if difficulty == "subtle":
        spec = replace(spec, held=draw_conditions(rng.spawn(1)[0]))
    if shift:
        held = spec.held or Conditions(look=spec.look, blood_db=spec.blood_db)
        spec = replace(spec, held=replace(held, look=darker(held.look, shift)))
    return Study(patient_id, f"{patient_id}-bl", TIMEPOINTS[0], spec, probability, label)


def flash_mm_of(effect: float, difficulty: str) -> float:
    """Return the flash at the place of a standard normal effect: none in the lower half.

    Examples
    --------
    >>> [round(flash_mm_of(effect, "subtle"), 1) for effect in (-3.0, -0.1, 0.1, 1.0, 3.0)]
    [0.0, 0.0, 1.2, 2.4, 3.0]
    """
    share = float(ndtr(effect))
    have = PREVALENCE["baseline"]
    low, high = _FLASH_MM[difficulty, share > 1 - have] if share > 1 - have else (0.0, 0.0)
    return low + (high - low) * max(0.0, (share - (1 - have)) / have)


def seen_probability(flash_mm: float, difficulty: str) -> float:
    """Return how likely the reader of the medium or the subtle cohort sees a flash.

    Examples
    --------
    >>> [round(seen_probability(mm, "medium"), 2) for mm in (0.0, 1.25, 3.0)]
    [0.04, 0.5, 0.99]
    >>> [round(seen_probability(mm, "subtle"), 2) for mm in (0.0, 1.0, 2.0)]
    [0.02, 0.5, 0.98]
    """
    beyond = _SEEN_PER_MM[difficulty] * (flash_mm - _SEEN_FROM_MM[difficulty])
    return float(1.0 / (1.0 + np.exp(-beyond)))


def _draw_amplitude_mm(flash: bool, difficulty: str, rng: np.random.Generator) -> float:
    low, high = _FLASH_MM.get((difficulty, flash), (0.0, 0.0))
    return float(rng.uniform(low, high))


def _draw_anatomy(rng: np.random.Generator) -> Anatomy:
    return Anatomy(
        length_mm=float(rng.uniform(76.0, 86.0)),
        half_width_mm=float(rng.uniform(25.0, 31.0)),
        wall_mm=float(rng.uniform(8.0, 10.5)),
        rv_width_mm=float(rng.uniform(21.0, 28.0)),
        apex_mm=(float(rng.uniform(5.0, 11.0)), float(rng.uniform(13.5, 16.0))),
        tilt_deg=float(rng.uniform(-6.0, 1.0)),
        texture_seed=int(rng.integers(2**31)),
    )


def draw_beat_and_flash(flash_mm: float, rng: np.random.Generator) -> tuple[Beat, SeptalMotion]:
    """Draw a beat, and a septum whose flash ends before the aortic valve opens.

    The clock and the excursion in systole are drawn in the same way where there is no flash, so
    that nothing but the flash and its rebound tells it.
    """
    while True:
        mvc_ms, avo_ms = rng.uniform(20.0, 50.0), rng.uniform(90.0, 140.0)
        onset_ms, duration_ms = rng.uniform(10.0, 40.0), rng.uniform(60.0, 120.0)
        if onset_ms + duration_ms < avo_ms - 2.0:
            break
    motion = SeptalMotion(
        flash_mm=flash_mm,
        onset_ms=float(onset_ms),
        duration_ms=float(duration_ms),
        rebound_mm=float(flash_mm * rng.uniform(0.3, 0.6)),
        systolic_mm=float(rng.uniform(4.0, 7.0)),
        systolic_onset_ms=float(rng.uniform(30.0, 60.0)),
    )
    return Beat(float(rng.uniform(50.0, 110.0)), float(mvc_ms), float(avo_ms)), motion


def _draw_loop(
    anatomy: Anatomy, flash_mm: float, paced: bool, difficulty: str, rng: np.random.Generator
) -> LoopSpec:
    beat, septum = draw_beat_and_flash(flash_mm, rng)
    lateral_mm, base_mm = rng.uniform(4.0, 7.0), rng.uniform(5.0, 9.0)
    spec = LoopSpec(
        anatomy,
        beat,
        septum,
        rate_hz=round(float(rng.uniform(40.0, 90.0)), 1),
        lead_in_ms=float(rng.uniform(10.0, 60.0)),
        lateral_mm=float(lateral_mm),
        lateral_onset_ms=float(rng.uniform(30.0, 80.0)),
        base_mm=float(base_mm),
        rv_mm=float(rng.uniform(3.0, 5.0)),
        breath_mm=float(rng.uniform(0.3, 1.2)),
        breath_rad=float(rng.uniform(0.0, 2 * np.pi)),
        murky=bool(rng.uniform() < _MURKY_SHARE[difficulty]),
        lead=paced,
    )
    if not paced:
        return spec
    # Paced from the apex, the septum moves later and less, the free wall earlier.
    late = replace(
        septum,
        systolic_mm=0.6 * septum.systolic_mm,
        systolic_onset_ms=septum.systolic_onset_ms + 40.0,
    )
    return replace(spec, septum=late, lateral_onset_ms=30.0, rv_mm=1.3 * spec.rv_mm)
