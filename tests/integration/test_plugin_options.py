"""Options that a plugin's task brings to the commands: the toy's --gain, --without and --notes."""

from __future__ import annotations

import csv

import pytest

from cardio_core.testing import names


@pytest.fixture(scope="module")
def newcomers(write_cohort, tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("more") / "new", "mean_class", n_patients=2, seed=7)


def heights(out):
    with (out / "measurements.csv").open(encoding="utf-8", newline="") as file:
        return [float(row["height"]) for row in csv.DictReader(file)]


def test_an_option_is_its_setting_and_stands_with_the_result(cardio, newcomers, tmp_path):
    words = ("measure", "--plugin", "toy", newcomers / "C00r0.csv", "--no-sheets", "--out")
    cardio(*words, tmp_path / "as_they_are")
    for name, more in (("short", ("--gain", "2")), ("equals", ("--gain=2",)),
                       ("set", ("--set", "load.gain=2"))):  # fmt: skip
        said = cardio(*words, tmp_path / name, *more)
        assert said.exit_code == 0, said.stderr
        assert heights(tmp_path / name) == pytest.approx(
            [2 * one for one in heights(tmp_path / "as_they_are")], rel=1e-3
        )
        page = (tmp_path / name / "measurements.html").read_text(encoding="utf-8")
        assert "Measured with load.gain=2." in page


def test_new_patients_are_read_as_an_option_says(cardio, clinic_run, newcomers):
    words = ("predict", clinic_run, newcomers / "C00r0.csv", "--device", "cpu", "--json")
    plain, more = (cardio(*words, *added).json for added in ((), ("--gain", "3")))
    assert "Read with load.gain=3." in more["notes"]
    (one,), (other,) = (
        [row["scores"] for row in answer["predictions"] if row["model"] == "ridge"]
        for answer in (plain, more)
    )
    assert one != other


def test_a_run_and_a_check_take_settings(cardio, clinic, tmp_path):
    words = (
        "--plugin",
        "toy",
        "--gain",
        "2",
        "--without",
        "constant,ridge",
        "--executor",
        "local:1",
    )
    said = cardio("run", *words, "--data", clinic, "--dry-run", "--out", tmp_path / "run")
    assert said.exit_code == 0, said.stderr
    assert "Models: ." in said.stdout
    assert cardio("data", "check", clinic, *words).exit_code == 0


@pytest.mark.parametrize(
    ("command", "words", "named"),
    [
        ("measure", ["--gian", "2"], ["--gian", "measure", "--gain", "--without", "--notes"]),
        ("measure", ["--no-sheet"], ["--no-sheet", "--no-sheets"]),
        ("measure", ["--gain"], ["--gain", "value"]),
        ("measure", ["--gain", "--json"], ["--gain", "value"]),
        ("measure", ["--gain", "2", "--gain=3"], ["--gain", "twice"]),
        ("measure", ["--gain", "no"], ["--gain no", "NUMBER", "load.gain"]),
        ("measure", ["--gain", "2", "--set", "load.gain=2"], ["--gain", "load.gain"]),
        ("measure", ["--task", "second", "--gain", "2"], ["toy", "second", "no option"]),
        ("measure", ["--notes", "nowhere.txt"], ["--notes nowhere.txt"]),
        ("measure", ["--notes", "pyproject.toml"], ["--notes", "one recording"]),
        ("run", ["--notes", "x.txt"], ["--notes", "path_notes"]),
        ("predict", ["--without", "ridge"], ["--without", "predict", "load.without"]),
        ("predict", ["--septum", "x"], ["--septum", "predict", "--gain", "--notes"]),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_one_line(
    cardio, clinic_run, newcomers, tmp_path, command, words, named
):
    first = {
        "measure": ["--plugin", "toy", newcomers, "--out", tmp_path / "out"],
        "run": ["--plugin", "toy", "--dry-run"],
        "predict": [clinic_run, newcomers],
    }[command]
    said = cardio(command, *first, *words)
    assert said.exit_code == 2
    assert names(said.stderr, *named)
    assert len(said.stderr.strip().splitlines()[-1]) < 250
    assert not (tmp_path / "out").exists()


def test_the_help_lists_them_where_the_plugin_is_named(cardio, clinic_run):
    bare = cardio("measure", "--help").stdout
    assert "cardio measure --plugin NAME --help lists them" in " ".join(bare.split())
    named = cardio("measure", "--plugin", "toy", "--help").stdout
    assert "Options of toy, task mean_class:" in named
    assert "--gain NUMBER" in named and "Setting load.gain." in named
    assert "--notes FILE" in named and "Column path_notes." in named
    other = cardio("measure", "--plugin=toy", "--task", "second", "--help").stdout
    assert "Options of toy, task second:" in other and "--gain" not in other
    of_run = cardio("predict", clinic_run, "--help").stdout
    assert "--gain NUMBER" in of_run and "--notes FILE" in of_run and "--without" not in of_run
    assert "--notes" not in cardio("run", "--plugin", "toy", "--help").stdout
    listed = cardio("plugins", "info", "toy")
    assert "option --gain NUMBER: Factor of every value. Setting load.gain." in listed.stdout
