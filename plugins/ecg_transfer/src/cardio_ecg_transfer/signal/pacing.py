"""Pacemaker spikes: found at the file's own sampling rate, before anything else is looked for.

A spike is narrower than any wave of the heart, so it stands out from a running median of 15 ms,
and it changes faster than what is around it. How surely a peak of that residual is a spike is a
logistic score of six features without a unit and their products, fitted to simulated spikes in
real recordings. One such peak may be an artefact: spikes are those that come at one time before R,
beat after beat.

A recorder's low-pass widens a spike: at 40 Hz it is as wide as a notch of the QRS, and few below
200 µV are found. Resampling does the same, so that this comes first.

References
----------
Luo S, Johnston P. A review of electrocardiogram filtering. J Electrocardiol 2010; 43: 486-496.
Ricke AD et al. Improved pacemaker pulse detection: clinical evaluation of a new high-bandwidth
electrocardiographic system. J Electrocardiol 2011; 44: 265-274.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, median_filter, minimum_filter1d

from cardio_ecg_transfer.signal.ecg import Ecg, Finding
from cardio_ecg_transfer.signal.filters import fill_gaps
from cardio_ecg_transfer.signal.fitted import score
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS
from cardio_ecg_transfer.signal.rpeaks import RPeaks, detect_r_peaks

NARROW_MS = 15.0
"""No wave of the heart is narrower: the window of the running median."""

LEAST_SCORES = ((8, 0.0), (2, 2.0), (0, 3.0))
"""From so many leads on, the log odds of a peak to count. Of eight and more chosen together with
`FEWEST_BEATS` for few false findings on all unpaced recordings of LUDB and PTB-XL at six sampling
rates. In fewer leads the R wave of one looks like a spike more often: at 0, 81 of 210 unpaced lead
II are called paced, at these none, and 5 of 8 paced ones are found in one lead, 7 in two."""

_WEAKER_SCORE = -4.0

FEWEST_BEATS = 4
"""With a spike of one kind; in a recording of three beats all three, and never fewer."""

SMALLEST_SHARE = 0.05
"""Of the beats in a long recording: paced more rarely than that is not found."""

CAPTURE_MS = 80.0
"""From a ventricular stimulus to the QRS at most; an atrial one comes earlier."""

# Set on simulated spikes in every other recording, with the weights; all are relative or times.
_ALIKE_MS = 12.0  # spikes of one kind come this regularly before R
_BEFORE_R_MS = (-30.0, 350.0)
_NEAR_MS = 8.0
_SLOPE_MS, _SLOPE_AROUND_MS, _STEP_AROUND_MS = 4.0, 25.0, 6.0
_AROUND_MS, _OWN_MS = 60.0, 12.0
_STANDS_OUT = 5.0  # times the middle residual, for a peak to be looked at
_BRIDGED_MS = (8.0, 16.0)  # what a spike and its tail take
_AS_LARGE = 4.0  # a share of the spikes' residual, and times that of the R waves: one more spike
_ENDS_MS = 30.0  # a spike's filtered half at an end looks like the end of a QRS


@dataclass(frozen=True)
class Pacing:
    """The pacemaker spikes of one recording.

    Attributes
    ----------
    times_s : ndarray of float64, shape (n_spikes,)
        Ascending, from the start of the recording; empty where nothing is paced or seen.
    before_r_ms : tuple of float
        Middle time from the spikes of one kind to R, the earlier kind first; at most two.
    shares : tuple of float
        Of the beats that have a spike of that kind, 0 to 1.
    """

    times_s: NDArray[np.float64]
    before_r_ms: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()

    @property
    def is_paced(self) -> bool:
        """Whether there are spikes."""
        return bool(self.times_s.size)


NOT_PACED = Pacing(np.zeros(0))

Chamber = Literal["atrial", "ventricular"]


def beats_without_spikes(ecg: Ecg) -> tuple[Ecg, RPeaks, Pacing]:
    """Find a recording's spikes and its beats, and bridge the spikes.

    Parameters
    ----------
    ecg : Ecg
        At the file's own rate, unfiltered.

    Returns
    -------
    Ecg
        The same object where there is no spike, else with straight lines in their place.
    RPeaks
        Never a spike.
    Pacing
        The spikes.

    Examples
    --------
    >>> from cardio_ecg_transfer.synthetic.patient import PatientSpec
    >>> from cardio_ecg_transfer.synthetic.simulation import simulate
    >>> ecg, _ = simulate(PatientSpec(conduction="paced"), 10.0, 500.0, seed=1)
    >>> bridged, peaks, pacing = beats_without_spikes(ecg)
    >>> pacing.is_paced, len(pacing.before_r_ms), bridged.leads == ecg.leads
    (True, 1, True)
    """
    peaks = detect_r_peaks(ecg.signal_mv, ecg.rate_hz)
    narrow = _narrow_peaks(ecg.signal_mv, ecg.rate_hz)
    at_s, weaker_s = narrow.likely_s, narrow.weaker_s
    if not locked_spikes(at_s, peaks.times_s).is_paced:
        return ecg, peaks, NOT_PACED
    # Spikes may have been taken for R, or have hidden R: with all likely ones gone, look again.
    bridged = _bridged(ecg.signal_mv, ecg.rate_hz, at_s)
    again = detect_r_peaks(bridged, ecg.rate_hz)
    pacing = locked_spikes(at_s, again.times_s, weaker_s)
    if not pacing.is_paced:
        return ecg, peaks, NOT_PACED
    # And again, without spikes whose shape is another: held for some samples, or cut at an end.
    larger_s = narrow.as_large_s(pacing.times_s, again.times_s)
    bridged = _bridged(bridged, ecg.rate_hz, np.union1d(pacing.times_s, larger_s))
    again = detect_r_peaks(_with_ends_held(bridged, ecg.rate_hz), ecg.rate_hz)
    pacing = locked_spikes(at_s, again.times_s, np.union1d(weaker_s, larger_s))
    bridged = _bridged(bridged, ecg.rate_hz, pacing.times_s)
    return replace(ecg, signal_mv=bridged), again, pacing


def locked_spikes(
    times_s: NDArray[np.float64],
    r_s: NDArray[np.float64],
    weaker_s: NDArray[np.float64] | None = None,
) -> Pacing:
    """Keep the spikes that come at one or two times before R, beat after beat.

    Parameters
    ----------
    times_s, r_s : ndarray of float64
        Likely spikes and R peaks, ascending.
    weaker_s : ndarray of float64, optional
        Less likely ones: they count where the likely ones come, and decide nothing. Sampled
        between two values, a spike may be half as large as the next.

    Examples
    --------
    >>> r_s = np.arange(1.0, 9.0)
    >>> locked_spikes(np.append(r_s - 0.08, 9.5), r_s).before_r_ms
    (80.0,)
    >>> locked_spikes(np.array([1.3, 4.4]), r_s).is_paced
    False
    """
    if not (times_s.size and r_s.size):
        return NOT_PACED
    least = max(3, min(FEWEST_BEATS, r_s.size), SMALLEST_SHARE * r_s.size)
    beat = np.searchsorted(r_s, times_s + _BEFORE_R_MS[0] / 1000).clip(0, r_s.size - 1)
    before_ms = (r_s[beat] - times_s) * 1000
    left = (before_ms >= _BEFORE_R_MS[0]) & (before_ms <= _BEFORE_R_MS[1])
    kinds = []
    for _ in range(2):
        found = np.sort(before_ms[left])
        ends = np.searchsorted(found, found + 2 * _ALIKE_MS, side="right")
        counts = ends - np.arange(found.size)
        if not found.size or counts.max() < least:
            break
        first = int(counts.argmax())
        middle_ms = float(np.median(found[first : ends[first]]))
        alike = left & (np.abs(before_ms - middle_ms) <= _ALIKE_MS)
        if np.unique(beat[alike]).size < least:
            break
        kinds.append(round(middle_ms, 3))
        left = left & (np.abs(before_ms - middle_ms) > CAPTURE_MS)
    if not kinds:
        return NOT_PACED
    kinds.sort(reverse=True)
    every_s = times_s if weaker_s is None else np.union1d(times_s, weaker_s)
    beat = np.searchsorted(r_s, every_s + _BEFORE_R_MS[0] / 1000).clip(0, r_s.size - 1)
    before_ms = (r_s[beat] - every_s) * 1000
    alike = [np.abs(before_ms - middle_ms) <= _ALIKE_MS for middle_ms in kinds]
    return Pacing(
        every_s[np.any(alike, axis=0)],
        tuple(kinds),
        tuple(np.unique(beat[item]).size / r_s.size for item in alike),
    )


def paced_chambers(pacing: Pacing, qrs_on_ms: float) -> tuple[Chamber, ...]:
    """Return which chambers are paced: an atrial spike comes longer before the QRS.

    Examples
    --------
    >>> paced_chambers(Pacing(np.arange(9.0), (190.0, 60.0), (0.9, 0.9)), -40.0)
    ('atrial', 'ventricular')
    """
    found: set[Chamber] = {
        "atrial" if qrs_on_ms + before_ms > CAPTURE_MS else "ventricular"
        for before_ms in pacing.before_r_ms
    }
    return tuple(chamber for chamber in ("atrial", "ventricular") if chamber in found)


def pacing_finding(pacing: Pacing, qrs_on_ms: float) -> Finding | None:
    """Say which chambers are paced; None where nothing is.

    Parameters
    ----------
    pacing : Pacing
        The spikes.
    qrs_on_ms : float
        Onset of the QRS, from R.

    Examples
    --------
    >>> pacing_finding(Pacing(np.arange(9.0), (190.0,), (0.9,)), -40.0).text
    'paced: atrial, before 90% of the beats, the QRS is conducted'
    """
    chambers = paced_chambers(pacing, qrs_on_ms)
    if not chambers:
        return None
    share = f"before {max(pacing.shares):.0%} of the beats"
    if chambers == ("atrial",):
        return Finding(f"paced: atrial, {share}, the QRS is conducted")
    which = " and ".join(chambers)
    text = f"paced: {which}, {share}: blocks and QRS limits for CRT are withheld"
    return Finding(text, STANDARD_LEADS, "paced")


def spike_features(
    signal_mv: NDArray[np.floating], rate_hz: float
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Describe every peak of what a running median leaves, all leads together.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Without NaN.
    rate_hz : float
        Sampling rate.

    Returns
    -------
    samples : ndarray of int, shape (n_peaks,)
    features : ndarray of float64, shape (n_peaks, 6)
        Logarithms of its size over the middle residual, over the largest residual within 60 ms,
        over the height of the waves within 60 ms and of the tallest waves; of the steepest step
        over the slope around it; and its width in ms at half its height. No gain changes them.
    """
    per_ms = rate_hz / 1000
    rows = signal_mv.astype(np.float64)
    rows = rows[np.ptp(rows, axis=1) > 0] if rows.size else rows
    if not rows.size:
        return np.zeros(0, np.intp), np.zeros((0, 6))
    calm = median_filter(rows, (1, max(5, 2 * round(NARROW_MS * per_ms / 2) + 1)), mode="nearest")
    size = np.sqrt(((rows - calm) ** 2).mean(axis=0))
    near = max(1, round(_NEAR_MS * per_ms))
    around = 2 * round(_AROUND_MS * per_ms) + 1
    moved = maximum_filter1d(calm, around, axis=1) - minimum_filter1d(calm, around, axis=1)
    moved = np.sqrt((moved**2).mean(axis=0))
    tallest = float(np.quantile(moved, 0.9))
    small = 1e-4 * tallest
    middle = float(np.median(size)) + small
    at = np.flatnonzero(
        (size == maximum_filter1d(size, 2 * near + 1)) & (size > _STANDS_OUT * middle)
    )
    if not at.size:
        return at, np.zeros((0, 6))
    slope = gaussian_filter1d(calm, _SLOPE_MS * per_ms, axis=1, order=1) * per_ms
    slope = np.sqrt((slope**2).mean(axis=0))
    slope = maximum_filter1d(slope, 2 * round(_SLOPE_AROUND_MS * per_ms) + 1)
    step = np.sqrt((np.diff(rows, axis=1, append=rows[:, -1:]) ** 2).mean(axis=0)) * per_ms
    step = maximum_filter1d(step, 2 * round(_STEP_AROUND_MS * per_ms) + 1)
    own, wide = round(_OWN_MS * per_ms) + 1, round(_AROUND_MS * per_ms)
    beyond = np.maximum(
        _largest_within(size, at - wide, at - own), _largest_within(size, at + own, at + wide)
    )
    widths = [(size[max(0, k - 2 * near) : k + 2 * near + 1] > size[k] / 2).sum() for k in at]
    features = np.column_stack(
        [
            np.log(size[at] / middle),
            np.log(size[at] / (beyond + middle)),
            np.log(size[at] / (moved[at] + 10 * small)),
            np.log(size[at] / tallest),
            np.log(step[at] / (slope[at] + small)),
            np.asarray(widths) / per_ms,
        ]
    )
    return at, features


class _NarrowPeaks(NamedTuple):
    """Peaks of what a running median leaves: when, their log odds, the logarithms of their size."""

    at_s: NDArray[np.float64]
    scores: NDArray[np.float64]
    size: NDArray[np.float64]
    least: float

    @property
    def likely_s(self) -> NDArray[np.float64]:
        """When there is probably a spike."""
        return self.at_s[self.scores > self.least]

    @property
    def weaker_s(self) -> NDArray[np.float64]:
        """When there may be one."""
        return self.at_s[(self.scores <= self.least) & (self.scores > _WEAKER_SCORE)]

    def as_large_s(
        self, spikes_s: NDArray[np.float64], r_s: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """When something is about as large as the spikes and much larger than R waves leave."""
        of_spikes = self.size[np.isin(self.at_s, spikes_s)]
        beat = self.at_s[:, np.newaxis] - r_s
        of_r = self.size[(np.abs(beat) < _OWN_MS / 1000).any(axis=1)]
        least = np.median(of_spikes) - np.log(_AS_LARGE)
        if of_r.size:
            least = max(least, np.median(of_r) + np.log(_AS_LARGE))
        found: NDArray[np.float64] = self.at_s[self.size >= least]
        return found


def _narrow_peaks(signal_mv: NDArray[np.floating], rate_hz: float) -> _NarrowPeaks:
    filled, valid = fill_gaps(signal_mv)
    at, features = spike_features(filled, rate_hz)
    scores = score("pacing", features)
    scores[~valid[:, at].any(axis=0)] = -np.inf
    n_leads = int(valid.any(axis=1).sum())
    least = next(least for fewest, least in LEAST_SCORES if n_leads >= fewest)
    return _NarrowPeaks(at / rate_hz, scores, features[:, 0], least)


def _largest_within(
    size: NDArray[np.float64], first: NDArray[np.intp], last: NDArray[np.intp]
) -> NDArray[np.float64]:
    return np.array(
        [
            size[max(0, low) : max(0, high) + 1].max(initial=0.0)
            for low, high in zip(first, last, strict=True)
        ]
    )


def _bridged(
    signal_mv: NDArray[np.float32], rate_hz: float, times_s: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Draw a line over each spike, level where it reaches an end; what is missing stays missing."""
    bridged = signal_mv.copy()
    last = signal_mv.shape[1] - 1
    for at in np.rint(times_s * rate_hz).astype(int):
        low = max(0, at - max(1, round(_BRIDGED_MS[0] * rate_hz / 1000)))
        high = min(last, at + max(1, round(_BRIDGED_MS[1] * rate_hz / 1000)))
        along = np.linspace(0.0, 1.0, high - low + 1, dtype=np.float32)
        first = signal_mv[:, [high if low == 0 else low]]
        own, end = signal_mv[:, low : high + 1], signal_mv[:, [low if high == last else high]]
        line = first + (end - first) * along
        bridged[:, low : high + 1] = np.where(np.isnan(own) | np.isnan(line), own, line)
    return bridged


def _with_ends_held(signal_mv: NDArray[np.float32], rate_hz: float) -> NDArray[np.float32]:
    n = round(_ENDS_MS * rate_hz / 1000)
    held = signal_mv.copy()
    held[:, :n], held[:, -n:] = held[:, [n]], held[:, [-n - 1]]
    return held
