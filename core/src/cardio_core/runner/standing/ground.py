"""What a run stands on, as its manifest keeps it under ``stands_on``."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from cardio_core.runner.request import RunRequest
from cardio_core.runner.setup import Setup
from cardio_core.runner.standing.versions import ASIDE, code_of, machine, versions_for

DATA = ("recordings", "labels", "table", "splits")
"""Entries that are known once the cohort is read and split."""


def ground_of(request: RunRequest, setup: Setup) -> dict[str, Any]:
    """Return all of it that is known before the data are read."""
    device = setup.devices[0]
    return {
        **code_of(setup.plugin),
        "python": platform.python_version(),
        **versions_for(setup.plugin.distribution),
        "device": {"kind": device.kind, "name": device.name, "precision": device.precision},
        "machine": machine(),
        "executor": request.executor,
    }


def ground_in(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a manifest says of it; of an older run what can be told from its versions."""
    if "stands_on" in manifest:
        return dict(manifest["stands_on"])
    packages = {
        name: version
        for name, version in manifest["packages"].items()
        if name not in ("python", "cardio-core")
    }
    device = manifest["device"]
    return {
        "core": {"version": manifest["core_version"]},
        "plugin": {"name": manifest["plugin"], "version": manifest["plugin_version"]},
        "python": manifest["packages"]["python"],
        "packages": {name: version for name, version in packages.items() if name not in ASIDE},
        "device": {
            "kind": "cpu" if device["name"] == "CPU" else "cuda",
            "name": device["name"],
            "precision": device["precision"],
        },
    }
