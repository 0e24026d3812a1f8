"""Screening many columns against one outcome: the max-T permutation test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import Floats, Ints, numeric_column
from cardio_core.types.estimate import Estimate

CELLS_PER_BLOCK = 4_000_000
"""Numbers held at once, 32 MB: memory stays bounded whatever the number of permutations."""


def max_t_screen(
    features: ArrayLike,
    outcome: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    ranks: bool = False,
    n_permutations: int = 10_000,
    seed: int = 0,
    unit: str = "patient",
) -> list[Estimate]:
    """Test each column against the outcome, with p-values valid for the best of all columns.

    Parameters
    ----------
    features : array-like, shape (n, m)
        Rows with a missing value are dropped and counted.
    outcome : array-like, shape (n,)
        0 and 1, or a measurement.
    names : sequence of str, optional
        Of the columns; by default 1, 2, ...
    ranks : bool
        Compare ranks (Wilcoxon, Spearman) instead of values (t, Pearson).
    n_permutations : int
        At least 99.
    seed : int
    unit : str
        What a row is. Rows must be exchangeable: give one row a patient.

    Returns
    -------
    list of Estimate
        One a column, in the given order. Value: the correlation with the outcome. ``p_value`` is
        adjusted by the step-down max-T method of Westfall and Young; ``extra`` holds
        ``p_unadjusted``.

    Raises
    ------
    DataError
        A constant column or outcome, or fewer than 4 complete rows.

    Notes
    -----
    With an outcome of two groups the correlation and Student's t are ordered alike, so this is
    the permutation test of t. Correlated columns are not punished as Bonferroni's method does,
    because each permutation keeps the columns of a row together.

    References
    ----------
    Westfall PH, Young SS. Resampling-Based Multiple Testing. Wiley 1993, algorithm 4.1.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x, y = rng.normal(size=(40, 20)), np.repeat([0, 1], 20)
    >>> x[:, 3] += 1.5 * y
    >>> found = max_t_screen(x, y, n_permutations=999, seed=1)
    >>> found[3].p_value, min(e.p_value for e in found if e is not found[3]) > 0.05
    (0.001, True)
    """
    matrix, labels, n_dropped = _complete(features, outcome)
    n, m = matrix.shape
    listed = [str(index + 1) for index in range(m)] if names is None else list(names)
    if len(listed) != m:
        raise DataError(f"max-T: expected {m} names, found {len(listed)}")
    if n_permutations < 99:
        raise DataError(f"max-T: expected at least 99 permutations, found {n_permutations}")
    if ranks:
        matrix, labels = rankdata(matrix, axis=0), rankdata(labels)
    standard, target = _unit_columns(matrix, listed), _unit_columns(labels[:, None], ["outcome"])
    observed = (target.T @ standard)[0]
    order = np.argsort(-np.abs(observed))
    exceeded, exceeded_alone = _exceedances(
        standard[:, order], target[:, 0], np.abs(observed[order]), n_permutations, seed
    )
    adjusted, alone = _as_p_values(order, exceeded, exceeded_alone, n_permutations)
    kind = "rank correlation" if ranks else "correlation"
    return [
        Estimate(
            f"correlation[{name}]",
            float(observed[index]),
            method=f"{kind}, step-down max-T over {m} columns, {n_permutations:,} permutations",
            n=n,
            unit=unit,
            p_value=float(adjusted[index]),
            n_dropped=n_dropped,
            seed=seed,
            extra={"p_unadjusted": float(alone[index])},
        )
        for index, name in enumerate(listed)
    ]


def step_down(observed: Floats, null: Floats) -> tuple[Floats, Floats]:
    """Return p-values corrected by step-down max-T, and those of each test alone.

    Parameters
    ----------
    observed : ndarray, shape (m,)
        A statistic a test, larger is rarer, all on one scale.
    null : ndarray, shape (n_permutations, m)
        The same under permutations that keep the tests together.

    Returns
    -------
    adjusted, alone : ndarray, shape (m,)
        Never 0: the given order counts as one of the permutations.

    Examples
    --------
    >>> null = np.array([[1.0, 0.0], [0.0, 2.5], [0.5, 0.5]])
    >>> [p.tolist() for p in step_down(np.array([3.0, 2.0]), null)]
    [[0.25, 0.5], [0.25, 0.5]]
    """
    order = np.argsort(-observed)
    together, alone = _counted(null[:, order], observed[order])
    return _as_p_values(order, together, alone, len(null))


def _counted(statistics: Floats, observed: Floats) -> tuple[Floats, Floats]:
    """Count permutations as extreme as each test, alone and as a maximum of what is below it.

    Columns of `statistics` and `observed` are sorted, strongest first.
    """
    # equal statistics must count as equal, whatever the order of summation
    threshold = observed - 1e-10
    maxima = np.maximum.accumulate(statistics[:, ::-1], axis=1)[:, ::-1]
    return (maxima >= threshold).sum(axis=0), (statistics >= threshold).sum(axis=0)


def _as_p_values(
    order: Ints, together: Floats, alone: Floats, n_permutations: int
) -> tuple[Floats, Floats]:
    adjusted, unadjusted = np.empty(order.size), np.empty(order.size)
    adjusted[order] = np.maximum.accumulate((1 + together) / (1 + n_permutations))
    unadjusted[order] = (1 + alone) / (1 + n_permutations)
    return adjusted, unadjusted


def _complete(features: ArrayLike, outcome: ArrayLike) -> tuple[Floats, Floats, int]:
    labels = numeric_column(outcome, "outcome")
    matrix = np.asarray(features, dtype=np.float64)
    if matrix.ndim != 2 or len(matrix) != len(labels):
        raise DataError(
            f"max-T: expected {len(labels)} rows of features, found shape {matrix.shape}"
        )
    known = np.isfinite(matrix).all(axis=1) & ~np.isnan(labels)
    n = int(np.count_nonzero(known))
    if n < 4:
        raise DataError(
            f"max-T: expected at least 4 complete rows, found {n} of {len(labels)}; leave out the "
            "columns with most missing values"
        )
    return matrix[known], labels[known], len(labels) - n


def _unit_columns(matrix: Floats, names: Sequence[str]) -> Floats:
    """Centre the columns and give them length one."""
    centred = matrix - matrix.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    for name, size, largest in zip(names, length, np.abs(matrix).max(axis=0), strict=True):
        if size <= 1e-12 * max(1.0, float(largest)):
            raise DataError(f"max-T: column {name!r} is constant; leave it out")
    return np.asarray(centred / length, dtype=np.float64)


def _exceedances(
    standard: Floats, target: Floats, observed: Floats, n_permutations: int, seed: int
) -> tuple[Floats, Floats]:
    """Count permutations as extreme as each column, alone and as a maximum of what is below it.

    `standard` and `observed` are sorted, strongest first.
    """
    rng = np.random.default_rng(seed)
    n, m = standard.shape
    per_block = max(1, CELLS_PER_BLOCK // max(n, m))
    together, alone = np.zeros(m), np.zeros(m)
    done = 0
    while done < n_permutations:
        size = min(per_block, n_permutations - done)
        shuffled = rng.permuted(np.broadcast_to(target, (size, n)), axis=1)
        in_block = _counted(np.abs(shuffled @ standard), observed)
        together += in_block[0]
        alone += in_block[1]
        done += size
    return together, alone
