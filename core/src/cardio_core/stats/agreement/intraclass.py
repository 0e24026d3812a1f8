"""Intraclass correlations: Shrout and Fleiss's six forms from one analysis of variance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import fdtrc, fdtri

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import Floats, checked_level, unit_count
from cardio_core.types.estimate import Estimate


def intraclass_correlations(
    ratings: ArrayLike, *, level: float = 0.95, unit: str = "patient"
) -> dict[str, Estimate]:
    """Return how alike the ratings of one subject are, in all six forms.

    Parameters
    ----------
    ratings : array-like, shape (n_subjects, n_raters)
        Subjects with a missing rating are left out and counted.
    level : float
    unit : str
        What a row is.

    Returns
    -------
    dict of str to Estimate
        ``icc_1_1``, ``icc_2_1``, ``icc_3_1`` of a single rating and ``icc_1_k``, ``icc_2_k``,
        ``icc_3_k`` of the mean of all raters. Form 1: every subject has raters of its own; 2:
        random raters who rate everybody, absolute agreement; 3: these raters only, consistency.
        `p_value` tests 0; `extra` holds ``f``, ``df1``, ``df2`` and ``n_raters``. ``icc_2_k`` is
        left out where raters disagree so much that its lower limit does not exist.

    Raises
    ------
    DataError
        Fewer than two raters or three complete subjects, or no variation.

    Notes
    -----
    For agreement between interchangeable methods quote form 2; form 3 ignores a constant bias. An
    ICC rises with the spread of the subjects: do not compare it between cohorts.

    References
    ----------
    Shrout PE, Fleiss JL. Psychol Bull 1979;86:420. McGraw KO, Wong SP. Psychol Methods 1996;1:30.

    Examples
    --------
    >>> found = intraclass_correlations([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8],
    ...                                  [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    >>> [round(found[name].value, 2) for name in ("icc_1_1", "icc_2_1", "icc_3_1")]
    [0.17, 0.29, 0.71]
    """
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise DataError(
            f"ratings: expected subjects in rows and at least 2 raters in columns, found shape "
            f"{table.shape}"
        )
    complete = table[~np.isnan(table).any(axis=1)]
    if len(complete) < 3:
        raise DataError(f"ratings: expected at least 3 complete subjects, found {len(complete)}")
    squares = _mean_squares(complete)
    if squares["rows"] == 0 or squares["error"] <= 1e-12 * squares["rows"]:
        raise DataError(
            "ratings: expected variation between subjects and beyond that of subjects and raters, "
            "found none; the ratings are identical or differ by a constant"
        )
    counted = unit_count(len(complete), None, unit)
    return {
        name: Estimate(
            name,
            value,
            low,
            high,
            level,
            "Shrout-Fleiss, F interval",
            p_value=p_value,
            n_dropped=len(table) - len(complete),
            extra={**extra, "n_raters": complete.shape[1]},
            **counted,
        )
        for name, value, low, high, p_value, extra in _forms(
            squares, len(complete), complete.shape[1], checked_level(level)
        )
    }


def _mean_squares(table: Floats) -> dict[str, float]:
    n, k = table.shape
    centre = table.mean()
    rows = k * np.sum((table.mean(axis=1) - centre) ** 2)
    columns = n * np.sum((table.mean(axis=0) - centre) ** 2)
    error = np.sum((table - centre) ** 2) - rows - columns
    return {
        "rows": float(rows / (n - 1)),
        "columns": float(columns / (k - 1)),
        "error": float(error / ((n - 1) * (k - 1))),
        "within": float((columns + error) / (n * (k - 1))),
    }


Form = tuple[str, float, float, float, float, dict[str, float]]


def _forms(squares: dict[str, float], n: int, k: int, level: float) -> list[Form]:
    ms_rows, ms_error, ms_within = squares["rows"], squares["error"], squares["within"]
    tail = 1 - (1 - level) / 2
    df1, df_within, df_error = n - 1, n * (k - 1), (n - 1) * (k - 1)
    found: list[Form] = []
    for form, ms, df2 in (("1", ms_within, df_within), ("3", ms_error, df_error)):
        f = ms_rows / ms
        low_f, high_f = f / float(fdtri(df1, df2, tail)), f * float(fdtri(df2, df1, tail))
        test = (float(fdtrc(df1, df2, f)), {"f": f, "df1": float(df1), "df2": float(df2)})
        single = [(each - 1) / (each + k - 1) for each in (f, low_f, high_f)]
        average = [1 - 1 / each for each in (f, low_f, high_f)]
        found.append((f"icc_{form}_1", single[0], single[1], single[2], *test))
        found.append((f"icc_{form}_k", average[0], average[1], average[2], *test))
    return sorted(
        [*found, *_two_way_random(squares, n, k, tail, test)], key=lambda one: one[0][::-1]
    )


def _two_way_random(
    squares: dict[str, float], n: int, k: int, tail: float, test: tuple[float, dict[str, float]]
) -> list[Form]:
    """Form 2, with form 3's test; the interval is Satterthwaite's: three mean squares enter."""
    rows, columns, error = squares["rows"], squares["columns"], squares["error"]
    single = (rows - error) / (rows + (k - 1) * error + k * (columns - error) / n)
    ratio_f = columns / error
    numerator = k * single * ratio_f + n * (1 + (k - 1) * single) - k * single
    df = (
        (k - 1)
        * (n - 1)
        * numerator**2
        / ((n - 1) * k**2 * single**2 * ratio_f**2 + (n * (1 + (k - 1) * single) - k * single) ** 2)
    )
    upper_f, lower_f = float(fdtri(n - 1, df, tail)), float(fdtri(df, n - 1, tail))
    shared = k * columns + (k * n - k - n) * error
    low = n * (rows - upper_f * error) / (upper_f * shared + n * rows)
    high = n * (lower_f * rows - error) / (shared + n * lower_f * rows)
    found: list[Form] = [("icc_2_1", single, low, high, *test)]
    if 1 + (k - 1) * low > 0:
        average = [k * icc / (1 + (k - 1) * icc) for icc in (single, low, high)]
        found.append(("icc_2_k", average[0], average[1], average[2], *test))
    return found
