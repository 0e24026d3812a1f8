"""What is asked of an external validation, and the run opened to answer it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from cardio_core.config import OutcomeBlock
from cardio_core.errors import ConfigError, DataError
from cardio_core.io.outcome_column import outcome_values
from cardio_core.runner.plugin_options import NOTHING_GIVEN, Given
from cardio_core.runner.predicting.answering import Opened, open_finished
from cardio_core.runner.preparing.outcome import outcome_column
from cardio_core.types.info import Target


@dataclass(frozen=True)
class Asked:
    """What the user says of the new patients.

    Attributes
    ----------
    outcome : str or None
        Column of their cohort table with what really happened, where it has another name there
        than in the run's, or where the plugin does not find it by itself.
    site : str or None
        Column of the site; ``site_id`` where there is one.
    subgroups : tuple of str
        Columns whose values divide the patients.
    leave_out : bool
        Leave patients of the training out instead of refusing them.
    other_people : bool
        Equal ids are of different people.
    level, seed : float, int
        Of every interval, and of every resampling.
    """

    outcome: str | None = None
    site: str | None = None
    subgroups: tuple[str, ...] = ()
    leave_out: bool = False
    other_people: bool = False
    level: float = 0.95
    seed: int = 0


def open_for(
    run: Path,
    inputs: Sequence[Path],
    asked: Asked,
    *,
    features_in: Path,
    options: Given = NOTHING_GIVEN,
    device: str = "auto",
) -> tuple[Opened, tuple[str, ...]]:
    """Open a finished run so that it loads the new patients with their outcome.

    Returns
    -------
    Opened
    tuple of str
        What the reader has to know of the outcome.

    Raises
    ------
    ConfigError
        As `open_finished`; if an input does not exist, if `asked.outcome` is none that the task can
        be asked for, or is in no cohort table.
    DataError
        If none of the column's values is a class of the run.
    """
    for path in inputs:
        if not path.exists():
            raise ConfigError(f"--data {path}: no such file or folder")
    opened = open_finished(run, options=options, device=device, features_in=features_in)
    block = _outcome(opened, asked)
    # Folds were stratified in the run; here there are none, and the table may lack the column.
    changes: dict[str, object] = {"stratify": None, "outcome": block}
    evaluate = {"level": asked.level, "n_resamples": opened.config.evaluate.n_resamples}
    changes["evaluate"] = opened.config.evaluate.model_copy(update=evaluate)
    config = opened.config.model_copy(update=changes)
    notes = _checked(block, opened, inputs)
    return replace(opened, config=config, ctx=opened.ctx.replace(outcome=block.column)), notes


def _outcome(opened: Opened, asked: Asked) -> OutcomeBlock:
    """Return where the outcome stands in the new table, with the classes that the run settled."""
    own, task = opened.config.outcome, opened.task
    if asked.outcome is None:
        return own
    if own.column is None and not task.any_outcome:
        names = ", ".join(target.name for target in task.targets)
        raise ConfigError(
            f"--outcome {asked.outcome}: task {task.name!r} predicts {names} alone, and finds it "
            "in the data by itself; leave --outcome out"
        )
    [target] = task.targets
    return OutcomeBlock(
        column=asked.outcome, positive=own.positive, kind=target.kind, classes=target.classes
    )


def _checked(block: OutcomeBlock, opened: Opened, inputs: Sequence[Path]) -> tuple[str, ...]:
    if block.column is None:
        return ()
    values = outcome_column(block.column, tuple(opened.plugin.info.paths), inputs)
    known = outcome_values(values, block)
    [target] = opened.task.targets
    unread = values[known.isna() & values.notna()]
    shown = ", ".join(sorted({str(one) for one in unread})[:5])
    if not known.notna().any():
        raise DataError(
            f"--outcome {block.column}: expected {_classes(target)}, as in the run, found "
            f"{shown or 'no value'}; name another column with --outcome"
        )
    if not len(unread):
        return ()
    return (
        f"{block.column}: {len(unread)} value(s) are none of {_classes(target)} and count as "
        f"unknown ({shown}).",
    )


def _classes(target: Target) -> str:
    return "numbers" if target.kind == "continuous" else " or ".join(target.classes)


def renamed(targets: pd.DataFrame, opened: Opened) -> pd.DataFrame:
    """Return a target table whose columns have the run's names, whatever the new table says."""
    column = opened.config.outcome.column
    if column is None:
        return targets
    [target] = opened.task.targets
    return targets.rename(columns={column: target.name})
