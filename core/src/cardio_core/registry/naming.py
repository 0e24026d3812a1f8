"""Names of modules and what is in them: imported when needed, or only looked for."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from cardio_core.errors import PluginError


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
        raise PluginError(f"cannot find {reference!r} named by a plugin: {error}") from error


def module_exists(name: str) -> bool:
    """Tell whether a module can be found; only the packages above it are imported.

    Examples
    --------
    >>> module_exists("json.decoder"), module_exists("json.no_such"), module_exists("no_such.a")
    (True, False, False)
    """
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
