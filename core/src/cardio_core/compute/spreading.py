"""Keeping the workers of an engine busy, each with a device of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from typing import Any

from cardio_core.compute.devices import Device
from cardio_core.compute.lacking import dead_worker, is_dead_worker, lacking
from cardio_core.compute.worker import run_job
from cardio_core.errors import CardioError

Done = Callable[[Any], object]

_N_SHOWN = 4


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
            number, slot = running[future]
            try:
                results[number] = future.result()
            except BaseException as error:
                explain(error, [titled(jobs[one]) for one, _ in running.values()])
                raise
            running.pop(future)
            free.append(slot)
            if on_done is not None:
                on_done(results[number])


def titled(job: Any) -> str:
    """Return what a job is called, empty where it has no name that may be told."""
    return str(getattr(job, "title", ""))


def explain(error: BaseException, under_way: Sequence[str] = ()) -> None:
    """Raise a LackingError for the exceptions with which an engine reports a dead worker.

    `under_way` are the titles of the jobs that were at work: one of them was too much.
    """
    if isinstance(error, CancelledError):
        raise CardioError(
            "the connection to the Dask cluster was lost; check its scheduler"
        ) from error
    if is_dead_worker(error):
        raise dead_worker(error, _listed(under_way)) from error
    if (machine := lacking(error)) is not None and machine is not error:
        raise machine from error


def _listed(titles: Sequence[str]) -> str:
    named = [title for title in titles if title]
    if not named:
        return ""
    more = f" and {len(named) - _N_SHOWN} more" if len(named) > _N_SHOWN else ""
    return f", while at work on {', '.join(named[:_N_SHOWN])}{more}"
