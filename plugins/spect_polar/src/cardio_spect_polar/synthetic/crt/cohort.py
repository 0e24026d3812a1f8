"""A CRT cohort: gated studies as DICOM, and a response that depends on dyssynchrony and scar.

Each patient's probability of response follows a logistic model on the delay of the free wall
where it is not scarred, on scar and on QRS duration; the label is drawn with it. The volumes in
the cohort table are then made to fit the label, so that the response has to be computed from them
(LVESV15) as with real patients. Where patients are given, their outcome is the label, and their
effect sets how late the free wall is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import cardio_stats as stats
from cardio_core.api import write_truth
from cardio_spect_polar.polar.segments import LATERAL
from cardio_spect_polar.synthetic.crt.patients import (
    SLOPES,
    Heart,
    draw_heart,
    index_terms,
    lateness_of,
    prob_response,
    small_heart,
)
from cardio_spect_polar.synthetic.crt.site import draw_site
from cardio_spect_polar.synthetic.crt.table import table_row
from cardio_spect_polar.synthetic.phantom.imaging import Camera, image
from cardio_spect_polar.synthetic.phantom.truth import Truth
from cardio_spect_polar.synthetic.write_nm import write_nm

N_PATIENTS = 100
OUTLIER = 12
"""Number of the patient with a baseline LVESV of 16 mL, as the paper had one."""
OUTLIER_LVESV_ML = 16.0

_EVERY_STRESS = 5
_STRESS_COUNTS = 0.8
_SHIFTED_COUNTS, _SHIFTED_FWHM_MM = 0.4, 3.0
"""What a shift of 1 leaves of the counts, and adds to the point spread."""


@dataclass(frozen=True)
class Known:
    """A patient before the studies are written; ``prob_response`` None where the label is told."""

    patient_id: str
    number: int
    heart: Heart
    camera: Camera
    prob_response: float | None
    response: bool


@dataclass(frozen=True)
class Patient(Known):
    """One row of the cohort with what is known about it."""

    truth: Truth
    row: dict[str, Any]


def write_crt_cohort(
    folder: Path,
    n_patients: int = N_PATIENTS,
    seed: int = 0,
    *,
    difficulty: str = "medium",
    null: bool = False,
    given: pd.DataFrame | None = None,
) -> None:
    """Write spect/*.dcm, cohort.csv and truth.json.

    Everybody has a study at rest, every fifth patient also one at stress. Files differ as
    hospitals' do: slices from the apex or from the base, frames in order or not.

    Parameters
    ----------
    folder : Path
        Must exist.
    n_patients : int
        How many; the first ones are the same whatever their number.
    seed : int
        With the patient's number the only source of chance.
    difficulty : {'easy', 'medium', 'impossible'}
        See `SLOPES`.
    null : bool
        Draw the response independently of everything: a Bayes AUC of exactly .5.
    given : DataFrame, optional
        Who is recorded, in place of all this but the seed; see `synthesize`.
    """
    slope = 0.0 if null else SLOPES[difficulty]
    (folder / "spect").mkdir()
    if given is None:
        patients = [_draw(folder, number, seed, slope) for number in range(1, n_patients + 1)]
    else:
        patients = [_drawn_as_given(folder, one, seed) for one in given.itertuples()]
    table = pd.DataFrame([patient.row for patient in patients], dtype=object)
    table.to_csv(folder / "cohort.csv", index=False, lineterminator="\n")
    analysed = [one for one in patients if _analysed(one)]
    chances = [one.prob_response for one in analysed if one.prob_response is not None]
    drawn = {
        "difficulty": "null" if null else difficulty,
        "bayes_auc": {"response": stats.stated_bayes_auc(chances)},
        "bayes_auc_of": "patients with an outcome and an LVESV above 20 mL, from delay, scar "
        "and QRS as they were drawn",
    }
    write_truth(
        folder / "truth.json",
        {
            "kind": "crt",
            "seed": seed,
            **(drawn if given is None else {"label_of": "the table of patients"}),
            "effect_segments": list(LATERAL) if slope else [],
            "patients": {patient.patient_id: _facts(patient) for patient in patients},
        },
    )


def draw_patient(number: int, seed: int) -> tuple[Heart, str, Camera]:
    """Return the heart of a patient of the cohort, the hospital, and its camera.

    Parameters
    ----------
    number : int
        From 1.
    seed : int
        Of the cohort.

    Examples
    --------
    >>> heart, site, camera = draw_patient(3, 0)
    >>> site, camera.n_slots, len(heart.ventricle.delay_rr)
    ('south', 8, 17)
    """
    heart_rng, camera_rng, *_ = _streams(number, seed)
    heart = small_heart(heart_rng) if number == OUTLIER else draw_heart(heart_rng)
    return heart, *draw_site(camera_rng)


def _streams(number: int, seed: int) -> list[np.random.Generator]:
    """Return a patient's streams of chance: heart, camera, label, row and noise."""
    return [np.random.default_rng(s) for s in np.random.SeedSequence([seed, number]).spawn(5)]


def _draw(folder: Path, number: int, seed: int, slope: float) -> Patient:
    """Draw one patient, write the studies, and fill the table's row."""
    label_rng = _streams(number, seed)[2]
    patient_id = f"p{number:03d}"
    heart, site, camera = draw_patient(number, seed)
    probability = prob_response(heart, slope)
    response = bool(label_rng.uniform() < probability)
    known = Known(patient_id, number, heart, camera, probability, response)
    return _write(folder, known, seed, site, OUTLIER_LVESV_ML if number == OUTLIER else None)


def _drawn_as_given(folder: Path, one: Any, seed: int) -> Patient:
    """Draw a patient whose outcome is told, and with it how far the study shows it."""
    number, shift = int(one.number), float(one.shift)
    heart_rng, camera_rng, *_ = _streams(number, seed)
    heart = draw_heart(heart_rng, lateness_of(float(one.effect)))
    site, camera = draw_site(camera_rng)
    camera = replace(
        camera,
        counts_per_voxel=_SHIFTED_COUNTS**shift * camera.counts_per_voxel,
        fwhm_mm=camera.fwhm_mm + _SHIFTED_FWHM_MM * shift,
    )
    known = Known(one.patient_id, number, heart, camera, None, bool(one.outcome))
    return _write(folder, known, seed, site)


def _write(
    folder: Path, known: Known, seed: int, site: str, lvesv_ml: float | None = None
) -> Patient:
    """Write the studies of a patient, and fill the table's row."""
    *_, row_rng, noise_rng = _streams(known.number, seed)
    heart, camera, number = known.heart, known.camera, known.number
    cameras = {"rest": camera}
    if number % _EVERY_STRESS == 0:
        cameras["stress"] = replace(
            camera, counts_per_voxel=_STRESS_COUNTS * camera.counts_per_voxel
        )
    files = []
    for state, taken in cameras.items():
        counts, voxel_mm, truth = image(heart.ventricle, noise_rng, taken)
        apex_first = number % 2 == 1
        name = f"spect/{known.patient_id}_{state}.dcm"
        write_nm(
            folder / name,
            counts[:, ::-1] if apex_first else counts,
            voxel_mm,
            apex_first=apex_first,
            state="stress" if state == "stress" else "rest",
            rr_ms=heart.ventricle.rr_ms,
            rejected_share=taken.drop_off / 2,
            shuffle_seed=number if number % 3 == 0 else None,
        )
        files.append(name)
    told = known.prob_response is None
    row = table_row(
        known.patient_id, heart, truth, site, known.response, row_rng,
        lvesv_ml=lvesv_ml, all_return=told,
    )  # fmt: skip
    row["path_spect"] = ";".join(files)
    return Patient(**vars(known), truth=truth, row=row)


def _analysed(patient: Patient) -> bool:
    complete = patient.row["followup_status"] == "complete"
    return bool(complete and patient.row["lvesv_bl_ml"] > OUTLIER_LVESV_ML)


def _facts(patient: Patient) -> dict[str, Any]:
    truth, ventricle = patient.truth, patient.heart.ventricle
    return {
        "response": int(patient.response),
        "prob_response": patient.prob_response,
        "index_terms": index_terms(patient.heart),
        "late_rr": patient.heart.late_rr,
        "late_deg": patient.heart.late_deg,
        "scarred_segments": list(patient.heart.scarred),
        "segment_phase_deg": truth.segment_phase_deg,
        "segment_perfusion": truth.segment_perfusion,
        "psd_deg": truth.psd_deg,
        "pbw_deg": truth.pbw_deg,
        "scar_pct": truth.scar_pct,
        "edv_ml": truth.edv_ml,
        "esv_ml": truth.esv_ml,
        "ef_pct": truth.ef_pct,
        "gated_ef_pct": truth.gated_ef_pct,
        "base_mm": truth.base_mm,
        "apex_mm": truth.apex_mm,
        "end_systole_rr": ventricle.end_systole_rr,
        "tilt_deg": ventricle.tilt_deg,
        "shortening_mm": ventricle.shortening_mm,
        "shortening_difference": ventricle.shortening_difference,
        "twist_deg": ventricle.twist_deg,
        "gut_activity": ventricle.gut_activity,
        "liver_activity": ventricle.liver_activity,
        "voxel_mm": patient.camera.voxel_mm[0],
        "n_slots": patient.camera.n_slots,
        "slot_gain": list(patient.camera.slot_gain),
        "empty_ends": [list(end) for end in patient.camera.empty_ends],
        "counts_per_voxel": patient.camera.counts_per_voxel,
        "drop_off": patient.camera.drop_off,
        "fwhm_mm": patient.camera.fwhm_mm,
    }
