"""Told to stop: one line says what is finished and how to go on, and the command in it does."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest

from cardio_core.compute.processes import StoppedFromOutside, stopping_in_order
from cardio_core.testing.searching import HUNG_AFTER_S

# Whoever starts the tests in the background hands down an ignored signal.
CARDIO = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from cardio_core.cli.main import main; main()"
)


@pytest.fixture
def interrupt(installed):
    """Start the command line, send a signal to its processes once `ready`, return what it said.

    As a terminal does, it goes to the workers, too; `alone` it goes to the run's own process.
    """

    def call(arguments, ready, number=signal.SIGINT, *, alone=False):
        before = filter(None, [os.environ.get("PYTHONPATH")])
        path = os.pathsep.join([str(installed), *before])
        process = subprocess.Popen(
            [sys.executable, "-c", CARDIO, *map(str, arguments)],
            env=os.environ | {"PYTHONPATH": path, "CARDIO_TOY_WAIT_S": "2"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + HUNG_AFTER_S
            while not ready():
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            (os.kill if alone else os.killpg)(process.pid, number)
            _, said = process.communicate(timeout=HUNG_AFTER_S)
            while _members_of(process.pid):
                assert time.monotonic() < deadline, "a worker lives on"
                time.sleep(0.02)
        finally:
            process.kill()
        return process.returncode, [line for line in said.splitlines() if line.strip()]

    return call


def _members_of(group):
    """Return whether a process of that group is alive; a zombie is not."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("executor", "number", "alone"),
    [
        ("local:1", signal.SIGINT, False),
        pytest.param("local:2", signal.SIGTERM, True, marks=pytest.mark.slow),
        pytest.param("local:2", signal.SIGINT, False, marks=pytest.mark.slow),
        pytest.param("local:2", signal.SIGTERM, False, marks=pytest.mark.slow),
        pytest.param("local:2", signal.SIGHUP, False, marks=pytest.mark.slow),
        pytest.param("local:1", signal.SIGTERM, True, marks=pytest.mark.slow),
    ],
)
def test_a_run_says_what_is_finished_and_its_command_goes_on(
    cardio, interrupt, strip, beats_run, tmp_path, executor, number, alone
):
    out = tmp_path / "a run"
    arguments = ["run", "--plugin", "toy", "--task", "beats", "--data", strip, "--device", "cpu",
                 "--executor", executor, "--out", out]  # fmt: skip
    code, said = interrupt(
        arguments, lambda: list(out.glob("models/*/network")), number, alone=alone
    )
    assert code == 128 + number
    assert len(said) == 1
    kept, command = said[0].split("Go on with: cardio ")
    assert kept.startswith("Interrupted. Finished and kept: training, ")
    assert kept.endswith(" of 3 fits. ")
    assert json.loads((out / "manifest.json").read_text())["status"] == "interrupted"
    assert not (out / ".progress").exists()
    finished = cardio(*shlex.split(command))
    assert finished.exit_code == 0
    assert (out / "metrics.json").read_text() == (beats_run / "metrics.json").read_text()


def test_a_run_that_makes_another_first_says_so_and_goes_on_there(
    interrupt, clinic, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    arguments = ["run", "--plugin", "toy", "--task", "third", "--data", clinic, "--device", "cpu",
                 "--executor", "local:1", "--smoke"]  # fmt: skip
    made = "runs/toy-third-*/needs/beats/models/*/network"
    code, (said,) = interrupt(arguments, lambda: list(tmp_path.glob(made)))
    (out,) = (tmp_path / "runs").iterdir()
    assert code == 130
    assert "Finished and kept: beats, training, 1 of " in said
    assert said.endswith(f"--smoke --out runs/{out.name} --resume")


def test_a_run_that_has_nothing_yet_begins_again(interrupt, write_cohort, tmp_path):
    data = write_cohort(tmp_path / "data", "mean_class", n_patients=4)
    fifo = data / "C00r0.csv"
    fifo.unlink()
    os.mkfifo(fifo)  # whoever reads it waits for ever
    arguments = ["run", "--plugin", "toy", "--data", data, "--out", tmp_path / "run"]
    code, said = interrupt(arguments, lambda: (tmp_path / "run" / "manifest.json").exists())
    assert code == 130
    assert len(said) == 1
    assert said[0].startswith("Interrupted. Go on with: cardio run")


@pytest.mark.slow
def test_workers_end_by_themselves_when_the_run_is_gone_without_a_word(interrupt, strip, tmp_path):
    out = tmp_path / "run"
    arguments = ["run", "--plugin", "toy", "--task", "beats", "--data", strip, "--device", "cpu",
                 "--executor", "local:2", "--out", out]  # fmt: skip
    code, _ = interrupt(
        arguments, lambda: list(out.glob("models/*/network")), signal.SIGKILL, alone=True
    )
    assert code == -signal.SIGKILL  # interrupt has waited for every process of its group to end


def test_a_hang_up_that_is_ignored_on_entry_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with stopping_in_order():
            os.kill(os.getpid(), signal.SIGHUP)
        with stopping_in_order(), pytest.raises(StoppedFromOutside):
            os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_within_a_destructor_is_not_forgotten(number, capfd):
    class Ended:
        def __del__(self):
            os.kill(os.getpid(), number)
            time.sleep(0)  # the handler runs here, and what it raises goes nowhere

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with stopping_in_order(), pytest.raises(KeyboardInterrupt):
            Ended()
            for _ in range(500):
                time.sleep(0.02)
    finally:
        signal.signal(signal.SIGINT, before)
    assert capfd.readouterr().err == ""
