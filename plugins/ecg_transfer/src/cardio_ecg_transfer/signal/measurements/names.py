"""What is measured on an ECG: names, titles and units. Nothing heavy is imported here."""

from __future__ import annotations

HEIGHT_LEADS = ("I", "aVL", "V1", "V2", "V5", "V6")

_MEASURED: dict[str, tuple[str, str]] = {
    "heart_rate_bpm": ("Heart rate", "1/min"),
    "pr_ms": ("PR interval", "ms"),
    "p_ms": ("P duration", "ms"),
    "qrs_global_ms": ("QRS duration, global", "ms"),
    "qrs_ms": ("QRS duration, median lead", "ms"),
    "qt_ms": ("QT interval", "ms"),
    "qtc_ms": ("QTc, Fridericia", "ms"),
    "axis_deg": ("QRS axis", "deg"),
    "qrs_area_uvs": ("QRS area", "uV.s"),
    "n_notched": ("Leads with a notched QRS, of six", "1"),
    "lbbb": ("Left bundle branch block, Strauss", "1"),
    "lbbb_esc": ("Left bundle branch block, ESC", "1"),
    "rbbb": ("Right bundle branch block", "1"),
    "r_peak_v6_ms": ("R peak time in V6", "ms"),
    **{f"r_{lead.lower()}_mv": (f"R in {lead}", "mV") for lead in HEIGHT_LEADS},
    **{f"s_{lead.lower()}_mv": (f"S in {lead}", "mV") for lead in HEIGHT_LEADS},
    "jt_ms": ("JT interval", "ms"),
    "n_fragmented": ("Leads with fragmented QRS, unvalidated", "1"),
    "lbbb_aha": ("Left bundle branch block, AHA", "1"),
    "lbbb_share": ("Share of readings with LBBB, Strauss", "1"),
    "lbbb_esc_share": ("Share of readings with LBBB, ESC", "1"),
    "lbbb_aha_share": ("Share of readings with LBBB, AHA", "1"),
    "rbbb_share": ("Share of readings with RBBB", "1"),
    "p_locked": ("Beats with the same P wave", "1"),
    "qrs_error_ms": ("QRS duration moves by", "ms"),
    "pr_error_ms": ("PR interval moves by", "ms"),
    "qt_error_ms": ("QT interval moves by", "ms"),
    "axis_error_deg": ("QRS axis moves by", "deg"),
}

MEASUREMENTS = tuple((name, unit) for name, (_, unit) in _MEASURED.items())
"""Name and unit of each measurement. ``qrs_global_ms`` is from the first onset to the last end over
the leads, which the limits of guidelines are meant for; ``qrs_ms`` is that of the median lead, on
which the other intervals rest. ``lbbb`` is Strauss's, ``qtc_ms`` Fridericia's; those without a
dimension are counts, shares, or 1 for yes and 0 for no. Errors are how far a measurement moves
under noise of 3 µV and of the median beat's own size."""

TITLES = {name: title for name, (title, _) in _MEASURED.items()}
"""What a cardiologist calls each measurement."""

ANSWERED = ("lbbb", "lbbb_esc", "rbbb", "lbbb_aha")
"""Measurements that are answered yes or no."""

LISTED_LAST = tuple(
    name for name in _MEASURED if name.endswith(("_mv", "_share")) or name == "p_locked"
)
"""Single amplitudes, and shares of readings and beats."""

_UNITS = {"1": "", "1/min": " (per min)", "deg": " (°)", "uV.s": " (µV·s)"}

WORDS = {
    **{name: title + _UNITS.get(unit, f" ({unit})") for name, (title, unit) in _MEASURED.items()},
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
}
"""What a reader is shown in place of identifiers, with units."""
