"""What is compared of a patient: measurements, pictures, the cohort table, names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cardio_core.evaluation.likeness import About, describe
from cardio_core.types.features import FeatureBlock, FeatureSet
from cardio_core.types.samples import Cohort, SampleSet


@pytest.fixture
def cohort() -> Cohort:
    ids = pd.DataFrame(
        {
            "recording_id": ["a1", "b1"],
            "study_id": ["a", "b"],
            "patient_id": ["a", "b"],
            "site_id": ["north", None],
        },
        index=["a1", "b1"],
    )
    table = pd.DataFrame(
        {
            "patient_id": ["a", "b"],
            "age_y": [61.0, np.nan],
            "hr_bpm": [70.0, 80.0],
            "dm": [1.0, 0.0],
            "lvef_fu_pct": [40.0, 30.0],
            "x_albumin": ["41", "38"],
            "field_T": [1.5, 3.0],
        },
        index=["a", "b"],
    )
    return Cohort(SampleSet(ids, [None, None]), {}, table=table)


@pytest.fixture
def features() -> FeatureSet:
    """Three beats of a, of which one is a shifted copy, and one of b."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "recording_id": ["a1", "a1", "a1", "b1"],
            "study_id": ["a", "a", "a", "b"],
            "patient_id": ["a", "a", "a", "b"],
            "variant": [0, 0, 1, 0],
        },
        index=["a#0", "a#1", "a#2", "b#0"],
    )
    numbers = np.array([[100, 1, 0], [110, 1, 5], [900, 1, 9], [np.nan, 0, 3]], np.float32)
    pictures = np.stack([7 + s * rng.normal(size=(4, 500)) for s in (0.5, 0.5, 9.0, 2.0)])
    return FeatureSet(
        table,
        {
            "measures": FeatureBlock(
                numbers, ("measure",), ("qrs_ms", "paced", "inner"), ("ms", "1", "1"),
                titles=("QRS duration", "Paced", ""), levels={"paced": ("no", "yes")},
            ),
            "hidden": FeatureBlock(numbers, ("measure",), ("x", "y", "z"), ("1",), titles=()),
            "beat": FeatureBlock(
                pictures.astype(np.float32), ("lead", "time"), ("I", "II", "III", "V1"), ("mV",)
            ),
        },
    )  # fmt: skip


def test_a_patient_has_the_median_of_his_samples_and_no_copies(features, cohort):
    found = describe(features, cohort, words={})
    assert list(found.values.index) == ["a", "b"]
    assert found.about["measures/qrs_ms"] == About("QRS duration", "ms", "measured")
    assert found.values.loc["a", "measures/qrs_ms"] == 105.0
    assert np.isnan(found.values.loc["b", "measures/qrs_ms"])
    # Answers by yes or no, untitled names and blocks that are no measurement are left out.
    assert not [key for key in found.values if key.split("/")[1] in ("paced", "inner", "x")]


def test_pictures_have_a_level_and_a_noise_in_their_unit(features, cohort):
    found = describe(features, cohort, words={})
    assert found.about["beat/noise"] == About("noise of the beat", "mV", "input")
    assert found.values["beat/level"].tolist() == pytest.approx([7.0, 7.0], abs=0.15)
    assert found.values["beat/noise"].tolist() == pytest.approx([0.5, 2.0], rel=0.1)


def test_the_table_gives_numbers_known_at_the_recording_and_names(features, cohort):
    found = describe(features, cohort, words={}, also=("x_albumin",), never=("hr_bpm",))
    clinical = [key for key in found.values if key.startswith("table/")]
    # No flag, nothing from follow-up, and not what says the outcome.
    assert clinical == ["table/age_y", "table/x_albumin"]
    assert found.values.loc["a", "table/age_y"] == 61.0
    assert found.names["field_T"].tolist() == ["1.5", "3"]
    assert found.names["site_id"].tolist() == ["north", None]


def test_without_a_table_nothing_is_known_of_age(features, cohort):
    from dataclasses import replace

    found = describe(features, replace(cohort, table=None), words={})
    assert not [key for key in found.values if key.startswith("table/")]
    assert found.names["site_id"].tolist() == ["north", None]
