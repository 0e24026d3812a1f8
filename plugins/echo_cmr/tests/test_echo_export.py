"""A folder as a scanner exports it, for echo_cmr: studies of unnamed views."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import Context
from cardio_echo_cmr.findings.config import Config
from cardio_echo_cmr.findings.load import load
from cardio_ultrasound import write_echo_export, write_us_loop

from .echo_cohorts import TASK

FRAMES = np.full((6, 40, 60), 70, np.uint8)


@pytest.fixture
def export(tmp_path):
    def write(path, number, extra):
        frames = np.roll(FRAMES, number, axis=1) + np.uint8(number)
        write_us_loop(path, frames, frame_rate_hz=50, photometric="MONOCHROME2", extra=extra)

    return write_echo_export(tmp_path / "disk", write, n_files=12, loops=(2, 1, 1))


def asked(*inputs):
    return Context(TASK["wma"], hook="load", mode="predict", _inputs=inputs)


def test_loops_of_an_export_are_grouped_and_their_views_left_open(export):
    cohort = load(Config().load, asked(export.folder))
    table = cohort.samples.table
    assert table[["study_id", "patient_id"]].to_dict("index") == {
        "1-1": {"study_id": "1", "patient_id": "P1"},
        "1-2": {"study_id": "1", "patient_id": "P1"},
        "2": {"study_id": "2", "patient_id": "P2"},
        "3": {"study_id": "3", "patient_id": "P1"},
    }
    assert set(table["view_given"]) == {""}
    assert len(cohort.seen) == 12 and cohort.together


def test_beside_a_table_no_number_is_anybodys_id(export, tmp_path):
    loop = export.of_kind("loop")[0]
    row = {"patient_id": ["1"], "study_id": ["2"], "path_echo_a4c": [str(loop)]}
    pd.DataFrame(row).to_csv(tmp_path / "cohort.csv", index=False)
    inputs = (tmp_path / "cohort.csv", export.folder)
    cohort = load(Config().load, asked(*inputs))
    assert list(cohort.samples.table.index) == ["2", "3-1", "3-2", "4", "5"]


def test_a_cell_may_name_the_folder_of_a_study(export, tmp_path):
    place = next(path.parent for path in sorted(export.study_of) if export.study_of[path] == 0)
    row = {"patient_id": ["A"], "path_echo": [str(place)]}
    pd.DataFrame(row).to_csv(tmp_path / "cohort.csv", index=False)
    inputs = (tmp_path / "cohort.csv",)
    cohort = load(Config().load, asked(*inputs))
    assert list(cohort.samples.table["study_id"]) == ["A-1", "A-1"]
    n_files = sum(path.parent == place for path in export.kinds)
    assert len(cohort.seen) == n_files > 2
