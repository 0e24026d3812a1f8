"""A null distribution for a whole pipeline: labels permuted between patients, everything rerun."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import Floats, group_codes, numeric_column
from cardio_core.types.estimate import Estimate


def permute_pipeline(
    pipeline: Callable[[Floats], float],
    labels: ArrayLike,
    *,
    patients: ArrayLike | None = None,
    n_permutations: int = 200,
    seed: int = 0,
    name: str = "auc",
    level: float = 0.95,
) -> Estimate:
    """Ask how often a pipeline does as well on labels that mean nothing.

    Parameters
    ----------
    pipeline : callable
        Labels, shape (n,) -> the figure of merit, larger is better. It must repeat everything
        that saw the labels: selection, tuning, thresholds, cross-validation.
    labels : array-like, shape (n,)
        Without missing values.
    patients : array-like, shape (n,), optional
        Labels are then permuted between patients, each of whom must have one label.
    n_permutations : int
        At least 19.
    seed : int
    name : str
    level : float
        Coverage of the null interval in ``extra``.

    Returns
    -------
    Estimate
        The figure on the true labels; p is (1 + number of permutations at least as good) / (1 +
        number of permutations), which is never 0. ``extra`` describes the null distribution.

    References
    ----------
    Phipson B, Smyth GK. Permutation p-values should never be zero. Stat Appl Genet Mol Biol
    2010;9:39.

    Examples
    --------
    >>> from scipy.stats import rankdata
    >>> score = np.arange(20.0)
    >>> def pipeline(y):
    ...     return float((rankdata(score)[y == 1].mean() - (y.sum() + 1) / 2) / (y == 0).sum())
    >>> permute_pipeline(pipeline, score > 9, n_permutations=99).p_value
    0.01
    """
    truth = numeric_column(labels, "labels")
    if np.isnan(truth).any():
        raise DataError("permutation: expected a label in every row; drop the rows without one")
    if n_permutations < 19:
        raise DataError(f"permutation: expected at least 19 permutations, found {n_permutations}")
    codes = np.arange(truth.size) if patients is None else group_codes(patients, "patients")
    of_patient = _one_label_each(truth, codes)
    rng = np.random.default_rng(seed)
    observed = float(pipeline(truth))
    null = np.array(
        [pipeline(rng.permutation(of_patient)[codes]) for _ in range(n_permutations)], dtype=float
    )
    if not (np.isfinite(null).all() and np.isfinite(observed)):
        raise DataError("permutation: expected a number from every run, found NaN; check it")
    low, high = np.quantile(null, [0.5 - level / 2, 0.5 + level / 2])
    return Estimate(
        name,
        observed,
        method=f"permutation of the labels, {n_permutations} reruns of the whole pipeline",
        n=int(of_patient.size),
        unit="row" if patients is None else "patient",
        n_patients=None if patients is None else int(of_patient.size),
        p_value=float((1 + np.count_nonzero(null >= observed - 1e-12)) / (1 + n_permutations)),
        seed=seed,
        extra={"null_mean": float(null.mean()), "null_low": float(low), "null_high": float(high)},
    )


def _one_label_each(truth: Floats, codes: np.ndarray) -> Floats:
    if (codes < 0).any():
        raise DataError("permutation: expected a patient in every row, found a missing one")
    of_patient = np.empty(int(codes.max()) + 1)
    of_patient[codes] = truth
    if not np.array_equal(of_patient[codes], truth):
        raise DataError(
            "permutation: expected one label a patient, found patients with several; permute a "
            "label that belongs to the patient"
        )
    return of_patient
