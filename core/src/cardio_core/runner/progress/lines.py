"""Plain lines, for wherever there is no terminal: a file, a queue's log, a pipe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PAUSE_S = 10.0


class Lines:
    """Says a line every ten seconds, also while one long piece of work is under way.

    `look` returns the line that describes the present moment, empty where there is nothing to say;
    `say` takes it. The first is said after `first_s`.
    """

    def __init__(
        self, look: Callable[[], str], say: Callable[[str], None], first_s: float = PAUSE_S
    ) -> None:
        self._look, self._say = look, say
        self._last = time.monotonic() - PAUSE_S + first_s
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to say lines."""
        self._thread = threading.Thread(target=self._keep_saying, name="progress", daemon=True)
        self._thread.start()

    def said(self) -> None:
        """Note that a line was said just now, so that the next one waits."""
        self._last = time.monotonic()

    def stop(self) -> None:
        """Say no more."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _keep_saying(self) -> None:
        while not self._stop.wait(0.5):
            if time.monotonic() - self._last >= PAUSE_S and (line := self._look()):
                self.said()
                self._say(line)
