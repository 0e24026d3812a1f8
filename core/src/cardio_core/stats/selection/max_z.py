"""Several differences of one sample at once: p-values valid for the largest of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import Floats

DRAWS = 100_000


def max_z_adjusted(differences: ArrayLike, covariance: ArrayLike, *, seed: int = 0) -> Floats:
    """Adjust p-values of correlated differences for having looked at all of them.

    Parameters
    ----------
    differences : array-like, shape (k,)
        Estimates whose expectation is 0 under the hypothesis.
    covariance : array-like, shape (k, k)
        Of the estimates; it may be singular, as that of all pairs of scores is.
    seed : int
        Of the 100,000 draws from the joint normal distribution.

    Returns
    -------
    ndarray, shape (k,)
        The chance that the largest of all standardised differences is as large as each: the
        single-step max-T method. At least 1e-5, the resolution of the draws.

    Raises
    ------
    DataError
        A difference without any variance.

    References
    ----------
    Hothorn T, Bretz F, Westfall P. Biom J 2008;50:346.

    Examples
    --------
    Three independent differences are adjusted as Sidak does, three equal ones not at all:

    >>> z = [1.96, 0.5, 0.1]
    >>> bool(abs(max_z_adjusted(z, np.eye(3))[0] - (1 - 0.95**3)) < 0.005)
    True
    >>> bool(abs(max_z_adjusted([1.96] * 3, np.ones((3, 3)))[0] - 0.05) < 0.005)
    True
    """
    values, matrix = np.asarray(differences, float), np.asarray(covariance, float)
    variances = np.diag(matrix)
    if (variances <= 0).any():
        raise DataError("max-T: expected differences with a variance, found one without")
    scale = np.sqrt(variances)
    eigenvalues, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    root = vectors * np.sqrt(np.clip(eigenvalues, 0.0, None))
    drawn = np.random.default_rng(seed).normal(size=(DRAWS, len(values))) @ root.T
    largest = np.abs(drawn).max(axis=1)
    seen = (largest[:, None] >= np.abs(values / scale)[None, :]).sum(axis=0)
    return np.asarray((seen + 1) / (DRAWS + 1))
