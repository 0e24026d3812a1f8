"""The command line, called in the test's own process: what a user would type and be told."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from unittest import mock


@dataclass(frozen=True)
class Said:
    """What a command answered.

    Attributes
    ----------
    exit_code : int
        0 where all went well.
    stdout, stderr : str
        What it wrote.
    """

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """What was written to `stdout`, as JSON."""
        return json.loads(self.stdout)


def call_cardio(*words: object, folder: Path | None = None) -> Said:
    """Run ``cardio`` with these words, as in a shell, but without the seconds that imports take.

    Parameters
    ----------
    *words : object
        Commands, options and arguments; each becomes a string.
    folder : Path, optional
        Where it is run; by default where the test is.

    Returns
    -------
    Said

    Examples
    --------
    >>> call_cardio("plugins", "lst").stderr.splitlines()[-1]
    "Error: no command 'lst'; did you mean 'list'?"
    """
    (installed,) = entry_points(group="console_scripts", name="cardio")
    main = installed.load()
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["cardio", *map(str, words)]),
        contextlib.chdir(folder or Path.cwd()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
            code: int | str | None = 0
        except SystemExit as stop:
            code = stop.code
    if isinstance(code, str):  # as the interpreter does with what is no number
        err.write(f"{code}\n")
        code = 1
    return Said(code or 0, out.getvalue(), err.getvalue())
