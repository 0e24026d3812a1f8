"""From samples to studies and patients."""

import numpy as np
import pandas as pd
import pytest

from cardio_core.evaluation.aggregate import prediction_frame
from cardio_core.types.info import Target
from cardio_core.types.predictions import Predictions

BINARY = Target("event", "binary", ("no", "yes"))
NUMBER = Target("t1", "continuous", unit="ms")


@pytest.fixture
def samples():
    return pd.DataFrame(
        {
            "recording_id": ["r1", "r1", "r2", "r3"],
            "study_id": ["s1", "s1", "s1", "s2"],
            "patient_id": ["p1", "p1", "p1", "p2"],
            "subject_id": ["p1", "p1", "p1", "p2"],
            "time_s": [0.0, 1.0, 0.0, 0.0],
        },
        index=pd.Index(["r1#0", "r1#1", "r2#0", "r3#0"], name="sample_id"),
    )


def test_probabilities_are_averaged_as_logits(samples):
    p = np.array([0.9, 0.8, 0.3, 0.6])
    made = prediction_frame(
        Predictions(tuple(samples.index), {"event": p}), samples, BINARY, "patient"
    ).set_index("unit_id")
    logit = np.log(p / (1 - p))
    expected = 1 / (1 + np.exp(-logit[:3].mean()))
    assert made.loc["p1", "score:yes"] == pytest.approx(expected)
    assert made.loc["p2", "score:yes"] == pytest.approx(0.6)
    assert made.loc["p1", ["sample_id", "recording_id", "study_id"]].isna().all()


def test_numbers_are_averaged_as_numbers_and_a_study_keeps_its_patient(samples):
    values = np.array([1.0, 2.0, 6.0, 4.0])
    made = prediction_frame(
        Predictions(tuple(samples.index), {"t1": values}), samples, NUMBER, "study"
    ).set_index("unit_id")
    assert made.loc["s1", "score"] == 3.0
    assert made.loc["s2", "patient_id"] == "p2"


def test_events_are_tested_at_their_samples(samples):
    made = prediction_frame(
        Predictions(tuple(samples.index), {"event": np.full(4, 0.5)}), samples, BINARY, "event"
    )
    assert list(made["unit_id"]) == list(samples.index)
    assert list(made["time_s"]) == [0.0, 1.0, 0.0, 0.0]


def test_a_patient_level_prediction_is_taken_as_it_is(samples):
    made = prediction_frame(
        Predictions(("p2", "p1"), {"event": np.array([0.2, 0.7])}, level="patient"),
        samples,
        BINARY,
        "patient",
    )
    assert list(made["unit_id"]) == ["p2", "p1"]
    assert made["score:yes"].tolist() == pytest.approx([0.2, 0.7])
