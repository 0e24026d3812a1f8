"""What the final models of a run say of other patients, as frames that others build on."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cardio_core.runner import answers as portions
from cardio_core.runner.answers import answer, open_finished
from cardio_core.testing import refuses
from cardio_stats.errors import ConfigError
from cardio_stats.files import read_json, write_json


@pytest.fixture(scope="module")
def answered(clinic_run, clinic, tmp_path_factory):
    opened = open_finished(clinic_run, device="cpu", features_in=tmp_path_factory.mktemp("kept"))
    return opened, answer(opened, (clinic,), with_targets=True)


def test_with_targets_the_cohort_is_loaded_as_a_run_loads_it(answered):
    opened, made = answered
    targets = made.prepared.cohort.targets
    assert targets is not None
    for target in opened.task.targets:
        assert targets.table[target.name].notna().any()


def test_every_final_model_has_a_frame_of_every_target(answered):
    opened, made = answered
    for target in opened.task.targets:
        frames = made.frames[target.name]
        assert tuple(frames) == opened.models
        for frame in frames.values():
            assert {"unit_id", "patient_id", "recording_id", "level"} <= set(frame.columns)
            assert np.isfinite(frame[f"score:{target.classes[1]}"]).all()
            assert set(frame["patient_id"]) <= set(made.prepared.features.table["patient_id"])


def test_patients_get_the_same_answer_however_many_are_asked_about_at_once(
    answered, clinic, tmp_path, monkeypatch
):
    opened, whole = answered
    monkeypatch.setattr(portions, "AT_ONCE", 5)
    opened = replace(opened, ctx=opened.ctx.replace(cache=tmp_path))
    made = answer(opened, (clinic,), with_targets=True)
    assert whole.prepared.features.table["patient_id"].nunique() > 2 * 5
    for target, frames in whole.frames.items():
        for model, frame in frames.items():
            pd.testing.assert_frame_equal(made.frames[target][model], frame)
    pd.testing.assert_frame_equal(made.applicability, whole.applicability)
    assert made.withheld == whole.withheld
    assert made.measured == whole.measured


@pytest.mark.parametrize("kind", ["judged", "fused"])
def test_a_folder_of_another_kind_cannot_answer(tmp_path, clinic_run, kind):
    write_json(tmp_path / "manifest.json", read_json(clinic_run / "manifest.json") | {"kind": kind})
    with refuses(ConfigError, kind, code="unsupported"):
        open_finished(tmp_path, features_in=tmp_path)
