"""Plugins by their entry points: the list of all, and the opening of one."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from types import ModuleType

import pluggy

from cardio_core import hookspecs
from cardio_core.errors import CardioError, ConfigError, PluginError
from cardio_core.registry.naming import module_exists
from cardio_core.registry.plugin import Plugin
from cardio_core.types.info import PluginInfo, Task

GROUP = "cardio.plugins"


@dataclass(frozen=True)
class Found:
    """An installed plugin, whether it can be opened or not.

    Attributes
    ----------
    name, distribution, version : str
        Entry-point name, and the distribution that brings it.
    info : PluginInfo or None
        What it says of itself; None if it cannot be opened.
    reason : str
        Why it cannot be opened; empty if it can.
    """

    name: str
    distribution: str
    version: str
    info: PluginInfo | None
    reason: str = ""


def entry_points() -> list[metadata.EntryPoint]:
    """Return the entry points of installed plugins, one a name, allow-listed and sorted by name.

    ``CARDIO_PLUGINS`` (names, comma-separated) is the allow-list; unset, all are allowed.
    """
    allowed = os.environ.get("CARDIO_PLUGINS")
    names = None if allowed is None else {name.strip() for name in allowed.split(",")}
    found = {point.name: point for point in metadata.entry_points(group=GROUP)}
    return [found[name] for name in sorted(found) if names is None or name in names]


def list_plugins() -> Iterator[Found]:
    """Yield every installed plugin; a broken one with its reason, never an exception."""
    for point in entry_points():
        distribution, version = _origin(point)
        try:
            info: PluginInfo | None = _plugin_module(point)[1]
            reason = ""
        except CardioError as error:
            info, reason = None, str(error)
        yield Found(point.name, distribution, version, info, reason)


def require_installed(name: str) -> metadata.EntryPoint:
    """Return the entry point of a plugin without importing it.

    Raises
    ------
    ConfigError
        If no such plugin is installed; suggests the nearest name.
    """
    points = {point.name: point for point in entry_points()}
    if name not in points:
        raise ConfigError(_not_found(name, list(points)))
    return points[name]


def open_plugin(name: str, *, defaults: ModuleType | None = None) -> Plugin:
    """Open one plugin with a fresh plugin manager.

    Parameters
    ----------
    name : str
        Entry-point name, ``"ecg_transfer"``.
    defaults : module, optional
        The core's default hooks, which stand behind the plugin's.

    Returns
    -------
    Plugin

    Raises
    ------
    ConfigError
        If no such plugin is installed; suggests the nearest name.
    PluginError
        If it cannot be imported, was written for another API, misspells a hook or an argument,
        or lacks a required hook.
    """
    point = require_installed(name)
    module, info = _plugin_module(point)
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    if defaults is not None:
        manager.register(defaults, "cardio_core defaults")
    try:
        manager.register(module, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(
            f"plugin {name!r} breaks the hook contract: {_one_line(error)}"
        ) from error
    plugin = Plugin(info, module, manager, *_origin(point))
    _require_hooks(plugin)
    return plugin


def _plugin_module(point: metadata.EntryPoint) -> tuple[ModuleType, PluginInfo]:
    where = f"plugin {point.name!r} ({_origin(point)[0]})"
    try:
        module = point.load()
    except Exception as error:  # a stranger's import may raise anything
        raise PluginError(
            f"{where} cannot be imported: {type(error).__name__}: {_one_line(error)}"
        ) from error
    info = getattr(module, "INFO", None)
    if not isinstance(info, PluginInfo):
        raise PluginError(f"{where} has no constant INFO of type PluginInfo in {point.value}")
    core = hookspecs.API_VERSION
    if info.api[0] != core[0] or info.api[1] > core[1]:
        older = f"cardio-core (API {core[0]}.{core[1]})"
        upgrade = older if info.api > core else f"{_origin(point)[0]} (API {_dotted(info.api)})"
        raise PluginError(
            f"{where} was written for API {_dotted(info.api)}, this core offers {_dotted(core)}; "
            f"upgrade {upgrade}"
        )
    return module, _completed(info, module.__name__.partition(".")[0])


def _completed(info: PluginInfo, package: str) -> PluginInfo:
    """Fill in what INFO leaves to convention: the usual places in the plugin's package."""
    return replace(
        info,
        tasks=tuple(_with_config(task) for task in info.tasks),
        default_task=info.default_task or info.tasks[0].name,
        config=info.config or "cardio_core.config:RunConfig",
        configs=info.configs or f"{package}.configs",
        synthesize=info.synthesize or f"{package}.synthetic:synthesize",
    )


def _with_config(task: Task) -> Task:
    """Return a task with the configuration of its folder, where it has one of its own."""
    if task.config or not task.folder or not module_exists(f"{task.folder}.config"):
        return task
    return replace(task, config=f"{task.folder}.config:Config")


def _require_hooks(plugin: Plugin) -> None:
    for task in plugin.info.tasks:
        missing = [hook for hook in hookspecs.REQUIRED if not plugin.implements(hook, task)]
        if missing:
            where = f"task {task.name!r}, folder {task.folder}" if task.folder else "its module"
            raise PluginError(
                f"plugin {plugin.info.name!r} does not implement: {', '.join(missing)} ({where})"
            )


def _not_found(name: str, installed: list[str]) -> str:
    near = difflib.get_close_matches(name, installed, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    have = ", ".join(installed) or "none"
    return (
        f"no plugin {name!r} is installed; {hint}installed: {have}. "
        "Install one from its folder or wheel: pip install ./plugins/NAME"
    )


def _origin(point: metadata.EntryPoint) -> tuple[str, str]:
    distribution = point.dist
    return (distribution.name, distribution.version) if distribution else (point.value, "?")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
