"""M-modes by code: a bright band that bulges towards the ventricle between MVC and AVO, or not.

They try the networks and the scores without a loop; nothing that is reported is measured on them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import FeatureBlock, FeatureSet, Targets

SIZE, N_MMODE, TOP_MM, ROW_MM = 64, 100, -30.0, 0.9
MOTION = ("excursion_mm", "onset_ms", "duration_ms", "rebound_mm")


@pytest.fixture(scope="session")
def flash_features():
    """The function that makes features of studies with flash and without, and their targets."""
    return features_of


def band(flash_mm, rr_ms, mvc_ms, avo_ms, rng, n_pixels, shift=0):
    """Return an M-mode with its septum at 0 mm, which moves into the ventricle by `flash_mm`."""
    at_ms = np.arange(n_pixels) * rr_ms / n_pixels
    phase = np.clip((at_ms - mvc_ms) / (avo_ms - mvc_ms), 0, 1)
    middle = flash_mm * np.sin(np.pi * phase) ** 2 + 5 * np.sin(np.pi * at_ms / rr_ms) ** 2
    per_row = ROW_MM * N_MMODE / n_pixels
    rows_mm = TOP_MM + (np.arange(n_pixels) + 0.5) * per_row
    wall = np.exp(-0.5 * ((rows_mm[:, None] - middle - shift) / 4.0) ** 2)
    speckle = rng.rayleigh(0.8, (n_pixels, n_pixels))
    return np.clip(40 + 160 * wall * speckle, 0, 255).astype(np.uint8), middle


def features_of(n_patients=24, *, n_shifts=1, seed=0, flash_mm=14.0, follow_up=True):
    """Return a feature set of baseline and follow-up studies with their copies, and the targets."""
    rng = np.random.default_rng(seed)
    rows, pictures, crops, mmodes, timing, motion, trace, labels = [], [], [], [], [], [], [], {}
    for number in range(n_patients):
        for timepoint in ("bl", "fu")[: 1 + (follow_up and number % 2)]:
            study = f"p{number:02d}-{timepoint}"
            labels[study] = (number + (timepoint == "fu")) % 2
            rr, mvc, avo = rng.uniform(800, 900), rng.uniform(60, 80), rng.uniform(190, 220)
            flash = flash_mm * labels[study]
            for variant in range(1 + n_shifts):
                large, middle = band(flash, rr, mvc, avo, rng, N_MMODE, 2.0 * variant)
                small, _ = band(flash, rr, mvc, avo, rng, SIZE, 2.0 * variant)
                half, _ = band(flash, rr, mvc, avo, rng, 2 * SIZE, 2.0 * variant)
                name = study if variant == 0 else f"{study}~{variant}"
                rows.append((name, study, study, f"p{number:02d}", variant))
                mmodes.append(large)
                pictures.append(small)
                crops.append(half[:SIZE, :SIZE])
                timing.append((rr, mvc, avo, 60.0, ROW_MM, 0.0, TOP_MM))
                motion.append((flash + rng.normal(0, 1), mvc, avo - mvc, 0.3 * flash))
                trace.append(middle)
    table = pd.DataFrame(
        rows, columns=["sample_id", "recording_id", "study_id", "patient_id", "variant"]
    ).set_index("sample_id")
    table["subject_id"] = table["patient_id"]
    n = len(table)
    septum = np.stack([np.linspace(55, 15, 62), np.full(62, 30.0)], axis=1).astype(np.float32)
    blocks = {
        "mmode": _picture(np.stack(mmodes)),
        "picture": _picture(np.stack(pictures)),
        "picture_crop": _picture(np.stack(crops)),
        "frame": _picture(rng.integers(0, 255, (n, 70, 80)).astype(np.uint8)),
        "septum": FeatureBlock(
            np.tile(septum, (n, 1, 1)), ("point", "axis"),
            tuple(f"point_{i + 1:02d}" for i in range(62)), ("px",)),
        "line": FeatureBlock(
            np.tile(np.array([[45, 0], [45, 75]], np.float32), (n, 1, 1)), ("end", "axis"),
            ("right", "left"), ("px",)),
        "timing": FeatureBlock(
            np.array(timing), ("what",),
            ("rr_ms", "mvc_ms", "avo_ms", "frame_rate_hz", "mm_per_row", "cycle_from_motion",
             "first_row_mm"), ("ms", "ms", "ms", "Hz", "mm", "1", "mm")),
        "motion": FeatureBlock(np.array(motion), ("what",), MOTION, ("mm", "ms", "ms", "mm")),
        "trace": FeatureBlock(
            np.array(trace, np.float32), ("time",), tuple(f"t{i:02d}" for i in range(N_MMODE)),
            ("mm",)),
    }  # fmt: skip
    targets = Targets("study", pd.DataFrame({"septal_flash": pd.Series(labels)}))
    return FeatureSet(table, blocks), targets


def _picture(values):
    names = tuple(f"row_{i:03d}" for i in range(values.shape[1]))
    return FeatureBlock(values, ("row", "column"), names, ("grey level",))
