"""`python -m cardio_core` is `cardio`."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

from cardio_core.testing import names


def as_module(*words):
    return subprocess.run(
        [sys.executable, "-m", "cardio_core", *words], capture_output=True, text=True, check=False
    )


def test_the_package_runs_as_a_module():
    said = as_module("--version")
    assert (said.returncode, said.stderr) == (0, "")
    assert version("cardio-core") in said.stdout


def test_it_ends_as_the_script_does():
    said = as_module("rnu")
    assert said.returncode == 2
    assert names(said.stderr, "run")
