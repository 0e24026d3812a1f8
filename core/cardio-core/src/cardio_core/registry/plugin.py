"""One opened plugin: which of its functions answers a hook, and the call."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pluggy

import cardio_core.hookspecs as hookspecs
from cardio_core.errors import PluginError
from cardio_core.registry.source import locate
from cardio_core.types.info import PluginInfo, Task

# References of the form ``"package.module:attribute"``, and names that are nearly right.


def resolve(reference: str) -> Any:
    """Import ``"package.module:attribute"``.

    Raises
    ------
    PluginError
        If the module or the attribute does not exist.
    """
    module_name, _, attribute = reference.partition(":")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise PluginError(
            f"cannot find {reference!r} named by a plugin: {error}; mend the name"
        ) from error


def hint(name: str, known: Iterable[str]) -> str:
    """Return ``"did you mean 'train'? "`` for a name that is nearly one of the known, else ""."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]!r}? " if near else ""


@dataclass(frozen=True)
class Plugin:
    """One opened plugin: what it says of itself, its module and the hooks, defaults included."""

    info: PluginInfo
    module: ModuleType
    manager: pluggy.PluginManager
    distribution: str
    version: str

    @property
    def package(self) -> str:
        """The package that all of its code is in."""
        return self.module.__name__.partition(".")[0]

    def implements(self, hook: str, task: Task) -> bool:
        """Whether the plugin itself, not the core's defaults, implements a hook for a task."""
        return self._in_module(hook) or self._in_folder(hook, task)

    def function(self, hook: str, task: Task) -> Any:
        """Return the plugin's own function for a hook; None where the core's default answers."""
        if self._in_module(hook):
            return getattr(self.module, hook)
        return resolve(f"{task.folder}.{hook}:{hook}") if self._in_folder(hook, task) else None

    def sheet(self, task: Task) -> Callable[..., Any] | None:
        """Return what draws a recording's sheet for a task; None where the core's own does.

        The function takes what `hookspecs.sheet` has by keyword, and passes on what the plugin's
        own one asks for.

        Raises
        ------
        PluginError
            If the file cannot be imported or lacks the function.
        """
        if not self._in_folder(hookspecs.SHEET, task):
            return None
        function = resolve(f"{task.folder}.{hookspecs.SHEET}:{hookspecs.SHEET}")
        taken = inspect.signature(function).parameters.values()
        names = {item.name for item in taken}
        everything = any(item.kind is item.VAR_KEYWORD for item in taken)

        def draw(**arguments: Any) -> Any:
            return function(**{k: v for k, v in arguments.items() if everything or k in names})

        return draw

    def call(self, hook: str, task: Task, **arguments: Any) -> Any:
        """Call the plugin's hook for a task, or the core's default where the plugin has none.

        The plugin module's own implementation comes before the file in the task's folder. A
        plugin's hook that returns None returns None here: pluggy would fall through to the default
        silently.

        Raises
        ------
        PluginError
            If the file cannot be imported, lacks the function, or the function takes an argument
            that the hook does not have.
        """
        chosen: Any = None
        if self._in_module(hook):
            chosen = self.module
        elif self._in_folder(hook, task):
            chosen = self._registered(hook, task.folder)
        others = [
            plugin
            for plugin in self.manager.get_plugins()
            if plugin is not chosen
            and (chosen is not None or plugin is self.module or isinstance(plugin, _HookOfFolder))
        ]
        return self.manager.subset_hook_caller(hook, others)(**arguments)

    def _in_module(self, hook: str) -> bool:
        return self.manager.parse_hookimpl_opts(self.module, hook) is not None

    def _in_folder(self, hook: str, task: Task) -> bool:
        return bool(task.folder) and locate(f"{task.folder}.{hook}") is not None

    def _registered(self, hook: str, folder: str) -> object:
        """Import the function that answers a hook and hand it to pluggy, which checks it."""
        place = f"{folder}.{hook}"
        known = self.manager.get_plugin(place)
        if known is None:
            known = _HookOfFolder(hook, resolve(f"{place}:{hook}"))
            try:
                self.manager.register(known, place)
            except pluggy.PluginValidationError as error:
                raise PluginError(
                    f"plugin {self.info.name!r} breaks the hook contract in {place}: "
                    f"{' '.join(str(error).split())}; mend it there"
                ) from error
        return known


class _HookOfFolder:
    """One function of a task's folder as pluggy takes it: an object with the hook's name."""

    def __init__(self, hook: str, function: Any) -> None:
        setattr(self, hook, hookspecs.hookimpl(trylast=True)(function))
