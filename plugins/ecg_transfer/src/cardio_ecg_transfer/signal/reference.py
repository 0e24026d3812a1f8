"""Each beat beside its own recording: the median beat, and what is left when it is taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def residual_beats(
    segments_mv: NDArray[np.float32], r_offset: NDArray[np.int64], length: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Subtract the recording's median beat, laid R on R, from every segment.

    A beat like most of the recording's leaves noise; a ventricular beat in a patient with bundle
    branch block, or a normal one in a patient with many ventricular beats, leaves its difference.
    Only the one recording is used, and no label.

    Parameters
    ----------
    segments_mv : ndarray of float32, shape (n_beats, n_leads, n_samples)
        Segments of one recording, zero behind their length.
    r_offset : ndarray of int64, shape (n_beats,)
        Sample of each segment at which its R peak lies; negative where it lies before.
    length : ndarray of int64, shape (n_beats,)
        Samples in each segment.

    Returns
    -------
    ndarray of float32, shape (n_beats, n_leads, n_samples)
        Millivolt; zero behind each segment's length.

    Notes
    -----
    At each distance from R the median is over the segments that reach so far, so that segments of
    different lengths do not pull it towards zero.

    Examples
    --------
    >>> same = np.ones((3, 1, 4), dtype=np.float32)
    >>> float(residual_beats(same, np.array([1, 1, 1]), np.array([4, 4, 4])).max())
    0.0
    """
    n_beats, n_leads, n_samples = segments_mv.shape
    at = np.arange(n_samples)[None, :] - r_offset[:, None]
    inside = np.arange(n_samples)[None, :] < length[:, None]
    first = int(at.min())
    width = int(at.max()) - first + 1
    aligned = np.full((n_beats, n_leads, width), np.nan, dtype=np.float32)
    beat, sample = np.nonzero(inside)
    aligned[beat, :, at[beat, sample] - first] = segments_mv[beat, :, sample]
    reached = ~np.isnan(aligned[:, 0]).all(axis=0)
    median = np.zeros((n_leads, width), dtype=np.float32)
    median[:, reached] = np.nanmedian(aligned[:, :, reached], axis=0)
    residual = segments_mv - median[:, at - first].transpose(1, 0, 2)
    return np.asarray(residual * inside[:, None, :], dtype=np.float32)
