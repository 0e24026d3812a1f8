"""What this machine has to compute with, for `cardio doctor`."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from cardio_core.compute.devices import cpu_count, torch_or_none
from cardio_core.compute.installing import install_extra


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
    processor = f"{_processor_name()}, {cpu_count()} of {total} cores usable"
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


def _processor_name() -> str:
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
