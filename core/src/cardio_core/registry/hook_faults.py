"""Hooks that would never be called, or not be called rightly: misspelt, unmarked, missing."""

from __future__ import annotations

import difflib
import inspect
import pkgutil
from collections.abc import Collection, Iterable, Iterator
from types import ModuleType

from cardio_core import hookspecs
from cardio_core.hookspecs import HOOKS, PROJECT, REQUIRED, SHEET
from cardio_core.registry.naming import hint
from cardio_core.registry.reading import Source, locate, read, required_arguments
from cardio_core.types.info import Task

IN_FOLDERS = (*HOOKS, SHEET)
"""What a file of a task's folder may answer."""

ARGUMENTS = {
    name: tuple(inspect.signature(getattr(hookspecs, name)).parameters) for name in IN_FOLDERS
}
_NEAR = 0.75
"""How much alike two names are of which one may be the other, misspelt (difflib's ratio)."""


def is_marked(function: object) -> bool:
    """Whether `hookimpl` stands above a function."""
    return hasattr(function, f"{PROJECT}_impl")


def is_implemented(hook: str, module: ModuleType, task: Task) -> bool:
    """Whether a plugin has a hook for a task: in its module, or as a file of the task's folder."""
    in_module = is_marked(getattr(module, hook, None))
    return in_module or (bool(task.folder) and locate(f"{task.folder}.{hook}") is not None)


def in_module(module: ModuleType, tasks: Collection[Task]) -> Iterator[str]:
    """Yield what is wrong with the functions of a plugin module."""
    for name, value in vars(module).items():
        if not inspect.isfunction(value):
            continue
        where = f"{module.__name__} line {value.__code__.co_firstlineno}"
        needed = [
            one.name
            for one in inspect.signature(value).parameters.values()
            if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        ]
        meant = _meant(name)
        if is_marked(value) and name in HOOKS:
            yield from _wrong_arguments(name, needed, where)
        elif is_marked(value):
            near = f"did you mean {meant!r}? " if meant else ""
            known = ", ".join(HOOKS)
            yield f"{where} marks {name!r}, which is no hook; {near}the hooks are {known}"
        elif name in HOOKS:
            yield (
                f"{where} defines {name!r} without marking it, so it would never be called; write "
                "@hookimpl above it (from cardio_core.api), or give it another name"
            )
        elif _is_misspelt(meant, needed, module, tasks):
            yield f"{where} defines {name!r}, which nothing calls; did you mean {meant!r}?"


def in_folder(folder: str, module: ModuleType, tasks: Collection[Task]) -> Iterator[str]:
    """Yield what is wrong with the files of a task's folder."""
    spec = locate(folder)
    if spec is None or spec.submodule_search_locations is None:
        yield f"Task(folder={folder!r}) is no package; make it, with a file for each hook"
        return
    for file in pkgutil.iter_modules(list(spec.submodule_search_locations)):
        source = read(f"{folder}.{file.name}")
        if source is None:
            continue
        if file.name in IN_FOLDERS:
            yield from _in_hook_file(source, file.name)
            continue
        meant = _meant(file.name, IN_FOLDERS)
        alike = {file.name, meant} & set(source.functions)
        needed = [required_arguments(source.functions[name]) for name in alike]
        if any(_is_misspelt(meant, one, module, tasks) for one in needed):
            yield (
                f"{place_of(source)} is named nearly like the hook {meant!r} and would never be "
                f"called; rename it {meant}.py, with a function {meant}"
            )


def missing(module: ModuleType, tasks: Iterable[Task]) -> Iterator[str]:
    """Yield the required hooks that are not there."""
    for task in tasks:
        absent = [hook for hook in REQUIRED if not is_implemented(hook, module, task)]
        if absent:
            where = f"folder {task.folder}" if task.folder else f"module {module.__name__}"
            what = f"def {absent[0]}({', '.join(ARGUMENTS[absent[0]])})"
            cure = f"write {absent[0]}.py there: {what}" if task.folder else f"write {what} there"
            yield f"does not implement: {', '.join(absent)} (task {task.name!r}, {where}); {cure}"


def place_of(source: Source, line: int | None = None) -> str:
    """Return ``"cardio_ppg/rhythm/load.py line 3"``."""
    path = source.name.replace(".", "/") + ("/__init__.py" if source.is_package else ".py")
    return path if line is None else f"{path} line {line}"


def _in_hook_file(source: Source, hook: str) -> Iterator[str]:
    if source.names is not None and hook not in source.names:
        yield (
            f"{place_of(source)} has no function {hook!r}; name its function so: "
            f"def {hook}({', '.join(ARGUMENTS[hook])})"
        )
        return
    name: str = hook
    home: Source | None = source
    while home and name not in home.functions and (taken := home.home_of(name)):
        name, home = taken[1], read(taken[0])
    function = home.functions.get(name) if home else None
    # A decorator may change the arguments; pluggy looks at the result when it is called.
    if home and function and not function.decorator_list:
        where = place_of(home, function.lineno)
        yield from _wrong_arguments(hook, required_arguments(function), where)


def _wrong_arguments(hook: str, needed: Iterable[str], where: str) -> Iterator[str]:
    for name in needed:
        if name not in ARGUMENTS[hook]:
            yield (
                f"{where}: {hook} asks for the argument {name!r}, which that hook does not have; "
                f"{hint(name, ARGUMENTS[hook])}it may take {', '.join(ARGUMENTS[hook])}"
            )


def _meant(name: str, known: Collection[str] = HOOKS) -> str:
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=_NEAR)), "")


def _is_misspelt(
    meant: str, needed: Collection[str], module: ModuleType, tasks: Collection[Task]
) -> bool:
    """Whether a function is a hook that is not there: a near name, and that hook's arguments.

    Both, because `features.py` and `strain.py` are good names of something else.
    """
    return bool(meant and needed and set(needed) <= set(ARGUMENTS[meant])) and not all(
        is_implemented(meant, module, task) for task in tasks
    )
