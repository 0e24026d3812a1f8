"""A run that was made by another cardio-core is refused in one line, wherever it is given."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def older(clinic_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a run whose manifest says that an older core made it."""
    run = tmp_path_factory.mktemp("runs") / "older"
    shutil.copytree(clinic_run, run)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest |= {"core_version": "0.0.9", "git_commit": "0123456789abcdef"}
    (run / "manifest.json").write_text(json.dumps(manifest))
    return run


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "RUN", "DATA"),
        ("report", "RUN"),
        ("reproduce", "RUN"),
        ("run", "--plugin", "toy", "--data", "DATA", "--out", "RUN", "--resume"),
        ("run", "--plugin", "toy", "--task", "second", "--data", "DATA", "--out", "NEW",
         "--from-run", "mean_class=RUN"),
    ],
    ids=["predict", "report", "reproduce", "resume", "from"],
)  # fmt: skip
def test_it_is_refused_with_what_to_do(cardio, older, clinic, tmp_path, words):
    places = {"RUN": older, "DATA": clinic, "NEW": tmp_path / "new"}
    before = (older / "report.html").stat().st_mtime_ns
    said = cardio(*(word.replace("RUN", str(older)) if "RUN" in word else places.get(word, word)
                    for word in words))  # fmt: skip
    assert said.exit_code == 2
    core = version("cardio-core")
    assert said.stderr.endswith(
        f"{older}: this run was made by cardio-core 0.0.9, this is {core}; run its command again "
        "(manifest.json names it), or open it with the cardio-core that made it (commit "
        "0123456789)\n"
    )
    assert said.stderr.count("\n") == 1
    assert (older / "report.html").stat().st_mtime_ns == before
