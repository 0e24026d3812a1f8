"""Exchanged electrodes and inverted leads of a twelve-lead ECG, seen in its median beat.

Every usual mistake is undone on trial, and what fits best is compared with the beat as it was
recorded: one score for all, fitted on real ECGs of which each was exchanged in every way
(`signal.fitted`). Nothing is corrected; a mistake is named.

What cannot be seen: left leg and right leg exchanged (nothing changes), an electrode on the right
limb at a wrong place, limb and chest electrodes exchanged.

References
----------
Batchvarov VN, Malik M, Camm AJ. Incorrect electrode cable connection during electrocardiographic
recording. Europace 2007; 9: 1081-1090.
Haisty WK et al. Am J Cardiol 1993; 71: 1490-1494 (right leg: a lead almost without signal).
See also `exchange_features`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from cardio_core.api import DataError
from cardio_ecg_transfer.signal.delineation.limits import WaveBounds, find_p, find_t
from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.delineation.qrs import QrsBounds, delineate_qrs
from cardio_ecg_transfer.signal.ecg import Finding
from cardio_ecg_transfer.signal.fitted import fitted
from cardio_ecg_transfer.signal.leads.names import (
    INDEPENDENT_LEADS,
    LIMB_LEADS,
    PRECORDIAL_LEADS,
    STANDARD_LEADS,
)

_VISIBLE_P_MV = 0.025  # above the noise of an average beat
_FEET_MS = 20.0  # beyond the limits of P, where its slopes are not at rest yet
_SIDED_MV = 0.05  # a QRS that is as high as deep has no polarity


def polarity_flags(beat: MedianBeat) -> tuple[str, ...]:
    """Name the signs of exchanged arms and inverted leads where `find_exchanges` has too few leads.

    Parameters
    ----------
    beat : MedianBeat
        Any leads; those among I, II, aVR, MLII, V5 and V6 are looked at.

    Returns
    -------
    tuple of str
        Empty where nothing is suspicious, or no P wave or QRS is found.

    Examples
    --------
    >>> ms = np.arange(-200, 280) * 2.0
    >>> wave = np.exp(-((ms / 12) ** 2)) + 0.1 * np.exp(-(((ms + 160) / 30) ** 2))
    >>> inverted = np.float32([-wave])
    >>> polarity_flags(MedianBeat(inverted, 500.0, 200, ("MLII",), 9, 0, 1.0, 0 * inverted))
    ('MLII inverted: P -0.10 mV and QRS -1.00 mV',)
    """
    try:
        qrs = delineate_qrs(beat)
    except DataError:
        return ()
    p_wave = find_p(beat, qrs, find_t(beat, qrs))
    if p_wave is None:
        return ()
    sizes = {lead: _sizes_mv(beat, lead, qrs, p_wave) for lead in beat.leads}
    shown = {lead: f"P {p:.2f} mV and QRS {net:.2f} mV" for lead, (p, net) in sizes.items()}
    turned = {lead for lead, (p, net) in sizes.items() if p < 0 and net < -_SIDED_MV}
    p_mv, net_mv = sizes.get("aVR", (0.0, 0.0))
    flags = []
    if p_mv > 0 and net_mv > _SIDED_MV:
        for lead, what in (("II", "right arm and left leg"), ("I", "arm electrodes")):
            if lead in turned:
                flags.append(f"{what} exchanged? {lead} has {shown[lead]}, aVR is upright")
                turned.remove(lead)
    named = [lead for lead in ("II", "MLII", "V5", "V6") if lead in turned]
    return (*flags, *(f"{lead} inverted: {shown[lead]}" for lead in named))


def _sizes_mv(
    beat: MedianBeat, lead: str, qrs: QrsBounds, p_wave: WaveBounds
) -> tuple[float, float]:
    """Return a lead's P wave, 0 if not visible, and its highest plus lowest QRS deflection."""
    row = beat.rows((lead,))[0]
    first = beat.index(p_wave.on_ms - _FEET_MS)
    last = beat.index(min(p_wave.off_ms + _FEET_MS, qrs.on_ms))
    p_mv = row[beat.index(p_wave.peak_ms)] - (row[first] + row[last]) / 2
    inside = row[beat.index(qrs.on_ms) : beat.index(qrs.off_ms) + 1] - row[beat.index(qrs.on_ms)]
    visible = abs(p_mv) >= _VISIBLE_P_MV
    return float(p_mv) if visible else 0.0, float(inside.max() + inside.min())


# The grid and windows that the fitted score stands on: chosen with it on the tuning half of PTB-XL.
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
        In the order of `INDEPENDENT_LEADS`, from the level right before the QRS.
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
        With `INDEPENDENT_LEADS`; any rate.
    """
    smoothing = _SMOOTHING_MS * beat.rate_hz / 1000
    smooth = gaussian_filter1d(beat.rows(INDEPENDENT_LEADS), smoothing, axis=1)
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
    lead_i, lead_ii = beats_mv[:, 0], beats_mv[:, 1]
    plane = np.stack([lead_i, (2 * lead_ii - lead_i) / np.sqrt(3)], axis=1)
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
    p_limb = _levelled_p(np.stack([lead_i, lead_ii, lead_ii - lead_i], axis=1), spans)
    size = np.abs(p_limb).mean(axis=(1, 2)) + _P_FLOOR_MV
    late = p_limb.shape[2] * 6 // 10
    made += list(p_limb.mean(axis=2).T / size) + list(p_limb[..., late:].mean(axis=2).T / size)
    return np.stack(made, axis=1)


def _limb_against_chest(beats_mv: Array, spans: Shown) -> Array:
    """Correlate I, II and III with V1, V5 and V6, wave by wave."""
    lead_i, lead_ii = beats_mv[:, 0], beats_mv[:, 1]
    limb = np.stack([lead_i, lead_ii, lead_ii - lead_i], axis=1)
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


PROBABLE, SURE = 2.2, 3.0
"""By how much an undone mistake must fit better than the recording (log odds) to be named, and to
have its leads withheld. Chosen by cross-validation on the tuning half."""

_SILENT_MV, _OTHERS_MV = 0.1, 0.3  # a whole beat between the legs, and in the other limb leads

_DO = "record again"


@dataclass(frozen=True)
class Mistake:
    """One way in which electrodes get to wrong places.

    Attributes
    ----------
    text : str
        In words, as the subject and verb of a sentence.
    leads : tuple of str
        That are not what their names say.
    made : ndarray, shape (8, 8)
        From the true `INDEPENDENT_LEADS` to the recorded ones.
    """

    text: str
    leads: tuple[str, ...]
    made: Array


_POTENTIALS = np.array([[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])
"""I and II of the right arm, the left arm and the left leg."""

_LIMB = (
    ("right arm and left arm electrodes are exchanged", (1, 0, 2)),
    ("right arm and left leg electrodes are exchanged", (2, 1, 0)),
    ("left arm and left leg electrodes are exchanged", (0, 2, 1)),
    (
        "right arm, left arm and left leg electrodes are on the left leg, right arm and left arm",
        (2, 0, 1),
    ),
    (
        "right arm, left arm and left leg electrodes are on the left arm, left leg and right arm",
        (1, 2, 0),
    ),
)
"""At each electrode's cable the place that it lies at: of right arm, left arm, left leg."""


@cache
def mistakes() -> tuple[Mistake, ...]:
    """Return every mistake that is looked for.

    Examples
    --------
    >>> first = mistakes()[0]
    >>> first.text, first.made[:2, :2].tolist()
    ('right arm and left arm electrodes are exchanged', [[-1.0, 0.0], [-1.0, 1.0]])
    """
    made = [
        Mistake(text, LIMB_LEADS, _of_limbs(np.eye(3)[list(lies_at)])) for text, lies_at in _LIMB
    ]
    made.append(Mistake("the limb leads are inverted", LIMB_LEADS, _of_limbs(-np.eye(3))))
    for first, second in combinations(range(6), 2):
        names = (PRECORDIAL_LEADS[first], PRECORDIAL_LEADS[second])
        order = list(range(6))
        order[first], order[second] = second, first
        made.append(Mistake(f"{names[0]} and {names[1]} are exchanged", names, _of_chest(order)))
    made.append(
        Mistake("V1 to V6 are in reversed order", PRECORDIAL_LEADS, _of_chest([5, 4, 3, 2, 1, 0]))
    )
    for order in ([1, 2, 0, 3, 4, 5], [2, 0, 1, 3, 4, 5]):
        placed = ", ".join(PRECORDIAL_LEADS[i] for i in order[:3])
        text = f"V1, V2 and V3 hold {placed}"
        made.append(Mistake(text, PRECORDIAL_LEADS[:3], _of_chest(order)))
    for place, name in enumerate(PRECORDIAL_LEADS):
        signs = np.ones(8)
        signs[2 + place] = -1
        made.append(Mistake(f"{name} is inverted", (name,), np.diag(signs)))
    chest_down = np.diag([1.0, 1.0, *[-1.0] * 6])
    made.append(Mistake("V1 to V6 are inverted", PRECORDIAL_LEADS, chest_down))
    made.append(Mistake("the whole ECG is inverted", STANDARD_LEADS, -np.eye(8)))
    return tuple(made)


def find_exchanges(beat: MedianBeat) -> tuple[Finding, ...]:
    """Name exchanged electrodes and inverted leads.

    Parameters
    ----------
    beat : MedianBeat
        With I, II and V1 to V6, each with a signal; high-passed.

    Returns
    -------
    tuple of Finding
        At most two mistakes, the clearer one first; with `leads` where it is sure.
    """
    silent = _right_leg(beat)
    if silent is not None:
        return (silent,)
    spans = shown(beat)
    found: list[Finding] = []
    ways = np.stack([np.eye(8), *(np.linalg.inv(mistake.made) for mistake in mistakes())])
    recorded, numbers = spans.leads_mv, fitted("exchanges")
    for least in (PROBABLE, SURE):  # a second mistake needs more than the first
        score = features(ways @ recorded, spans, numbers["foretold"]) @ numbers["weights"]
        best = int(score.argmax())
        margin = float(score[best] - score[0])
        if margin < least:
            break
        found.append(_finding(mistakes()[best - 1], margin >= SURE))
        recorded = ways[best] @ recorded
    return tuple(found)


def _finding(mistake: Mistake, sure: bool) -> Finding:
    if sure:
        return Finding(f"{mistake.text}: {_DO}, or correct the leads in the file", mistake.leads)
    text = mistake.text.replace(" are ", " may be ").replace(" is ", " may be ")
    text = text.replace(" hold ", " may hold ")
    return Finding(f"{text}: compare with another ECG of the patient")


def _right_leg(beat: MedianBeat) -> Finding | None:
    """Find the right leg's cable on an arm: one lead then sees both legs, and is silent."""
    rows_mv = beat.rows(("I", "II"))
    limb = dict(zip(("I", "II", "III"), (*rows_mv, rows_mv[1] - rows_mv[0]), strict=True))
    span = {lead: float(np.ptp(row)) for lead, row in limb.items()}
    for lead, arm in (("II", "right arm"), ("III", "left arm")):
        others = [size for name, size in span.items() if name != lead]
        if span[lead] < _SILENT_MV and min(others) > _OTHERS_MV:
            return Finding(
                f"{arm} and right leg electrodes are exchanged, {lead} moves by {span[lead]:.2f} "
                f"mV: {_DO}",
                STANDARD_LEADS,  # Wilson's terminal is another, too
            )
    return None


def _of_limbs(lies_at: Array) -> Array:
    made = np.eye(8)
    made[:2, :2] = np.round(_POTENTIALS @ lies_at @ np.linalg.pinv(_POTENTIALS), 9)
    return made


def _of_chest(order: list[int]) -> Array:
    made = np.eye(8)
    made[2:, 2:] = np.eye(6)[order]
    return made
