"""Scripts of `benchmarks/`, which is no package."""

import importlib
import sys

import pytest

from .test_commands import ROOT


@pytest.fixture(scope="module")
def of_benchmarks():
    """Import a script by its name."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    yield importlib.import_module
    sys.path.remove(str(ROOT / "benchmarks"))
