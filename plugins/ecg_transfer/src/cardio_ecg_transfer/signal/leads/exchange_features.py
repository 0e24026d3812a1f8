"""What tells leads in their places from exchanged ones: shapes, axes, what foretells what.

Everything is relative to the sizes within the beat, so that no gain changes it.

References
----------
Abdollah H, Milliken JA. Recognition of electrocardiographic left arm/left leg lead reversal. Am J
Cardiol 1997; 80: 1247-1249 (P in I against II, terminal P in III).
Ho RT, Mukherji L, Evans GT. Simple diagnosis of limb-lead reversals by predictable changes in QRS
axis. Pacing Clin Electrophysiol 2006; 29: 272-277.
Kors JA, van Herpen G. Accurate automatic detection of electrode interchange in the
electrocardiogram. Am J Cardiol 2001; 88: 396-399 (each lead foretold from the others).
Han C, Gregg RE, Feild DQ, Babaeizadeh S. Automatic detection of ECG cable interchange by analyzing
both morphology and interlead relations. J Electrocardiol 2014; 47: 781-787.
Jekova I et al. Detection of electrode interchange in precordial and orthogonal ECG leads.
Computing in Cardiology 2013; 40 (correlations and times of R and S along the chest).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat

JUDGED_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
"""The eight that are independent of each other; what follows needs all of them."""

STEP_MS = 4.0
_GRID_MS = np.arange(-320.0, 441.0, STEP_MS)
_SMOOTHING_MS = 4.0
_QRS_WITHIN_MS = (-130.0, 150.0)
_FAST, _AT_REST = 0.3, 0.12  # of the steepest common slope
_P_MS, _P_GAP_MS = 200.0, 8.0
_T_FROM_MS, _T_TO_MS = 60.0, 440.0
_FLOOR_MV = 0.02
_P_FLOOR_MV = 0.004

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Shown:
    """The eight leads of a beat on a grid of 4 ms, and where its waves lie.

    Attributes
    ----------
    leads_mv : ndarray, shape (8, n_samples)
        In the order of `JUDGED_LEADS`, from the level right before the QRS.
    qrs, t_wave, p_wave : slice
        No exchange moves them: they are found on all leads alike.
    """

    leads_mv: Array
    qrs: slice
    t_wave: slice
    p_wave: slice

    @property
    def waves(self) -> tuple[slice, slice, slice]:
        """QRS, T and P."""
        return self.qrs, self.t_wave, self.p_wave


def shown(beat: MedianBeat) -> Shown:
    """Bring a median beat to the grid.

    Parameters
    ----------
    beat : MedianBeat
        With `JUDGED_LEADS`; any rate.
    """
    smoothing = _SMOOTHING_MS * beat.rate_hz / 1000
    smooth = gaussian_filter1d(beat.rows(JUDGED_LEADS), smoothing, axis=1)
    leads_mv = np.stack([np.interp(_GRID_MS, beat.time_ms, row) for row in smooth])
    limb = np.stack([leads_mv[0], leads_mv[1], leads_mv[1] - leads_mv[0]])
    slope = np.sqrt(
        (np.gradient(limb, axis=1) ** 2).sum(axis=0)
        + (np.gradient(leads_mv[2:], axis=1) ** 2).sum(axis=0)
    )
    inside = (_QRS_WITHIN_MS[0] < _GRID_MS) & (_QRS_WITHIN_MS[1] > _GRID_MS)
    peak = slope[inside].max()
    fast = np.flatnonzero((slope > _FAST * peak) & inside)
    first, last = (int(fast[0]), int(fast[-1])) if fast.size else (80, 80)
    while first > 0 and slope[first] > _AT_REST * peak:
        first -= 1
    while last < slope.size - 1 and slope[last] > _AT_REST * peak:
        last += 1
    n_p, gap, n_t = (round(ms / STEP_MS) for ms in (_P_MS, _P_GAP_MS, _T_FROM_MS))
    end = min(last + round(_T_TO_MS / STEP_MS), slope.size)
    leads_mv = leads_mv - leads_mv[:, [max(first - 1, 0)]]
    return Shown(
        leads_mv,
        slice(first, last + 1),
        slice(min(last + n_t, slope.size - 2), end),
        slice(max(first - n_p, 0), max(first - gap, 2)),
    )


def features(beats_mv: Array, spans: Shown, foretold: Array) -> Array:
    """Describe several versions of one beat.

    Parameters
    ----------
    beats_mv : ndarray, shape (n_versions, 8, n_samples)
        The leads of `spans`, exchanged in one way or another.
    spans : Shown
        Where the waves lie.
    foretold : ndarray, shape (3, 8, 8)
        For QRS, T and P: weights that foretell each lead from the other seven.

    Returns
    -------
    ndarray, shape (n_versions, n_features)
    """
    return np.concatenate(
        [
            _limb_vectors(beats_mv, spans),
            _limb_against_chest(beats_mv, spans),
            _chest_shapes(beats_mv[:, 2:], spans),
            _foretelling(beats_mv, spans, foretold),
        ],
        axis=1,
    )


def _levelled_p(leads_mv: Array, spans: Shown) -> Array:
    """Cut the P wave and take the line between its window's ends from it."""
    part = leads_mv[..., spans.p_wave]
    ramp = np.linspace(0.0, 1.0, part.shape[-1])
    return np.asarray(part - part[..., :1] - ramp * (part[..., -1:] - part[..., :1]))


def _t_from_its_end(leads_mv: Array, spans: Shown) -> Array:
    part = leads_mv[..., spans.t_wave]
    return np.asarray(part - part[..., -1:])


def _limb_vectors(beats_mv: Array, spans: Shown) -> Array:
    """Axes of P, QRS and T in the frontal plane, between each other, and how their loops turn."""
    one, two = beats_mv[:, 0], beats_mv[:, 1]
    plane = np.stack([one, (2 * two - one) / np.sqrt(3)], axis=1)
    p_wave, qrs, t_wave = (
        _levelled_p(plane, spans), plane[..., spans.qrs], _t_from_its_end(plane, spans),
    )  # fmt: skip
    made, axes = [], []
    for part, weak_mv in ((p_wave, 0.01), (qrs, 0.03), (t_wave, 0.03)):
        mean = part.mean(axis=2)
        size = np.hypot(*mean.T)
        c, s = mean.T / (size + 1e-9)
        sure = size / (size + weak_mv)
        axes.append((c * sure, s * sure))
        made += [sure * c, sure * s, sure * (c * c - s * s), sure * 2 * c * s]
        turn = part[:, 0, :-1] * np.diff(part[:, 1]) - part[:, 1, :-1] * np.diff(part[:, 0])
        power = (part**2).sum(axis=(1, 2)) + 1e-4
        made.append(turn.sum(axis=1) / power * np.sqrt(part.shape[2]))
    size = np.hypot(qrs[:, 0], qrs[:, 1])
    largest = np.take_along_axis(qrs, size.argmax(axis=1)[:, None, None], axis=2)[..., 0]
    c, s = largest.T / (np.hypot(*largest.T) + 1e-9)
    made += [c, s, c * c - s * s, 2 * c * s]
    early = qrs[..., : max(3, qrs.shape[2] // 4)].mean(axis=2)
    made += list(early.T / (np.hypot(*early.T) + 0.03))
    for (c1, s1), (c2, s2) in ((axes[0], axes[1]), (axes[1], axes[2]), (axes[0], axes[2])):
        made += [c1 * c2 + s1 * s2, c1 * s2 - s1 * c2]
    p_limb = _levelled_p(np.stack([one, two, two - one], axis=1), spans)
    size = np.abs(p_limb).mean(axis=(1, 2)) + _P_FLOOR_MV
    late = p_limb.shape[2] * 6 // 10
    made += list(p_limb.mean(axis=2).T / size) + list(p_limb[..., late:].mean(axis=2).T / size)
    return np.stack(made, axis=1)


def _limb_against_chest(beats_mv: Array, spans: Shown) -> Array:
    """Correlate I, II and III with V1, V5 and V6, wave by wave."""
    one, two = beats_mv[:, 0], beats_mv[:, 1]
    limb = np.stack([one, two, two - one], axis=1)
    made = []
    for span in spans.waves:
        for chest in (2, 6, 7):
            made.append(_likeness(limb[..., span], beats_mv[:, [chest], span]))
    return np.concatenate(made, axis=1)


def _chest_shapes(chest_mv: Array, spans: Shown) -> Array:
    """R, S, T, ST and P along the chest: their shares, steps, and times."""
    qrs = chest_mv[..., spans.qrs]
    size = np.sqrt((qrs**2).mean(axis=(1, 2)))[:, None] + _FLOOR_MV
    r_mv, s_mv = qrs.max(axis=2).clip(0), (-qrs.min(axis=2)).clip(0)
    balance = (r_mv - s_mv) / (r_mv + s_mv + _FLOOR_MV)
    n = qrs.shape[2]
    quarter = max(3, n // 4)
    t_size = _shared(_t_from_its_end(chest_mv, spans).mean(axis=2), _FLOOR_MV)
    st_size = _shared(chest_mv[..., min(spans.qrs.stop + 2, chest_mv.shape[2] - 1)], 0.05)
    p_wave = _levelled_p(chest_mv, spans)
    p_mean = np.abs(p_wave).mean(axis=(1, 2))[:, None] + _P_FLOOR_MV
    half = p_wave.shape[2] // 2
    p_first, p_second = p_wave[..., :half].mean(axis=2), p_wave[..., half:].mean(axis=2)
    return np.concatenate(
        [
            np.log(r_mv + 0.05) - np.log(size),
            np.log(s_mv + 0.05) - np.log(size),
            balance,
            np.minimum(np.diff(balance), 0.0),
            np.diff(balance, 2) ** 2,
            qrs.argmax(axis=2) / n,
            qrs.argmin(axis=2) / n,
            _shared(qrs[..., :quarter].mean(axis=2), _FLOOR_MV),
            _shared(qrs[..., -quarter:].mean(axis=2), _FLOOR_MV),
            t_size,
            np.diff(t_size, 2) ** 2,
            st_size,
            np.diff(st_size, 2) ** 2,
            p_wave.mean(axis=2) / p_mean,
            (p_first - p_second) / p_mean,
            np.log(np.abs(p_wave).mean(axis=2) + 0.003),
        ],
        axis=1,
    )


def _foretelling(beats_mv: Array, spans: Shown, foretold: Array) -> Array:
    """How well each lead follows from the others, and each chest lead resembles the next."""
    made = []
    for span, weights, weak in zip(spans.waves, foretold, (1e-3, 1e-3, 1e-4), strict=True):
        part = beats_mv[..., span]
        guess = weights @ part
        error, power = ((guess - part) ** 2).mean(axis=2), (part**2).mean(axis=2) + weak
        chest = part[:, 2:]
        total = power[:, 2:].mean(axis=1)
        made += [
            np.log(error / power + 0.003),
            _likeness(guess, part),
            np.log((error[:, 2:].mean(axis=1) + 1e-5) / total)[:, None],
            np.log((error[:, :2].mean(axis=1) + 1e-5) / power[:, :2].mean(axis=1))[:, None],
        ]
        near = _likeness(chest[:, :-1], chest[:, 1:])
        made += [near, near.min(axis=1)[:, None], _likeness(chest[:, :-2], chest[:, 2:])]
        rough = (np.diff(chest, 2, axis=1) ** 2).mean(axis=(1, 2))
        made.append(np.log(rough / total + 1e-4)[:, None])
    return np.concatenate(made, axis=1)


def _shared(values: Array, weak: float) -> Array:
    """Divide by the largest of the leads."""
    return np.asarray(values / (np.abs(values).max(axis=1, keepdims=True) + weak))


def _likeness(first: Array, second: Array) -> Array:
    """Return correlations along the last axis, on Fisher's scale."""
    first = first - first.mean(axis=-1, keepdims=True)
    second = second - second.mean(axis=-1, keepdims=True)
    power = (first**2).sum(axis=-1) * (second**2).sum(axis=-1)
    found = (first * second).sum(axis=-1) / np.sqrt(power + 1e-12)
    return np.asarray(np.arctanh(np.clip(found, -0.98, 0.98)))
