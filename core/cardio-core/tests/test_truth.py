"""Events and the samples cut for them."""

import numpy as np
import pandas as pd

from cardio_core.runner.patients import bring_to_samples
from cardio_core.types.info import Model, Target, Task
from cardio_core.types.targets import Targets

TASK = Task(
    "beats",
    "beats",
    "event",
    (Target("beat", "multiclass", ("N", "V")),),
    (Model("m", "m"),),
    event_tolerance_s=0.1,
)


def samples(times):
    return pd.DataFrame(
        {
            "recording_id": "r",
            "study_id": "r",
            "patient_id": "p",
            "time_s": np.asarray(times, float),
        },
        index=[f"r#{i}" for i in range(len(times))],
    )


def events(times, labels):
    return pd.DataFrame({"recording_id": "r", "time_s": np.asarray(times, float), "beat": labels})


def test_matched_missed_and_false_are_told_apart():
    truth = bring_to_samples(
        Targets("event", events([1.0, 2.0, 3.0], ["N", "V", "N"])),
        samples([1.02, 2.5, 3.05]),
        TASK,
    )
    labels = truth.targets.table["beat"]
    assert labels["r#0"] == "N"
    assert pd.isna(labels["r#1"])
    assert labels["r#2"] == "N"
    assert truth.missed["beat"].tolist() == ["V"]


def test_nothing_is_scored_in_an_excluded_stretch():
    excluded = pd.DataFrame({"recording_id": ["r"], "start_s": [1.5], "end_s": [2.5]})
    truth = bring_to_samples(
        Targets("event", events([1.0, 2.0, 3.0], ["N", "V", "N"]), excluded),
        samples([1.0, 2.0, 2.2, 3.0]),
        TASK,
    )
    assert truth.ignored.tolist() == [False, True, True, False]
    assert len(truth.missed) == 0


def test_the_order_of_events_and_samples_does_not_matter():
    table = samples([3.0, 1.0, 2.0])
    truth = bring_to_samples(
        Targets("event", events([2.0, 3.0, 1.0], ["V", "N", "N"])), table, TASK
    )
    assert truth.targets.of(table, "beat").tolist() == ["N", "N", "V"]


def test_a_recording_without_samples_misses_all_its_events():
    table = samples([1.0]).assign(recording_id="other")
    truth = bring_to_samples(Targets("event", events([1.0, 2.0], ["N", "V"])), table, TASK)
    assert len(truth.missed) == 2
