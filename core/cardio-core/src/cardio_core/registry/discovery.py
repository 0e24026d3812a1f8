"""Plugins by their entry points: the list of all, and the opening of one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

import cardio_core.hookspecs as hookspecs
from cardio_core.errors import CardioError, ConfigError, PluginError
from cardio_core.registry.diagnostics import faults, how_to_get, misfit, misnamed_module
from cardio_core.registry.plugin import Plugin, hint, resolve
from cardio_core.registry.source import locate, read
from cardio_core.types.info import PluginInfo, Task

GROUP = "cardio.plugins"


@dataclass(frozen=True)
class Found:
    """An installed plugin, whether it can be opened or not.

    Attributes
    ----------
    name, distribution, version : str
        Entry-point name, and the distribution that brings it; all of them, with commas, where
        several do.
    info : PluginInfo or None
        What it says of itself; None if it cannot be opened.
    reason : str
        Why it cannot be opened and what to do, in one line; empty if it can.
    more : tuple of str
        What else is wrong with it.
    """

    name: str
    distribution: str
    version: str
    info: PluginInfo | None
    reason: str = ""
    more: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {
            "name": self.name,
            "distribution": self.distribution,
            "version": self.version,
            "title": self.info.title if self.info else None,
            "tasks": [task.name for task in self.info.tasks] if self.info else [],
            "broken": self.reason or None,
            "more": list(self.more),
        }


def entry_points() -> dict[str, list[metadata.EntryPoint]]:
    """Return the entry points of installed plugins by name, sorted; more than one is one too many.

    ``CARDIO_PLUGINS`` (names, comma-separated) is the allow-list; unset, all are allowed.
    """
    allowed = os.environ.get("CARDIO_PLUGINS")
    names = None if allowed is None else {name.strip() for name in allowed.split(",")}
    found: dict[str, list[metadata.EntryPoint]] = {}
    for point in _installed(tuple((place, _changed(place)) for place in sys.path)):
        if names is None or point.name in names:
            found.setdefault(point.name, []).append(point)
    return found


def list_plugins() -> Iterator[Found]:
    """Yield every installed plugin; a broken one with its reason, never an exception."""
    for name, points in entry_points().items():
        origins = sorted({_origin(point) for point in points})
        distribution, version = (", ".join(part) for part in zip(*origins, strict=True))
        try:
            module, info = _plugin_module(_only(points))
            first, *more = _faults(points[0], module) or [""]
            reason = first and f"{_where(points[0])}: {first}"
        except CardioError as error:
            info, reason, more = None, str(error), []
        yield Found(name, distribution, version, None if reason else info, reason, tuple(more))


def lent(tool: str) -> Iterator[tuple[str, Any]]:
    """Yield the entries of the lists that plugins lend by `PluginInfo.tools`, with their plugin.

    A plugin that cannot be opened lends nothing.
    """
    for plugin in list_plugins():
        if plugin.info is not None and tool in plugin.info.tools:
            for entry in resolve(plugin.info.tools[tool])():
                yield plugin.name, entry


def require_installed(name: str) -> metadata.EntryPoint:
    """Return the entry point of a plugin without importing it.

    Raises
    ------
    ConfigError
        If no such plugin is installed; suggests the nearest name.
    PluginError
        If two distributions bring one of that name.
    """
    points = entry_points()
    if name not in points:
        raise ConfigError(_not_found(name, list(points)))
    return _only(points[name])


def open_plugin(name: str, *, defaults: ModuleType | None = None, imports: bool = True) -> Plugin:
    """Open one plugin with a fresh plugin manager.

    The core's default hooks, where `defaults` names their module, stand behind the plugin's. With
    `imports`, all of its source is read for imports that would fail, which takes longer than
    everything else here.

    Raises
    ------
    ConfigError
        If no such plugin is installed; suggests the nearest name.
    PluginError
        If it cannot be imported, requires another cardio-core, or has a fault that
        `cardio plugins list` shows: a misspelt or missing hook, an argument that a hook does not
        have, a name that leads nowhere, a package that is not installed.
    """
    point = require_installed(name)
    module, info = _plugin_module(point)
    for fault in _faults(point, module, imports):
        raise PluginError(f"{_where(point)}: {fault}")
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    if defaults is not None:
        manager.register(defaults, "cardio_core defaults")
    manager.register(module, name)
    return Plugin(info, module, manager, *_origin(point))


@lru_cache(maxsize=1)
def _installed(places: tuple[tuple[str, int], ...]) -> tuple[metadata.EntryPoint, ...]:
    """Return all entry points, sorted; looked for again when a folder of ``sys.path`` changed.

    A worker opens its plugin for every patient, and the search reads a file of each package.
    """
    return tuple(sorted(metadata.entry_points(group=GROUP), key=lambda point: point.name))


def _changed(place: str) -> int:
    """Return when something was last installed into a folder, or removed; 0 where there is none."""
    try:
        return Path(place or os.curdir).stat().st_mtime_ns
    except OSError:
        return 0


def _only(points: list[metadata.EntryPoint]) -> metadata.EntryPoint:
    if len(points) > 1:
        origins = sorted(" ".join(_origin(point)) for point in points)
        raise PluginError(
            f"plugin {points[0].name!r} is brought by two distributions, {' and '.join(origins)}; "
            f"neither is run: uninstall one, pip uninstall {origins[-1].split()[0]}"
        )
    return points[0]


def _plugin_module(point: metadata.EntryPoint) -> tuple[ModuleType, PluginInfo]:
    """Import a plugin module, if it fits this core; return it with its INFO, completed."""
    if point.dist and (unfit := misfit(point.dist)):
        raise PluginError(f"{_where(point)} {unfit}")
    try:
        module = point.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a stranger's import may raise anything, an exit among it
        why = isinstance(error, ModuleNotFoundError) and misnamed_module(point)
        raise PluginError(
            f"{_where(point)} cannot be imported: {why or _why(error, point.name)}"
        ) from error
    info = getattr(module, "INFO", None)
    if not isinstance(info, PluginInfo):
        raise PluginError(
            f"{_where(point)} has no constant INFO of type PluginInfo in {point.value}; write one, "
            "as docs/writing_a_plugin.md shows"
        )
    try:
        return module, _completed(info, module.__name__.partition(".")[0])
    except (TypeError, AttributeError, IndexError) as error:
        raise PluginError(
            f"{_where(point)} has an INFO of wrong types: {_why(error, point.name)}"
        ) from error


@cache
def _faults(point: metadata.EntryPoint, module: ModuleType, imports: bool = True) -> list[str]:
    """Return what is wrong with an imported plugin; looked for once in a process."""
    info = _completed(module.INFO, module.__name__.partition(".")[0])
    found = faults(module, info, _origin(point)[0], imports=imports)
    if info.name == point.name:
        return found
    return [f"INFO.name is {info.name!r}, its entry point {point.name!r}; make them equal", *found]


def _completed(info: PluginInfo, package: str) -> PluginInfo:
    """Fill in what INFO leaves to convention: the usual places in the plugin's package."""
    return replace(
        info,
        tasks=tuple(_with_config(task, info.config) for task in info.tasks),
        default_task=info.default_task or info.tasks[0].name,
        config=info.config or "cardio_core.config:RunConfig",
        configs=info.configs or f"{package}.configs",
        synthesize=info.synthesize or f"{package}.synthetic:synthesize",
    )


def _with_config(task: Task, otherwise: str) -> Task:
    """Return a task with the configuration of its folder, where it has one of its own."""
    name = f"{task.folder}.config"
    if task.config or not task.folder or locate(name) is None:
        return task
    source = read(name) if otherwise else None
    if source and source.names is not None and "Config" not in source.names:
        return task
    return replace(task, config=f"{name}:Config")


def _not_found(name: str, installed: list[str]) -> str:
    have = ", ".join(installed) or "none"
    return (
        f"no plugin {name!r} is installed; {hint(name, installed)}installed: {have}; "
        f"{how_to_get(name, GROUP)}"
    )


def _origin(point: metadata.EntryPoint) -> tuple[str, str]:
    distribution = point.dist
    return (distribution.name, distribution.version) if distribution else (point.value, "?")


def _where(point: metadata.EntryPoint) -> str:
    return f"plugin {point.name!r} ({_origin(point)[0]})"


def _why(error: BaseException, name: str) -> str:
    """Return what an import raised, in one line, and what to do."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"{text}; install {error.name.partition('.')[0]}, or the plugin again with it"
    return f"{text}; cardio --debug plugins info {name} shows where"
