"""Being told to stop: by a signal from outside, or by the end of the process that one works for."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_LOOKS_S = 1.0
_AGAIN_S = 0.05
_ORPHANED = 120
"""Exit code of a worker whose run is no more; nobody is left to read it."""


class StoppedFromOutside(KeyboardInterrupt):
    """A signal other than Ctrl-C's asked the program to end; it ends in the same way.

    Attributes
    ----------
    number : int
        Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def stopping_in_order() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the program as Ctrl-C does: with what is finished kept.

    What is ignored on entry, as SIGHUP under nohup, stays so. A second signal of a kind ends the
    program at once. Outside the main thread nothing is changed: Python handles signals there alone.

    A signal, Ctrl-C too, that comes while Python calls a destructor would be printed there and
    forgotten; it is sent again.
    """
    kinds = [getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")]
    in_main = threading.current_thread() is threading.main_thread()
    before = {
        number: signal.getsignal(number)
        for number in kinds
        if number is not None and in_main and signal.getsignal(number) is not signal.SIG_IGN
    }

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(number, signal.SIG_DFL)
        raise StoppedFromOutside(number)

    told = sys.unraisablehook

    def lost(what: sys.UnraisableHookArgs) -> None:
        if not isinstance(what.exc_value, KeyboardInterrupt):
            told(what)
            return
        number = getattr(what.exc_value, "number", signal.SIGINT)
        if number in before:
            signal.signal(number, stop)
        threading.Timer(_AGAIN_S, os.kill, (os.getpid(), number)).start()

    for number in before:
        signal.signal(number, stop)
    if in_main:
        sys.unraisablehook = lost
    try:
        yield
    finally:
        if in_main:
            sys.unraisablehook = told
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def deaf_to_hang_up() -> Iterator[None]:
    """Let processes that are started inside not hear SIGHUP."""
    number = getattr(signal, "SIGHUP", None)
    if number is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, before)


def exit_code_of(stop: BaseException | None) -> int:
    """Return what a shell expects of a program that a signal ended: 128 and its number.

    Examples
    --------
    >>> exit_code_of(KeyboardInterrupt()), exit_code_of(StoppedFromOutside(15))
    (130, 143)
    """
    while stop is not None and not isinstance(stop, StoppedFromOutside):
        stop = stop.__cause__ or stop.__context__
    return 128 + (stop.number if isinstance(stop, StoppedFromOutside) else signal.SIGINT)


def leave_stopping_to_the_run(run: int) -> None:
    """In a worker: let signals to the whole group pass, and end when the run's process does.

    The run's process gets the same signals, writes down what is finished and ends its workers. Gone
    without a word (kill -9), it cannot: so each worker looks for it once a second.

    Parameters
    ----------
    run : int
        Id of the run's process, as that process tells it: it may be gone before the worker is as
        far as this, and whoever the worker's parent is then would be taken for it.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == run:
            time.sleep(_LOOKS_S)
        os._exit(_ORPHANED)

    threading.Thread(target=watch, name="run watched", daemon=True).start()
