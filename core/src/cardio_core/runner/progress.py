"""Progress with time left: one living line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

Echo = Callable[[str], None]


class Progress:
    """Counts finished pieces of one stage and says how long the rest will take.

    Nothing is printed in the first two seconds. Off a terminal, a line is printed at every tenth
    of the work and at most every ten seconds.
    """

    def __init__(self, what: str, total: int, echo: Echo | None) -> None:
        self._what, self._total, self._echo = what, total, echo
        self._done = 0
        self._start = self._last = time.monotonic()
        self._living = sys.stderr.isatty()

    def advance(self, detail: str = "") -> None:
        """Count one finished piece."""
        self._done += 1
        now = time.monotonic()
        elapsed = now - self._start
        if self._echo is None or elapsed < 2:
            return
        line = (
            f"  {self._what} {self._done}/{self._total}, {_left(elapsed, self._done, self._total)}"
        )
        line += f"  {detail}" if detail else ""
        if self._living:
            print(f"\r{line}\x1b[K", end="", file=sys.stderr, flush=True)  # noqa: T201
        elif now - self._last >= 10 or self._done == self._total:
            self._echo(line)
            self._last = now

    def close(self) -> None:
        """End the living line."""
        if self._living and time.monotonic() - self._start >= 2:
            print(file=sys.stderr)  # noqa: T201


def _left(elapsed: float, done: int, total: int) -> str:
    if done >= total:
        return f"done in {_duration(elapsed)}"
    return f"{_duration(elapsed / done * (total - done))} left"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
