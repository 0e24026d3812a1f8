"""A table's rows as a run keeps its predictions, whatever the kind of outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cardio_core.errors import ConfigError, DataError
from cardio_core.stats.classification.thresholds import youden_threshold
from cardio_core.studies.reading.called import label_of
from cardio_core.studies.reading.resamples import Resamples, once_a_repeat
from cardio_core.types.info import Target

FEWEST_NUMBERS = 3


def people(table: pd.DataFrame, patient: str | None) -> pd.Series:
    """Return whose each row is: the row's own number where no column says it."""
    if patient:
        return table[patient].map(label_of)
    return pd.Series(table.index.astype(str), table.index)


def rows_of_score(
    table: pd.DataFrame, truth: pd.Series, name: str, patient: str | None, found: Resamples
) -> pd.DataFrame:
    """Return who was predicted, in which fold, and what came true; scores are added by others.

    Parameters
    ----------
    table : DataFrame
        Rows whose score is known.
    truth : Series
        Of these rows: a class, or a number.
    name : str
        Of the score.
    patient : str or None
        Column of the patients.
    found : Resamples
    """
    who = people(table, patient)
    row = pd.Series(table.index.astype(str), table.index)
    unit = who if patient and not who.duplicated().any() else row
    again = None if found.repeat is None else found.repeat.loc[table.index]
    if once_a_repeat(table, patient, found):
        unit = who  # scores are averaged over the repeats
    fold = "all" if found.fold is None else found.fold.loc[table.index].astype(str).to_numpy()
    repeat = 0 if again is None else pd.factorize(again, sort=True)[0]
    if found.fold is not None and again is not None and len(set(again)) > 1:
        # fold 1 of another repeat tests others
        fold = again.astype(str).to_numpy() + " " + fold
    made = pd.DataFrame(dict.fromkeys(("unit_id", "sample_id", "recording_id", "study_id"), unit))
    return made.assign(
        patient_id=who, subject_id=who, level="patient", time_s=np.nan, repeat=repeat, fold=fold,
        model=name, y_true=truth.loc[table.index], predicted=None,
    )  # fmt: skip


def binary_frame(
    table: pd.DataFrame, positive: pd.Series, names: Sequence[str], patient: str | None,
    found: Resamples, target: Target,
) -> pd.DataFrame:  # fmt: skip
    """Return the rows of every score of an outcome of two values.

    Raises
    ------
    DataError
        Fewer than two rows of a class.
    """
    words = pd.Series(np.where(positive == 1, target.classes[1], target.classes[0]), table.index)
    frames = []
    for name in names:
        rows = table[table[name].notna()]
        n_events = int(positive[rows.index].sum())
        if min(n_events, len(rows) - n_events) < 2:
            raise DataError(
                f"{target.name}: expected at least 2 rows of each class with a {name}, found "
                f"{n_events} with the event and {len(rows) - n_events} without"
            )
        score = rows[name].astype(float)
        frames.append(
            rows_of_score(rows, words, name, patient, found).assign(
                **{f"score:{target.classes[0]}": 1 - score, f"score:{target.classes[1]}": score}
            )
        )
    return pd.concat(frames, ignore_index=True)


def number_frame(
    table: pd.DataFrame, names: Sequence[str], patient: str | None, found: Resamples,
    target: Target,
) -> pd.DataFrame:  # fmt: skip
    """Return the rows of every prediction of a number.

    Raises
    ------
    DataError
        Fewer than three rows, or probabilities where a number is to be predicted.
    """
    truth = table[target.name].astype(float)
    frames = []
    for name in names:
        rows = table[table[name].notna()]
        if len(rows) < FEWEST_NUMBERS:
            raise DataError(
                f"--score {name}: expected at least {FEWEST_NUMBERS} rows with a number and its "
                f"prediction, found {len(rows)}"
            )
        score = rows[name].astype(float)
        apart = truth[rows.index].min() > 1 or truth[rows.index].max() < 0
        if score.between(0, 1).all() and apart:
            raise DataError(
                f"--score {name}: expected predictions of {target.name} "
                f"({truth.min():g} to {truth.max():g}), found numbers between 0 and 1; name the "
                "column of predicted numbers, or an outcome of two values (--outcome)"
            )
        frames.append(
            rows_of_score(rows, truth, name, patient, found).assign(score=score, predicted=score)
        )
    return pd.concat(frames, ignore_index=True)


def class_frame(
    table: pd.DataFrame, sets: Mapping[str, Mapping[str, str]], decided: Mapping[str, str],
    patient: str | None, found: Resamples, target: Target,
) -> pd.DataFrame:  # fmt: skip
    """Return the rows of every set of columns, one a class, and of columns of decided classes.

    Parameters
    ----------
    table : DataFrame
    sets : mapping of str to mapping of class to column
    decided : mapping of str to column
        What was decided, of a set where the table says it (else the class with the largest
        probability), or by itself, without any probability.
    patient, found, target
        As of `rows_of_score`.
    """
    truth = table[target.name].map(label_of)
    frames = []
    for name in [*sets, *(one for one in decided if one not in sets)]:
        columns = list(sets.get(name, {}).values())
        needed = [*columns, *([decided[name]] if name in decided else [])]
        rows = table[table[needed].notna().all(axis=1)]
        if not len(rows):
            raise DataError(f"{name}: expected rows with all of {', '.join(needed)}, found none")
        scores = (
            rows[columns].to_numpy(float)
            if columns
            else np.full((len(rows), len(target.classes)), np.nan)
        )
        said = (
            rows[decided[name]].map(label_of).to_numpy()
            if name in decided
            else np.asarray(target.classes, dtype=object)[scores.argmax(axis=1)]
        )
        frames.append(
            rows_of_score(rows, truth, name, patient, found).assign(
                predicted=said,
                **{f"score:{one}": scores[:, i] for i, one in enumerate(target.classes)},
            )
        )
    return pd.concat(frames, ignore_index=True)


def rule(
    name: str, frame: pd.DataFrame, thresholds: Sequence[str], target: Target, probability: bool
) -> tuple[float, str]:
    """Return at and above which score the event is called, and where the number comes from.

    Raises
    ------
    ConfigError
        A threshold that is no number.
    """
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
    if probability:
        return 0.5, "fixed: one half"
    rows = frame[frame["model"] == name]
    chosen = youden_threshold(
        (rows["y_true"] == target.classes[1]).to_numpy(int),
        rows[f"score:{target.classes[1]}"].to_numpy(float),
        source="these patients",
    )
    return chosen.value, "chosen on these patients, which flatters it"


def groups_of(table: pd.DataFrame, names: Mapping[str, int], patient: str | None) -> pd.DataFrame:
    """Return site and subgroups, one row a patient.

    `names` says of each column how many groups it may form: up to so many values are words, so
    that hospital 3 is no number.
    """
    found = table[list(names)].copy()
    for name, most in names.items():
        if found[name].nunique() <= most:
            found[name] = found[name].map(label_of, na_action="ignore")
    return found.groupby(people(table, patient).to_numpy(), sort=False).first()
