"""What a reader is shown in place of this plugin's identifiers."""

from __future__ import annotations

from cardio_spect_polar.polar.segment_names import SEGMENT_NAMES, TERRITORIES, WALLS

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
    "above_noise": "Phase SD distinguishable from noise",
    "psd_corrected_deg": "Phase SD without noise",
    "pbw_corrected_deg": "Phase bandwidth without noise",
    "phase_noise_deg": "Noise of one phase",
    "reliable_psd_deg": "Phase SD of reliable samples",
    "reliable_pbw_deg": "Phase bandwidth of reliable samples",
    "reliable_entropy": "Phase entropy of reliable samples",
    "reliable_circular_sd_deg": "Circular phase SD of reliable samples",
    "unreliable_pct": "Samples that are not reliable",
    "delay_deg": "Delay of the lateral wall",
    "latest_viable_deg": "Delay of the latest viable segment",
    "scar_pct": "Scar",
    "lvedv_spect_ml": "LV end-diastolic volume",
    "lvesv_spect_ml": "LV end-systolic volume",
    "stroke_volume_spect_ml": "LV stroke volume",
    "lvef_spect_pct": "LV ejection fraction",
    "myocardial_mass_g": "LV myocardial mass",
    "rr_ms": "RR interval",
    "peak_filling_rate_edv_s": "Peak filling rate",
    "time_to_peak_filling_ms": "Time from end-systole to peak filling",
    "peak_ejection_rate_edv_s": "Peak ejection rate",
    "base_descent_mm": "Descent of the base",
    "base_scatter_mm": "Scatter of the base's edges",
    "rings_cut": "Basal rings left out",
    "wall_confidence": "Confidence in the wall",
    "psd_deg_base_in": "Phase SD, base one slice nearer to the apex",
    "pbw_deg_base_in": "Phase bandwidth, base one slice nearer to the apex",
    "psd_deg_base_out": "Phase SD, base one slice further away",
    "pbw_deg_base_out": "Phase bandwidth, base one slice further away",
}
"""Indices of a gated study, without their units."""

_PLACES = {wall: f"{wall} wall" for wall in WALLS} | {
    artery: f"{artery.upper()} territory" for artery in TERRITORIES
}

REGIONS = {
    f"{region}_{index}": f"{title}, {place}"
    for index, title in (
        ("mean_deg", "Mean phase"), ("psd_deg", "Phase SD"), ("pbw_deg", "Phase bandwidth"),
        ("scar_pct", "Scar"),
    )
    for region, place in _PLACES.items()
}  # fmt: skip
"""Indices of walls and coronary territories, without their units."""

CHANGES = {
    f"{name}_change": f"{INDICES[name]}, stress minus rest"
    for name in ("psd_deg", "pbw_deg", "lvedv_spect_ml", "lvesv_spect_ml", "lvef_spect_pct",
                 "reliable_psd_deg", "reliable_pbw_deg")
} | {
    "summed_score_change": "Summed difference score (SDS)",
} | {
    f"{artery}_perfusion_change_pct": f"Perfusion, {_PLACES[artery]}, stress minus rest"
    for artery in TERRITORIES
} | {
    "tid_ratio": "Transient ischaemic dilatation, mean volume at stress / rest",
}  # fmt: skip
"""Differences of stress from rest, without their units."""

_UNITS = {"deg": "°", "pct": "%", "ml": "mL", "mm": "mm", "ms": "ms", "g": "g", "edv": "EDV/s"}

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
    "p_adjusted": "p, corrected for all tests",
    "auc_of_group": "AUC of the group",
    "auc_of_others": "AUC of the others",
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
    {name: _with_unit(name, title) for name, title in (INDICES | REGIONS | CHANGES).items()}
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
