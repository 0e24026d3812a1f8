"""Loops from a cohort table, an EchoNet-style folder, and files of new patients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import ConfigError, Context, DataError
from cardio_core.testing import names, refuses
from cardio_echo_cmr.findings.config import LoadBlock
from cardio_echo_cmr.findings.load import load
from cardio_ultrasound import write_us_loop

from .echo_cohorts import TASK, loaded, segments, write_avi, write_clip, write_table
from .echo_folders import opened

VIEWS = ("a4c", "a2c", "plax", "other")


@pytest.fixture
def cohort_folder(tmp_path):
    """Three patients: all views, one view without a name, and no clip."""
    for view in VIEWS:
        write_clip(tmp_path / "clips" / f"{view}.npy")
    for n in (1, 2):
        write_clip(tmp_path / "many" / f"MILLER^ANNA-{n}.npy")
    rows = [
        {
            "patient_id": "A", "study_id": "sA", "age_y": 61, "sex": "M", "lvef_bl_pct": 55,
            "days_echo_to_cmr": 1, "t1_ms": 1060, "site_id": "north", **segments(s05=1),
            **{f"path_echo_{view}": f"clips/{view}.npy" for view in VIEWS},
        },
        {
            "patient_id": "B", "study_id": "sB", "age_y": 70, "sex": "F", "lvef_bl_pct": 40,
            "lvef_fu_pct": 48, "timepoint": "follow-up", "days_echo_to_cmr": 0, "t1_ms": 990,
            "path_echo": "many", **segments(),
        },
        {"patient_id": "C", "study_id": "sC", "days_echo_to_cmr": 0, **segments()},
    ]  # fmt: skip
    write_table(tmp_path, rows)
    return tmp_path


def _named_views_of_both(folder):
    """Let the table name the views of patient B too, and return it."""
    table = pd.read_csv(folder / "cohort.csv").astype(
        {f"path_echo_{view}": object for view in VIEWS}
    )
    for view in ("a4c", "a2c", "plax"):
        table.loc[1, f"path_echo_{view}"] = f"clips/{view}.npy"
    table.to_csv(folder / "cohort.csv", index=False)
    return table


def test_a_table_gives_a_recording_for_each_clip_and_what_is_known_of_its_patient(cohort_folder):
    cohort = loaded(cohort_folder, frame_rate_hz=50)
    table = cohort.samples.table
    assert table.index.tolist() == ["sA-1", "sA-2", "sA-3", "sA-4", "sB-1", "sB-2"]
    assert table["patient_id"].tolist() == ["A"] * 4 + ["B"] * 2
    assert table.loc["sA-2", ["lvef_pct", "age_y", "sex_male"]].tolist() == [55, 61, 1]
    assert table.loc["sB-1", ["lvef_pct", "age_y", "sex_male"]].tolist() == [48, 70, 0]
    assert table.loc["sA-1", "site_id"] == "north"
    assert any(names(note, "1 of 3", "cohort.csv") for note in cohort.notes)
    assert opened(cohort)[0]["sA-1"].frame_rate_hz == pytest.approx(50)


def test_ids_tell_neither_the_view_nor_the_name_of_a_file(cohort_folder):
    cohort = loaded(cohort_folder, "view", frame_rate_hz=50)
    for name in cohort.samples.table.index:
        assert not any(view in name.lower() for view in VIEWS)
    said = " ".join([*map(str, cohort.notes), *cohort.samples.table.astype(str).to_numpy().ravel()])
    assert "MILLER" not in said


@pytest.mark.parametrize(("task", "given"), [("wma", True), ("t1", True), ("view", False)])
def test_views_of_the_table_reach_the_findings_only_where_asked_and_never_the_view_task(
    cohort_folder, task, given
):
    table = loaded(cohort_folder, task, views="table", frame_rate_hz=50).samples.table
    expected = [*VIEWS, "unknown", "unknown"] if given else [""] * 6
    assert table["view_given"].tolist() == expected
    predicted = loaded(cohort_folder, task, frame_rate_hz=50).samples.table
    assert predicted["view_given"].tolist() == [""] * 6


def test_findings_are_targets_of_the_study_and_views_of_the_recording(cohort_folder):
    wma = loaded(cohort_folder, frame_rate_hz=50).targets
    assert wma.unit == "study"
    assert wma.table.loc["sA"].to_dict() == {"wma": 1, "wma_a4c": 0, "wma_a2c": 0, "wma_plax": 1}
    assert wma.table.loc["sB"].tolist() == [0, 0, 0, 0]
    t1 = loaded(cohort_folder, "t1", frame_rate_hz=50)
    assert t1.targets.table.loc["sA"].tolist() == [1, 1060]
    assert any(names(note, "1 of 2") for note in t1.notes)
    view = loaded(cohort_folder, "view", frame_rate_hz=50)
    assert view.targets.unit == "recording"
    column = view.targets.table["view"]
    assert column.loc["sA-1":"sA-4"].tolist() == list(VIEWS) and column.loc["sB-1":].isna().all()
    assert any(names(note, "2 of 6") for note in view.notes)


@pytest.mark.parametrize("task", sorted(TASK))
def test_every_target_of_a_task_is_in_the_table_that_load_returns(cohort_folder, task):
    row = {"t2_ms": 50, "ecv_pct": 30, "responder": 1, **segments("lge", s01=1)}
    table = pd.read_csv(cohort_folder / "cohort.csv").assign(**row)
    table.to_csv(cohort_folder / "cohort.csv", index=False)
    cohort = loaded(cohort_folder, task, frame_rate_hz=50)
    assert set(cohort.targets.table.columns) == {target.name for target in TASK[task].targets}
    assert cohort.outcome.endswith(".") and "\n" not in cohort.outcome


@pytest.fixture
def two_views_folder(tmp_path):
    """Four patients, two of them sick, all with clips of A4C and another view, none of the rest."""
    for n in range(4):
        write_clip(tmp_path / f"{n}.npy")
        write_clip(tmp_path / f"{n}-other.npy", 13)
    rows = [
        {
            "patient_id": f"P{n}", "path_echo_a4c": f"{n}.npy", "lvef_bl_pct": 50, "age_y": 60,
            "sex": "F", "path_echo_other": f"{n}-other.npy", **segments(s03=n % 2),
        }
        for n in range(4)
    ]  # fmt: skip
    write_table(tmp_path, rows)
    return tmp_path


@pytest.mark.parametrize("views", ["predicted", "table"])
def test_a_view_that_the_table_names_for_nobody_has_no_model_wherever_views_come_from(
    two_views_folder, views
):
    """A classifier cannot learn it, and the network would have nothing to train on."""
    found = loaded(two_views_folder, "wma", views=views, frame_rate_hz=50).unsupported
    assert set(found) == {"a2c", "plax", "fused"}
    assert names(found["a2c"], "apical two-chamber")
    assert names(found["plax"], "parasternal long-axis")
    assert names(found["fused"], "two views")


@pytest.mark.parametrize("views", ["predicted", "table"])
def test_two_views_are_still_fused_where_the_third_is_named_for_too_few(two_views_folder, views):
    table = pd.read_csv(two_views_folder / "cohort.csv")
    table = table.rename(columns={"path_echo_other": "path_echo_plax"})
    table["path_echo_a2c"] = [write_clip(two_views_folder / "a2c.npy", 14).name, None, None, None]
    table.loc[:1, "wma_seg_05"] = 1  # which PLAX shows
    table.to_csv(two_views_folder / "cohort.csv", index=False)
    found = loaded(two_views_folder, "wma", views=views, frame_rate_hz=50).unsupported
    assert set(found) == {"a2c"} and names(found["a2c"], "wma_a2c", "1 and 0", "load.min_studies")


def test_models_without_what_they_need_are_left_out_with_the_reason(cohort_folder):
    table = _named_views_of_both(cohort_folder)
    cohort = loaded(cohort_folder, "wma", views="table", frame_rate_hz=50)
    assert set(cohort.unsupported) == {"a4c", "a2c", "fused"}
    assert names(cohort.unsupported["a4c"], "wma_a4c", "2 and 0")
    assert names(cohort.unsupported["fused"], "two views")
    bare = table.drop(columns=["lvef_bl_pct", "lvef_fu_pct", "sex", "path_echo_plax"])
    bare.to_csv(cohort_folder / "cohort.csv", index=False)
    cohort = loaded(cohort_folder, "wma", views="table", frame_rate_hz=50)
    for model, lacks in (("lvef", "LVEF"), ("age_sex", "age and sex"),
                         ("plax", "parasternal long-axis")):  # fmt: skip
        assert names(cohort.unsupported[model], lacks)


def test_only_studies_that_have_what_a_model_looks_at_count_for_it(cohort_folder):
    table = _named_views_of_both(cohort_folder).drop(columns="lvef_fu_pct")
    table.loc[1, "path_echo_plax"] = None
    table.to_csv(cohort_folder / "cohort.csv", index=False)
    found = loaded(cohort_folder, "wma", views="table", frame_rate_hz=50).unsupported
    assert names(found["plax"], "wma_plax", "0 and 1", "load.min_studies")
    # Only A, who is sick, has an LVEF at the time of the study.
    assert names(found["lvef"], "wma", "0 and 1", "LVEF")
    assert "age_sex" not in found


def test_with_labels_of_both_kinds_every_model_is_supported(cohort_folder):
    table = _named_views_of_both(cohort_folder).astype({"wma_seg_04": float})
    table.loc[0, ["wma_seg_03", "wma_seg_04"]] = 1
    table.to_csv(cohort_folder / "cohort.csv", index=False)
    assert loaded(cohort_folder, "wma", views="table", frame_rate_hz=50).unsupported == {}
    scarce = loaded(cohort_folder, "wma", views="table", min_studies=2, frame_rate_hz=50)
    assert set(scarce.unsupported) == {model.name for model in TASK["wma"].models}
    t1 = loaded(cohort_folder, "t1", views="table", min_studies=2, frame_rate_hz=50).unsupported
    assert "a4c" in t1 and "a4c_value" not in t1, "two values are two, with one of them raised"


def test_views_of_a_table_that_names_none_are_refused(tmp_path):
    write_clip(tmp_path / "a.npy")
    write_table(tmp_path, [{"patient_id": "P", "path_echo": "a.npy", **segments()}])
    with refuses(ConfigError, "load.views", "path_echo_a4c"):
        loaded(tmp_path, "wma", views="table", frame_rate_hz=50)
    with refuses(DataError, "path_echo_other", "load.views=table"):
        loaded(tmp_path, "view", frame_rate_hz=50)


def test_only_one_timepoint_is_taken_where_asked(cohort_folder):
    cohort = loaded(cohort_folder, timepoint="baseline", frame_rate_hz=50)
    assert set(cohort.samples.table["study_id"]) == {"sA"}
    assert cohort.excluded == {"not at baseline": ("sB-1", "sB-2")}


@pytest.mark.parametrize("views", ["table", "predicted"])
@pytest.mark.parametrize(
    ("days", "settings", "reason"),
    [
        ("400", {}, "2 more than 30 days between echo and CMR"),
        ("", {}, "2 days between echo and CMR unknown"),
        ("1", {"timepoint": "follow-up"}, "2 not at follow-up"),
    ],
)
def test_where_nobody_is_left_the_reason_and_the_counts_are_told(
    tmp_path, views, days, settings, reason
):
    for name in "abc":
        write_clip(tmp_path / f"{name}.npy")
    rows = [
        {"patient_id": "P", "path_echo_a4c": "a.npy;b.npy", "days_echo_to_cmr": days, **segments()},
        {"patient_id": "Q", "path_echo_a4c": "c.npy", "days_echo_to_cmr": days, **segments()},
    ]
    write_table(tmp_path, rows)
    with pytest.raises(DataError) as told:
        loaded(tmp_path, views=views, frame_rate_hz=50, **settings)
    assert f"found none of 2 ({reason}); check" in str(told.value)
    assert "\n" not in str(told.value)


def test_where_nobody_is_left_for_several_reasons_each_is_counted(tmp_path):
    for name in "abc":
        write_clip(tmp_path / f"{name}.npy")
    rows = [
        {"patient_id": "P", "path_echo_a4c": "a.npy", "days_echo_to_cmr": 31},
        {"patient_id": "Q", "path_echo_a4c": "b.npy", "days_echo_to_cmr": ""},
        {"patient_id": "R", "path_echo_a4c": "c.npy", "timepoint": "follow-up"},
    ]
    write_table(tmp_path, [row | segments() for row in rows])
    message = r"none of 3 \(1 not at baseline; 1 days .* unknown; 1 more than 30 days .*\); check"
    with pytest.raises(DataError, match=message):
        loaded(tmp_path, timepoint="baseline", frame_rate_hz=50)


def test_a_clip_that_is_not_there_is_set_aside_when_it_is_opened(tmp_path):
    write_clip(tmp_path / "a.npy")
    row = {"patient_id": "P", "path_echo_a4c": "a.npy;gone.npy", **segments()}
    write_table(tmp_path, [row])
    loops, reasons = opened(loaded(tmp_path, frame_rate_hz=50))
    assert list(loops) == ["P-1-1"] and "expected a file, found none" in reasons["P-1-2"]


def test_a_video_without_a_stated_frame_rate_is_set_aside_and_not_taken_for_thirty(tmp_path):
    write_avi(tmp_path / "a.avi")
    write_table(tmp_path, [{"patient_id": "P", "path_echo_a4c": "a.avi", **segments()}])
    loops, reasons = opened(loaded(tmp_path))
    assert not loops and "frame_rate_hz" in reasons["P-1"]
    assert opened(loaded(tmp_path, frame_rate_hz=42))[0]["P-1"].frame_rate_hz == pytest.approx(42)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"path_echo_a4c": "a.npy"}, "wma: expected columns wma_seg_01 to 17"),
        ({"age_y": 50, **segments()}, "expected a column of clips"),
    ],
)
def test_a_table_without_clips_or_labels_says_which_columns_are_wanted(tmp_path, row, message):
    write_clip(tmp_path / "a.npy")
    write_table(tmp_path, [{"patient_id": "P", **row}])
    with pytest.raises(ConfigError, match=message):
        loaded(tmp_path, frame_rate_hz=50)


def test_training_needs_more_than_a_folder_of_loops(tmp_path):
    write_clip(tmp_path / "a.npy")
    with refuses(DataError, "cohort.csv", "FileList.csv"):
        loaded(tmp_path)


def test_new_loops_are_numbered_and_have_no_targets(tmp_path):
    for name in ("SMITH^JOHN.npy", "DOE^JANE.npy"):
        write_clip(tmp_path / name)
    cohort = loaded(tmp_path, mode="predict", frame_rate_hz=50)
    assert cohort.targets is None and cohort.table is None
    assert cohort.samples.table.index.tolist() == ["1", "2"]
    assert cohort.samples.table["patient_id"].tolist() == ["1", "2"]
    assert not any(name in str(cohort.notes) for name in ("SMITH", "DOE"))
    believed = loaded(tmp_path, mode="predict", views="table", frame_rate_hz=50)
    assert believed.samples.table["view_given"].tolist() == ["", ""]
    one = loaded(tmp_path / "SMITH^JOHN.npy", mode="predict", frame_rate_hz=50)
    assert len(one.samples) == 1 and opened(one)[0]["1"].n_frames == 12
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="expected ultrasound loops"):
        loaded(tmp_path / "empty", mode="predict")


def test_a_view_that_a_person_states_of_a_new_loop_is_the_view_of_its_sample(tmp_path):
    for name in ("a.npy", "b.npy"):
        write_clip(tmp_path / name)
    facts = {(tmp_path / "b.npy").resolve(): {"view": "a2c"}}
    cohort = loaded(tmp_path, mode="predict", facts=facts, frame_rate_hz=50)
    assert cohort.samples.table["view_given"].tolist() == ["", "a2c"]


def test_new_patients_of_a_table_keep_their_ids_and_need_neither_labels_nor_a_cmr(tmp_path):
    write_clip(tmp_path / "a.npy")
    row = {"patient_id": "P", "study_id": "new", "path_echo_a4c": "a.npy", "days_echo_to_cmr": 99}
    write_table(tmp_path, [row])
    cohort = loaded(tmp_path, mode="predict", frame_rate_hz=50)
    assert cohort.samples.table.index.tolist() == ["new"] and cohort.targets is None


def test_a_new_loop_beside_a_table_never_takes_the_id_of_somebody_in_it(tmp_path):
    table, files = tmp_path / "table", tmp_path / "files"
    for name in "13":
        write_clip(table / f"{name}.npy")
    rows = [{"patient_id": "2", "study_id": n, "path_echo_a4c": f"{n}.npy"} for n in "13"]
    write_table(table, rows)
    for n in (1, 2):
        write_clip(files / f"{n}.npy", 12 + n)
    ctx = Context(TASK["wma"], hook="load", mode="predict", _inputs=(table, files))
    samples = load(LoadBlock(frame_rate_hz=50), ctx).samples.table
    assert samples["study_id"].tolist() == ["1", "3", "4", "5"]
    assert samples["patient_id"].tolist() == ["2", "2", "4", "5"]


def test_studies_whose_loops_would_share_an_id_are_refused_in_words(tmp_path):
    write_clip(tmp_path / "a.npy")
    rows = [
        {"patient_id": "P", "study_id": "s", "path_echo_a4c": "a.npy;a.npy", **segments()},
        {"patient_id": "Q", "study_id": "s-2", "path_echo_a4c": "a.npy", **segments()},
    ]
    write_table(tmp_path, rows)
    with refuses(DataError, "study_id", "s-2"):
        loaded(tmp_path, frame_rate_hz=50)


@pytest.mark.parametrize("name", ["1.2.840.55", "a.npy"])
def test_the_json_that_the_reader_takes_is_among_the_files_of_its_loop(tmp_path, name):
    """Else a corrected frame rate would find the features of the old one in the cache."""
    frames = np.random.default_rng(0).integers(0, 255, (12, 48, 48), dtype=np.uint8)
    if name == "a.npy":
        np.save(tmp_path / name, frames)
    else:
        write_us_loop(tmp_path / name, frames, frame_rate_hz=None, photometric="MONOCHROME2")
    beside = tmp_path / ("a.json" if name == "a.npy" else "1.2.840.55.json")
    beside.write_text('{"frame_rate_hz": 40}')
    cohort = loaded(tmp_path / name, mode="predict")
    assert opened(cohort)[0]["1"].frame_rate_hz == pytest.approx(40)
    assert cohort.files["1"] == (tmp_path / name, beside)
