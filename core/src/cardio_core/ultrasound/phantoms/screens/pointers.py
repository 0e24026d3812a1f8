"""What a person or a scanner leaves standing in the picture: cursors, calipers, dots, guides."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Pointer = Literal["dot", "cross", "arrow", "caliper", "guide", "line", "dotted line"]
POINTERS: tuple[Pointer, ...] = (
    "dot", "cross", "arrow", "caliper", "guide", "line", "dotted line",
)  # fmt: skip

_FINE = 4


def draw_pointer(
    frames: NDArray[np.uint8],
    kind: Pointer,
    at: tuple[float, float],
    *,
    size_px: float = 8.0,
    colour: tuple[int, int, int] = (255, 255, 255),
    smooth: bool = True,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw a mark that stands at one place in every frame.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns, 3)
        RGB; not changed.
    kind : {"dot", "cross", "arrow", "caliper", "guide", "line", "dotted line"}
        A caliper is two crosses with a dotted line between, a guide two rows of dots, as for a
        needle; lines run downwards over ten sizes.
    at : tuple of float
        Row and column of its middle, or of its upper end.
    size_px : float
        Of a cross or an arrow; a dot is three eighths of it wide.
    colour : tuple of int
    smooth : bool
        Whether edges are blended with what lies under them.

    Returns
    -------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns, 3)
    ink : ndarray of bool, shape (n_rows, n_columns)
        Pixels of which it covers half or more.

    Examples
    --------
    >>> dark = np.zeros((2, 64, 64, 3), np.uint8)
    >>> drawn, ink = draw_pointer(dark, "cross", (30, 30))
    >>> int(ink.sum()) > 10, bool(drawn[:, 30, 30].min() > 180)
    (True, True)
    """
    from PIL import Image, ImageDraw

    n_rows, n_columns = frames.shape[1:3]
    page = Image.new("L", (n_columns * _FINE, n_rows * _FINE))
    draw = ImageDraw.Draw(page)
    row, column = at
    half = size_px / 2

    def line(y: float, x: float, to_y: float, to_x: float, wide: float = 1.0) -> None:
        ends = [((b + 0.5) * _FINE, (a + 0.5) * _FINE) for a, b in ((y, x), (to_y, to_x))]
        draw.line(ends, fill=255, width=round(wide * _FINE))

    def dot(y: float, x: float, wide: float) -> None:
        corners = ((x - wide / 2, y - wide / 2), (x + wide / 2, y + wide / 2))
        draw.ellipse([((b + 0.5) * _FINE, (a + 0.5) * _FINE) for b, a in corners], fill=255)

    def cross(y: float, x: float) -> None:
        line(y, x - half, y, x + half)
        line(y - half, x, y + half, x)

    if kind == "dot":
        dot(row, column, 0.375 * size_px)
    elif kind == "cross":
        cross(row, column)
    elif kind == "arrow":
        line(row, column, row + size_px, column + size_px, 1.5)
        line(row, column, row + 0.6 * size_px, column, 1.5)
        line(row, column, row, column + 0.6 * size_px, 1.5)
    elif kind == "caliper":
        end = (row + 5 * size_px, column + 2 * size_px)
        cross(row, column)
        cross(*end)
        for share in np.arange(0.12, 0.9, 0.08):
            dot(row + share * (end[0] - row), column + share * (end[1] - column), 1.3)
    elif kind == "guide":
        for step in range(9):
            dot(row + step * size_px, column - 4 + 0.3 * step * size_px, 1.8)
            dot(row + step * size_px, column + 4 + 0.3 * step * size_px, 1.8)
    elif kind == "line":
        line(row, column, row + 10 * size_px, column + 1.5 * size_px)
    else:
        for share in np.arange(0.0, 1.0, 0.06):
            line(
                row + share * 10 * size_px,
                column + share * 1.5 * size_px,
                row + (share + 0.025) * 10 * size_px,
                column + (share + 0.025) * 1.5 * size_px,
            )
    fine = np.asarray(page, np.float32).reshape(n_rows, _FINE, n_columns, _FINE)
    cover = fine.mean(axis=(1, 3)) / 255.0
    if not smooth:
        cover = (cover >= 0.5).astype(np.float32)
    made = frames.copy()
    there = cover > 0
    share = cover[there][:, None]
    made[:, there] = np.rint(
        made[:, there] * (1 - share) + share * np.array(colour, np.float32)
    ).astype(np.uint8)
    return made, cover >= 0.5
