"""Which candidates are beats: the most plausible sequence, found by dynamic programming."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import median_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cardio_ecg_transfer.signal.rpeak_config import RPeakConfig

_FORBIDDEN = -1e6


def choose_beats(
    time_s: NDArray[np.float64], strength: NDArray[np.float64], config: RPeakConfig
) -> NDArray[np.int64]:
    """Return the indices of the candidates that are beats."""
    beats = np.flatnonzero(strength > 0.5)
    log_strength = np.log(strength)
    for _ in range(config.n_rounds):
        if beats.size < 2:
            break
        beats = _best_sequence(time_s, log_strength, beats, config)
    return beats


def _best_sequence(
    time_s: NDArray[np.float64],
    log_strength: NDArray[np.float64],
    beats: NDArray[np.int64],
    config: RPeakConfig,
) -> NDArray[np.int64]:
    worth = _worth(time_s, log_strength, beats, config)
    usual_rr_s, regular = _rhythm(time_s, beats, config)
    gain = _transitions(time_s, log_strength, usual_rr_s, regular, config)
    edge = config.late_weight * regular
    start = -edge * _lateness(time_s - time_s[0], usual_rr_s, config)
    stop = -edge * _lateness(time_s[-1] - time_s, usual_rr_s, config)
    return _backtrack(worth, start, stop, gain)


def _worth(
    time_s: NDArray[np.float64],
    log_strength: NDArray[np.float64],
    beats: NDArray[np.int64],
    config: RPeakConfig,
) -> NDArray[np.float64]:
    """How far each candidate stands above the threshold between signal and noise level."""
    relative = log_strength - _running(time_s, time_s[beats], log_strength[beats], config)
    others = np.setdiff1d(np.arange(time_s.size), beats)
    threshold = np.full(time_s.size, config.threshold)
    if others.size >= config.n_beats:
        noise = np.exp(np.minimum(_running(time_s, time_s[others], relative[others], config), 0.0))
        threshold += config.noise_share * np.maximum(0.0, noise - config.noise_floor)
    return np.clip(relative - np.log(threshold), -3.0, config.strongest)


def _rhythm(
    time_s: NDArray[np.float64], beats: NDArray[np.int64], config: RPeakConfig
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Usual RR interval in seconds and regularity (1 = regular) at each candidate."""
    rr_s = np.diff(time_s[beats])
    middle_s = 0.5 * (time_s[beats][1:] + time_s[beats][:-1])
    usual_s = _running(middle_s, middle_s, rr_s, config)
    spread = _running(time_s, middle_s, np.abs(np.log(rr_s / usual_s)), config)
    regular = 0.3 + 0.7 * config.irregularity / (config.irregularity + spread)
    return np.interp(time_s, middle_s, usual_s), regular


def _running(
    time_s: NDArray[np.float64],
    known_s: NDArray[np.float64],
    values: NDArray[np.float64],
    config: RPeakConfig,
) -> NDArray[np.float64]:
    smooth = median_filter(values, min(config.n_beats, values.size), mode="nearest")
    return np.interp(time_s, known_s, smooth)


def _lateness(
    rr_s: NDArray[np.float64], usual_rr_s: NDArray[np.float64], config: RPeakConfig
) -> NDArray[np.float64]:
    late = np.log(np.maximum(rr_s, 0.01) / (usual_rr_s * config.late_ratio))
    return np.clip(late, 0.0, config.late_limit)


def _transitions(
    time_s: NDArray[np.float64],
    log_strength: NDArray[np.float64],
    usual_rr_s: NDArray[np.float64],
    regular: NDArray[np.float64],
    config: RPeakConfig,
) -> NDArray[np.float64]:
    """Gain of following the k-th predecessor, (n_candidates, n_predecessors)."""
    here = np.arange(time_s.size)[:, np.newaxis]
    before = here - np.arange(1, min(config.n_predecessors, time_s.size) + 1)
    missing = before < 0
    before = np.maximum(before, 0)
    rr_s = np.maximum(time_s[here] - time_s[before], 1e-3)
    usual_s = 0.5 * (usual_rr_s[here] + usual_rr_s[before])
    early = np.clip(np.log(config.early_ratio * usual_s / rr_s), 0.0, 3.0)
    gain = -regular[here] * (
        config.late_weight * _lateness(rr_s, usual_s, config) + config.early_weight * early
    )
    growth = log_strength[here] - log_strength[before]
    t_wave = np.clip(np.log(config.t_wave_ratio) - growth, 0.0, 1.0)
    p_wave = np.clip(np.log(config.p_wave_ratio) + growth, 0.0, 1.0)
    gain -= config.t_wave_weight * t_wave * (rr_s < config.t_wave_s)
    gain -= config.p_wave_weight * p_wave * (rr_s < config.p_wave_s)
    gain[missing | (rr_s < config.refractory_s)] = _FORBIDDEN
    return np.asarray(gain)


def _backtrack(
    worth: NDArray[np.float64],
    start: NDArray[np.float64],
    stop: NDArray[np.float64],
    gain: NDArray[np.float64],
) -> NDArray[np.int64]:
    total: list[float] = []
    previous: list[int] = []
    # Plain lists: some thousand candidates times ten predecessors are faster so than as arrays.
    for i, (own, begin, row) in enumerate(
        zip(worth.tolist(), start.tolist(), gain.tolist(), strict=True)
    ):
        best, chosen = begin, -1
        for k, step in enumerate(row[:i], 1):
            value = total[i - k] + step
            if value > best:
                best, chosen = value, i - k
        total.append(best + own)
        previous.append(chosen)
    chain = []
    last = int(np.argmax(np.asarray(total) + stop))
    while last >= 0:
        chain.append(last)
        last = previous[last]
    return np.asarray(chain[::-1], dtype=np.int64)
