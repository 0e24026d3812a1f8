"""Featurize: the blocks, their units, and that they are read from disk when they are needed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cardio_core.api import SampleSet
from cardio_echo_cmr.findings.config import FeaturizeBlock
from cardio_echo_cmr.findings.featurize import featurize
from cardio_echo_cmr.findings.preprocess import SectorVideo

N, MAX_FRAMES, SIDE = 3, 12, 16


def video(number: int) -> SectorVideo:
    frames = np.zeros((MAX_FRAMES, SIDE, SIDE), np.uint8)
    frames[: 8 + number] = 10 * number + 5
    times = np.full(MAX_FRAMES, np.nan, np.float32)
    times[: 8 + number] = 25.0 * np.arange(8 + number)
    return SectorVideo(frames, times, 8 + number, 40.0, 1.25, ())


def samples(patient="P", **columns) -> SampleSet:
    ids = [f"{patient}-{n}" for n in range(N)]
    table = pd.DataFrame(
        {"recording_id": ids, "study_id": f"{patient}-s", "patient_id": patient, "flags": ""}
        | columns,
        index=pd.Index(ids, name="sample_id"),
    )
    values = np.empty(N, dtype=object)
    values[:] = [video(n) for n in range(N)]
    return SampleSet(table, values)


def features(**columns):
    return featurize(samples(**columns), FeaturizeBlock())


def test_every_block_has_its_shape_its_type_and_a_unit():
    made = features(lvef_pct=48.0, age_y=61.0, sex_male=1.0)
    about = {name: (b.values.shape, b.values.dtype.name) for name, b in made.blocks.items()}
    assert about == {
        "video": ((3, 12, 16, 16), "uint8"),
        "times": ((3, 12), "float32"),
        "timing": ((3, 3), "float32"),
        "loop": ((3, 7), "float32"),
        "clinical": ((3, 3), "float32"),
    }
    assert made["times"].units == ("ms",)
    assert dict(zip(made["timing"].names, made["timing"].units, strict=True)) == {
        "n_frames": "1",
        "frame_rate_hz": "Hz",
        "mm_per_px": "mm",
    }
    assert dict(zip(made["clinical"].names, made["clinical"].units, strict=True)) == {
        "lvef_pct": "%",
        "age_y": "years",
        "sex_male": "1",
    }


def test_rows_are_videos_with_their_own_length_and_times():
    made = features()
    assert made.table.index.tolist() == made.table["recording_id"].tolist()
    assert np.asarray(made["timing"].values)[:, 0].tolist() == [8.0, 9.0, 10.0]
    assert np.isfinite(made["times"].values).sum(axis=1).tolist() == [8, 9, 10]
    assert made["video"].values.max(axis=(2, 3))[2].tolist() == [25] * 10 + [0, 0]


def test_what_is_not_known_of_a_patient_is_nan_whatever_it_was_written_as():
    made = features(lvef_pct=[48.0, None, np.nan], age_y=pd.array([50, pd.NA, 70], dtype="Int64"))
    clinical = np.asarray(made["clinical"].values)
    np.testing.assert_array_equal(clinical[:, 0], [48.0, np.nan, np.nan])
    np.testing.assert_array_equal(clinical[:, 1], [50.0, np.nan, 70.0])
    assert np.isnan(clinical[:, 2]).all()


def test_the_table_carries_ids_site_view_and_flags_and_no_number_of_the_patient():
    made = features(view_given="a4c", site_id="2", lvef_pct=48.0, sex_male=1.0)
    assert made.table.columns.tolist() == [
        "recording_id", "study_id", "patient_id", "site_id", "view_given", "flags",
    ]  # fmt: skip


def test_features_of_chosen_videos_are_those_of_all_in_any_order():
    whole = features(lvef_pct=[40.0, 50.0, 60.0])
    few = featurize(samples(lvef_pct=[40.0, 50.0, 60.0]).take([2, 0]), FeaturizeBlock())
    assert few.table.index.tolist() == ["P-2", "P-0"]
    for name, block in few.blocks.items():
        np.testing.assert_array_equal(block.values, whole[name].values[[2, 0]])
