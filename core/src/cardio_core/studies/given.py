"""Predictions of any tool, brought into the form in which a run's own are evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.errors import ConfigError, DataError
from cardio_core.io.tables.typed import read_typed
from cardio_core.stats.foundation.columns import binary_outcome
from cardio_core.studies.guessing import column_for, is_probability, require_scores, row_numbers
from cardio_core.studies.reading.called import label_of as label_of
from cardio_core.studies.reading.columns import Columns, classes_in, columns_of, event_in
from cardio_core.studies.reading.frames import (
    binary_frame,
    class_frame,
    groups_of,
    number_frame,
    rule,
)
from cardio_core.studies.reading.kinds import KINDS
from cardio_core.studies.reading.overlaps import refuse_overlaps
from cardio_core.studies.reading.own_run import as_wide, is_own
from cardio_core.studies.reading.question import Question as Question
from cardio_core.studies.reading.resamples import once_a_repeat, tested_rows
from cardio_core.types.info import Model, Target, Task
from cardio_core.types.predictions import Scored

"""Begins what is said where a word decided which value counts."""

MOST_GROUPS, MOST_SITES = 5, 30
"""Values of a subgroup's column, and of the sites', that form groups."""


@dataclass(frozen=True)
class Given:
    """Predictions beside the truth.

    Attributes
    ----------
    task : Task
        One target, binary, of several classes or a number; a model for each score.
    scored : Scored
        One row a prediction whose outcome and score are known.
    groups : DataFrame
        Site and subgroups, one row a patient.
    probabilities : tuple of str
        Scores of a binary target that are probabilities: only they are calibrated, and have a net
        benefit.
    assumed : tuple of str
        What was taken for granted, a sentence each.
    n_rows : int
        Of the table.
    lacking : mapping of str to int
        By column, rows that were left out because it is missing.
    may_divide : mapping of str to int
        How many values each column of `groups` may have to form groups.
    outcome : str
        How the outcome was coded, in one sentence.
    coded : tuple of str
        Those of `assumed` that say how the outcome was coded.
    """

    task: Task
    scored: Scored
    groups: pd.DataFrame
    probabilities: tuple[str, ...]
    assumed: tuple[str, ...]
    n_rows: int
    lacking: Mapping[str, int]
    may_divide: Mapping[str, int] = field(default_factory=dict)
    outcome: str = ""
    coded: tuple[str, ...] = ()


def read_given(path: Path, asked: Question) -> Given:
    """Read a CSV or Parquet of predictions.

    Raises
    ------
    ConfigError
        A column that is not there or cannot be guessed, or a threshold that is no number.
    DataError
        No such table; an outcome that fits no kind; fewer than two patients of a class.
    """
    refuse_overlaps(path)
    made = read_typed(path, asked.missing)
    table = made.table
    said: list[str] = []
    if is_own(table):
        table, column, event, kind, models = as_wide(
            table, asked.outcome, asked.event, asked.kind, said
        )
        asked = replace(
            asked, outcome=column, event=event, scores=list(asked.scores) or models, missing=(),
            patient="patient_id", kind=kind,
        )  # fmt: skip
    numbering = row_numbers(table)
    if numbering:
        table = table.drop(columns=numbering)
        said.append("A first column that only numbers the rows is not used.")
    table = tested_rows(table, said)
    found = columns_of(table, asked, said)
    require_scores(table, [c for c in found.read if c not in found.decided.values()])
    divide = dict.fromkeys(asked.subgroups, MOST_GROUPS)
    divide |= {found.site: MOST_SITES} if found.site else {}
    known = table[found.patient].notna() if found.patient else pd.Series(True, table.index)
    known &= table[found.outcome].notna()
    if found.kind == "binary":
        target, frame, probabilities, sources, coding = _binary(table[known], found, asked, said)
    else:
        target, frame, coding = _other(table[known], found, asked, said)
        probabilities, sources = (), {}
    lacking = {
        n: int(table[n].isna().sum())
        for n in (found.outcome, *found.read, *([found.patient] if found.patient else []))
    }
    primary = asked.primary or ""
    if primary and primary not in found.scores:
        column_for(primary, "--primary", table)
        raise ConfigError(f"--primary {primary}: is none of the scores ({', '.join(found.scores)})")
    averaged = once_a_repeat(table[known], found.patient, found.resamples)
    rows_of = table.loc[known, found.patient] if found.patient else None
    several = rows_of is not None and not averaged and rows_of.duplicated().any()
    task = Task(
        name="judged",
        title=f"Predictions of {found.outcome}",
        unit="sample" if several else "patient",
        targets=(target,),
        models=tuple(Model(name, name) for name in found.scores),
        primary=primary or found.scores[0],
    )
    used = [found.outcome, *found.read, *divide, *([found.patient] if found.patient else [])]
    return Given(
        task,
        Scored({found.outcome: frame}, sources),
        groups_of(table[known], divide, found.patient),
        probabilities,
        (*said, *found.resamples.said, *made.notes_on(used)),
        len(table),
        {name: count for name, count in lacking.items() if count},
        divide,
        coding.outcome,
        coding.sentences(),
    )


@dataclass(frozen=True)
class _Coding:
    """How the outcome was coded, and by which meaning of its values the event was found."""

    outcome: str
    by_meaning: str = ""

    def sentences(self) -> tuple[str, ...]:
        return (*([self.by_meaning] if self.by_meaning else []), f"Outcome: {self.outcome}")


def _binary(
    table: pd.DataFrame, found: Columns, asked: Question, said: list[str]
) -> tuple[Target, pd.DataFrame, tuple[str, ...], dict[str, str], _Coding]:
    """Return target, rows, the scores that are probabilities, thresholds' sources, and coding."""
    outcome = found.outcome
    known = event_in(asked.event, table[outcome])
    truth, event = binary_outcome(table, outcome, known)
    coding = _Coding(
        f"{outcome}, of which {event} counts as the event. A higher score is taken to mean that "
        "the event is more likely.",
        f"Taken by its meaning: {event} of {outcome} as the event; --event takes the other one."
        if asked.event is None and known is not None
        else "",
    )
    said += coding.sentences()
    negative = next(
        (label_of(v) for v, t in zip(table[outcome], truth, strict=True) if t == 0), "no"
    )
    classes = ("no", "yes") if {label_of(event), negative} == {"0", "1"} else (negative, event)
    target = Target(outcome, "binary", classes)
    frame = binary_frame(
        table, pd.Series(truth, table.index), found.scores, found.patient, found.resamples, target
    )
    probabilities = tuple(name for name in found.scores if is_probability(table[name]))
    sources = {}
    for name in found.scores:
        cut, source = rule(name, frame, asked.thresholds, target, name in probabilities)
        sources[f"{name}/{outcome}"] = source
        rows = frame["model"] == name
        high = frame.loc[rows, f"score:{classes[1]}"] >= cut
        frame.loc[rows, "predicted"] = np.where(high, classes[1], classes[0])
    if left := [name for name in found.scores if name not in probabilities]:
        said.append(
            f"{', '.join(left)}: no probabilities between 0 and 1, so there is no calibration, "
            "Brier score or net benefit."
        )
    return target, frame, probabilities, sources, coding


def _other(
    table: pd.DataFrame, found: Columns, asked: Question, said: list[str]
) -> tuple[Target, pd.DataFrame, _Coding]:
    """Return target, rows and coding of a number, or of several classes."""
    outcome = found.outcome
    if asked.thresholds:
        raise ConfigError(
            f"--threshold {asked.thresholds[0]}: {outcome} is "
            f"{'a number' if found.kind == 'number' else 'of several classes'}; a threshold goes "
            "with an outcome of two values"
        )
    if found.kind == "number":
        if not pd.api.types.is_numeric_dtype(table[outcome]):
            raise DataError(f"column {outcome!r}: --kind number expects numbers, found text")
        coding = _Coding(f"{outcome}, a number; predictions are taken to be in its unit.")
        said += coding.sentences()
        target = Target(outcome, KINDS["number"])  # type: ignore[arg-type]
        frame = number_frame(table, found.scores, found.patient, found.resamples, target)
        return target, frame, coding
    classes = classes_in(table[outcome])
    coding = _Coding(f"{outcome}, of the classes {', '.join(classes)}.")
    said += coding.sentences()
    target = Target(outcome, KINDS["classes"], classes)  # type: ignore[arg-type]
    for name, own in found.of_classes.items():
        total = table[list(own.values())].sum(axis=1, min_count=len(own)).dropna()
        if len(total) and not np.allclose(total, 1, atol=0.02):
            said.append(f"{name}: its columns do not add up to 1; they are ranked as they are.")
        if name not in found.decided:
            said.append(f"{name}: decided is the class whose column is the largest.")
    frame = class_frame(
        table, found.of_classes, found.decided, found.patient, found.resamples, target
    )
    return target, frame, coding


def names_in(path: Path) -> list[str]:
    """Return what a table can be asked for: the models of a run of ours, else its columns."""
    table = read_typed(path).table
    if is_own(table):
        return [str(name) for name in table["model"].unique()]
    return [str(name) for name in table.columns]
