"""How large a table may be: every cell becomes an object of its own."""

from __future__ import annotations

from cardio_core.errors import DataError
from cardio_core.types.unpacking.bounds import VARIABLE, largest_bytes

MAX_COLUMNS = 10_000
_BYTES_A_CELL = 200
"""What a cell takes while a table is read: its text, its place, and the lists that it is in."""

_SHARE_OF_TEXT = 8
"""Of the limit on files, what the cells of a table may take packed side by side."""


def max_cells() -> int:
    """Return how many cells a table may have: 20 million, unless the limit on files is changed."""
    return largest_bytes() // _BYTES_A_CELL


def require_bytes(name: str, n_bytes: int) -> None:
    """Refuse a table of 500 MB or more, unpacked, unless the limit on files is changed.

    Raises
    ------
    DataError
        If so.
    """
    most = largest_bytes() // _SHARE_OF_TEXT
    if n_bytes > most:
        raise DataError.unusable(
            name, f"a table of at most {most // 10**6} MB", "a larger one",
            f"leave out rows and columns, or raise the limit with {VARIABLE}=GIGABYTES",
        )  # fmt: skip


def require_columns(name: str, n_columns: int) -> None:
    """Refuse a table that is wider than any cohort.

    Raises
    ------
    DataError
        More than `MAX_COLUMNS`.
    """
    if n_columns > MAX_COLUMNS:
        raise DataError.unusable(
            name, f"at most {MAX_COLUMNS} columns", f"{n_columns}",
            "leave out those that no study asks for, or divide the table",
        )  # fmt: skip


def require_cells(name: str, n_cells: int) -> None:
    """Refuse a table of more cells than memory is kept for.

    Raises
    ------
    DataError
        More than `max_cells`.

    Examples
    --------
    >>> require_cells("a.csv", 40_000_000)
    Traceback (most recent call last):
    cardio_core.errors.DataError: a.csv: expected at most 20000000 cells, found 40000000; ...
    """
    if n_cells > max_cells():
        raise DataError.unusable(
            name, f"at most {max_cells()} cells", f"{n_cells}",
            f"leave out rows and columns, or raise the limit with {VARIABLE}=GIGABYTES",
        )  # fmt: skip
