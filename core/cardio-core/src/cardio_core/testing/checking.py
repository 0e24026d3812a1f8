"""Running the checks of a plugin, with a verdict of each; needs no pytest."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cardio_core.runner.request import find_task
from cardio_core.testing.case import (
    PluginCase,
    Sizes,
    TaskCase,
    Verdict,
    all_tasks,
    judge,
    own_cache,
)
from cardio_core.testing.leak_checks import OF_LEAKS
from cardio_core.testing.plugin_checks import OF_INFO, OF_SAMPLES
from cardio_core.testing.run_checks import OF_RUNS, OF_TRIAL, OF_TRUTH

OF_TASK = (*OF_SAMPLES, *OF_LEAKS, *OF_RUNS)
QUICK = (*OF_SAMPLES, *OF_LEAKS, *OF_TRIAL)
"""Without a run, whose hooks are tried on a few patients instead."""


def check_plugin(
    name: str,
    tasks: Sequence[str] = (),
    *,
    quick: bool = False,
    truth: bool = False,
    sizes: Sizes | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Verdict]:
    """Yield the verdict of every check of an installed plugin, each as soon as it is known.

    Parameters
    ----------
    name : str
        Its entry point.
    tasks : sequence of str
        Which of its tasks; empty means all.
    quick : bool
        Whether to try the hooks on a few patients in place of the checks that need a whole run.
    truth : bool
        Whether to run the longer checks of chance and truth, too.
    sizes : Sizes, optional
        How large.
    tell : callable
        Takes lines of progress.

    Raises
    ------
    PluginError
        If the plugin cannot be opened.
    ConfigError
        If it has no such task.
    """
    plugin = PluginCase(name)
    of_task = QUICK if quick else OF_TASK
    chosen = [find_task(plugin.opened, task).name for task in tasks or all_tasks(name)]
    for check in OF_INFO:
        yield judge(check, plugin)
    for task in chosen:
        tell(f"task {task}")
        with tempfile.TemporaryDirectory(prefix="cardio-check-") as place:
            folder = Path(place, "work")
            folder.mkdir()
            case = TaskCase(name, task, folder, sizes or Sizes(), tell)
            for check in (*of_task, *(OF_TRUTH if truth else ())):
                with own_cache(Path(place, "cache")):
                    verdict = judge(check, case, task)
                yield verdict
