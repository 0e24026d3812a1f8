"""Whether print runs into the sector from outside, so that some of it may lie over the tissue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_LIT = 60
_FROM_PX, _TO_PX, _TOUCH_PX = 2.9, 8.0, 1.2
"""Nearer to the sector lies what a fit cuts off, and what codecs blur."""

CROSSED = "print reaches the sector's edge and may be left over the tissue: look at the sheet"


def print_crosses(high: NDArray[np.uint8], sector: NDArray[np.bool_]) -> bool:
    """Say whether something bright outside the sector reaches its edge, in any frame.

    `high` is the brightest grey of each pixel over a loop; both have shape (n_rows, n_columns).
    What lies over the tissue then need not have been told from it, whatever was replaced.

    Examples
    --------
    >>> sector = np.zeros((60, 80), np.bool_)
    >>> sector[10:40, 20:60] = True
    >>> high = np.where(sector, 120, 0).astype(np.uint8)
    >>> print_crosses(high, sector)
    False
    >>> high[36:55, 30] = 200  # a peak of a trace
    >>> print_crosses(high, sector)
    True
    """
    if not sector.any():
        return False
    away = ndimage.distance_transform_edt(~sector)
    band = (away >= _FROM_PX) & (away <= _TO_PX)
    labels, n_pieces = ndimage.label((high >= _LIT) & band, np.ones((3, 3)))
    if not n_pieces:
        return False
    pieces = np.arange(1, n_pieces + 1)
    near = ndimage.minimum(away, labels, pieces) <= _FROM_PX + _TOUCH_PX
    far = ndimage.maximum(away, labels, pieces) >= _TO_PX - _TOUCH_PX
    return bool((near & far).any())
