"""Which beats an epoch is made of: shares of classes, and of patients within a class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError


def drawing_weights(
    target: NDArray[np.int64],
    patient: NDArray[np.str_],
    shares: Sequence[float],
    *,
    patient_power: float = 0.5,
) -> NDArray[np.float64]:
    """Return the probability of drawing each beat, so that classes come in the given shares.

    Parameters
    ----------
    target : ndarray of int64, shape (n_beats,)
        Class numbers.
    patient : ndarray of str, shape (n_beats,)
        Whose beat it is.
    shares : sequence of float, shape (n_classes,)
        Wanted share of each class; the shares of classes without beats go to the others.
    patient_power : float
        A patient with m beats of a class gets a part of the class's share proportional to
        m ** patient_power: 1 draws beats alike, 0 draws patients alike.

    Returns
    -------
    ndarray of float64, shape (n_beats,)
        Sums to 1.

    Raises
    ------
    DataError
        If no class with a positive share has a beat.

    Examples
    --------
    >>> who = np.array(["a", "a", "a", "a", "b"])
    >>> drawing_weights(np.array([0, 0, 0, 0, 0]), who, [1.0, 1.0], patient_power=0.5).round(3)
    array([0.167, 0.167, 0.167, 0.167, 0.333])
    """
    weights = np.zeros(target.size, dtype=np.float64)
    for number, share in enumerate(shares):
        members = np.flatnonzero(target == number)
        if not members.size or share <= 0:
            continue
        _, whose, counts = np.unique(patient[members], return_inverse=True, return_counts=True)
        each = counts[whose] ** (patient_power - 1.0)
        weights[members] = share * each / each.sum()
    total = float(weights.sum())
    if total <= 0:
        msg = "drawing beats: expected a beat of a class with a positive share, found none"
        raise DataError(msg)
    weights /= total
    return weights


def log_prior_ratio(
    weights: NDArray[np.float64], target: NDArray[np.int64], wanted: Sequence[float]
) -> NDArray[np.float32]:
    """Return log(drawn share / wanted share) of every class, for `prior_adjusted_cross_entropy`.

    Parameters
    ----------
    weights : ndarray of float64, shape (n_beats,)
        From `drawing_weights`.
    target : ndarray of int64, shape (n_beats,)
        Class numbers.
    wanted : sequence of float, shape (n_classes,)
        The prior that the logits shall have.

    Returns
    -------
    ndarray of float32, shape (n_classes,)
        0 for a class that is never drawn or not wanted.

    Examples
    --------
    >>> log_prior_ratio(np.array([0.5, 0.5]), np.array([0, 1]), [0.5, 0.25]).round(3).tolist()
    [0.0, 0.6930000185966492]
    """
    aim = np.asarray(wanted, dtype=np.float64)
    drawn = np.bincount(target, weights=weights, minlength=aim.size)
    ratio = np.ones_like(aim)
    used = (drawn > 0) & (aim > 0)
    ratio[used] = drawn[used] / aim[used]
    return np.log(ratio).astype(np.float32)
