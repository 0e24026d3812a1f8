"""Where a stored time comes from: command, day, code and machine."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def origin(command: str) -> dict[str, Any]:
    """Return what stands beside every stored time.

    Parameters
    ----------
    command : str
        As a user types it, from the root of the repository.
    """
    return {
        "command": command,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": _commit(),
        "machine": machine(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def machine() -> str:
    """Return the processor, its number of cores and Python's version."""
    return (
        f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor() or platform.machine()


def _commit() -> str:
    """Return the commit, and say so where sources differ from it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--exclude=*", "--dirty= and changes"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip() or "unknown"
