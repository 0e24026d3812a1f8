"""`cardio data template --from`: a folder of recordings becomes a cohort table to fill in."""

from __future__ import annotations

import csv
import shutil

import pytest

from cardio_core.io.cohort_template import column_of
from cardio_core.testing import names, refuses
from cardio_core.types.info import PluginInfo, Task
from cardio_stats.errors import ConfigError


@pytest.fixture
def archive(write_cohort, tmp_path):
    """Recordings of four patients in nested folders, and a letter."""
    made = write_cohort(tmp_path / "made", "mean_class", n_patients=4, seed=7)
    folder = tmp_path / "archive"
    for number, file in enumerate(sorted(made.glob("C*.csv"))):
        below = folder / ("2023" if number % 2 else "2024/march")
        below.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, below / f"MILLER {file.name}")
    (folder / "letter.csv").write_text("Dear colleague\n")
    return folder


def rows_of(table):
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_recording_below_a_folder_gets_a_row_and_one_that_cannot_be_used_none(
    cardio, archive, tmp_path
):
    files = sorted(path for path in archive.rglob("*.csv") if path.name != "letter.csv")
    table = tmp_path / "tables" / "cohort.csv"
    table.parent.mkdir()
    said = cardio("data", "template", "toy", "--from", archive, "--out", table)
    assert said.exit_code == 0, said.stderr
    rows = rows_of(table)
    assert sorted((table.parent / row["path_ecg"]).resolve() for row in rows) == files
    numbers = [f"P{number:03d}" for number in range(1, len(files) + 1)]
    assert [row["patient_id"] for row in rows] == numbers
    assert "Without a row, because it cannot be used: 1 recording; cardio data check" in said.stdout
    assert "or that person is trained on and tested" in said.stdout
    assert "MILLER" not in said.stdout + said.stderr


def test_the_check_of_a_folder_searches_as_deep_and_names_the_command(cardio, archive):
    told = cardio("data", "check", archive, "--plugin", "toy", "--executor", "local:1").stdout
    n = len([path for path in archive.rglob("*.csv") if path.name != "letter.csv"])
    assert f"{n} of {n + 1} recordings can be used by toy" in told
    assert f"cardio data template toy --from {archive} --out cohort.csv" in told


def test_the_table_is_read_once_the_outcome_is_filled_in(cardio, archive, tmp_path):
    table = tmp_path / "cohort.csv"
    cardio("data", "template", "toy", "--from", archive, "--out", table)
    lines = table.read_text().splitlines()
    ill = (f"{line},{number % 2}" for number, line in enumerate(lines[1:]))
    table.write_text("\n".join([f"{lines[0]},x_ill", *ill]) + "\n")
    told = cardio("data", "check", table, "--plugin", "toy", "--executor", "local:1")
    n = len(lines) - 1
    assert f" recordings can be used by toy mean_class: {n} patients" in told.stdout


def test_a_table_needs_a_place_and_none_is_written_over(cardio, archive, tmp_path):
    said = cardio("data", "template", "toy", "--from", archive)
    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr.startswith("Error: --from: expected --out TABLE.csv")
    table = tmp_path / "cohort.csv"
    table.write_text("patient_id\nmine\n")
    said = cardio("data", "template", "toy", "--from", archive, "--out", table)
    assert said.exit_code == 2
    assert table.read_text() == "patient_id\nmine\n"


def test_a_folder_with_a_table_keeps_it(cardio, write_cohort, tmp_path):
    folder = write_cohort(tmp_path / "known", "mean_class", n_patients=3)
    said = cardio("data", "template", "toy", "--from", folder, "--out", tmp_path / "new.csv")
    assert said.exit_code == 2
    assert names(said.stderr, "cohort.csv")
    assert not (tmp_path / "new.csv").exists()


@pytest.mark.parametrize(
    ("reads", "column"),
    [
        (("path_one", "age_y"), "path_one"),
        (("path_front", "path_any", "path_side"), "path_any"),
        (("path_front", "path_side"), None),
    ],
)
def test_recordings_of_several_kinds_are_not_guessed_apart(reads, column):
    task = Task("t", "T", "patient", (), (), columns=dict.fromkeys(reads, ""))
    paths = dict.fromkeys(("path_one", "path_front", "path_side", "path_any"), "Recordings.")
    about = PluginInfo("p", "P", (task,), paths=paths, unsorted="path_any")
    if column is not None:
        assert column_of(about, task) == column
        return
    with refuses(ConfigError, "--from", "path_front", "path_side"):
        column_of(about, task)
