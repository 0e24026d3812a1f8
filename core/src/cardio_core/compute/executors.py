"""Spreading jobs over processes and machines: serial, joblib's loky, or a Dask cluster.

The engines belong to others; what is added here is the device list. A job is handed over with a
device, and the device goes to the next job when its job is done, so no two jobs compete for a GPU
unless there are more workers than devices. Every job runs in one thread, wherever it runs: no
result depends on how many workers there are.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from threading import Thread
from typing import Any, Protocol, Self

from cardio_core.compute.devices import Device, cpu_count
from cardio_core.compute.elsewhere import Check
from cardio_core.compute.inventory import memory_limit
from cardio_core.compute.lacking import lacking, without_shared_memory
from cardio_core.compute.spreading import Done, explain, spread, titled
from cardio_core.compute.threads import ENVIRONMENT, one_thread
from cardio_core.compute.worker import begin_worker, start_tracker
from cardio_core.errors import ConfigError

_BYTES_A_PROCESS = 2**30
"""What a worker needs: torch and a few recordings take half of it."""

_IDLE_S = 300
"""Workers that nobody asks for so long end: those of a run that was killed would stay for ever."""

_ENDS_WITHIN_S = 10.0


class Executor(Protocol):
    """What runs a list of jobs.

    Also a context manager; leaving it stops the workers.

    Attributes
    ----------
    remote : bool
        Whether workers may be on other machines, in other folders, with other packages.
    """

    remote: bool

    def map(
        self,
        function: Callable[..., Any],
        jobs: Sequence[Any],
        *,
        devices: Sequence[Device] | None = None,
        on_done: Done | None = None,
    ) -> list[Any]:
        """Call the function with every job and return the results in the order of the jobs.

        Parameters
        ----------
        function : callable
            Called as ``function(job)``, or ``function(job, device)`` where devices are given. Must
            pickle, as must jobs and results: it may run in another process.
        jobs : sequence
            Each is one call.
        devices : sequence of Device or None
            A job gets the device that is free first; with fewer devices than workers they are
            shared.
        on_done : callable or None
            Called in this process with each result as it arrives, in no particular order.

        Raises
        ------
        Exception
            The first exception of a job, as it is; jobs that have not finished are stopped.
        CardioError
            If a worker dies.
        """
        ...

    def requiring(self, check: Check) -> AbstractContextManager[None]:
        """Let every worker say what it lacks: those that are there now, others when they begin.

        Processes of this machine lack nothing, and are not asked.

        Parameters
        ----------
        check : callable
            Called without arguments in each worker, returns what is lacking; empty where nothing.
            Must pickle.

        Raises
        ------
        ConfigError
            If one lacks something, has several threads, or there is no worker.
        """
        ...

    def close(self) -> None:
        """Stop the workers."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...


class SerialExecutor:
    """Runs jobs one after the other in this process, all on the first device.

    Examples
    --------
    >>> SerialExecutor().map(abs, [-1, 2])
    [1, 2]
    """

    remote = False

    def map(
        self,
        function: Callable[..., Any],
        jobs: Sequence[Any],
        *,
        devices: Sequence[Device] | None = None,
        on_done: Done | None = None,
    ) -> list[Any]:
        """See `Executor.map`."""
        arguments = () if devices is None else (devices[0],)
        results = []
        with one_thread():
            for job in jobs:
                try:
                    results.append(function(job, *arguments))
                except MemoryError as error:
                    raise lacking(error, titled(job)) or error from error
                if on_done is not None:
                    on_done(results[-1])
        return results

    def requiring(self, check: Check) -> AbstractContextManager[None]:
        """Ask nobody."""
        return nullcontext()

    def close(self) -> None:
        """Do nothing: there are no workers."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class LocalExecutor(SerialExecutor):
    """Runs jobs in processes on this machine.

    Workers start with the first `map` and stay until `close`, so that heavy imports are paid once.
    One worker is no worker: its jobs run in this process, and so does a single job.

    Without `n_workers` there is one process a core, or fewer where memory is short. GPUs get one
    process each, and so do several CPU devices.

    Raises
    ------
    ConfigError
        If `n_workers` is below 1.
    """

    def __init__(self, n_workers: int | None = None) -> None:
        if n_workers is not None and n_workers < 1:
            raise ConfigError(f"--executor local:N: expected N of 1 or more, found {n_workers}")
        self.n_workers = n_workers
        self._pool: Any = None
        self._n_started = 0

    def map(
        self,
        function: Callable[..., Any],
        jobs: Sequence[Any],
        *,
        devices: Sequence[Device] | None = None,
        on_done: Done | None = None,
    ) -> list[Any]:
        """See `Executor.map`."""
        n_slots = min(self.n_workers or _processes(devices), len(jobs))
        if n_slots < 2:
            return super().map(function, jobs, devices=devices, on_done=on_done)
        slots = [None if devices is None else devices[i % len(devices)] for i in range(n_slots)]
        self._open(n_slots)
        try:
            with warnings.catch_warnings():
                # loky replaces a worker whose memory grew, and says so; no job is lost.
                warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
                return spread(self._pool, function, jobs, slots, on_done)
        except BaseException as error:
            self._kill()
            explain(error)
            raise

    def _open(self, n_workers: int) -> None:
        if self._n_started >= n_workers:
            return
        try:
            from joblib.externals.loky import ProcessPoolExecutor

            multiprocessing.get_context().Lock()  # asked first, so that no process complains, too
            self.close()
            start_tracker()
            self._start(ProcessPoolExecutor, n_workers)
        except (OSError, ImportError) as error:  # processes meet in semaphores, which lie there
            raise without_shared_memory(error) from error
        self._n_started = n_workers

    def _start(self, pool: Any, n_workers: int) -> None:
        # Read when the libraries are loaded, so it must be there before the worker's first import.
        self._pool = pool(
            max_workers=n_workers,
            env=dict(ENVIRONMENT),
            initializer=begin_worker,
            initargs=(os.getpid(),),
            timeout=_IDLE_S,
        )

    def close(self) -> None:
        """Let the workers, which have nothing to do, end; kill them where they do not."""
        if self._pool is not None:
            # Killed, they leave locks behind, of which the system complains to the user.
            ending = Thread(target=self._pool.shutdown, name="ending", daemon=True)
            ending.start()
            ending.join(_ENDS_WITHIN_S)
            if ending.is_alive():
                self._kill()
        self._pool, self._n_started = None, 0

    def _kill(self) -> None:
        """Kill the workers, whatever they do."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, kill_workers=True)
        self._pool, self._n_started = None, 0


def _processes(devices: Sequence[Device] | None) -> int:
    """Return how many processes jobs are spread over where nobody said."""
    if devices is not None and (len(devices) > 1 or devices[0].kind == "cuda"):
        return len(devices)
    memory = memory_limit()
    n_fitting = cpu_count() if memory is None else max(1, memory // _BYTES_A_PROCESS)
    return min(cpu_count(), n_fitting)


def parse_executor(text: str) -> Executor:
    """Return the executor that the command line means.

    It is ``"local"`` (one process a core, or one a GPU), ``"local:N"`` or ``"dask:ADDRESS"``.

    Raises
    ------
    ConfigError
        If it is none of these, or the cluster cannot be used.

    Examples
    --------
    >>> parse_executor("local:4").n_workers
    4
    """
    kind, _, argument = text.partition(":")
    if text == "local" or re.fullmatch(r"local:\d+", text):
        return LocalExecutor(int(argument) if argument else None)
    if kind == "dask" and argument:
        from cardio_core.compute.cluster import DaskExecutor

        return DaskExecutor(argument)
    raise ConfigError(f"--executor: expected local, local:N or dask:ADDRESS, found {text!r}")
