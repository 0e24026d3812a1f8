"""The phase histogram, and where to cut the circle so that phases become numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_spect_polar.polar.angles import signed_deg, wrapped_deg

SMOOTHING_DEG = 5
_WIDE_DEG = 31


def phase_histogram(
    phase_deg: ArrayLike, *, weights: ArrayLike | None = None, n_bins: int = 360
) -> NDArray[np.float64]:
    """Return how many samples, or how much weight, lies in each bin of [0, 360).

    Parameters
    ----------
    phase_deg : array-like
        Degrees of any range; NaN is left out.
    weights : array-like, optional
        Of the same shape.
    n_bins : int

    Returns
    -------
    ndarray, shape (n_bins,)
        Bin k begins at k * 360 / n_bins degrees.

    Examples
    --------
    >>> phase_histogram([0.5, 0.7, 359.9, 361.0], n_bins=360)[[0, 1, 359]]
    array([2., 1., 1.])
    """
    phase = np.ravel(np.asarray(phase_deg, np.float64))
    known = np.isfinite(phase)
    weight = None if weights is None else np.ravel(np.asarray(weights, np.float64))[known]
    # Rounding keeps a phase that is meant to lie on an edge in the bin that begins there.
    index = np.floor(np.round(wrapped_deg(phase[known]) * n_bins / 360, 9)).astype(np.int64)
    return np.bincount(index % n_bins, weight, minlength=n_bins).astype(np.float64)


def smooth_circle(heights: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the moving mean over an odd number of bins, around the circle."""
    half = width // 2
    rolled = np.concatenate([heights[-half:], heights, heights[:half]])
    sums = np.convolve(rolled, np.ones(width), mode="valid")
    return np.asarray(sums / width)


def cut_deg(phase_deg: ArrayLike) -> float:
    """Return where to cut the circle: the centre of the largest empty arc.

    Parameters
    ----------
    phase_deg : array-like
        Degrees; NaN is left out.

    Returns
    -------
    float
        [0, 360). Of the histogram of 360 bins smoothed over 5 degrees. Of arcs of equal length
        the one farthest from the circular mean is taken. Where no arc is empty, as under heavy
        noise, the emptiest 31 degrees are.

    Examples
    --------
    >>> cut_deg([10.5, 20.5, 110.5])
    240.5
    """
    heights = phase_histogram(phase_deg)
    # Counts are whole numbers; sums of them are exact, so zero is zero.
    filled = np.flatnonzero(smooth_circle(heights, SMOOTHING_DEG) > 0)
    if filled.size < heights.size and filled.size:
        after = np.append(filled[1:], filled[0] + 360)
        length = after - filled - 1
        ties = np.flatnonzero(length == length.max())
        centres = np.asarray(filled[ties] + 1 + length[ties] / 2, np.float64)
    else:
        wide = smooth_circle(heights, _WIDE_DEG)
        lowest = np.flatnonzero(wide <= wide.min() * (1 + 1e-12))
        centres = np.asarray(lowest + 0.5, np.float64)
    return float(_farthest(centres % 360, heights))


def _farthest(candidates: NDArray[np.float64], heights: NDArray[np.float64]) -> np.float64:
    """Return the candidate farthest from the histogram's circular mean."""
    centres = np.radians(np.arange(heights.size) + 0.5)
    mean = np.degrees(np.angle(np.sum(heights * np.exp(1j * centres))))
    away = np.abs(signed_deg(candidates - mean))
    return np.float64(candidates[np.argmax(np.round(away, 6))])


def unwrapped(phase_deg: ArrayLike, cut: float | None = None) -> NDArray[np.float64]:
    """Return phases as numbers on the line that begins at the cut.

    Parameters
    ----------
    phase_deg : array-like
        Degrees; NaN stays.
    cut : float, optional
        Where the circle is cut; `cut_deg` of the phases by default.

    Returns
    -------
    ndarray
        [cut, cut + 360).

    Examples
    --------
    >>> unwrapped([350.0, 10.0]).tolist()
    [350.0, 370.0]
    """
    phase = np.asarray(phase_deg, np.float64)
    start = cut_deg(phase) if cut is None else cut
    return start + wrapped_deg(phase - start)
