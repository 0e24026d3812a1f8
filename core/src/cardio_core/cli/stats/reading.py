"""Read a table, and take scores, outcome and patients from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardio_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


PATIENCE_S = 5.0
"""Between a beginning and the first line, and between two lines."""


class Progress:
    """Writes to standard error how far a computation is, every five seconds.

    Examples
    --------
    >>> says = Progress()
    >>> says("resamples", 100, 2000)  # nothing before five seconds
    """

    def __init__(self) -> None:
        self._what = ("", 0)
        self._began = self._said = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        """Say it, if enough time has passed."""
        now = time.monotonic()
        if (what, total) != self._what:
            self._what, self._began, self._said = (what, total), now, now
        if 0 < done < total and now - self._said >= PATIENCE_S:
            from cardio_core.stats.foundation.watching import roughly

            left = (now - self._began) * (total - done) / done
            click.echo(f"{what}: {done} of {total}, about {roughly(left)} left", err=True)
            self._said = now


def columns_of(texts: Sequence[str]) -> list[str]:
    """Split ``a,b`` and repeated options into names, each once.

    Examples
    --------
    >>> columns_of(["qrs_ms, lvef_pct", "age_y", "qrs_ms"])
    ['qrs_ms', 'lvef_pct', 'age_y']

    A name that holds a comma stands in double quotes:

    >>> columns_of(['"LVEF, echo (%)",age'])
    ['LVEF, echo (%)', 'age']
    """
    import csv

    names = [name.strip() for parts in csv.reader(texts, skipinitialspace=True) for name in parts]
    return list(dict.fromkeys(name for name in names if name))


_READ = "cardio_core.cli.stats.reading"
"""Where a command keeps what it read, and what --missing said: the click context's ``meta``."""


def with_missing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --missing to a command, which :func:`read_table` then heeds by itself."""

    def keep(ctx: click.Context, _: click.Parameter, words: tuple[str, ...]) -> None:
        ctx.meta[f"{_READ}.missing"] = words

    return click.option(
        "--missing", multiple=True, expose_value=False, callback=keep, metavar="[COL=]WORD",
        help="Word or number that means missing, in every column or in COL; repeatable.",
    )(command)  # fmt: skip


def read_table(path: Path, *, one_row_each: str | None = None) -> pd.DataFrame:
    """Read a CSV or Parquet table as people write them, with what --missing said.

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
    from cardio_core.io.tables.typed import read_typed
    from cardio_core.stats.foundation.watching import watched

    ctx = click.get_current_context(silent=True)
    if ctx is not None:
        ctx.with_resource(watched(Progress()))
    reading = read_typed(path, ctx.meta.get(f"{_READ}.missing", ()) if ctx else ())
    if ctx is not None:
        ctx.meta[_READ] = reading
    if one_row_each is not None:
        from cardio_core.stats.foundation.columns import require_one_row_each

        require_one_row_each(reading.table, one_row_each)
    return reading.table


def reading_notes() -> list[str]:
    """Return what was taken for granted in the columns that the running command names.

    Table 1 without --columns uses all of them.
    """
    ctx = click.get_current_context(silent=True)
    if ctx is None or _READ not in ctx.meta:
        return []
    names = [str(name) for name in ctx.meta[_READ].table.columns]
    if ctx.params.get("columns") != ():
        given = [words if isinstance(words, tuple) else (words,) for words in ctx.params.values()]
        said = columns_of([word for words in given for word in words if isinstance(word, str)])
        named = {part for word in said for part in (word, word.partition("=")[0])}
        names = [name for name in names if name in named]
    notes: list[str] = ctx.meta[_READ].notes_on(names)
    return notes


def unit_of(patient: str | None) -> str:
    """Say what a row is, where a patient has one row each."""
    return "row" if patient is None else "patient"


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
