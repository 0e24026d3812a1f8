"""Pictures of phantoms with their targets: what the network learns from and is calibrated on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_core.ultrasound.phantoms.views.draw import KINDS, ViewPhantom
from cardio_core.ultrasound.views.names import VIEW_NAMES
from cardio_core.ultrasound.views.picture import SIDE, pictures

_STEPS = 40.0
"""Levels are kept as whole numbers, this many a standard deviation."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Pictures of loops.

    Attributes
    ----------
    levels : ndarray of int8, shape (n_loops, n_frames, 64, 64)
        Of :func:`pictures`, times 40.
    targets : ndarray, shape (n_loops, n_views)
        Shares of the views, in the order of `VIEW_NAMES`.
    kinds : tuple of str
        What was drawn.
    """

    levels: NDArray[np.int8]
    targets: NDArray[np.float32]
    kinds: tuple[str, ...]

    def pictures(self, loops: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the pictures of loops, shape (n, n_frames, 64, 64)."""
        return self.levels[loops].astype(np.float32) / np.float32(_STEPS)


def draw_examples(
    draw: Callable[[str, np.random.Generator], ViewPhantom],
    n_loops: int,
    n_frames: int,
    seed: int,
    *,
    told: Callable[[int], None] = lambda done: None,
) -> Examples:
    """Draw loops of every kind, each from a seed of its own.

    Parameters
    ----------
    draw : callable
        A kind and a generator to a phantom of `n_frames` frames.
    n_loops, n_frames : int
    seed : int
    told : callable
        Hears how many are done.

    Examples
    --------
    >>> from cardio_core.ultrasound.phantoms.views.draw import view_phantom
    >>> made = draw_examples(lambda kind, rng: view_phantom(kind, rng, 1), 3, 1, seed=0)
    >>> made.levels.shape, made.targets.sum(axis=1).tolist()
    ((3, 1, 64, 64), [1.0, 1.0, 1.0])
    """
    levels = np.zeros((n_loops, n_frames, SIDE, SIDE), np.int8)
    targets = np.zeros((n_loops, len(VIEW_NAMES)), np.float32)
    names, shares = list(KINDS), np.array(list(KINDS.values()))
    kinds = []
    for number in range(n_loops):
        rng = np.random.default_rng([seed, number])
        kind = str(rng.choice(names, p=shares / shares.sum()))
        phantom = draw(kind, rng)
        seen = pictures(phantom.frames, phantom.mask)
        levels[number] = np.rint(seen * _STEPS).astype(np.int8)
        for name, share in phantom.target.items():
            targets[number, VIEW_NAMES.index(name)] = share
        kinds.append(kind)
        told(number + 1)
    return Examples(levels, targets, tuple(kinds))
