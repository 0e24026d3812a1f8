"""The square around a sector, and the small picture that is made of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError


@dataclass(frozen=True)
class Square:
    """A window of a frame that is square on the body; it may reach beyond the frame.

    Attributes
    ----------
    top, left : int
        Its first row and column; negative above and left of the frame.
    n_rows, n_columns : int
        Its size in pixels: unequal where pixels are not square.
    mm : float
        Its side in mm; NaN where the size of a pixel is not known.
    """

    top: int
    left: int
    n_rows: int
    n_columns: int
    mm: float

    def mm_per_px(self, side: int) -> float:
        """Return the size of a pixel of the small picture; NaN where unknown."""
        return self.mm / side


def square_around(
    mask: NDArray[np.bool_], mm_per_pixel: tuple[float, float] | None = None
) -> Square:
    """Return the smallest square that holds a sector in its middle.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, columns)
        The sector.
    mm_per_pixel : tuple of float or None
        Distance of rows, and of columns; None takes pixels for square.

    Returns
    -------
    Square
        In whole pixels, so that it may miss its centre by half of one.

    Raises
    ------
    DataError
        An empty mask.

    Examples
    --------
    >>> mask = np.zeros((60, 80), bool)
    >>> mask[10:50, 20:50] = True
    >>> square_around(mask, (0.5, 0.5))
    Square(top=10, left=15, n_rows=40, n_columns=40, mm=20.0)
    >>> square_around(mask, (0.5, 1.0))  # 20 mm high and 30 mm wide
    Square(top=0, left=20, n_rows=60, n_columns=30, mm=30.0)
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        raise DataError("expected a sector in the loop, found none; check that it is a B-mode loop")
    row_size, column_size = mm_per_pixel or (1.0, 1.0)
    size = max((rows[-1] - rows[0] + 1) * row_size, (columns[-1] - columns[0] + 1) * column_size)
    n_rows, n_columns = round(size / row_size), round(size / column_size)
    return Square(
        top=int(rows[0] + rows[-1] + 1 - n_rows) // 2,
        left=int(columns[0] + columns[-1] + 1 - n_columns) // 2,
        n_rows=n_rows,
        n_columns=n_columns,
        mm=float(size) if mm_per_pixel else float("nan"),
    )


class SectorCutter:
    """Cuts frames to a sector: nothing else is left in the small picture.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, columns)
        The sector.
    square : Square
        Around it.
    side : int
        Rows and columns of the small picture.

    Notes
    -----
    Cubic, as published: OpenCV's, without a filter before it. What lies outside the sector is
    black before the interpolation, so that no text or trace bleeds into it, and after it, so that
    the overshoot at the edge stays inside.

    Examples
    --------
    >>> mask = np.zeros((60, 80), bool)
    >>> mask[10:50, 20:60] = True
    >>> cut = SectorCutter(mask, square_around(mask), side=20)
    >>> frame = np.full((60, 80), 90, np.uint8)
    >>> frame[55:] = 255  # printed below the sector
    >>> small = cut(frame)
    >>> small.shape, int(small.min()), int(small.max())
    ((20, 20), 90, 90)
    """

    def __init__(self, mask: NDArray[np.bool_], square: Square, side: int) -> None:
        n_rows, n_columns = mask.shape
        top, left = max(square.top, 0), max(square.left, 0)
        bottom = min(square.top + square.n_rows, n_rows)
        right = min(square.left + square.n_columns, n_columns)
        self._window = np.s_[top:bottom, left:right]
        self._place = np.s_[
            top - square.top : bottom - square.top, left - square.left : right - square.left
        ]
        self._mask = mask[self._window]
        self._canvas = np.zeros((square.n_rows, square.n_columns), dtype=np.uint8)
        self._side = (side, side)
        self._canvas[self._place] = self._mask
        # The place of a small pixel's centre decides whether it belongs to the sector.
        self.mask: NDArray[np.bool_] = (
            cv2.resize(self._canvas, self._side, interpolation=cv2.INTER_NEAREST_EXACT) > 0
        )

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the small picture of a grey frame, shape (side, side)."""
        np.multiply(frame[self._window], self._mask, out=self._canvas[self._place])
        small = cv2.resize(self._canvas, self._side, interpolation=cv2.INTER_CUBIC)
        small[~self.mask] = 0
        return np.asarray(small, dtype=np.uint8)
