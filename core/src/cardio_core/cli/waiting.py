"""Plain lines for somebody who waits for a computation."""

from __future__ import annotations

import time

import click

PATIENCE_S = 5.0
"""Between a beginning and the first line, and between two lines."""


class Progress:
    """Writes to standard error how far a computation is, every five seconds.

    Examples
    --------
    >>> says = Progress()
    >>> says("resamples", 100, 2000)  # nothing before five seconds
    """

    def __init__(self) -> None:
        self._what = ("", 0)
        self._began = self._said = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        """Say it, if enough time has passed."""
        now = time.monotonic()
        if (what, total) != self._what:
            self._what, self._began, self._said = (what, total), now, now
        if 0 < done < total and now - self._said >= PATIENCE_S:
            from cardio_core.runner.progress.words import roughly

            left = (now - self._began) * (total - done) / done
            click.echo(f"{what}: {done} of {total}, about {roughly(left)} left", err=True)
            self._said = now
