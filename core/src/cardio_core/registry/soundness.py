"""What is wrong with a plugin that can be imported, found without importing more of it."""

from __future__ import annotations

from types import ModuleType

from cardio_core import hookspecs
from cardio_core.registry.hook_faults import IN_FOLDERS, in_folder, in_module, missing
from cardio_core.registry.import_faults import in_configs, in_imports, in_references
from cardio_core.registry.reading import locate
from cardio_core.registry.requirements import requirements, unmet
from cardio_core.types.info import PluginInfo


def faults(module: ModuleType, info: PluginInfo, distribution: str) -> list[str]:
    """Return what would go wrong later with a plugin module, each fault with its cure in one line.

    `info` is what it says of itself, completed; `distribution` brings it.
    """
    found = [said for one in requirements(distribution) if (said := unmet(one))]
    if info.default_task not in [task.name for task in info.tasks]:
        found.append(f"INFO.default_task is {info.default_task!r}, which is none of its tasks")
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
        found += in_imports(roots)
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
