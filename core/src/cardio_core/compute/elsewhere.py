"""What runs inside a worker of a cluster: on another machine, that others may use, too."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cardio_core.compute.devices import Device
from cardio_core.compute.worker import run_job
from cardio_core.errors import ConfigError

Check = Callable[[], str]
"""Returns what a worker lacks; empty where nothing."""

Named = tuple[str, Check]
"""A check, with a name that no other has."""

_LOOKS_S = 1.0
_ALONE = threading.Lock()
_PASSED: set[str] = set()


class NoLongerWantedError(BaseException):
    """Ends a job whose run is no more; no `except Exception` of a plugin holds it up."""


def lacking(named: Named) -> str:
    """Return what this worker lacks, and remember that it lacks nothing."""
    name, check = named
    said = "" if name in _PASSED else check()
    if not said:
        _PASSED.add(name)
    return said


def run_there(
    checks: Sequence[Named], function: Callable[..., Any], job: Any, device: Device | None
) -> Any:
    """Call a function with a job, alone in this process, until nobody wants it any more.

    Two jobs in one process would share its random numbers and threads, so one waits for the other.

    Raises
    ------
    ConfigError
        If this worker lacks something, and joined after the others were asked.
    Exception
        As `run_job`.
    """
    for check in checks:
        if said := lacking(check):
            raise ConfigError(f"--executor dask: worker {_me().address}: {said}")
    with _ALONE, _while_wanted():
        return run_job(function, job, device)


@contextmanager
def _while_wanted() -> Iterator[None]:
    """Raise `NoLongerWantedError` in this thread once the scheduler gives the job up.

    A scheduler can cancel what waits; what runs is a thread, which it leaves to itself: a fit would
    go on for hours after Ctrl-C, and write into the run.
    """
    worker, thread, over = _me(), threading.get_ident(), threading.Event()
    key = worker.get_current_task()

    def watch() -> None:
        while not over.wait(_LOOKS_S):
            task = worker.state.tasks.get(key)
            if task is None or task.state not in ("executing", "long-running"):
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread), ctypes.py_object(NoLongerWantedError)
                )
                return

    watcher = threading.Thread(target=watch, name="job watched", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()


def _me() -> Any:
    from distributed import get_worker

    return get_worker()
