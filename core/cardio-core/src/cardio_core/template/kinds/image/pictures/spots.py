"""The spot of a picture: what can be measured of it, and the picture that a network sees."""

import numpy as np
from numpy.typing import NDArray

SIDE = 32
"""Rows and columns of what the network sees."""

Floats = NDArray[np.float64]


def measure(picture: Floats) -> tuple[float, float]:
    """Return the spot's height (units of the picture) and width (as of a disc, in pixels)."""
    floor, top = np.percentile(picture, [50, 99.5])
    n_bright = int((picture > (floor + top) / 2).sum())
    return float(top - floor), float(2 * np.sqrt(n_bright / np.pi))


def resized(picture: Floats) -> Floats:
    """Return the picture from 0 to 1, shape (32, 32), by its nearest pixels."""
    rows, columns = (np.linspace(0, n - 1, SIDE).round().astype(int) for n in picture.shape)
    small = picture[np.ix_(rows, columns)]
    return np.asarray((small - small.min()) / np.ptp(small))
