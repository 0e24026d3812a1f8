"""One thread in every process that computes: cores are used by running several processes.

With several threads a library adds in another order, and a network that was trained for a while
then scores otherwise; and threads that wait for each other by spinning cost a busy machine many
times what they gain. So no number depends on how many cores a machine has, or on who else uses it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

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
