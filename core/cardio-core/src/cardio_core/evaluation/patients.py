"""How well each model does within the classes of a covariate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.aggregate import pooled
from cardio_core.evaluation.clinical_model import by_patient, tells_the_outcome
from cardio_core.evaluation.parts import ABOUT_DATA, Request, class_table
from cardio_core.io.cohort_columns import (
    COLUMNS,
    columns_of_patients,
    label_of,
    own_column,
    title_of,
)
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Metric, Scope
from cardio_stats import auc
from cardio_stats.agreement import regression_errors
from cardio_stats.baseline_table import MAX_LEVELS, TableOneChoices, table_one
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

MOST, FEWEST = 5, 5
"""Classes that a covariate may have to divide patients; units of either class that it takes."""


def subgroup_metrics(
    scored: Scored,
    task: Task,
    clinical: pd.DataFrame,
    config: EvaluateBlock,
    *,
    seed: int = 0,
    most: Mapping[str, int] | None = None,
) -> tuple[list[Metric], list[Note]]:
    """Estimate how well each model does among the patients of each class of a covariate.

    Parameters
    ----------
    scored : Scored
        Out-of-fold predictions beside the truth.
    task : Task
    clinical : DataFrame, one row a patient
        Covariates; those of 2 to 5 classes divide the patients, others are passed over.
    config : EvaluateBlock
    seed : int
        Of the resampling.
    most : mapping of str to int, optional
        Columns that divide whatever they look like, and into how many classes at most: sites.

    Returns
    -------
    list of Metric
        AUC (binary), macro F1 (several classes) or mean absolute error (a number), with the
        subgroup in its place.
    list of Note
        Notes on subgroups that are too small.
    """
    metrics: list[Metric] = []
    small: dict[str, None] = {}
    for name, groups in _dividing(clinical, most or {}).items():
        title = COLUMNS[name].title if name in COLUMNS else title_of(name)
        if name == "sex":
            title = "Sex"
        for target in task.targets:
            frame = scored.frames.get(target.name)
            if frame is None:
                continue
            for model in frame["model"].unique():
                rows = pooled(frame, target, str(model))
                group = rows["patient_id"].astype(str).map(groups)
                for item in sorted(groups.dropna().unique()):
                    about = Scope(
                        task=task.name, target=target.name, model=str(model),
                        subgroup=f"{title}: {_shown(name, item)}",
                    )  # fmt: skip
                    here = rows[(group == item).to_numpy(bool)]
                    try:
                        found = _estimate(here, target, task, config, seed)
                    except ABOUT_DATA:
                        small[str(about.subgroup)] = None
                        continue
                    metrics.append(Metric(found, replace(about)))
    notes = []
    if small:
        text = f"Too few patients for a separate figure: {', '.join(small)}."
        notes.append(Note(NoteKind.SUBGROUPS, text))
    return metrics, notes


def _dividing(clinical: pd.DataFrame, most: Mapping[str, int]) -> dict[str, pd.Series]:
    found = {}
    for name in clinical.columns:
        values = clinical[name]
        if name in most:
            if 2 <= values.nunique() <= most[name]:
                found[str(name)] = values.map(_text, na_action="ignore")
            continue
        column = COLUMNS.get(str(name))
        counted = column is not None and column.kind in ("flag", "code", "count")
        if not counted and own_column(values).kind in ("number", "date", "text", "empty"):
            continue
        texts = values.map(_text, na_action="ignore")
        if 2 <= texts.nunique() <= MOST:
            found[str(name)] = texts
    return found


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _shown(name: str, value: str) -> str:
    column = COLUMNS.get(name)
    if column is not None and column.kind == "flag":
        return {"1": "yes", "0": "no"}.get(value, value)
    if name == "sex":
        return {"M": "men", "F": "women"}.get(value, value)
    return value


def _estimate(
    rows: pd.DataFrame, target: Target, task: Task, config: EvaluateBlock, seed: int
) -> Estimate:
    known = rows[rows["y_true"].notna() & rows["unit_id"].notna()]
    request = Request(target, task, Scope(), "none", config, seed)
    counts = known["y_true"].value_counts()
    if target.kind == "continuous":
        if len(known) < 2 * FEWEST:
            raise DataError(f"expected {2 * FEWEST} or more with an outcome, found {len(known)}")
        truth, score = (known[name].to_numpy(float) for name in ("y_true", "score"))
        return regression_errors(truth, score, **request.resampled(known))["mae"]
    if len(counts) < 2 or int(counts.min()) < FEWEST:
        raise DataError(f"expected {FEWEST} or more of each class, found {counts.to_dict()}")
    if target.kind == "binary":
        positive = target.classes[1]
        truth = (known["y_true"] == positive).to_numpy(int)
        score = known[f"score:{positive}"].to_numpy(float)
        return auc(truth, score, **request.by_formula(known))
    return class_table(known, list(counts.index), request).by_class["all"]["macro_f1"]


# Table 1 of a run: the patients by outcome, in medicine's words.

GROUP = "outcome of the patients"
MISSING = "Missing"
OWN = "x_"
"""Marks a column of the user's own, whose name means nothing to us."""
WORDS = ("yes or no", "two words", "several words")


@dataclass(frozen=True)
class TableOne:
    """Table 1 as it is printed.

    Attributes
    ----------
    title : str
        What stands above it, without the outcome.
    frame : DataFrame
        The cells.
    notes : tuple of str
        The sentences below it.
    by : str
        The target that divides the patients; empty where none does.
    sizes : mapping of str to int
        Columns that describe patients, everybody's first, with how many they describe.
    """

    title: str
    frame: pd.DataFrame
    notes: tuple[str, ...]
    by: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)

    @property
    def about(self) -> dict[str, Any]:
        """What the manifest says of the table."""
        return {
            "title": self.title, "by": self.by, "notes": list(self.notes),
            "sizes": dict(self.sizes),
        }  # fmt: skip


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
            "with a value; see docs/cohort.md",
            code="missing",
        )
    made = _by_outcome(described, titles, counted, labels if divided else None, target)
    return replace(made, title="Patients at baseline")


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
    by_class = labels if target.kind != "continuous" else None
    return _by_outcome(described[list(titles)], titles, counted, by_class, target)


def _by_outcome(
    described: pd.DataFrame,
    titles: dict[str, str],
    counted: Sequence[str],
    labels: pd.Series | None,
    target: Target | None,
) -> TableOne:
    """Describe patients, divided by outcome where two classes have two of them each."""
    notes: list[str] = []
    sizes = [len(described)]
    group_titles: dict[str, str] = {}
    rows = described
    if labels is not None and target is not None:
        codes, words = _groups(labels.reindex(described.index), target)
        counts = codes.value_counts()
        if len(counts) >= 2 and int(counts.min()) >= 2:
            rows, group_titles = described.assign(**{GROUP: codes}), words
            sizes = [int(counts.sum()), *counts.sort_index().astype(int).tolist()]
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
        explain_fisher=False,
    )
    group = GROUP if group_titles else None
    made = table_one(rows, group, list(described.columns), choices=choices)
    frame = _printed(made.to_frame())
    columns = frame.columns[1 : 1 + len(sizes)].astype(str)
    by = target.name if group is not None and target is not None else ""
    by_column = dict(zip(columns, sizes, strict=True))
    return TableOne("Patients", frame, (*notes, *made.notes), by, by_column)


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
