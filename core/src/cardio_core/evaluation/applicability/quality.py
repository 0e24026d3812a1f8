"""How good a picture or a curve is, whatever it shows: level, contrast, noise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

QUALITIES = {"level": "mean level", "contrast": "contrast", "noise": "noise"}
"""What is measured of it, in words."""

LEAST_VALUES = 16
"""A block of fewer values a sample is no picture."""

_LEAST_AXIS = 8


def qualities_of(values: NDArray[Any]) -> tuple[float, float, float]:
    """Return mean, standard deviation and noise of one picture or curve.

    Noise is the standard deviation that white noise would have for the mean absolute second
    difference along the last axis that is long enough, so that what changes slowly does not count.
    NaN where too few values are known.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> slope = np.linspace(0, 9, 4000).reshape(4, 1000)
    >>> mean, contrast, noise = qualities_of(slope + 0.1 * rng.normal(size=slope.shape))
    >>> round(mean, 1), round(noise, 2)
    (4.5, 0.1)
    """
    array = np.asarray(values, float)
    known = array[np.isfinite(array)]
    if known.size < LEAST_VALUES:
        return (float("nan"),) * 3
    long = [axis for axis, length in enumerate(array.shape) if length >= _LEAST_AXIS]
    noise = float("nan")
    if long:
        second = np.abs(np.diff(array, n=2, axis=long[-1]))
        second = second[np.isfinite(second)]
        # |a - 2b + c| of white noise has the standard deviation sqrt(6), and its mean is
        # sqrt(2 / pi) of that.
        noise = float(second.mean() * np.sqrt(np.pi / 2) / np.sqrt(6)) if second.size else noise
    return float(known.mean()), float(known.std()), noise
