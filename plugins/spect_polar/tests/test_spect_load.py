"""Loading for crt_response: one study a patient, who responded, who is left out and why."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from cardio_core.api import Cohort, ConfigError, Context, DataError
from cardio_spect_polar.plugin import CRT_RESPONSE
from cardio_spect_polar.response.config import LoadBlock
from cardio_spect_polar.response.load import load
from cardio_spect_polar.synthetic import synthesize

N, OUTLIER, WITH_STRESS = 12, "p012", "p005"


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("spect")
    synthesize(folder, task="crt_response", n_patients=N, seed=0)
    return folder


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
    assert "expected a gated study at stress, found rest" in without["p001-bl"]
    assert len(without) + len(cohort.samples.table) == N - 1


def test_response_is_computed_from_the_volumes_of_the_table(written):
    cohort = opened(written)
    table = pd.read_csv(written / "cohort.csv").set_index("patient_id")
    fell = 1 - table["lvesv_fu_ml"] / table["lvesv_bl_ml"]
    found = cohort.targets.table["response"].dropna()
    assert len(found) >= N - 3
    for patient, value in found.items():
        assert bool(value) == (fell[patient] >= 0.15)


def test_new_files_are_numbered_and_their_missing_variables_said(written):
    file = written / "spect" / "p001_rest.dcm"
    cohort = opened(file, mode="predict")
    assert list(cohort.samples.table["patient_id"]) == ["1"]
    assert cohort.targets is None
    assert any("No new patient has any clinical variable" in note for note in cohort.notes)


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
    assert any(" qrs_ms:" in note for note in opened(tmp_path, mode="predict").notes)
    assert not opened(written, mode="predict").notes


def test_a_table_without_studies_and_a_folder_without_a_table_are_refused(written, tmp_path):
    bare = tmp_path / "cohort.csv"
    pd.read_csv(written / "cohort.csv").drop(columns="path_spect").to_csv(bare, index=False)
    with pytest.raises(ConfigError, match="expected a column path_spect"):
        opened(bare)
    with pytest.raises(DataError, match="nothing else says who has the outcome"):
        opened(written / "spect")
