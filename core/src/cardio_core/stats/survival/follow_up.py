"""Times and events of a table, checked: who was followed how long, and to what end."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.stats.foundation.columns import level_labels, numbers
from cardio_core.stats.foundation.validate import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class FollowUp:
    """How long each was followed, and whether that ended with the event.

    Attributes
    ----------
    time : ndarray, shape (n,)
        At least 0, in the unit of the table.
    event : ndarray of bool, shape (n,)
        False where the time is censored: the event had not happened by then.
    rows : ndarray of int, shape (n,)
        Positions in the table.
    n_dropped : int
        Rows without a time or an event, and those that :meth:`only` left out.
    label : str
        The event in words: ``"status = 2"``.
    note : str
        What to know about the event; empty without.
    """

    time: Floats
    event: Bools
    rows: Ints
    n_dropped: int
    label: str
    note: str = ""

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.time.size)

    @property
    def n_events(self) -> int:
        """Number of rows that end with the event."""
        return int(np.count_nonzero(self.event))

    def sentences(self, unit: str) -> list[str]:
        """Say how many were followed, and what to know about the event."""
        dropped = f" {self.n_dropped} dropped for missing values." if self.n_dropped else ""
        return [
            f"{self.n} {unit}s, {self.n_events} events.{dropped}",
            *([self.note] if self.note else []),
        ]

    def only(self, keep: Bools) -> FollowUp:
        """Return these rows alone; the others count as dropped.

        Raises
        ------
        DataError
            No event among them.
        """
        n_left = int(np.count_nonzero(~keep))
        kept = replace(
            self,
            time=self.time[keep],
            event=self.event[keep],
            rows=self.rows[keep],
            n_dropped=self.n_dropped + n_left,
        )
        if kept.n_events == 0:
            raise DataError(
                f"{self.label}: expected events among the {kept.n} complete rows, found none "
                f"({n_left} more rows miss a value)"
            )
        return kept


def follow_up_of(table: pd.DataFrame, time: str, event: str) -> FollowUp:
    """Read times and events from two columns of a table.

    Parameters
    ----------
    table : DataFrame
    time : str
        Column of the time to the event, or to the last that is known.
    event : str
        Column of 1 (the event happened at that time) and 0 (censored), or ``column=value`` for
        the value that counts, as ``status=2``: all other values are then censored.

    Returns
    -------
    FollowUp
        Of the rows where both are known.

    Raises
    ------
    DataError
        A column that is missing; text among the times; a time below 0; an event that does not
        occur, or of more than two values without one being named.

    Examples
    --------
    >>> table = pd.DataFrame({"days": [5, 8, 8, 12], "status": [1, 0, 1, 0]})
    >>> found = follow_up_of(table, "days", "status")
    >>> found.n, found.n_events
    (4, 2)
    """
    column, value = _column_and_value(table, event)
    if column == time:
        raise DataError(f"column {time!r}: is both time and event; choose another event")
    times = numbers(table, time)
    happened, label, note = _happened(table, column, value)
    below = np.flatnonzero(times < 0)
    if below.size:
        raise DataError(
            f"column {time!r}: expected times of 0 or more, found {times[below[0]]:g} in data row "
            f"{below[0] + 1}"
            + (f" and {below.size - 1} more" if below.size > 1 else "")
            + "; correct them, or leave these rows out"
        )
    known = ~(np.isnan(times) | np.isnan(happened))
    found = FollowUp(
        times[known],
        happened[known] == 1,
        np.flatnonzero(known).astype(np.int64),
        int(np.count_nonzero(~known)),
        label,
        note,
    )
    if found.n_events == 0:
        raise DataError(
            f"{label}: expected events with a known time, found none among {found.n} rows "
            f"({found.n_dropped} without time or event)"
        )
    return found


def _column_and_value(table: pd.DataFrame, event: str) -> tuple[str, str | None]:
    """Part ``status=2``, unless a column bears that whole name."""
    if event in table.columns or "=" not in event:
        return event, None
    column, _, value = event.rpartition("=")
    return column.strip(), value.strip()


def _happened(table: pd.DataFrame, name: str, value: str | None) -> tuple[Floats, str, str]:
    """Return 1, 0 and NaN, the event in words, and what to know about it."""
    labels, found = level_labels(table, name)
    if not found:
        raise DataError(f"column {name!r}: expected events, found all values missing")
    if value is None:
        if len(found) > 2 or not set(found) <= {"0", "1"}:
            some = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
            raise DataError(
                f"column {name!r}: expected 0 (censored) and 1 (event), found {some}; say which "
                f"value is the event, for example {name}={found[-1]}"
            )
        value = "1"
    else:
        value = _as_written(value, found)
    if value not in found:
        raise DataError(
            f"column {name!r}: event {value!r} does not occur; found {', '.join(found[:5])}"
        )
    others = [label for label in found if label != value]
    happened = np.where(labels == "", np.nan, (labels == value).astype(float))
    note = ""
    if len(others) > 1:
        counts = ", ".join(f"{label}: {int((labels == label).sum())}" for label in others)
        note = (
            f"{name} has other values than {value} ({counts}), all taken as censored. If one of "
            "them makes the event impossible (death before it), it is a competing event, which is "
            "not handled here: 1 - survival is then too high for the risk."
        )
    return happened, f"{name} = {value}", note


def _as_written(value: str, found: list[str]) -> str:
    """Return 2.0 as 2, where the column holds it so."""
    if value in found:
        return value
    try:
        return f"{float(value):.15g}"
    except ValueError:
        return value
