"""Table 1 of a run: the patients by outcome, in medicine's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from cardio_core.errors import DataError
from cardio_core.evaluation.patients.clinical import by_patient
from cardio_core.evaluation.patients.same import tells_the_outcome
from cardio_core.io.cohort_schema import COLUMNS, label_of
from cardio_core.io.cohorts.known_columns import columns_of_patients
from cardio_core.io.cohorts.own_columns import own_column
from cardio_core.stats.groups.baseline_rows import MAX_LEVELS, TableOneChoices
from cardio_core.stats.groups.baseline_table import table_one
from cardio_core.types.info import Target

GROUP = "outcome of the patients"
MISSING = "Missing"
_FISHER = "Chi-square is not valid"
OWN = "x_"
"""Marks a column of the user's own, whose name means nothing to us."""
WORDS = ("yes or no", "two words", "several words")


@dataclass(frozen=True)
class TableOne:
    """Table 1 as it is printed: a title, the cells, and the sentences below them."""

    title: str
    frame: pd.DataFrame
    notes: tuple[str, ...]


def describe_patients(
    table: pd.DataFrame,
    patients: Sequence[str],
    labels: pd.Series | None,
    target: Target | None,
    covariates: Sequence[str] = (),
) -> TableOne:
    """Describe patients by what was known of them when they were recorded.

    Parameters
    ----------
    table : DataFrame
        The clinical cohort table, one row a study.
    patients : sequence of str
        Who is described.
    labels : Series or None
        The outcome by patient: names of classes, or numbers. None where nothing divides them.
    target : Target or None
        Whose outcome; of a number the patients are not divided.
    covariates : sequence of str
        Columns of the cohort's own that are described behind the known ones.

    Returns
    -------
    TableOne
        Follow-up measurements, what another examination says, and columns that tell the outcome
        are left out. The number of missing values stands where there are any.

    Raises
    ------
    DataError
        If there is nothing to describe.

    Examples
    --------
    >>> table = pd.DataFrame({"patient_id": list("abcd"), "age_y": [61.0, 50, 70, 64],
    ...                       "sex": ["M", "F", "M", "M"]})
    >>> labels = pd.Series(["no", "no", "yes", "yes"], index=list("abcd"))
    >>> made = describe_patients(table, list("abcd"), labels, Target("r", "binary", ("no", "yes")))
    >>> made.frame.columns[:3].tolist(), made.frame["Variable"].tolist()
    (['Variable', 'All (n = 4)', 'no (n = 2)'], ['Age (years), mean ± SD', 'Male sex, n (%)'])
    """
    known = (column.name for column in columns_of_patients())
    named = list(dict.fromkeys([*known, *covariates]))
    clinical = by_patient(table, named).reindex(list(patients))
    divided = target is not None and labels is not None and target.kind != "continuous"
    described = pd.DataFrame(index=clinical.index)
    titles: dict[str, str] = {}
    counted: list[str] = []
    for name in clinical.columns:
        values = clinical[name]
        if labels is not None and tells_the_outcome(values, labels):
            continue
        column, is_words = _readable(name, values)
        if column is None:
            continue
        described[name], titles[name] = column, label_of(name)
        counted += [name] if is_words else []
    if described.empty or not len(described.columns):
        raise DataError(
            "expected columns that describe patients at baseline (age_y, sex, ...), found none "
            "with a value; see docs/cohort.md"
        )
    frame, notes, divided = _by_outcome(
        described, titles, counted, labels if divided else None, target
    )
    by = f" by {_words_of(target)}" if divided and target is not None else ""
    return TableOne(f"Patients at baseline{by}", frame, notes)


def describe_columns(described: pd.DataFrame, labels: pd.Series, target: Target) -> TableOne:
    """Describe patients by columns of any names, by outcome.

    Parameters
    ----------
    described : DataFrame
        One row a patient: numbers, and words of few values. Other columns are left out, and those
        that tell the outcome.
    labels : Series
        Class by patient.
    target : Target
        Binary or of several classes; by a number the patients are not divided.

    Raises
    ------
    DataError
        If there is nothing to describe.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [61.0, 50, 70, 64], "sex": list("mfmm")}, index=list("abcd"))
    >>> labels = pd.Series(["no", "no", "yes", "yes"], index=list("abcd"))
    >>> describe_columns(table, labels, Target("r", "binary", ("no", "yes"))).frame.shape[0]
    2
    """
    labels = labels.reindex(described.index)
    titles: dict[str, str] = {}
    counted: list[str] = []
    for name in described.columns:
        values = described[name]
        if not values.notna().any() or tells_the_outcome(values, labels):
            continue
        column, is_words = _readable(OWN + str(name), values)
        if column is not None:
            titles[name] = label_of(OWN + str(name))
            counted += [name] if is_words or values.nunique() == 2 else []
    if not titles:
        raise DataError("expected columns that describe patients, found none with a value")
    divided = target.kind != "continuous"
    frame, notes, _ = _by_outcome(
        described[list(titles)], titles, counted, labels if divided else None,
        target if divided else None,
    )  # fmt: skip
    return TableOne(f"Patients by {target.name}" if divided else "Patients", frame, notes)


def _by_outcome(
    described: pd.DataFrame,
    titles: dict[str, str],
    counted: Sequence[str],
    labels: pd.Series | None,
    target: Target | None,
) -> tuple[pd.DataFrame, tuple[str, ...], bool]:
    """Return the printed table, the sentences below it, and whether the outcome divides it."""
    notes: list[str] = []
    group_titles: dict[str, str] = {}
    rows = described
    if labels is not None and target is not None:
        codes, words = _groups(labels.reindex(described.index), target)
        counts = codes.value_counts()
        if len(counts) >= 2 and int(counts.min()) >= 2:
            rows, group_titles = described.assign(**{GROUP: codes}), words
        else:
            notes.append(
                "The patients are not divided by outcome, because a class has fewer than two."
            )
    choices = TableOneChoices(
        continuous_test="welch",
        categorical_test="chi2",
        yates=False,
        ddof=1,
        categorical=tuple(counted),
        titles=titles,
        group_titles=group_titles,
    )
    group = GROUP if group_titles else None
    made = table_one(rows, group, list(described.columns), choices=choices)
    said = [note for note in made.notes if _FISHER not in note]  # the column of tests says it
    return _printed(made.to_frame()), (*notes, *said), group is not None


def _words_of(target: Target) -> str:
    return label_of(target.name)[:1].lower() + label_of(target.name)[1:]


def _readable(name: str, values: pd.Series) -> tuple[pd.Series | None, bool]:
    """Return a column as Table 1 describes it, and whether it is counted; None where it cannot."""
    if not values.notna().any():
        return None, False
    column = COLUMNS.get(name)
    if name == "sex":
        return values.map({"M": 1.0, "F": 0.0}).astype(float), True
    if column is not None and column.kind in ("number", "count", "flag"):
        numbers = pd.to_numeric(values, errors="coerce").astype(float)
        return numbers, column.kind == "flag" or name.startswith("nyha")
    if column is not None:
        return (values, True) if values.nunique() <= MAX_LEVELS else (None, False)
    kind = own_column(values).kind
    if kind == "number":
        return values.astype(float), False
    return (values, True) if kind in WORDS else (None, False)


def _groups(labels: pd.Series, target: Target) -> tuple[pd.Series, dict[str, str]]:
    """Return the classes as numbers, so that they stand in their order, and their words."""
    codes = labels.map({name: number for number, name in enumerate(target.classes)})
    words = {str(number): name for number, name in enumerate(target.classes)}
    return codes.astype("Float64"), words


def _printed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with capitals in its head, and missing values where there are any."""
    shown = frame.rename(columns={"missing": MISSING, "test": "Test"})
    first = shown.columns[1]
    shown = shown.rename(columns={first: first[:1].upper() + first[1:]})
    shown[MISSING] = shown[MISSING].where(shown[MISSING] != "0", "")
    shown["Test"] = shown["Test"].replace({"chi2": "χ²"})
    empty = [MISSING] if not shown[MISSING].astype(bool).any() else []
    if not (shown["p"].astype(str).str.strip("–—- ") != "").any():
        empty += ["p", "Test"]
    return shown.drop(columns=empty)
