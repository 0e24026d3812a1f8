"""Entry points that lead nowhere: in a group of another name, or to a module that is not there."""

from __future__ import annotations

import difflib
import pkgutil
from importlib import metadata
from pathlib import Path

from cardio_core.registry.naming import hint
from cardio_core.registry.reading import locate


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
    have = sorted(one.name for one in pkgutil.iter_modules(inside))
    near = hint(rest, have)
    has = f"whose modules are {', '.join(have[:8])}" if have else "which has none"
    return (
        f"its entry point in pyproject.toml names the module {point.module}, which is not in "
        f"{top}, {has}; {near}correct the name and install it again"
    )
