"""Phase maps as vectors: aligned in time, cut or spread on the circle, without empty cells."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_core.api import DataError
from cardio_spect_polar.phase.cycle.histogram import SMOOTHING_DEG, phase_histogram, smooth_circle
from cardio_spect_polar.polar.angles import signed_deg

Floats = NDArray[np.float64]

Channels = Literal["degrees", "circle"]


def peaks_deg(phase_deg: ArrayLike) -> Floats:
    """Return the phase at which most of each patient's map contracts.

    Parameters
    ----------
    phase_deg : array-like, shape (n, ...)
        Degrees; NaN is left out.

    Returns
    -------
    ndarray, shape (n,)
        Centre of the highest bin of the histogram of 360 bins, smoothed over 5 degrees. Of bins
        of equal height the middle one of the first run is taken.

    Examples
    --------
    >>> peaks_deg([[100.2, 100.4, 100.6, 200.0]])
    array([100.5])
    """
    found = []
    for one in np.asarray(phase_deg, np.float64):
        heights = smooth_circle(phase_histogram(one), SMOOTHING_DEG)
        top = int(np.argmax(heights >= heights.max()))
        # The run may straddle 360 degrees: begin it where the bin before is lower.
        equal = heights >= heights.max()
        while equal[top - 1] and not equal.all():
            top -= 1
        length = 1
        while equal[(top + length) % 360] and length < 360:
            length += 1
        found.append((top + (length - 1) / 2 + 0.5) % 360)
    return np.array(found)


def means_deg(phase_deg: ArrayLike) -> Floats:
    """Return the circular mean of each map, shape (n,), NaN left out.

    Examples
    --------
    >>> means_deg([[350.0, 20.0]]).round(6)
    array([5.])
    """
    radians = np.radians(np.asarray(phase_deg, np.float64)).reshape(len(np.asarray(phase_deg)), -1)
    x, y = np.nansum(np.cos(radians), axis=1), np.nansum(np.sin(radians), axis=1)
    return np.asarray(np.degrees(np.arctan2(y, x)) % 360)


def known_cells(phase_deg: ArrayLike) -> NDArray[np.bool_]:
    """Return which cells have a phase in every map, shape of one map.

    Raises
    ------
    DataError
        If there is none: maps of different grids were stacked, or one is empty.
    """
    phase = np.asarray(phase_deg)
    known = np.isfinite(phase).all(axis=0)
    if not known.any():
        empty = int((~np.isfinite(phase).reshape(len(phase), -1).any(axis=1)).sum())
        raise DataError(
            f"phase maps: expected cells that are known in all {len(phase)} maps, found none "
            f"({empty} maps are empty); quarantine the empty ones"
        )
    return np.asarray(known, dtype=np.bool_)


def vectors_of(phase_deg: ArrayLike, cells: NDArray[np.bool_], channels: Channels) -> Floats:
    """Return each map as a vector, after aligning it in time.

    Parameters
    ----------
    phase_deg : array-like, shape (n, ...)
        Maps in degrees.
    cells : ndarray of bool, shape of one map
        The cells that are used.
    channels : {"degrees", "circle"}
        ``degrees``: minus the patient's peak, in [-180, 180), as He et al. fed their network;
        cells beyond half a turn from the peak jump. ``circle``: cosine and sine of the phase minus
        the patient's circular mean, which know no jump.

    Returns
    -------
    ndarray, shape (n, n_cells) or (n, 2 * n_cells)
        Cosines first. A cell that is unknown in a patient but not in the training patients gets
        the patient's own mean.

    Examples
    --------
    >>> one = np.array([[10.5, 10.5, 10.5, 350.5]])
    >>> vectors_of(one, np.ones(4, bool), "degrees")
    array([[  0.,   0.,   0., -20.]])
    """
    phase = np.asarray(phase_deg, np.float64)[:, cells]
    start = peaks_deg(phase) if channels == "degrees" else means_deg(phase)
    aligned = np.nan_to_num(signed_deg(phase - start[:, np.newaxis]), nan=0.0)
    if channels == "degrees":
        return np.asarray(aligned, np.float64)
    radians = np.radians(aligned)
    return np.concatenate([np.cos(radians), np.sin(radians)], axis=1)


def phases_of(vectors: ArrayLike, channels: Channels) -> Floats:
    """Return degrees in [-180, 180) from vectors, shape (n, n_cells).

    Examples
    --------
    >>> phases_of([[0.0, 2.0]], "circle")
    array([[90.]])
    """
    values = np.asarray(vectors, np.float64)
    if channels == "degrees":
        return np.asarray(signed_deg(values), np.float64)
    half = values.shape[1] // 2
    return np.asarray(np.degrees(np.arctan2(values[:, half:], values[:, :half])), np.float64)
