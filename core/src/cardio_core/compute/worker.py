"""What runs inside a worker process."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from typing import Any

from cardio_core.compute.devices import Device, torch_or_none
from cardio_core.errors import CardioError


def run_job(
    function: Callable[..., Any], job: Any, device: Device | None, n_threads: int | None
) -> Any:
    """Call a function with a job, on few threads, and let only exceptions out that can travel.

    Parameters
    ----------
    function, job
        What to call, with what; ``function(job, device)`` where there is a device.
    device : Device or None
        Where the job's networks run.
    n_threads : int or None
        Most CPU threads of numerical libraries in this process; None leaves them alone.

    Raises
    ------
    Exception
        What `function` raised; as CardioError where that does not pickle.
    """
    if n_threads is not None:
        _limit_threads(n_threads, with_torch=device is not None)
    try:
        return function(job) if device is None else function(job, device)
    except Exception as error:
        if _travels(error):
            raise
        # An exception that the parent cannot rebuild would break the whole pool, and look like a
        # worker that died.
        raise CardioError(f"{type(error).__name__}: {error}") from None


def _limit_threads(n_threads: int, with_torch: bool) -> None:
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    threadpool_limits(n_threads)
    # A job with a device is about to load torch, which does not keep to the environment's number.
    torch: Any = torch_or_none() if with_torch else sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(n_threads)


def _travels(error: Exception) -> bool:
    """Say whether an exception survives pickling."""
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)  # noqa: S301  our own bytes
    except Exception:
        return False
