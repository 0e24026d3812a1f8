"""Running jobs on a Dask cluster."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from queue import Empty, SimpleQueue
from typing import Any, Self

from cardio_core.compute.devices import Device
from cardio_core.compute.elsewhere import Check, Named, lacking, run_there
from cardio_core.compute.installing import install_extra
from cardio_core.compute.spreading import Done, explain
from cardio_core.errors import CardioError, ConfigError

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
                f"{install_extra('dask')}"
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
                "start one with `dask scheduler` and give its address"
            ) from error

    @property
    def n_workers(self) -> int:
        """How many workers there are now."""
        return len(self._workers())

    @contextmanager
    def requiring(self, check: Check) -> Iterator[None]:
        """See `Executor.requiring`."""
        self._wait_for_first()
        for name, about in self._workers().items():
            if about["nthreads"] != 1:
                raise ConfigError(
                    f"{self._named(name)} has {about['nthreads']} threads, and a fit wants a "
                    f"process of its own; start workers with `dask worker {self._address} "
                    "--nworkers N --nthreads 1`"
                )
        named = (secrets.token_hex(8), check)
        for name, said in self._client.run(lacking, named, on_error="return").items():
            if isinstance(said, Exception):
                said = f"{said}; install cardio there as it is here"
            if said:
                raise ConfigError(f"{self._named(name)}: {said}")
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
        waiting = iter(range(len(jobs)))
        running: dict[Any, tuple[int, int]] = {}
        ended: SimpleQueue[Any] = SimpleQueue()
        kinds: Sequence[Device | None] = devices or (None,)
        ahead = _AHEAD if devices is None else 1
        places, asked = self.n_workers * ahead, time.monotonic()
        try:
            while True:
                while len(running) < places and (number := next(waiting, None)) is not None:
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
                results[number] = self._result(future)
                if on_done is not None:
                    on_done(results[number])
                if time.monotonic() - asked >= _LOOKS_S:
                    places, asked = max(1, self.n_workers) * ahead, time.monotonic()
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
        if future.status in ("lost", "cancelled"):
            raise _lost(self._address)
        return future.result()

    def _wait_for_first(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=_FIRST_S)
        except TimeoutError as error:
            raise ConfigError(
                f"--executor dask:{self._address}: no worker has joined this scheduler; start some "
                f"with `dask worker {self._address} --nworkers N --nthreads 1`"
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
    asked = import_module("dask").config.get("distributed.comm.require-encryption", None)
    if asked and not address.startswith(("tls://", "wss://")):
        raise ConfigError(
            f"--executor dask:{address}: Dask's configuration wants encrypted connections "
            "(distributed.comm.require-encryption); give the scheduler's tls:// address"
        )


def _lost(address: str) -> CardioError:
    return CardioError(
        f"--executor dask:{address}: the connection to the Dask cluster was lost; check its "
        "scheduler"
    )
