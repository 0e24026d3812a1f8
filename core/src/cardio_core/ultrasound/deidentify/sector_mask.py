"""Which pixels of a loop are its sector, relied on to leave out what is printed beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_core.errors import DataError
from cardio_core.ultrasound.deidentify.sector_fit import FittedSector, fit_sector
from cardio_core.ultrasound.loops.loop import Loop

TRIANGLE_KEPT = "no clear sector found: a fixed triangle was kept, with whatever is printed in it"
"""Flag of a loop that was cut by the fixed triangle."""

_BY_HAND = "leave the clip out, or mask it by hand"
_OVERLAP = 0.1


def clear_sector(loop: Loop, *, otherwise: str = _BY_HAND) -> FittedSector:
    """Return the sector of a loop, or refuse one that its outline mostly disagrees with.

    32 frames over its length are looked at. `otherwise` says in a refusal what to do without a
    sector.

    Raises
    ------
    DataError
        No sector, one that cannot be relied on to leave out what is printed beside it, or a frame
        that cannot be decoded.
    """
    fitted = fit_sector(loop)
    if fitted.poor:
        raise DataError(
            f"{loop.name}: expected the outline of one sector, found one that a fan fits poorly "
            f"({fitted.confidence:.2f} of 1), so that print may stay; {otherwise}"
        )
    return fitted


def sector_mask(
    loop: Loop, *, triangle: bool = False, otherwise: str = _BY_HAND
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Return the pixels of a loop that are its sector, and what to know about them.

    Parameters
    ----------
    loop : Loop
        As of :func:`clear_sector`.
    triangle : bool
        Where there is no clear sector, return the fixed triangle instead of refusing the loop.
    otherwise : str
        What to do without a sector, for the refusal.

    Returns
    -------
    mask : ndarray of bool, shape (n_rows, n_columns)
        One pixel inside the fitted outline.
    flags : tuple of str
        `TRIANGLE_KEPT`, or none.

    Raises
    ------
    DataError
        As of :func:`clear_sector`, where no triangle is asked for.
    """
    try:
        return clear_sector(loop, otherwise=otherwise).mask(), ()
    except DataError:
        if not triangle:
            raise
        return fixed_triangle(loop.size), (TRIANGLE_KEPT,)


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
