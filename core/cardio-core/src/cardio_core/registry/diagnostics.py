"""Entry points that lead nowhere: in a group of another name, or to a module that is not there."""

from __future__ import annotations

import difflib
import inspect
import pkgutil
import sys
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import cardio_core.api as api
import cardio_core.hookspecs as hookspecs
from cardio_core.hookspecs import BY_ESTIMATOR, HOOKS, PROJECT, REQUIRED, SHEET
from cardio_core.registry.plugin import hint
from cardio_core.registry.source import Source, locate, read, required_arguments
from cardio_core.types.info import PluginInfo, Task


def how_to_get(name: str, group: str) -> str:
    """Return what to do about a plugin that is not installed under this name.

    Parameters
    ----------
    name : str
        As it was asked for.
    group : str
        Where plugins have their entry points.

    Examples
    --------
    >>> how_to_get("nobody_has_this", "cardio.plugins")
    'install it from its folder or wheel: pip install FOLDER'
    """
    for point in metadata.entry_points(name=name):
        if point.group != group and difflib.get_close_matches(point.group, [group], cutoff=0.8):
            whose = point.dist.name if point.dist else point.value
            return (
                f"{whose} has an entry point of this name in the group {point.group!r}; write "
                f'[project.entry-points."{group}"] in its pyproject.toml and install it again'
            )
    ours = Path("plugins", name).is_dir()
    where = f"./plugins/{name}" if ours else "FOLDER"
    return f"install it from its folder or wheel: pip install {where}"


def misnamed_module(point: metadata.EntryPoint) -> str:
    """Say that an entry point names a module that its package does not have; else empty."""
    top, _, rest = point.module.partition(".")
    package = locate(top)
    if not rest or package is None or locate(point.module) is not None:
        return ""
    inside = package.submodule_search_locations or ()
    have = sorted(item.name for item in pkgutil.iter_modules(inside))
    near = hint(rest, have)
    has = f"whose modules are {', '.join(have[:8])}" if have else "which has none"
    return (
        f"its entry point in pyproject.toml names the module {point.module}, which is not in "
        f"{top}, {has}; {near}correct the name and install it again"
    )


# Hooks that would never be called, or not be called rightly: misspelt, unmarked, missing.

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
            parameter.name
            for parameter in inspect.signature(value).parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
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
        if any(_is_misspelt(meant, item, module, tasks) for item in needed):
            yield (
                f"{place_of(source)} is named nearly like the hook {meant!r} and would never be "
                f"called; rename it {meant}.py, with a function {meant}"
            )


def missing(module: ModuleType, tasks: Iterable[Task]) -> Iterator[str]:
    """Yield the required hooks that are not there."""
    for task in tasks:
        fitted = [model for model in task.models if not model.core_owned]
        needless = BY_ESTIMATOR if fitted and all(m.estimator for m in fitted) else ()
        absent = [
            hook
            for hook in REQUIRED
            if hook not in needless and not is_implemented(hook, module, task)
        ]
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


# Names that lead nowhere: references of INFO, and imports that would fail when they are made.


def in_references(named: dict[str, str]) -> Iterator[str]:
    """Yield each ``"package.module:attribute"`` that does not exist; `named` says who names it."""
    for who, reference in named.items():
        module, _, name = reference.partition(":")
        source = read(module)
        if locate(module) is None:
            lack = f"there is no module {module}; "
        elif source and source.names is not None and name not in source.names:
            lack = f"{place_of(source)} has no {name!r}; {hint(name, source.names)}"
        else:
            continue
        yield f"{who} names {reference!r}, but {lack}write it, or mend the name"


def in_configs(package: str) -> Iterator[str]:
    """Yield what is wrong with the package that holds the configurations."""
    spec = locate(package)
    places = spec.submodule_search_locations or [] if spec else []
    if not any((Path(place) / "default.yaml").is_file() for place in places):
        yield (
            f"there is no default.yaml in the package {package}; write it, and list it under "
            "[tool.setuptools.package-data]"
        )


def in_imports(roots: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield imports that would fail, in these modules and those of the plugin that they import.

    A root is a module that will be imported, and the function in it that will be called, or "".
    """
    todo, seen = list(roots), set()
    others: dict[str, bool] = {"cardio_core": True}
    while todo:
        root = todo.pop()
        source = read(root[0]) if root not in seen else None
        seen.add(root)
        if source is None:
            continue
        own = source.name.partition(".")[0]
        for line, module, name in source.imported_with_it(root[1]):
            top = module.partition(".")[0]
            problem = None
            if top == own:
                parts = module.split(".")
                todo += [(".".join(parts[: n + 1]), "") for n in range(len(parts))]
                todo.append((f"{module}.{name}", ""))
                problem = _own_problem(module, name)
            elif module == api.__name__ and name not in ("", "*", *dir(api)):
                problem = (
                    f"imports {name!r}, which {module} does not offer; {hint(name, dir(api))}"
                    "docs/writing_a_plugin.md lists what it does"
                )
            elif top not in sys.stdlib_module_names:
                if top not in others:
                    others[top] = locate(top) is not None
                if not others[top]:
                    problem = (
                        f"imports {top}, which is not installed; install it, or the plugin again "
                        "with it"
                    )
            if problem:
                yield f"{place_of(source, line)} {problem}"


def _own_problem(module: str, name: str) -> str | None:
    """Say why importing a name from a module of the plugin would fail; None if it will not."""
    if locate(module) is None:
        return f"imports {module}, which does not exist; mend the name"
    source = read(module) if name not in ("", "*") else None
    if source is None or source.names is None or name in source.names or locate(f"{module}.{name}"):
        return None
    near = hint(name, source.names)
    return f"imports {name!r}, which {place_of(source)} does not define; {near}mend the name"


# What a distribution requires of this environment, and what of it is not here.

CORE = "cardio-core"


def requirements(distribution: str, extras: Collection[str] = ()) -> Iterator[Requirement]:
    """Yield what a distribution requires here, with what the extras of others bring.

    Parameters
    ----------
    distribution : str
        Its name; one that is not installed requires nothing.
    extras : collection of str
        Instead of what it always requires, what these extras of it add.

    Examples
    --------
    >>> [item.name for item in requirements("cardio-core", ["parquet"])]
    ['pyarrow']
    """
    try:
        lines = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return
    for line in lines:
        item = Requirement(line)
        always = item.marker is None or item.marker.evaluate({"extra": ""})
        added = [e for e in extras if item.marker and item.marker.evaluate({"extra": e})]
        if (added and not always) if extras else always:
            yield item
            if item.extras:
                yield from requirements(item.name, item.extras)


def extras_of(distribution: str) -> list[str]:
    """Return the names of the extras that a distribution offers."""
    return metadata.metadata(distribution).get_all("Provides-Extra") or []


def is_installed(distribution: str) -> bool:
    """Whether there is any version of a distribution."""
    return bool(_version(distribution))


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


version_at_start = cache(_version)
"""The version of a distribution when it was first asked for; empty where it is not installed.

What a process has imported stays as it is, and reading its metadata again takes milliseconds.
"""


def unmet(requirement: Requirement) -> str | None:
    """Say what is wrong with one requirement and what to do; None if it is met."""
    found = _version(requirement.name)
    if found and requirement.specifier.contains(found, prereleases=True):
        return None
    what = f"{requirement.name}{requirement.specifier}"
    # A distribution of this project is not published: its bare name could be a stranger's.
    ours = requirement.name.lower().startswith("cardio")
    cure = "install it from its folder or wheel" if ours else f'pip install "{what}"'
    return f"requires {what}, {f'found {found}' if found else 'which is not installed'}; {cure}"


def misfit(distribution: metadata.Distribution) -> str | None:
    """Say that a plugin's distribution requires another cardio-core, and which is to be upgraded.

    Read from what is installed, without an import: pip checks no requirement of an editable
    installation afterwards, and none at all with ``--no-deps``.
    """
    if not is_installed(CORE):
        return None
    here = Version(metadata.version(CORE))
    for line in distribution.requires or ():
        item = Requirement(line)
        if canonicalize_name(item.name) != CORE or (item.marker and not item.marker.evaluate()):
            continue
        if item.specifier.contains(here, prereleases=True):
            continue
        lowest = [spec for spec in item.specifier if spec.operator in (">=", ">", "~=", "==")]
        core_is_older = any(here < Version(spec.version.removesuffix(".*")) for spec in lowest)
        return (
            f"requires {CORE}{item.specifier}, found {here}; upgrade "
            f"{CORE if core_is_older else distribution.name} from its folder or wheel"
        )
    return None


# What is wrong with a plugin that can be imported, found without importing more of it.


def faults(
    module: ModuleType, info: PluginInfo, distribution: str, *, imports: bool = True
) -> list[str]:
    """Return what would go wrong later with a plugin module, each fault with its cure in one line.

    `info` is what it says of itself, completed; `distribution` brings it. With `imports`, all of
    its source is read for imports that would fail.
    """
    found = [text for requirement in requirements(distribution) if (text := unmet(requirement))]
    if info.default_task not in [task.name for task in info.tasks]:
        found.append(f"INFO.default_task is {info.default_task!r}, none of its tasks; name one")
    folders = dict.fromkeys(task.folder for task in info.tasks if task.folder)
    try:
        found += in_module(module, info.tasks)
        for folder in folders:
            users = [task for task in info.tasks if task.folder == folder]
            found += in_folder(folder, module, users)
        placed = [task for task in info.tasks if not task.folder or locate(task.folder)]
        found += missing(module, placed)
        named = _references(module, info)
        found += in_references(named)
        found += in_configs(info.configs)
        roots = [(f"{folder}.{name}", name) for folder in folders for name in IN_FOLDERS]
        roots += [(module.__name__, h) for h in hookspecs.HOOKS if hasattr(module, h)]
        roots += [(reference.partition(":")[0], "") for reference in named.values()]
        found += in_imports(roots if imports else ())
    except SyntaxError as error:
        found.append(f"{error.filename} line {error.lineno} is no Python ({error.msg}); mend it")
    return list(dict.fromkeys(found))


def _references(module: ModuleType, info: PluginInfo) -> dict[str, str]:
    """Return what INFO names as ``"package.module:attribute"``, by where it stands."""
    named = {f"task {task.name!r}, configuration,": info.config_of(task) for task in info.tasks}
    named |= {f"tool {name!r}": reference for name, reference in info.tools.items()}
    # Without `--data`, a run asks for it; a plugin that never has one yet may do without.
    if module.INFO.synthesize or locate(info.synthesize.partition(":")[0]):
        named["synthesize"] = info.synthesize
    return named
