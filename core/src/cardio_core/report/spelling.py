"""What an identifier is called on a page: a plugin's words, the core's, or itself spelled out."""

from __future__ import annotations

import re
from functools import cache

from cardio_core.io.cohorts.known_columns import known_columns

UNITS = {
    "bpm": "/min", "cm": "cm", "deg": "°", "hz": "Hz", "kg": "kg", "ml": "mL", "mm": "mm",
    "ms": "ms", "mv": "mV", "pct": "%", "pts": "points", "y": "years",
}  # fmt: skip
"""The last part of a name that carries its unit."""

PARTS = {
    "ae": "autoencoder feature", "auc": "AUC", "avo": "aortic valve opening", "bl": "at baseline",
    "bmi": "BMI", "cad": "coronary artery disease", "ci": "CI", "ckd": "chronic kidney disease",
    "cmr": "CMR", "crt": "CRT", "dm": "diabetes", "ecg": "ECG", "ecv": "ECV", "ef": "EF",
    "fpr": "false-positive rate", "fu": "at follow-up", "hr": "heart rate", "iou": "overlap",
    "lbbb": "LBBB", "lge": "LGE", "lv": "LV", "lvedv": "LVEDV", "lvef": "LVEF", "lvesv": "LVESV",
    "mae": "mean absolute error", "mfr": "flow reserve", "mvc": "mitral valve closure",
    "brier": "Brier", "gini": "Gini", "rd": "risk difference", "vif": "VIF",
    "npv": "negative predictivity", "nyha": "NYHA class", "pbw": "phase bandwidth",
    "ppv": "positive predictivity", "psd": "phase SD", "qrs": "QRS", "r2": "R²", "rr": "RR",
    "sd": "SD", "sf": "septal flash", "t1": "T1", "t2": "T2", "tpr": "true-positive rate",
    "wma": "wall motion abnormality", "mult": "multiplier",
}  # fmt: skip
"""Parts of names that medicine writes otherwise."""

WORDS = {
    "age_sex": "age and sex",
    "by_class": "by class",
    "code": "feature",
    "dob_y": "year of birth",
    "df": "degrees of freedom",
    "effective_n": "effective n",
    "enriched_twofold": "enriched twofold",
    "grad_cam_pp": "Grad-CAM++",
    "k": "with",
    "layer_cam": "LayerCAM",
    "chi2": "χ²",
    "added_chi2": "added χ²",
    "n": "n",
    "n_cases": "cases",
    "n_dropped": "left out",
    "n_events": "events",
    "n_missing": "missing",
    "n_patients": "patients",
    "n_rows": "n",
    "n_studies": "studies",
    "n_videos": "videos",
    "n_segments": "segments",
    "n_codes": "features",
    "odds_ratio": "odds ratio",
    "odds_ratio_per_sd": "odds ratio per SD",
    "p": "p",
    "p_holm": "p (Holm)",
    "p_likelihood_ratio": "p (likelihood ratio)",
    "p_max_t": "p (max-T)",
    "p_value": "p",
    "p_wald": "p (Wald)",
    "pearson_r2": "squared correlation r²",
    "q": "q",
    "r": "r",
    "recording_id": "recording",
    "sample_id": "sample",
    "study_id": "study",
    "patient_id": "patient",
    "subject_id": "patient",
    "septal_flash": "septal flash",
    "temporal_iou": "overlap in time",
    "x": "x",
}
"""Names whose parts do not tell what they mean."""

CELLS = {
    "bl": "baseline", "chi2": "chi-square", "firth": "Firth", "fu": "follow-up",
    "ls": "least squares", "ml": "maximum likelihood", "sf": "sf",
}  # fmt: skip
"""What a cell says in one short code."""

IDENTIFIER = re.compile(r"(?<![\w./#-])[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+(?![\w/#])")
"""An identifier of code in a sentence: words tied by underscores."""


def spelled(name: str) -> str:
    """Return a name in words, its unit in brackets; what is not known stays as it is.

    Examples
    --------
    >>> spelled("lvesv_bl_ml"), spelled("ecv_high"), spelled("ae_07"), spelled("p_max_t")
    ('LV end-systolic volume (mL)', 'ECV high', 'autoencoder feature 07', 'p (max-T)')
    """
    known = WORDS.get(name) or _columns_of_a_cohort().get(name)
    if known is not None:
        return known
    if name.startswith("n_"):
        return f"{spelled(name.removeprefix('n_'))} (n)"
    parts = [part for part in re.split(r"[_ ]+", name) if part]
    unit = UNITS.get(parts[-1]) if len(parts) > 1 else None
    body = parts[:-1] if unit else parts
    words = " ".join(filter(None, (PARTS.get(part, part) for part in body)))
    return f"{words} ({unit})" if unit else words


@cache
def _columns_of_a_cohort() -> dict[str, str]:
    """Return the words of the cohort table's own columns, as they stand inside a sentence."""
    found = {}
    for column in known_columns():
        title = column.title or column.name
        title = title[:1].lower() + title[1:] if title[1:2].islower() else title
        found[column.name] = f"{title} ({column.unit})" if column.unit else title
    return found


def cell_words(text: str) -> str:
    """Return what stands in a cell for a short code of a method or a measurement.

    Examples
    --------
    >>> cell_words("chi2"), cell_words("cad"), cell_words("anterior")
    ('chi-square', 'coronary artery disease', 'anterior')
    """
    known = CELLS.get(text) or _columns_of_a_cohort().get(text) or PARTS.get(text)
    return known if known and len(text) > 1 else text


def capital(words: str) -> str:
    """Return words with a large first letter, single letters (p, r, n) apart.

    Examples
    --------
    >>> capital("phase SD (°)"), capital("p (max-T)"), capital("n")
    ('Phase SD (°)', 'p (max-T)', 'n')
    """
    return words if len(words.split(" ")[0]) < 2 else words[:1].upper() + words[1:]
