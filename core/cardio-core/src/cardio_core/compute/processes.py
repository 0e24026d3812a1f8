"""One thread in every process that computes: cores are used by running several processes.

With several threads a library adds in another order, and a network that was trained for a while
then scores otherwise; and threads that wait for each other by spinning cost a busy machine many
times what they gain. So no number depends on how many cores a machine has, or on who else uses it.
"""

from __future__ import annotations

import gc
import logging
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from types import FrameType
from typing import Any, NoReturn

from cardio_core.compute.devices import Device
from cardio_core.compute.resource_errors import resource_error
from cardio_stats.errors import CardioError

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
    # Should a library start threads all the same, those that wait leave the core to others.
    "OMP_WAIT_POLICY": "PASSIVE",
    "KMP_BLOCKTIME": "0",
}
"""What numerical libraries read when they are loaded; processes started later inherit it."""


def ask_for_one_thread() -> None:
    """Set the environment, best before the first numerical library is loaded."""
    os.environ.update(ENVIRONMENT)


def collect_rarely() -> None:
    """Search for unreachable objects seldom.

    What the large libraries make as they are imported stays; to walk through it time and again took
    a fifth of the time of `cardio predict`.
    """
    gc.set_threshold(10_000)


@cache  # once a process: looking for the libraries takes as long as a small job
def keep_to_one_thread() -> None:
    """Let this process compute in one thread from now on, whatever it has loaded before."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    ask_for_one_thread()
    threadpool_limits(1)
    for set_threads, _ in _own_settings():
        set_threads(1)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let this process compute in one thread within a block; afterwards it is as it was.

    A library that is loaded for the first time within the block stays with one thread.

    Examples
    --------
    >>> with one_thread():
    ...     os.environ["OMP_NUM_THREADS"]
    '1'
    """
    from threadpoolctl import threadpool_limits

    environment = {name: os.environ.get(name) for name in ENVIRONMENT}
    own = _own_settings()
    ask_for_one_thread()
    try:
        with threadpool_limits(1):
            for set_threads, _ in own:
                set_threads(1)
            yield
    finally:
        for set_threads, before in own:
            set_threads(before)
        for name, value in environment.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _own_settings() -> list[tuple[Callable[[int], object], int]]:
    """Return, of each loaded library that others cannot tell: how to, and its threads."""
    found = []
    if torch := sys.modules.get("torch"):
        found.append((torch.set_num_threads, torch.get_num_threads()))
    if cv2 := sys.modules.get("cv2"):
        found.append((cv2.setNumThreads, cv2.getNumThreads()))
    return found


# Being told to stop: by a signal from outside, or by the end of the process that one works for.

_LOOKS_S = 1.0
_AGAIN_S = 0.05
_ORPHANED = 120
"""Exit code of a worker whose run is no more; nobody is left to read it."""


class Interrupted(KeyboardInterrupt):
    """The user stopped what was running; the message says how to go on."""


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

    hook = sys.unraisablehook

    def lost(what: sys.UnraisableHookArgs) -> None:
        if not isinstance(what.exc_value, KeyboardInterrupt):
            hook(what)
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
            sys.unraisablehook = hook
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


# What runs inside a worker process.

_GROWTH_BYTES = 4 * 2**30


def begin_worker(run: int) -> None:
    """Let a worker of loky load what it needs and stay, for as long as its run's process is there.

    Where psutil is installed, loky replaces a worker that grew by 300 MB since its first job. That
    much torch takes alone, and its import, again, most of the time of a small run.
    """
    from joblib.externals.loky import process_executor

    collect_rarely()
    leave_stopping_to_the_run(run)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # as in the process of the command
    process_executor._MAX_MEMORY_LEAK_SIZE = _GROWTH_BYTES


def import_modules(names: Sequence[str]) -> None:
    """Import what a worker's first job will need; what fails, fails again there and is told."""
    for name in names:
        with suppress(Exception):
            import_module(name)


def start_tracker() -> None:
    """Start loky's tracker of what workers share, deaf to the end of the terminal.

    It lets Ctrl-C and SIGTERM pass by itself. Gone before the workers, it would leave their locks
    to nobody, who complains.
    """
    from joblib.externals.loky.backend import resource_tracker

    with deaf_to_hang_up():
        resource_tracker.ensure_running()


def run_job(function: Callable[..., Any], job: Any, device: Device | None) -> Any:
    """Call a function with a job, in one thread, and let only exceptions out that can travel.

    The function is called as ``function(job, device)`` where there is a device.

    Raises
    ------
    Exception
        What `function` raised; as CardioError where that does not pickle.
    """
    keep_to_one_thread()
    try:
        return function(job) if device is None else function(job, device)
    except Exception as error:
        if (machine := resource_error(error, str(getattr(job, "title", "")))) is not None:
            raise machine from None
        found = that_travels(error)
        if found is error:
            raise
        raise found from None


def that_travels(error: Exception) -> Exception:
    """Return an exception, or one that says the same where it would not survive pickling.

    One that the parent cannot rebuild would break the whole pool, and look like a worker that died.
    """
    return error if _travels(error) else CardioError(f"{type(error).__name__}: {error}")


def _travels(error: Exception) -> bool:
    """Say whether an exception survives pickling."""
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)  # noqa: S301  our own bytes
    except Exception:
        return False
