"""The rhythm of a recording, the evidence for it, and "not sure" as an answer.

Atrial waves that come more often than the QRS hide in it and in T. The QRS complexes are taken out,
slopes are compressed so that T waves count no more than atrial ones, and the rest is compared with
itself at every cycle from 150 to 400 a minute: at even parts of the RR interval, as in flutter with
fixed conduction, and at any cycle, as with a varying one. How surely that is flutter or atrial
tachycardia is a logistic score of eleven features and their products, fitted by
``benchmarks/ecg_rhythm.py``.

References
----------
Kirchhof P et al. 2016 ESC guidelines for the management of atrial fibrillation. Eur Heart J 2016;
37: 2893-2962 (irregular RR intervals and no distinct P waves).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from cardio_ecg_transfer.signal.delineation.limits import IRREGULAR, Limits, Locking
from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.delineation.qrs import QrsBounds, typical_height_mv
from cardio_ecg_transfer.signal.fitted import score
from cardio_ecg_transfer.signal.measurements.conduction import p_axis_deg

ATRIAL_MS = (150.0, 400.0)
"""Cycles of flutter and atrial tachycardia: 150 to 400 a minute."""

SURE = 0.0
"""Log odds of flutter from which it is the statement."""

DOUBT = -0.5
"""From which no PR interval is given: of the odd sinus ECGs 1 in 50 is beyond."""

TWICE_BPM = (120.0, 160.0)
DOUBT_TWICE = -1.0
"""The same where the ventricles beat regularly at the rates of flutter with 2:1 conduction."""

LONG_PR = 0.45
"""Of the RR interval at those rates, beyond which none is given either: where the sinus node is
fast, so is the AV node."""

SINUS_P_DEG = (-45.0, 120.0)
"""Frontal axis of a P wave from the sinus node; beyond, another part of the atria leads."""

# Set on the odd records of LUDB, the odd patients of PTB-XL and what was drawn from them.
_FIBRILLATORY = 0.015  # of the QRS's height: what the beats differ by before it, in II or V1
_LONGEST_S = 60.0  # that are compared: over more, the cycle drifts
_STEP_MS = 1000.0 / 120.0
_SMOOTHING_MS = 8.0
_AROUND_QRS_MS = (10.0, 14.0)
_OF_LEADS = 0.7  # quantile over leads: three or four of twelve show the waves
_LOWEST = -0.3
_MOST_OF_RR = 0.62  # an atrial cycle; beyond, it is the rhythm itself
_WHOLE = 0.15  # by which RR over a cycle that is an even part of it may differ from a whole number
_AS_GOOD = 0.1
_QUIET = (0.1, 0.6)  # quantiles of the slope: between P, QRS and T there is rest, in flutter none
_QUIET_SMOOTHING = 1.5  # in steps
_EVENLY, _OF_T_ALONE = 0.02, 1.0
"""Where P comes a third of RR (within this share) before the QRS and T a third behind it, a third
wave would hide in every QRS: that T is like P is all the evidence, and this is taken off the score.
Of 160 flutters drawn from LUDB's odd records one more gets a PR interval by it."""
_SECOND_LIMB, _FIRST_CHEST = "II", "V1"


class RhythmKind(StrEnum):
    """What drives the ventricles."""

    SINUS = "sinus"
    FIBRILLATION = "atrial fibrillation"
    FLUTTER = "atrial flutter"
    PACED = "paced"
    NO_P = "irregular, no P wave"
    UNSURE = "not sure"


@dataclass(frozen=True)
class Rhythm:
    """A rhythm statement with what it rests on.

    Attributes
    ----------
    kind : RhythmKind
        The answer. Flutter stands for atrial tachycardia, too: for atrial waves of one shape, at
        one cycle, more often than the QRS.
    evidence : tuple of str
        What it rests on, the weightiest first, in words.
    rr_scatter : float
        Median change from one RR interval to the next over the median RR interval.
    p_share : float
        Of the beats that show one and the same P wave; 0 where no P wave was found.
    p_axis_deg : float
        Frontal axis of that P wave; NaN without one.
    flutter_score : float
        Log odds that atrial waves come more often than the QRS at one cycle.
    atrial_rate_bpm : float
        Of such waves; NaN where nothing speaks for them.
    waves_a_beat : float
        Such waves to one QRS where that is fixed, else NaN.
    """

    kind: RhythmKind = RhythmKind.UNSURE
    evidence: tuple[str, ...] = ()
    rr_scatter: float = float("nan")
    p_share: float = 0.0
    p_axis_deg: float = float("nan")
    flutter_score: float = float("nan")
    atrial_rate_bpm: float = float("nan")
    waves_a_beat: float = float("nan")

    @property
    def text(self) -> str:
        """The statement and its evidence, as a sheet shows it.

        Examples
        --------
        >>> Rhythm(RhythmKind.FLUTTER, ("atrial waves at 278/min", "2 to a QRS")).text
        'atrial flutter: atrial waves at 278/min, 2 to a QRS'
        """
        return ": ".join(filter(None, (self.kind.value, ", ".join(self.evidence))))


@dataclass(frozen=True)
class AtrialWaves:
    """Activity between the QRS complexes that comes again at one cycle.

    Attributes
    ----------
    score : float
        Log odds that it is flutter or atrial tachycardia.
    cycle_ms : float
        At which what is between the QRS complexes is most like itself.
    waves_a_beat : float
        2, 3 or 4 where that cycle is an even part of a regular RR interval, else NaN.
    rate_bpm : float
        Of the ventricles.
    regular : bool
        Whether they beat regularly.
    pr_share : float
        PR over RR; 0 without a P wave.
    """

    score: float
    cycle_ms: float
    waves_a_beat: float
    rate_bpm: float
    regular: bool
    pr_share: float

    @property
    def doubts_p(self) -> bool:
        """Whether what looks like a P wave may be one of several atrial waves to a QRS."""
        if self.regular and TWICE_BPM[0] <= self.rate_bpm <= TWICE_BPM[1]:
            return self.score > DOUBT_TWICE or self.pr_share > LONG_PR
        return self.score > DOUBT

    @property
    def reason(self) -> str:
        """Say why there is no PR interval; "" where the P wave is not in doubt."""
        if not self.doubts_p:
            return ""
        if self.score <= DOUBT_TWICE:
            at = f"at {self.rate_bpm:.0f}/min a PR of {self.pr_share:.0%} of RR"
            return f"{at} may be that of flutter with 2:1 conduction"
        return f"atrial waves may come at {60000 / self.cycle_ms:.0f}/min, as in flutter"


def atrial_waves(
    signal_mv: NDArray[np.floating],
    beat: MedianBeat,
    limits: Limits,
    lock: Locking | None,
    r_samples: NDArray[np.integer],
) -> AtrialWaves:
    """Look for atrial waves that come more often than the QRS.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        What the median beat was made of, NaN where nothing was recorded; its first minute is used.
    beat : MedianBeat
        Its dominant beat.
    limits : Limits
        Of that beat.
    lock : Locking or None
        Of its P wave, None where there is none.
    r_samples : ndarray of int
        All R peaks.
    """
    features, cycle_ms, fixed = flutter_features(signal_mv, beat, limits, lock, r_samples)
    odds = float(score("rhythm", features[None])[0])
    regular = rr_scatter(r_samples, beat) <= IRREGULAR
    rate_bpm, pr_share = 60.0 / beat.rr_s, float(features[-1])
    if fixed == 3.0 and abs(pr_share - 1 / 3) < _EVENLY:
        odds -= _OF_T_ALONE
    return AtrialWaves(odds, cycle_ms, fixed if regular else np.nan, rate_bpm, regular, pr_share)


def flutter_features(
    signal_mv: NDArray[np.floating],
    beat: MedianBeat,
    limits: Limits,
    lock: Locking | None,
    r_samples: NDArray[np.integer],
) -> tuple[NDArray[np.float64], float, float]:
    """Describe what is between the QRS complexes, for the score.

    Returns
    -------
    features : ndarray of float64, shape (11,)
        How alike it is at a half, all thirds and all quarters of the RR interval; at the best
        cycle and its next two multiples; and in the middle of that cycle. Then the scatter of RR
        (logarithm), how far RR intervals are from multiples of the cycle, the ventricular rate
        (logarithm), how alike single beats' P waves are, how quiet the quietest moments are, and PR
        over RR; 0 without a P wave.
    cycle_ms : float
        The best cycle; NaN where the RR interval leaves room for none.
    waves_a_beat : float
        2, 3 or 4 where one of the even parts is the best; else NaN.
    """
    slope, mask = _between(signal_mv, beat, limits.qrs, r_samples)
    alike = _alike_at(slope, mask)
    rr_ms = beat.rr_s * 1000.0
    parts = {times: _at_parts(alike, rr_ms, times) for times in (2, 3, 4)}
    best, free, dip = _best_cycle(alike, rr_ms)
    cycle_ms, fixed = best * _STEP_MS if best else np.nan, np.nan
    most = max(parts.values())
    times = max(part for part in parts if parts[part] >= most - _AS_GOOD * abs(most))
    if best and parts[times] < free:
        times = round(rr_ms / cycle_ms)
    if parts.get(times, _LOWEST) > _LOWEST and (
        parts[times] >= free or abs(rr_ms / cycle_ms - times) < _WHOLE
    ):
        cycle_ms, fixed = rr_ms / times, float(times)
    rr = np.diff(np.sort(r_samples)) * 1000.0 / beat.rate_hz
    away = 0.25
    if best and rr.size:
        multiples = rr / (best * _STEP_MS)
        away = float(np.abs(multiples - np.round(multiples)).mean())
    p_wave = limits.p_wave
    return (
        np.array(
            [
                *parts.values(),
                free,
                dip,
                np.log(0.01 + rr_scatter(r_samples, beat)),
                away,
                np.log(60.0 / beat.rr_s),
                0.0 if lock is None else lock.median,
                _quiet(slope, mask),
                0.0 if p_wave is None else (limits.qrs.on_ms - p_wave.on_ms) / rr_ms,
            ]
        ),
        float(cycle_ms),
        fixed,
    )


def rr_scatter(r_samples: NDArray[np.integer], beat: MedianBeat) -> float:
    """Return the median change from one RR interval to the next over the median RR interval."""
    rr = np.diff(np.sort(r_samples)) / beat.rate_hz
    return float(np.median(np.abs(np.diff(rr)))) / beat.rr_s if rr.size > 1 else 0.0


def find_rhythm(
    beat: MedianBeat,
    limits: Limits,
    lock: Locking | None,
    atrial: AtrialWaves,
    r_samples: NDArray[np.integer],
    chambers: tuple[str, ...],
) -> Rhythm:
    """State the rhythm.

    Parameters
    ----------
    beat : MedianBeat
        The dominant beat.
    limits : Limits
        Of it, with the P wave as found.
    lock : Locking or None
        Whether that P wave is before every beat; None without one.
    atrial : AtrialWaves
        From `atrial_waves`.
    r_samples : ndarray of int
        All R peaks.
    chambers : tuple of str
        That are paced (`pacing.paced_chambers`).
    """
    scatter = rr_scatter(r_samples, beat)
    share = 0.0 if lock is None or limits.p_wave is None else lock.share
    axis_deg = p_axis_deg(beat, limits.p_wave)
    found = Rhythm(
        rr_scatter=scatter, p_share=share, p_axis_deg=axis_deg, flutter_score=atrial.score
    )
    p_before = f"the same P wave before {share:.0%} of the beats"
    varies = f"RR changes by {scatter:.0%} from beat to beat"
    if atrial.doubts_p or atrial.score > SURE:
        found = replace(
            found, atrial_rate_bpm=60000 / atrial.cycle_ms, waves_a_beat=atrial.waves_a_beat
        )
    waves = f"atrial waves at {found.atrial_rate_bpm:.0f}/min"
    if chambers:
        return replace(found, kind=RhythmKind.PACED, evidence=(" and ".join(chambers),))
    if atrial.score > SURE:
        fixed = np.isfinite(atrial.waves_a_beat)
        conducted = f"{atrial.waves_a_beat:.0f} to a QRS" if fixed else "conduction varies"
        return replace(found, kind=RhythmKind.FLUTTER, evidence=(waves, conducted))
    if atrial.doubts_p and lock is not None:
        return replace(found, evidence=(p_before, atrial.reason))
    if lock is not None and lock.locked:
        if axis_deg < SINUS_P_DEG[0] or axis_deg > SINUS_P_DEG[1]:
            return replace(
                found,
                evidence=(p_before, f"its axis of {axis_deg:.0f}° is not that of sinus rhythm"),
            )
        return replace(found, kind=RhythmKind.SINUS, evidence=(p_before, varies))
    if scatter > IRREGULAR:
        differ = _fibrillatory(beat, limits.qrs)
        if differ >= _FIBRILLATORY:
            evidence = (varies, "no P wave", f"fibrillatory waves of {differ:.1%} of the QRS")
            return replace(found, kind=RhythmKind.FIBRILLATION, evidence=evidence)
        return replace(found, kind=RhythmKind.NO_P, evidence=(varies,))
    return replace(found, evidence=(p_before if share else "regular, no P wave found", varies))


def _between(
    signal_mv: NDArray[np.floating],
    beat: MedianBeat,
    qrs: QrsBounds,
    r_samples: NDArray[np.integer],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return slopes (n_leads, n_steps) at steps of `_STEP_MS`, and 1 where no QRS is, else 0."""
    per_ms = beat.rate_hz / 1000
    rows = np.nan_to_num(signal_mv[:, : round(_LONGEST_S * beat.rate_hz)].astype(np.float64))
    between = np.isfinite(signal_mv[:, : rows.shape[1]]).all(axis=0)
    first = round((qrs.on_ms - _AROUND_QRS_MS[0]) * per_ms)
    last = round((qrs.off_ms + _AROUND_QRS_MS[1]) * per_ms)
    for peak in r_samples[r_samples < rows.shape[1] - first]:
        between[max(0, peak + first) : max(0, peak + last)] = False
    step = round(_STEP_MS * per_ms)
    slope = gaussian_filter1d(rows, _SMOOTHING_MS * per_ms, axis=1, order=1)
    return slope[:, ::step], between[::step].astype(np.float64)


def _quiet(slope: NDArray[np.float64], mask: NDArray[np.float64]) -> float:
    """Return how quiet the quietest tenth between the QRS complexes is, as a logarithm."""
    smooth = gaussian_filter1d(slope, _QUIET_SMOOTHING, axis=1)[:, mask > 0]
    if not smooth.size:
        return 0.0
    quiet, usual = np.quantile(np.sqrt((smooth**2).mean(axis=0)), _QUIET)
    return float(np.log((quiet + 1e-9) / (usual + 1e-9)))


def _alike_at(slope: NDArray[np.float64], mask: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlate what is between the QRS complexes with itself, later by each number of steps."""
    n_lags = round(3.1 * ATRIAL_MS[1] / _STEP_MS)
    if mask.sum() < n_lags:
        return np.full(n_lags, _LOWEST)
    middle = np.median(np.abs(slope[:, mask > 0]), axis=1, keepdims=True)
    slope = slope / (np.abs(slope) + middle + 1e-12)
    slope = (slope - (slope * mask).sum(axis=1, keepdims=True) / mask.sum()) * mask
    size = 1 << (2 * mask.size - 1).bit_length()
    own, squared, there = (np.fft.rfft(item, size) for item in (slope, slope**2, mask))

    def lagged(spectrum: NDArray[np.complex128]) -> NDArray[np.float64]:
        return np.asarray(np.fft.irfft(spectrum, size)[..., :n_lags])

    product = lagged(own * np.conj(own))
    power = lagged(np.conj(squared) * there) * lagged(squared * np.conj(there))
    alike = np.quantile(product / np.sqrt(np.maximum(power, 1e-9)), _OF_LEADS, axis=0)
    alike[lagged(there * np.conj(there)) < 8.0] = -1.0
    return np.asarray(alike)


def _at_parts(alike: NDArray[np.float64], rr_ms: float, times: int) -> float:
    """Return the least likeness at the parts of an RR interval divided so many times."""
    cycle_ms = rr_ms / times
    if not ATRIAL_MS[0] - 5.0 <= cycle_ms <= ATRIAL_MS[1] + 5.0:
        return _LOWEST
    at = [part * cycle_ms / _STEP_MS for part in range(1, times)]
    return min(float(alike[[int(item), int(np.ceil(item))]].max()) for item in at)


def _best_cycle(alike: NDArray[np.float64], rr_ms: float) -> tuple[int, float, float]:
    """Return the best cycle in steps, 0 for none, how alike its multiples are, and its middle."""
    first, last = round(ATRIAL_MS[0] / _STEP_MS), round(ATRIAL_MS[1] / _STEP_MS)
    both = {
        lag: min(float(alike[lag]), float(alike[2 * lag - 1 : 2 * lag + 2].max()))
        for lag in range(first, min(last, round(_MOST_OF_RR * rr_ms / _STEP_MS)) + 1)
        if alike[lag] >= max(alike[lag - 1], alike[lag + 1])
    }
    if not both:
        return 0, _LOWEST, 0.0
    # Two cycles are as like each other as one: of those that are about as good the shortest counts.
    most = max(both.values())
    best = next(lag for lag, value in both.items() if value >= most - _AS_GOOD * abs(most))
    third = alike[3 * best - 1 : 3 * best + 2]
    return best, float(third.max()), float(alike[best // 2 - 1 : best // 2 + 3].min())


def _fibrillatory(beat: MedianBeat, qrs: QrsBounds) -> float:
    """Return by how much beats differ before the QRS in II or V1, over the QRS's height."""
    leads = [lead for lead in (_SECOND_LIMB, _FIRST_CHEST) if lead in beat.leads] or beat.leads[:2]
    rows = [beat.leads.index(lead) for lead in leads]
    first, last = beat.index(qrs.on_ms - 250.0), beat.index(qrs.on_ms - 20.0)
    # From the standard error of a median back to the spread of single beats.
    spread = beat.error_mv[rows, first:last] * np.sqrt(2 * beat.n_beats / np.pi)
    height_mv = max(typical_height_mv(beat, qrs), 1e-9)
    return float(np.median(spread, axis=1).max() / height_mv)
