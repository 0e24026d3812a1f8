"""What runs inside a worker process."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from typing import Any

from cardio_core.compute.devices import Device
from cardio_core.compute.lacking import lacking
from cardio_core.compute.stopping import deaf_to_hang_up, leave_stopping_to_the_run
from cardio_core.compute.threads import keep_to_one_thread
from cardio_core.errors import CardioError

_GROWTH_BYTES = 4 * 2**30


def begin_worker(run: int) -> None:
    """Let a worker of loky load what it needs and stay, for as long as its run's process is there.

    Where psutil is installed, loky replaces a worker that grew by 300 MB since its first job. That
    much torch takes alone, and its import, again, most of the time of a small run.
    """
    from joblib.externals.loky import process_executor

    leave_stopping_to_the_run(run)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # as in the process of the command
    process_executor._MAX_MEMORY_LEAK_SIZE = _GROWTH_BYTES


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
        if (machine := lacking(error, str(getattr(job, "title", "")))) is not None:
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
