"""Loading for crt_response: one study a patient, who responded, who is left out and why."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pydicom
import pytest

from cardio_core.api import Cohort, ConfigError, Context, DataError
from cardio_core.testing import refuses
from cardio_spect_polar.plugin import CRT_RESPONSE
from cardio_spect_polar.response.config import LoadBlock
from cardio_spect_polar.response.load import load

N, OUTLIER, WITH_STRESS = 12, "p012", "p005"


@pytest.fixture(scope="module")
def written(crt_cohort) -> Path:
    return crt_cohort


def opened(*places: Path, mode: str = "fit", **settings: object) -> Cohort:
    ctx = Context(CRT_RESPONSE, hook="load", mode=mode, protocol="honest", _inputs=places)
    cohort = load(LoadBlock(**settings), ctx)
    return replace(cohort, quarantined=tuple(ctx._quarantined))


def files_of(cohort: Cohort, patient: str) -> list[str]:
    names = cohort.samples.table.query("patient_id == @patient").index
    return [path.name for name in names for path in cohort.files[name]]


def test_the_papers_outlier_is_excluded_by_name_and_kept_where_nobody_is(written):
    cohort = opened(written)
    ((why, studies),) = cohort.excluded.items()
    assert studies == (f"{OUTLIER}-bl",)
    assert "LVESV below 20 mL" in why
    assert OUTLIER not in set(cohort.samples.table["patient_id"])
    everybody = opened(written, min_lvesv_ml=None)
    assert not everybody.excluded
    assert OUTLIER in set(everybody.samples.table["patient_id"])


def test_rest_is_taken_before_stress_unless_stress_is_asked_for(written):
    assert files_of(opened(written), WITH_STRESS) == [f"{WITH_STRESS}_rest.dcm"]
    cohort = opened(written, state="stress")
    assert files_of(cohort, WITH_STRESS) == [f"{WITH_STRESS}_stress.dcm"]
    without = {one.recording_id: one.reason for one in cohort.quarantined}
    assert "expected a gated study at stress, as load.state says, found rest" in without["p001-bl"]
    assert len(without) + len(cohort.samples.table) == N - 1


def measured(*places: Path, **settings: object) -> Cohort:
    ctx = Context(CRT_RESPONSE, hook="load", mode="predict", _inputs=places)
    cohort = load(LoadBlock(**settings), ctx)
    return replace(cohort, quarantined=tuple(ctx._quarantined))


def pairs_of(cohort: Cohort) -> dict[str, str]:
    table = cohort.samples.table
    return {stress: rest for stress, rest in table["rest_of_pair"].items() if rest}


def test_to_measure_stress_and_rest_of_one_patient_are_a_pair_and_a_run_takes_one(written):
    files = [written / "spect" / f"{WITH_STRESS}_{state}.dcm" for state in ("rest", "stress")]
    other = written / "spect" / "p001_rest.dcm"
    cohort = measured(*files, other)
    table = cohort.samples.table
    assert pairs_of(cohort) == {"3": "2"}
    assert list(table["patient_id"]) == ["P1", "P2", "P2"]
    assert any("recordings 2 and 3" in note for note in map(str, cohort.notes))
    # To be predicted each file is a patient of its own, and no run has a pair.
    assert list(opened(*files, mode="predict").samples.table["patient_id"]) == ["1", "2"]
    assert not pairs_of(opened(written))


def test_to_measure_a_table_gives_both_states_and_the_follow_up(written, tmp_path):
    shutil.copytree(written / "spect", tmp_path / "spect")
    later = pd.DataFrame(
        {"patient_id": ["a", "a", "b"], "study_id": ["a-bl", "a-fu", "b-bl"],
         "timepoint": ["baseline", "followup", "baseline"],
         "path_spect": [f"spect/{WITH_STRESS}_rest.dcm;spect/{WITH_STRESS}_stress.dcm",
                        "spect/p001_rest.dcm", "spect/p002_rest.dcm"]}
    )  # fmt: skip
    later.to_csv(tmp_path / "cohort.csv", index=False)
    cohort = measured(tmp_path)
    table = cohort.samples.table
    assert list(table.index) == ["a-bl-rest", "a-bl-stress", "a-fu", "b-bl"]
    assert list(table["patient_id"]) == ["a", "a", "a", "b"]
    assert pairs_of(cohort) == {"a-bl-stress": "a-bl-rest"}
    at_stress = measured(tmp_path, state="stress")
    assert list(at_stress.samples.table.index) == ["a-bl"]
    assert [one.recording_id for one in at_stress.quarantined] == ["a-fu", "b-bl"]


def test_a_file_that_does_not_say_its_state_is_taken_as_the_wanted_one(written, tmp_path):
    for name in ("p001_rest", f"{WITH_STRESS}_stress"):
        dataset = pydicom.dcmread(written / "spect" / f"{name}.dcm")
        if name == "p001_rest":
            del dataset.AcquisitionContextSequence
        dataset.save_as(tmp_path / f"{name[:4]}.dcm")
    cohort = measured(tmp_path, state="rest")
    ((stack,),) = [[value for _, value in cohort.samples.opened(lambda *_: None)]]
    assert stack.state == "rest"
    assert any("Taken as rest" in note and "1 study" in note for note in map(str, cohort.notes))
    assert any("Not at rest, and left out" in note for note in map(str, cohort.notes))
    with refuses(DataError, "p005.dcm", "load.state", "stress"):
        opened(tmp_path / f"{WITH_STRESS}.dcm", mode="predict", state="rest")


def test_limits_of_one_study_are_refused_for_several(written):
    one = written / "spect" / "p001_rest.dcm"
    assert len(measured(one, base_mm=30.0, apex_mm=110.0).samples) == 1
    with refuses(ConfigError, "load.base_mm", 2):
        measured(one, written / "spect" / "p002_rest.dcm", base_mm=30.0)


def test_response_is_computed_from_the_volumes_of_the_table(written):
    cohort = opened(written)
    table = pd.read_csv(written / "cohort.csv").set_index("patient_id")
    fell = 1 - table["lvesv_fu_ml"] / table["lvesv_bl_ml"]
    found = cohort.targets.table["response"].dropna()
    assert len(found) >= N - 3
    for patient, value in found.items():
        assert bool(value) == (fell[patient] >= 0.15)


def test_a_follow_up_outside_the_window_that_was_set_leaves_the_outcome_unknown(written, tmp_path):
    shutil.copytree(written, tmp_path / "data")
    path = tmp_path / "data" / "cohort.csv"
    table = pd.read_csv(path)
    early = opened(written).targets.table["response"].dropna().index[0]
    table["days_to_followup"] = 180
    table.loc[table["patient_id"] == early, "days_to_followup"] = 89
    table.to_csv(path, index=False)
    whole = opened(path).targets.table["response"]
    within = opened(path, window_days=(90, 270)).targets.table["response"]
    assert whole.notna().sum() - within.notna().sum() == 1
    assert pd.isna(within[early])
    with refuses(ConfigError, "load.window_days", "[270, 90]", code="out_of_range"):
        opened(path, window_days=(270, 90))


def test_new_files_are_numbered_and_their_missing_variables_said(written):
    file = written / "spect" / "p001_rest.dcm"
    cohort = opened(file, mode="predict")
    assert list(cohort.samples.table["patient_id"]) == ["1"]
    assert cohort.targets is None
    assert any(
        "No new patient has any clinical variable" in note for note in map(str, cohort.notes)
    )


def test_a_sidecar_that_changed_changes_the_row_on_which_the_cache_rests(written, tmp_path):
    file = tmp_path / "new.dcm"
    shutil.copy(written / "spect" / "p001_rest.dcm", file)
    rows = [opened(file, mode="predict").samples.table.astype(str)]
    for text in ('{"base_mm": 20.0}', '{"base_mm": 30.0}'):
        file.with_suffix(".json").write_text(text)
        rows.append(opened(file, mode="predict").samples.table.astype(str))
    assert len({tuple(row.iloc[0]) for row in rows}) == 3


def test_a_cohort_table_without_one_variable_is_told_which_one(written, tmp_path):
    shutil.copytree(written / "spect", tmp_path / "spect")
    table = pd.read_csv(written / "cohort.csv").drop(columns="qrs_ms")
    table.to_csv(tmp_path / "cohort.csv", index=False)
    assert any(" qrs_ms:" in note for note in map(str, opened(tmp_path, mode="predict").notes))
    assert not opened(written, mode="predict").notes


def test_a_table_without_studies_and_a_folder_without_a_table_are_refused(written, tmp_path):
    bare = tmp_path / "cohort.csv"
    pd.read_csv(written / "cohort.csv").drop(columns="path_spect").to_csv(bare, index=False)
    with refuses(ConfigError, "cohort.csv", "path_spect", code="missing"):
        opened(bare)
    with refuses(DataError, "cohort.csv"):
        opened(written / "spect")
