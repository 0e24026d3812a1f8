"""What a reader is shown in place of this plugin's identifiers."""

from __future__ import annotations

_WAVES = {
    f"{wave}_{lead.lower()}_mv": f"{wave.upper()} wave in {lead} (mV)"
    for wave in ("r", "s")
    for lead in ("I", "aVL", "V1", "V2", "V5", "V6")
}

WORDS = {
    "heart_rate_bpm": "Heart rate (per min)",
    "pr_ms": "PR interval (ms)",
    "p_ms": "P duration (ms)",
    "qrs_global_ms": "QRS duration, global (ms)",
    "qrs_ms": "QRS duration, median lead (ms)",
    "qt_ms": "QT interval (ms)",
    "qtc_ms": "QTc interval (ms)",
    "axis_deg": "QRS axis (°)",
    "qrs_area_uvs": "QRS area (µV·s)",
    "n_notched": "Leads with a notched QRS",
    "lbbb": "Left bundle branch block",
    "lbbb_esc": "Left bundle branch block (ESC)",
    "rbbb": "Right bundle branch block",
    "lbbb_aha": "Left bundle branch block (AHA)",
    "lbbb_share": "Readings with LBBB, Strauss (share)",
    "lbbb_esc_share": "Readings with LBBB, ESC (share)",
    "lbbb_aha_share": "Readings with LBBB, AHA (share)",
    "rbbb_share": "Readings with RBBB (share)",
    "jt_ms": "JT interval (ms)",
    "n_fragmented": "Leads with a fragmented QRS (not validated)",
    "p_locked": "Beats with the same P wave (share)",
    "qrs_error_ms": "QRS duration moves by (ms)",
    "pr_error_ms": "PR interval moves by (ms)",
    "qt_error_ms": "QT interval moves by (ms)",
    "axis_error_deg": "QRS axis moves by (°)",
    "r_peak_v6_ms": "R-peak time in V6 (ms)",
    "n_cases": "Cases",
    "aami_class": "Class of the beat (AAMI)",
    "n_true": "True beats",
    "n_right": "Right",
    "n_missed": "Missed",
    "n_false": "False",
    "log_odds_timing": "Log odds by timing",
    "log_odds_P_wave": "Log odds by the P wave",
    "log_odds_shape": "Log odds by shape",
    "log_odds_noise": "Log odds by noise",
    "sensitivity_low": "Sensitivity, from",
    "sensitivity_high": "Sensitivity, to",
    "ppv_low": "Positive predictivity, from",
    "ppv_high": "Positive predictivity, to",
    **_WAVES,
}
"""By identifier, with units."""
