"""Telling whoever waits how far a long computation is; nobody listens unless a front door does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Watcher = Callable[[str, int, int], None]
"""Takes what is being done, how much of it is done, and how much there is."""

_WATCHER: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


def tell(what: str, done: int, total: int) -> None:
    """Say how far a computation is, to the watcher if there is one."""
    watcher = _WATCHER.get()
    if watcher is not None:
        watcher(what, done, total)


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Let a watcher be told while the block runs.

    Examples
    --------
    >>> with watched(lambda *texts: print(*texts)):
    ...     tell("resamples", 100, 2000)
    resamples 100 2000
    """
    token = _WATCHER.set(watcher)
    try:
        yield
    finally:
        _WATCHER.reset(token)


def duration(seconds: float) -> str:
    """Return a time as a person would say it.

    Examples
    --------
    >>> [duration(s) for s in (4.2, 80, 300, 6000)]
    ['4 s', '80 s', '5 min', '1 h 40 min']
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02} min"


def roughly(seconds: float) -> str:
    """Return an estimated time, no finer than it is known.

    Examples
    --------
    >>> [roughly(s) for s in (3.2, 47, 131, 1000)]
    ['3 s', '45 s', '2 min', '17 min']
    """
    return duration(5 * round(seconds / 5) if 10 < seconds < 90 else max(1.0, seconds))
