"""Radial long-axis planes, which look like a stack of short-axis slices and are none."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError

CENTRE_SHARE = 0.25
"""Planes through one axis differ there by less than this share of how they differ elsewhere. In 60
random digital ventricles no axis of a short-axis stack came below 0.5 and was mirrored as well."""

MIRRORED = 0.9
"""Correlation of the last plane, turned round, with the first."""


def require_no_planes(name: str, counts: NDArray[np.floating]) -> None:
    """Refuse planes that turn about the heart's long axis, whatever the order of their axes.

    Such an array has one axis along the heart, one across it through the axis, and one that is an
    angle over 180 degrees: all planes share the column in their middle, and the last is the mirror
    of the first. Read as short-axis slices, a heart is found in it, and all that is measured of
    that is wrong.

    Parameters
    ----------
    name : str
        The file's name.
    counts : ndarray, shape (n_slots, n, n, n)
        In any order of the three axes.

    Raises
    ------
    DataError
        If the array is such a set of planes.
    """
    summed = np.asarray(counts.mean(axis=0), dtype=np.float64)
    for turning, across, along in permutations(range(3)):
        if _turns(np.transpose(summed, (turning, across, along))):
            raise DataError.unusable(
                name,
                "short-axis slices",
                f"planes that turn about the heart's long axis (array axis {turning + 1} of three "
                "is their angle)",
                "export the short-axis slices, from which these planes were made",
            )


def _turns(planes: NDArray[np.float64]) -> bool:
    """Whether planes (angle, across, along) share their middle column and end as mirrors."""
    n_across = planes.shape[1]
    first, last = planes[0], planes[-1][::-1]
    if first.std() == 0 or last.std() == 0:
        return False
    if np.corrcoef(first.ravel(), last.ravel())[0, 1] < MIRRORED:
        return False
    # Of an even number of samples across, the axis lies between the two in the middle.
    differ = planes.std(axis=0).mean(axis=1)
    middle = planes[:, (n_across - 1) // 2 : n_across // 2 + 1].mean(axis=1).std(axis=0).mean()
    seen = differ[np.abs(np.arange(n_across) - (n_across - 1) / 2) <= n_across / 4]
    return bool(middle < CENTRE_SHARE * seen.max())
