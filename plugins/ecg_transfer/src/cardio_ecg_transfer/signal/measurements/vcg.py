"""The vectorcardiogram that a 12-lead ECG implies, and the area of its QRS."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import trapezoid

from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.delineation.qrs_bounds import QrsBounds

Matrix = Literal["kors", "inverse_dower"]

INDEPENDENT_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")

MATRICES: dict[Matrix, NDArray[np.float64]] = {
    "kors": np.array(
        [
            [0.38, -0.07, -0.13, 0.05, -0.01, 0.14, 0.06, 0.54],
            [-0.07, 0.93, 0.06, -0.02, -0.05, 0.06, -0.17, 0.13],
            [0.11, -0.23, -0.43, -0.06, -0.14, -0.20, -0.11, 0.31],
        ]
    ),
    "inverse_dower": np.array(
        [
            [0.156, -0.010, -0.172, -0.074, 0.122, 0.231, 0.239, 0.194],
            [-0.227, 0.887, 0.057, -0.019, -0.106, -0.022, 0.041, 0.048],
            [0.022, 0.102, -0.229, -0.310, -0.246, -0.063, 0.055, 0.108],
        ]
    ),
}
"""Rows: x to the left, y to the feet, z to the back. Columns: `INDEPENDENT_LEADS`."""

_BASELINE_MS = (-16.0, -2.0)  # before the QRS's onset


def vectorcardiogram(beat: MedianBeat, matrix: Matrix = "kors") -> NDArray[np.float64]:
    """Reconstruct Frank's x, y and z from the eight independent leads.

    Parameters
    ----------
    beat : MedianBeat
        With I, II and V1 to V6.
    matrix : {"kors", "inverse_dower"}
        Regression on measured Frank leads (Kors 1990), or the pseudoinverse of Dower's
        lead vectors (Edenbrandt and Pahlm 1988).

    Returns
    -------
    ndarray of float64, shape (3, n_samples)
        x, y, z in mV.

    Raises
    ------
    DataError
        If one of the eight leads is missing; the message names it.

    References
    ----------
    Kors JA, van Herpen G, Sittig AC, van Bemmel JH. Reconstruction of the Frank
    vectorcardiogram from standard electrocardiographic leads: diagnostic comparison of different
    methods. Eur Heart J 1990; 11: 1083-1092.
    Edenbrandt L, Pahlm O. Vectorcardiogram synthesized from a 12-lead ECG: superiority of the
    inverse Dower matrix. J Electrocardiol 1988; 21: 361-367.
    """
    return np.asarray(MATRICES[matrix] @ beat.rows(INDEPENDENT_LEADS))


def qrs_area_uvs(beat: MedianBeat, qrs: QrsBounds, matrix: Matrix = "kors") -> float:
    """Measure the three-dimensional QRS area: √(x² + y² + z²) of the leads' QRS integrals.

    Parameters
    ----------
    beat : MedianBeat
        With I, II and V1 to V6.
    qrs : QrsBounds
        From `delineation.delineate_qrs`.
    matrix : {"kors", "inverse_dower"}
        See `vectorcardiogram`.

    Returns
    -------
    float
        µV·s (1 mV·ms). The level of the 14 ms before the onset counts as zero.

    Raises
    ------
    DataError
        If one of the eight leads is missing.

    References
    ----------
    van Deursen CJM et al. Vectorcardiographic QRS area as a novel predictor of response to
    cardiac resynchronization therapy. J Electrocardiol 2015; 48: 45-52.

    Examples
    --------
    A beat whose only vector is a Gaussian along x, 1 mV high and 10 ms wide: √(2π)·10 µV·s.

    >>> x_mv = np.exp(-0.5 * (np.arange(-200, 280) * 2.0 / 10) ** 2)
    >>> leads_mv = np.outer(np.linalg.pinv(MATRICES["kors"])[:, 0], x_mv).astype(np.float32)
    >>> beat = MedianBeat(leads_mv, 500.0, 200, INDEPENDENT_LEADS, 10, 0, 1.0, 0 * leads_mv)
    >>> round(qrs_area_uvs(beat, QrsBounds(-40.0, 40.0)), 1)
    25.1
    """
    vector_mv = vectorcardiogram(beat, matrix)
    first, last = (beat.index(qrs.on_ms + edge) for edge in _BASELINE_MS)
    levelled = vector_mv - vector_mv[:, first : last + 1].mean(axis=1, keepdims=True)
    inside = levelled[:, beat.index(qrs.on_ms) : beat.index(qrs.off_ms) + 1]
    return float(np.linalg.norm(trapezoid(inside, dx=1000.0 / beat.rate_hz, axis=1)))
