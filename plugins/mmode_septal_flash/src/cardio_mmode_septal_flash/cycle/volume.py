"""One cardiac cycle of a loop as a volume: rows, columns and time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_UNEVEN = 1e-3


@dataclass(frozen=True, eq=False)
class CycleVolume:
    """The frames of one cycle, and when and how large they are.

    Attributes
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns)
        All that the cycle needs: the first at or before its begin, the last at or after its end,
        as far as the loop has them.
    times_ms : ndarray of float64, shape (n_frames,)
        Of every frame from the begin of the cycle, ascending; need not be even.
    rr_ms : float
        Length of the cycle.
    mm_per_pixel : tuple of float
        Distance of neighbouring rows, and of neighbouring columns.
    """

    frames: NDArray[np.uint8]
    times_ms: NDArray[np.float64]
    rr_ms: float
    mm_per_pixel: tuple[float, float]

    @property
    def even(self) -> bool:
        """Whether the frames are equally far apart, to a thousandth."""
        steps = np.diff(self.times_ms)
        return bool(np.ptp(steps) <= _UNEVEN * steps.mean())
