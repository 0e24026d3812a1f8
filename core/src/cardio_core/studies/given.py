"""Predictions of any tool, brought into the form in which a run's own are evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.errors import ConfigError, DataError
from cardio_core.io.tables.typed import read_typed
from cardio_core.stats.classification.thresholds import youden_threshold
from cardio_core.stats.foundation.columns import binary_outcome
from cardio_core.studies.guessing import (
    FOLDS,
    REPEATS,
    SITES,
    column_for,
    guessed,
    guessed_outcome,
    guessed_patient,
    guessed_scores,
    is_probability,
    require_scores,
    row_numbers,
)
from cardio_core.types.info import Model, Target, Task
from cardio_core.types.predictions import Scored

OWN = ("protocol", "model", "target", "class", "score", "y_true", "patient_id")
"""Columns by which the predictions.csv of a run of ours is known."""


@dataclass(frozen=True)
class Question:
    """What the user says of a table of predictions; what is None or empty is guessed, and said.

    Attributes
    ----------
    outcome, event : str or None
        Column of what happened, and which of its two values counts.
    scores : sequence of str
        Columns of scores, the first of which leads unless `primary` says another.
    patient, site : str or None
    subgroups : sequence of str
    thresholds : sequence of str
        ``"0.3"`` for every score, ``"risk=0.3"`` for one.
    primary : str or None
        The score that was declared beforehand as the one that answers.
    missing : sequence of str
        Further words that mean a missing value.
    """

    outcome: str | None = None
    event: str | None = None
    scores: Sequence[str] = ()
    patient: str | None = None
    site: str | None = None
    subgroups: Sequence[str] = ()
    thresholds: Sequence[str] = ()
    primary: str | None = None
    missing: Sequence[str] = ()


@dataclass(frozen=True)
class Given:
    """Predictions beside the truth.

    Attributes
    ----------
    task : Task
        One binary target; a model for each score.
    scored : Scored
        One row a prediction whose outcome and score are known.
    groups : DataFrame
        Site and subgroups, one row a patient.
    probabilities : tuple of str
        Scores that are probabilities: only they are calibrated, and have a net benefit.
    assumed : tuple of str
        What was taken for granted, a sentence each.
    n_rows : int
        Of the table.
    lacking : mapping of str to int
        By column, rows that were left out because it is missing.
    """

    task: Task
    scored: Scored
    groups: pd.DataFrame
    probabilities: tuple[str, ...]
    assumed: tuple[str, ...]
    n_rows: int
    lacking: Mapping[str, int]


def read_given(path: Path, asked: Question) -> Given:
    """Read a CSV or Parquet of predictions.

    Raises
    ------
    ConfigError
        A column that is not there or cannot be guessed, or a threshold that is no number.
    DataError
        No such table; an outcome without exactly two values; fewer than two patients of a class.
    """
    made = read_typed(path, asked.missing)
    table = made.table
    said: list[str] = []
    if set(OWN) <= set(table.columns):
        table, asked = _of_a_run(table, asked, said)
    numbering = row_numbers(table)
    if numbering:
        table = table.drop(columns=numbering)
        said.append("A first column that only numbers the rows is not used.")
    outcome, patient, site, scores = _columns(table, asked, said)
    require_scores(table, scores)
    truth, event = binary_outcome(table, outcome, _as_read(asked.event, table[outcome]))
    said.append(
        f"Outcome: {outcome}, of which {event} counts as the event. A higher score is taken to mean"
        " that the event is more likely."
    )
    negative = next(
        (label_of(v) for v, t in zip(table[outcome], truth, strict=True) if t == 0), "no"
    )
    classes = ("no", "yes") if {label_of(event), negative} == {"0", "1"} else (negative, event)
    target = Target(outcome, "binary", classes)
    positive = pd.Series(truth, index=table.index)
    known = positive.notna() & (table[patient].notna() if patient else True)
    lacking = {outcome: int(positive.isna().sum())}
    lacking |= {name: int(table[name].isna().sum()) for name in scores}
    if patient:
        lacking[patient] = int(table[patient].isna().sum())
    groups_of = [*([site] if site else []), *asked.subgroups]
    frame = pd.concat(
        [_frame(table[known], positive[known], name, patient, target, said) for name in scores],
        ignore_index=True,
    )
    _require_both(frame, target)
    probabilities = tuple(name for name in scores if is_probability(table[name]))
    rules = {name: _rule(name, frame, asked.thresholds, target, probabilities) for name in scores}
    for name, (cut, _) in rules.items():
        rows = frame["model"] == name
        high = frame.loc[rows, f"score:{classes[1]}"] >= cut
        frame.loc[rows, "predicted"] = np.where(high, classes[1], classes[0])
    if left := [name for name in scores if name not in probabilities]:
        said.append(
            f"{', '.join(left)}: no probabilities between 0 and 1, so there is no calibration, "
            "Brier score or net benefit."
        )
    primary = column_for(asked.primary, "--primary", table) or ""
    task = Task(
        name="judged",
        title=f"Predictions of {outcome}",
        unit="sample" if patient and table.loc[known, patient].duplicated().any() else "patient",
        targets=(target,),
        models=tuple(Model(name, name) for name in scores),
        primary=primary if primary in scores else scores[0],
    )
    if primary and primary not in scores:
        raise ConfigError(f"--primary {primary}: is none of the scores ({', '.join(scores)})")
    used = [outcome, *scores, *groups_of, *([patient] if patient else [])]
    return Given(
        task,
        Scored({outcome: frame}, {f"{name}/{outcome}": rules[name][1] for name in scores}),
        _groups(table[known], groups_of, patient),
        probabilities,
        (*said, *made.notes_on(used)),
        len(table),
        {name: count for name, count in lacking.items() if count},
    )


def _as_read(event: str | None, values: pd.Series) -> str | None:
    """Return the event as the table has it: R's TRUE and FALSE are read as 1 and 0."""
    if event is not None and pd.api.types.is_numeric_dtype(values):
        return {"true": "1", "false": "0"}.get(event.lower(), event)
    return event


def names_in(path: Path) -> list[str]:
    """Return what a table can be asked for: the models of a run of ours, else its columns."""
    table = read_typed(path).table
    if set(OWN) <= set(table.columns):
        return [str(name) for name in table["model"].unique()]
    return [str(name) for name in table.columns]


def label_of(value: object) -> str:
    """Return how a cell is called: whole numbers with all their digits, patients' above all.

    Examples
    --------
    >>> label_of(12345678), label_of(12345678.0), label_of(0.5), label_of("007")
    ('12345678', '12345678', '0.5', '007')
    """
    return f"{value:.15g}" if isinstance(value, int | float) else str(value)


def _columns(
    table: pd.DataFrame, asked: Question, said: list[str]
) -> tuple[str, str | None, str | None, list[str]]:
    """Return the columns of outcome, patient, site and scores; say which of them were guessed."""
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
    aside = [c for c in (outcome, patient, site, *asked.subgroups, guessed(FOLDS, table),
                         guessed(REPEATS, table)) if c]  # fmt: skip
    for name in asked.scores:
        column_for(name, "--score", table)
    classes = [label_of(value) for value in table[outcome].dropna().unique()]
    event = _as_read(asked.event, table[outcome]) or "1"
    scores = list(dict.fromkeys(asked.scores)) or guessed_scores(table, aside, classes, event)
    assumed = [
        f"{name} as {what}"
        for name, what, by_user in (
            (outcome, "the outcome", asked.outcome),
            (patient, "the patient", asked.patient),
            (site, "the site", asked.site),
            (", ".join(scores), "the score" if len(scores) == 1 else "scores", asked.scores),
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
    elif table[patient].duplicated().any():
        said.append(
            "Some patients have several rows: intervals take the patient as the unit, and every "
            "row is judged."
        )
    return outcome, patient, site, scores


def _frame(
    table: pd.DataFrame,
    positive: pd.Series,
    name: str,
    patient: str | None,
    target: Target,
    said: list[str],
) -> pd.DataFrame:
    """Return one score's rows as a run keeps its predictions."""
    known = table[name].notna()
    rows, score = table[known], table.loc[known, name].to_numpy(float)
    who = rows[patient].map(label_of) if patient else pd.Series(rows.index.astype(str), rows.index)
    fold, repeat = guessed(FOLDS, table), guessed(REPEATS, table)
    row = rows.index.astype(str)
    unit = who if patient and not who.duplicated().any() else pd.Series(row, rows.index)
    if (
        repeat
        and patient
        and not who.groupby(rows[repeat].to_numpy()).apply(lambda one: one.duplicated().any()).any()
    ):
        unit = who  # a patient once a repeat: scores are averaged over the repeats
    words = np.where(positive[known] == 1, target.classes[1], target.classes[0])
    return pd.DataFrame(
        {
            "unit_id": unit.to_numpy(),
            "sample_id": unit.to_numpy(),
            "recording_id": unit.to_numpy(),
            "study_id": unit.to_numpy(),
            "patient_id": who.to_numpy(),
            "subject_id": who.to_numpy(),
            "level": "patient",
            "time_s": np.nan,
            "repeat": pd.factorize(rows[repeat], sort=True)[0] if repeat else 0,
            "fold": rows[fold].map(label_of).to_numpy() if fold else "all",
            "model": name,
            "y_true": words,
            "predicted": None,
            f"score:{target.classes[0]}": 1 - score,
            f"score:{target.classes[1]}": score,
        }
    )


def _require_both(frame: pd.DataFrame, target: Target) -> None:
    for name, rows in frame.groupby("model", sort=False):
        counts = rows["y_true"].value_counts()
        n_events, n = int(counts.get(target.classes[1], 0)), len(rows)
        if min(n_events, n - n_events) < 2:
            raise DataError(
                f"{target.name}: expected at least 2 rows of each class with a {name}, found "
                f"{n_events} with the event and {n - n_events} without"
            )


def _rule(
    name: str,
    frame: pd.DataFrame,
    thresholds: Sequence[str],
    target: Target,
    probabilities: Sequence[str],
) -> tuple[float, str]:
    """Return at and above which score the event is called, and where the number comes from."""
    own = None
    for text in thresholds:
        column, equals, value = text.rpartition("=")
        if equals and column != name:
            continue
        try:
            own = float(value)
        except ValueError:
            raise ConfigError(f"--threshold {text}: expected a number, or SCORE=NUMBER") from None
    if own is not None:
        return own, "fixed: given"
    if name in probabilities:
        return 0.5, "fixed: one half"
    rows = frame[frame["model"] == name]
    chosen = youden_threshold(
        (rows["y_true"] == target.classes[1]).to_numpy(int),
        rows[f"score:{target.classes[1]}"].to_numpy(float),
        source="these patients",
    )
    return chosen.value, "chosen on these patients, which flatters it"


def _groups(table: pd.DataFrame, names: Sequence[str], patient: str | None) -> pd.DataFrame:
    who = (
        table[patient].map(label_of) if patient else pd.Series(table.index.astype(str), table.index)
    )
    return table[list(names)].groupby(who.to_numpy(), sort=False).first()


def _of_a_run(
    table: pd.DataFrame, asked: Question, said: list[str]
) -> tuple[pd.DataFrame, Question]:
    """Return the predictions.csv of a run of ours as a table with a column a model.

    The honest protocol is taken where it ran, and the first binary target.
    """
    protocols = list(dict.fromkeys(table["protocol"]))
    protocol = "honest" if "honest" in protocols else protocols[0]
    rows = table[table["protocol"] == protocol]
    target = asked.outcome if asked.outcome in set(rows["target"]) else rows["target"].iloc[0]
    rows = rows[rows["target"] == target]
    classes = list(dict.fromkeys(rows["class"].dropna().astype(str)))
    event = asked.event or (classes[-1] if len(classes) == 2 else None)
    if event not in classes:
        raise DataError(
            f"{target}: has the classes {', '.join(classes) or 'of a number'}; say with --event "
            "which one is judged against the rest"
        )
    rows = rows[rows["class"].astype(str) == event].dropna(subset=["score"])
    # Ids finer than the level of a prediction are empty: a patient's has none of a sample.
    ids = [name for name in ("sample_id", "recording_id", "study_id") if name in rows.columns]
    unit = rows["patient_id"].astype(object)
    for name in reversed(ids):
        unit = rows[name].astype(object).where(rows[name].notna(), unit)
    rows = rows.assign(unit=unit)
    key = ["patient_id", "unit", "repeat", "fold", "y_true"]
    wide = rows.pivot_table(index=key, columns="model", values="score", dropna=False, observed=True)
    wide = wide.dropna(how="all").reset_index()
    wide.columns.name = None
    truth = wide["y_true"].astype("object")
    other = f"not {event}" if len(classes) != 2 else next(c for c in classes if c != event)
    wide[str(target)] = truth.where(truth.isna() | (truth.astype(str) == event), other)
    models = [str(name) for name in dict.fromkeys(rows["model"])]
    said.append(
        f"A predictions.csv of cardio: protocol {protocol}, target {target}, the class {event}."
    )
    return wide.drop(columns=["y_true", "unit"]), Question(
        outcome=str(target), event=event, scores=list(asked.scores) or models,
        patient="patient_id", site=asked.site, subgroups=asked.subgroups,
        thresholds=asked.thresholds, primary=asked.primary, missing=(),
    )  # fmt: skip
