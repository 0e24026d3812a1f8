"""What a reader is shown in place of the identifiers of tables, measurements and metrics."""

from __future__ import annotations

_MOTION = {
    "excursion_mm": "early inward excursion of the septum (mm)",
    "onset_ms": "onset of the early inward motion (ms after R)",
    "peak_ms": "peak (ms after R)",
    "duration_ms": "duration of the early inward motion (ms)",
    "rebound_mm": "outward rebound of the septum (mm)",
    "early_inward_mm": "largest inward displacement within 180 ms (mm)",
    "range_mm": "range of the septal motion (mm)",
    "range_pct": "range of the septal motion (% of the septum's length)",
    "fit": "agreement of the followed columns (−1 to 1)",
}

_BEATS = {
    "heart_rate_bpm": "heart rate (/min)",
    "early_peak_mm": "early inward peak of the septum (mm)",
    "early_onset_ms": "onset of the early inward peak (ms after R)",
    "early_peak_ms": "early inward peak (ms after R)",
    "early_duration_ms": "duration of the early inward peak (ms)",
    "beats_measured": "beats measured",
    "beats_left_out": "beats left out",
    "early_peak_low_mm": "early inward peak, lowest of the beats (mm)",
    "early_peak_high_mm": "early inward peak, highest of the beats (mm)",
    "early_peak_sd_mm": "early inward peak, SD between beats (mm)",
    "early_peak_time_low_ms": "early inward peak, earliest of the beats (ms after R)",
    "early_peak_time_high_ms": "early inward peak, latest of the beats (ms after R)",
    "early_peak_time_sd_ms": "time of the early inward peak, SD between beats (ms)",
    "range_low_mm": "range of the septal motion, lowest of the beats (mm)",
    "range_high_mm": "range of the septal motion, highest of the beats (mm)",
    "range_sd_mm": "range of the septal motion, SD between beats (mm)",
}

_LOOP = {
    "rr_ms": "RR interval (ms)",
    "mvc_ms": "mitral valve closure (ms after R)",
    "avo_ms": "aortic valve opening (ms after R)",
    "hr_bpm": "heart rate (/min)",
    "frame_rate_hz": "frame rate (Hz)",
    "mm_per_row": "depth of a row of the M-mode (mm)",
    "cycle_from_motion": "cycle found in the motion",
    "septum_confidence": "confidence in the septum line that was found (0 to 1)",
    "frame_mm_per_pixel": "size of a pixel (mm)",
}

_LOCALISATION = {
    "grad_cam_pp": "Grad-CAM++",
    "layer_cam": "LayerCAM",
    "occlusion": "occlusion",
    "random_weights": "networks with random weights",
    "centre_prior": "a bump in the middle",
    "energy": "share of the map's energy between MVC and AVO",
    "enrichment": "enrichment between MVC and AVO (×)",
    "enriched_twofold": "share of maps enriched twofold",
    "twofold_low": "lower limit of that share",
    "twofold_high": "upper limit of that share",
    "pointing_hit": "peak within 20 ms of MVC to AVO",
    "temporal_iou": "overlap in time with MVC to AVO",
    "iou_bound": "largest overlap that the map's resolution allows",
    "distance_mm": "distance of the map's centre from the septum (mm)",
    "entropy": "entropy of the map (1 is flat)",
    "gini": "Gini index of the map (0 is flat)",
    "n_cells": "columns of the map",
    "correlation": "correlation with the trained network's map",
    "judged": "can be judged",
    "superiority": "probability that a study with flash has the larger score",
    "why_not": "why there is none",
    "median_flash": "median with flash",
    "median_without": "median without flash",
    "n_flash": "studies with flash",
    "n_without": "studies without flash",
    "y": "flash (1 is yes)",
}

_EVALUATION = {
    "septal_flash": "septal flash",
    "phantom_flash": "septal flash on phantoms",
    "auc_within_timepoint": "AUC within a timepoint",
    "accuracy_exact": "accuracy, exact interval",
    "within-timepoint": "AUC within a timepoint",
    "localisation-studies": "localisation, study by study",
    "localisation-flash-or-not": "localisation, studies with flash against without",
    "accuracy-beside-the-paper": "accuracy and the paper's",
    "among": "among",
    "who": "paper or model",
    "k": "right answers",
}

_MODELS = {
    "densenet_crop": "network on the cropped M-mode",
    "densenet": "network on the M-mode",
    "densenet_scratch": "network on the M-mode, from scratch",
    "excursion": "early inward excursion",
    "motion": "course of the septal motion",
}

WORDS = {**_MOTION, **_BEATS, **_LOOP, **_LOCALISATION, **_EVALUATION, **_MODELS}
