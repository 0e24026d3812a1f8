"""Angles on the circle, in degrees."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def wrapped_deg(angle_deg: ArrayLike) -> NDArray[np.float64]:
    """Return angles in [0, 360); 360 itself, which rounding can leave, becomes 0."""
    inside = np.mod(np.asarray(angle_deg, np.float64), 360.0)
    return np.where(inside == 360.0, 0.0, inside)


def signed_deg(difference_deg: ArrayLike) -> NDArray[np.float64]:
    """Return a difference of angles in [-180, 180)."""
    return wrapped_deg(np.asarray(difference_deg, np.float64) + 180.0) - 180.0
