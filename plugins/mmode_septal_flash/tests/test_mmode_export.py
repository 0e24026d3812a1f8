"""A folder as a scanner exports it: one line a study, every file accounted for."""

from __future__ import annotations

import csv

import pandas as pd
import pytest

from cardio_core.testing import call_cardio
from cardio_mmode_septal_flash.flash.config import Config
from cardio_mmode_septal_flash.flash.load import load
from cardio_ultrasound import damage, write_echo_export

from .mmode_loops import context, write_loop

SMALL = ("preprocess.n_pixels=128", "preprocess.max_shift=1", "preprocess.find_septum=true")
SECRETS = ("ASHDOWN", "QUILLFEATHER", "7741", "2024", "IM0000")


@pytest.fixture
def export(tmp_path):
    """Thirteen files: five loops of three studies, and what scanners put beside them."""

    def write(path, number, extra):
        write_loop(path, number=1 + number % 2, extra=extra)

    return write_echo_export(tmp_path / "disk", write, n_files=13, loops=(3, 1, 1))


def measured(inputs, out, *more):
    settings = [word for one in SMALL for word in ("--set", one)]
    said = call_cardio(
        "measure", "--plugin", "mmode_septal_flash", inputs, "--out", out, "--no-sheets",
        "--executor", "local:1", *settings, *more,
    )  # fmt: skip
    assert said.exit_code == 0, said.stderr
    return said


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_study_of_several_loops_is_one_line_and_every_file_one_of_the_account(export, tmp_path):
    done = measured(export.folder, tmp_path / "out", "--mapping", tmp_path / "which.csv")
    assert done.stdout.startswith("3 studies measured")
    studies = {row["id"]: row for row in rows_of(tmp_path / "out" / "measurements.csv")}
    assert {name: (row["patient"], row["recordings"]) for name, row in studies.items()} == {
        "1": ("P1", "3"), "2": ("P2", "1"), "3": ("P1", "1"),
    }  # fmt: skip
    loops = {row["id"]: row for row in rows_of(tmp_path / "out" / "recordings.csv")}
    assert set(loops) == {"1-1", "1-2", "1-3", "2", "3"}
    rate, low = "heart_rate_bpm", "heart_rate_bpm_q1"
    of_loops = sorted(float(loops[name][rate]) for name in ("1-1", "1-2", "1-3"))
    assert of_loops[0] < of_loops[2]
    assert float(studies["1"][rate]) == of_loops[1]
    assert float(studies["1"][low]) == pytest.approx((of_loops[0] + of_loops[1]) / 2, rel=1e-3)
    files = rows_of(tmp_path / "out" / "files.csv")
    assert len(files) == 13 and [row["used"] for row in files].count("yes") == 5
    assert "13 files: 5 loops used in 3 studies, " in done.stderr
    assert len(rows_of(tmp_path / "which.csv")) == 13  # the one place where files are named
    for table in ("measurements.csv", "recordings.csv", "files.csv", "measurements.html"):
        text = (tmp_path / "out" / table).read_text()
        assert not any(secret in text for secret in SECRETS)


def test_damaged_files_change_nothing_for_the_others(export, tmp_path):
    damage(export, 1)  # a loop is cut short
    still = export.of_kind("still")[0]
    still.write_bytes(still.read_bytes()[:132] + b"\xff" * 500)  # its header is spoilt
    measured(export.folder, tmp_path / "with")
    files = rows_of(tmp_path / "with" / "files.csv")
    assert len(files) == 13 and sum("export" in row["why not"] for row in files) == 2
    for path in (*export.damaged, still):
        path.unlink()
    (export.folder / "DICOMDIR").unlink()  # it would tell of what is gone
    measured(export.folder, tmp_path / "without")
    assert len(rows_of(tmp_path / "with" / "measurements.csv")) == 3
    made = [(tmp_path / folder / "measurements.csv").read_bytes() for folder in ("with", "without")]
    assert made[0] == made[1]


def test_a_folder_without_a_loop_is_refused_whole_and_its_files_are_not_asked_singly(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "letter.pdf").write_bytes(b"%PDF-1.7")
    write_loop(tmp_path / "disk" / "a", extra={"ImageType": ["ORIGINAL", "PRIMARY", "TEE", "0001"]})
    said = call_cardio(
        "measure", "--plugin", "mmode_septal_flash", tmp_path / "disk", "--out", tmp_path / "out"
    )
    found = "none among 2 files (PDF 1, transoesophageal or intracardiac loop 1)"
    assert said.exit_code == 3 and f"found {found}" in said.stderr


def test_the_view_of_a_loop_is_said_only_where_a_table_names_the_loop_itself(export, tmp_path):
    one, other = export.of_kind("loop")[:2]
    rows = {"patient_id": ["A", "B"], "path_echo_a4c": [str(one), ""],
            "path_echo": ["", str(other)]}  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "cohort.csv", index=False)
    table = load(Config().load, context(tmp_path / "cohort.csv", "predict")).samples.table
    assert table["view_stated"].to_dict() == {"A-1": "a4c", "B-1": ""}


def test_a_cell_that_names_a_folder_takes_its_loops_and_leaves_the_rest(export, tmp_path):
    place = next(path.parent for path in sorted(export.study_of) if export.study_of[path] == 0)
    rows = {"patient_id": ["A", "B"], "path_echo_a4c": [str(place), str(export.folder)],
            "sf_label": [1, 0]}  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "cohort.csv", index=False)
    cohort = load(Config().load, context(tmp_path / "cohort.csv", "fit"))
    assert list(cohort.samples.table.index) == [
        *("A-1-1", "A-1-2", "A-1-3"), *(f"B-1-{number}" for number in range(1, 6)),
    ]  # fmt: skip
    assert "B-1: its folder holds loops of 2 patients" in cohort.notes[0].text
    assert sum(bool(one.recording_id) for one in cohort.seen) == 8
