"""From the heart's vector to the twelve leads, by Dower's matrix.

References
----------
Dower GE, Machado HB, Osborne JA. On deriving the electrocardiogram from vectorcardiographic
leads. Clin Cardiol 1980; 3: 87-95.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

INDEPENDENT_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")

DOWER: NDArray[np.float64] = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)
"""Rows: `INDEPENDENT_LEADS`. Columns: x to the left, y to the feet, z to the back."""


def twelve_leads(eight_mv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Complete the eight independent leads to the twelve of the standard.

    Parameters
    ----------
    eight_mv : ndarray, shape (8, n_samples)
        Leads in the order of `INDEPENDENT_LEADS`.

    Returns
    -------
    ndarray, shape (12, n_samples)
        In the order of `signal.leads.names.STANDARD_LEADS`; III, aVR, aVL and aVF follow from I
        and II.

    Examples
    --------
    >>> twelve_leads(DOWER @ np.array([[1.0], [0.0], [0.0]]))[:3, 0].round(3).tolist()
    [0.632, 0.235, -0.397]
    """
    one, two = eight_mv[0], eight_mv[1]
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    return np.concatenate([np.stack(limb), eight_mv[2:]])
