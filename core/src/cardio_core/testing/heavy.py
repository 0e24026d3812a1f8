"""What a plugin module must not import."""

from __future__ import annotations

import os
import subprocess
import sys

from cardio_core.testing.verdict import require

HEAVY = (
    "torch", "numpy", "pandas", "scipy", "sklearn", "matplotlib", "pydantic", "lightning", "monai",
)  # fmt: skip
"""Packages that cost a second or more; help texts and plugin modules do without them."""

_REPORT = """
import atexit, sys
heavy = {heavy!r}
atexit.register(lambda: print("LOADED", *(name for name in heavy if name in sys.modules)))
{code}
"""


def heavy_modules_after(code: str, *arguments: str) -> list[str]:
    """Return the heavy packages that a fresh interpreter has imported after running some code.

    Parameters
    ----------
    code : str
        Python source; it may exit.
    *arguments : str
        What follows the program's name in ``sys.argv``.

    Returns
    -------
    list of str
        Names out of `HEAVY`.

    Raises
    ------
    BrokenContractError
        If the code fails; carries what it wrote to standard error.

    Examples
    --------
    >>> heavy_modules_after("import json")
    []
    >>> heavy_modules_after("import numpy")
    ['numpy']
    """
    done = subprocess.run(
        [sys.executable, "-c", _REPORT.format(heavy=HEAVY, code=code), *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    require(done.returncode == 0, f"it exits with {done.returncode}: {done.stderr.strip()}")
    return done.stdout.splitlines()[-1].split()[1:]
