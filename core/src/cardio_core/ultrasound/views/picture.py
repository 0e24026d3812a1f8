"""The small picture of a sector that the network looks at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE = 64
"""Rows and columns of the picture."""

_LIMIT = 3.0


def pictures(
    frames: NDArray[np.uint8], mask: NDArray[np.bool_], *, pixel_width: float = 1.0
) -> NDArray[np.float32]:
    """Return what the network sees of frames.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns)
        Grey.
    mask : ndarray of bool, shape (n_rows, n_columns)
        The sector, of one pixel at least.
    pixel_width : float
        Width of a pixel in heights of a pixel.

    Returns
    -------
    ndarray, shape (n_frames, 64, 64)
        The smallest square around the sector. Grey levels of the sector have mean 0 and standard
        deviation 1 in every frame, so that gain does not count, and end at ±3; outside it is 0.

    Examples
    --------
    >>> mask = np.zeros((60, 80), bool)
    >>> mask[10:50, 20:60] = True
    >>> frames = np.random.default_rng(0).integers(0, 255, (2, 60, 80), dtype=np.uint8)
    >>> seen = pictures(frames, mask)
    >>> seen.shape, abs(float(seen[0].mean())) < 0.05
    ((2, 64, 64), True)
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    height = rows[-1] - rows[0] + 1
    width = (columns[-1] - columns[0] + 1) * pixel_width
    size = float(max(height, width))
    down = _resampling((rows[0] + rows[-1]) / 2, size, mask.shape[0])
    across = _resampling((columns[0] + columns[-1]) / 2, size / pixel_width, mask.shape[1]).T
    share = down @ mask.astype(np.float32) @ across
    inside = share > 0.5
    made = np.zeros((len(frames), SIDE, SIDE), np.float32)
    for place, frame in zip(made, frames, strict=True):
        grey = (down @ (frame * mask).astype(np.float32) @ across) / np.maximum(share, 0.5)
        level = grey[inside]
        scaled = (level - level.mean()) / max(float(level.std()), 1.0)
        place[inside] = np.clip(scaled, -_LIMIT, _LIMIT)
    return made


def _resampling(middle: float, size: float, n: int) -> NDArray[np.float32]:
    """Return the weights, shape (64, n), of triangles as wide as a pixel of the picture."""
    step = size / SIDE
    centre = middle + (np.arange(SIDE) - (SIDE - 1) / 2) * step
    wide = max(step, 1.0)
    weight = np.maximum(1.0 - np.abs(np.arange(n) - centre[:, None]) / wide, 0.0)
    made: NDArray[np.float32] = (weight / wide).astype(np.float32)
    return made
