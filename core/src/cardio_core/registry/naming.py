"""References of the form ``"package.module:attribute"``, and names that are nearly right."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
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


def hint(name: str, known: Iterable[str]) -> str:
    """Return ``"did you mean 'train'? "`` for a name that is nearly one of the known, else ""."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]!r}? " if near else ""
