"""A CRT cohort: gated studies as DICOM, and a response that depends on dyssynchrony and scar.

Each patient's probability of response follows a logistic model on the delay of the free wall
where it is not scarred, on scar and on QRS duration; the label is drawn with it. The volumes in
the cohort table are then made to fit the label, so that the response has to be computed from them
(LVESV15) as with real patients.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core import stats
from cardio_core.api import write_truth
from cardio_spect_polar.polar.segments import LATERAL
from cardio_spect_polar.synthetic.crt.patients import (
    SLOPES,
    Heart,
    draw_heart,
    index_terms,
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


@dataclass(frozen=True)
class Patient:
    """One row of the cohort with what is known about it."""

    patient_id: str
    heart: Heart
    camera: Camera
    truth: Truth
    prob_response: float
    response: bool
    row: dict[str, Any]


def write_crt_cohort(
    folder: Path,
    n_patients: int = N_PATIENTS,
    seed: int = 0,
    *,
    difficulty: str = "medium",
    null: bool = False,
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
    """
    slope = 0.0 if null else SLOPES[difficulty]
    (folder / "spect").mkdir()
    patients = [_write(folder, number, seed, slope) for number in range(1, n_patients + 1)]
    table = pd.DataFrame([patient.row for patient in patients], dtype=object)
    table.to_csv(folder / "cohort.csv", index=False, lineterminator="\n")
    analysed = [patient for patient in patients if _analysed(patient)]
    write_truth(
        folder / "truth.json",
        {
            "kind": "crt",
            "seed": seed,
            "difficulty": "null" if null else difficulty,
            "bayes_auc": {
                "response": stats.stated_bayes_auc([patient.prob_response for patient in analysed])
            },
            "bayes_auc_of": "patients with an outcome and an LVESV above 20 mL, from delay, scar "
            "and QRS as they were drawn",
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


def _write(folder: Path, number: int, seed: int, slope: float) -> Patient:
    """Draw one patient, write the studies, and fill the table's row."""
    _, _, label_rng, row_rng, noise_rng = _streams(number, seed)
    patient_id = f"p{number:03d}"
    odd = number == OUTLIER
    heart, site, camera = draw_patient(number, seed)
    probability = prob_response(heart, slope)
    response = bool(label_rng.uniform() < probability)
    cameras = {"rest": camera}
    if number % _EVERY_STRESS == 0:
        cameras["stress"] = replace(
            camera, counts_per_voxel=_STRESS_COUNTS * camera.counts_per_voxel
        )
    files = []
    for state, taken in cameras.items():
        counts, voxel_mm, truth = image(heart.ventricle, noise_rng, taken)
        apex_first = number % 2 == 1
        name = f"spect/{patient_id}_{state}.dcm"
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
    lvesv_ml = OUTLIER_LVESV_ML if odd else None
    row = table_row(patient_id, heart, truth, site, response, row_rng, lvesv_ml=lvesv_ml)
    row["path_spect"] = ";".join(files)
    return Patient(patient_id, heart, camera, truth, probability, response, row)


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
