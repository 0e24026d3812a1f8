"""The CRT cohort: gated studies as DICOM, and a response that depends on dyssynchrony."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

import cardio_stats as stats
from cardio_core.api import write_truth
from cardio_spect_polar.polar.maps import LATERAL, SEPTAL
from cardio_spect_polar.synthetic.imaging import Camera, image
from cardio_spect_polar.synthetic.truth import Truth
from cardio_spect_polar.synthetic.ventricle import CENTRE_DEG, N_SEGMENTS, Ventricle, draw_ventricle
from cardio_spect_polar.synthetic.write_nm import write_nm

SLOPES = {"easy": 1.72, "medium": 0.75, "impossible": 0.13}
"""Slope of the logistic model on the index: a Bayes AUC of about .90, .75 and .55."""
B_DELAY, B_SCAR, B_QRS = 1.0, -0.45, 0.35
"""Weights of the index, each of a term with mean 0 and standard deviation 1."""
INTERCEPT = -0.25
"""Puts the share of responders at that of the paper, 44 %."""

_LATE_RR = (0.02, 0.30)
_DELAY_MEAN_DEG, _DELAY_SD_DEG = 42.0, 25.4
_SCAR_MEAN, _SCAR_SD = 0.175, 0.127
_QRS_MEAN_MS, _QRS_SD_MS = 157.7, 18.6
_N_LATERAL = len(LATERAL)
_LEAST_THICKENING, _THICKENING_RANGE = 0.12, 0.13
_TERRITORIES = (
    (17, 13, 14, 7, 8, 2, 1),  # left anterior descending: from the apex up
    (15, 10, 4, 9, 3),  # right coronary
    (16, 11, 12, 5, 6),  # circumflex
)


@dataclass(frozen=True)
class Heart:
    """What is drawn of a patient's heart.

    Attributes
    ----------
    ventricle : Ventricle
        Its wall.
    late_rr : float
        Delay of the latest part of the wall beyond the septum.
    late_deg : float
        Where that is: 270 is lateral.
    scarred : tuple of int
        AHA segments that are scar.
    qrs_ms : float
        QRS duration.
    """

    ventricle: Ventricle
    late_rr: float
    late_deg: float
    scarred: tuple[int, ...]
    qrs_ms: float


def lateness_of(effect: float) -> float:
    """Return the delay of the latest wall at the place of a standard normal effect, in RR.

    Examples
    --------
    >>> [round(lateness_of(effect), 2) for effect in (-3.0, -1.0, 0.0, 1.0, 3.0)]
    [0.02, 0.06, 0.16, 0.26, 0.3]
    """
    return float(np.interp(ndtr(effect), (0.0, 1.0), _LATE_RR))


def draw_heart(rng: np.random.Generator, late_rr: float | None = None) -> Heart:
    """Draw a dilated, failing heart with a late free wall and, in three of four, a scar.

    The septum is early by up to .05 RR; the latest wall is .02 to .30 RR behind it, centred at
    240 to 290 degrees (inferolateral to lateral), less so towards the apex. A scar takes 2 to 7
    segments of one coronary territory, from the apex up, with perfusion .2 to .45; it thickens a
    third as much as the rest, and up to .18 RR later than conduction makes it: such delay widens
    the phase histogram and tells nothing about response. The base descends by 3 to 9 mm
    (`failing_descent`). `late_rr` tells how late the latest wall is; all else is drawn.
    """
    drawn_rr = float(rng.uniform(*_LATE_RR))
    late_rr = drawn_rr if late_rr is None else late_rr
    late_deg = float(rng.uniform(240.0, 290.0))
    early_rr = float(rng.uniform(-0.05, 0.0))
    scarred = _draw_scar(rng)
    uptake = float(rng.uniform(0.2, 0.45))
    thickening = float(rng.uniform(0.15, 0.27))
    slow_rr = float(rng.uniform(0.0, 0.18))
    conducted = np.asarray(regional_delay(early_rr, late_rr, late_deg))
    delay = conducted + _where(scarred, slow_rr, 0.0)
    thickens = _where(scarred, thickening / 3, thickening)
    ventricle = draw_ventricle(
        rng,
        length_mm=float(rng.uniform(86.0, 110.0)),
        radius_mm=float(rng.uniform(30.0, 38.0)),
        thickness_mm=float(rng.uniform(8.0, 10.5)),
        delay_rr=tuple(delay.tolist()),
        perfusion=_where(scarred, uptake, 1.0),
        thickening=thickens,
        **failing_descent(rng.spawn(1)[0], float(np.mean(thickens))),
    )
    qrs_ms = float(np.clip(133.0 + 156.0 * late_rr + rng.normal(0.0, 14.0), 90.0, 230.0))
    return Heart(ventricle, late_rr, late_deg, scarred, qrs_ms)


def failing_descent(rng: np.random.Generator, thickening: float) -> dict[str, float]:
    """Draw how the base of a failing heart descends, as arguments of `Ventricle`.

    Parameters
    ----------
    rng : Generator
        Source of chance.
    thickening : float
        Mean relative thickening of the wall: hearts that beat less also shorten less.

    Returns
    -------
    dict
        Shortening 3 to 9 mm, the lateral side .05 to .3 farther than the mean, atrial share .1 to
        .35, twist 0 to 6 degrees.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> low, high = (
    ...     np.mean([failing_descent(rng, share)["shortening_mm"] for _ in range(200)])
    ...     for share in (0.14, 0.26)
    ... )
    >>> bool(3 < low < 5 < 7 < high < 9)
    True
    """
    expected = 4.0 + 4.0 * (thickening - _LEAST_THICKENING) / _THICKENING_RANGE
    return {
        "shortening_mm": float(np.clip(expected + rng.normal(0.0, 1.0), 3.0, 9.0)),
        "shortening_difference": float(rng.uniform(0.05, 0.3)),
        "atrial_share": float(rng.uniform(0.1, 0.35)),
        "twist_deg": float(rng.uniform(0.0, 6.0)),
    }


def regional_delay(early_rr: float, late_rr: float, late_deg: float) -> tuple[float, ...]:
    """Return the delays of a wall that is early at the septum and late around one angle.

    Parameters
    ----------
    early_rr : float
        Delay opposite of the latest wall.
    late_rr : float
        By how much the latest wall is later.
    late_deg : float
        Its angle.

    Returns
    -------
    tuple of float, length 17
        In shares of RR; the apical ring has .7 of the lateness, the apex .35.

    Examples
    --------
    >>> delay = regional_delay(-0.05, 0.2, 270.0)
    >>> [round(delay[segment - 1], 3) for segment in (14, 11, 17)]
    [-0.05, 0.13, 0.02]
    """
    away = np.radians(np.asarray(CENTRE_DEG) - late_deg)
    ring = np.repeat([1.0, 1.0, 0.7], [6, 6, 4])
    around = early_rr + late_rr * ring * (0.5 * (1.0 + np.cos(away))) ** 1.5
    apex = early_rr + 0.35 * late_rr
    return (*np.round(around, 12).tolist(), float(apex))


def index_terms(heart: Heart) -> dict[str, float]:
    """Return what the response depends on.

    Returns
    -------
    dict
        ``viable_delay_deg``: how much later than the viable septum the free wall is, 0 for
        segments that are scar, averaged over the five lateral segments; ``scar_share`` of the 17
        segments; ``qrs_ms``.
    """
    delay = np.asarray(heart.ventricle.delay_rr) * 360.0
    # No scar takes the whole septum: segments 3 and 9 belong to another territory than 2, 8, 14.
    septum = float(np.mean([delay[n - 1] for n in SEPTAL if n not in heart.scarred]))
    viable = [delay[n - 1] - septum for n in LATERAL if n not in heart.scarred]
    return {
        "viable_delay_deg": float(sum(viable)) / _N_LATERAL,
        "scar_share": len(heart.scarred) / N_SEGMENTS,
        "qrs_ms": heart.qrs_ms,
    }


def prob_response(heart: Heart, slope: float) -> float:
    """Return the probability of response: logistic in delay that is not scarred, scar and QRS."""
    term = index_terms(heart)
    index = (
        B_DELAY * (term["viable_delay_deg"] - _DELAY_MEAN_DEG) / _DELAY_SD_DEG
        + B_SCAR * (term["scar_share"] - _SCAR_MEAN) / _SCAR_SD
        + B_QRS * (term["qrs_ms"] - _QRS_MEAN_MS) / _QRS_SD_MS
    )
    return float(1.0 / (1.0 + np.exp(-(INTERCEPT + slope * index))))


def small_heart(rng: np.random.Generator) -> Heart:
    """Draw the cohort's outlier: a small heart whose end-systolic volume is 16 mL."""
    ventricle = draw_ventricle(
        rng,
        length_mm=66.0,
        radius_mm=19.0,
        thickness_mm=9.0,
        thickening=(0.45,) * N_SEGMENTS,
        shortening_mm=6.0,
    )
    return Heart(ventricle, 0.0, 270.0, (), 118.0)


def _draw_scar(rng: np.random.Generator) -> tuple[int, ...]:
    """Draw a scar from the apical end of one territory, or none."""
    if rng.uniform() < 0.25:
        return ()
    territory = _TERRITORIES[int(rng.choice(3, p=[0.5, 0.28, 0.22]))]
    return tuple(sorted(territory[: int(rng.integers(2, len(territory) + 1))]))


def _where(segments: tuple[int, ...], inside: float, outside: float) -> tuple[float, ...]:
    return tuple(inside if n in segments else outside for n in range(1, N_SEGMENTS + 1))


_FIELD_MM, _MOST_ROWS = 256.0, 64
_LEAST_COUNTS = 25.0
_USUAL_MM = 6.4
_FINE, _SIXTEEN, _MANY_LOST, _JUMP, _REFORMATTED = 0.4, 0.25, 1 / 6, 0.05, 0.3
_EMPTY_MM = 13.0


def draw_site(rng: np.random.Generator) -> tuple[str, Camera]:
    """Draw a hospital and how its camera took this patient.

    Voxels of 5.6 to 6.8 mm, in two of five patients reformatted to 3 to 5.6 mm; a field of 256 mm
    or 64 rows and columns. 8 gates, 16 in every fourth patient. 60 to 200 counts a voxel of 6.4 mm
    in one of eight gates: half as many in one of sixteen, fewer in proportion where voxels are
    smaller, never below 25. The last gate loses up to 12 % of its counts, in every sixth patient
    8 to 16 % more; all gates differ by 1.5 % (standard deviation), and in one patient of twenty
    two neighbouring ones in the middle of the cycle hold 5 to 15 % more. In three of ten patients
    up to 13 mm of the slices at either end hold nothing in the systolic gates, as reformatting
    leaves them. The south's camera is less sharp.
    """
    site = str(rng.choice(["north", "south"]))
    fwhm = rng.uniform(11.0, 12.5) if site == "north" else rng.uniform(12.5, 14.5)
    counts = np.exp(rng.uniform(np.log(60.0), np.log(200.0)))
    lost = rng.uniform(0.0, 0.12)
    voxel = float(rng.uniform(3.0, 5.6) if rng.uniform() < _FINE else rng.uniform(5.6, 6.8))
    n_slots = 16 if rng.uniform() < _SIXTEEN else 8
    if rng.uniform() < _MANY_LOST:
        lost += rng.uniform(0.08, 0.16)
    size = min(2 * round(_FIELD_MM / voxel / 2), _MOST_ROWS)
    camera = Camera(
        voxel_mm=(voxel, voxel, voxel),
        n_rows=size,
        n_columns=size,
        n_slots=n_slots,
        fwhm_mm=float(fwhm),
        counts_per_voxel=max(float(counts) * voxel / _USUAL_MM * 8 / n_slots, _LEAST_COUNTS),
        drop_off=float(lost),
        slot_gain=_gains(rng, n_slots),
        empty_ends=_empty_ends(rng, n_slots, voxel),
    )
    return site, camera


def _gains(rng: np.random.Generator, n_slots: int) -> tuple[float, ...]:
    """Draw the factors of the gates' counts."""
    gain = np.clip(rng.normal(1.0, 0.015, n_slots), 0.96, 1.04)
    if rng.uniform() < _JUMP:
        first = int(rng.integers(n_slots // 4, n_slots // 2 + 1))
        gain[first : first + 2] *= rng.uniform(1.05, 1.15)
    return tuple(gain.tolist())


def _empty_ends(
    rng: np.random.Generator, n_slots: int, voxel_mm: float
) -> tuple[tuple[int, int, int], ...]:
    """Draw how many slices are empty at the base and at the apex in the gates about end-systole."""
    if rng.uniform() >= _REFORMATTED:
        return ()
    most = int(_EMPTY_MM / voxel_mm)
    first, last = rng.integers(0, most + 1, 2)
    systole = range(n_slots // 4, n_slots // 2 + 1)
    return tuple((slot, int(first), int(last)) for slot in systole)


_WIDE_MS, _LBBB_DELAY_RR = 130.0, 0.10
_LOST = 1 / 16


def table_row(
    patient_id: str,
    heart: Heart,
    truth: Truth,
    site: str,
    response: bool,
    rng: np.random.Generator,
    *,
    lvesv_ml: float | None = None,
    all_return: bool = False,
) -> dict[str, Any]:
    """Fill a row of the cohort table; the volumes tell the response, nothing else does.

    Baseline volumes are those of the phantom averaged over the gates, with 3 % of noise, as
    SPECT would measure them; `lvesv_ml` overrides the end-systolic one. One patient in sixteen is
    lost to follow-up and has no volumes then, unless `all_return`.
    """
    noise = np.exp(rng.normal(0.0, 0.03))
    edv_bl = round(float(truth.volume_ml.max() * noise), 1)
    esv_bl = round(lvesv_ml or float(truth.volume_ml.min() * noise), 1)
    shrinkage = float(rng.uniform(0.17, 0.45) if response else rng.uniform(-0.15, 0.13))
    esv_fu = round(esv_bl * (1.0 - shrinkage), 1)
    edv_fu = round(edv_bl * (1.0 - 0.6 * shrinkage), 1)
    nyha_bl = int(rng.choice([2, 3, 4], p=[0.30, 0.55, 0.15]))
    better = rng.uniform() < (0.75 if response else 0.35)
    lost = bool(rng.uniform() < _LOST) and lvesv_ml is None and not all_return
    after = {
        "lvesv_fu_ml": esv_fu,
        "lvedv_fu_ml": edv_fu,
        "lvef_fu_pct": round(100 * (1 - esv_fu / edv_fu), 1),
        "nyha_fu": max(nyha_bl - int(better), 1),
        "days_to_followup": int(rng.integers(160, 205)),
    }
    return {
        "patient_id": patient_id,
        "study_id": f"{patient_id}-bl",
        "site_id": site,
        "scanner_id": f"{site}-1",
        "timepoint": "baseline",
        "days_from_implant": -int(rng.integers(1, 30)),
        "path_spect": "",
        "lvesv_bl_ml": esv_bl,
        "lvedv_bl_ml": edv_bl,
        "lvef_bl_pct": round(100 * (1 - esv_bl / edv_bl), 1),
        "nyha_bl": nyha_bl,
        **(dict.fromkeys(after, "") if lost else after),
        "vol_method": "spect",
        "followup_status": "lost" if lost else "complete",
        **_person(heart, rng),
    }


def _person(heart: Heart, rng: np.random.Generator) -> dict[str, Any]:
    """Draw who the patient is, with the paper's means and shares."""
    ischaemic = bool(heart.scarred) and bool(rng.uniform() < 0.32)
    shares = {
        "ckd": 0.05,
        "dm": 0.25,
        "htn": 0.45,
        "smoking": 0.36,
        "acei_arb": 0.86,
        "betablocker": 0.85,
        "spironolactone": 0.80,
        "digoxin": 0.20,
        "diuretic": 0.82,
    }
    flags: dict[str, Any] = {name: int(rng.uniform() < share) for name, share in shares.items()}
    for name in ("smoking", "digoxin"):
        if rng.uniform() < 0.02:
            flags[name] = ""
    return {
        "age_y": round(float(np.clip(rng.normal(61.3, 13.0), 20.0, 95.0)), 1),
        "sex": str(rng.choice(["M", "F"], p=[0.73, 0.27])),
        "height_cm": round(float(rng.normal(168.0, 8.0)), 1),
        "weight_kg": round(float(rng.normal(74.0, 13.0)), 1),
        "qrs_ms": round(heart.qrs_ms),
        "qrs_morph": _morphology(heart),
        "lbbb_criterion": "Strauss",
        "rhythm": "sinus",
        "hr_bpm": round(60_000.0 / heart.ventricle.rr_ms),
        "cad": int(ischaemic or rng.uniform() < 0.06),
        "ischemic_aetiology": int(ischaemic),
        **flags,
    }


def _morphology(heart: Heart) -> str:
    """Name the QRS by its width and the delay of the free wall."""
    if heart.qrs_ms < _WIDE_MS:
        return "narrow"
    return "LBBB" if heart.late_rr >= _LBBB_DELAY_RR else "IVCD"


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
        patients = [_drawn_as_given(folder, row, seed) for row in given.itertuples()]
    table = pd.DataFrame([patient.row for patient in patients], dtype=object)
    table.to_csv(folder / "cohort.csv", index=False, lineterminator="\n")
    analysed = [patient for patient in patients if _analysed(patient)]
    chances = [patient.prob_response for patient in analysed if patient.prob_response is not None]
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


def _drawn_as_given(folder: Path, row: Any, seed: int) -> Patient:
    """Draw a patient whose outcome is told, and with it how far the study shows it."""
    number, shift = int(row.number), float(row.shift)
    heart_rng, camera_rng, *_ = _streams(number, seed)
    heart = draw_heart(heart_rng, lateness_of(float(row.effect)))
    site, camera = draw_site(camera_rng)
    camera = replace(
        camera,
        counts_per_voxel=_SHIFTED_COUNTS**shift * camera.counts_per_voxel,
        fwhm_mm=camera.fwhm_mm + _SHIFTED_FWHM_MM * shift,
    )
    known = Known(row.patient_id, number, heart, camera, None, bool(row.outcome))
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
    is_given = known.prob_response is None
    row = table_row(
        known.patient_id, heart, truth, site, known.response, row_rng,
        lvesv_ml=lvesv_ml, all_return=is_given,
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
