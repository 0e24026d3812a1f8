"""What predicts the outcome without looking at the heart: files, devices, ids, order of the data.

A model can learn who was recorded where instead of who responds. Here a small model is fitted on
what is no physiology, on the same folds as the models of the run, and each property is looked at
alone. What comes of it is a warning at the head of the page, not a metric of the task.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu

from cardio_core.evaluation.likeness import NAMES
from cardio_core.report.terms import capital
from cardio_core.types.info import Target
from cardio_core.types.notes import Note, NoteKind, Severity
from cardio_core.types.samples import Cohort
from cardio_stats import auc
from cardio_stats.estimate import Estimate
from cardio_stats.words import counted, listed, number

ALL_BUT_PERFECT = 0.95
"""The AUC from which on one property alone is warned of."""
SIGNIFICANT = 0.01
"""The p-value below which is warned, corrected for how many were tried. It is not .05: a warning
heads the page of every run, and a false one costs more than a weak shortcut that is passed over."""
LEAST_OF_A_CLASS = 5
"""Patients of the rarer class below which nothing is said: chance separates so few."""
_ID_NUMBER = re.compile(r"\d+")

Folds = Sequence[tuple[frozenset[str], frozenset[str]]]
"""Patients of training and of test, a pair a fold."""


@dataclass(frozen=True)
class Shortcut:
    """How well something that is no physiology tells an outcome.

    Attributes
    ----------
    target, property : str
        Which outcome, and what tells it; `property` is empty for all together.
    estimate : Estimate
        The AUC over patients: out of fold for all together and for names, of the value itself for a
        number, in the direction that separates better.
    p_value : float
        Of the Mann-Whitney test, two-sided.
    """

    target: str
    property: str
    estimate: Estimate
    p_value: float


def properties_of(
    cohort: Cohort, acquired: Mapping[str, Mapping[str, float | str]] | None = None
) -> pd.DataFrame:
    """Return what is known of each patient's data that is no physiology, a row a patient.

    Parameters
    ----------
    cohort : Cohort
        Whose files are looked at from outside: sizes, dates, types, number; whose ids and order are
        taken as they are; whose hospital and scanner count where a table names them.
    acquired : mapping of str to mapping, optional
        By recording, how its signal was acquired: the shape of its array, its sampling rate.

    Returns
    -------
    DataFrame
        Numbers, and names as text; missing where nobody says it. A column that is the same for
        everybody is left out.
    """
    samples = cohort.samples.table
    rows = []
    for place, (name, sample) in enumerate(samples.iterrows()):
        files = [file for file in cohort.own_files(str(name)) if file.is_file()]
        stats = [file.stat() for file in files]
        rows.append(
            {
                "place in the data": place,
                "file size": sum(item.st_size for item in stats) if stats else np.nan,
                "file date": min((item.st_mtime for item in stats), default=np.nan),
                "number of files": len(files),
                "file type": "".join(sorted({file.suffix.lower() for file in files})) or None,
                **_of_id("recording id", str(name)),
                **_of_id("patient id", str(sample["patient_id"])),
                **(acquired or {}).get(str(name), {}),
            }
        )
    table = pd.DataFrame(rows)
    for column, title in NAMES.items():
        if column != "sex" and (named := _named(cohort, column)) is not None:
            table[title] = named.to_numpy()
    patients = samples["patient_id"].astype(str).to_numpy()
    grouped = table.groupby(patients, sort=False)
    numbers = table.select_dtypes("number").columns
    found = pd.concat([grouped[list(numbers)].median(), grouped[
        [item for item in table.columns if item not in numbers]].first()], axis=1)  # fmt: skip
    found["number of recordings"] = grouped.size()
    varies = [item for item in found.columns if len(found[item].unique()) > 1]
    return found[varies]


def _of_id(what: str, text: str) -> dict[str, Any]:
    """Return the length of an id, its last number, and what stands around its numbers."""
    found = _ID_NUMBER.findall(text)
    return {
        f"length of the {what}": len(text),
        f"number in the {what}": float(found[-1][-15:]) if found else np.nan,
        f"last digit of the {what}": found[-1][-1] if found else None,
        f"letters of the {what}": _ID_NUMBER.sub("#", text),
    }


def _named(cohort: Cohort, column: str) -> pd.Series | None:
    samples = cohort.samples.table
    if column in samples.columns:
        return samples[column].map(_text)
    if cohort.table is not None and column in cohort.table.columns:
        by_study = cohort.table[column].map(_text)
        by_study.index = by_study.index.astype(str)
        own = by_study[~by_study.index.duplicated()]
        return samples["study_id"].astype(str).map(own)
    return None


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value).strip() or None


def find_shortcuts(
    properties: pd.DataFrame,
    labels: pd.Series[Any],
    target: Target,
    folds: Folds,
    level: float = 0.95,
) -> Iterator[Shortcut]:
    """Yield how well the properties tell an outcome: all together first, then each alone.

    Parameters
    ----------
    properties : DataFrame
        See `properties_of`.
    labels : Series
        Outcome by patient: a class, or a number, which is parted at its median.
    target : Target
        Of several classes each is told from the rest.
    folds : sequence of (training, test)
        Those of the run, by patient. Repeats of a partition are averaged.
    level : float
        Coverage of the intervals.
    """
    known = labels.dropna()
    known = known[known.index.isin(properties.index)]
    for words, positive in _events(known, target):
        if not _enough(positive):
            continue
        table = properties.loc[known.index]
        scores = _out_of_fold(_encoded(table), positive, folds)
        if scores is not None:
            yield _shortcut(words, "", positive, scores, level)
        for name, column in table.items():
            if pd.api.types.is_numeric_dtype(column):
                scores = column.astype(float)
            elif column.nunique() <= len(column) // 2:
                scores = _out_of_fold(_encoded(table[[name]]), positive, folds)
            else:
                scores = None
            if (
                scores is not None
                and len(scores.dropna().unique()) > 1
                and _enough(positive[scores.notna()])
            ):
                yield _shortcut(words, str(name), positive, scores, level)


def _enough(positive: pd.Series[Any]) -> bool:
    """Whether both classes have enough patients for an AUC; a holdout tests few of a cohort."""
    return bool(min(positive.sum(), (~positive).sum()) >= LEAST_OF_A_CLASS)


def _shortcut(
    words: str, name: str, positive: pd.Series[Any], scores: pd.Series[Any], level: float
) -> Shortcut:
    known = scores.notna().to_numpy()
    event, score = positive.to_numpy(int)[known], scores.to_numpy(float)[known]
    test = mannwhitneyu(score[event == 1], score[event == 0])
    # The ridge knows which way is up; a number alone may separate in either direction.
    downwards = test.statistic < (event == 1).sum() * (event == 0).sum() / 2
    turned = -score if downwards and pd.api.types.is_numeric_dtype(scores) and name else score
    return Shortcut(words, name, auc(event, turned, level=level, unit="patient"), test.pvalue)


def _events(labels: pd.Series[Any], target: Target) -> Iterator[tuple[str, pd.Series[Any]]]:
    if target.kind == "continuous":
        values = labels.astype(float)
        yield f"{target.name} above its median", values > values.median()
    elif target.kind == "binary":
        yield target.name, labels == target.classes[1]
    else:
        for label in target.classes:
            yield f"{target.name} = {label}", labels == label


def _encoded(table: pd.DataFrame) -> pd.DataFrame:
    """Return numbers as ranks (-1 to 1; missing ones 0 and flagged), and names one column each."""
    parts: list[pd.Series[Any] | pd.DataFrame] = []
    for name, column in table.items():
        if pd.api.types.is_numeric_dtype(column):
            ranks = 2 * column.rank(pct=True) - 1
            parts.append(ranks.fillna(0.0).rename(str(name)))
            if ranks.isna().any():
                parts.append(ranks.isna().astype(float).rename(f"{name} missing"))
        else:
            parts.append(pd.get_dummies(column, prefix=str(name), dtype=float))
    return pd.concat(parts, axis=1)


def _out_of_fold(
    values: pd.DataFrame, positive: pd.Series[Any], folds: Folds
) -> pd.Series[Any] | None:
    """Return the score by patient, of a ridge that never saw the patient; None without a fold."""
    from sklearn.linear_model import RidgeClassifier

    scores: dict[str, list[float]] = {}
    for training, test in folds:
        fitted, tested = values.index.isin(training), values.index.isin(test)
        y = positive[fitted]
        if y.nunique() < 2 or not tested.any():
            continue
        ridge = RidgeClassifier(alpha=3.0, class_weight="balanced")
        ridge.fit(values[fitted].to_numpy(), y.to_numpy(int))
        decision = ridge.decision_function(values[tested].to_numpy())
        for who, item in zip(values.index[tested], decision, strict=True):
            scores.setdefault(str(who), []).append(float(item))
    found = pd.Series({who: float(np.mean(some)) for who, some in scores.items()}, dtype=float)
    found = found.reindex(values.index)
    return found if _enough(positive[found.notna()]) else None


def notes_on(found: Sequence[Shortcut]) -> list[Note]:
    """Return a warning for each outcome that is told without physiology; else what was looked at.

    All properties together are warned of where the lower limit of their AUC is above one half and
    the p-value, corrected for the number of outcomes, below `SIGNIFICANT`; one property alone where
    its AUC is `ALL_BUT_PERFECT` or more and its p-value, corrected for how many were looked at
    (Bonferroni), is below it.
    """
    notes = []
    targets = list(dict.fromkeys(item.target for item in found))
    for target in targets:
        whole = [item for item in found if item.target == target and not item.property]
        alone = [item for item in found if item.target == target and item.property]
        best = sorted(alone, key=lambda item: -item.estimate.value)
        perfect = [
            item for item in best
            if item.estimate.value >= ALL_BUT_PERFECT and item.p_value * len(alone) < SIGNIFICANT
        ]  # fmt: skip
        if perfect:
            text = (
                f"{_listed_with(perfect[:3])} alone predict{'s' if len(perfect) == 1 else ''} "
                f"{target}: a model may have learned that and nothing of the heart."
            )
            notes.append(Note(NoteKind.SHORTCUT, capital(text), severity=Severity.WARNING))
        elif whole and _predicts(whole[0], len(targets)):
            text = (
                f"Files, ids and devices predict {target} without any physiology: AUC "
                f"{_shown(whole[0].estimate)}, n = {counted(whole[0].estimate.n, 'patient')}; "
                f"most by {_listed_with(best[:2])}. The models may have learned the same."
            )
            notes.append(Note(NoteKind.SHORTCUT, text, severity=Severity.WARNING))
        elif whole:
            text = (
                f"Files, ids and devices were not shown to predict {target}: AUC "
                f"{_shown(whole[0].estimate)} on the same folds."
            )
            notes.append(Note(NoteKind.SHORTCUT, text))
    return notes


def _predicts(whole: Shortcut, n_targets: int) -> bool:
    above = whole.estimate.low is not None and whole.estimate.low > 0.5
    return above and whole.p_value * n_targets < SIGNIFICANT


def _listed_with(found: Sequence[Shortcut]) -> str:
    return listed([f"the {item.property} ({number(item.estimate.value)})" for item in found])


def _shown(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return number(estimate.value)
    return f"{number(estimate.value)} ({number(estimate.low)} to {number(estimate.high)})"


def table_of(found: Sequence[Shortcut]) -> pd.DataFrame:
    """Return a row for all properties together and for each, the strongest first."""
    rows = [
        {
            "Outcome": item.target,
            "Known alone": item.property or "all together, on the run's folds",
            "AUC": _shown(item.estimate),
            "n": item.estimate.n,
        }
        for item in sorted(found, key=lambda item: (bool(item.property), -item.estimate.value))
    ]
    return pd.DataFrame(rows)
