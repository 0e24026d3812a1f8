"""Running jobs on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Self

from cardio_core.compute.devices import Device
from cardio_core.compute.spreading import Done, explain, spread
from cardio_core.errors import ConfigError

_CONNECT_S = 10


class DaskExecutor:
    """Runs jobs on a Dask cluster, one at a time on each of its workers.

    The workers need this project installed and see the same files under the same paths. A device
    names one of the worker's own machine, so a list of one fits workers with one GPU each.

    `address` is that of the scheduler: ``"tcp://host:8786"``.

    Raises
    ------
    ConfigError
        If `distributed` is not installed or no scheduler answers.
    """

    def __init__(self, address: str) -> None:
        try:
            distributed: Any = import_module("distributed")
        except ImportError as error:
            raise ConfigError(
                f"--executor dask: needs the packages dask and distributed ({error}); "
                'pip install "./core[dask]" in the cardio checkout'
            ) from error
        try:
            self._client: Any = distributed.Client(
                address, timeout=_CONNECT_S, set_as_default=False
            )
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ConfigError(
                f"--executor dask:{address}: no Dask scheduler answers ({reason}); "
                "start one with `dask scheduler` and give its address"
            ) from error

    def map(
        self,
        function: Callable[..., Any],
        jobs: Sequence[Any],
        *,
        devices: Sequence[Device] | None = None,
        on_done: Done | None = None,
    ) -> list[Any]:
        """See `Executor.map`."""
        self._client.wait_for_workers(1)
        n_slots = len(self._client.scheduler_info(n_workers=-1)["workers"])
        pool = self._client.get_executor(pure=False)
        slots = [None if devices is None else devices[i % len(devices)] for i in range(n_slots)]
        try:
            return spread(pool, function, jobs, slots, on_done)
        except BaseException as error:
            explain(error)
            raise
        finally:
            pool.shutdown(wait=False)  # cancels what is still waiting

    def close(self) -> None:
        """Leave the cluster; it goes on running."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
