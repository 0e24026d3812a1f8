"""Which columns of a stranger's predictions are what, where the user does not say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from cardio_core.errors import ConfigError, DataError
from cardio_core.stats.foundation.columns import columns_told
from cardio_core.studies.reading.called import parts, speaks_of

OUTCOMES = ("y_true", "y", "truth", "true", "label", "labels", "target", "outcome", "event",
            "response", "class", "status", "obs", "observed", "ground_truth", "gt", "y_test",
            "y_val", "actual")  # fmt: skip
PATIENTS = ("patient_id", "patient", "patientid", "subject_id", "subject", "subjectid", "pid",
            "person_id", "personid", "case_id", "case", "identifier", "id",
            "record_id", "rowindex", "row")  # fmt: skip
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


def column_for(asked: str | None, option: str, table: pd.DataFrame) -> str | None:
    """Return a column that the user named.

    Raises
    ------
    ConfigError
        If the table has none of that name.
    """
    if asked is not None and asked not in table.columns:
        raise ConfigError(
            f"{option} {asked}: no such column; the table has {columns_told(table, 12)}"
        )
    return asked


def guessed(names: Sequence[str], table: pd.DataFrame, besides: Iterable[str] = ()) -> str | None:
    """Return the first column with one of these names, whatever its capitals, blanks and dots."""
    taken = set(besides)
    by_name = {"_".join(parts(column)): str(column) for column in reversed(table.columns)}
    return next((by_name[n] for n in names if n in by_name and by_name[n] not in taken), None)


def guessed_patient(table: pd.DataFrame, besides: Iterable[str] = ()) -> str | None:
    """Return the patients' column by its name; tidymodels calls its folds ``id``: they are none."""
    folds = [
        str(name)
        for place, name in enumerate(table.columns)
        if len(known := table.iloc[:, place].dropna())
        and known.astype(str).str.match(_RESAMPLE).all()
    ]
    return guessed(PATIENTS, table, [*besides, *folds])


def guessed_outcome(table: pd.DataFrame, besides: Iterable[str]) -> str:
    """Return the outcome's column by its name.

    Raises
    ------
    ConfigError
        If no column has a usual name.
    """
    found = guessed(OUTCOMES, table, besides)
    if found is None:
        raise ConfigError(
            f"--outcome: no column is called y_true, outcome, label or the like; the table has "
            f"{columns_told(table, 12)}; name the column of what really happened"
        )
    return found


def guessed_scores(
    table: pd.DataFrame, besides: Iterable[str], classes: Sequence[str] = (), event: str = ""
) -> list[str]:
    """Return numeric columns whose names say that they are scores.

    Parameters
    ----------
    table : DataFrame
    besides : iterable of str
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
    taken = set(besides)
    numeric = [
        str(name)
        for name in table.columns
        if name not in taken and pd.api.types.is_numeric_dtype(table[name])
    ]
    named = [name for name in numeric if _SCORE.search(name)]
    if not named:
        named = [name for name in numeric if is_probability(table[name])
                 and any(speaks_of(name, one) for one in classes)]  # fmt: skip
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


def require_scores(table: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse scores that are no finite numbers, or the same for everybody.

    Raises
    ------
    DataError
        In one line, with the column.
    """
    for name in names:
        values = table[name]
        if not pd.api.types.is_numeric_dtype(values):
            example = next((str(v) for v in values.dropna()), "nothing")
            raise DataError(f"--score {name}: expected numbers, found text such as {example!r}")
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
