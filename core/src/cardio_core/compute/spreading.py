"""Keeping the workers of an engine busy, each with a device of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from typing import Any

from cardio_core.compute.devices import Device
from cardio_core.compute.worker import run_job
from cardio_core.errors import CardioError

Done = Callable[[Any], object]

_MEMORY = (
    "a worker died (out of memory is the usual cause){detail}; "
    "use --executor local:1 or smaller batches"
)


def spread(
    pool: Any,
    function: Callable[..., Any],
    jobs: Sequence[Any],
    slots: Sequence[Device | None],
    on_done: Done | None,
) -> list[Any]:
    """Keep every slot busy with one job until all are done."""
    results: list[Any] = [None] * len(jobs)
    free = list(reversed(slots))
    running: dict[Future[Any], tuple[int, Device | None]] = {}
    waiting = iter(range(len(jobs)))
    while True:
        while free and (number := next(waiting, None)) is not None:
            slot = free.pop()
            future = pool.submit(run_job, function, jobs[number], slot)
            running[future] = (number, slot)
        if not running:
            return results
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            number, slot = running.pop(future)
            results[number] = future.result()
            free.append(slot)
            if on_done is not None:
                on_done(results[number])


def explain(error: BaseException) -> None:
    """Raise a CardioError for the exceptions with which an engine reports a dead worker."""
    kind = type(error).__name__
    if isinstance(error, CancelledError):
        raise CardioError(
            "the connection to the Dask cluster was lost; check its scheduler"
        ) from error
    # Named rather than caught: importing either package only to compare types would be slow.
    if kind in ("TerminatedWorkerError", "KilledWorker"):
        codes = re.search(r"\{.*\}", str(error))
        detail = f": exit code {codes[0].strip('{}')}" if codes else ""
        raise CardioError(_MEMORY.format(detail=detail)) from error
    if isinstance(error, MemoryError):
        raise CardioError(_MEMORY.format(detail="")) from error
