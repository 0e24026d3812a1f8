"""What a reader is shown in place of the identifiers of tables, measurements and metrics."""

from __future__ import annotations

from cardio_echo_cmr.views.names import OTHER, VIEW_TITLES, VIEWS

_FINDINGS = {"wma": "wall motion abnormality", "lge": "late gadolinium enhancement"}
_MAPPED = {"t1": ("t1_ms", "ms"), "t2": ("t2_ms", "ms"), "ecv": ("ecv_pct", "%")}
_MEASURED = {"t1": "native T1", "t2": "T2", "ecv": "extracellular volume"}

_TARGETS = {
    **_FINDINGS,
    **{
        f"{name}_{view}": f"{title} in segments of the {VIEW_TITLES[view]} view"
        for name, title in _FINDINGS.items()
        for view in VIEWS
    },
    **{f"{name}_high": f"raised {_MEASURED[name]}" for name in _MAPPED},
    **{value: f"{_MEASURED[name]} ({unit})" for name, (value, unit) in _MAPPED.items()},
    "responder": "response to treatment (synthetic)",
    "view": "view",
    OTHER: VIEW_TITLES[OTHER],
    "unknown": "unknown view",
}

_MODELS = {
    # The name of a view, and of the model that looks at it: models have titles of their own.
    **{view: f"{VIEW_TITLES[view]} view" for view in VIEWS},
    **{f"{view}_value": f"network on the {VIEW_TITLES[view]} view, value" for view in VIEWS},
    "fused": "views fused",
    "fused_value": "views fused, value",
    "lvef": "LVEF alone",
    "age_sex": "age and sex",
    "resnet": "network on eight frames",
}

_LOOP = {
    "n_frames": "frames",
    "frame_rate_hz": "frame rate (Hz)",
    "mm_per_px": "size of a pixel of the small picture (mm)",
    "heart_rate_bpm": "heart rate (/min)",
    "n_beats": "beats",
    "duration_s": "duration (s)",
    "depth_mm": "depth (mm)",
    "pixel_mm": "size of a pixel (mm)",
    "cycle_ms": "cardiac cycle (ms)",
    "mitral_excursion_mm": "mitral plane excursion at the septum (mm)",
    "mitral_excursion_pct": "mitral plane excursion at the septum (% of the septum's length)",
    "mitral_rise_ms": "rise of the mitral plane (ms)",
    "septum_confidence": "confidence in the septum line",
    "lvef_pct": "LVEF (%)",
    "age_y": "age (years)",
    "sex_male": "male sex",
}

_INTERVALS = {
    "rows_are": "a row is a",
    "drawn": "drawn",
    "n_rows": "rows",
    "n_redrawn": "resamples drawn again",
    "width": "width of the interval",
    "auc_video_bootstrap": "AUC, videos drawn",
    "auc_study_bootstrap": "AUC, studies drawn",
    "auc_patient_bootstrap": "AUC, patients drawn",
    "auc_patient_bootstrap_bca": "AUC, patients drawn (BCa)",
    "auc_delong": "AUC, DeLong",
    "auc_low": "lower limit",
    "auc_high": "upper limit",
    "video_auc": "AUC over videos",
    "video_auc_low": "lower limit over videos",
    "video_auc_high": "upper limit over videos",
}

_PAPER = {
    "paper_auc": "AUC in the paper",
    "paper_low": "lower limit in the paper",
    "paper_high": "upper limit in the paper",
    "paper_effective_n": "patients that the paper's interval suits",
    "paper_k": "with it in the paper",
    "paper_n": "of, in the paper",
    "paper_share": "share in the paper",
    "paper_mae": "mean absolute error in the paper",
    "paper_mae_constant": "mean absolute error of a constant in the paper",
    "effective_n": "patients that the interval suits",
    "half_width": "half-width of the interval",
    "half_width_of_patients": "half-width that so many patients give",
    "characteristic": "characteristic",
    "row": "model",
    "k": "with it",
    "share": "share",
    "htn": "hypertension",
    "dyslipidaemia": "dyslipidaemia",
    "dm": "diabetes",
}

_NUMBERS = {
    "mae_training_mean": "mean absolute error of the training mean",
    "mae_difference": "mean absolute error, model less training mean",
    "mae_low": "lower limit of the mean absolute error",
    "mae_high": "upper limit of the mean absolute error",
    "mae_difference_low": "lower limit of the difference",
    "mae_difference_high": "upper limit of the difference",
    "rmse": "root mean squared error",
    "bias": "bias, predicted less measured",
    "loa_lower": "lower limit of agreement",
    "loa_upper": "upper limit of agreement",
    "sd_of_differences": "SD of the differences",
}

_SEGMENTS = {
    "segment_auc": "AUC of segments",
    "segment_auc_within_videos": "AUC of segments within a video",
    "within_videos": "AUC within a video",
    "within_low": "lower limit within a video",
    "within_high": "upper limit within a video",
    "n_abnormal": "abnormal segments",
    "n_videos_of_both": "videos with segments of both kinds",
    "n_videos": "videos",
    "n_segments": "segments",
    "heat_in_sector": "share of the heat within the sector",
    "heat_peak_ms": "time of the warmest frame (ms)",
    "wall_enrichment": "enrichment of the heat on the wall (×)",
    "occlusion": "occlusion of the segment",
    "grad_cam_pp": "Grad-CAM++",
    "random_weights": "networks with random weights",
    "area": "size of the segment",
    "views-present": "views that studies have",
    "views": "views",
}

_VIEWS = {
    "accuracy_of_named": "accuracy where a view is named",
    "accuracy_with_unknown": "accuracy, unknown counted as wrong",
    "unknown_share": "share of unknown views",
    "n_right": "right",
    "n_wrong": "wrong",
    "n_unknown": "unknown",
}

WORDS = {
    **_TARGETS, **_MODELS, **_LOOP, **_INTERVALS, **_PAPER, **_NUMBERS, **_SEGMENTS, **_VIEWS,
}  # fmt: skip
