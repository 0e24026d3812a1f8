"""Whether new patients are covered less often than a conformal quantile allows by chance."""

from __future__ import annotations

import math

from cardio_core.errors import DataError


def lower_coverage_p(k: int, n: int, n_calibration: int, alpha: float) -> float:
    """Return the chance that `k` or fewer of `n` new patients are covered, if nothing changed.

    Parameters
    ----------
    k, n : int
        Covered, and all, of the new patients.
    n_calibration : int
        Patients whose scores the quantile was taken of.
    alpha : float
        Share that may be missed.

    Raises
    ------
    DataError
        `k` outside 0 to `n`, or too few patients for a quantile at `alpha`.

    Notes
    -----
    With exchangeable patients and no ties, the number covered is beta-binomial: the share that a
    quantile covers is itself drawn, beta with ``n_calibration + 1 - l`` and ``l``, where
    ``l = floor((n_calibration + 1) alpha)``. Wilson's interval around the coverage of the new
    patients alone knows nothing of that: a quantile of 50 patients may well cover 84 % for ever.

    References
    ----------
    Vovk V. Mach Learn 2013;92:349. Angelopoulos AN, Bates S. Found Trends Mach Learn 2023;16:494.

    Examples
    --------
    >>> round(lower_coverage_p(70, 100, 99, 0.1), 4), lower_coverage_p(100, 100, 99, 0.1)
    (0.0002, 1.0)
    """
    if not 0 <= k <= n or n < 1:
        raise DataError(f"coverage: expected 0 to {n} covered patients, found {k}")
    left = math.floor((n_calibration + 1) * alpha + 1e-9)
    if left < 1:
        raise DataError(
            f"coverage: {n_calibration} patients are too few for a quantile at alpha = {alpha:g}"
        )
    from scipy.stats import betabinom

    return float(min(1.0, betabinom.cdf(k, n, n_calibration + 1 - left, left)))
