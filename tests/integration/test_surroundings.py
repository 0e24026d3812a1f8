"""A machine without a home, a locale or shared memory: it works, or one line says what to set."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys

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
