"""Choosing the device that networks run on, and saying why."""

from __future__ import annotations

import importlib.util
import os
import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from cardio_core.compute.installing import install_extra
from cardio_core.compute.torch_build import installed_torch
from cardio_core.errors import ConfigError

Precision = Literal["32", "bf16", "16"]


@dataclass(frozen=True, slots=True)
class Device:
    """One place where a network runs.

    Attributes
    ----------
    kind : {"cpu", "cuda"}
        What it is.
    index : int or None
        Number of the GPU; for one of several CPU workers its running number, otherwise None.
    name : str
        What a methods section would call it: ``"NVIDIA A100"``, ``"CPU"``.
    precision : {"32", "bf16", "16"}
        Arithmetic of the forward and backward pass; weights are always kept in float32.
    reason : str
        Why this device was taken, as one clause.
    others : tuple of Device
        More devices that share a fit with this one; see `cardio_core.compute.sharing`. Whatever
        else than a fit is computed uses this one alone.

    Examples
    --------
    >>> Device("cuda", 1, "NVIDIA A100", "bf16", "asked for").torch_name
    'cuda:1'
    """

    kind: Literal["cpu", "cuda"]
    index: int | None
    name: str
    precision: Precision
    reason: str
    others: tuple[Device, ...] = ()

    @property
    def torch_name(self) -> str:
        """The name that `torch.device` understands."""
        return f"cuda:{self.index or 0}" if self.kind == "cuda" else "cpu"

    def __str__(self) -> str:
        return f"{self.torch_name} ({self.name}, precision {self.precision}): {self.reason}"


def choose_device(request: str = "auto", precision: str = "32") -> Device:
    """Return the device that a request means on this machine.

    The request is ``"auto"`` (the first GPU, else the CPU), ``"cpu"``, ``"cuda"`` or
    ``"cuda:INDEX"``. Precision ``"16"`` needs a GPU: float16 on a CPU is refused. ``"bf16"`` runs
    on a CPU, usually slower than ``"32"``, and the reason says so.

    Raises
    ------
    ConfigError
        If the request is misspelt, names a GPU that is not there, or the device cannot compute in
        that precision.

    Examples
    --------
    >>> choose_device("cpu").torch_name
    'cpu'
    """
    index = _requested_index(request)
    if precision not in ("32", "bf16", "16"):
        raise ConfigError(f"--precision: expected 32, bf16 or 16, found {precision!r}")
    found = 0 if request == "cpu" else _n_gpus()
    if request == "cpu" or (request == "auto" and not found):
        return _cpu(request, precision)  # type: ignore[arg-type]
    if index >= found:
        raise ConfigError(_no_such_gpu(request, found))
    return _gpu(index, request, precision)  # type: ignore[arg-type]


def device_list(
    request: str = "auto", n_devices: int = 1, precision: str = "32"
) -> tuple[Device, ...]:
    """Return the devices over which fits are spread.

    ``"cuda:INDEX"`` names one GPU and so allows one device only. On a CPU more than one device is
    that number of processes, instead of one a core. ``"auto"`` takes the GPUs there are, and says
    so where there are fewer. Where fits are fewer than devices, several share one: see
    `cardio_core.compute.sharing`.

    Raises
    ------
    ConfigError
        As `choose_device`; also if ``"cuda"`` finds fewer GPUs than `n_devices`.

    Examples
    --------
    >>> [device.torch_name for device in device_list("cpu", 2)]
    ['cpu', 'cpu']
    """
    if n_devices < 1:
        raise ConfigError(f"--devices: expected 1 or more, found {n_devices}")
    first = choose_device(request, precision)
    if n_devices == 1:
        return (first,)
    if first.kind == "cpu":
        why = f"{first.reason}; worker {{}} of {n_devices}"
        return tuple(replace(first, index=i, reason=why.format(i + 1)) for i in range(n_devices))
    if request.startswith("cuda:"):
        raise ConfigError(
            f"--device {request} names one GPU, --devices asks for {n_devices}; use --device cuda"
        )
    found = _n_gpus()
    if request == "cuda" and found < n_devices:
        raise ConfigError(
            f"--devices {n_devices}: expected {n_devices} GPUs, found {found}; "
            f"ask for {found}, or use --device cpu"
        )
    n_taken = min(found, n_devices)
    note = f"; {n_devices} devices were asked for, {found} found" if found < n_devices else ""
    gpus = (_gpu(i, request, first.precision) for i in range(n_taken))
    return tuple(replace(gpu, reason=gpu.reason + note) for gpu in gpus)


def cpu_count() -> int:
    """Return the number of cores that this process may use (affinity and container limits)."""
    import joblib

    return max(1, int(joblib.cpu_count()))


def _requested_index(request: str) -> int:
    match = re.fullmatch(r"auto|cpu|cuda(?::(\d+))?", request)
    if match is None:
        raise ConfigError(
            f"--device: expected auto, cpu, cuda or cuda:INDEX, found {request!r}; "
            "cardio doctor lists what is here"
        )
    return int(match[1] or 0)


def torch_or_none() -> Any:
    """Return the module torch, or None where it is not installed."""
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    return torch


def _torch_with_gpus() -> Any:
    """Import torch only where it could find a GPU: a run of classical models needs none of it."""
    build = installed_torch()
    return torch_or_none() if build is not None and build.may_see_a_gpu() else None


def _n_gpus() -> int:
    torch = _torch_with_gpus()
    return torch.cuda.device_count() if torch is not None and torch.cuda.is_available() else 0


def _cpu(request: str, precision: Precision) -> Device:
    build = installed_torch()
    if build is None:
        lack = f"torch is not installed ({install_extra('train')})"
    else:
        lack = f"no CUDA device is visible to torch {build.version}"
    if precision == "16":
        because = f"; {lack}" if request == "auto" else ""
        raise ConfigError(
            f"--precision 16: expected a GPU, found the CPU{because}; use --precision 32 or bf16"
        )
    why = f"{lack}, so the CPU" if request == "auto" else "the CPU was asked for"
    cores = cpu_count()
    reason = f"{why} ({cores} core{'s' if cores > 1 else ''}, one thread a process)"
    if precision == "bf16":
        reason += "; bf16 on a CPU is usually slower than 32"
    return Device("cpu", None, "CPU", precision, reason)


def _gpu(index: int, request: str, precision: Precision) -> Device:
    torch = torch_or_none()
    name = torch.cuda.get_device_name(index)
    major = torch.cuda.get_device_capability(index)[0]
    # Tensor cores compute in bfloat16 from compute capability 8.0 on; below, torch emulates it.
    if precision == "bf16" and torch.version.cuda and major < 8:
        raise ConfigError(
            f"--precision bf16: expected a GPU of compute capability 8.0 or more, "
            f"found {name}; use --precision 16 or 32"
        )
    asked = f"{request} was asked for"
    why = f"torch {torch.__version__} sees {_n_gpus()} GPU(s)" if request == "auto" else asked
    return Device("cuda", index, name, precision, f"{why}, so cuda:{index}")


def _no_such_gpu(request: str, found: int) -> str:
    build = installed_torch()
    expected = f"--device {request}: expected a GPU, found none"
    if build is None:
        return f"{expected}: torch is not installed; {install_extra('train')}, or use --device cpu"
    if found:
        known = "cuda:0 only" if found == 1 else f"cuda:0 to cuda:{found - 1}"
        return f"--device {request}: expected that GPU, found {known}; use one of those"
    if build.gpus is None:
        return (
            f"{expected}: torch {build.version} was built without CUDA; "
            "install a CUDA build of torch, or use --device cpu"
        )
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    hint = "" if visible is None else f" (CUDA_VISIBLE_DEVICES is {visible!r})"
    return (
        f"{expected}: torch {build.version} sees none{hint}; "
        "check the driver with nvidia-smi, or use --device cpu"
    )
