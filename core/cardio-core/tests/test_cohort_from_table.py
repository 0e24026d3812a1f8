"""What `cohort_from_table` finds, numbers, sets aside and refuses."""

from __future__ import annotations

import pandas as pd
import pytest

from cardio_core.api import CohortTable, ConfigError, Context, DataError, Model, Target, Task
from cardio_core.api import cohort_from_table as from_table
from cardio_core.testing import refuses

COLUMNS = "patient_id,study_id,path_trace,x_ill,timepoint\n"
ROWS = (
    "P1,S1,a.txt,1,baseline\n"
    "P2,S2,b.txt;c.txt,0,\n"
    "P2,S3,d.txt,1,followup\n"
    "P3,S4,lost.txt,0,baseline\n"
)


def read(path):
    return float(path.read_text())


def refuse_c(path):
    if path.name == "c.txt":
        raise DataError.unusable(path.name, "a trace", "none", "look")


def context(unit="patient", **more):
    target = Target("ill", "binary", ("no", "yes"))
    task = Task("t", "T", unit, (target,), (Model("m", "M"),))
    return Context(task, **({"hook": "load"} | more))


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate("abcd"):
        (tmp_path / f"{name}.txt").write_text(str(number))
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "cohort.csv").write_text(COLUMNS + ROWS)
    return tmp_path


def test_each_file_of_a_baseline_study_is_a_recording_and_a_lost_one_is_set_aside(folder):
    ctx = context(_inputs=(folder,))
    cohort = from_table(ctx, path="path_trace", opener=read)
    assert list(cohort.samples.table.index) == ["S1", "S2-1", "S2-2"]
    assert list(cohort.samples.table["patient_id"]) == ["P1", "P2", "P2"]
    assert [cohort.samples.values[i] for i in range(3)] == [0.0, 1.0, 2.0]
    assert [path.name for path in cohort.files["S1"]] == ["a.txt", "a.json"]
    assert [(one.recording_id, one.hook) for one in ctx._quarantined] == [("S4", "load")]
    assert "path" not in " ".join(cohort.samples.table.columns)


def test_what_the_check_refuses_is_set_aside_unopened(folder):
    ctx = context(_inputs=(folder,))
    cohort = from_table(ctx, path="path_trace", opener=read, check=refuse_c)
    assert list(cohort.samples.table.index) == ["S1", "S2-1"]
    assert "expected a trace, found none; look" in [one.reason for one in ctx._quarantined]


@pytest.mark.parametrize(
    ("unit", "known"),
    [
        ("patient", {"P1": 1, "P2": 0, "P3": 0}),
        ("study", {"S1": 1, "S2": 0, "S4": 0}),
        ("recording", {"S1": 1, "S2-1": 0, "S2-2": 0}),
    ],
)
def test_targets_stand_by_the_unit_of_the_task(folder, unit, known):
    cohort = from_table(context(unit, _inputs=(folder,)), path="path_trace", opener=read)
    assert cohort.targets.unit == unit
    assert cohort.targets.table["ill"].to_dict() == known


@pytest.mark.parametrize(
    ("words", "known"),
    [("yes no yes", [1, 0, 1]), ("1 0 1", [1, 0, 1]), ("ill well ill", [1, 0, 1]),
     ("ill NA 0", [1, None, 0])],
)  # fmt: skip
def test_a_binary_target_is_0_and_1_however_the_table_says_it(folder, words, known):
    folder.joinpath("cohort.csv").write_text(
        "patient_id,path_trace,ill\n"
        + "".join(f"P{n},{'abc'[n]}.txt,{word}\n" for n, word in enumerate(words.split()))
    )
    target = Target("ill", "binary", ("well", "ill"))
    task = Task("t", "T", "patient", (target,), (Model("m", "M"),))
    cohort = from_table(
        Context(task, hook="load", _inputs=(folder,)), path="path_trace", opener=read
    )
    found = cohort.targets.table["ill"]
    assert [None if pd.isna(one) else one for one in found] == known


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (Target("ill", "binary", ("no", "yes")), "0 or 1, or no or yes"),
        (Target("ill", "multiclass", ("none", "mild", "severe")), "one of none, mild, severe"),
        (Target("ill", "continuous", unit="mm"), "a number"),
    ],
)
def test_a_target_that_is_none_is_refused_by_row_and_not_quoted(folder, target, message):
    folder.joinpath("cohort.csv").write_text(
        "patient_id,study_id,path_trace,ill\nP1,S1,a.txt,\nP2,S2,b.txt,Smith\nP3,S3,c.txt,Smith\n"
    )
    task = Task("t", "T", "patient", (target,), (Model("m", "M"),))
    with pytest.raises(DataError) as refused:
        from_table(Context(task, hook="load", _inputs=(folder,)), path="path_trace", opener=read)
    assert str(refused.value) == (
        f"cohort.csv: column ill: expected {message}, found something else in 2 rows (the first is "
        "study S2); correct them, or leave them empty"
    )


def test_targets_of_events_are_left_to_the_load(folder):
    cohort = from_table(context("event", _inputs=(folder,)), path="path_trace", opener=read)
    assert cohort.targets is None


def test_new_files_are_numbered_and_their_names_go_nowhere(folder):
    ctx = context(mode="predict", _inputs=(folder / "b.txt", folder / "d.txt"))
    cohort = from_table(ctx, path="path_trace", opener=read)
    assert list(cohort.samples.table["patient_id"]) == ["1", "2"]
    assert [cohort.samples.values[i] for i in range(2)] == [1.0, 3.0]
    assert (cohort.targets, cohort.table) == (None, None)
    assert cohort.notes == (CohortTable.NUMBERED,)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"targets": {"ill": "x_sick"}}, r"cohort\.csv: expected a column x_sick, found none"),
        ({"columns": ("age",)}, r"cohort\.csv: expected a column age, found none; add it"),
    ],
)
def test_a_column_that_is_not_there_is_named(folder, asked, words):
    with pytest.raises(ConfigError, match=words):
        from_table(context(_inputs=(folder,)), **({"path": "path_trace", "opener": read} | asked))


def test_a_folder_without_a_table_cannot_be_learnt_from(folder):
    (folder / "cohort.csv").unlink()
    with refuses(DataError, code="missing"):
        from_table(context(_inputs=(folder,)), path="path_trace", opener=read)


def test_study_ids_that_two_tables_share_are_refused_before_anything_is_loaded(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "cohort.csv").write_text(COLUMNS + "P9,S4,a.txt,1,baseline\nP8,S8,a.txt,0,baseline\n")
    with refuses(DataError, "1 study ID", code="duplicate"):
        CohortTable.find_all((folder, other))
    (other / "cohort.csv").write_text(COLUMNS + "P9,S9,a.txt,1,baseline\n")
    (tmp_path / "without").mkdir()
    found = CohortTable.find_all((folder, tmp_path / "without", other))
    assert [len(table.rows) for table in found] == [4, 1]
