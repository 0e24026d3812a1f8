"""Screens that show two pictures: two fans beside each other, or a fan with a strip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
