"""Every hook as the toy has it, wherever the toy keeps it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cardio_core.registry import open_plugin

TOY = open_plugin("toy")
INFO = replace(TOY.info, tasks=tuple(replace(task, folder=__name__) for task in TOY.info.tasks))


def ask_the_toy(hook: str, **arguments: Any) -> Any:
    """Call a hook of the toy."""
    return TOY.call(hook, TOY.info.task(arguments["ctx"].task.name), **arguments)
