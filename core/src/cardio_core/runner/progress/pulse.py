"""What a fit tells of itself, from whichever process it runs in: one small file.

A fit may run here, in a process of joblib's, or on another machine that sees the same files. A file
serves all three. Nothing reads it but the display: a fit never waits for it and never fails by it.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

_PAUSE_S = 0.3
FOLDER = ".progress"


@dataclass
class Pulse:
    """The file of one fit, and the words that say which part of the fit is under way.

    It is entered where the fit begins. Calling it with a text says what is being done; texts that
    follow each other quickly are left out, so that short epochs cost nothing.
    """

    file: Path
    within: str = ""
    _began: float = field(default=0.0, repr=False, compare=False)
    _last: float = field(default=0.0, repr=False, compare=False)

    def __call__(self, doing: str) -> None:
        """Say what is being done."""
        now = time.monotonic()
        if now - self._last >= _PAUSE_S:
            self._last = now
            self._write(began=self._began, doing=", ".join(filter(None, (self.within, doing))))

    def part(self, within: str) -> Pulse:
        """Return the pulse of one of several fits inside this one."""
        return Pulse(self.file, within, self._began)

    def __enter__(self) -> Self:
        """Say that the fit has begun."""
        self._began = time.time()
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
        self._write(began=self._began, doing="")
        return self

    def __exit__(self, kind: object, *exception: object) -> None:
        """Say that the fit is done, and how long it took."""
        if kind is None:
            self._write(seconds=time.time() - self._began)

    def _write(self, **said: Any) -> None:
        # Not whole or not at all: a reader that meets half a line reads again a moment later.
        with suppress(OSError):
            self.file.write_text(json.dumps({"worker": _worker(), **said}), encoding="utf-8")


def read_pulse(file: Path) -> dict[str, Any]:
    """Return what a fit said last; empty where it said nothing, or is just saying it."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _worker() -> str:
    return f"{os.uname().nodename}-{os.getpid()}" if hasattr(os, "uname") else str(os.getpid())
