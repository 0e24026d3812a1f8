"""Where a run's time goes, told by a clock that only one stage at a time can hold.

Stages are functions of the core that are watched: while one runs within another, the outer one's
time stands still, so that the parts add up to the whole.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

REST = "the rest: the runner, progress, small files"
IMPORTS = "imports"
STAGES = {
    "making the synthetic cohort": ("cardio_core.runner.setup", "synthesize"),
    "figures": ("cardio_stats.figures.canvas", "svg_text"),
    "the page": ("cardio_core.report.page", "build_report"),
    "applicability": ("cardio_core.runner.embeddings", "keep_distances"),
}
"""Functions by module; those that call them are imported afterwards, and so call what watches."""
HOOKS = {
    "load": "load: reading the cohort",
    "preprocess": "preprocess",
    "featurize": "featurize",
    "predict": "predict",
    "explain": "explain",
    "evaluate": "evaluate: intervals and tables",
}
TRAIN, TRAIN_INNER = "train without networks: whole training sets", "train: inner folds"
FITS = "networks: training steps"
READING = "features read again"


class Clock:
    """Seconds by stage, of the processor time of this process and of what passed.

    Attributes
    ----------
    passed, processor : dict of str to float
    calls : dict of str to int
    """

    def __init__(self) -> None:
        self.passed: dict[str, float] = defaultdict(float)
        self.processor: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)
        self._held = [REST]
        self._since = (time.perf_counter(), time.process_time())

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Hold the clock within a block."""
        self._turn()
        self._held.append(name)
        self.calls[name] += 1
        try:
            yield
        finally:
            self._turn()
            self._held.pop()

    def _turn(self) -> None:
        now = (time.perf_counter(), time.process_time())
        held = self._held[-1]
        self.passed[held] += now[0] - self._since[0]
        self.processor[held] += now[1] - self._since[1]
        self._since = now

    def stop(self) -> None:
        """Count until now."""
        self._turn()

    def watched(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """Return a function that holds the clock while it runs."""

        @functools.wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:
            with self.stage(name):
                return function(*arguments, **named)

        return timed


def watch(clock: Clock) -> None:
    """Let the stages of every run of this process hold the clock."""
    _watch_imports(clock)
    for name, (module, function) in STAGES.items():
        place = importlib.import_module(module)
        setattr(place, function, clock.watched(getattr(place, function), name))
    from cardio_core.context import Context
    from cardio_core.registry.plugin import Plugin
    from cardio_core.types.features import Pieces

    plain_call = Plugin.call

    def call(self: Plugin, hook: str, task: Any, **arguments: Any) -> Any:
        inner = "-i" in str(arguments["ctx"].fold)
        name = HOOKS.get(hook, TRAIN_INNER if inner else TRAIN)
        with clock.stage(name):
            return plain_call(self, hook, task, **arguments)

    Plugin.call = call  # type: ignore[method-assign]
    Context.fit = clock.watched(Context.fit, FITS)  # type: ignore[method-assign]
    Pieces.__getitem__ = clock.watched(Pieces.__getitem__, READING)  # type: ignore[method-assign]


def _watch_imports(clock: Clock) -> None:
    """Hold the clock in whatever is imported, wherever that happens."""
    plain, depth = builtins.__import__, 0

    def timed(*arguments: Any, **named: Any) -> Any:
        nonlocal depth
        if depth:
            return plain(*arguments, **named)
        depth += 1
        try:
            with clock.stage(IMPORTS):
                return plain(*arguments, **named)
        finally:
            depth -= 1

    builtins.__import__ = timed
