"""A finished run of the toy, every file of it damaged, read by every command that reads runs."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from cardio_core.testing import Result, call_cardio

from ..cases import Reader, Seed

_TOY = Path(__file__).parents[2] / "integration" / "toy"
_KINDS = {".json": "json", ".jsonl": "json", ".yaml": "yaml", ".csv": "csv", ".svg": "xml",
          ".npz": "zip", ".npy": "npy", ".skops": "zip", ".safetensors": "safetensors",
          ".html": "text", ".md": "text"}  # fmt: skip


@cache
def _made() -> Path:
    """Install the toy, and return a folder with its cohort, another's, and a run of each."""
    place = Path(tempfile.mkdtemp(prefix="cardio-fuzz-toy-"))
    os.environ["CARDIO_CACHE"] = str(place / "cache")
    shutil.copytree(_TOY, place / "toy", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
               "--no-build-isolation", "--disable-pip-version-check", "--target",
               str(place / "installed"), str(place / "toy")]  # fmt: skip
    subprocess.run(command, check=True)
    sys.path.insert(0, str(place / "installed"))
    from cardio_core.registry import resolve

    for number, name in enumerate(("clinic", "others")):
        (place / name).mkdir()
        resolve("cardio_toy.synthetic:synthesize")(place / name, task="mean_class", seed=number)
        with contextlib.redirect_stdout(io.StringIO()):
            said = call_cardio("run", "--plugin", "toy", "--smoke", "--data", place / name, "--out",
                               place / f"run-{name}", "--executor", "local:1")  # fmt: skip
        assert said.exit_code == 0, said.stderr
    return place


def _files(folder: Path) -> list[Seed]:
    run = _made() / "run-clinic"
    files = {
        f"run/{path.relative_to(run)}": path.read_bytes()
        for path in sorted(run.rglob("*")) if path.is_file()
    }  # fmt: skip
    seeds = []
    for name in files:
        often = 8 if Path(name).parent == Path("run") else 1
        seeds += [Seed(files, name, _KINDS.get(Path(name).suffix, "bytes"))] * often
    return seeds


def refusals(said: Result) -> list[str]:
    """Return the one line of a refusal; fail as a user would who gets anything else."""
    if said.exit_code == 0:
        return []
    lines = [line for line in said.stderr.splitlines() if line.startswith("Error: ")]
    unforeseen = [line for line in said.stderr.splitlines() if line.startswith("Unexpected ")]
    if len(lines) != 1 or unforeseen or said.exit_code not in (1, 2, 3):
        raise AnsweredError((*unforeseen, f"exit {said.exit_code}")[0][:200], said.stderr)
    return lines


class AnsweredError(Exception):
    """A command ended otherwise than in one line: what it said at its end, and all of it."""

    def __str__(self) -> str:
        return str(self.args[0])


def _command(*words: Any) -> Any:
    # Figures are drawn of numbers that were read by then, and take most of the time.
    undrawn = mock.patch("cardio_core.runner.evaluate.draw_figure", lambda figure: [])

    def read(folder: Path, file: Path) -> Sequence[str]:
        made = _made()
        places = {"RUN": folder / "run", "OTHER": made / "run-others", "OUT": folder / "out",
                  "INPUT": made / "clinic" / "C01r0.csv", "DATA": made / "others",
                  "OWN": made / "clinic"}  # fmt: skip
        with undrawn:
            said = call_cardio("--debug", *(places.get(word, word) for word in words))
        return refusals(said)

    return read


READERS = tuple(
    Reader(f"run_{name}", f"Every file of a run: cardio {name}", _files, _command(*words),
           says_names=True, cost=30)
    for name, words in {
        "predict": ("predict", "RUN", "INPUT", "--out", "OUT"),
        "report": ("report", "RUN"),
        "resume": ("run", "--plugin", "toy", "--smoke", "--data", "OWN", "--out", "RUN", "--resume",
                   "--executor", "local:1"),
        "compare": ("compare", "RUN", "OTHER", "--out", "OUT"),
        "evaluate": ("evaluate", "RUN", "--data", "DATA", "--other-people", "--out", "OUT"),
        "export": ("export", "RUN", "--out", "OUT"),
    }.items()
)  # fmt: skip
