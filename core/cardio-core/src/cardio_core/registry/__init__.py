"""Finding plugins by name, opening exactly one, and saying why one cannot be opened."""

from __future__ import annotations

from cardio_core.registry.discovery import Found, lent, list_plugins, open_plugin, require_installed
from cardio_core.registry.plugin import Plugin, resolve

__all__ = [
    "Found", "Plugin", "lent", "list_plugins", "open_plugin", "require_installed", "resolve",
]  # fmt: skip
