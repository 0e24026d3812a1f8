"""Which pixels of a loop are its sector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardio_core.api import DataError
from cardio_core.ultrasound import fit_sector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cardio_core.ultrasound import Loop

NOT_FOUND = "no clear sector found: a fixed triangle was kept, with whatever is printed in it"
"""Flag of a loop that was cut by `triangle`."""

_OVERLAP = 0.1


def sector_mask(loop: Loop, *, triangle: bool = False) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Return the pixels of a loop that are its sector, and what to know about them.

    Parameters
    ----------
    loop : Loop
        32 frames over its length are looked at.
    triangle : bool
        Where no sector is found, or one that the outline mostly disagrees with, return the fixed
        triangle.

    Returns
    -------
    mask : ndarray of bool, shape (rows, columns)
        One pixel inside the fitted outline.
    flags : tuple of str
        `NOT_FOUND`, or none.

    Raises
    ------
    DataError
        No sector, one that cannot be relied on to leave out what is printed beside it, or a frame
        that cannot be decoded.
    """
    try:
        return _clear_sector(loop), ()
    except DataError:
        if not triangle:
            raise
        return fixed_triangle(loop.size), (NOT_FOUND,)


def _clear_sector(loop: Loop) -> NDArray[np.bool_]:
    fitted = fit_sector(loop)
    if fitted.poor:
        raise DataError(
            f"{loop.name}: expected the outline of one sector, found one that a fan fits poorly "
            f"({fitted.confidence:.2f} of 1), so that print may stay; leave the clip out, or keep "
            "a fixed triangle, print included, with preprocess.triangle=true"
        )
    return fitted.mask()


def fixed_triangle(size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the triangle that EchoNet-Dynamic's conversion keeps, whatever the picture shows.

    Parameters
    ----------
    size : tuple of int
        Rows and columns; the triangle lies in the largest square in their middle.

    Notes
    -----
    A right angle whose tip stands a tenth of the side right of the middle of the first row, as
    published (Ouyang et al., Nature 2020; 580: 252-256, and its code). It repeats that procedure;
    it removes neither text nor traces that stand in it.

    Examples
    --------
    >>> fixed_triangle((10, 10)).sum(axis=1).tolist()
    [0, 1, 3, 5, 7, 8, 9, 10, 10, 10]
    """
    n = min(size)
    top, left = (size[0] - n) // 2, (size[1] - n) // 2
    row, column = np.ogrid[:n, :n]
    edge = n // 2 + int(n * _OVERLAP)
    mask = np.zeros(size, dtype=bool)
    mask[top : top + n, left : left + n] = (column + row > edge) & (column - row < edge)
    return mask
