"""``predictions.csv`` as it is read again: ids as they were, numbers as numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.errors import unusable
from cardio_core.io.tables.formula import table_as_it_was

WHAT = "what the models said"
NEEDED = ("protocol", "patient_id", "repeat", "fold", "model", "target", "event", "y_true", "score")
IDS = ("sample_id", "recording_id", "study_id", "level", "time_s", "predicted")
_WHOLE = ("protocol", "patient_id", "repeat", "fold", "model", "target")
_DO = f"the file ({WHAT}) was changed or is damaged: put back a whole copy of it"
MOST_BYTES = 4 << 30


def read_predictions(path: Path) -> pd.DataFrame:
    """Return the out-of-fold predictions that a run, or a fusion, keeps.

    Returns
    -------
    DataFrame
        `NEEDED` and `IDS`, and whatever else is there. One row a unit: ``event`` names the class
        whose probability is ``score``; a row a class where there are several, and NA for numbers.
        Texts, missing ones NA; ``repeat`` a whole
        number, ``score`` and ``time_s`` numbers, missing ones NaN.

    Raises
    ------
    DataError
        In one line: no table, a column that is not there, a cell of another kind.
    """
    if path.is_file() and path.stat().st_size > MOST_BYTES:
        raise unusable(path.name, f"at most {MOST_BYTES >> 30} GB", "more", _DO)
    try:
        table = pd.read_csv(
            path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8",
            engine="c", low_memory=False,
        )  # fmt: skip
    except OSError:
        raise unusable(path.name, "a table that can be read", "none", _DO) from None
    except (ValueError, UnicodeError, MemoryError) as error:  # whatever pandas says of no table
        found = f"something else ({type(error).__name__})"
        raise unusable(path.name, "a table of predictions in UTF-8", found, _DO) from None
    lacking = [name for name in NEEDED if name not in table.columns]
    if lacking:
        raise unusable(path.name, f"a column {lacking[0]!r}", "none", _DO)
    table = table_as_it_was(table)
    for name in _WHOLE:
        if table[name].isna().any():
            raise unusable(path.name, f"a value in every row of {name!r}", "none in one", _DO)
    for name in IDS:
        if name not in table.columns:
            table[name] = np.nan if name == "time_s" else None
    for name in ("score", "time_s", "repeat"):
        table[name] = numbers_in(table, name, path)
    if ((table["repeat"] < 0) | (table["repeat"] % 1 != 0) | (table["repeat"] > 1e6)).any():
        raise unusable(path.name, "whole numbers in 'repeat'", "others", _DO)
    odd = ~table["fold"].str.fullmatch(r"[\w.-]{1,100}", na=False)
    if odd.any() or table["fold"].isin([".", ".."]).any():
        raise unusable(path.name, "names of folds in 'fold'", "another text", _DO)
    return table.assign(repeat=table["repeat"].astype(int))


def numbers_in(table: pd.DataFrame, name: str, path: Path) -> pd.Series:
    """Return a column as numbers, missing ones NaN.

    Raises
    ------
    DataError
        Naming the first line where there is no number.
    """
    column = table[name]
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = (numbers.isna() & column.notna()) | np.isinf(numbers.astype(float))
    if wrong.any():
        row = int(np.flatnonzero(wrong.to_numpy())[0]) + 2
        raise unusable(f"{path.name}, line {row}", f"a number in {name!r}", "none", _DO)
    return numbers.astype(float)
