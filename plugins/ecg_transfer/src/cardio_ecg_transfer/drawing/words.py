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
    "qrs_ms": "QRS duration (ms)",
    "qt_ms": "QT interval (ms)",
    "qtc_ms": "QTc interval (ms)",
    "axis_deg": "QRS axis (°)",
    "qrs_area_uvs": "QRS area (µV s)",
    "n_notched": "Leads with a notched QRS",
    "lbbb": "Left bundle branch block",
    "lbbb_esc": "Left bundle branch block (ESC)",
    "rbbb": "Right bundle branch block",
    "r_peak_v6_ms": "R-peak time in V6 (ms)",
    "n_cases": "Cases",
    "aami_class": "Class of the beat (AAMI)",
    "n_true": "True beats",
    "n_right": "Right",
    "n_missed": "Missed",
    "n_false": "False",
    **_WAVES,
}
"""By identifier, with units."""
