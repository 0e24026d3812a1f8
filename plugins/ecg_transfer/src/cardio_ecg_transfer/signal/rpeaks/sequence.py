"""Which candidates are beats: the most plausible sequence, found by dynamic programming.

Every candidate has a worth, the logarithm of its strength over a threshold between the noise and
the signal level around it. Following one beat by another has a price when the interval is unusually
short or long, when the later one looks like a T wave, or the earlier one like a P wave. The
sequence with the largest sum is taken as the beats. Levels and the usual interval are then learnt
again from these beats, until nothing changes.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from cardio_ecg_transfer.signal.rpeaks.candidates import Candidates

Floats = NDArray[np.float64]

_FORBIDDEN = -1e6
_NO_NOISE = -4.0

# Strengths are relative to the usual beat of the surroundings; ratios of strengths and of intervals
# act through their logarithms, so that a weight is a price per natural log unit.
_SHARP_SHARE = 0.6  # weight of sharpness in the strength; height has the rest
# A beat before anything is learnt; low, since small beats between tall ectopic ones must take part.
_FIRST_THRESHOLD = 0.2
_N_ROUNDS = 8  # at most; it ends once the beats no longer change
_N_BEATS = 11  # in the running medians of signal level, noise level and RR interval
_NOISE_EXPONENT = 0.55  # threshold: noise level to this power; 0.5 is half-way to the signal in dB
_LOWEST_THRESHOLD = 0.3  # for recordings without noise
_LARGEST_WORTH, _SMALLEST_WORTH = 2.0, -1.0  # no more certain above; dropped at once below
_N_PREDECESSORS = (
    6  # as `_follow` names them: candidates tried as the beat before; earlier ones count as a pause
)
_REFRACTORY_S = 0.2  # no two beats are closer
# An RR interval longer than this times the usual costs the weight, up to the limit: search-back.
_LATE_RATIO, _LATE_WEIGHT, _LATE_LIMIT = 1.5, 1.5, 2.0
_EARLY_RATIO, _EARLY_WEIGHT = 0.75, 0.5  # the same for shorter intervals
_IRREGULARITY = 0.1  # spread of log RR that halves these prices: fibrillation has no usual interval
# So soon after a beat, less than this share of its sharpness is probably its T wave, and pays.
_T_WAVE_S, _T_WAVE_RATIO, _T_WAVE_WEIGHT = 0.36, 0.7, 2.5
# So soon after a beat, strength above this share of it pays: the earlier was probably a P wave.
_CLOSE_S, _CLOSE_RATIO, _CLOSE_WEIGHT = 0.28, 0.3, 2.0


class _Evidence(NamedTuple):
    """Candidates in logarithms, with what is usual around each; all of shape (n_candidates,)."""

    time_s: Floats
    strength: Floats
    sharp: Floats
    worth: Floats
    usual_rr_s: Floats
    regular: Floats
    usual_sharp: Floats

    def only(self, chosen: NDArray[np.int64]) -> _Evidence:
        return _Evidence._make(part[chosen] for part in self)


def choose_beats(candidates: Candidates) -> NDArray[np.int64]:
    """Choose the beats among the candidates.

    Returns
    -------
    ndarray of int64, shape (n_beats,)
        Indices of the candidates that are beats, ascending.
    """
    sharp = np.log(candidates.sharp)
    strength = (1 - _SHARP_SHARE) * np.log(candidates.tall) + _SHARP_SHARE * sharp
    beats = np.flatnonzero(strength > np.log(_FIRST_THRESHOLD))
    for _ in range(_N_ROUNDS):
        if beats.size < 2:
            break
        worth = _worth(candidates.time_s, strength, beats)
        usual_rr_s, regular = _rhythm(candidates.time_s, beats)
        usual_sharp = _running(candidates.time_s, candidates.time_s[beats], sharp[beats])
        evidence = _Evidence(
            candidates.time_s, strength, sharp, worth, usual_rr_s, regular, usual_sharp
        )
        kept = np.flatnonzero(worth > _SMALLEST_WORTH)
        better = kept[_best_sequence(evidence.only(kept))] if kept.size else kept
        if np.array_equal(better, beats):
            break
        beats = better
    return beats


def _worth(time_s: Floats, strength: Floats, beats: NDArray[np.int64]) -> Floats:
    """Log strength above a threshold between the levels of noise and signal.

    The signal level is the running median of the beats; the noise level that of the strongest
    deflection between two beats, which is the T wave in a clean recording.
    """
    relative = strength - _running(time_s, time_s[beats], strength[beats])
    others = relative.copy()
    others[beats] = _NO_NOISE
    starts = beats if beats[0] == 0 else np.append(0, beats)
    noise = np.maximum(np.maximum.reduceat(others, starts), _NO_NOISE)
    threshold = _NOISE_EXPONENT * _running(time_s, time_s[starts], noise)
    threshold = np.clip(threshold, np.log(_LOWEST_THRESHOLD), 0.0)
    return np.minimum(relative - threshold, _LARGEST_WORTH)


def _rhythm(time_s: Floats, beats: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Usual RR interval in seconds and regularity (1 = regular) at each candidate."""
    beat_s = time_s[beats]
    rr_s, middle_s = np.diff(beat_s), 0.5 * (beat_s[1:] + beat_s[:-1])
    usual_s = _running(middle_s, middle_s, rr_s)
    spread = _running(time_s, middle_s, np.abs(np.log(rr_s / usual_s)))
    return (np.interp(time_s, middle_s, usual_s), _IRREGULARITY / (_IRREGULARITY + spread))


def _running(time_s: Floats, known_s: Floats, values: Floats) -> Floats:
    smooth = median_filter(values, min(_N_BEATS, values.size), mode="mirror")
    return np.asarray(np.interp(time_s, known_s, smooth))


def _best_sequence(evidence: _Evidence) -> NDArray[np.int64]:
    """Indices of the sequence with the largest sum of worths and gains."""
    late = -_LATE_WEIGHT * evidence.regular
    since_start_s = evidence.time_s - evidence.time_s[0]
    until_end_s = evidence.time_s[-1] - evidence.time_s
    # The beat before the recording began may have left its T wave behind.
    t_wave = _t_wave(evidence.usual_sharp - evidence.sharp, evidence.time_s)
    return _follow(
        worth=evidence.worth,
        gain=_gain(evidence),
        first=late * _lateness(since_start_s, evidence.usual_rr_s) - t_wave,
        last=late * _lateness(until_end_s, evidence.usual_rr_s),
        pause=late * _LATE_LIMIT,
    )


def _gain(evidence: _Evidence) -> Floats:
    """Gain, never positive, of a beat whose predecessor lies k + 1 candidates before.

    Shape (n_candidates, 6).
    """
    here = np.arange(evidence.time_s.size)[:, np.newaxis]
    before = here - np.arange(1, _N_PREDECESSORS + 1)
    missing = before < 0
    before = np.maximum(before, 0)
    rr_s = np.maximum(evidence.time_s[here] - evidence.time_s[before], 1e-3)
    usual_s = 0.5 * (evidence.usual_rr_s[here] + evidence.usual_rr_s[before])

    late = _lateness(rr_s, usual_s)
    early = np.maximum(np.log(_EARLY_RATIO * usual_s / rr_s), 0.0)
    rhythm = evidence.regular[here] * (_LATE_WEIGHT * late + _EARLY_WEIGHT * early)

    t_wave = _t_wave(evidence.sharp[before] - evidence.sharp[here], rr_s)
    growth = evidence.strength[here] - evidence.strength[before]
    close = np.clip(growth - np.log(_CLOSE_RATIO), 0.0, 1.0) * (rr_s < _CLOSE_S)

    gain = -rhythm - t_wave - _CLOSE_WEIGHT * close
    gain[missing | (rr_s < _REFRACTORY_S)] = _FORBIDDEN
    return np.asarray(gain)


def _t_wave(blunting: Floats, rr_s: Floats) -> Floats:
    """Price of a deflection that is blunter than the complex before it, by log units."""
    price = _T_WAVE_WEIGHT * np.clip(blunting + np.log(_T_WAVE_RATIO), 0.0, 1.0)
    return np.where(rr_s < _T_WAVE_S, price, 0.0)


def _lateness(rr_s: Floats, usual_rr_s: Floats) -> Floats:
    late = np.log(np.maximum(rr_s, 1e-3) / (usual_rr_s * _LATE_RATIO))
    return np.clip(late, 0.0, _LATE_LIMIT)


def _follow(
    worth: Floats, gain: Floats, first: Floats, last: Floats, pause: Floats
) -> NDArray[np.int64]:
    """Dynamic programming from left to right, then the best chain backwards.

    A candidate may open the sequence at the price ``first``, close it at ``last``, follow one of
    its near predecessors at ``gain``, or any earlier one after a ``pause``.
    """
    totals: list[float] = []
    previous: list[int] = []
    t1 = t2 = t3 = t4 = t5 = t6 = -math.inf  # totals of the near predecessors, latest first
    far, far_total = -1, -math.inf  # the best of all before them
    rows = zip(worth.tolist(), first.tolist(), pause.tolist(), gain.tolist(), strict=True)
    # Python floats in names of their own: half the time of a loop over the six predecessors.
    for i, (own, opening, rest, (g1, g2, g3, g4, g5, g6)) in enumerate(rows):
        best, at = t1 + g1, i - 1
        if (total := t2 + g2) > best:
            best, at = total, i - 2
        if (total := t3 + g3) > best:
            best, at = total, i - 3
        if (total := t4 + g4) > best:
            best, at = total, i - 4
        if (total := t5 + g5) > best:
            best, at = total, i - 5
        if (total := t6 + g6) > best:
            best, at = total, i - 6
        if (total := far_total + rest) > best:
            best, at = total, far
        if opening > best:
            best, at = opening, -1
        if t6 > far_total:
            far, far_total = i - 6, t6
        t1, t2, t3, t4, t5, t6 = best + own, t1, t2, t3, t4, t5
        totals.append(t1)
        previous.append(at)
    chain = []
    at = int(np.argmax(np.asarray(totals) + last))
    while at >= 0:
        chain.append(at)
        at = previous[at]
    return np.asarray(chain[::-1], dtype=np.int64)
