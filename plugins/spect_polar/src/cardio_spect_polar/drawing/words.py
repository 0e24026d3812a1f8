"""What a reader is shown in place of this plugin's identifiers."""

from __future__ import annotations

from cardio_spect_polar.polar.segment_names import SEGMENT_NAMES

INDICES = {
    "psd_deg": "Phase SD",
    "pbw_deg": "Phase bandwidth",
    "pbw_central_deg": "Phase bandwidth, central 95 %",
    "entropy": "Phase entropy",
    "entropy_60": "Phase entropy, 60 bins",
    "circular_sd_deg": "Circular phase SD",
    "mean_deg": "Mean phase",
    "peak_deg": "Peak phase",
    "skewness": "Phase skewness",
    "kurtosis": "Phase kurtosis",
    "skewness_of_bins": "Skewness of the histogram's bins",
    "kurtosis_of_bins": "Kurtosis of the histogram's bins",
    "psd_corrected_deg": "Phase SD without noise",
    "reliable_psd_deg": "Phase SD of reliable samples",
    "reliable_pbw_deg": "Phase bandwidth of reliable samples",
    "reliable_entropy": "Phase entropy of reliable samples",
    "reliable_circular_sd_deg": "Circular phase SD of reliable samples",
    "unreliable_pct": "Samples that are not reliable",
    "delay_deg": "Delay of the lateral wall",
    "latest_viable_deg": "Phase of the latest viable segment",
    "scar_pct": "Scar",
    "lvedv_spect_ml": "LV end-diastolic volume",
    "lvesv_spect_ml": "LV end-systolic volume",
    "lvef_spect_pct": "LV ejection fraction",
    "wall_confidence": "Confidence in the wall",
    "psd_deg_base_in": "Phase SD, base one slice nearer to the apex",
    "pbw_deg_base_in": "Phase bandwidth, base one slice nearer to the apex",
    "psd_deg_base_out": "Phase SD, base one slice further away",
    "pbw_deg_base_out": "Phase bandwidth, base one slice further away",
}
"""Indices of a gated study, without their units."""

_UNITS = {"deg": "°", "pct": "%", "ml": "mL"}

_TABLES = {
    "apparent_auc": "Apparent AUC",
    "corrected_auc": "Corrected AUC",
    "mean_change_deg": "Mean change (°)",
    "sd_deg": "SD (°)",
    "mean_size_deg": "Mean size of the change (°)",
    "largest_deg": "Largest (°)",
    "published_p": "Published p",
    "too_high": "Too high?",
    "added_chi2": "Added χ²",
    "odds_ratio": "Odds ratio",
    "odds_ratio_per_sd": "Odds ratio per SD",
    "per_sd_low": "Lower limit per SD",
    "per_sd_high": "Upper limit per SD",
    "p_wald": "Wald p",
    "p_likelihood_ratio": "Likelihood-ratio p",
    "risk_difference": "Risk difference",
    "rd_low": "Lower limit",
    "rd_high": "Upper limit",
    "rd_p": "p of the risk difference",
    "p_max_t": "max-T p",
    "n_max_t": "Patients in max-T",
    "n_codes": "Features",
    "n_stable": "Stable features",
    "median_r": "Median r",
    "least_r": "Least r",
    "first_r": "r of the strongest",
    "subspace_r": "r of the space",
    "p_holm": "Holm p",
    "observed_minus_predicted": "Observed − predicted",
    "accuracy_of_majority": "Accuracy of the majority class",
    "male": "Male sex",
    "mfr": "myocardial flow reserve",
    "impaired": "impaired flow reserve",
}


def _with_unit(name: str, title: str) -> str:
    unit = next((_UNITS[part] for part in reversed(name.split("_")) if part in _UNITS), "")
    return f"{title} ({unit})" if unit else title


WORDS = (
    {name: _with_unit(name, title) for name, title in INDICES.items()}
    | _TABLES
    | {f"ae_{n:02d}": f"Autoencoder feature {n}" for n in range(1, 65)}
    | {f"pc_{n:02d}": f"Principal component {n}" for n in range(1, 65)}
    | {f"mfr_{n:02d}": f"flow reserve, {SEGMENT_NAMES[n - 1]}" for n in range(1, 18)}
)
"""By identifier, with units."""


def worded(name: str) -> str:
    """Return a name as a figure writes it.

    Examples
    --------
    >>> worded("psd_deg"), worded("ae_07"), worded("qrs_ms")
    ('Phase SD (°)', 'Autoencoder feature 7', 'qrs ms')
    """
    return WORDS.get(name) or name.replace("_", " ")
