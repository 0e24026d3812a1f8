"""The regression behind late fusion: weights that move little when the scores move little."""

from __future__ import annotations

from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cardio_core.errors import DataError
from cardio_core.stats.foundation.newton import maximise
from cardio_core.stats.regression.firth import firth_with_ridge

Floats = NDArray[np.float64]
Method = Literal["ml", "firth", "ls"]

TELLS_NOTHING = 0.04
"""Log odds. Scores with this standard deviation differ between patients by one percentage point:
the logistic curve rises by at most 1/4 per log odds."""
TELLS_NOTHING_OF_A_NUMBER = 0.01
"""In standard deviations of the truth, which is the correlation that such a score could reach."""
STEEPNESS = 6
"""Power with which the ridge grows below those, and is gone above: ten times as far apart, scores
meet a millionth of it."""
RUNS_AWAY = (1.0, 2.0)
"""How many times Firth's log odds maximum likelihood adds to them: up to the first it is taken,
from the second on Firth's method is, and both in proportion between."""


class UnfittableError(DataError):
    """The fitted rows cannot settle the weights: too few, of one class, or all alike."""


def fit_weights(
    scores: Floats, missing: Floats, outcome: Floats, where: str, *, linear: bool
) -> tuple[float, Floats, Method]:
    """Weigh the scores of several models, and their absence, against the truth.

    Parameters
    ----------
    scores : ndarray, shape (n, n_models)
        Log odds, or numbers in the unit of the truth; filled where missing.
    missing : ndarray of 0 and 1, shape (n, n_models)
    outcome : ndarray, shape (n,)
        0 and 1, both found; or numbers where `linear`.
    where : str
        Where the rows come from, for messages.
    linear : bool
        Least squares instead of logistic regression.

    Returns
    -------
    intercept : float
    weights : ndarray, shape (2 * n_models,)
        Of the scores, then of their absence.
    method : {"ml", "firth", "ls"}
        ``"firth"`` where Firth's method has a share.

    Raises
    ------
    UnfittableError
        No more rows than weights, scores that do not vary, or no convergence.

    Notes
    -----
    A model that scores everybody alike, or as another model does, differs from the others by the
    last digits of its arithmetic. Unpenalised, the weight of such a column is whatever lets those
    digits explain the outcome: thousands, and other thousands on another processor. A weight of
    log odds has no unit, so a ridge can have a constant. Along each principal direction of the
    scores (beyond the indicators of absence) with standard deviation r it is
    ``n / 4 * (f / r) ** 6``: n / 4 is the most information that n patients can give, and f is
    `TELLS_NOTHING`. A direction along which patients differ by much less than f weighs nothing, as
    if it were not there; one with r = 1 is penalised by 4e-9 of its information, so what is well
    posed equals glm. The penalty is a smooth function of the scores' covariance, and the weights
    move smoothly with the scores; a threshold on r would make them jump. Least squares take n and
    `TELLS_NOTHING_OF_A_NUMBER`. Of two models that say the same, the first has the weight of both.

    Where the scores separate the classes, the likelihood has no maximum, and where they nearly do,
    it has one far out. Firth's method is always fitted beside it, with the same ridge. Which of the
    two is taken is no yes or no, because a difference of 1e-9 decides about separation: it is the
    share of `RUNS_AWAY` that their log odds differ by.

    References
    ----------
    Hoerl AE, Kennard RW. Ridge regression: biased estimation for nonorthogonal problems.
    Technometrics 1970;12:55. Firth D. Biometrika 1993;80:27.

    Examples
    --------
    The second model says 0.3 of everybody, but for its arithmetic:

    >>> import numpy as np
    >>> y = np.array([0.0, 1, 0, 1, 0, 0, 1, 1])
    >>> logits = np.array([-1.0, 0.5, 0.2, 1.5, -0.3, -2.0, -0.4, 0.6])
    >>> scores = np.column_stack([logits, -0.85 + 1e-7 * y])
    >>> _, weights, method = fit_weights(scores, np.zeros((8, 2)), y, "doctest", linear=False)
    >>> bool(weights[0] > 1), bool(abs(weights[1]) < 1e-6), method
    (True, True, 'ml')
    """
    n, n_models = scores.shape
    faint = TELLS_NOTHING_OF_A_NUMBER * float(outcome.std()) if linear else TELLS_NOTHING
    absent = _independent(missing, np.ones((n, 1)))
    base = np.column_stack([missing[:, absent], np.ones(n)])
    of_base = np.linalg.lstsq(base, scores, rcond=None)[0]
    rest = scores - base @ of_base
    directions, apart = _principal(rest)
    n_weights = len(absent) + int((apart >= faint).sum())
    if n <= n_weights + 1:
        raise UnfittableError(
            f"fusion, {where}: expected more fitted rows than the {n_weights + 1} weights, found "
            f"{n}; fuse fewer models or take more patients"
        )
    if not n_weights:
        raise UnfittableError(
            f"fusion, {where}: expected scores that vary, found constant ones in every model"
        )
    # a hundred times fainter, the ridge is 1e12 times the information: the weight is 0
    seen = apart > max(faint / 100, 1e-12)
    directions = directions[:, seen] / apart[seen]
    centre, spread = missing[:, absent].mean(axis=0), missing[:, absent].std(axis=0)
    scaled = (missing[:, absent] - centre) / spread
    full = np.column_stack([rest @ directions, scaled, np.ones(n)])
    # an absence is as far apart as one log odds
    strength = np.append(faint / apart[seen], [TELLS_NOTHING] * len(absent)) ** STEEPNESS
    ridge = np.append(n * strength * (1.0 if linear else 0.25), 0.0)
    beta, method = (
        _least_squares(full, outcome, ridge) if linear else _logistic(full, outcome, ridge, where)
    )
    n_seen = int(seen.sum())
    of_scores = _handed_on(directions @ beta[:n_seen], rest, faint)
    by_base = of_base @ of_scores
    of_absence = beta[n_seen:-1] / spread
    weights = np.zeros(2 * n_models)
    weights[:n_models] = of_scores
    weights[[n_models + column for column in absent]] = of_absence - by_base[:-1]
    intercept = beta[-1] - of_absence @ centre - by_base[-1]
    return float(intercept), weights, method


def _logistic(full: Floats, outcome: Floats, ridge: Floats, where: str) -> tuple[Floats, Method]:
    try:
        firth = firth_with_ridge(full, outcome, ridge)
    except (DataError, np.linalg.LinAlgError) as error:
        raise UnfittableError(f"fusion, {where}: {error}") from error
    try:
        likely, _ = maximise(full, outcome, ridge=ridge)
    except DataError:
        return firth, "firth"  # on its way to the ridge, far beyond where anything is decided
    modest = full @ firth
    excess = float(np.max(np.abs(full @ likely - modest) / (1 + np.abs(modest))))
    least, most = RUNS_AWAY
    share = float(np.clip((excess - least) / (most - least), 0.0, 1.0))
    return (1 - share) * likely + share * firth, "firth" if share else "ml"


def _least_squares(full: Floats, outcome: Floats, ridge: Floats) -> tuple[Floats, Method]:
    beta = np.linalg.solve(full.T @ full + np.diag(ridge), full.T @ outcome)
    return np.asarray(beta, dtype=np.float64), "ls"


def _principal(rest: Floats) -> tuple[Floats, Floats]:
    """Return orthogonal directions (one a column) and the standard deviation along each."""
    _, singular, directions = np.linalg.svd(rest / np.sqrt(len(rest)), full_matrices=False)
    return directions.T, singular


def _handed_on(weights: Floats, rest: Floats, faint: float) -> Floats:
    """Let a model hand its weight to an earlier one that says the same; their sum stays as it is.

    They say the same where they differ by much less than a tenth of `faint`; as for the ridge, no
    threshold decides.
    """
    handed = weights.copy()
    for one, other in combinations(range(len(weights)), 2):
        differ = float((rest[:, one] - rest[:, other]).std()) / max(faint / 10, 1e-12)
        share = 1 / (1 + differ**STEEPNESS)
        handed[one] += share * handed[other]
        handed[other] *= 1 - share
    return handed


def _independent(matrix: Floats, base: Floats) -> list[int]:
    """Return the columns that are neither in the span of `base` nor sums of earlier ones."""
    used: list[int] = []
    basis = np.linalg.qr(base)[0]
    for column, values in enumerate(matrix.T):
        rest = values - basis @ (basis.T @ values)
        rest -= basis @ (basis.T @ rest)  # once more, for the rounding of the first
        size = float(np.linalg.norm(rest))
        if size > 1e-8 * max(float(np.linalg.norm(values)), 1e-300):
            used.append(column)
            basis = np.column_stack([basis, rest / size])
    return used
