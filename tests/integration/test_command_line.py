"""Misspelt names, unknown keys, exit codes, and output that programs can read."""

from __future__ import annotations

import json
import shutil

import pytest

from cardio_core.io.hashing import directory_digest
from cardio_core.testing import names


def test_a_misspelt_plugin_is_refused_with_the_right_name(cardio):
    said = cardio("run", "--plugin", "toyy")
    assert said.exit_code == 2
    assert names(said.stderr, "toyy", "toy", "pip install FOLDER")


def test_a_misspelt_command_is_refused_with_the_right_name(cardio):
    said = cardio("plugin", "list")
    assert said.exit_code == 2
    assert names(said.stderr, "plugins")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--task", "mean"], ["'mean'", "mean_class", "beats", "second", "third"]),
        (["--config", "defualt"], ["defualt"]),
        (["--set", "train.strenght=2"], ["strength"]),
        (["--set", "trian.strength=2"], ["trian", "train"]),
        (["--set", "train.strength=-1"], ["train.strength", "0", "-1"]),
        (["--set", "train.strength"], ["--set", "key=value"]),
        (["--set", "models=[rigde]"], ["rigde", "ridge", "constant"]),
        (["--set", "protocols.honest.plan=leave_one_out"], ["leave_one_out"]),
        (["--device", "gpu"], ["--device", "gpu", "cuda:INDEX"]),
        (["--device", "cuda:9"], ["--device cuda:9"]),
        (["--executor", "slurm"], ["--executor", "dask:ADDRESS"]),
        (["--from-run", "beats=runs/x"], ["--from-run beats", "mean_class"]),
        (["--from-run", "beats"], ["--from-run", "TASK=RUN"]),
        (["--data", "nowhere"], ["--data nowhere"]),
        (["--resume"], ["--resume", "--out"]),
        (["--smoke", "--config", "full"], ["--smoke", "--config"]),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_request_that_cannot_be_met_exits_with_2_in_one_line(
    cardio, monkeypatch, tmp_path, clinic, arguments, named
):
    monkeypatch.chdir(tmp_path)
    data = [] if "--data" in arguments else ["--data", clinic]
    where = [] if "--executor" in arguments else ["--executor", "local:1"]
    said = cardio("run", "--plugin", "toy", *data, *where, *arguments)
    assert said.exit_code == 2
    assert names(said.stderr, *named)
    assert said.stderr.count("\n") == 1
    assert not list(tmp_path.glob("runs/*/metrics.json"))


def test_an_unknown_key_of_a_configuration_file_is_named_with_the_file(cardio, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("tasks:\n  mean_class:\n    train: {strength: 1, epochs: 5}\n")
    said = cardio("run", "--plugin", "toy", "--config", file)
    assert said.exit_code == 2
    assert names(said.stderr, "train.epochs", "mine.yaml")


def test_a_dry_run_says_what_would_run_and_writes_nothing(cardio, clinic, tmp_path):
    said = cardio(
        "run", "--plugin", "toy", "--data", clinic, "--out", tmp_path / "run", "--dry-run"
    )
    assert said.exit_code == 0
    assert names(said.stdout, "35 recordings", "25 patients", "1 quarantined")
    assert "ridge, constant" in said.stdout
    assert not (tmp_path / "run").exists()


def test_a_dry_run_says_no_time_that_would_be_a_guess_and_one_that_was_measured(
    cardio, write_cohort, run_toy, tmp_path, monkeypatch
):
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "cache"))
    data = write_cohort(tmp_path / "few", "mean_class", n_patients=6)
    sets = ("protocols.honest.k=2", "inner.k=0")
    asked = [
        "run", "--plugin", "toy", "--data", data, "--device", "cpu", "--protocol", "honest",
        "--set", sets[0], "--set", sets[1], "--out", tmp_path / "new", "--dry-run",
    ]  # fmt: skip
    before = cardio(*asked).stdout
    assert names(before, "Fits: 6", "2 models", "2 honest", "1 final")
    assert names(before, "unknown before the first run")
    run_toy(tmp_path / "run", data=(data,), protocol="honest", sets=sets)
    after = cardio(*asked).stdout
    assert names(after, "all are in the cache", "MB for the run directory")
    assert not names(after, "unknown before the first run")
    assert not (tmp_path / "new").exists()


def test_a_run_on_the_synthetic_cohort_says_so_in_the_first_line(cardio, tmp_path):
    said = cardio("run", "--plugin", "toy", "--out", tmp_path / "run", "--dry-run")
    assert said.stdout.splitlines()[0].startswith("Synthetic data")


def test_a_synthetic_cohort_that_is_given_as_data_is_not_taken_for_patients(
    run_toy, clinic, tmp_path
):
    made = tmp_path / "made"
    shutil.copytree(clinic, made)
    (made / "truth.json").write_text('{"kind": "toy", "seed": 1}')
    lines: list[str] = []
    run = run_toy(tmp_path / "run", data=(made,), protocol="honest", said=lines)
    assert lines[0].startswith("Synthetic data: made was made by code")
    assert json.loads((run / "manifest.json").read_text())["data"]["source"] == "synthetic"
    assert "Synthetic data." in (run / "report.html").read_text()


def test_the_synthetic_cohort_is_written_where_it_is_asked_for_and_the_same_each_time(
    cardio, tmp_path
):
    for name in ("a", "b"):
        said = cardio("data", "synth", "toy", "--out", tmp_path / name, "--patients", 3)
        assert said.exit_code == 0
    assert directory_digest(tmp_path / "a") == directory_digest(tmp_path / "b")
    assert f"cardio run --plugin toy --task mean_class --data {tmp_path / 'b'}" in said.stdout
    assert len((tmp_path / "a/cohort.csv").read_text().splitlines()) == 4


def test_the_synthetic_cohort_never_replaces_somebodys_folder(cardio, tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    said = cardio("data", "synth", "toy", "--out", tmp_path)
    assert said.exit_code == 2
    assert said.code == "exists" and names(said.stderr, "--out", tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_a_difficulty_of_a_cohort_that_has_none_is_refused_in_one_line(cardio, tmp_path):
    for asked in (
        ("data", "synth", "toy", "--difficulty", "clear", "--out", tmp_path / "a"),
        ("run", "--plugin", "toy", "--set", "difficulty=clear", "--out", tmp_path / "b"),
    ):
        said = cardio(*asked)
        assert said.exit_code == 2
        (line,) = [one for one in said.stderr.splitlines() if "difficulty" in one]
        assert names(line, "clear", "toy", "difficulties")
        assert not asked[-1].exists()


def test_a_report_of_something_else_is_refused(cardio, tmp_path):
    said = cardio("report", tmp_path)
    assert said.exit_code == 2
    assert said.code == "unfinished" and names(said.stderr, tmp_path)
