"""A plugin's synthetic cohort: what is asked for, and how it is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardio_core.errors import ConfigError
from cardio_core.io.cohorts.planned import EFFECT, lay_over, read_planned
from cardio_core.registry import resolve
from cardio_core.types.info import PluginInfo


@dataclass(frozen=True)
class CohortAsked:
    """Which synthetic cohort; None leaves the choice to the plugin.

    Attributes
    ----------
    task : str
    n_patients : int, optional
    seed : int
    difficulty : str, optional
    patients : Path, optional
        A table of the patients to be recorded, in place of a number.
    effect : str
        Its column of the effect.
    """

    task: str
    n_patients: int | None = None
    seed: int = 0
    difficulty: str | None = None
    patients: Path | None = None
    effect: str = EFFECT


def writer_of(info: PluginInfo, asked: CohortAsked) -> Callable[[Path], None]:
    """Return what writes the cohort into a folder.

    Raises
    ------
    ConfigError
        A difficulty, or a table of patients, is asked of a plugin whose cohort takes none.
    DataError
        The table of patients cannot be used.
    """
    make = resolve(info.synthesize)
    takes = inspect.signature(make).parameters
    more: dict[str, Any] = {}
    if asked.difficulty is not None:
        more["difficulty"] = asked.difficulty
        if "difficulty" not in takes:
            raise ConfigError(
                f"difficulty {asked.difficulty!r}: the synthetic cohort of {info.name} has no "
                "difficulties; leave it out"
            )
    if asked.patients is None:
        return lambda out: make(
            out, task=asked.task, n_patients=asked.n_patients, seed=asked.seed, **more
        )
    if "patients" not in takes:
        raise ConfigError(
            f"--patients {asked.patients}: the synthetic cohort of {info.name} takes no table of "
            "patients; give a number"
        )
    planned = read_planned(asked.patients, info.name, asked.effect)

    def write(out: Path) -> None:
        make(out, task=asked.task, seed=asked.seed, patients=planned.asked.copy(), **more)
        lay_over(out, planned, info.name)

    return write
