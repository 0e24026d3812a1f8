"""Read a table, and take scores, outcome and patients from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardio_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def columns_of(texts: Sequence[str]) -> list[str]:
    """Split ``a,b`` and repeated options into names, each once.

    Examples
    --------
    >>> columns_of(["qrs_ms, lvef_pct", "age_y", "qrs_ms"])
    ['qrs_ms', 'lvef_pct', 'age_y']
    """
    names = [name.strip() for text in texts for name in text.split(",")]
    return list(dict.fromkeys(name for name in names if name))


def read_table(path: Path, *, one_row_each: str | None = None) -> pd.DataFrame:
    """Read a CSV (comma, semicolon or tab) or Parquet table.

    Parameters
    ----------
    path : Path
    one_row_each : str, optional
        Column of the patients, each of whom may have one row only.

    Raises
    ------
    DataError
        Not such a file, no rows, Parquet without the extra that reads it, or a patient of several
        rows where each may have one.
    """
    import pandas as pd

    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            table = pd.read_parquet(path)
        else:
            table = pd.read_csv(path, sep=_separator(path), encoding="utf-8-sig", low_memory=False)
    except ImportError:
        raise DataError(
            f'{path}: Parquet needs pyarrow, which is missing; pip install "./core[parquet]"'
        ) from None
    except (ValueError, OSError) as error:
        words = " ".join(str(error).split())
        raise DataError(f"{path}: expected a CSV or Parquet table; {words}") from None
    if table.empty:
        raise DataError(f"{path}: expected rows below the header, found none")
    table.columns = [str(column).strip() for column in table.columns]
    if one_row_each is not None:
        from cardio_core.stats.foundation.columns import require_one_row_each

        require_one_row_each(table, one_row_each)
    return table


def unit_of(patient: str | None) -> str:
    """Say what a row is, where a patient has one row each."""
    return "row" if patient is None else "patient"


def _separator(path: Path) -> str:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = file.readline()
    return max(",;\t", key=header.count)


def scored(
    table: pd.DataFrame, target: str, scores: Sequence[str], event: str | None, patient: str | None
) -> tuple[Any, list[Any], dict[str, Any]]:
    """Return outcome, scores, and what is independent: ``clusters`` and ``unit``.

    Where every patient has one row there are no clusters: the formulas for independent rows apply,
    and they count patients.

    Raises
    ------
    DataError
        A column that is missing, or both target and score; text in a score, or the same in every
        row; an outcome of other than two values.
    """
    import numpy as np
    import pandas as pd

    from cardio_core.stats.foundation.columns import binary_outcome, column_named, numbers

    if target in scores:
        raise DataError(f"column {target!r}: is both target and score; choose another score")
    outcome, _ = binary_outcome(table, target, event)
    values = [numbers(table, name) for name in scores]
    clusters, unit = None, None
    if patient is not None:
        clusters, unit = column_named(table, patient).to_numpy(dtype=object), "patient"
        outcome = np.where(pd.isna(clusters), np.nan, outcome)
    known = ~np.isnan(np.array([outcome, *values])).any(axis=0)
    if clusters is not None and len(set(clusters[known])) == known.sum():
        clusters = None
    _require_both_classes(outcome[known], target)
    for name, column in zip(scores, values, strict=True):
        if np.nanmin(column) == np.nanmax(column):
            raise DataError(
                f"column {name!r}: expected scores that vary, found {np.nanmin(column):g} in every "
                "row; choose another column"
            )
    return outcome, values, {"clusters": clusters, "unit": unit}


def _require_both_classes(outcome: Any, target: str) -> None:
    n_events, n = int(outcome.sum()), len(outcome)
    if min(n_events, n - n_events) < 2:
        raise DataError(
            f"{target}: expected at least 2 rows of each class, found {n_events} with the event "
            f"and {n - n_events} without among {n} complete rows; add patients"
        )


def complete_rows(columns: Sequence[Any], clusters: Any) -> Any:
    """Return which rows hold every number and, where there are patients, a patient."""
    import numpy as np
    import pandas as pd

    known = ~np.isnan(np.array(columns)).any(axis=0)
    return known if clusters is None else known & pd.notna(clusters)
