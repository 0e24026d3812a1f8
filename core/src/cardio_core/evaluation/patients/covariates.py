"""Covariates that the user names: which columns can be some, and the model that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from cardio_core.errors import ConfigError
from cardio_core.io.cohort_schema import COLUMNS, title_of
from cardio_core.io.cohorts.headers import near
from cardio_core.io.cohorts.own_columns import own_column
from cardio_core.io.tables.raw import as_known
from cardio_core.types.info import Model, Task

NAME = "covariates"
"""The core's own model of the clinical variables that the user named."""

_WHY_NOT = {
    "identity": "it says who or when, not how the patient is",
    "recording": "it names files",
    "follow-up": "it is known only at follow-up, as the outcome is",
}


def with_clinical_model(task: Task, names: Sequence[str]) -> Task:
    """Return a task with the clinical model of some columns behind its own models.

    Raises
    ------
    ConfigError
        If the task predicts beats or other samples, or has a model of that name.
    """
    if not names:
        return task
    if task.unit in ("event", "sample"):
        raise ConfigError(
            f"--covariate {names[0]}: task {task.name!r} predicts every {task.unit}, and a "
            "patient's covariates tell none from another; leave it out"
        )
    if any(model.name == NAME for model in task.models):
        raise ConfigError(
            f"--covariate {names[0]}: task {task.name!r} has a model {NAME!r} of its own"
        )
    shown = ", ".join(map(in_a_sentence, names))
    model = Model(
        NAME,
        f"Clinical variables: {shown}",
        baseline=True,
        partial=True,
        kinds=("binary", "multiclass", "continuous"),
        covariates=tuple(names),
    )
    return replace(task, models=(*task.models, model))


def in_a_sentence(name: str) -> str:
    """Return the words of a column within a sentence: small, but for NYHA, QRS and their like.

    Examples
    --------
    >>> in_a_sentence("age_y"), in_a_sentence("sex")
    ('age', 'sex')
    """
    title = COLUMNS[name].title if name in COLUMNS else title_of(name)
    title = "Sex" if name == "sex" else title
    first = title.partition(" ")[0]
    return title if first[1:] != first[1:].lower() else title[:1].lower() + title[1:]


def check_covariates(
    names: Sequence[str], table: pd.DataFrame, where: str, *, outcome: str | None, task: Task
) -> None:
    """Refuse columns that are no covariates.

    Parameters
    ----------
    names : sequence of str
        What the user named.
    table : DataFrame
        The cohort table.
    where : str
        Its name.
    outcome : str or None
        The column that is predicted, where the user chose one.
    task : Task
        Whose `columns` say of what its own outcome is made.

    Raises
    ------
    ConfigError
        One sentence: which column, and why it is none.
    """
    twice = next((name for name in names if list(names).count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"--covariate {twice}: named twice; name it once")
    for name in names:
        why = _why_not(name, table, where, outcome, task.columns)
        if why:
            raise ConfigError(f"--covariate {name}: {why}")


def _why_not(
    name: str, table: pd.DataFrame, where: str, outcome: str | None, read: Mapping[str, str]
) -> str:
    if name not in table.columns:
        columns = [str(column) for column in table.columns]
        spelt = as_known(name, columns)
        meant = spelt if spelt != name else near(name, columns)
        hint = f"did you mean {meant}?" if meant else f"it has {', '.join(columns)}"
        return f"{where} has no such column; {hint}"
    if name == outcome:
        return "it is the outcome (--outcome) and cannot predict itself; leave it out"
    column = COLUMNS.get(name)
    if column is not None:
        why = _WHY_NOT.get(column.use, "")
        if (
            not why
            and column.use == "reference"
            and outcome is None
            and "outcome" in read.get(name, "")
        ):
            why = "the outcome of this task is made of it"
        if why:
            return f"{why}; leave it out"
        if column.kind not in ("text", "date", "path"):
            return "" if table[name].notna().any() else f"{where} has no value in it; leave it out"
    found = own_column(table[name])
    if found.kind == "empty":
        return f"{where} has no value in it; leave it out"
    if found.kind == "date":
        return "it holds dates, which tell when and not how; give the days between two of them"
    if found.kind == "text":
        return (
            "it holds a different text in nearly every row; group the values, or correct the "
            "cells that are no numbers"
        )
    return ""
