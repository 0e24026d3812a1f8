"""A plugin's synthetic cohort: what is asked for, and how it is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cardio_core.errors import ConfigError
from cardio_core.registry import resolve
from cardio_core.types.info import PluginInfo


@dataclass(frozen=True)
class CohortAsked:
    """Which synthetic cohort; None leaves the choice to the plugin."""

    task: str
    n_patients: int | None = None
    seed: int = 0
    difficulty: str | None = None


def writer_of(info: PluginInfo, asked: CohortAsked) -> Callable[[Path], None]:
    """Return what writes the cohort into a folder.

    Raises
    ------
    ConfigError
        A difficulty is asked of a plugin whose cohort has none.
    """
    make = resolve(info.synthesize)
    more = {} if asked.difficulty is None else {"difficulty": asked.difficulty}
    if more and "difficulty" not in inspect.signature(make).parameters:
        raise ConfigError(
            f"difficulty {asked.difficulty!r}: the synthetic cohort of {info.name} has no "
            "difficulties; leave it out"
        )
    return lambda out: make(
        out, task=asked.task, n_patients=asked.n_patients, seed=asked.seed, **more
    )
