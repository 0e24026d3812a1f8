"""What runs inside a worker process."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from typing import Any

from cardio_core.compute.devices import Device
from cardio_core.errors import CardioError


def run_job(
    function: Callable[..., Any], job: Any, device: Device | None, n_threads: int | None
) -> Any:
    """Call a function with a job, on few threads, and let only exceptions out that can travel.

    The function is called as ``function(job, device)`` where there is a device. `n_threads` is the
    most CPU threads of numerical libraries in this process; None leaves them alone.

    Raises
    ------
    Exception
        What `function` raised; as CardioError where that does not pickle.
    """
    if n_threads is not None:
        _limit_threads(n_threads)
    try:
        return function(job) if device is None else function(job, device)
    except Exception as error:
        if _travels(error):
            raise
        # An exception that the parent cannot rebuild would break the whole pool, and look like a
        # worker that died.
        raise CardioError(f"{type(error).__name__}: {error}") from None


def _limit_threads(n_threads: int) -> None:
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    threadpool_limits(n_threads)
    # Torch does not keep to the environment's number, and a job of a classical model needs no torch
    # that it could be told: whoever imports it first tells it.
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(n_threads)
        return
    told = next((one for one in sys.meta_path if isinstance(one, _TellTorch)), None)
    if told is None:
        told = _TellTorch()
        sys.meta_path.insert(0, told)
    told.n_threads = n_threads


class _TellTorch(MetaPathFinder):
    """Limits torch's threads at the moment of its import, not when somebody only looks for it."""

    n_threads = 1
    asking = False

    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
        if name != "torch" or self.asking:
            return None
        self.asking = True
        spec = find_spec(name)
        self.asking = False
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_tell(module: Any) -> None:
                load(module)
                module.set_num_threads(self.n_threads)

            spec.loader.exec_module = load_and_tell  # type: ignore[method-assign]
        return spec


def _travels(error: Exception) -> bool:
    """Say whether an exception survives pickling."""
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)  # noqa: S301  our own bytes
    except Exception:
        return False
