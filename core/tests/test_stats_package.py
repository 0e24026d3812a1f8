"""The statistics package: light to import, and every public name resolves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import cardio_core.stats as stats


def test_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, cardio_core.stats; "
        "print([m for m in ('numpy', 'scipy', 'pandas', 'torch') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_statistic_is_importable_without_torch() -> None:
    code = "import sys\nfrom cardio_core.stats import *\nprint('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_no_module_hides_a_public_name() -> None:
    assert stats.__file__ is not None
    modules = {path.stem for path in Path(stats.__file__).parent.glob("*.py")}
    assert not modules & set(stats.__all__)


def test_public_names_resolve_and_unknown_ones_do_not() -> None:
    for name in stats.__all__:
        assert not isinstance(getattr(stats, name), ModuleType)
    assert not hasattr(stats, "auk")
