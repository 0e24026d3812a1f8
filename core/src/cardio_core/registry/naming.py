"""References of the form ``"package.module:attribute"``, imported when they are needed."""

from __future__ import annotations

import importlib
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
