"""Spreading jobs over processes and machines: serial, joblib's loky, or a Dask cluster.

The engines belong to others; what is added here is the device list. A job is handed over with a
device, and the device goes to the next job when its job is done, so no two jobs compete for a GPU
unless there are more workers than devices. Every job runs in one thread, wherever it runs: no
result depends on how many workers there are.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import re
import secrets
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from importlib import import_module
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Protocol, Self

from cardio_core.compute.devices import Device, cpu_count, memory_limit
from cardio_core.compute.processes import (
    ENVIRONMENT,
    begin_worker,
    import_modules,
    one_thread,
    run_job,
    start_tracker,
)
from cardio_core.compute.resource_errors import (
    dead_worker,
    install_extra,
    is_dead_worker,
    resource_error,
    without_shared_memory,
)
from cardio_stats.errors import CardioError, ConfigError, ResourceError

# Keeping the workers of an engine busy, each with a device of its own.

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
                explain(error, [titled(jobs[item]) for item, _ in running.values()])
                raise
            running.pop(future)
            free.append(slot)
            if on_done is not None:
                on_done(results[number])


def titled(job: Any) -> str:
    """Return what a job is called, empty where it has no name that may be told."""
    return str(getattr(job, "title", ""))


def explain(error: BaseException, under_way: Sequence[str] = ()) -> None:
    """Raise a ResourceError for the exceptions with which an engine reports a dead worker.

    `under_way` are the titles of the jobs that were at work: one of them was too much.
    """
    if isinstance(error, CancelledError):
        raise CardioError(
            "the connection to the Dask cluster was lost; check its scheduler", code="network"
        ) from error
    if is_dead_worker(error):
        raise dead_worker(error, _listed(under_way)) from error
    if (machine := resource_error(error)) is not None and machine is not error:
        raise machine from error


def _listed(titles: Sequence[str]) -> str:
    named = [title for title in titles if title]
    if not named:
        return ""
    more = f" and {len(named) - _N_SHOWN} more" if len(named) > _N_SHOWN else ""
    return f", while at work on {', '.join(named[:_N_SHOWN])}{more}"


# What runs inside a worker of a cluster: on another machine, that others may use, too.

Check = Callable[[], str]
"""Returns what a worker lacks; empty where nothing."""

Named = tuple[str, Check]
"""A check, with a name that no other has."""
_ALONE = threading.Lock()
_PASSED: set[str] = set()


class NoLongerWantedError(BaseException):
    """Ends a job whose run is no more; no `except Exception` of a plugin holds it up."""


def missing_in_worker(named: Named) -> str:
    """Return what this worker lacks, and remember that it lacks nothing."""
    name, check = named
    text = "" if name in _PASSED else check()
    if not text:
        _PASSED.add(name)
    return text


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
        if text := missing_in_worker(check):
            raise ConfigError(f"--executor dask: worker {_me().address}: {text}")
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

    def start(self, modules: Sequence[str]) -> None:
        """Start the workers now and let each import these modules, while this process goes on.

        Workers that are there before a run, a cluster's, are left alone.
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
                    raise resource_error(error, titled(job)) or error from error
                if on_done is not None:
                    on_done(results[-1])
        return results

    def start(self, modules: Sequence[str]) -> None:
        """Do nothing: there are no workers."""

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

    def start(self, modules: Sequence[str]) -> None:
        """See `Executor.start`."""
        n_workers = self.n_workers or _processes(None)
        if n_workers > 1:
            with suppress(ResourceError):  # no shared memory: said where workers are needed
                self._open(n_workers)
                for _ in range(n_workers):
                    self._pool.submit(import_modules, tuple(modules))

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


def at_once(executor: Executor) -> int:
    """Return how many pieces of work are under way at a time, at most."""
    n = getattr(executor, "n_workers", 1)
    return int(n or _processes(None))


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
        return DaskExecutor(argument)
    raise ConfigError(f"--executor: expected local, local:N or dask:ADDRESS, found {text!r}")


FEW = 4
"""Fewer patients than this are read and measured sooner than processes are started."""


def executor_for(text: str, n_patients: int) -> Executor:
    """Return the executor that the command line means for the recordings of so many patients.

    Examples
    --------
    >>> [type(executor_for("local", n)).__name__ for n in (1, 100)]
    ['SerialExecutor', 'LocalExecutor']
    """
    return SerialExecutor() if text == "local" and n_patients < FEW else parse_executor(text)


# Running jobs on a Dask cluster.

_CONNECT_S = 10
_FIRST_S = 60
"""So long a cluster may be without a worker before the first job."""

_NOBODY_S = 300
"""So long it may be without one later: a scheduler of batch jobs may be starting another."""

_LOOKS_S = 1.0
_AHEAD = 2
"""Jobs a worker has at hand where they are small: it waits for none."""


class DaskExecutor:
    """Runs jobs on a Dask cluster, one at a time on each of its workers, late-comers among them.

    The workers need this project installed, in the same versions, and see the same files under the
    same paths; `requiring` has them say so. A device names one of the worker's own machine, so a
    list of one fits workers with one GPU each. A job whose worker dies is done by another.

    `address` is that of the scheduler: ``"tcp://host:8786"``.

    Raises
    ------
    ConfigError
        If `distributed` is not installed or no scheduler answers.
    """

    remote = True

    def __init__(self, address: str) -> None:
        try:
            self._distributed: Any = import_module("distributed")
        except ImportError as error:
            raise ConfigError(
                f"--executor dask: needs the packages dask and distributed ({error}); "
                f"{install_extra('dask')}",
                code="not_installed",
            ) from error
        self._address = address
        self._checks: tuple[Named, ...] = ()
        _guard_encrypted(address)
        try:
            self._client: Any = self._distributed.Client(
                address, timeout=_CONNECT_S, set_as_default=False
            )
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ConfigError(
                f"--executor dask:{address}: no Dask scheduler answers ({reason}); "
                "start one with `dask scheduler` and give its address",
                code="network",
            ) from error

    @property
    def n_workers(self) -> int:
        """How many workers there are now."""
        return len(self._workers())

    def start(self, modules: Sequence[str]) -> None:
        """Do nothing: the workers are there."""

    @contextmanager
    def requiring(self, check: Check) -> Iterator[None]:
        """See `Executor.requiring`."""
        self._wait_for_first()
        for name, about in self._workers().items():
            if about["nthreads"] != 1:
                raise ConfigError(
                    f"{self._named(name)} has {about['nthreads']} threads, and each fit needs a "
                    f"separate process; start workers with `dask worker {self._address} "
                    "--nworkers N --nthreads 1`"
                )
        named = (secrets.token_hex(8), check)
        for name, text in self._client.run(missing_in_worker, named, on_error="return").items():
            if isinstance(text, Exception):
                text = f"{text}; install cardio there as it is here"
            if text:
                raise ConfigError(f"{self._named(name)}: {text}")
        before, self._checks = self._checks, (*self._checks, named)
        try:
            yield
        finally:
            self._checks = before

    def map(
        self,
        function: Callable[..., Any],
        jobs: Sequence[Any],
        *,
        devices: Sequence[Device] | None = None,
        on_done: Done | None = None,
    ) -> list[Any]:
        """See `Executor.map`."""
        if not jobs:
            return []
        self._wait_for_first()
        results: list[Any] = [None] * len(jobs)
        waiting = deque(range(len(jobs)))
        running: dict[Any, tuple[int, int]] = {}
        ended: SimpleQueue[Any] = SimpleQueue()
        kinds: Sequence[Device | None] = devices or (None,)
        ahead = _AHEAD if devices is None else 1
        places, since = self.n_workers * ahead, time.monotonic()
        try:
            while True:
                while len(running) < places and waiting:
                    number = waiting.popleft()
                    taken = [place for _, place in running.values()]
                    place = min(range(len(kinds)), key=taken.count)
                    future = self._client.submit(
                        run_there, self._checks, function, jobs[number], kinds[place], pure=False
                    )
                    running[future] = (number, place)
                    future.add_done_callback(ended.put)
                if not running:
                    return results
                future = self._next(ended)
                number, _ = running.pop(future)
                if future.status == "lost":  # its worker died before the result was fetched
                    waiting.appendleft(number)
                    continue
                results[number] = self._result(future)
                if on_done is not None:
                    on_done(results[number])
                if time.monotonic() - since >= _LOOKS_S:
                    places, since = max(1, self.n_workers) * ahead, time.monotonic()
        except BaseException as error:
            with suppress(Exception):
                self._client.cancel(list(running), force=True)
            explain(error)
            raise

    def _next(self, ended: SimpleQueue[Any]) -> Any:
        """Wait for a job's end; a cluster without workers is waited for a while."""
        since = time.monotonic()
        while True:
            with suppress(Empty):
                return ended.get(timeout=_LOOKS_S)
            if self.n_workers:
                since = time.monotonic()
            elif time.monotonic() - since > _NOBODY_S:
                raise CardioError(
                    f"--executor dask:{self._address}: every worker has left, and none came "
                    f"within {_NOBODY_S // 60} minutes; start some with "
                    f"`dask worker {self._address} --nthreads 1`"
                )

    def _result(self, future: Any) -> Any:
        if future.status == "cancelled":
            raise _lost(self._address)
        return future.result()

    def _wait_for_first(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=_FIRST_S)
        except TimeoutError as error:
            raise ConfigError(
                f"--executor dask:{self._address}: no worker has joined this scheduler; start some "
                f"with `dask worker {self._address} --nworkers N --nthreads 1`",
                code="network",
            ) from error

    def _workers(self) -> dict[str, Any]:
        if self._client.status != "running":
            raise _lost(self._address)
        try:
            found: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, TimeoutError) as error:
            raise _lost(self._address) from error
        return found

    def _named(self, name: str) -> str:
        return f"--executor dask:{self._address}: worker {name}"

    def close(self) -> None:
        """Leave the cluster; it goes on running."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _guard_encrypted(address: str) -> None:
    """Raise where Dask would refuse to speak to an address, and complain for seconds of its own."""
    required = import_module("dask").config.get("distributed.comm.require-encryption", None)
    if required and not address.startswith(("tls://", "wss://")):
        raise ConfigError(
            f"--executor dask:{address}: Dask's configuration wants encrypted connections "
            "(distributed.comm.require-encryption); give the scheduler's tls:// address",
            code="network",
        )


def _lost(address: str) -> CardioError:
    return CardioError(
        f"--executor dask:{address}: the connection to the Dask cluster was lost; check its "
        "scheduler"
    )
