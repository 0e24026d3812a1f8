"""Which candidates are beats: the most plausible sequence, found by dynamic programming.

Every candidate has a worth, the logarithm of its strength over a threshold between the noise and
the signal level around it. Following one beat by another has a price when the interval is unusually
short or long, when the later one looks like a T wave, or the earlier one like a P wave. The
sequence with the largest sum is taken as the beats. Levels and the usual interval are then learnt
again from these beats, until nothing changes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from operator import add

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from cardio_ecg_transfer.signal.rpeaks.candidates import Candidates
from cardio_ecg_transfer.signal.rpeaks.config import RPeakConfig

Floats = NDArray[np.float64]

_FORBIDDEN = -1e6
_NO_NOISE = -4.0


@dataclass(frozen=True)
class _Evidence:
    """Candidates in logarithms, with what is usual around each; all of shape (n_candidates,)."""

    time_s: Floats
    strength: Floats
    sharp: Floats
    worth: Floats
    usual_rr_s: Floats
    regular: Floats
    usual_sharp: Floats

    def only(self, chosen: NDArray[np.int64]) -> _Evidence:
        return _Evidence(
            self.time_s[chosen],
            self.strength[chosen],
            self.sharp[chosen],
            self.worth[chosen],
            self.usual_rr_s[chosen],
            self.regular[chosen],
            self.usual_sharp[chosen],
        )


def choose_beats(candidates: Candidates, config: RPeakConfig) -> NDArray[np.int64]:
    """Choose the beats among the candidates.

    Parameters
    ----------
    candidates : Candidates
    config : RPeakConfig

    Returns
    -------
    ndarray of int64, shape (n_beats,)
        Indices of the candidates that are beats, ascending.
    """
    sharp = np.log(candidates.sharp)
    strength = (1 - config.sharp_share) * np.log(candidates.tall) + config.sharp_share * sharp
    beats = np.flatnonzero(strength > np.log(config.first_threshold))
    for _ in range(config.n_rounds):
        if beats.size < 2:
            break
        worth = _worth(candidates.time_s, strength, beats, config)
        usual_rr_s, regular = _rhythm(candidates.time_s, beats, config)
        usual_sharp = _running(candidates.time_s, candidates.time_s[beats], sharp[beats], config)
        evidence = _Evidence(
            candidates.time_s, strength, sharp, worth, usual_rr_s, regular, usual_sharp
        )
        kept = np.flatnonzero(worth > config.smallest_worth)
        better = kept[_best_sequence(evidence.only(kept), config)] if kept.size else kept
        if np.array_equal(better, beats):
            break
        beats = better
    return beats


def _worth(
    time_s: Floats, strength: Floats, beats: NDArray[np.int64], config: RPeakConfig
) -> Floats:
    """Log strength above a threshold between the levels of noise and signal.

    The signal level is the running median of the beats; the noise level that of the strongest
    deflection between two beats, which is the T wave in a clean recording.
    """
    relative = strength - _running(time_s, time_s[beats], strength[beats], config)
    others = relative.copy()
    others[beats] = _NO_NOISE
    starts = beats if beats[0] == 0 else np.append(0, beats)
    noise = np.maximum(np.maximum.reduceat(others, starts), _NO_NOISE)
    threshold = config.noise_exponent * _running(time_s, time_s[starts], noise, config)
    threshold = np.clip(threshold, np.log(config.lowest_threshold), 0.0)
    return np.minimum(relative - threshold, config.largest_worth)


def _rhythm(time_s: Floats, beats: NDArray[np.int64], config: RPeakConfig) -> tuple[Floats, Floats]:
    """Usual RR interval in seconds and regularity (1 = regular) at each candidate."""
    beat_s = time_s[beats]
    rr_s, middle_s = np.diff(beat_s), 0.5 * (beat_s[1:] + beat_s[:-1])
    usual_s = _running(middle_s, middle_s, rr_s, config)
    spread = _running(time_s, middle_s, np.abs(np.log(rr_s / usual_s)), config)
    return (
        np.interp(time_s, middle_s, usual_s),
        config.irregularity / (config.irregularity + spread),
    )


def _running(time_s: Floats, known_s: Floats, values: Floats, config: RPeakConfig) -> Floats:
    smooth = median_filter(values, min(config.n_beats, values.size), mode="mirror")
    return np.asarray(np.interp(time_s, known_s, smooth))


def _best_sequence(evidence: _Evidence, config: RPeakConfig) -> NDArray[np.int64]:
    """Indices of the sequence with the largest sum of worths and gains."""
    n_back = min(config.n_predecessors, evidence.time_s.size)
    late = -config.late_weight * evidence.regular
    since_start_s = evidence.time_s - evidence.time_s[0]
    until_end_s = evidence.time_s[-1] - evidence.time_s
    # The beat before the recording began may have left its T wave behind.
    t_wave = _t_wave(evidence.usual_sharp - evidence.sharp, evidence.time_s, config)
    return _follow(
        worth=evidence.worth,
        gain=_gain(evidence, n_back, config),
        first=late * _lateness(since_start_s, evidence.usual_rr_s, config) - t_wave,
        last=late * _lateness(until_end_s, evidence.usual_rr_s, config),
        pause=late * config.late_limit,
    )


def _gain(evidence: _Evidence, n_back: int, config: RPeakConfig) -> Floats:
    """Gain, never positive, of a beat whose predecessor lies k + 1 candidates before.

    Shape (n_candidates, n_back).
    """
    here = np.arange(evidence.time_s.size)[:, np.newaxis]
    before = here - np.arange(1, n_back + 1)
    missing = before < 0
    before = np.maximum(before, 0)
    rr_s = np.maximum(evidence.time_s[here] - evidence.time_s[before], 1e-3)
    usual_s = 0.5 * (evidence.usual_rr_s[here] + evidence.usual_rr_s[before])

    late = _lateness(rr_s, usual_s, config)
    early = np.maximum(np.log(config.early_ratio * usual_s / rr_s), 0.0)
    rhythm = evidence.regular[here] * (config.late_weight * late + config.early_weight * early)

    t_wave = _t_wave(evidence.sharp[before] - evidence.sharp[here], rr_s, config)
    growth = evidence.strength[here] - evidence.strength[before]
    close = np.clip(growth - np.log(config.close_ratio), 0.0, 1.0) * (rr_s < config.close_s)

    gain = -rhythm - t_wave - config.close_weight * close
    gain[missing | (rr_s < config.refractory_s)] = _FORBIDDEN
    return np.asarray(gain)


def _t_wave(blunting: Floats, rr_s: Floats, config: RPeakConfig) -> Floats:
    """Price of a deflection that is blunter than the complex before it, by log units."""
    price = config.t_wave_weight * np.clip(blunting + np.log(config.t_wave_ratio), 0.0, 1.0)
    return np.where(rr_s < config.t_wave_s, price, 0.0)


def _lateness(rr_s: Floats, usual_rr_s: Floats, config: RPeakConfig) -> Floats:
    late = np.log(np.maximum(rr_s, 1e-3) / (usual_rr_s * config.late_ratio))
    return np.clip(late, 0.0, config.late_limit)


def _follow(
    worth: Floats, gain: Floats, first: Floats, last: Floats, pause: Floats
) -> NDArray[np.int64]:
    """Dynamic programming from left to right, then the best chain backwards.

    A candidate may open the sequence at the price ``first``, close it at ``last``, follow one of
    its near predecessors at ``gain``, or any earlier one after a ``pause``.
    """
    n_back = gain.shape[1]
    totals: list[float] = []
    previous: list[int] = []
    near = deque([-np.inf] * n_back, maxlen=n_back)  # totals of the predecessors, latest first
    far, far_total = -1, -np.inf  # the best of all before them
    # Lists of Python floats: faster than arrays for some thousand short rows.
    for i, (own, opening, rest, steps) in enumerate(
        zip(worth.tolist(), first.tolist(), pause.tolist(), gain.tolist(), strict=True)
    ):
        choices = [*map(add, near, steps), far_total + rest, opening]
        best = max(choices)
        k = choices.index(best)
        previous.append(i - 1 - k if k < n_back else far if k == n_back else -1)
        if near[-1] > far_total:
            far, far_total = i - n_back, near[-1]
        near.appendleft(best + own)
        totals.append(best + own)
    chain = []
    at = int(np.argmax(np.asarray(totals) + last))
    while at >= 0:
        chain.append(at)
        at = previous[at]
    return np.asarray(chain[::-1], dtype=np.int64)
