"""R peaks in any leads: candidates in the QRS band, and their most plausible sequence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import signal as sps
from scipy.ndimage import maximum_filter1d, median_filter, minimum_filter1d, uniform_filter1d

from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.filters import (
    BASELINE_CUTOFF_HZ,
    TARGET_RATE_HZ,
    band_pass,
    fill_gaps,
    high_pass,
    notch,
    qrs_band,
    require_rate,
    resample,
)

_ENVELOPE_S = 0.12  # Hann window that smooths the Shannon energy
_CANDIDATE_DISTANCE_S = 0.15  # two candidates lie at least so far apart
HALF_COMPLEX_S = 0.075  # a deflection is measured within this time of its candidate
# Running means that are taken off first: about a QRS complex, and about its upstroke.
TALL_S = 0.16
_SHARP_S = 0.06
# The usual beat: a running median of so many blocks' maxima, each block of this length.
_LEVEL_BLOCK_S = 2.0
_LEVEL_N_BLOCKS = 9
_SMALLEST_SHARE = 0.1  # weaker deflections, as a share of the usual beat, are no candidates
_SMALLEST_MV = 0.01  # a lead whose usual deflection is lower shows no beats

Heights = TypeVar("Heights", NDArray[np.float32], NDArray[np.float64])


@dataclass(frozen=True)
class Candidates:
    """Local maxima of the envelope, each measured against the usual beat of its surroundings.

    Attributes
    ----------
    time_s : ndarray of float64, shape (n_candidates,)
        Ascending.
    tall : ndarray of float64, shape (n_candidates,)
        Height of the deflection, mean over leads; 1 is that of a usual beat.
    sharp : ndarray of float64, shape (n_candidates,)
        Height of its fast part, mean over leads; 1 is that of a usual beat.
    """

    time_s: NDArray[np.float64]
    tall: NDArray[np.float64]
    sharp: NDArray[np.float64]

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Candidates:
        """Keep some of them."""
        return Candidates(self.time_s[chosen], self.tall[chosen], self.sharp[chosen])


def find_candidates(
    signal_mv: NDArray[np.float64], complexes_mv: NDArray[np.float64], rate_hz: float
) -> Candidates:
    """Find what could be a beat.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Without baseline wander and noise above 40 Hz.
    complexes_mv : ndarray, same shape
        The same above its mean over `TALL_S`.
    rate_hz : float
        Their sampling rate.
    """
    envelope = shannon_envelope(signal_mv, rate_hz)
    samples, _ = sps.find_peaks(envelope, distance=max(1, _CANDIDATE_DISTANCE_S * rate_hz))
    time_s = samples / rate_hz
    half = round(HALF_COMPLEX_S * rate_hz)
    tall_mv = swing(complexes_mv, samples, half)
    sharp_mv = swing(above_mean(signal_mv, rate_hz, _SHARP_S), samples, half)
    tall = _relative(tall_mv, time_s)
    sharp = _relative(sharp_mv, time_s)
    found = Candidates(time_s, tall, sharp)
    return found.only((tall > _SMALLEST_SHARE) & (sharp > 0))


def shannon_envelope(signal_mv: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Smooth Shannon energy of the normalised slope in the QRS band, summed over leads.

    The slope is divided by its local level and by the square root of e. Up to there ``-d2 ln d2``
    rises with ``d2``, so that a tall beat is never lower than a small one; it still lifts small
    beats more than the square does.
    """
    slope = np.diff(qrs_band(signal_mv, rate_hz), axis=-1, append=0.0)
    slope[:, -1] = 0.0
    slope = slope.astype(np.float32)  # half the time for the logarithm and the transform
    energy = np.zeros(slope.shape[-1], dtype=np.float32)
    for lead in slope:
        square = np.square(lead / _slope_level(np.abs(lead), rate_hz))
        np.minimum(square, 1.0, out=square)
        square /= np.float32(math.e)
        energy -= square * np.log(square + np.float32(1e-12))
    window = np.hanning(round(_ENVELOPE_S * rate_hz) + 2)[1:-1].astype(np.float32)
    return np.asarray(sps.oaconvolve(energy, window / window.sum(), mode="same"))


def _slope_level(slope: NDArray[np.float32], rate_hz: float) -> NDArray[np.float32]:
    """Usual height of the slope at each sample: straight lines between the centres of blocks."""
    n_block = round(_LEVEL_BLOCK_S * rate_hz)
    n_blocks = -(-slope.size // n_block)
    padded = np.zeros(n_blocks * n_block, dtype=np.float32)
    padded[: slope.size] = slope
    usual = _usual(padded.reshape(n_blocks, n_block).max(axis=1))
    # Half a block of the first and last level at either end, a ramp for every block between.
    usual = np.concatenate([usual[:1], usual, usual[-1:]])
    ramp = (np.arange(n_block) / n_block).astype(np.float32)
    level = usual[:-1, np.newaxis] + np.diff(usual)[:, np.newaxis] * ramp
    start = n_block - n_block // 2
    return np.maximum(level.ravel()[start : start + slope.size], np.float32(1e-9))


def _relative(size_mv: NDArray[np.float64], time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Size divided by the usual size of a beat, mean over the leads that show any beat."""
    if not time_s.size:
        return np.zeros(0)
    block = (time_s // _LEVEL_BLOCK_S).astype(np.int64)
    centre_s = (np.arange(block[-1] + 1) + 0.5) * _LEVEL_BLOCK_S
    total, n_usable = np.zeros(time_s.size), np.zeros(time_s.size)
    for size in size_mv:
        highest = np.zeros(block[-1] + 1)
        np.maximum.at(highest, block, size)
        level = np.interp(time_s, centre_s, _usual(highest))
        usable = level >= _SMALLEST_MV
        total += np.where(usable, size / np.maximum(level, _SMALLEST_MV), 0.0)
        n_usable += usable
    return total / np.maximum(n_usable, 1)


def _usual(highest: Heights) -> Heights:
    """Running median of block maxima: no single artefact or pause moves it."""
    level = median_filter(highest, min(_LEVEL_N_BLOCKS, highest.size), mode="mirror")
    return np.asarray(np.maximum(level, 0.2 * np.median(level)), dtype=highest.dtype)


def above_mean(
    signal_mv: NDArray[np.float64], rate_hz: float, window_s: float
) -> NDArray[np.float64]:
    """Signal minus its running mean: what is shorter than the window, without any phase shift."""
    n_window = 2 * round(window_s * rate_hz / 2) + 1
    return np.asarray(signal_mv - uniform_filter1d(signal_mv, n_window, axis=-1, mode="nearest"))


def around(
    signal_mv: NDArray[np.float64], samples: NDArray[np.int64], half: int
) -> NDArray[np.float64]:
    """Signal within ``half`` samples of each position, shape (..., n_positions, 2 half + 1)."""
    index = samples[:, np.newaxis] + np.arange(-half, half + 1)
    return np.asarray(signal_mv[..., np.clip(index, 0, signal_mv.shape[-1] - 1)])


def swing(
    signal_mv: NDArray[np.float64], samples: NDArray[np.int64], half: int
) -> NDArray[np.float64]:
    """Peak to peak within ``half`` samples of each position, shape (..., n_positions)."""
    first = np.maximum(samples - half, 0)
    last = np.minimum(samples + half, signal_mv.shape[-1] - 1)
    # Each window up to its last sample, and between them what lies between two windows.
    edges = np.stack([first, last], axis=-1).ravel()
    ends_mv = signal_mv[..., last]
    highest = np.maximum(np.maximum.reduceat(signal_mv, edges, axis=-1)[..., ::2], ends_mv)
    lowest = np.minimum(np.minimum.reduceat(signal_mv, edges, axis=-1)[..., ::2], ends_mv)
    return np.asarray(highest - lowest)


_FLAT_S = 0.1  # exactly equal samples for this long are no signal
_N_PROBES = 8  # equal samples at even steps, without which no such stretch is looked for
_SPIKE_RATE_HZ = 400.0  # from here on spikes are narrower than the tip of an R wave
_SPIKE_S = 0.012  # of the running median that a spike stands out from ...
_SPIKE_AROUND_S = 0.06  # ... by more than all that remains within this time of it


def without_flat(signal_mv: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Mark stretches of exactly equal samples as missing: the amplifier was off or saturated.

    Their borders are steps, which would look like a QRS complex.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        NaN where missing.
    rate_hz : float
        Sampling rate.

    Returns
    -------
    ndarray of float64, shape (n_leads, n_samples)
        A copy with NaN in flat stretches, or the given array if there are none.
    """
    n_least = max(_N_PROBES, round(_FLAT_S * rate_hz))
    cleaned = signal_mv
    for i, lead in enumerate(signal_mv):
        if not _may_be_flat(lead, n_least):
            continue
        starts = np.append(0, np.flatnonzero(lead[1:] != lead[:-1]) + 1)
        lengths = np.diff(np.append(starts, lead.size))
        for k in np.flatnonzero(lengths >= n_least):
            if cleaned is signal_mv:
                cleaned = signal_mv.copy()
            cleaned[i, starts[k] : starts[k] + lengths[k]] = np.nan
    return cleaned


def _may_be_flat(lead: NDArray[np.float64], n_least: int) -> bool:
    """Say cheaply whether `n_least` equal samples in a row are possible: most leads hold none."""
    step = n_least // _N_PROBES
    in_a_row = lead[step::step] == lead[:-step:step]
    for k in (1, 2, 3):  # 2, 4 and 7 equal pairs in a row, which 8 probes have between them
        in_a_row = in_a_row[:-k] & in_a_row[k:]
    return bool(in_a_row.any())


def without_spikes(signal_mv: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Replace pacing spikes that overtop their surroundings by the running median.

    A spike lasts 2 ms or less and exceeds the running median by its whole height, a QRS complex
    only by the tip of its R wave.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Without NaN.
    rate_hz : float
        Sampling rate. Below 400 Hz nothing is done: the anti-alias filter has made a spike as wide
        as the tip of an R wave.

    Returns
    -------
    ndarray of float64, shape (n_leads, n_samples)
    """
    if rate_hz < _SPIKE_RATE_HZ:
        return signal_mv
    n_window = 2 * int(0.5 * _SPIKE_S * rate_hz) + 1
    smooth = median_filter(signal_mv, (1, n_window), mode="nearest")
    n_around = 2 * round(_SPIKE_AROUND_S * rate_hz) + 1
    remaining = maximum_filter1d(smooth, n_around) - minimum_filter1d(smooth, n_around)
    return np.where(np.abs(signal_mv - smooth) > remaining, smooth, signal_mv)


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


_ECG_BAND_HZ = (0.5, 40.0)
_FIDUCIAL_S = 0.08  # the R peak is the largest deflection within this time of the candidate ...
_FIDUCIAL_SHIFT_S = 0.014  # ... moved by at most this to the extremum of the unsharpened signal


@dataclass(frozen=True)
class RPeaks:
    """The beats of one recording.

    Attributes
    ----------
    samples : ndarray of int64, shape (n_beats,)
        R peaks as sample numbers at the recording's own rate, ascending.
    times_s : ndarray of float64, shape (n_beats,)
        The same in seconds from the start of the recording.
    polarity : ndarray of int8, shape (n_beats,)
        1 where the R peak points up in the refinement lead, -1 where it points down.
    lead : int
        Index of the lead in which the peaks were placed: the one with the tallest complexes.
    """

    samples: NDArray[np.int64]
    times_s: NDArray[np.float64]
    polarity: NDArray[np.int8]
    lead: int


def detect_r_peaks(signal_mv: ArrayLike, rate_hz: float) -> RPeaks:
    """Find the R peaks of a recording in all of its leads together.

    Parameters
    ----------
    signal_mv : array_like, shape (n_leads, n_samples) or (n_samples,)
        Potentials in millivolt; NaN where missing. A lead that shows no beats has no say.
    rate_hz : float
        Sampling rate; more than 80 Hz.

    Returns
    -------
    RPeaks
        Empty where no lead shows a beat. The largest deflection of a complex counts as its R
        peak, up or down, so that an inverted lead gives the same times.

    Raises
    ------
    DataError
        If the rate is not positive or the signal has fewer than two samples.

    References
    ----------
    Manikandan and Soman 2012, Biomedical Signal Processing and Control 7:118 (Chebyshev band and
    Shannon energy). Pan and Tompkins 1985, IEEE Trans Biomed Eng 32:230 (signal and noise levels,
    search-back, T waves told by their slope).

    Examples
    --------
    >>> time_s = np.arange(0, 10, 1 / 500)
    >>> ecg_mv = sum(np.exp(-0.5 * ((time_s - r_s) / 0.012) ** 2) for r_s in np.arange(0.5, 10))
    >>> detect_r_peaks(ecg_mv, 500).times_s.round(2).tolist()
    [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5]
    """
    given_mv = np.atleast_2d(np.asarray(signal_mv, dtype=np.float64))
    require_rate(rate_hz)
    bridged_mv, present = fill_gaps(without_flat(given_mv, rate_hz))
    clean_mv = without_spikes(bridged_mv, rate_hz)
    if not present.all():
        clean_mv = np.where(present, clean_mv, np.nan)
    resampled_mv, valid = resample(clean_mv, rate_hz)
    filtered_mv = band_pass(resampled_mv, TARGET_RATE_HZ, _ECG_BAND_HZ)
    complexes_mv = above_mean(filtered_mv, TARGET_RATE_HZ, TALL_S)
    candidates = find_candidates(filtered_mv, complexes_mv, TARGET_RATE_HZ)
    beats = candidates.only(choose_beats(candidates))
    near = np.rint(beats.time_s * TARGET_RATE_HZ).astype(np.int64)
    near = near[valid[:, near].any(axis=0)]
    if near.size == 0:
        return RPeaks(near, np.zeros(0), np.zeros(0, np.int8), 0)
    half = round(HALF_COMPLEX_S * TARGET_RATE_HZ)
    lead = int(np.argmax(np.median(swing(filtered_mv, near, half), axis=1)))
    peaks, polarity = _place(filtered_mv[lead], complexes_mv[lead], near)
    samples = np.rint(peaks * (rate_hz / TARGET_RATE_HZ)).astype(np.int64)
    samples = np.minimum(samples, given_mv.shape[-1] - 1)
    return RPeaks(samples, samples / rate_hz, polarity, lead)


def _place(
    signal_mv: NDArray[np.float64], complexes_mv: NDArray[np.float64], near: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Move each beat to its R peak; say whether that points up or down.

    The first look is above the running mean, so that the upstroke of a paced or ectopic complex
    wins over the slower wave that follows it.
    """
    half = round(_FIDUCIAL_S * TARGET_RATE_HZ)
    complexes = around(complexes_mv, near, half)
    largest = np.abs(complexes).argmax(axis=1)
    sign = np.sign(np.take_along_axis(complexes, largest[:, np.newaxis], axis=1))
    rough = near + largest - half
    half = round(_FIDUCIAL_SHIFT_S * TARGET_RATE_HZ)
    fine = rough + (around(signal_mv, rough, half) * sign).argmax(axis=1) - half
    peaks, first = np.unique(np.clip(fine, 0, signal_mv.size - 1), return_index=True)
    return peaks, sign[first, 0].astype(np.int8)


def at_working_rate(
    ecg: Ecg,
    peaks: RPeaks,
    *,
    high_pass_hz: float | None = BASELINE_CUTOFF_HZ,
    notch_hz: float | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Bring a recording and its R peaks to 360 Hz, and filter it.

    Parameters
    ----------
    ecg : Ecg
        As it was read, or the working copy of `recording_checks.check_recording`.
    peaks : RPeaks
        Found in it at its own rate.
    high_pass_hz, notch_hz : float, optional
        Cut-off against baseline wander, and the mains' frequency; None leaves the filter out.

    Returns
    -------
    signal_mv : ndarray of float32, shape (n_leads, n_samples)
        NaN where the recording has no value.
    r_samples : ndarray of int64, shape (n_peaks,)
        R peaks as samples of `signal_mv`.

    Examples
    --------
    >>> from cardio_ecg_transfer.signal.rpeaks import detect_r_peaks
    >>> from cardio_ecg_transfer.synthetic.patient import PatientSpec
    >>> from cardio_ecg_transfer.synthetic.simulation import simulate
    >>> ecg, truth = simulate(PatientSpec(heart_rate_bpm=60), 10.0, 500.0, seed=1)
    >>> signal_mv, r_samples = at_working_rate(ecg, detect_r_peaks(ecg.signal_mv, 500.0))
    >>> signal_mv.shape, bool(abs(r_samples / 360 - truth.r_s).max() < 0.02)
    ((12, 3600), True)
    """
    resampled, valid = resample(ecg.signal_mv, ecg.rate_hz)
    if high_pass_hz is not None:
        resampled = high_pass(resampled, TARGET_RATE_HZ, high_pass_hz)
    if notch_hz is not None:
        resampled = notch(resampled, TARGET_RATE_HZ, notch_hz)
    signal_mv = np.where(valid, resampled, np.nan).astype(np.float32)
    r_samples = np.unique(np.rint(peaks.times_s * TARGET_RATE_HZ).astype(np.int64))
    return signal_mv, r_samples[r_samples < signal_mv.shape[1]]
