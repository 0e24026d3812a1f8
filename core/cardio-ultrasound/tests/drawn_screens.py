"""Marks that stand in every frame, and screens that show two pictures: for tests alone."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

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


def beside(
    left: NDArray[np.uint8],
    right: NDArray[np.uint8],
    *,
    gap_px: int = 8,
    lower_px: int = 0,
    rim_px: int = 10,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
    """Put two pictures beside each other, each cut to what is lit in it.

    Parameters
    ----------
    left, right : ndarray of uint8, shape (n_frames, n_rows, n_columns[, 3])
        Of any sizes, both grey or both RGB.
    gap_px : int
        Dark columns between them; below 0 they overlap.
    lower_px : int
        How much lower than the left one the right one begins.
    rim_px : int
        Dark pixels around them.

    Returns
    -------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns[, 3])
    is_left, is_right : ndarray of bool, shape (n_rows, n_columns)
        Where either is lit.

    Examples
    --------
    >>> fan = np.full((2, 40, 50), 90, np.uint8)
    >>> frames, is_left, is_right = beside(fan, fan[:, :20, :30], gap_px=4)
    >>> frames.shape, int(is_left.sum()), int(is_right.sum())
    ((2, 60, 104), 2000, 600)
    """
    parts = [_cut(part) for part in (left, right)]
    tops = (rim_px + max(-lower_px, 0), rim_px + max(lower_px, 0))
    n_rows = max(top + part.shape[1] for top, part in zip(tops, parts, strict=True)) + rim_px
    starts = (rim_px, rim_px + parts[0].shape[2] + gap_px)
    n_columns = starts[1] + parts[1].shape[2] + rim_px
    n_frames = min(len(part) for part in parts)
    size = (n_frames, n_rows + n_rows % 2, n_columns + n_columns % 2, *left.shape[3:])
    frames = np.zeros(size, np.uint8)
    masks = np.zeros((2, *size[1:3]), np.bool_)
    for number, (top, start, part) in enumerate(zip(tops, starts, parts, strict=True)):
        window = (slice(top, top + part.shape[1]), slice(start, start + part.shape[2]))
        place = frames[:, window[0], window[1]]
        np.maximum(place, part[:n_frames], out=place)
        masks[number][window] = _lit(part)
    return frames, masks[0], masks[1]


def m_mode_strip(
    frames: NDArray[np.uint8], n_rows: int, n_columns: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return the M-mode of the middle column, drawn from left to right as time goes.

    `frames` is grey; the strip has the shape (n_frames, n_rows, n_columns) and is dark where
    nothing was drawn yet in the first pass.

    Examples
    --------
    >>> loop = np.random.default_rng(0).integers(0, 255, (5, 60, 80), dtype=np.uint8)
    >>> m_mode_strip(loop, 60, 100, np.random.default_rng(0)).shape
    (5, 60, 100)
    """
    n_frames = len(frames)
    beam = frames[:, :, frames.shape[2] // 2].astype(np.float32)
    at = np.linspace(0, 4 * n_frames, n_columns) % n_frames
    rows = np.linspace(0, frames.shape[1] - 1, n_rows).astype(int)
    drawn = beam[at.astype(int)][:, rows].T
    drawn = np.clip(drawn + rng.normal(0, 8, drawn.shape), 0, 255).astype(np.uint8)
    strip = np.repeat(drawn[None], n_frames, axis=0)
    for number, part in enumerate(strip):
        head = round((0.5 + 0.4 * number / n_frames) * n_columns)
        part[:, head : head + 6] = 0
    return strip


def _cut(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    lit = _lit(frames)
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    return frames[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _lit(frames: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray(frames.any(axis=(0, *range(3, frames.ndim))))
