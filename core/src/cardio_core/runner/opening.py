"""Opening a plugin with the core's default hooks behind it."""

from __future__ import annotations

from cardio_core.registry import Plugin, open_plugin


def open_with_defaults(name: str) -> Plugin:
    """Open one plugin; `explain` and `evaluate` fall back to the core's own."""
    from cardio_core.evaluation import hooks

    return open_plugin(name, defaults=hooks)
