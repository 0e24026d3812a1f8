"""What the system refuses of one recording costs that recording alone, at whatever moment."""

from __future__ import annotations

import csv
import errno
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cardio_core.runner import progress
from cardio_core.testing.searching import HUNG_AFTER_S

PLUGINS = ("ecg_transfer", "echo_cmr", "mmode_septal_flash", "spect_polar")

FAULTS = (
    errno.EIO, errno.EACCES, errno.ENOENT,
    *(pytest.param(one, marks=pytest.mark.slow)
      for one in (errno.ESTALE, errno.ENAMETOOLONG, errno.ELOOP, errno.ETIMEDOUT)),
)  # fmt: skip
_armed: dict[str, Any] = {}


_armed_by: dict[str, Any] = {}


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if hear := _armed_by.get("hear"):
        hear(event, arguments)
    if event != "open" or not _armed or not isinstance(arguments[0], str):
        return
    if Path(arguments[0]).name == _armed["name"]:
        _armed["left"] -= 1
        if _armed["left"] < 0:
            number = _armed["number"]
            raise OSError(number, os.strerror(number), arguments[0])


sys.addaudithook(_hear)


@contextmanager
def failing(name: str, number: int, after: int) -> Iterator[None]:
    """Let a file fail whenever it is opened, but for the first few times."""
    _armed.update(name=name, number=number, left=after)
    try:
        yield
    finally:
        _armed.clear()


@pytest.fixture(scope="module")
def patients(write_cohort, tmp_path_factory):
    return write_cohort(
        tmp_path_factory.mktemp("data") / "patients", "mean_class", n_patients=4, seed=7
    )


@pytest.fixture(scope="module")
def model(run_toy, write_cohort, tmp_path_factory):
    place = tmp_path_factory.mktemp("model")
    data = write_cohort(place / "data", "mean_class", n_patients=24, seed=0)
    return run_toy(place / "run", task="mean_class", data=(data,), smoke=True, protocol="honest")


def victim_of(folder: Path) -> str:
    return sorted(path.name for path in folder.glob("C01*.csv"))[0]


def same_as_alone(said: Any, victim: str) -> None:
    assert said.exit_code == 0, said.stderr
    assert "Unexpected" not in said.stderr
    assert victim not in said.stdout + said.stderr


@pytest.mark.parametrize("after", range(4))
@pytest.mark.parametrize("number", FAULTS, ids=errno.errorcode.get)
def test_measure_goes_on_with_the_others(cardio, patients, tmp_path, number, after) -> None:
    victim = victim_of(patients)
    with failing(victim, number, after):
        said = cardio("measure", "--plugin", "toy", patients, "--out", tmp_path / "out",
                      "--no-sheets", "--executor", "local:1")  # fmt: skip
        reached = _armed["left"] < 0
    same_as_alone(said, victim)
    with (tmp_path / "out" / "measurements.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    refused = [row for row in rows if row.get("reason")]
    assert {row["patient"][:3] for row in rows} == {"C00", "C01", "C02", "C03"}
    assert [row["patient"][:3] for row in refused] == (["C01"] if reached else [])


@pytest.mark.parametrize("after", range(3))
@pytest.mark.parametrize("number", FAULTS, ids=errno.errorcode.get)
def test_predict_answers_for_the_others(cardio, model, patients, tmp_path, number, after) -> None:
    victim = victim_of(patients)
    with failing(victim, number, after):
        said = cardio("predict", model, patients, "--json")
        reached = _armed["left"] < 0
    same_as_alone(said, victim)
    answer = json.loads(said.stdout)
    refused = [row["recording_id"] for row in answer["quarantined"]]
    assert len(refused) == int(reached)


@pytest.mark.parametrize(
    ("number", "after"), [(errno.EIO, 0), (errno.EIO, 1), (errno.EIO, 2), (errno.ENOENT, 0)]
)
def test_a_run_quarantines_it(run_toy, write_cohort, tmp_path, monkeypatch, number, after) -> None:
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "cache"))
    data = write_cohort(tmp_path / "data", "mean_class", n_patients=24, seed=0)
    victim = victim_of(data)
    with failing(victim, number, after):
        out = run_toy(tmp_path / "run", task="mean_class", data=(data,), smoke=True,
                      protocol="honest", sets=("evaluate.n_resamples=100",))  # fmt: skip
        reached = _armed["left"] < 0
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["status"] == "done"
    assert len(manifest["quarantined"]) == int(reached)
    assert victim not in json.dumps(manifest)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/tty"])
def test_a_link_to_what_never_ends_is_refused(cardio, patients, tmp_path, device) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for path in patients.iterdir():
        (data / path.name).write_bytes(path.read_bytes())
    victim = data / victim_of(data)
    victim.unlink()
    victim.symlink_to(device)
    said = cardio("measure", "--plugin", "toy", data, "--out", tmp_path / "out", "--no-sheets",
                  "--executor", "local:1")  # fmt: skip
    same_as_alone(said, victim.name)
    assert "3 measured, 1 refused" in said.stdout or "1 refused" in said.stdout


SUFFIXES = (".csv", ".edf", ".dcm", ".hea", ".dat", ".xml", ".json", ".nii", ".nii.gz", ".npy",
            ".npz", ".h5", ".avi", ".mp4", ".parquet", "")  # fmt: skip


@pytest.mark.parametrize("kind", ["pipe", "/dev/zero"])
@pytest.mark.parametrize("plugin", ["toy", *sorted(PLUGINS)])
def test_no_plugin_waits_for_what_never_ends(cardio, tmp_path, plugin, kind) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for number, suffix in enumerate(SUFFIXES):
        path = folder / f"r{number}{suffix}"
        os.mkfifo(path) if kind == "pipe" else path.symlink_to(kind)

    def hung(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, hung)
    signal.alarm(int(HUNG_AFTER_S))
    try:
        for words in (("data", "check", folder), ("measure", folder, "--no-sheets"),
                      ("measure", *sorted(folder.iterdir()), "--no-sheets")):  # fmt: skip
            out = ("--out", tmp_path / "out") if words[0] == "measure" else ()
            said = cardio(*words, *out, "--plugin", plugin, "--executor", "local:1")
            assert said.exit_code in (2, 3), said.stderr
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("words", [("data", "check"), ("measure", "--no-sheets", "--out", "m")])
def test_a_recording_that_takes_long_is_named(cardio, patients, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(progress, "PAUSE_S", 0.2)
    monkeypatch.setattr(progress.Slow.__call__, "__defaults__", (0.3,))
    victim, wait = victim_of(patients), itertools.count()

    def slowly(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and str(arguments[0]).endswith(victim) and next(wait) == 2:
            time.sleep(3)

    monkeypatch.setitem(_armed_by, "hear", slowly)
    said = cardio(*words, patients, "--plugin", "toy", "--executor", "local:1")
    assert said.exit_code == 0, said.stderr
    assert f"recording {victim.removesuffix('.csv')}" in said.stdout + said.stderr
