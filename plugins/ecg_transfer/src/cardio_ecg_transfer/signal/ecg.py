"""The ECG as every part of this plugin sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ecg:
    """One recording in physical units.

    Attributes
    ----------
    signal_mv : ndarray of float32, shape (n_leads, n_samples)
        Potentials in millivolt; NaN where the recording has no valid sample.
    rate_hz : float
        Sampling rate.
    leads : tuple of str
        Names in the usual spelling: I, II, III, aVR, aVL, aVF, V1 to V6, MLII, vx ...
    flags : tuple of str
        What a reader should know: ``"III derived"``, ``"lead I inverted"``.
    """

    signal_mv: NDArray[np.float32]
    rate_hz: float
    leads: tuple[str, ...]
    flags: tuple[str, ...] = field(default=())

    @property
    def duration_s(self) -> float:
        """Length of the recording in seconds."""
        return float(self.signal_mv.shape[1] / self.rate_hz)
