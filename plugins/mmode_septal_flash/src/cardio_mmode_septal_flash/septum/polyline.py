"""The septum as a line of 62 equidistant points, from base to apex."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError

N_POINTS = 62
OUTSIDE_SHARE = 0.2
"""A septum may stick out of the picture a little at its ends."""


@dataclass(frozen=True, eq=False)
class Septum:
    """Where the septum runs.

    Attributes
    ----------
    points_px : ndarray of float64, shape (62, 2)
        (row, column), base to apex, equidistant in mm.
    frame : int or None
        At which frame of the loop, from 0.
    confidence : float or None
        0 to 1 where it was found in the pictures, None where a person drew it.
    flags : tuple of str
        What a reader of the results should know.
    """

    points_px: NDArray[np.float64]
    frame: int | None = None
    confidence: float | None = None
    flags: tuple[str, ...] = ()


def resample(
    points_px: NDArray[np.floating], mm_per_pixel: tuple[float, float], n_points: int = N_POINTS
) -> NDArray[np.float64]:
    """Return points at equal distances along a polyline.

    Parameters
    ----------
    points_px : ndarray, shape (n, 2)
        (row, column).
    mm_per_pixel : tuple of float
        Distances are taken in mm.
    n_points : int
        How many, the ends among them.

    Returns
    -------
    ndarray of float64, shape (n_points, 2)
        (row, column).

    Examples
    --------
    >>> corner = np.array([[0.0, 0.0], [0.0, 3.0], [3.0, 3.0]])
    >>> resample(corner, (1.0, 1.0), 4).tolist()
    [[0.0, 0.0], [0.0, 2.0], [1.0, 3.0], [3.0, 3.0]]
    """
    steps = np.hypot(*(np.diff(points_px, axis=0) * mm_per_pixel).T)
    arc = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0.0, arc[-1], n_points)
    return np.stack([np.interp(at, arc, points_px[:, axis]) for axis in (0, 1)], axis=1)


def require_inside(septum: Septum, sector: NDArray[np.bool_], name: str) -> None:
    """Check that a septum lies in the picture's sector.

    Raises
    ------
    DataError
        More than a fifth of it lies outside.
    """
    nearest = np.rint(septum.points_px).astype(np.intp)
    within = ((nearest >= 0) & (nearest < sector.shape)).all(axis=1)
    inside = np.zeros(len(nearest), dtype=bool)
    inside[within] = sector[tuple(nearest[within].T)]
    share = 1.0 - float(inside.mean())
    if share > OUTSIDE_SHARE:
        raise DataError(
            f"{name}: expected the septum inside the sector, found {100 * share:.0f} % of it "
            "outside; draw it as (row, column) in this loop's own pixels"
        )
