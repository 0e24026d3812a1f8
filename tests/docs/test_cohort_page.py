"""docs/cohort.md against the plugins and the reader."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from cardio_core.io.cohort_columns import COLUMNS
from cardio_core.io.cohort_table import inspect_cohort_table
from cardio_core.registry import open_plugin

HERE = Path(__file__).parent
SPEC = importlib.util.spec_from_file_location("cohort_page", HERE / "cohort_page.py")
assert SPEC is not None and SPEC.loader is not None
page = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(page)
TEXT = page.PAGE.read_text(encoding="utf-8")


def test_its_table_is_that_of_the_plugins():
    assert page.rendered(TEXT) == TEXT, "run python tests/docs/cohort_page.py"


def test_a_line_on_a_task_says_what_it_cannot_do_without():
    lines = page.plugins_table().splitlines()
    assert "|ecg_transfer|crt_response|`path_ecg`|`lvesv_bl_ml`, `lvesv_fu_ml`|" in lines
    assert "|ecg_transfer|aami_beats|`path_ecg`|comes with the recordings|" in lines
    assert "|mmode_septal_flash|septal_flash|`path_echo_a4c`, `path_echo`|`sf_label`|" in lines
    assert any("|wma|" in line and "|`wma_seg_01` ... `wma_seg_17`|" in line for line in lines)
    assert any("|echo_cmr|outcome|" in line and "--outcome" in line for line in lines)
    assert max(len(re.findall(r"`", line)) for line in lines) <= 16


def test_every_column_that_a_plugin_reads_is_known_or_its_own():
    for name in page.PLUGINS:
        info = open_plugin(name).info
        for task in info.tasks:
            assert task.columns, task.name
            unknown = {column for column in task.columns if column not in {*COLUMNS, *info.paths}}
            assert all(one.startswith("x_") for one in unknown), unknown
            paths = {column for column in task.columns if column.startswith("path_")}
            assert paths and paths <= set(info.paths)


def test_the_table_to_copy_is_read_as_the_page_says(tmp_path):
    table = re.search(r"## A table to copy\n\n```none\n(.*?)```", TEXT, re.DOTALL)
    assert table is not None
    path = tmp_path / "cohort.csv"
    path.write_text(table[1])
    found = inspect_cohort_table(path)
    assert found.problems == ()
    assert found.own == ("responder", "albumin")
    rows = found.rows.set_index("patient_id")
    assert rows["albumin"].isna().tolist() == [False, True, False]
    assert rows["dm"].isna().tolist() == [False, False, True]
    assert [len(cell) for cell in rows["path_ecg"]] == [1, 1, 2]
