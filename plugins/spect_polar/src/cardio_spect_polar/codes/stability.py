"""Whether a code is found again from other initial weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Stability:
    """How alike the codes of several fits are.

    Attributes
    ----------
    mean_r : ndarray, shape (k,)
        For each code of the first fit: mean |r| with its match in each other fit.
    least_r : ndarray, shape (k,)
        The smallest of them.
    subspace_r : float
        Mean canonical correlation between the first fit's codes and each other's: whether the
        space is found again, whatever its axes.
    """

    mean_r: Floats
    least_r: Floats
    subspace_r: float


def stability_of(codes: Sequence[Floats]) -> Stability:
    """Match the codes of several fits one to one, and say how well each is found again.

    Parameters
    ----------
    codes : sequence of ndarray, shape (n, k_i)
        Of the same patients in the same order; the first fit is the reference. A code that has no
        match, because another fit has fewer codes, counts as |r| = 0 there.

    Notes
    -----
    One-to-one matching that maximises the sum of |r| (Hungarian method; Kuhn, Nav Res Logist Q
    1955;2:83). Signs do not count: they are fixed by rule, and a rule can tip.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> found = stability_of([x, -x[:, ::-1]])
    >>> found.mean_r.round(6), round(found.subspace_r, 6)
    (array([1., 1., 1.]), 1.0)
    """
    first, *others = codes
    k = first.shape[1]
    if not others:
        return Stability(np.ones(k), np.ones(k), 1.0)
    found = np.zeros((len(others), k))
    for number, other in enumerate(others):
        size = np.abs(correlations(first, other))
        rows, columns = linear_sum_assignment(-size)
        found[number, rows] = size[rows, columns]
    subspace = float(np.mean([_canonical_correlations(first, other).mean() for other in others]))
    return Stability(found.mean(axis=0), found.min(axis=0), subspace)


def correlations(a: Floats, b: Floats) -> Floats:
    """Return Pearson's r of each column of `a` with each of `b`, 0 where one is constant.

    Examples
    --------
    >>> x = np.array([[1.0, 3.0], [2.0, 3.0], [3.0, 3.0]])
    >>> correlations(x, -x).round(6) + 0.0
    array([[-1.,  0.],
           [ 0.,  0.]])
    """
    return np.asarray(_standard(a).T @ _standard(b), np.float64)


def _standard(values: Floats) -> Floats:
    """Centre the columns and give them length one; constant ones become zero."""
    centred = values - values.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    tiny = 1e-12 * np.maximum(1.0, np.abs(values).max(axis=0))
    return np.asarray(np.where(length > tiny, centred / np.where(length > 0, length, 1.0), 0.0))


def _canonical_correlations(a: Floats, b: Floats) -> Floats:
    """Return the canonical correlations (Bjorck and Golub, Math Comp 1973;27:579)."""
    bases = [np.linalg.qr(x - x.mean(axis=0))[0] for x in (a, b)]
    return np.clip(np.linalg.svd(bases[0].T @ bases[1], compute_uv=False), 0.0, 1.0)
