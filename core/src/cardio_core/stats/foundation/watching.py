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
    >>> with watched(lambda *said: print(*said)):
    ...     tell("resamples", 100, 2000)
    resamples 100 2000
    """
    token = _WATCHER.set(watcher)
    try:
        yield
    finally:
        _WATCHER.reset(token)
