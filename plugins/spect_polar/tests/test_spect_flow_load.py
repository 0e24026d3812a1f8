"""Which studies are loaded, what is predicted for them, and what is set aside."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import ConfigError, Context, DataError
from cardio_core.testing import names, refuses
from cardio_spect_polar.flow.config import FeaturizeBlock, LoadBlock, PreprocessBlock
from cardio_spect_polar.flow.featurize import featurize
from cardio_spect_polar.flow.load import load
from cardio_spect_polar.flow.models import MFR, RISK_FACTOR
from cardio_spect_polar.flow.preprocess import preprocess


def _segments(folder, name, values):
    file = folder / f"{name}.csv"
    file.write_text(",".join(f"{v:g}" for v in np.broadcast_to(values, 17)) + "\n")
    return file.name


def _cohort(folder, rows):
    pd.DataFrame(rows).to_csv(folder / "cohort.csv", index=False)
    return folder


def _row(folder, name, rest=0.8, stress=2.0, **more):
    return {
        "patient_id": name, "study_id": f"{name}-1",
        "path_polarmap_rest": _segments(folder, f"{name}-rest", rest),
        "path_polarmap_stress": _segments(folder, f"{name}-stress", stress), **more,
    }  # fmt: skip


def _load(task, folder, mode="fit", **settings):
    return load(LoadBlock(**settings), Context(task, hook="load", mode=mode, _inputs=(folder,)))


def test_step_ones_targets_are_the_segments_reserve_and_whether_their_ratio_is_below_two(tmp_path):
    rows = [
        _row(tmp_path, "a", 0.8, 2.0),
        _row(tmp_path, "b", 1.0, [1.9] * 16 + [2.1]),
        _row(tmp_path, "c", [1.0] * 16 + [0.1], 2.0),
    ]
    cohort = _load(MFR, _cohort(tmp_path, rows))
    table = cohort.targets.table
    assert table["impaired"].tolist() == [0.0, 1.0, 0.0]  # 2.0 is not below 2.0
    assert table["mfr_01"].tolist() == pytest.approx([2.5, 1.9, 2.0])
    assert np.isnan(table.loc["c", "mfr_17"])
    assert "sanity check" in cohort.outcome
    stricter = _load(MFR, tmp_path, impaired_below=2.6).targets.table
    assert stricter["impaired"].tolist() == [1.0, 1.0, 1.0]


def test_what_the_table_does_not_say_is_not_no(tmp_path):
    rows = [
        _row(tmp_path, "a", sex="M", dm=1, htn=0, smoking=None),
        _row(tmp_path, "b", sex="F", dm=None, htn=1, smoking=1),
    ]
    table = _load(RISK_FACTOR, _cohort(tmp_path, rows)).targets.table
    assert table["sex"].tolist() == [1.0, 0.0]
    assert table["diabetes"].tolist() == [1.0, pytest.approx(np.nan, nan_ok=True)]
    assert np.isnan(table.loc["a", "smoking"])
    assert table["dyslipidaemia"].isna().all()


def test_the_first_study_at_baseline_counts_and_a_note_says_what_is_left_out(tmp_path):
    rows = [
        _row(tmp_path, "a", timepoint="follow-up") | {"study_id": "a-late"},
        _row(tmp_path, "a", timepoint="baseline"),
        _row(tmp_path, "a", timepoint="baseline") | {"study_id": "a-2"},
        _row(tmp_path, "b", timepoint="baseline") | {"path_polarmap_stress": None},
    ]
    cohort = _load(MFR, _cohort(tmp_path, rows))
    assert cohort.samples.table["study_id"].tolist() == ["a-1"]
    assert any(note.startswith("2 of 4 studies are left out") for note in map(str, cohort.notes))
    assert any(note.startswith("1 further studies") for note in map(str, cohort.notes))


def test_a_damaged_map_is_quarantined_and_the_others_go_on(tmp_path):
    rows = [_row(tmp_path, "a"), _row(tmp_path, "b"), _row(tmp_path, "c", rest=0.1)]
    (tmp_path / "b-rest.csv").write_text("no,numbers\n")
    cohort = _load(MFR, _cohort(tmp_path, rows))
    assert cohort.targets.table["impaired"].isna().tolist() == [False, True, True]
    ctx = Context(MFR, hook="preprocess")
    samples = preprocess(cohort.samples, PreprocessBlock(), ctx)
    assert samples.table["patient_id"].tolist() == ["a"]
    reasons = {one.recording_id: one.reason for one in ctx._quarantined}
    assert reasons["b-1"].startswith("file 1 of 2: expected numbers in every cell, found text")
    assert names(reasons["c-1"], "reserve", "50%", "0%")


def test_flow_at_rest_is_corrected_by_the_column_of_the_rate_pressure_product(tmp_path):
    rows = [_row(tmp_path, "a", 1.2, 2.0, x_rate_pressure_product=12000.0)]
    cohort = _load(MFR, _cohort(tmp_path, rows), reference_rate_pressure=9000)
    assert cohort.targets.table.loc["a", "mfr_05"] == pytest.approx(2.0 / 0.9)


def test_a_corrected_rate_pressure_product_changes_the_row_on_which_the_cache_rests(tmp_path):
    rows = []
    for product in (12000, 9000):
        one = _row(tmp_path, "a", 1.2, 2.0, x_rate_pressure_product=product)
        cohort = _load(MFR, _cohort(tmp_path, [one]), reference_rate_pressure=9000)
        assert cohort.samples.values[0].rest[0] == pytest.approx(1.2 * 9000 / product)
        rows.append(tuple(cohort.samples.table.astype(str).iloc[0]))
    assert rows[0] != rows[1]


def test_no_label_and_no_blood_pressure_stand_in_the_sample_table(tmp_path):
    rows = [_row(tmp_path, "a", sex="M", dm=1, x_rate_pressure_product=9000.0)]
    columns = set(_load(RISK_FACTOR, _cohort(tmp_path, rows)).samples.table.columns)
    assert columns == {
        "recording_id", "study_id", "patient_id", "subject_link", "site_id", "scanner_id",
        "correction",
    }  # fmt: skip


def test_features_are_three_pictures_and_three_times_seventeen_segments_with_their_mean(tmp_path):
    cohort = _load(MFR, _cohort(tmp_path, [_row(tmp_path, "a", 0.8, 2.0)]))
    ctx = Context(MFR, hook="featurize")
    made = featurize(
        preprocess(cohort.samples, PreprocessBlock(), ctx), FeaturizeBlock(size=32), ctx
    )
    assert made["segments_reserve"].in_units()[0].tolist() == pytest.approx([2.5] * 18)
    # In units, the bytes are the flow again, to a 255th of full brightness.
    assert made["picture_stress"].in_units().max() == pytest.approx(2.0, abs=5 / 255)
    assert made["picture_rest"].units == ("ml/min/g",)
    shares = featurize(
        preprocess(cohort.samples, PreprocessBlock(), ctx),
        FeaturizeBlock(size=32, scaling="per_image"), ctx,
    )  # fmt: skip
    assert shares["picture_rest"].units == ("1",)
    assert shares["picture_rest"].in_units().max() == pytest.approx(1.0)


def test_inputs_without_maps_or_without_factors_are_refused_with_what_to_do(tmp_path):
    with refuses(DataError, "path_polarmap_rest", "path_polarmap_stress"):
        _load(MFR, tmp_path)
    (tmp_path / "cohort.csv").write_text("patient_id,sex\na,M\n")
    with pytest.raises(ConfigError, match="path_polarmap_rest"):
        _load(MFR, tmp_path)
    _cohort(tmp_path, [_row(tmp_path, "a")])
    with refuses(ConfigError, "risk_factor", "smoking"):
        _load(RISK_FACTOR, tmp_path)
    with refuses(DataError, "somebody", "rest", "stress"):
        empty = tmp_path / "somebody"
        empty.mkdir()
        _load(RISK_FACTOR, empty, mode="predict")
