"""A cohort of apical four-chamber loops with septal flash or without, and its truth.

The septum's JSON is ``{"points_px": [[row, column], ...], "frame": n}``: 62 points along the middle
of the septum from base to apex, in pixels of the whole picture counted from 0 at the centre of the
first pixel, at frame ``n`` counted from 0, the end-diastolic one. The R peaks' JSON is
``{"r_times_ms": [...]}`` from the first frame.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import cardio_stats as stats
from cardio_core.api import write_truth
from cardio_mmode_septal_flash.synthetic.patients import (
    TIMEPOINTS,
    Study,
    draw_as_given,
    draw_patient,
)
from cardio_mmode_septal_flash.synthetic.septal_flash import (
    SECTOR,
    LoopSpec,
    SeptumTruth,
    ecg_mv,
    moved,
    septal_flash_loop,
    septum_truth,
)
from cardio_ultrasound import Conditions, OnScreen, TracedEcg, burn_in, on_screen, write_us_loop

N_PATIENTS = 100
DIFFICULTIES = ("clear", "medium", "subtle", "impossible")

_ECG_RATE_HZ = 250.0
TEXTS_SHOWN = {"name": "SYNTHETIC", "hospital": "PHANTOM HOSPITAL"}
_LOW_CONTRAST_DB = -20.0
_FOLDERS = ("loops", "septum", "rpeaks")


def write_septal_flash_cohort(
    folder: Path,
    n_patients: int = N_PATIENTS,
    seed: int = 0,
    *,
    difficulty: str = "subtle",
    confounder: bool = False,
    id_prefix: str = "p",
    given: pd.DataFrame | None = None,
) -> None:
    """Write loops/*.dcm, septum/*.json, rpeaks/*.json, cohort.csv and truth.json.

    Loops are 256 × 272 pixels of .58 mm, one beat long at 40 to 90 frames a second, about 150 of
    them for 100 patients.

    Parameters
    ----------
    folder : Path
        Must exist.
    n_patients : int
        How many; the first ones are the same whatever their number.
    seed : int
        With the patient's number the only source of chance.
    difficulty : {"clear", "medium", "subtle", "impossible"}
        See `draw_patient`.
    confounder : bool
        Whether follow-up studies show a pacing lead, paced motion and seldom a flash.
    id_prefix : str
        What patients' ids begin with.
    given : DataFrame, optional
        Who is recorded, once, in place of a number; see `synthesize`.

    Notes
    -----
    ``bayes_auc`` of the truth is what ranking by the true probabilities reaches on average, over
    all studies; ``bayes_auc_within`` is the same among the studies of one timepoint, which is what
    is left of it when the time cannot be read off a lead.
    """
    for name in _FOLDERS:
        (folder / name).mkdir()
    rows: list[dict[str, Any]] = []
    studies: list[Study] = []
    facts: dict[str, Any] = {}
    given_rows: list[Any] = [] if given is None else list(given.itertuples())
    numbers = (
        range(1, n_patients + 1) if given is None else [int(item.number) for item in given_rows]
    )
    for place, number in enumerate(numbers):
        who, look = (
            np.random.default_rng(stream)
            for stream in np.random.SeedSequence([seed, number]).spawn(2)
        )
        person = {"age_y": round(float(who.normal(66.0, 10.0)), 1), "sex": "MF"[who.integers(2)]}
        drawn = (
            draw_patient(
                f"{id_prefix}{number:03d}", who, difficulty=difficulty, confounder=confounder
            )
            if given is None
            else [_drawn_as_given(given_rows[place], who, difficulty)]
        )
        for study in drawn:
            shown = _shown(study, septal_flash_loop(study.spec, look), look)
            septum = moved(septum_truth(study.spec), shown.place)
            _write_study(folder, study, septum, shown)
            rows.append(_row(study, person))
            studies.append(study)
            facts[study.study_id] = _facts(study, septum)
    pd.DataFrame(rows).to_csv(folder / "cohort.csv", index=False, lineterminator="\n")
    within = {
        timepoint: stats.stated_bayes_auc(
            [s.probability for s in studies if s.timepoint == timepoint]
        )
        for timepoint in TIMEPOINTS
    }
    truth = {
        "kind": "septal_flash",
        "seed": seed,
        "difficulty": difficulty,
        "confounder": confounder,
        "bayes_auc": {"septal_flash": stats.stated_bayes_auc([s.probability for s in studies])},
        "bayes_auc_of": "all studies, from the flash that made their loop"
        + (" and the timepoint" if confounder else ""),
        "bayes_auc_within": within,
        "studies": facts,
    }
    write_truth(folder / "truth.json", truth)


def _drawn_as_given(row: Any, rng: np.random.Generator, difficulty: str) -> Study:
    """Draw the study of a row of the table of patients."""
    return draw_as_given(
        row.patient_id,
        rng,
        difficulty=difficulty,
        effect=float(row.effect),
        shift=float(row.shift),
    )


def _ecg_at(spec: LoopSpec, at_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the voltage at times in ms from the first frame."""
    return ecg_mv(spec.beat.since_r(at_ms, spec.lead_in_ms), spec.beat)


def _traced(spec: LoopSpec) -> NDArray[np.float64]:
    """Return the whole loop's ECG."""
    length_ms = 1000.0 * float(spec.time_s[-1])
    return _ecg_at(spec, np.arange(0.0, length_ms, 1000.0 / _ECG_RATE_HZ))


def _shown(study: Study, frames: NDArray[np.uint8], rng: np.random.Generator) -> OnScreen:
    """Print what the screen shows: a whole scanner's, or two words and an ECG trace."""
    spec, held = study.spec, study.spec.held or Conditions()
    if not held.layout:
        last_row = SECTOR.box_px()[2]
        frames = burn_in(
            frames,
            ("SYNTHETIC", "A4C"),
            ecg_mv=_traced(spec),
            font_px=10,
            trace_rows=(last_row + 2, SECTOR.n_rows - 2),
        ).frames
    if spec.held is None:
        return OnScreen(frames, (0, 0))
    return on_screen(
        frames,
        spec.time_s,
        spec.sector,
        held,
        rng.spawn(1)[0],
        ecg=lambda at_ms: _ecg_at(spec, at_ms),
        r_times_ms=(1000.0 * spec.r_s).tolist(),
        texts=TEXTS_SHOWN | {"id": study.study_id},
    )


def _write_study(folder: Path, study: Study, septum: SeptumTruth, shown: OnScreen) -> None:
    """Write the loop, the septum and the R peaks."""
    spec = study.spec
    top, left = shown.offset_px
    first_row, first_column, last_row, last_column = SECTOR.box_px()
    write_us_loop(
        folder / "loops" / f"{study.study_id}.dcm",
        shown.frames,
        frame_rate_hz=spec.rate_hz,
        mm_per_pixel=(spec.sector.spacing_mm, spec.sector.spacing_mm),
        region=(left + first_column, top + first_row, left + last_column, top + last_row),
        photometric="MONOCHROME2" if shown.frames.ndim == 3 else "YBR_FULL_422",
        compression="jpeg",
        jpeg_quality=(spec.held or Conditions()).jpeg_quality,
        r_times_ms=(1000.0 * spec.r_s).tolist(),
        ecg=TracedEcg(_traced(spec), _ECG_RATE_HZ),
        heart_rate_bpm=round(spec.beat.hr_bpm),
    )
    outline = {"points_px": septum.polyline_px.round(3).tolist(), "frame": spec.ed_frame}
    peaks = {"r_times_ms": (1000.0 * spec.r_s).round(3).tolist()}
    for name, value in (("septum", outline), ("rpeaks", peaks)):
        file = folder / name / f"{study.study_id}.json"
        file.write_text(json.dumps(value) + "\n", encoding="utf-8")


def _row(study: Study, person: dict[str, Any]) -> dict[str, Any]:
    """Fill the cohort table's columns."""
    return {
        "patient_id": study.patient_id,
        "study_id": study.study_id,
        "timepoint": study.timepoint,
        "days_from_implant": -7 if study.timepoint == "baseline" else 182,
        "path_echo_a4c": f"loops/{study.study_id}.dcm",
        "path_septum": f"septum/{study.study_id}.json",
        "path_rpeaks": f"rpeaks/{study.study_id}.json",
        "sf_label": int(study.label),
        "mvc_ms": round(study.spec.beat.mvc_ms, 1),
        "avo_ms": round(study.spec.beat.avo_ms, 1),
        "hr_bpm": round(study.spec.beat.hr_bpm, 1),
        **person,
    }


def _facts(study: Study, septum: SeptumTruth) -> dict[str, Any]:
    """Return what is known of a study, ready for JSON."""
    spec, motion = study.spec, study.spec.septum
    return {
        "sf_label": int(study.label),
        "prob_sf": study.probability,
        "flash_mm": motion.flash_mm,
        "flash_window_ms": [motion.onset_ms, motion.end_ms] if motion.flash_mm else None,
        "rebound_mm": motion.rebound_mm,
        "systolic_mm": motion.systolic_mm,
        "mvc_ms": spec.beat.mvc_ms,
        "avo_ms": spec.beat.avo_ms,
        "avc_ms": spec.beat.avc_ms,
        "rate_hz": spec.rate_hz,
        "r_s": spec.r_s,
        "ed_frame": spec.ed_frame,
        "centre_px": septum.centre_px,
        "normal_px": septum.normal_px,
        "displacement_mm": septum.displacement_mm,
        "low_contrast": spec.blood_db > _LOW_CONTRAST_DB,
        "lead": spec.lead,
        "mm_per_pixel": spec.sector.spacing_mm,
        "held": None if spec.held is None else asdict(spec.held),
    }
