"""The toy plugin and its broken kin, installed for real, and ways to run them.

With ``CARDIO_TEST_NOISE=SEED`` every score of the toy differs by up to 1e-7, as on another
processor (see the toy's `another_processor.py`): no test here may hang on such digits.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from matplotlib.backends import backend_svg
from matplotlib.backends.backend_svg import FigureCanvasSVG

from cardio_core.registry import resolve
from cardio_core.runner.request import RunRequest
from cardio_core.runner.run import run
from cardio_core.testing import Result, call_cardio

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def install(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Path]]:
    """Let pip install folders into a new one, which is on the path of this process then, too."""
    made = []

    def call(*folders: Path) -> Path:
        sources = tmp_path_factory.mktemp("sources")
        target = tmp_path_factory.mktemp("installed")
        for folder in folders:
            # pip leaves its build folders beside the sources.
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(folder, sources / folder.name, ignore=ignored)
        subprocess.run(
            [
                sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
                "--no-build-isolation", "--disable-pip-version-check", "--target", str(target),
                *(str(sources / folder.name) for folder in folders),
            ],
            check=True,
        )  # fmt: skip
        sys.path.insert(0, str(target))
        made.append(str(target))
        return target

    yield call
    for target in made:
        sys.path.remove(target)


@pytest.fixture(scope="session")
def installed(install: Callable[..., Path]) -> Path:
    """A folder with the toy and its broken kin."""
    return install(HERE / "toy", HERE / "broken")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of the session's own, and one thread for every library."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARDIO_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.delenv("CARDIO_PLUGINS", raising=False)
        yield


@pytest.fixture(scope="module", autouse=True)
def few_figures(request: pytest.FixtureRequest) -> None:
    """Figures are drawn, but not written, in files that are not marked `shown`."""
    if not request.node.get_closest_marker("shown"):
        request.getfixturevalue("blank_figures")


@pytest.fixture
def cardio(installed: Path) -> Callable[..., Result]:
    """The command line, in this process, where the toy is installed."""
    return call_cardio


@pytest.fixture(scope="session")
def start_cardio(installed: Path) -> Callable[..., subprocess.Popen[str]]:
    """The command line, started in a process of its own."""

    def start(*arguments: object, **more: str) -> subprocess.Popen[str]:
        before = filter(None, [os.environ.get("PYTHONPATH")])
        return subprocess.Popen(
            [sys.executable, "-c", "from cardio_core.cli.main import main; main()",
             *map(str, arguments)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(installed), *before])} | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    return start


@pytest.fixture(scope="session")
def run_toy(installed: Path) -> Callable[..., Path]:
    """A run in this process; returns its directory."""

    def call(out: Path, *, said: list[str] | None = None, **fields: Any) -> Path:
        fields = {"plugin": "toy", "device": "cpu", "executor": "local:1"} | fields
        lines = [] if said is None else said
        return run(RunRequest(out=out, **fields), lines.append)

    return call


@pytest.fixture(scope="session")
def write_cohort(installed: Path) -> Callable[..., Path]:
    """Write the toy's synthetic cohort into a folder."""

    def call(folder: Path, task: str, **settings: Any) -> Path:
        folder.mkdir(parents=True)
        resolve("cardio_toy.synthetic:synthesize")(folder, task=task, **settings)
        return folder

    return call


SPOILED = {
    "flat": "rate_hz=25\n" + "0.0\n" * 150,
    "short": "rate_hz=25\n" + "0.1\n0.2\n" * 10,
    "words": "this is a letter, not a recording\n",
    "letters": "rate_hz=25\n" + "0.1\n0.2\n" * 100 + "x\n",
}
"""Recordings that cannot be used, by what is wrong with them."""


@pytest.fixture(scope="session")
def clinic(write_cohort: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 good patients; two of them have a bad recording as well, and one more has nothing else."""
    folder = write_cohort(tmp_path_factory.mktemp("data") / "clinic", "mean_class")
    for name, text in SPOILED.items():
        (folder / f"{name}.csv").write_text(text)
    table = folder / "cohort.csv"
    lines = table.read_text().splitlines()
    lines[2] = lines[2].replace("C01r0.csv", "C01r0.csv;flat.csv")
    lines[3] = lines[3].replace("C02r0.csv", "C02r0.csv;words.csv")
    lines.append("C90,C90s,,short.csv;letters.csv,1,0.5")
    table.write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="session")
def clinic_run(
    run_toy: Callable[..., Path], clinic: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """`mean_class` under both protocols on the clinic, with its figures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend_svg, "FigureCanvasSVG", FigureCanvasSVG)
        return run_toy(tmp_path_factory.mktemp("runs") / "clinic", data=(clinic,))


@pytest.fixture(scope="session")
def strip(write_cohort: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings with annotated beats, of other people than the clinic's."""
    return write_cohort(tmp_path_factory.mktemp("data") / "strip", "beats")


@pytest.fixture(scope="session")
def beats_run(
    run_toy: Callable[..., Path], strip: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """`beats` under both protocols, with its figures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend_svg, "FigureCanvasSVG", FigureCanvasSVG)
        return run_toy(tmp_path_factory.mktemp("runs") / "beats", task="beats", data=(strip,))
