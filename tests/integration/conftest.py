"""The toy plugin and its broken twins, installed for real, and ways to run them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which pip installed both distributions; on the path of this process too."""
    sources = tmp_path_factory.mktemp("sources")
    target = tmp_path_factory.mktemp("installed")
    for name in ("toy", "broken"):
        # pip leaves its build folders beside the sources.
        shutil.copytree(
            HERE / name, sources / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
            "--no-build-isolation", "--disable-pip-version-check", "--target", str(target),
            str(sources / "toy"), str(sources / "broken"),
        ],
        check=True,
    )  # fmt: skip
    sys.path.insert(0, str(target))
    yield target
    sys.path.remove(str(target))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of the session's own, and one thread for every library."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARDIO_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.delenv("CARDIO_PLUGINS", raising=False)
        yield


@pytest.fixture(scope="session")
def cardio(installed: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command line in a process of its own."""

    def call(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            env=os.environ | {"PYTHONPATH": str(installed)} | more,
            capture_output=True,
            text=True,
            check=False,
        )

    return call


COMMAND = [sys.executable, "-c", "from cardio_core.cli.main import main; main()"]


@pytest.fixture(scope="session")
def run_toy(installed: Path) -> Callable[..., Path]:
    """A run in this process; returns its directory."""
    from cardio_core.runner.request import RunRequest
    from cardio_core.runner.run import run

    def call(out: Path, *, said: list[str] | None = None, **fields: object) -> Path:
        fields = {"plugin": "toy", "device": "cpu", "executor": "local:1"} | fields
        lines = [] if said is None else said
        return run(RunRequest(out=out, **fields), lines.append)

    return call
