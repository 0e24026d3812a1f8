"""Whether a P wave belongs to the QRS: the same wave, at the same time, before every beat.

A median beat shows something before the QRS in fibrillation and AV dissociation, too. It is a P
wave that conducts only if single beats show it; `signal.rhythm` looks for more of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.delineation.p_and_t import WaveBounds
from cardio_ecg_transfer.signal.delineation.qrs_bounds import QrsBounds

_SMOOTHING_MS = 6.0
_BEFORE_MS, _BEHIND_MS, _MARGIN_MS = 25.0, 15.0, 4.0

# Set on the odd records of LUDB and 76 of PTB-XL.
ALIKE = 0.5  # correlation of one beat's P wave, all leads together, with the others' median
MIN_SHARE = 0.6  # of the beats
SURE_SHARE = 0.85
MIN_MEDIAN = 0.7
CERTAIN_MEDIAN = 0.9
IRREGULAR = 0.1  # scatter of RR over its median, from which a P wave has to be certain

LONGEST_PR = 0.6  # of the RR interval: a wave so early belongs to another beat, or to flutter


@dataclass(frozen=True)
class Locking:
    """How surely a P wave is locked to the QRS.

    Attributes
    ----------
    share : float
        Of the beats that show it, 0 to 1.
    median : float
        Median correlation of a beat's P wave with that of the others.
    late : bool
        Whether it begins more than 60 % of the RR interval before the QRS.
    irregular : bool
        Whether the RR intervals scatter as in fibrillation.
    """

    share: float
    median: float
    late: bool
    irregular: bool

    @property
    def locked(self) -> bool:
        """Whether there is a PR interval."""
        if self.late or self.share < MIN_SHARE or self.median < MIN_MEDIAN:
            return False
        return not self.irregular or self.median >= CERTAIN_MEDIAN or self.share >= SURE_SHARE

    @property
    def reason(self) -> str:
        """Say why there is none; "" where there is one."""
        if self.locked:
            return ""
        if self.late:
            return f"no PR: the P wave begins more than {LONGEST_PR:.0%} of RR before the QRS"
        return f"no PR: {self.share:.0%} of the beats show the same P wave"


def p_locking(
    signal_mv: NDArray[np.floating],
    beat: MedianBeat,
    qrs: QrsBounds,
    p_wave: WaveBounds,
    r_samples: NDArray[np.integer],
) -> Locking:
    """Compare the P waves of single beats.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        What the median beat was made of.
    beat : MedianBeat
        With `r_samples`.
    qrs, p_wave
        Of the median beat.
    r_samples : ndarray of int
        All R peaks, for the rhythm.
    """
    per_ms = beat.rate_hz / 1000
    low = round((p_wave.on_ms - _BEFORE_MS) * per_ms)
    high = round(min(p_wave.off_ms + _BEHIND_MS, qrs.on_ms - _MARGIN_MS) * per_ms)
    starts = beat.r_samples + low
    waves = _cut(signal_mv, starts, high - low + 1, per_ms)
    alike = np.array(
        [_correlation(wave, np.median(np.delete(waves, place, axis=0), axis=0))
         for place, wave in enumerate(waves)]
    )  # fmt: skip
    rr = np.diff(np.sort(r_samples)) / beat.rate_hz
    scatter = float(np.median(np.abs(np.diff(rr)))) / beat.rr_s if rr.size > 1 else 0.0
    return Locking(
        share=float((alike > ALIKE).mean()),
        median=float(np.median(alike)),
        late=qrs.on_ms - p_wave.on_ms > LONGEST_PR * beat.rr_s * 1000.0,
        irregular=scatter > IRREGULAR,
    )


def _cut(
    signal_mv: NDArray[np.floating], starts: NDArray[np.integer], length: int, per_ms: float
) -> NDArray[np.float64]:
    """Cut (n_beats, n_leads, length) without slopes and levels; beats over an edge are left out."""
    inside = starts[(starts >= 0) & (starts + length <= signal_mv.shape[1])]
    rows = signal_mv[:, inside[:, None] + np.arange(length)].transpose(1, 0, 2)
    smooth = gaussian_filter1d(rows.astype(np.float64), _SMOOTHING_MS * per_ms, axis=2)
    along = np.linspace(0.0, 1.0, length)
    smooth -= smooth[:, :, :1] + (smooth[:, :, -1:] - smooth[:, :, :1]) * along
    return np.asarray(smooth - smooth.mean(axis=2, keepdims=True))


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    size = np.sqrt((one**2).sum() * (other**2).sum())
    return float((one * other).sum() / size) if size > 0 else 0.0
