"""Rows of the CRT cohort's table: volumes that tell the response, and who the patient is."""

from __future__ import annotations

from typing import Any

import numpy as np

from cardio_spect_polar.synthetic.crt.patients import Heart
from cardio_spect_polar.synthetic.phantom.truth import Truth

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
