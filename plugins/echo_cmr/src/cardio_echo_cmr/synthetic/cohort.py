"""A cohort of echo studies with their CMR, and its truth.

Loops are DICOM ultrasound of colour type (YBR_FULL_422, JPEG), with a made-up name in the header
and burned in beside the sector's tip, and a green ECG trace below the sector.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

import cardio_stats as stats
from cardio_core.api import write_truth
from cardio_echo_cmr.segments import VIEWS
from cardio_echo_cmr.synthetic.findings import WMA_PREVALENCE, draw_response, response_probability
from cardio_echo_cmr.synthetic.loop import LoopSpec, ecg_mv, echo_loop
from cardio_echo_cmr.synthetic.patients import Person, Study, draw_person, draw_studies
from cardio_ultrasound import Conditions, TracedEcg, burn_in, write_us_loop

N_PATIENTS = 100
PATIENTS_A_PROCESS = 4
"""Fewer are written before another process has started."""

DIFFICULTIES = ("clear", "medium", "subtle", "impossible")

_ECG_RATE_HZ = 250.0


def write_cmr_cohort(
    folder: Path,
    n_patients: int = N_PATIENTS,
    seed: int = 0,
    *,
    difficulty: str = "subtle",
    given: pd.DataFrame | None = None,
) -> None:
    """Write loops/*.dcm, cohort.csv and truth.json.

    Loops are 216 × 232 pixels and at least 1.05 s long at 30 to 60 frames a second.

    Parameters
    ----------
    folder : Path
        Must exist.
    n_patients : int
        How many; the first ones are the same whatever their number.
    seed : int
        With the patient's number the only source of chance.
    difficulty : {"clear", "medium", "subtle", "impossible"}
        See `draw_findings`.
    given : DataFrame, optional
        Who is recorded, in place of a number; see `synthesize`.

    Notes
    -----
    ``bayes_auc`` of the truth is what ranking by the true probabilities reaches on average, over
    the studies of this cohort; over many patients that of ``lge`` is .95, .70 or .50.
    """
    (folder / "loops").mkdir()
    requests = (
        [Request(f"p{number:03d}", number) for number in range(1, n_patients + 1)]
        if given is None
        else [Request.given(row) for row in given.itertuples()]
    )
    n_jobs = min(os.cpu_count() or 1, len(requests) // PATIENTS_A_PROCESS) or 1
    written = Parallel(n_jobs=n_jobs)(
        delayed(_write_patient)(folder, patient, seed, difficulty) for patient in requests
    )
    people = {item.person.patient_id: _facts_of_person(item.person) for item in written}
    rows = [row for entry in written for row in entry.rows]
    studies = {study: facts for patient in written for study, facts in patient.studies.items()}
    chances = [patient.person.findings.lge_probability for patient in written for _ in patient.rows]
    responses = [
        response_probability(patient.person.findings, difficulty)
        for patient in written
        for _ in patient.rows
    ]
    pd.DataFrame(rows).to_csv(folder / "cohort.csv", index=False, lineterminator="\n")
    truth = {
        "kind": "echo_cmr",
        "seed": seed,
        "difficulty": difficulty,
        "bayes_auc": {
            "wma": 0.5 if difficulty == "impossible" else 1.0,
            "lge": stats.stated_bayes_auc(chances),
            **({"responder": stats.stated_bayes_auc(responses)} if given is None else {}),
            **dict.fromkeys(("t1_high", "t2_high", "ecv_high"), 0.5),
        },
        "bayes_auc_of": "all studies: wma from the motion of the segments, lge from thinning and "
        "ejection fraction, responder from the number of abnormal segments; t1, t2 and ecv depend "
        "on nothing that is recorded",
        "wma_prevalence": WMA_PREVALENCE,
        "patients": people,
        "studies": studies,
    }
    write_truth(folder / "truth.json", truth)


@dataclass(frozen=True)
class Request:
    """A patient to be recorded: the number, beside the seed, is the only source of chance.

    Attributes
    ----------
    patient_id : str
    number : int
    outcome : bool or None
        Whether the patient responds; drawn where it is None.
    effect : float or None
        See `draw_findings`.
    shift : float
        See `draw_studies`.
    """

    patient_id: str
    number: int
    outcome: bool | None = None
    effect: float | None = None
    shift: float = 0.0

    @classmethod
    def given(cls, row: Any) -> Request:
        """Take a row of the table of patients."""
        number, outcome = int(row.number), bool(row.outcome)
        return cls(row.patient_id, number, outcome, float(row.effect), float(row.shift))


@dataclass(frozen=True)
class _Written:
    """A patient whose loops are written: rows of the table, and facts of the loops by study."""

    person: Person
    rows: list[dict[str, Any]]
    studies: dict[str, Any]


def _write_patient(folder: Path, request: Request, seed: int, difficulty: str) -> _Written:
    """Write one patient's loops; nobody else's chance enters."""
    who, how, speckle, after = (
        np.random.default_rng(stream)
        for stream in np.random.SeedSequence([seed, request.number]).spawn(4)
    )
    person = draw_person(request.patient_id, who, difficulty=difficulty, effect=request.effect)
    responds = request.outcome
    if responds is None:
        responds = draw_response(after, response_probability(person.findings, difficulty))
    written = _Written(person, [], {})
    for study in draw_studies(person, how, clean=difficulty != "subtle", shift=request.shift):
        streams = dict(zip(VIEWS, speckle.spawn(len(VIEWS)), strict=True))
        for view, spec in study.loops.items():
            _write_loop(folder / _file_of(study, view), person, spec, streams[view])
        written.rows.append(_row(person, study) | {"responder": int(responds)})
        written.studies[study.study_id] = {v: _facts_of_loop(s) for v, s in study.loops.items()}
    return written


def _file_of(study: Study, view: str) -> str:
    return f"loops/{study.study_id}-{view}.dcm"


def _write_loop(path: Path, person: Person, spec: LoopSpec, rng: np.random.Generator) -> None:
    """Write a loop with a name beside the sector's tip and an ECG trace below it."""
    sector, beat = spec.sector, spec.beat
    length_ms = float(spec.time_ms[-1])
    ecg = ecg_mv(beat.phase(np.arange(0.0, length_ms, 1000.0 / _ECG_RATE_HZ)))
    first_row, first_column, last_row, last_column = sector.box_px()
    frames = echo_loop(spec, rng)
    printed = burn_in(
        np.repeat(frames[..., None], 3, axis=-1),
        (person.name, person.patient_id.upper()),
        ecg_mv=ecg,
        font_px=9,
        trace_rows=(last_row + 5, sector.n_rows - 3),
    )
    write_us_loop(
        path,
        printed.frames,
        frame_rate_hz=spec.rate_hz,
        mm_per_pixel=(sector.spacing_mm, sector.spacing_mm),
        region=(first_column, first_row, last_column, last_row),
        photometric="YBR_FULL_422",
        compression="jpeg",
        r_times_ms=beat.r_times_ms(length_ms),
        ecg=TracedEcg(ecg, _ECG_RATE_HZ),
        heart_rate_bpm=round(beat.hr_bpm),
        extra={"PatientName": person.name},
        jpeg_quality=(spec.held or Conditions()).jpeg_quality,
    )


def _row(person: Person, study: Study) -> dict[str, Any]:
    """Fill the cohort table's columns."""
    found = person.findings
    segments = {
        f"{name}_seg_{segment:02d}": int(segment in positive)
        for name, positive in (("wma", found.wma), ("lge", found.lge))
        for segment in range(1, 18)
    }
    paths = {
        f"path_echo_{view}": _file_of(study, view) if view in study.loops else "" for view in VIEWS
    }
    tissue = {name: "" if value is None else value for name, value in found.tissue.items()}
    return {
        "patient_id": person.patient_id,
        "study_id": study.study_id,
        "age_y": person.age_y,
        "sex": person.sex,
        "days_echo_to_cmr": study.days_echo_to_cmr,
        **paths,
        "lvef_bl_pct": found.lvef_pct,
        **tissue,
        **segments,
    }


def _facts_of_person(person: Person) -> dict[str, Any]:
    """Return what is known of a patient, ready for JSON."""
    found = person.findings
    return {
        "name": person.name,
        "amplitude": [found.amplitude[segment] for segment in range(1, 18)],
        "thickness": [found.thickness[segment] for segment in range(1, 18)],
        "wma": list(found.wma),
        "lge": list(found.lge),
        "lvef_pct": found.lvef_pct,
        "lge_score": found.lge_score,
        "prob_lge": found.lge_probability,
    }


def _facts_of_loop(spec: LoopSpec) -> dict[str, Any]:
    """Return what is known of a loop, ready for JSON."""
    geometry = spec.geometry
    return {
        "rate_hz": spec.rate_hz,
        "n_frames": spec.n_frames,
        "hr_bpm": spec.beat.hr_bpm,
        "first_r_ms": spec.beat.first_r_ms,
        "depth_mm": spec.sector.depth_mm,
        "half_angle_deg": spec.sector.half_angle_deg,
        "mm_per_pixel": spec.sector.spacing_mm,
        "anchor_mm": geometry.anchor_mm,
        "tilt_deg": geometry.tilt_deg,
        "half_width_mm": geometry.wall.half_width_mm,
        "length_mm": geometry.wall.length_mm,
        "wall_mm": geometry.wall.wall_mm,
        "held": None if spec.held is None else asdict(spec.held),
    }
