"""The outcome that the user chose: settled before a run starts, given to the cohort once loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from cardio_core.config import OutcomeBlock, RunConfig
from cardio_core.errors import ConfigError, ContractError, DataError
from cardio_core.io.cohort import CohortTable
from cardio_core.runner.setup import Setup, primary_of, why_hollow, without_hollow_fusions
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.samples import Cohort
from cardio_core.types.targets import Targets
from cardio_stats.outcome import outcome_values, place_words, settle_outcome

_IDS = ("recording_id", "study_id", "patient_id", "subject_link", "site_id", "scanner_id")
_ENOUGH = 10
"""Labelled units from which on a column that follows the outcome exactly is no chance."""

_KEYS = {"patient": "patient_id", "study": "study_id", "recording": "study_id"}


def with_outcome(setup: Setup, inputs: Sequence[Path]) -> Setup:
    """Return what was set up with the asked column as its target; as it is where none was asked.

    Raises
    ------
    ConfigError
        If no input is a cohort table or none has the column; if its values are no outcome; if no
        model that was asked for can be trained on it.
    """
    request = setup.config.outcome
    if request.column is None:
        typed = {"event": request.event, "negative": request.negative, "missing": request.missing}
        for name, value in typed.items():
            if value:
                raise ConfigError(f"--{name}: expected --outcome COLUMN with it, found none")
        return setup
    column = outcome_column(request.column, tuple(setup.plugin.info.paths), inputs)
    found = settle_outcome(column, request)
    settled = request.model_copy(update={"kind": found.kind, "classes": found.classes})
    config = setup.config.model_copy(update={"outcome": settled})
    task = task_of_outcome(setup.task, config)
    kind = task.targets[0].kind
    able = tuple(name for name in setup.models if kind in task.model(name).kinds)
    texts = []
    if found.kind == "binary":
        texts.append(f"Outcome {request.column}, by word: {place_words(column, request).ledger()}.")
    texts += [
        f"Model {task.model(name).title} is left out: it cannot be trained on {_words(settled)}."
        for name in setup.models
        if name not in able
    ]
    if not able:
        raise ConfigError(
            f"--outcome {request.column}: none of the models asked for can be trained on "
            f"{_words(settled)}; name others with --set models=[...], or another outcome"
        )
    models = without_hollow_fusions(task, able)
    texts += why_hollow(task, able, models)
    primary = primary_of(task, config, models)
    messages = (*setup.messages, *texts)
    return replace(
        setup, task=task, config=config, models=models, primary=primary, messages=messages
    )


def task_of_outcome(task: Task, config: RunConfig) -> Task:
    """Return a task as a configuration asks it: with the settled outcome, or its own target.

    Raises
    ------
    ConfigError
        If the task cannot predict an outcome of the user's own.
    """
    outcome = config.outcome
    if outcome.column is None:
        return task
    if not task.any_outcome:
        raise ConfigError(
            f"--outcome {outcome.column}: task {task.name!r} predicts "
            f"{', '.join(target.name for target in task.targets)} alone; choose another --task"
        )
    if outcome.kind is None:
        raise ContractError("an outcome is settled before its task is asked for; name the task")
    target = Target(outcome.column, outcome.kind, outcome.classes)
    return task.predicting(target)


def give_outcome(cohort: Cohort, outcome: OutcomeBlock, task: Task) -> Cohort:
    """Return a cohort with the asked column of its table as targets.

    Each unit of the task takes the value of its study; a patient the one that all studies which
    know it agree on, and none where they differ. A column of the sample table of that name is
    emptied, so that no model is told what it is to predict.

    Raises
    ------
    ContractError
        If `load` returned no table.
    DataError
        If the table has lost the column.
    """
    if cohort.table is None:
        raise ContractError("hook load: expected Cohort.table with ctx.outcome, found none")
    name, samples = str(outcome.column), cohort.samples.table
    if name not in cohort.table.columns:
        raise DataError(
            f"--outcome {name}: the cohort table has no such column where load read it; add it"
        )
    values = outcome_values(cohort.table[name], outcome)
    notes = list(cohort.notes)
    if task.unit == "patient":
        patients = cohort.table["patient_id"].astype(str)
        pairs = pd.DataFrame({"patient": patients, "value": values}).dropna().drop_duplicates()
        differ = pairs.loc[pairs["patient"].duplicated(), "patient"].unique()
        values = values.groupby(patients, sort=False).first()
        values[differ] = None
        if len(differ):
            text = (
                f"{len(differ)} patient(s) have different values of {name} at their studies and "
                "count as without outcome."
            )
            notes.append(Note(NoteKind.OUTCOME, text))
    else:
        values.index = values.index.astype(str)
    keys = samples[_KEYS[task.unit]].astype(str)
    values = values[values.index.isin(set(keys))]
    if task.unit == "recording":
        values = values.reindex(keys).set_axis(samples.index)
    given_away = _giving_away(samples, values, keys, name)
    if given_away:
        emptied = samples.assign(
            **{item: None if samples[item].dtype == object else float("nan") for item in given_away}
        )
        cohort = replace(cohort, samples=replace(cohort.samples, table=emptied))
        text = f"No model sees {', '.join(given_away)}, because it tells what is predicted."
        notes.append(Note(NoteKind.OUTCOME, text))
    return replace(
        cohort,
        targets=Targets(task.unit, values.rename(name).to_frame()),
        notes=tuple(notes),
        outcome=_sentence(values, outcome, task),
        unsupported=dict(cohort.unsupported),
    )


def _giving_away(samples: pd.DataFrame, values: pd.Series, keys: pd.Series, name: str) -> list[str]:
    """Return the columns that models could read and that are the outcome, or another form of it.

    A column with one value for each class, in everybody, is the class under other names: "male"
    where sex is predicted.
    """
    known = values.dropna()
    found = [name] if name in samples.columns else []
    if values.dtype == "float64" or len(known) < _ENOUGH:
        return found
    truth = values if values.index.equals(samples.index) else keys.map(known)
    for column in samples.columns.difference([*_IDS, name]):
        pairs = pd.DataFrame({"own": samples[column].to_numpy(), "truth": truth.to_numpy()})
        pairs = pairs.dropna().drop_duplicates()
        same = len(pairs) == pairs["own"].nunique() == pairs["truth"].nunique()
        if same and len(pairs) == known.nunique():
            found.append(str(column))
    return found


def outcome_column(name: str, paths: Sequence[str], inputs: Sequence[Path]) -> pd.Series:
    """Return a column of the inputs' cohort tables, of studies at baseline.

    `paths` are the columns of the plugin's recordings beyond those of the schema.

    Raises
    ------
    ConfigError
        If no input is a cohort table, or none has the column.
    """
    known = CohortTable.find_all(inputs, paths)
    if not known:
        raise ConfigError(
            f"--outcome {name}: expected a cohort table, or a folder with cohort.csv, found none "
            f"in {', '.join(path.name for path in inputs)}; see docs/cohort.md"
        )
    having = [table for table in known if name in table.rows.columns]
    if not having:
        columns = ", ".join(map(str, known[0].rows.columns))
        raise ConfigError(f"--outcome {name}: {known[0].name} has no such column; it has {columns}")
    found: pd.Series = pd.concat([table.at_baseline().rows[name] for table in having])
    return found


def _words(settled: OutcomeBlock) -> str:
    if settled.kind == "continuous":
        return f"a number ({settled.column})"
    return f"{len(settled.classes)} classes ({settled.column}: {', '.join(settled.classes)})"


def _sentence(values: pd.Series, outcome: OutcomeBlock, task: Task) -> str:
    """Say what is predicted and how often each class, or which range, occurs."""
    unknown = int(values.isna().sum())
    if outcome.kind == "continuous":
        known = values.dropna()
        counts = [f"{known.min():g} to {known.max():g}, median {known.median():g}"]
    elif outcome.kind == "binary":
        negative, positive = outcome.classes
        counts = [f"{(values == 1).sum()} {positive}", f"{(values == 0).sum()} {negative}"]
    else:
        counts = [f"{(values == label).sum()} {label}" for label in outcome.classes]
    counts += [f"{unknown} unknown"] if unknown else []
    return f"{outcome.column}, a column of the cohort table, by {task.unit}: {', '.join(counts)}."
