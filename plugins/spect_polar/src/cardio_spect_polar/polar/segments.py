"""The 17 segments of the American Heart Association on the sampled wall."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_spect_polar.polar.angles import wrapped_deg

N_SEGMENTS = 17

CAP = 0.1
"""Share of the arc from the apex that is segment 17."""

SEPTAL = (2, 3, 8, 9, 14)
LATERAL = (5, 6, 11, 12, 16)


def segments_of(arc: ArrayLike, angle_deg: ArrayLike) -> NDArray[np.int64]:
    """Return the segment, 1 to 17, in which a point of the wall lies.

    Parameters
    ----------
    arc : array-like
        Arc length from the apex as a share of the base's, 0 to 1.
    angle_deg : array-like
        0 is anterior, 90 septal, 180 inferior, 270 lateral. Broadcast against `arc`.

    Returns
    -------
    ndarray of int
        Of the broadcast shape.

    Notes
    -----
    Cerqueira et al., Circulation 2002;105:539. The cap is the last tenth of the arc; the rest is
    cut in thirds. Six basal and six mid segments of 60 degrees and four apical ones of 90, the
    anterior one centred at 0. A point on a border belongs to the segment beyond it.

    Examples
    --------
    >>> segments_of([0.05, 0.2, 0.5, 0.9], 90.0).tolist()
    [17, 14, 9, 3]
    """
    share, angle = np.broadcast_arrays(
        np.asarray(arc, np.float64), wrapped_deg(np.asarray(angle_deg, np.float64))
    )
    # Rounding keeps a border that is computed (0.1 + 2 * 0.3) where it is written (0.7).
    third = np.floor(np.round((share - CAP) / (1 - CAP) * 3, 9)).astype(np.int64)
    sixth = (np.floor(np.round((angle + 30) / 60, 9)).astype(np.int64)) % 6
    quarter = (np.floor(np.round((angle + 45) / 90, 9)).astype(np.int64)) % 4
    return np.select([third < 0, third == 0, third == 1], [np.full_like(third, 17), 13 + quarter,
                     7 + sixth], 1 + sixth)  # fmt: skip


def segment_means(
    values: ArrayLike,
    segments: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    circular: bool = False,
) -> NDArray[np.float64]:
    """Return the mean of each segment.

    Parameters
    ----------
    values : array-like, shape (...)
        NaN is left out. Degrees where `circular`.
    segments : array-like of int, shape (...)
        1 to 17, as `segments_of` gives them.
    weights : array-like, shape (...), optional
        Not negative: wall area, for example.
    circular : bool
        Average directions, not numbers: the mean of 350 and 10 degrees is 0.

    Returns
    -------
    ndarray, shape (17,)
        NaN where a segment holds no value; [0, 360) where circular.

    Examples
    --------
    >>> segment_means([350.0, 10.0, 5.0], [1, 1, 17], circular=True)[[0, 16]].round(6)
    array([0., 5.])
    """
    number = np.ravel(np.asarray(segments))
    flat = np.ravel(np.broadcast_to(np.asarray(values, np.float64), np.shape(segments)))
    weight = (
        np.ones(flat.shape)
        if weights is None
        else np.ravel(np.broadcast_to(np.asarray(weights, np.float64), np.shape(segments)))
    )
    known = np.isfinite(flat)
    index, weight, flat = number[known] - 1, weight[known], flat[known]

    def total(of: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(index, weight * of, minlength=N_SEGMENTS).astype(np.float64)

    size = total(np.ones(flat.shape))
    with np.errstate(invalid="ignore", divide="ignore"):
        if not circular:
            return np.where(size > 0, total(flat) / size, np.nan)
        radians = np.radians(flat)
        x, y = total(np.cos(radians)), total(np.sin(radians))
    # Rounding keeps -1e-17 degrees from becoming 360 minus a hair.
    return np.where(size > 0, wrapped_deg(np.round(np.degrees(np.arctan2(y, x)), 9)), np.nan)
