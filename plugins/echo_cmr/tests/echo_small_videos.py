"""Videos by code that try networks without a loop: a bright bar, and a spot that moves or not.

The bar's direction tells the view. Nothing that is reported is measured on them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from cardio_core.api import FeatureBlock, FeatureSet, Targets

SIDE, MAX_FRAMES, RATE_HZ = 32, 64, 50.0
VIEWS = ("a4c", "a2c", "plax")
T1_MS, T1_STEP_MS = 1000.0, 80.0


def _bar(view):
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    across = {"a4c": columns, "a2c": rows, "plax": rows - columns, "other": rows + columns}[view]
    return 90.0 * np.exp(-0.5 * (across / 1.5) ** 2)


def small_video(view, moves, rng, n_frames=48):
    """Return the frames of one video, uint8 (MAX_FRAMES, SIDE, SIDE), 0 after its end."""
    phase = 2 * np.pi * (np.arange(n_frames) / 12 + rng.uniform())
    place = SIDE / 4 + 3.0 * moves * np.sin(phase)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    squared = (rows[None] - place[:, None, None]) ** 2 + (columns - 3 * SIDE / 4) ** 2
    frames = _bar(view) + 140 * np.exp(-0.5 * squared / 4) + rng.normal(30, 8, squared.shape)
    made = np.zeros((MAX_FRAMES, SIDE, SIDE), np.uint8)
    made[:n_frames] = np.clip(frames, 0, 255).astype(np.uint8)
    return made


def small_cohort(n_patients=24, *, seed=0, views=VIEWS, named=True, n_frames=48):
    """Return features of one study a patient with one video a view, and all targets.

    Every second patient's spot stands still and is the finding; T1 is 80 ms higher with it.
    """
    rng = np.random.default_rng(seed)
    rows, videos, clinical, study = [], [], [], {}
    for number in range(n_patients):
        sick = number % 2
        name = f"p{number:02d}"
        for view in views:
            ids = (f"{name}-{view}", f"{name}-s", name, view if named else "")
            rows.append(ids)
            videos.append(small_video(view, 1 - sick, rng, n_frames))
            clinical.append((62.0 - 20 * sick + number / 10, 50.0 + number, number // 2 % 2))
        finding = {f"{task}{end}": sick for task in ("wma", "lge") for end in ("", *_OF_VIEW)}
        study[f"{name}-s"] = finding | {"t1_high": sick, "t1_ms": T1_MS + T1_STEP_MS * sick}
    table = pd.DataFrame(rows, columns=["recording_id", "study_id", "patient_id", "view_given"])
    table.index = pd.Index(table["recording_id"], name="sample_id")
    times = np.full((len(rows), MAX_FRAMES), np.nan, np.float32)
    times[:, :n_frames] = np.arange(n_frames) * 1000 / RATE_HZ
    features = FeatureSet(
        table,
        {
            "video": _block(np.stack(videos), ("frame", "row", "column")),
            "times": _block(times, ("frame",), ("ms",)),
            "clinical": FeatureBlock(
                np.array(clinical, np.float32),
                ("measure",),
                ("lvef_pct", "age_y", "sex_male"),
                ("%", "years", "1"),
            ),
        },
    )
    return features, Targets("study", pd.DataFrame(study).T.astype(object))


_OF_VIEW = tuple(f"_{view}" for view in VIEWS)


def with_values(features, block, values):
    """Return the features with one block's values replaced."""
    from dataclasses import replace

    changed = replace(features[block], values=values)
    return FeatureSet(features.table, {**features.blocks, block: changed})


def with_given(features, views):
    """Return the features with other views in their table."""
    return FeatureSet(features.table.assign(view_given=views), features.blocks)


def _block(values, axes, units=("1",)):
    names = tuple(f"frame_{number}" for number in range(1, values.shape[1] + 1))
    return FeatureBlock(values, axes, names, units)
