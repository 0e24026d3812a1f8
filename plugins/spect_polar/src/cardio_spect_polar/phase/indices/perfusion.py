"""Perfusion, scar and thickening of the sampled wall."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import uniform_filter

from cardio_core.api import DataError

VIABLE_PCT = 50.0
"""Samples below are scar."""


def perfusion_pct(curves: ArrayLike) -> NDArray[np.float64]:
    """Return the uptake of each sample as a share of the best perfused wall.

    Parameters
    ----------
    curves : array-like, shape (n_slots, n_rings, n_rays)
        Counts.

    Returns
    -------
    ndarray, shape (n_rings, n_rays)
        Percent. 100 is the 99th percentile of the map smoothed over 3 x 3 samples, so a single
        hot voxel sets no scale; noise may lift a sample above 100.

    Raises
    ------
    DataError
        If no sample holds counts.

    Examples
    --------
    >>> curves = np.full((8, 10, 40), 60.0)
    >>> curves[:, 3, 7] = 30
    >>> perfusion_pct(curves)[3, 6:8]
    array([100.,  50.])
    """
    values = np.asarray(curves, np.float64)
    if values.ndim != 3:
        raise DataError(
            f"perfusion: expected curves (slots, rings, rays), found shape {values.shape}"
        )
    total = values.sum(axis=0)
    smooth = uniform_filter(total, 3, mode=("nearest", "wrap"))
    best = float(np.percentile(smooth, 99))
    if not best > 0:
        raise DataError(
            "perfusion: expected counts in the wall, found none; is the left ventricle in the "
            "field of view?"
        )
    return np.asarray(100 * total / best)


def scar_pct(perfusion: ArrayLike, *, weights: ArrayLike | None = None) -> float:
    """Return the share of the wall whose perfusion is below 50 %, in percent.

    Parameters
    ----------
    perfusion : array-like
        Percent, as `perfusion_pct` gives it; NaN is left out.
    weights : array-like, optional
        Of the same shape, wall area for example; samples count alike by default.

    Examples
    --------
    >>> scar_pct([100.0, 80.0, 50.0, 49.0])
    25.0
    """
    percent = np.ravel(np.asarray(perfusion, np.float64))
    weight = np.ones(percent.shape) if weights is None else np.ravel(np.asarray(weights, float))
    known = np.isfinite(percent)
    if not weight[known].sum() > 0:
        return float("nan")
    return float(100 * np.average(percent[known] < VIABLE_PCT, weights=weight[known]))


def thickening_pct(
    mean: ArrayLike, amplitude: ArrayLike, opposed: ArrayLike = False
) -> NDArray[np.float64]:
    """Return systolic wall thickening, 2A / (mean - A), in percent.

    Parameters
    ----------
    mean, amplitude : array-like
        Of the first harmonic, in counts: the curve runs from mean - A to mean + A.
    opposed : array-like of bool
        Where the sample thins while the ventricle thickens: it loses 2A of mean + A, and the
        number is negative.

    Returns
    -------
    ndarray
        NaN where mean - A is not positive.

    Notes
    -----
    Counts follow thickness through the partial-volume effect alone, so the number understates
    thickening of thick walls.

    Examples
    --------
    >>> thickening_pct(110.0, 10.0)
    array(20.)
    >>> thickening_pct(110.0, 10.0, opposed=True).round(1)
    np.float64(-16.7)
    """
    middle, wave = np.asarray(mean, np.float64), np.asarray(amplitude, np.float64)
    wave = np.where(np.asarray(opposed), -wave, wave)
    before = middle - wave
    blank = np.full(np.shape(before), np.nan)
    return np.asarray(np.divide(200 * wave, before, out=blank, where=middle > np.abs(wave)))
