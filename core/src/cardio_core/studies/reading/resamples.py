"""Folds, repeats and rows of training in a table of predictions, as other programs write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from cardio_core.errors import DataError
from cardio_core.studies.guessing import FOLDS, REPEATS, guessed
from cardio_core.studies.reading.called import label_of

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
    said : tuple of str
        A sentence on how the numbers go over the folds.
    """

    fold: pd.Series | None = None
    repeat: pd.Series | None = None
    columns: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


def tested_rows(table: pd.DataFrame, said: list[str]) -> pd.DataFrame:
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
        kept = table[values.isin(wanted)]
        said.append(
            f"Column {name} tells training from test: the {len(kept)} rows of "
            f"{' and '.join(sorted(wanted))} are judged, {len(table) - len(kept)} others are not."
        )
        return kept
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
        return _told(folds, again, (fold, *([repeat] if repeat else [])))
    by_value = _by_value(table)
    if by_value is not None:
        return by_value
    if repeat is None:
        return Resamples()
    again = table[repeat].map(label_of, na_action="ignore")
    return _told(None, again, (repeat,))


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
            return _told(pieces[0], again, (name, *([outer] if outer else [])))
    for name, values in texts.items():
        if len(values) and values.str.match(_DRAWN).all():
            return _told(table[name], None, (name,))
    return None


def _told(fold: pd.Series | None, repeat: pd.Series | None, columns: tuple[str, ...]) -> Resamples:
    n_folds = 0 if fold is None else fold.nunique()
    n_repeats = 1 if repeat is None else repeat.nunique()
    if n_folds < 2 and n_repeats < 2:
        return Resamples(fold, repeat, columns)
    times = f", {n_repeats} repeats" if n_repeats > 1 else ""
    named = " and ".join(columns)
    text = (
        f"Folds: {named} ({n_folds} folds{times}). Numbers are of all folds pooled, so that "
        "predictions of one fold's model are judged together with those of another's; fold by "
        "fold, with mean and SD, they stand in a table of their own."
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
