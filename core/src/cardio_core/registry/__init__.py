"""Finding plugins by name, opening exactly one, and saying why one cannot be opened."""

from cardio_core.registry.finding import Found, list_plugins, open_plugin, require_installed
from cardio_core.registry.naming import resolve
from cardio_core.registry.plugin import Plugin

__all__ = ["Found", "Plugin", "list_plugins", "open_plugin", "require_installed", "resolve"]
