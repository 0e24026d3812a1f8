"""Code and packages by which a run's numbers came about."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from cardio_core.compute.devices import cpu_count
from cardio_core.io.hashing import package_digest
from cardio_core.registry import Plugin
from cardio_core.registry.requirements import requirements
from cardio_core.runner.manifest import git_commit

CORE = "cardio-core"

ASIDE = frozenset(
    {
        "click", "pluggy", "pydantic", "pyyaml", "matplotlib", "jinja2", "joblib", "packaging",
        "rich", "defusedxml", "safetensors", "skops",
    }
)  # fmt: skip
"""Packages that talk, draw, schedule or store: no number is computed or read by them."""


def code_of(plugin: Plugin) -> dict[str, Any]:
    """Return versions, digests of the sources and commits of the core and of a plugin."""
    return {
        "core": {
            "version": metadata.version(CORE),
            "code": package_digest("cardio_core"),
            "commit": git_commit(Path(__file__).parent),
        },
        "plugin": {
            "name": plugin.info.name,
            "version": plugin.version,
            "code": package_digest(plugin.package),
            "commit": _commit_of(plugin),
        },
    }


def versions_for(distribution: str) -> dict[str, dict[str, str]]:
    """Return the versions of what the core and a plugin's distribution require themselves.

    Returns
    -------
    dict
        ``packages`` compute or read, ``aside`` do neither. What is not installed is in neither.

    Examples
    --------
    >>> found = versions_for("cardio-core")
    >>> "numpy" in found["packages"], "click" in found["aside"]
    (True, True)
    """
    names = {one.name for name in (CORE, distribution) for one in requirements(name)} - {CORE}
    found: dict[str, dict[str, str]] = {"packages": {}, "aside": {}}
    for name in sorted(names, key=str.lower):
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        found["aside" if name.lower() in ASIDE else "packages"][name] = version
    return found


def machine() -> dict[str, Any]:
    """Return what is known of this machine that may move a number's last digits.

    Every process computes in one thread (`cardio_core.compute.threads`), whatever the machine has.
    """
    return {
        "system": platform.system(),
        "processor": _processor(),
        "cores": cpu_count(),
        "threads_a_process": int(os.environ.get("OMP_NUM_THREADS") or 1),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _commit_of(plugin: Plugin) -> str | None:
    file = plugin.module.__file__
    return git_commit(Path(file).parent) if file else None
