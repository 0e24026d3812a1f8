"""A machine without a home, a locale or shared memory: it works, or one line says what to set."""

from __future__ import annotations

import io
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cardio_core.cli import main as cli

ASCII = {"LC_ALL": "C", "LANG": "", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
WITHOUT_HOME = {"HOME": "/proc/nobody", "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": ""}


@pytest.mark.parametrize(
    ("encoding", "asked", "told"),
    [("ascii", "ascii", b"\\xd7 \\u2265 \\udcfc"), ("ascii", "", "× ≥ \\udcfc".encode()),
     ("latin-1", "", b"\xd7 \\u2265 \\udcfc"), ("utf-8", "", "× ≥ \\udcfc".encode())],
)  # fmt: skip
def test_a_terminal_that_lacks_a_letter_gets_its_number(monkeypatch, encoding, asked, told):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("PYTHONIOENCODING", asked)
    cli._print_anything()
    print("× ≥ \udcfc", end="", flush=True)  # noqa: T201
    assert stream.buffer.getvalue() == told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("surroundings", "words"),
    [
        (ASCII, ""),
        (WITHOUT_HOME, ""),
        (WITHOUT_HOME | {"CARDIO_CACHE": ""}, "set CARDIO_CACHE to another"),
        (WITHOUT_HOME | {"CARDIO_CACHE": "/proc/cache"}, "set CARDIO_CACHE to another"),
    ],
    ids=["ascii", "no home", "neither home nor cache", "no such cache"],
)
def test_a_run_works_or_says_what_to_set(start_cardio, clinic, tmp_path, surroundings, words):
    out = tmp_path / "Läufe ≥"
    process = start_cardio(
        "run", "--plugin", "toy", "--data", clinic, "--device", "cpu", "--executor", "local:2",
        "--out", out, **surroundings,
    )  # fmt: skip
    _, said = process.communicate(timeout=600)
    assert "Traceback" not in said
    assert "atplotlib" not in said
    if words:
        assert process.returncode == 2
        (line,) = [line for line in said.splitlines() if line.startswith("Error: ")]
        assert words in line
    else:
        assert process.returncode == 0, said
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["status"] == "done"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shared", "works"),
    [
        ("umount -l /dev/shm", True),
        ("umount -l /dev/shm; mount -t tmpfs -o size=4k none /dev/shm", False),
        ("umount -l /dev/shm; mount -t tmpfs -o ro none /dev/shm", False),
    ],
    ids=["absent", "tiny", "read-only"],
)
def test_workers_without_shared_memory_work_or_say_so(installed, clinic, tmp_path, shared, works):
    if (
        not shutil.which("unshare")
        or subprocess.run(
            ["unshare", "-m", "sh", "-c", shared], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("this user may mount nothing in a space of its own")
    path = os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{shared}; exec "$0" "$@"', sys.executable, "-c",
         "from cardio_core.cli.main import main; main()", "run", "--plugin", "toy", "--data",
         str(clinic), "--device", "cpu", "--executor", "local:2", "--out", str(tmp_path / "run")],
        env=os.environ | {"PYTHONPATH": path}, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "serial mode" not in done.stderr
    assert done.returncode == (0 if works else 1), done.stderr
    if not works:
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
        assert "shm is full, too small or may not be written" in line
        assert "--executor local:1" in line


DRY = ("run", "--plugin", "toy", "--task", "mean_class", "--smoke", "--device", "cpu",
       "--executor", "local:1", "--dry-run")  # fmt: skip


def features_in(cache: Path) -> dict[str, bytes]:
    """Return every array that a cache holds."""
    return {one.relative_to(cache).as_posix(): one.read_bytes() for one in cache.rglob("*.npy")}


@pytest.fixture
def cohort(write_cohort, tmp_path) -> Path:
    return write_cohort(tmp_path / "data", "mean_class", n_patients=24, seed=0)


def test_two_commands_that_fill_one_cache_at_once_find_what_one_finds(
    start_cardio, cardio, cohort, tmp_path, monkeypatch
):
    both = [
        start_cardio(*DRY, "--data", cohort, "--out", tmp_path / f"{n}",
                     CARDIO_CACHE=str(tmp_path / "shared"))
        for n in range(2)
    ]  # fmt: skip
    ends = [one.communicate(timeout=600)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0], ends
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "alone"))
    assert cardio(*DRY, "--data", cohort, "--out", tmp_path / "3").exit_code == 0
    assert features_in(tmp_path / "shared") == features_in(tmp_path / "alone") != {}
    assert list((tmp_path / "shared").rglob("*.partial-*")) == []


@pytest.mark.slow
def test_a_clock_that_is_set_back_meanwhile_changes_no_metric(
    run_toy, cohort, tmp_path, monkeypatch
):
    real, calls, found = time.time, itertools.count(), []
    for name in ("right", "back"):
        out = run_toy(tmp_path / name, task="mean_class", data=(cohort,), smoke=True)
        found.append((out / "metrics.json").read_text(encoding="utf-8"))
        monkeypatch.setattr(time, "time", lambda: real() - 3600.0 * next(calls))
    assert found[0] == found[1]
    assert next(calls) > 0, "nobody looked at the clock"


@pytest.mark.parametrize("n", [4, pytest.param(50, marks=pytest.mark.slow)])
def test_a_cache_does_not_grow_with_the_same_command(cardio, cohort, tmp_path, monkeypatch, n):
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "cache"))
    held = []
    for number in range(n):
        assert cardio(*DRY, "--data", cohort, "--out", tmp_path / f"{number}").exit_code == 0
        folders = [path for path in (tmp_path / "cache/features/toy").iterdir() if path.is_dir()]
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        held.append((len(folders), sum(path.stat().st_size for path in files)))
    assert held[0] == held[-1]
    assert held[0][0] == 24


_asked: list[str] = []
_slow: dict[str, str] = {}


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    path = arguments[0] if arguments else None
    if _slow and isinstance(path, str) and path.startswith(_slow["folder"]):
        _asked.append(event)
        time.sleep(0.002)


sys.addaudithook(_hear)


def test_a_cache_on_a_slow_file_system_is_asked_a_few_times_a_patient(
    cardio, cohort, tmp_path, monkeypatch
):
    cache = tmp_path / "cache"
    monkeypatch.setenv("CARDIO_CACHE", str(cache))
    monkeypatch.setitem(_slow, "folder", str(cache))
    counts = []
    for number in range(2):
        _asked.clear()
        assert cardio(*DRY, "--data", cohort, "--out", tmp_path / f"{number}").exit_code == 0
        counts.append(len(_asked) / 24)
    assert counts[0] <= 40, "files opened, made, listed and renamed for a patient"
    assert counts[1] <= 8, "and where they are there already"


@pytest.mark.parametrize(
    ("limit", "most"), [("NOFILE", 64), ("AS", 6 << 30), ("FSIZE", 1024)], ids=lambda one: str(one)
)
def test_a_process_with_little_works_or_says_what_it_lacks(
    installed, cohort, tmp_path, limit, most
):
    code = (f"import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
            f"resource.setrlimit(resource.RLIMIT_{limit}, ({most}, {most})); "
            "from cardio_core.cli.main import main; main()")  # fmt: skip
    path = os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code, *DRY, "--data", str(cohort), "--out", str(tmp_path / "run")],
        env=os.environ | {"PYTHONPATH": path, "CARDIO_CACHE": str(tmp_path / "cache")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert (done.returncode, len(errors)) in ((0, 0), (1, 1)), done.stderr
    assert "Traceback" not in done.stderr and "Unexpected" not in done.stderr
    assert done.returncode == int(limit == "FSIZE")
