"""What an estimate says about its sample: how many units, of which kind, of how many patients."""

from __future__ import annotations

from typing import TypedDict


class UnitCount(TypedDict):
    """The fields of an estimate that describe its sample."""

    n: int
    unit: str
    n_patients: int | None


def unit_count(n_rows: int, n_clusters: int | None, unit: str | None) -> UnitCount:
    """Count clusters where there are any, else rows.

    Parameters
    ----------
    n_rows : int
    n_clusters : int or None
        None (or 0) where rows are independent.
    unit : str or None
        What is independent; ``"row"`` without clusters and ``"patient"`` with, by default.

    Examples
    --------
    >>> unit_count(900, 60, None)
    {'n': 60, 'unit': 'patient', 'n_patients': 60}
    """
    n = n_clusters or n_rows
    unit = unit or ("patient" if n_clusters else "row")
    return {"n": n, "unit": unit, "n_patients": n if unit == "patient" else None}
