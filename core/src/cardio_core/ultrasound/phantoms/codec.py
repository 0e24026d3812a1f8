"""What a video codec leaves in the colours of a grey loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_core.ultrasound.loops.colour import rgb_of_ybr

_BLOCK_PX = 16
_DIM = 40.0


def with_chroma_noise(
    frames: NDArray[np.uint8],
    rng: np.random.Generator,
    *,
    sd: float = 6.0,
    strokes_per_frame: float = 12.0,
    group: int = 8,
) -> NDArray[np.uint8]:
    """Give a loop the chroma noise of a coarse codec: blocks of two colours, and short strokes.

    A codec that spends its bits on brightness codes colour in blocks of 16 × 16, a few cosines
    each; what one picture got wrong stays until the next whole picture.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns) or (..., 3)
        Grey, or RGB, whose colours stay below the noise.
    rng : numpy.random.Generator
        Draws the noise.
    sd : float
        Standard deviation of a block's chroma, in levels of 255.
    strokes_per_frame : float
        Mean number of blocks whose chroma is far off along one row or column of the block.
    group : int
        Frames from one whole picture to the next.

    Returns
    -------
    ndarray of uint8, shape (n_frames, n_rows, n_columns, 3)
        RGB.

    Examples
    --------
    >>> grey = np.full((4, 64, 96), 90, np.uint8)
    >>> made = with_chroma_noise(grey, np.random.default_rng(0))
    >>> made.shape, bool(np.ptp(made, axis=-1).max() > 20)
    ((4, 64, 96, 3), True)
    """
    rgb = frames if frames.ndim == 4 else np.repeat(frames[..., None], 3, axis=-1)
    made = np.empty_like(rgb)
    n_rows, n_columns = rgb.shape[1:3]
    down, across = -(-n_rows // _BLOCK_PX), -(-n_columns // _BLOCK_PX)
    for number, frame in enumerate(rgb):
        if number % group == 0:
            blocks = sd * rng.standard_normal((2, down, across))
        noise = np.repeat(np.repeat(blocks, _BLOCK_PX, 1), _BLOCK_PX, 2)[:, :n_rows, :n_columns]
        noise = noise * rng.choice([0.7, 1.0, 1.3], size=(1, 1, 1))
        for _ in range(rng.poisson(strokes_per_frame)):
            top = _BLOCK_PX * int(rng.integers(down)) + int(rng.integers(_BLOCK_PX - 2))
            left = _BLOCK_PX * int(rng.integers(across))
            size = (2, _BLOCK_PX) if rng.random() < 0.5 else (_BLOCK_PX, 2)
            off = rng.choice([-1.0, 1.0], 2) * rng.uniform(40.0, 70.0, 2)
            noise[:, top : top + size[0], left : left + size[1]] += off[:, None, None]
        luma = frame @ np.array([0.299, 0.587, 0.114])
        own = np.stack([(frame[..., 2] - luma) / 1.772, (frame[..., 0] - luma) / 1.402])
        # Black is coded as black.
        noise = noise * np.minimum(luma / _DIM, 1.0)
        ybr = np.stack([luma, *(128 + own + noise)], axis=-1)
        made[number] = rgb_of_ybr(np.clip(np.rint(ybr), 0, 255).astype(np.uint8))
    return made
