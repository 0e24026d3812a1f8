"""All limits of a median beat together, and how far noise moves them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cardio_core.api import DataError
from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.delineation.p_and_t import WaveBounds, find_p, find_t
from cardio_ecg_transfer.signal.delineation.qrs_bounds import QrsBounds, delineate_qrs

MOST_MOVED_MS = 20.0
"""By which noise may move a limit before it is doubtful."""

_NOISE_MV = 0.003
_N_READINGS = 4


@dataclass(frozen=True)
class Limits:
    """QRS, P and T wave of one beat; None where there is no wave."""

    qrs: QrsBounds
    p_wave: WaveBounds | None
    t_wave: WaveBounds | None


@dataclass(frozen=True)
class Moved:
    """Largest change of limits and intervals under noise, in ms; NaN where there is no wave."""

    on_ms: float
    off_ms: float
    qrs_ms: float
    pr_ms: float
    qt_ms: float


def find_limits(beat: MedianBeat, *, by_lead: bool = True) -> Limits:
    """Find the limits of all waves.

    Parameters
    ----------
    beat : MedianBeat
        Any leads, at 250 Hz or more.
    by_lead : bool, optional
        See `qrs_bounds.delineate_qrs`.

    Raises
    ------
    DataError
        If the QRS has no limits.
    """
    qrs = delineate_qrs(beat, by_lead=by_lead)
    t_wave = find_t(beat, qrs)
    return Limits(qrs, find_p(beat, qrs, t_wave), t_wave)


def moves_by(beat: MedianBeat, limits: Limits) -> Moved:
    """Delineate the beat again with noise, the same noise every time.

    Parameters
    ----------
    beat : MedianBeat
        The beat.
    limits : Limits
        What was found in it; a wave that is None there is not looked at.
    """
    rng = np.random.default_rng(0)
    # What is before and behind the QRS: within it the beats' own differences are no noise.
    own_mv = np.median(beat.error_mv, axis=1, keepdims=True)
    size_mv = np.sqrt(own_mv.astype(np.float64) ** 2 + _NOISE_MV**2)
    changes: list[tuple[float, ...]] = []
    for _ in range(_N_READINGS):
        noise_mv = beat.noise(rng) * size_mv
        noisy = replace(beat, signal_mv=(beat.signal_mv + noise_mv).astype(np.float32))
        try:
            other = find_limits(noisy, by_lead=False)
        except DataError:
            return Moved(np.inf, np.inf, np.nan, np.nan, np.nan)
        on_ms, off_ms = other.qrs.on_ms - limits.qrs.on_ms, other.qrs.off_ms - limits.qrs.off_ms
        pr_ms = qt_ms = np.nan
        if limits.p_wave is not None and other.p_wave is not None:
            pr_ms = on_ms - (other.p_wave.on_ms - limits.p_wave.on_ms)
        if limits.t_wave is not None and other.t_wave is not None:
            qt_ms = other.t_wave.off_ms - limits.t_wave.off_ms - on_ms
        changes.append((on_ms, off_ms, off_ms - on_ms, pr_ms, qt_ms))
    sizes = np.abs(np.array(changes))
    largest = np.where(np.isnan(sizes).any(axis=0), np.nan, sizes.max(axis=0))
    return Moved(*(float(one) for one in largest))
