"""Which columns of a stranger's predictions are what, where the user does not say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.api import Target
from cardio_stats import columns_told
from cardio_stats.errors import ConfigError, DataError, every
from cardio_stats.outcome import PAIRS, Outcome, place_words, words_in
from cardio_stats.tables import PATIENTS

# How columns and cells are called: their words, and whether one is called by another.

LARGEST_EXACT = 2.0**53  # of whole numbers in double precision
NUMBERED = re.compile(r"^X(?=\d+$)")
"""R puts an X before a name that is a number."""


def parts(name: object) -> list[str]:
    """Return the words and numbers of a name, in small letters.

    Examples
    --------
    >>> parts(".pred_Class 1")
    ['pred', 'class', '1']
    """
    return re.findall(r"[^\W_]+", str(name).lower())


def speaks_of(name: str, value: str) -> bool:
    """Say whether a column is called by a value of the outcome, as ``.pred_yes`` and ``X1`` are.

    Examples
    --------
    >>> speaks_of(".pred_yes", "yes"), speaks_of("X1", "1"), speaks_of("age", "1")
    (True, True, False)
    """
    words, value_words = parts(NUMBERED.sub("", name)), parts(value)
    same = {"1": ["true"], "0": ["false"], "true": ["1"], "false": ["0"]}.get(value.lower())
    return any(wanted and words[-len(wanted) :] == wanted for wanted in (value_words, same))


def label_of(value: object) -> str:
    """Return how a cell is called: whole numbers with all their digits, patients' above all.

    Examples
    --------
    >>> label_of(12345678), label_of(12345678.0), label_of(0.5), label_of("007")
    ('12345678', '12345678', '0.5', '007')
    """
    return f"{value:.15g}" if isinstance(value, int | float) else str(value)


OUTCOMES = ("y_true", "y", "truth", "true", "label", "labels", "target", "outcome", "event",
            "response", "class", "status", "obs", "observed", "ground_truth", "gt", "y_test",
            "y_val", "actual")  # fmt: skip
FOLDS, REPEATS = ("fold", "cv_fold", "resample_fold", "split"), ("repeat", "rep")
SITES = ("site", "site_id", "centre", "center", "hospital", "redcap_data_access_group",
         "data_access_group")  # fmt: skip
_SCORE = re.compile(
    r"score|prob|pred|risk|yhat|y_hat|p_hat|\bfitted\b|logit|lp\b|linear_?predictor|softmax"
    r"|^pre_\d+$",  # SPSS saves predicted probabilities so
    re.IGNORECASE,
)
_RESAMPLE = re.compile(r"^(fold|resample|bootstrap|repeat|rep|split)[ _.]?\d+", re.IGNORECASE)
_NO_NAMES = re.compile(r"^(unnamed: ?\d+|x|rownames|row\.names|index|level_0|)$", re.IGNORECASE)


def row_numbers(table: pd.DataFrame) -> list[str]:
    """Return columns that only number the rows: the index of pandas, the row names of R.

    Examples
    --------
    >>> row_numbers(pd.DataFrame({"": [1, 2, 3], "X": [0, 1, 2], "age": [1, 2, 3]}))
    ['', 'X']
    """
    found = []
    for name in table.columns:
        values = table[name]
        if not _NO_NAMES.match(str(name).strip()) or not pd.api.types.is_numeric_dtype(values):
            continue
        start = values.iloc[0] if len(values) else None
        if start in (0, 1) and np.array_equal(values, np.arange(len(values)) + start):
            found.append(str(name))
    return found


def column_for(name: str | None, option: str, table: pd.DataFrame) -> str | None:
    """Return a column that the user named.

    Raises
    ------
    ConfigError
        If the table has none of that name.
    """
    if name is not None and name not in table.columns:
        raise ConfigError(
            f"{option} {name}: no such column; the table has {columns_told(table, 12)}"
        )
    return name


def guessed(names: Sequence[str], table: pd.DataFrame, others: Iterable[str] = ()) -> str | None:
    """Return the first column with one of these names, whatever its capitals, blanks and dots."""
    taken = set(others)
    by_name = {"_".join(parts(column)): str(column) for column in reversed(table.columns)}
    return next((by_name[n] for n in names if n in by_name and by_name[n] not in taken), None)


def guessed_patient(table: pd.DataFrame, others: Iterable[str] = ()) -> str | None:
    """Return the patients' column by its name; tidymodels calls its folds ``id``: they are none."""
    folds = [
        str(name)
        for place, name in enumerate(table.columns)
        if len(known := table.iloc[:, place].dropna())
        and _RESAMPLE.match(str(known.iloc[0]))
        and known.astype(str).str.match(_RESAMPLE).all()
    ]
    return guessed(PATIENTS, table, [*others, *folds])


def guessed_outcome(table: pd.DataFrame, others: Iterable[str]) -> str:
    """Return the outcome's column by its name.

    Raises
    ------
    ConfigError
        If no column has a usual name.
    """
    found = guessed(OUTCOMES, table, others)
    if found is None:
        raise ConfigError(
            f"--outcome: no column is called y_true, outcome, label or the like; the table has "
            f"{columns_told(table, 12)}; name the column of what really happened"
        )
    return found


def guessed_scores(
    table: pd.DataFrame, others: Iterable[str], classes: Sequence[str] = (), event: str = ""
) -> list[str]:
    """Return numeric columns whose names say that they are scores.

    Parameters
    ----------
    table : DataFrame
    others : iterable of str
        Columns that are something else.
    classes : sequence of str
        Values of the outcome: caret calls probabilities by them.
    event : str
        The one that counts. Of two columns that add up to one the score is the one that is called
        by it (``.pred_yes``), else the last.

    Raises
    ------
    ConfigError
        If there is none.

    Examples
    --------
    >>> table = pd.DataFrame({"y": [0, 1], "y_pred": [0, 1], "prob_1": [0.2, 0.7], "age": [1, 2]})
    >>> guessed_scores(table, ["y"])
    ['prob_1']
    """
    taken = set(others)
    numeric = [
        str(name)
        for name in table.columns
        if name not in taken and pd.api.types.is_numeric_dtype(table[name])
    ]
    named = [name for name in numeric if _SCORE.search(name)]
    if not named:
        named = [name for name in numeric if is_probability(table[name])
                 and any(speaks_of(name, word) for word in classes)]  # fmt: skip
    found = [name for name in named if not table[name].dropna().isin([0, 1]).all()]
    for name in list(found):
        for other in found[found.index(name) + 1 :] if name in found else []:
            if _mirrors(table[name], table[other]):
                # of a two-column predict_proba one is the other class, which adds nothing
                first = speaks_of(name, event) and not speaks_of(other, event)
                found.remove(other if first else name)
                break
    if found or named:
        return found or named
    for name in (
        str(column) for column in table.columns if column not in taken and column not in numeric
    ):
        if _SCORE.search(name) and pd.to_numeric(table[name], errors="coerce").notna().mean() > 0.5:
            return [name]  # one cell keeps it from being numbers, and is named
    shown = ", ".join(numeric[:12]) or "none"
    raise ConfigError(
        f"--score: no numeric column is called score, prob, pred or risk; numeric columns are "
        f"{shown}; name one"
    )


def _mirrors(first: pd.Series, second: pd.Series) -> bool:
    """Say whether two columns add up to one in every row."""
    both = (first + second).dropna()
    within = bool(first.between(0, 1).all())
    return bool(len(both)) and within and bool(np.allclose(both, 1.0, atol=1e-4))


def is_probability(values: pd.Series) -> bool:
    """Say whether a score can be a probability: all of it between 0 and 1, and not only 0 and 1.

    Examples
    --------
    >>> is_probability(pd.Series([0.1, 0.9])), is_probability(pd.Series([0, 1])), is_probability(
    ...     pd.Series([-1.0, 2.5]))
    (True, False, False)
    """
    known = values.dropna()
    return bool(known.between(0, 1).all()) and not known.isin([0, 1]).all()


def _not_a_number(values: pd.Series) -> str:
    """Name the cell that keeps a column from being numbers, and its row."""
    numbers = pd.to_numeric(values, errors="coerce")
    far = np.abs(numbers.to_numpy(float))
    for bad, what in (
        ((numbers.isna() & values.notna()).to_numpy(), "text such as"),
        (np.isinf(far), "an infinite value,"),
        (far > LARGEST_EXACT, "a number with more digits than are kept,"),
    ):
        if bad.any():
            row = int(bad.argmax())
            return f"expected numbers, found {what} {str(values.iloc[row])!r} in data row {row + 1}"
    return "expected numbers, found none"


def threshold_for(texts: Sequence[str], name: str) -> float | None:
    """Return the threshold of a score; what names it counts like what names none, the last first.

    Raises
    ------
    ConfigError
        A threshold that is no number.

    Examples
    --------
    >>> threshold_for(["0.3", "risk=0.4"], "risk"), threshold_for(["risk=0.4"], "age")
    (0.4, None)
    """
    found = None
    for text in texts:
        column, equals, value = text.rpartition("=")
        if equals and column != name:
            continue
        try:
            found = float(value)
        except ValueError:
            raise ConfigError(f"--threshold {text}: expected a number, or SCORE=NUMBER") from None
    return found


def require_scores(table: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse scores that are no finite numbers, or the same for everybody.

    Raises
    ------
    DataError
        In one line, with the column.
    """
    for name in names:
        values = table[name]
        if strays := table.attrs.get("strays", {}).get(name):
            raise DataError(f"--score {name}: {strays}")
        if not pd.api.types.is_numeric_dtype(values):
            raise DataError(f"--score {name}: {_not_a_number(values)}")
        if np.isinf(values.to_numpy(float)).any():
            raise DataError(
                f"--score {name}: found infinite values; a log odds of a probability of 0 or 1 is "
                "one; give probabilities"
            )
        if values.nunique() < 2:
            raise DataError(
                f"--score {name}: expected scores that differ, found one value in all rows; "
                "choose another column"
            )


# What kind of outcome a table tells: two values, several classes, or a number.

KINDS = {"binary": "binary", "classes": "multiclass", "number": "continuous"}
"""As the user says it, and as a target has it."""

DECIDED = ("pred", "y_pred", "pred_class", "predicted", "prediction", "predicted_class", "yhat",
           "y_hat", "class_pred", "pred_label")  # fmt: skip
MOST_CLASSES = 10


def kind_of_outcome(
    table: pd.DataFrame, outcome: str, kind: str | None, event: str | None, others: Iterable[str],
    negative: Sequence[str] = (),
) -> str:  # fmt: skip
    """Return ``binary``, ``classes`` or ``number``: as the user says, else where it is plain.

    Two values are binary, words are classes, and so are whole numbers after which columns of
    probabilities are called; other numbers of more than `MOST_CLASSES` values are a number.

    Raises
    ------
    ConfigError
        An event of an outcome that has none.
    DataError
        A few whole numbers that may be either.
    """
    values = table[outcome].dropna()
    words = words_in(values)
    n = len(words)
    if event is not None or negative:
        if kind in ("number", "classes"):
            named = f"--event {event}" if event is not None else f"--negative {negative[0]}"
            raise ConfigError(f"{named}: an outcome of --kind {kind} has none; leave one out")
        return "binary"
    if kind is not None or n <= 2:
        return kind or "binary"
    if not pd.api.types.is_numeric_dtype(values):
        if any(set(pair) <= set(words) for pair in PAIRS):
            place_words(values, Outcome(outcome))  # refuses what stands beside the pair
        return "classes"
    labels = [label_of(value) for value in values.unique()]
    whole = bool((values == values.round()).all())
    if n <= MOST_CLASSES and whole:
        if class_sets(table, labels, [outcome, *others]):
            return "classes"
        raise DataError(
            f"column {outcome!r}: expected an outcome of two values, found {n} whole numbers "
            f"({', '.join(sorted(labels)[:4])}{', ...' if n > 4 else ''}); say --kind number, or "
            "--kind classes"
        )
    return "number"


def class_sets(
    table: pd.DataFrame, classes: Sequence[str], others: Iterable[str] = ()
) -> dict[str, dict[str, str]]:
    """Return the sets of columns that hold a probability of every class, by what they share.

    ``.pred_A``, ``.pred_B`` and ``.pred_C`` of tidymodels are the set ``.pred``; ``rf_A`` and
    ``glm_A`` belong to two sets; columns called by the classes alone (caret) are
    ``probabilities``.

    Examples
    --------
    >>> table = pd.DataFrame({"rf_A": [0.2], "rf_B": [0.5], "rf_C": [0.3], "age_A": [1.0]})
    >>> class_sets(table, ["A", "B", "C"])
    {'rf': {'A': 'rf_A', 'B': 'rf_B', 'C': 'rf_C'}}
    """
    return {
        name: own
        for name, own in started_sets(table, classes, others).items()
        if len(own) == len(classes)
    }


def started_sets(
    table: pd.DataFrame, classes: Sequence[str], others: Iterable[str] = ()
) -> dict[str, dict[str, str]]:
    """Return sets of numeric columns called after classes, those that lack a class too."""
    taken = set(others)
    found: dict[str, dict[str, str]] = {}
    # of classes of which one ends like another (mild, not mild) the longer name goes first
    longest = sorted(classes, key=lambda word: -len(parts(word)))
    for column in map(str, table.columns):
        if column in taken or not pd.api.types.is_numeric_dtype(table[column]):
            continue
        word = next((candidate for candidate in longest if speaks_of(column, candidate)), None)
        if word is not None:
            found.setdefault(_shared(column, word), {}).setdefault(word, column)
    return {
        name: {name: own[name] for name in classes if name in own} for name, own in found.items()
    }


def _shared(column: str, value: str) -> str:
    """Return what stands before the class in a column's name."""
    if NUMBERED.match(column):
        return "probabilities"
    words = list(re.finditer(r"[^\W_]+", column))
    before = column[: words[-max(1, len(parts(value)))].start()]
    return before.rstrip(" _.:-") or "probabilities"


def decided_column(
    table: pd.DataFrame, classes: Sequence[str], others: Iterable[str]
) -> str | None:
    """Return the column of decided classes by its name and its values, None without one."""
    found = guessed(DECIDED, table, others)
    if found is None:
        return None
    labels = {label_of(value) for value in table[found].dropna().unique()}
    return found if labels <= set(classes) else None


def columns_in(sets: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return every column of some sets."""
    return [column for own in sets.values() for column in own.values()]


# Scores and truths by patient, as several sources have them.


def patient_frame(who: pd.Index, score: Any, target: Target, **about: Any) -> pd.DataFrame:
    """Return the probability of the second class by patient as rows of a prediction frame."""
    ids, score = who.astype(str), np.asarray(score, dtype=float)
    negative, positive = target.classes
    rows = pd.DataFrame(
        {"unit_id": ids, "sample_id": None, "recording_id": None, "study_id": None,
         "patient_id": ids, "subject_id": ids, "level": "patient", "time_s": np.nan,
         f"score:{negative}": 1 - score, f"score:{positive}": score}
    )  # fmt: skip
    return rows.assign(**about)


def truth_and_score(rows: pd.DataFrame, target: Target) -> tuple[Any, Any]:
    """Return what came true and what was predicted: 0 and 1 and a score, or two numbers."""
    if target.kind == "continuous":
        return rows["y_true"].to_numpy(float), rows["score"].to_numpy(float)
    event = target.classes[1]
    return (rows["y_true"] == event).to_numpy(int), rows[f"score:{event}"].to_numpy(float)


def truth_of_patients(label: str, patients: pd.Series, truth: pd.Series) -> pd.Series:
    """Return the outcome by patient.

    Raises
    ------
    DataError
        Patients have rows of both outcomes.
    """
    by_patient = truth.groupby(patients)
    mixed = int((by_patient.min() != by_patient.max()).sum())
    if mixed:
        raise DataError(
            f"{label}: {mixed} patients have rows of both outcomes; sources are brought together "
            "by patient, so give one outcome a patient"
        )
    return by_patient.first()


def require_one_truth(truths: Mapping[str, pd.Series], do: str) -> None:
    """Refuse sources in which shared patients have different outcomes; `do` says what to do."""
    for (first, own), (second, other) in combinations(truths.items(), 2):
        both = own.index.intersection(other.index)
        differ = int((own[both] != other[both]).sum())
        if differ:
            raise DataError(
                f"{first} and {second}: {differ} of {len(both)} shared patients have another "
                f"outcome in one than in the other; {do}"
            )


# What a user says of a table of predictions.


@dataclass(frozen=True)
class Question:
    """What the user says of a table of predictions; what is None or empty is guessed, and said.

    Attributes
    ----------
    outcome, event : str or None
        Column of what happened, and which of its two values counts.
    scores : sequence of str
        Columns of scores, the first of which leads unless `primary` says another; of several
        classes what a set of columns shares (``rf`` of ``rf_A``, ``rf_B``, ``rf_C``).
    patient, site : str or None
    subgroups : sequence of str
    thresholds : sequence of str
        ``"0.3"`` for every score, ``"risk=0.3"`` for one.
    primary : str or None
        The score that was declared beforehand as the one that answers.
    missing : sequence of str
        Further words that mean a missing value.
    kind : {"binary", "classes", "number"} or None
        Of the outcome.
    negative : sequence of str
        Values of the outcome without the event, where there are several.
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
    kind: str | None = None
    negative: Sequence[str] = ()


# Folds, repeats and rows of training in a table of predictions, as other programs write them.

PARTS = ("split", "set", "partition", "subset", "datatype", "data_type", "dataset", "phase")
_TRAIN = frozenset({"train", "training", "tr", "fit", "analysis", "development"})
_TEST = frozenset({"test", "testing", "te", "holdout", "hold_out", "held_out", "assessment"})
_VALID = frozenset({"val", "valid", "validation", "validate", "tune", "tuning"})
_CARET = re.compile(r"^(Fold\d+)(?:\.(Rep\d+))?$", re.IGNORECASE)
_DRAWN = re.compile(r"^(Resample|Bootstrap|Boot|split|Split|Slice)[ _.]?\d+$", re.IGNORECASE)
_REPEAT = re.compile(r"^Repeat[ _.]?\d+$", re.IGNORECASE)
_TUNING = (".config", "_config")


@dataclass(frozen=True)
class Resamples:
    """Which resample tested each row.

    Attributes
    ----------
    fold, repeat : Series of str or None
        By row.
    columns : tuple of str
        That say so: they are neither scores nor patients.
    sentences : tuple of str
        A sentence on how the numbers go over the folds.
    """

    fold: pd.Series | None = None
    repeat: pd.Series | None = None
    columns: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()


def tested_rows(table: pd.DataFrame, sentences: list[str]) -> pd.DataFrame:
    """Return the rows of a test part where a column names rows of training, too; say so.

    Raises
    ------
    DataError
        Rows of training alone.
    """
    for name in map(str, table.columns):
        if "_".join(re.findall(r"[^\W_]+", name.lower())) not in PARTS:
            continue
        values = table[name].astype("string").str.strip().str.lower().str.replace(" ", "_")
        known = set(values.dropna())
        if not known & _TRAIN or not known <= _TRAIN | _TEST | _VALID:
            continue
        wanted = known & _TEST or known & _VALID
        if not wanted:
            raise DataError(
                f"column {name!r}: all rows are of training, where every model looks good; give "
                "predictions of patients who were kept apart"
            )
        tested = table[values.isin(wanted)]
        sentences.append(
            f"Column {name} tells training from test: the {len(tested)} rows of "
            f"{' and '.join(sorted(wanted))} are judged, {len(table) - len(tested)} others are not."
        )
        return tested
    return table


def resamples_in(table: pd.DataFrame) -> Resamples:
    """Find folds by their name (fold) or by their values (Fold1.Rep2, Repeat1, Bootstrap3).

    Examples
    --------
    >>> table = pd.DataFrame({"Resample": ["Fold1.Rep1", "Fold2.Rep1"], "id": [1, 2]})
    >>> found = resamples_in(table)
    >>> found.columns, found.fold.tolist(), found.repeat.tolist()
    (('Resample',), ['Fold1', 'Fold2'], ['Rep1', 'Rep1'])
    """
    fold, repeat = guessed(FOLDS, table), guessed(REPEATS, table)
    if fold is not None:
        again = table[repeat].map(label_of, na_action="ignore") if repeat else None
        folds = table[fold].map(label_of, na_action="ignore")
        return _tested(folds, again, (fold, *([repeat] if repeat else [])))
    by_value = _by_value(table)
    if by_value is not None:
        return by_value
    if repeat is None:
        return Resamples()
    again = table[repeat].map(label_of, na_action="ignore")
    return _tested(None, again, (repeat,))


def _by_value(table: pd.DataFrame) -> Resamples | None:
    texts = {
        str(name): table[name].dropna().astype(str)
        for name in table.columns
        if not pd.api.types.is_numeric_dtype(table[name])
    }
    for name, values in texts.items():
        if len(values) and values.str.match(_CARET).all():
            pieces = table[name].astype("string").str.extract(_CARET)
            repeats = [n for n, v in texts.items() if len(v) and v.str.match(_REPEAT).all()]
            outer = next((n for n in repeats if n != name), None)
            again = pieces[1] if pieces[1].notna().any() else None
            again = table[outer] if outer is not None else again
            return _tested(pieces[0], again, (name, *([outer] if outer else [])))
    for name, values in texts.items():
        if len(values) and values.str.match(_DRAWN).all():
            return _tested(table[name], None, (name,))
    return None


def _tested(
    fold: pd.Series | None, repeat: pd.Series | None, columns: tuple[str, ...]
) -> Resamples:
    n_folds = 0 if fold is None else fold.nunique()
    n_repeats = 1 if repeat is None else repeat.nunique()
    if n_folds < 2 and n_repeats < 2:
        return Resamples(fold, repeat, columns)
    times = f", {n_repeats} repeats" if n_repeats > 1 else ""
    named = " and ".join(columns)
    text = (
        f"Folds: {named} ({n_folds} folds{times}). Numbers are of all folds pooled, so that "
        "predictions of one fold's model are judged together with those of another's; fold by "
        "fold, with mean and SD, they are in a separate table."
    )
    return Resamples(fold, repeat, columns, (text,))


def once_a_repeat(table: pd.DataFrame, patient: str | None, found: Resamples) -> bool:
    """Say whether every patient stands once in each repeat: predictions are then averaged."""
    if patient is None or found.repeat is None or len(set(found.repeat.dropna())) < 2:
        return False
    pairs = pd.DataFrame({"who": table[patient], "repeat": found.repeat.loc[table.index]})
    return not pairs.dropna().duplicated().any()


def refuse_tuning(table: pd.DataFrame, patient: str | None, found: Resamples) -> None:
    """Refuse predictions of several settings of one model in one column.

    tidymodels tells settings in ``.config``; caret, which saves all by default, repeats the row
    within a resample.

    Raises
    ------
    DataError
    """
    for name in _TUNING:
        n_settings = len(set(table[name].dropna())) if name in table.columns else 0
        if n_settings > 1:
            raise DataError(
                f"column {name!r}: {n_settings} settings of one model are in one column; keep one "
                "(collect_predictions(parameters = select_best(...)))"
            )
    named = {str(name).lower(): str(name) for name in table.columns}
    number = named.get("rowindex")
    if number is None or not found.columns or number != patient:
        return
    twice = int(table.duplicated([number, *found.columns]).sum())
    if twice:
        raise DataError(
            f"column {number!r}: {twice} rows stand twice within a resample: several settings of "
            'one model are in one column; keep one (trainControl(savePredictions = "final"))'
        )


# Which column of a stranger's table is what, and of which kind its outcome is.


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


_STATUS = frozenset({"event", "status", "fustat", "censored", "delta", "event_status"})
_TIMES = frozenset({
    "time", "days", "months", "years", "futime", "follow_up", "followup", "survival_time",
    "time_to_event", "follow_up_days", "followup_days",
})  # fmt: skip


def _refuse_follow_up(table: pd.DataFrame, outcome: str) -> None:
    """Refuse an outcome that is censored: whoever left early would count as without the event."""
    if outcome.casefold() not in _STATUS:
        return
    times = [str(name) for name in table.columns if str(name).casefold() in _TIMES]
    if times:
        raise DataError(
            f"column {outcome!r}: stands with a time ({times[0]}), as follow-up does, and patients "
            "who left early are no controls; judge it by a time (--time "
            f"{times[0]} --status {outcome} --horizon T), or leave the time out of the table"
        )


def columns_of(table: pd.DataFrame, question: Question, sentences: list[str]) -> Columns:
    """Return which column is what; say which of them were guessed."""
    for name in question.subgroups:
        column_for(name, "--subgroup", table)
    named = [*question.scores, *question.subgroups]
    outcome = column_for(question.outcome, "--outcome", table) or guessed_outcome(
        table, question.subgroups
    )
    if outcome in question.scores:
        raise ConfigError(f"--score {outcome}: is the outcome; name the column of the predictions")
    patient = column_for(question.patient, "--patient", table) or guessed_patient(
        table, [*named, outcome]
    )
    site = column_for(question.site, "--site", table) or guessed(SITES, table, [*named, outcome])
    resamples = resamples_in(table)
    refuse_tuning(table, patient, resamples)
    aside = [c for c in (outcome, patient, site, *question.subgroups, *resamples.columns) if c]
    _refuse_follow_up(table, outcome)
    try:
        kind = kind_of_outcome(
            table, outcome, question.kind, question.event, aside, question.negative
        )
    except (ConfigError, DataError) as error:
        _refuse_with_strays(error, table, question.scores)
        raise
    sets: dict[str, dict[str, str]] = {}
    decided: dict[str, str] = {}
    if kind == "classes":
        sets, decided = _of_classes(table, question, outcome, aside)
        scores = list(dict.fromkeys([*sets, *decided]))
    else:
        for name in question.scores:
            column_for(name, "--score", table)
        classes = [label_of(value) for value in table[outcome].dropna().unique()]
        event = ""
        checks: list[Callable[[], object]] = []
        if kind == "number":
            classes = []
        elif len(words_in(table[outcome])) > 1:
            about = Outcome(outcome, question.event, tuple(question.negative))
            place = partial(place_words, table[outcome], about)
            checks.append(place)
            with suppress(ConfigError):
                event = place().event
        scores = list(dict.fromkeys(question.scores)) or guessed_scores(
            table, aside, classes, event
        )
        every(*checks, *(partial(require_scores, table, [name]) for name in scores))
    singular = {"number": "the prediction", "classes": "the probabilities"}.get(kind, "the score")
    many = {"number": "predictions", "classes": "sets of probabilities"}.get(kind, "scores")
    assumed = [
        f"{name} as {what}"
        for name, what, by_user in (
            (outcome, "the outcome", question.outcome),
            (patient, "the patient", question.patient),
            (site, "the site", question.site),
            (", ".join(scores), singular if len(scores) == 1 else many, question.scores),
        )
        if name and not by_user
    ]
    if assumed:
        sentences.append(f"Taken by their names: {', '.join(assumed)}.")
    if patient is None:
        sentences.append(
            "No column names the patients: every row is taken as another patient; name the "
            "column with --patient if some have several rows."
        )
    elif once_a_repeat(table, patient, resamples):
        sentences.append(
            "Every patient stands once in each repeat: predictions are averaged over them."
        )
    elif table[patient].duplicated().any():
        sentences.append(
            "Some patients have several rows: intervals take the patient as the unit, and every "
            "row is judged."
        )
    return Columns(outcome, patient, site, kind, tuple(scores), sets, decided, resamples)


def _refuse_with_strays(
    error: ConfigError | DataError, table: pd.DataFrame, scores: Sequence[str]
) -> None:
    """Refuse an outcome together with the scores that a few cells keep from being numbers."""
    strays = table.attrs.get("strays", {})
    strange = [name for name in scores if name in strays]
    if strange:
        more = ". ".join(f"--score {name}: {strays[name]}" for name in strange)
        raise type(error)(f"{1 + len(strange)} things. {error}. {more}") from None


def _of_classes(
    table: pd.DataFrame, question: Question, outcome: str, aside: Sequence[str]
) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Return the sets of columns of probabilities, and the columns of decided classes."""
    classes = classes_in(table[outcome])
    if len(classes) < 2:
        raise DataError(
            f"column {outcome!r}: expected several classes, found {len(classes)}; with one class "
            "there is nothing to predict"
        )
    sets = class_sets(table, classes, aside)
    found = decided_column(table, classes, [*aside, *columns_in(sets)])
    if question.scores:
        chosen: dict[str, dict[str, str]] = {}
        alone: dict[str, str] = {}
        for name in question.scores:
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
        f"{name} lacks {', '.join(word for word in classes if word not in own)}"
        for name, own in list(started.items())[:3]
    )
    raise ConfigError(
        f"--score: {outcome} has the classes {', '.join(classes[:6])}"
        f"{', ...' if len(classes) > 6 else ''}; expected a column of probabilities for each, "
        f"called by it (prob_{classes[0]}), or one of decided classes; "
        f"{lacks or 'found none'}"
    )
