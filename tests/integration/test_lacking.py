"""A disk that is full and memory that is short end a run in one line; it goes on from there."""

from __future__ import annotations

import errno
import json
import os
import shlex
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from cardio_core.runner import train as fit
from cardio_core.runner.manifest import Manifest
from cardio_core.testing import names

STORED = Path(__file__).parent / "stored" / "lacking.json"
AGAIN = ("--executor", "local:1", "--device", "cpu")


def ended(said):
    """Return the one line that a command ended with."""
    assert said.exit_code == 1
    assert "Traceback" not in said.stderr
    (line,) = [line for line in said.stderr.splitlines() if line.startswith("Error: ")]
    return line


def goes_on(cardio, line, like):
    """Run the command that a line names, and compare with a run that lacked nothing."""
    words = shlex.split(line.rpartition("Go on with: cardio ")[2])
    done = cardio(*words)
    assert done.exit_code == 0
    out = Path(words[words.index("--out") + 1])
    assert (out / "metrics.json").read_bytes() == (like / "metrics.json").read_bytes()
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8"))["status"] == "done"


def test_a_full_disk_at_a_fit_says_what_is_kept_and_the_run_goes_on(
    cardio, clinic, clinic_run, tmp_path, monkeypatch
):
    out = tmp_path / "run"
    save, saved = fit.save_predictions, []

    def until_it_is_full(folder, *rest):
        saved.append(folder)
        if len(saved) == 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / "table.npz"))
        return save(folder, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(fit, "save_predictions", until_it_is_full)
        line = ended(cardio("run", "--plugin", "toy", "--data", clinic, *AGAIN, "--out", out))
    assert names(line, "table.npz", "disk is full")
    assert "partial" not in line
    assert names(line, "training, 3 of")
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["status"] == "failed"
    assert manifest["error"].startswith("a file cannot be written: the disk is full (")
    assert not list(out.glob("**/*.partial-*"))
    goes_on(cardio, line, clinic_run)


def test_a_manifest_that_cannot_be_written_does_not_hide_what_was_wrong(
    cardio, clinic, tmp_path, monkeypatch
):
    write = Manifest.update

    def until_it_is_read_only(self, **changes):
        if "features" in str(changes.get("status")) or changes.get("status") == "failed":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self.path))
        write(self, **changes)

    monkeypatch.setattr(Manifest, "update", until_it_is_read_only)
    line = ended(
        cardio("run", "--plugin", "toy", "--data", clinic, *AGAIN, "--out", tmp_path / "run")
    )
    assert names(line, "manifest.json", "read-only")


def test_memory_that_runs_out_names_the_fit(cardio, clinic, tmp_path, monkeypatch):
    monkeypatch.setenv("CARDIO_TOY_LACKS", "memory@honest r0-f0 constant")
    line = ended(cardio("run", "--plugin", "toy", "--data", clinic, *AGAIN, "--protocol", "honest",
                        "--out", tmp_path / "run"))  # fmt: skip
    assert names(line, "honest r0-f0 constant", "memory", "--executor")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "words", "where"),
    [
        ("life", "a worker died (out of memory is the usual cause): exit code SIGKILL(-9), while ",
         "honest r0-f1 ridge"),
        ("memory", "honest r0-f1 ridge: out of memory; use fewer processes", ""),
        ("address space", "honest r0-f1 ridge: out of memory; use fewer processes", ""),
        # The hook that was writing is named, as of any error of a hook.
        ("disk", "a file cannot be written: the disk is full (", "model ridge, fold honest r0-f1"),
    ],
)  # fmt: skip
def test_a_worker_that_lacks_something_is_named_and_the_run_goes_on(
    start_cardio, cardio, clinic, clinic_run, tmp_path, what, words, where
):
    out = tmp_path / "run"
    process = start_cardio(
        "run", "--plugin", "toy", "--data", clinic, "--device", "cpu", "--executor", "local:2",
        "--out", out, CARDIO_TOY_LACKS=f"{what}@honest r0-f1 ridge",
    )  # fmt: skip
    _, said = process.communicate(timeout=600)
    (line,) = [line for line in said.splitlines() if line.startswith("Error: ")]
    assert process.returncode == 1
    assert words in line
    assert where in line
    assert "Traceback" not in said
    stored(f"worker without {what}", line, out)
    goes_on(cardio, line, clinic_run)


@contextmanager
def mounted(folder, size):
    """A small disk in memory; the test is skipped where this user may mount none."""
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)],
        capture_output=True, check=False,
    ) if shutil.which("mount") else None  # fmt: skip
    if made is None or made.returncode:
        pytest.skip("this user may mount no disk in memory")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("size", ["12k", "64k", "300k", "500k", "900k"])
def test_a_run_on_a_small_disk_goes_on_when_there_is_room(
    cardio, clinic, clinic_run, tmp_path, size
):
    disk = tmp_path / "disk"
    with mounted(disk, size):
        line = ended(
            cardio("run", "--plugin", "toy", "--data", clinic, *AGAIN, "--out", disk / "run")
        )
        assert "the disk is full (" in line
        stored(f"disk of {size}", line, disk / "run")
        subprocess.run(["mount", "-o", "remount,size=30m", str(disk)], check=True)
        goes_on(cardio, line, clinic_run)


@pytest.mark.slow
@pytest.mark.parametrize("state", ["full", "read-only"])
def test_every_command_that_writes_says_so_in_one_line(cardio, clinic, clinic_run, tmp_path, state):
    disk, table = tmp_path / "disk", tmp_path / "scores.csv"
    rows = [f"P{n},{n % 2},{(n * 7 % 40) / 40 + n % 2 / 5:.3f}" for n in range(40)]
    table.write_text("\n".join(["patient_id,y_true,score", *rows, ""]), encoding="utf-8")
    recording = next(clinic.glob("C01*.csv"))
    with mounted(disk, "4m"):
        shutil.copytree(clinic_run, disk / "run")
        if state == "full":
            with pytest.raises(OSError, match="space"), (disk / "rest").open("wb") as file:
                file.write(bytes(2**25))
        else:
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        for words in (
            ("run", "--plugin", "toy", "--data", clinic, *AGAIN, "--out", disk / "new"),
            ("predict", clinic_run, recording, "--out", disk / "p.json"),
            ("predict", clinic_run, recording, "--out", disk / "p"),
            ("measure", "--plugin", "toy", recording, "--out", disk / "m"),
            ("judge", table, "--out", disk / "j"),
            ("export", clinic_run, "--out", disk / "e"),
            ("report", disk / "run"),
            ("data", "synth", "toy", "--out", disk / "s"),
            ("compare", f"A={clinic_run}", f"B={clinic_run}", "--out", disk / "c"),
        ):
            said = cardio(*words)
            (line,) = [line for line in said.stderr.splitlines() if line.startswith("Error: ")]
            assert said.exit_code in (1, 2), words
            assert str(disk) in line
            full = "the disk is full (" in line
            assert full == (state == "full"), line
            assert "partial" not in line
            stored(f"{words[0]} on a {state} disk", line, disk)


def stored(what, line, out):
    """Keep what was said, where ``CARDIO_STORE`` asks for it."""
    if os.environ.get("CARDIO_STORE"):
        known = json.loads(STORED.read_text(encoding="utf-8")) if STORED.is_file() else {}
        known[what] = line.replace(str(out), "OUT").replace(sys.prefix, "")
        STORED.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
