"""The brightest smooth closed line around a cavity, by dynamic programming."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def trace_ridges(
    strength: NDArray[np.floating], *, max_jump: int = 2, stiffness: float = 0.05
) -> NDArray[np.intp]:
    """Choose one step on each ray so that strength is high and neighbouring rays agree.

    The line maximises the sum of strength minus ``stiffness`` times the squared jumps between
    neighbouring rays. It is closed by going around twice and keeping the middle of the way,
    which is free of the choice of the first ray.

    Parameters
    ----------
    strength : ndarray, shape (n_rings, n_rays, n_steps)
        How much a point looks like wall, of the order of one; rings are traced independently.
    max_jump : int
        Largest jump between neighbouring rays, in steps.
    stiffness : float
        Cost of a jump by one step.

    Returns
    -------
    ndarray of int, shape (n_rings, n_rays)
        The step of the line on each ray.

    Examples
    --------
    >>> import numpy as np
    >>> bright = np.zeros((1, 8, 5))
    >>> bright[:, :, 3] = 1.0
    >>> bright[:, 4, 0] = 1.2
    >>> trace_ridges(bright, max_jump=1)
    array([[3, 3, 3, 3, 3, 3, 3, 3]])
    """
    n_rings, n_rays, n_steps = strength.shape
    jumps = np.arange(-max_jump, max_jump + 1)
    cost = stiffness * (jumps.astype(strength.dtype) ** 2)
    order = np.arange(2 * n_rays) % n_rays
    padded = np.full((n_rings, n_steps + 2 * max_jump), -np.inf, dtype=strength.dtype)
    inside = slice(max_jump, max_jump + n_steps)
    came_from = np.empty((len(order), n_rings, n_steps), dtype=np.int8)
    best = strength[:, 0].copy()
    for i, ray in enumerate(order[1:], start=1):
        padded[:, inside] = best
        windows = np.lib.stride_tricks.sliding_window_view(padded, len(jumps), axis=1) - cost
        choice = windows.argmax(axis=-1)
        came_from[i] = choice
        best = strength[:, ray] + np.take_along_axis(windows, choice[..., None], -1)[..., 0]
    line = np.empty((len(order), n_rings), dtype=np.intp)
    line[-1] = best.argmax(axis=-1)
    rings = np.arange(n_rings)
    for i in range(len(order) - 1, 0, -1):
        line[i - 1] = line[i] + jumps[came_from[i, rings, line[i]]]
    half = n_rays // 2
    middle = line[half : half + n_rays]
    return np.roll(middle, half, axis=0).T
