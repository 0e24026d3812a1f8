"""A run that was killed goes on where it stopped, and ends with the same numbers."""

from __future__ import annotations

import json
import signal
import time

from cardio_core.testing import refuses
from cardio_core.testing.searching import HUNG_AFTER_S
from cardio_stats.errors import ConfigError


def test_a_run_killed_in_training_ends_with_the_same_estimates(
    start_cardio, run_toy, strip, beats_run, tmp_path
):
    out = tmp_path / "run"
    arguments = ("run", "--plugin", "toy", "--task", "beats", "--data", strip, "--device", "cpu",
                 "--executor", "local:1", "--out", out)  # fmt: skip
    process = start_cardio(*arguments, CARDIO_TOY_WAIT_S="2")
    deadline = time.monotonic() + HUNG_AFTER_S
    # The first fit is done; the second has a folder, but not yet under its name.
    while not (
        (out / "models/honest-r0-f0/network").exists()
        and list(out.glob("models/*/network.partial-*"))
    ):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with refuses(ConfigError, f"process {process.pid}", code="locked"):
        run_toy(out, task="beats", data=(strip,), resume=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (out / "running.lock").exists()  # of the dead: nobody has to delete it
    assert json.loads((out / "manifest.json").read_text())["status"] == "running: training"
    assert not (out / "metrics.json").exists()
    said: list[str] = []
    run_toy(out, task="beats", data=(strip,), resume=True, said=said)
    assert "Resumed: 1 of 3 fits were finished before." in said
    again = json.loads((out / "metrics.json").read_text())
    assert again == json.loads((beats_run / "metrics.json").read_text())
    assert not list(out.glob("models/*/*.partial-*"))
    assert not (out / "running.lock").exists()


def test_a_finished_run_is_not_overwritten(run_toy, clinic, clinic_run):
    with refuses(ConfigError, clinic_run.name, "--resume", code="exists"):
        run_toy(clinic_run, data=(clinic,))


def test_there_must_be_something_to_go_on_with(run_toy, clinic, tmp_path):
    with refuses(ConfigError, "--resume", code="missing"):
        run_toy(tmp_path / "run", data=(clinic,), resume=True)
