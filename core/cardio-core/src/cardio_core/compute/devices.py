"""Choosing the device that networks run on, and saying why."""

from __future__ import annotations

import ast
import ctypes
import importlib.util
import os
import platform
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from cardio_core.compute.resource_errors import install_extra
from cardio_stats.errors import ConfigError

# Which build of torch is installed, told without importing it: that costs seconds.


@dataclass(frozen=True, slots=True)
class TorchBuild:
    """What torch was built for.

    Version ``"2.13.0+cpu"``; `gpus` says for which kind of GPU, ``"cuda"`` or ``"hip"``; None for a
    CPU build.
    """

    version: str
    gpus: str | None

    def may_see_a_gpu(self) -> bool:
        """Whether it is worth asking torch for GPUs: False only where it could find none."""
        return self.gpus == "hip" or (self.gpus == "cuda" and _cuda_driver_loads())


def installed_torch() -> TorchBuild | None:
    """Return the build that is installed, read from torch's own ``version.py``; None if none is."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    answer: dict[str, Any] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            answer[ast.unparse(target)] = node.value.value
    kinds = [kind for kind in ("cuda", "hip") if answer.get(kind)]
    return TorchBuild(answer["__version__"], kinds[0] if kinds else None)


def _cuda_driver_loads() -> bool:
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


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
        More devices that share a fit with this one; see `cardio_core.runner.train`. Whatever
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
        raise ConfigError(_no_such_gpu(request, found), code="device")
    return _gpu(index, request, precision)  # type: ignore[arg-type]


def device_list(
    request: str = "auto", n_devices: int = 1, precision: str = "32"
) -> tuple[Device, ...]:
    """Return the devices over which fits are spread.

    ``"cuda:INDEX"`` names one GPU and so allows one device only. On a CPU more than one device is
    that number of processes, instead of one a core. ``"auto"`` takes the GPUs there are, and says
    so where there are fewer. Where fits are fewer than devices, several share one: see
    `cardio_core.runner.train`.

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
            f"--precision 16: expected a GPU, found the CPU{because}; use --precision 32 or bf16",
            code="device",
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
            f"found {name}; use --precision 16 or 32",
            code="device",
        )
    requested = f"{request} was asked for"
    why = f"torch {torch.__version__} sees {_n_gpus()} GPU(s)" if request == "auto" else requested
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


# What this machine has to compute with, for `cardio doctor`.


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for on this machine.

    `name` is ``"processor"``, ``"memory"``, ``"torch"`` or ``"gpu"`` (once for each GPU); `remedy`
    says how to get what is missing, empty where nothing is.
    """

    name: str
    found: str
    remedy: str = ""


def describe_devices() -> list[Finding]:
    """Return what this machine offers: processor, memory, torch and GPUs.

    Works without torch: its absence is one of the findings.

    Examples
    --------
    >>> [finding.name for finding in describe_devices()][:3]
    ['processor', 'memory', 'torch']
    """
    total = os.cpu_count() or 1
    processor = f"{processor_name()}, {cpu_count()} of {total} cores usable"
    findings = [Finding("processor", processor), Finding("memory", _memory())]
    torch = torch_or_none()
    if torch is None:
        return [*findings, Finding("torch", "none", install_extra("train"))]
    findings.append(Finding("torch", str(torch.__version__)))
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    for index in range(n_gpus):
        gpu = torch.cuda.get_device_properties(index)
        found = f"cuda:{index} {gpu.name}, {gpu.total_memory / 2**30:.0f} GiB"
        findings.append(Finding("gpu", found))
    if not n_gpus:
        built = torch.version.cuda is not None or getattr(torch.version, "hip", None) is not None
        remedy = "check the driver with nvidia-smi" if built else "needs a CUDA build of torch"
        findings.append(Finding("gpu", "none", remedy))
    return findings


def processor_name() -> str:
    """Return what this machine calls its processor."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    total, limit = _total_memory(), _container_limit()
    if total is None:
        return "unknown"
    if limit is not None and limit < total:
        return f"{limit / 2**30:.1f} GiB (the container's share of {total / 2**30:.1f} GiB)"
    return f"{total / 2**30:.1f} GiB"


def memory_limit() -> int | None:
    """Return the bytes of memory that this machine or container has, None where nothing tells."""
    known = [size for size in (_total_memory(), _container_limit()) if size is not None]
    return min(known, default=None)


def _total_memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # no sysconf on Windows
        return None


def _container_limit() -> int | None:
    """Return the memory limit of cgroup v2 in bytes, or None."""
    try:
        text = Path("/sys/fs/cgroup/memory.max").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
