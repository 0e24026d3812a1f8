"""From seventeen segments to a smooth map over the wall."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

_ARC_EDGES = (-np.inf, 0.1, 0.4, 0.7, np.inf)
"""Cap, apical, mid and basal thirds: the cap is the last tenth."""
_EDGE_ARC = 0.04
_FIRST = {1: 13, 2: 7, 3: 1}
_PER_RING = {1: 4, 2: 6, 3: 6}


def over_wall(
    values: ArrayLike, angle_deg: ArrayLike, arc: ArrayLike, *, edge_deg: float = 20.0
) -> NDArray[np.float64]:
    """Spread the values of the AHA segments over the wall with soft borders.

    Every segment is a box in angle and arc length, blurred by a Gaussian; the boxes fit without
    gaps, so that the blurred ones add up to 1 everywhere and equal values give a constant map.

    Parameters
    ----------
    values : array_like, shape (17,)
        Of segments 1 to 17.
    angle_deg : array_like
        0 anterior, 90 septal, 180 inferior, 270 lateral.
    arc : array_like
        Share of the arc length from the apex (0) to the base (1); broadcast with `angle_deg`.
    edge_deg : float
        Standard deviation of the blur in angle; in arc length it is .04.

    Returns
    -------
    ndarray
        The map, shaped as `angle_deg` and `arc` broadcast.

    Examples
    --------
    >>> inferior = [0.0] * 17
    >>> inferior[9] = 1.0  # segment 10, mid inferior
    >>> over_wall(inferior, [180.0, 90.0, 150.0], 0.55, edge_deg=5.0).round(3).tolist()
    [1.0, 0.0, 0.5]
    """
    of_segment = np.asarray(values, dtype=float)
    angle = np.mod(np.asarray(angle_deg, dtype=float), 360.0)
    along = np.asarray(arc, dtype=float)
    if np.all(of_segment == of_segment[0]):
        return np.full(np.broadcast_shapes(angle.shape, along.shape), of_segment[0])
    below = [ndtr((along - edge) / _EDGE_ARC) for edge in _ARC_EDGES]
    spread = of_segment[16] * (below[0] - below[1])
    for ring, first in _FIRST.items():
        width = 360.0 / _PER_RING[ring]
        around = np.zeros(angle.shape)
        for place in range(_PER_RING[ring]):
            around += of_segment[first - 1 + place] * _box(angle, place * width, width, edge_deg)
        spread = spread + (below[ring] - below[ring + 1]) * around
    return np.asarray(spread, dtype=float)


def _box(
    angle_deg: NDArray[np.float64], centre_deg: float, width_deg: float, edge_deg: float
) -> NDArray[np.float64]:
    """Return a box on the circle, blurred; its neighbours fill up to 1."""
    total = np.zeros(angle_deg.shape)
    for turn in (-360.0, 0.0, 360.0):
        away = angle_deg - centre_deg + turn
        total += ndtr((away + width_deg / 2) / edge_deg) - ndtr((away - width_deg / 2) / edge_deg)
    return total
