"""Fisher's test for tables larger than 2x2 (Freeman and Halton)."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from cardio_core.stats.foundation.validate import Floats
from cardio_core.types.estimate import Estimate

MAX_TABLES = 2_000_000
"""Tables that are counted one by one; beyond this, p is simulated."""

N_SIMULATED = 100_000


def fisher_freeman_halton(counts: Floats, *, seed: int = 0) -> Estimate:
    """Return the p of all tables with the same margins that are no more likely than this one.

    `counts` has no empty row or column; `seed` is used where the tables are too many to list, and
    that of the estimate is None where p is exact.

    Notes
    -----
    Tables with two rows or columns are listed completely (up to two million); all others are
    sampled 100,000 times with their margins fixed (Patefield's algorithm), so that p has a
    standard error of at most 0.0016.

    References
    ----------
    Freeman GH, Halton JH. Note on an exact treatment of contingency, goodness of fit and other
    problems of significance. Biometrika 1951;38:141.

    Examples
    --------
    >>> import numpy as np
    >>> round(fisher_freeman_halton(np.array([[3, 0, 4], [1, 5, 2]])).p_value, 4)
    0.0497
    """
    if counts.shape[1] == 2:
        counts = counts.T
    columns = counts.sum(axis=0).astype(int)
    if counts.shape[0] == 2 and np.prod(columns + 1.0) <= MAX_TABLES:
        p, drawn = _listed(counts, columns), None
        method = "Fisher-Freeman-Halton exact test"
    else:
        p, drawn = _simulated(counts, seed), seed
        method = f"Fisher-Freeman-Halton test, {N_SIMULATED:,} simulated tables, seed {seed}"
    return Estimate("fisher_p", p, method=method, n=int(counts.sum()), p_value=p, seed=drawn)


def _listed(counts: Floats, columns: np.ndarray) -> float:
    """Weigh every first row that the margins allow; the second row follows from it."""
    total = int(counts[0].sum())
    sums = np.zeros(1, dtype=np.int64)
    weights = np.zeros(1)
    for size in columns:
        cells = np.arange(size + 1)
        # the number of ways to choose this column's share of the first row
        ways = gammaln(size + 1) - gammaln(cells + 1) - gammaln(size - cells + 1)
        sums = np.add.outer(sums, cells).ravel()
        weights = np.add.outer(weights, ways).ravel()
        possible = sums <= total
        sums, weights = sums[possible], weights[possible]
    weights = weights[sums == total]
    first = counts[0]
    observed = float(
        (gammaln(columns + 1) - gammaln(first + 1) - gammaln(columns - first + 1)).sum()
    )
    probabilities = np.exp(weights - weights.max())
    as_extreme = weights <= observed + 1e-7
    return float(probabilities[as_extreme].sum() / probabilities.sum())


def _simulated(counts: Floats, seed: int) -> float:
    from scipy.stats import random_table

    sampler = random_table(counts.sum(axis=1).astype(int), counts.sum(axis=0).astype(int))
    tables = sampler.rvs(N_SIMULATED, random_state=np.random.default_rng(seed))
    observed = gammaln(counts + 1).sum()
    as_extreme = gammaln(tables + 1.0).sum(axis=(1, 2)) >= observed - 1e-7
    return float((1 + np.count_nonzero(as_extreme)) / (1 + N_SIMULATED))
