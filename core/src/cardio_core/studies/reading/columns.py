"""Which column of a stranger's table is what, and of which kind its outcome is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from cardio_core.errors import ConfigError, DataError
from cardio_core.io.outcome_column import known_pair
from cardio_core.studies.guessing import (
    SITES,
    column_for,
    guessed,
    guessed_outcome,
    guessed_patient,
    guessed_scores,
)
from cardio_core.studies.reading.called import label_of
from cardio_core.studies.reading.kinds import (
    class_sets,
    columns_in,
    decided_column,
    kind_of_outcome,
    started_sets,
)
from cardio_core.studies.reading.question import Question
from cardio_core.studies.reading.resamples import (
    Resamples,
    once_a_repeat,
    refuse_tuning,
    resamples_in,
)


@dataclass(frozen=True)
class Columns:
    """Which column is what; `of_classes` has the columns of each set of several classes."""

    outcome: str
    patient: str | None
    site: str | None
    kind: str
    scores: tuple[str, ...]
    of_classes: Mapping[str, Mapping[str, str]]
    decided: Mapping[str, str]
    resamples: Resamples

    @property
    def read(self) -> list[str]:
        """The columns in which a missing value leaves a row out of a score."""
        if self.kind != "classes":
            return list(self.scores)
        return [*columns_in(self.of_classes), *self.decided.values()]


def classes_in(values: pd.Series) -> tuple[str, ...]:
    """Return the classes of an outcome, numbers by their size."""
    known = values.dropna().unique()
    ordered = sorted(known, key=float if pd.api.types.is_numeric_dtype(values) else str)
    return tuple(label_of(value) for value in ordered)


def event_in(event: str | None, values: pd.Series) -> str | None:
    """Return the event as the table has it: R's TRUE and FALSE are read as 1 and 0.

    Of two words that a cohort table takes without a question the one that counts is the event.

    Examples
    --------
    >>> event_in(None, pd.Series(["yes", "no"])), event_in(None, pd.Series(["mild", "severe"]))
    ('yes', None)
    """
    if pd.api.types.is_numeric_dtype(values):
        return event and {"true": "1", "false": "0"}.get(event.lower(), event)
    pair = known_pair([label_of(value) for value in values.dropna().unique()])
    return pair[1] if event is None and pair else event


def columns_of(table: pd.DataFrame, asked: Question, said: list[str]) -> Columns:
    """Return which column is what; say which of them were guessed."""
    for name in asked.subgroups:
        column_for(name, "--subgroup", table)
    named = [*asked.scores, *asked.subgroups]
    outcome = column_for(asked.outcome, "--outcome", table) or guessed_outcome(
        table, asked.subgroups
    )
    if outcome in asked.scores:
        raise ConfigError(f"--score {outcome}: is the outcome; name the column of the predictions")
    patient = column_for(asked.patient, "--patient", table) or guessed_patient(
        table, [*named, outcome]
    )
    site = column_for(asked.site, "--site", table) or guessed(SITES, table, [*named, outcome])
    resamples = resamples_in(table)
    refuse_tuning(table, patient, resamples)
    aside = [c for c in (outcome, patient, site, *asked.subgroups, *resamples.columns) if c]
    kind = kind_of_outcome(table, outcome, asked.kind, asked.event, aside)
    sets: dict[str, dict[str, str]] = {}
    decided: dict[str, str] = {}
    if kind == "classes":
        sets, decided = _of_classes(table, asked, outcome, aside)
        scores = list(dict.fromkeys([*sets, *decided]))
    else:
        for name in asked.scores:
            column_for(name, "--score", table)
        classes = [label_of(value) for value in table[outcome].dropna().unique()]
        event = event_in(asked.event, table[outcome]) or "1"
        if kind == "number":
            classes, event = [], ""
        scores = list(dict.fromkeys(asked.scores)) or guessed_scores(table, aside, classes, event)
    one = {"number": "the prediction", "classes": "the probabilities"}.get(kind, "the score")
    many = {"number": "predictions", "classes": "sets of probabilities"}.get(kind, "scores")
    assumed = [
        f"{name} as {what}"
        for name, what, by_user in (
            (outcome, "the outcome", asked.outcome),
            (patient, "the patient", asked.patient),
            (site, "the site", asked.site),
            (", ".join(scores), one if len(scores) == 1 else many, asked.scores),
        )
        if name and not by_user
    ]
    if assumed:
        said.append(f"Taken by their names: {', '.join(assumed)}.")
    if patient is None:
        said.append(
            "No column names the patients: every row is taken as a patient of its own; name the "
            "column with --patient if some have several rows."
        )
    elif once_a_repeat(table, patient, resamples):
        said.append("Every patient stands once in each repeat: predictions are averaged over them.")
    elif table[patient].duplicated().any():
        said.append(
            "Some patients have several rows: intervals take the patient as the unit, and every "
            "row is judged."
        )
    return Columns(outcome, patient, site, kind, tuple(scores), sets, decided, resamples)


def _of_classes(
    table: pd.DataFrame, asked: Question, outcome: str, aside: Sequence[str]
) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Return the sets of columns of probabilities, and the columns of decided classes.

    Raises
    ------
    ConfigError
        None of either, or a name that is neither.
    """
    classes = classes_in(table[outcome])
    if len(classes) < 2:
        raise DataError(
            f"column {outcome!r}: expected several classes, found {len(classes)}; with one class "
            "there is nothing to predict"
        )
    sets = class_sets(table, classes, aside)
    found = decided_column(table, classes, [*aside, *columns_in(sets)])
    if asked.scores:
        chosen: dict[str, dict[str, str]] = {}
        alone: dict[str, str] = {}
        for name in asked.scores:
            if name in sets:
                chosen[name] = sets[name]
            elif name in table.columns and set(classes_in(table[name])) <= set(classes):
                alone[name] = name
            else:
                listed = ", ".join([*sets, *([found] if found else [])]) or "none"
                raise ConfigError(
                    f"--score {name}: of {len(classes)} classes expected what their columns share, "
                    f"or a column of decided classes; the table has {listed}"
                )
        return chosen, alone
    if sets:
        return sets, {next(iter(sets)): found} if found and len(sets) == 1 else {}
    if found:
        return {}, {found: found}
    started = started_sets(table, classes, aside)
    lacks = "; ".join(
        f"{name} lacks {', '.join(one for one in classes if one not in own)}"
        for name, own in list(started.items())[:3]
    )
    raise ConfigError(
        f"--score: {outcome} has the classes {', '.join(classes[:6])}"
        f"{', ...' if len(classes) > 6 else ''}; expected a column of probabilities for each, "
        f"called by it (prob_{classes[0]}), or one of decided classes; "
        f"{lacks or 'found none'}"
    )
