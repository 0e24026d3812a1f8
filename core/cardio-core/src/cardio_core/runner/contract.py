"""What `cardio plugins check` found of a plugin, kept by the digest of the plugin's code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from cardio_core.io.hashing import package_digest
from cardio_core.io.store import cache_dir, open_cache
from cardio_core.registry import Plugin
from cardio_core.runner.manifest import now
from cardio_stats.errors import DataError
from cardio_stats.files import SafeName, read_json, write_json

CORE = "cardio-core"


def keep_verdict(plugin: Plugin, tasks: Iterable[str], *, passed: bool) -> None:
    """Keep in the cache whether a plugin with the code that it has now passes, task by task."""
    file = _file(open_cache(), plugin)
    state = "passed" if passed else "failed"
    known = _stored(file)
    write_json(file, known | {task: {"state": state, "date": now()} for task in tasks})


def contract_of(plugin: Plugin, task: str) -> dict[str, Any]:
    """Return the manifest's entry: state, date of the check and digest of the plugin's code.

    A plugin whose code has changed since it was checked, or that another core checked, is
    ``"not run"``.
    """
    found = _stored(_file(cache_dir(), plugin)).get(task, {})
    return {"state": found.get("state", "not run"), "date": found.get("date", ""),
            "code": package_digest(plugin.package)}  # fmt: skip


def is_shipped(plugin: Plugin) -> bool:
    """Return whether a plugin is this project's, whose tests hold it to the contract."""
    names = (CORE, plugin.distribution)
    core, theirs = (metadata.metadata(name).json.get("author") for name in names)
    return bool(theirs) and core == theirs


def contract_lines(plugin: Plugin, task: str) -> Iterator[str]:
    """Yield the line in which `cardio run` names the state of a plugin that is not shipped."""
    if is_shipped(plugin):
        return
    entry = contract_of(plugin, task)
    passed = entry["state"] == "passed"
    cure = "" if passed else f"; check it with cardio plugins check {plugin.info.name}"
    yield f"Plugin contract: {entry['state']} (digest of its code {entry['code'][:12]}){cure}."


def _file(cache: Path, plugin: Plugin) -> Path:
    versions = f"{metadata.version(CORE)}-{package_digest(plugin.package)[:32]}"
    return cache / "contracts" / SafeName(f"{plugin.info.name}-{versions}", ".json")


def _stored(file: Path) -> dict[str, Any]:
    try:
        found = read_json(file)
    except (OSError, DataError):
        return {}
    return found if isinstance(found, dict) else {}
