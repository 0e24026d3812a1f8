"""A CRT cohort: one 12-lead ECG a patient, and a response that depends on the QRS.

Each patient's probability of response follows a logistic model on the true QRS duration and QRS
area, and the label is drawn with it. The volumes in the cohort table are then made to fit the
label, so that the response has to be computed from them (LVESV15) as with real patients.

Where patients are given, their outcome is the label, and their effect sets the degree of the left
bundle branch block and, through it, duration and area of the QRS.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

import cardio_stats as stats
from cardio_core.api import write_truth
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.synthetic.patient import Noise, PatientSpec, draw_anatomy
from cardio_ecg_transfer.synthetic.simulation import Truth, simulate
from cardio_ecg_transfer.synthetic.writers import write_dicom, write_wfdb

RATE_HZ = 500.0
DURATION_S = 10.0
N_PATIENTS = 100

SLOPES = {"easy": 2.6, "medium": 1.1, "impossible": 0.2}
"""Slope of the logistic model on the index: a Bayes AUC of about .90, .75 and .55."""

_PREVALENCE_LOGIT = 0.4
_LBBB_FROM = 0.6
_WIDE_MS = 120.0
_SLOW, _BLOCK = (0.1, 0.6), (0.6, 1.0)
"""Degrees of slow conduction, and of left bundle branch block."""
_SHARES = {"lbbb": 0.6, "slow": 0.27, "rbbb": 0.13}
_QUIETER_DB, _SMALLER = 8.0, 0.75
"""By how much a shift of 1 lowers the ratio of signal to noise, and the gain."""


@dataclass(frozen=True)
class Patient:
    """One row of the cohort with what is known about it."""

    patient_id: str
    spec: PatientSpec
    ecg: Ecg
    truth: Truth
    prob_response: float | None
    response: bool
    row: dict[str, Any]


def response_index(qrs_ms: float, qrs_area_uvs: float) -> float:
    """Combine QRS duration and area, each with the mean and spread of this cohort.

    Examples
    --------
    >>> response_index(135.0, 90.0), round(response_index(166.0, 148.0), 2)
    (0.0, 1.36)
    """
    return 0.5 * (qrs_ms - 135.0) / 22.0 + 0.5 * (qrs_area_uvs - 90.0) / 44.0


def write_crt_cohort(
    folder: Path,
    n_patients: int,
    seed: int,
    *,
    difficulty: str,
    null: bool,
    given: pd.DataFrame | None = None,
) -> None:
    """Write ecg/*, cohort.csv and truth.json into an existing folder; see `synthesize`.

    The first patients are the same whatever their number: seed and patient's number are the only
    sources of chance.
    """
    slope = 0.0 if null else SLOPES[difficulty]
    (folder / "ecg").mkdir()
    if given is None:
        patients = [_draw(number, seed, slope) for number in range(1, n_patients + 1)]
    else:
        patients = [_drawn_as_given(row, seed) for row in given.itertuples()]
    for patient in patients:
        file = folder / patient.row["path_ecg"]
        if file.suffix == ".dcm":
            write_dicom(file, patient.ecg, patient.truth)
        else:
            write_wfdb(file.parent, file.stem, patient.ecg)
    with (folder / "cohort.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, list(patients[0].row), lineterminator="\n")
        table.writeheader()
        table.writerows(patient.row for patient in patients)
    chances = [item.prob_response for item in patients if item.prob_response is not None]
    drawn = {
        "difficulty": "null" if null else difficulty,
        "bayes_auc": {"response": stats.stated_bayes_auc(chances)},
        "bayes_auc_of": "all patients, from the QRS that made their ECG",
    }
    write_truth(
        folder / "truth.json",
        {
            "kind": "crt",
            "seed": seed,
            **(drawn if given is None else {"label_of": "the table of patients"}),
            "patients": {patient.patient_id: _facts(patient) for patient in patients},
        },
    )


def _draw(number: int, seed: int, slope: float) -> Patient:
    """Draw one patient: heart, ECG, response, and the table's row."""
    heart_rng, label_rng, row_rng = _streams(number, seed)
    spec = _draw_spec(heart_rng)
    ecg, truth = simulate(spec, DURATION_S, RATE_HZ, int(heart_rng.integers(2**31)))
    index = response_index(float(np.median(truth.qrs_ms)), float(np.median(truth.qrs_area_uvs)))
    probability = float(1.0 / (1.0 + np.exp(-(_PREVALENCE_LOGIT + slope * index))))
    response = bool(label_rng.uniform() < probability)
    patient_id = f"p{number:03d}"
    row = _row(patient_id, _suffix(number), spec, truth, response, row_rng)
    return Patient(patient_id, spec, ecg, truth, probability, response, row)


def _drawn_as_given(given: Any, seed: int) -> Patient:
    """Draw a patient whose outcome is told, and with it how far the ECG shows it."""
    heart_rng, _, row_rng = _streams(int(given.number), seed)
    spec = _draw_spec(heart_rng, severity=severity_of(float(given.effect)))
    noise = replace(spec.noise, snr_db=(spec.noise.snr_db or 0.0) - _QUIETER_DB * given.shift)
    spec = replace(spec, noise=noise)
    ecg, truth = simulate(spec, DURATION_S, RATE_HZ, int(heart_rng.integers(2**31)))
    gain = np.float32(_SMALLER**given.shift)
    ecg = replace(ecg, signal_mv=gain * ecg.signal_mv)
    row = _row(given.patient_id, _suffix(given.number), spec, truth, bool(given.outcome), row_rng)
    return Patient(given.patient_id, spec, ecg, truth, None, bool(given.outcome), row)


def _streams(number: int, seed: int) -> list[np.random.Generator]:
    """Return a patient's streams of chance: heart, label and row."""
    return [np.random.default_rng(s) for s in np.random.SeedSequence([seed, number]).spawn(3)]


def _suffix(number: int) -> str:
    return ".dcm" if number % 2 else ".hea"


def severity_of(effect: float) -> float:
    """Return the degree of block at the place of a standard normal effect among candidates for CRT.

    Examples
    --------
    >>> [round(severity_of(effect), 2) for effect in (-3.0, -1.0, 0.0, 1.0, 3.0)]
    [0.1, 0.36, 0.71, 0.91, 1.0]
    """
    share, slow = float(ndtr(effect)), _SHARES["slow"] / (_SHARES["slow"] + _SHARES["lbbb"])
    return float(np.interp(share, (0.0, slow, 1.0), (*_SLOW, _BLOCK[1])))


def _draw_spec(rng: np.random.Generator, severity: float | None = None) -> PatientSpec:
    """Draw a candidate for CRT: mostly left bundle branch block of some degree, or of a given one.

    The block is then always the left bundle's: what the right one does to the QRS tells nothing of
    an effect.
    """
    kind = "lbbb"
    if severity is None:
        kind = str(rng.choice(list(_SHARES), p=list(_SHARES.values())))
        severity = {"lbbb": rng.uniform(*_BLOCK), "slow": rng.uniform(*_SLOW), "rbbb": 1.0}[kind]
    return PatientSpec(
        conduction="rbbb" if kind == "rbbb" else "lbbb",
        severity=float(severity),
        heart_rate_bpm=float(rng.uniform(55.0, 90.0)),
        rr_variability=float(rng.uniform(0.02, 0.05)),
        anatomy=draw_anatomy(rng),
        noise=Noise(snr_db=float(rng.uniform(15.0, 26.0))),
    )


def _row(
    patient_id: str,
    suffix: str,
    spec: PatientSpec,
    truth: Truth,
    response: bool,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Fill the cohort table's columns; the volumes tell the response, nothing else does."""
    qrs_ms = float(np.median(truth.qrs_ms))
    lvesv_bl = round(float(rng.uniform(90.0, 260.0)), 1)
    lvef_bl = round(float(rng.uniform(18.0, 35.0)), 1)
    shrinkage = float(rng.uniform(0.17, 0.45) if response else rng.uniform(-0.15, 0.13))
    gain = float(rng.uniform(6.0, 16.0) if response else rng.uniform(-4.0, 4.5))
    lvesv_fu, lvef_fu = round(lvesv_bl * (1 - shrinkage), 1), round(lvef_bl + gain, 1)
    return {
        "patient_id": patient_id,
        "study_id": f"{patient_id}-bl",
        "site_id": str(rng.choice(["north", "south"])),
        "timepoint": "baseline",
        "days_from_implant": -int(rng.integers(1, 30)),
        "days_to_followup": int(rng.integers(160, 205)),
        "path_ecg": f"ecg/{patient_id}{suffix}",
        "lvesv_bl_ml": lvesv_bl,
        "lvesv_fu_ml": lvesv_fu,
        "lvedv_bl_ml": round(lvesv_bl / (1 - lvef_bl / 100), 1),
        "lvedv_fu_ml": round(lvesv_fu / (1 - lvef_fu / 100), 1),
        "lvef_bl_pct": lvef_bl,
        "lvef_fu_pct": lvef_fu,
        "vol_method": "echo_biplane",
        "followup_status": "complete",
        "age_y": round(float(rng.normal(66.0, 10.0)), 1),
        "sex": str(rng.choice(["M", "F"], p=[0.7, 0.3])),
        "qrs_ms": round(qrs_ms),
        "qrs_morph": _morphology(spec, qrs_ms),
        "lbbb_criterion": "Strauss",
        "rhythm": "sinus",
        "hr_bpm": round(60.0 / float(np.median(np.diff(truth.r_s)))),
        "ischemic_aetiology": int(rng.integers(0, 2)),
    }


def _morphology(spec: PatientSpec, qrs_ms: float) -> str:
    """Name the QRS as a reader would who knows what made it."""
    if qrs_ms < _WIDE_MS:
        return "narrow"
    if spec.conduction == "rbbb":
        return "RBBB"
    return "LBBB" if spec.severity >= _LBBB_FROM else "IVCD"


def _facts(patient: Patient) -> dict[str, Any]:
    """Return what is known of a patient, ready for JSON."""
    truth = patient.truth
    return {
        "response": int(patient.response),
        "prob_response": patient.prob_response,
        "conduction": patient.spec.conduction,
        "severity": patient.spec.severity,
        "qrs_ms": np.median(truth.qrs_ms),
        "qrs_area_uvs": np.median(truth.qrs_area_uvs),
        "r_s": truth.r_s,
        "qrs_on_s": truth.qrs_on_s,
        "qrs_off_s": truth.qrs_off_s,
    }
