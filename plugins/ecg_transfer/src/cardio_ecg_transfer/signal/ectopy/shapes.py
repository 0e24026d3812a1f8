"""Groups of like QRS complexes within one recording, and how each beat compares with the commonest.

Nothing is fitted across patients, and no label is used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.filters import band_pass

QRS_S = (0.12, 0.16)
"""Reach of a complex before and after its R peak; a wide one ends late."""

LIKE = 0.90
"""Cosine above which two complexes belong together."""

MOST_GROUPS = 40
_SHAPE_HZ = (0.8, 35.0)
_JITTER_S = 0.03


@dataclass(frozen=True)
class Shapes:
    """The complexes of one recording.

    Attributes
    ----------
    complexes_mv : ndarray of float32, shape (n_beats, n_leads, n_samples)
        Each centred, aligned with its group.
    group : ndarray of int64, shape (n_beats,)
        0 is the commonest; a rare shape joins the group that it is most like.
    templates_mv : ndarray of float32, shape (n_groups, n_leads, n_samples)
        Mean complex of each group.
    shift : ndarray of int64, shape (n_beats,)
        Samples by which a beat's complex lies after its R peak as placed.
    """

    complexes_mv: NDArray[np.float32]
    group: NDArray[np.int64]
    templates_mv: NDArray[np.float32]
    shift: NDArray[np.int64]

    def cosine(self, template: int = 0) -> NDArray[np.float32]:
        """Return each beat's cosine with a group's mean complex, all leads together."""
        flat = self.complexes_mv.reshape(len(self.group), -1)
        other = self.templates_mv[template].ravel()
        return _cosines(flat, other[None])[:, 0]


def windows(
    signal_mv: NDArray[np.floating], centres: NDArray[np.int64], before: int, after: int
) -> NDArray[np.float32]:
    """Return the stretches around samples, shape (n_centres, n_leads, before + after).

    Beyond the ends the signal is continued with its first and last value.
    """
    index = centres[:, None] + np.arange(-before, after)
    np.clip(index, 0, signal_mv.shape[1] - 1, out=index)
    return np.ascontiguousarray(signal_mv[:, index].transpose(1, 0, 2), dtype=np.float32)


def group_shapes(
    signal_mv: NDArray[np.floating], r_samples: NDArray[np.int64], rate_hz: float
) -> Shapes:
    """Group the QRS complexes of one recording by their cosine over all leads.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Filtered, without NaN.
    r_samples : ndarray of int64, shape (n_beats,)
        R peaks.
    rate_hz : float
        Sampling rate.

    Notes
    -----
    A complex joins the group whose mean it is most like, if the cosine is `LIKE` or more, else it
    founds one; the means then settle in three rounds. A complex may shift by 30 ms, because R is
    placed on another wave where the shape changes.
    """
    smooth = band_pass(signal_mv, rate_hz, _SHAPE_HZ)
    before, after = (round(reach * rate_hz) for reach in QRS_S)
    slack = round(_JITTER_S * rate_hz)
    wide = windows(smooth, r_samples, before + slack, after + slack)
    shift = np.zeros(len(r_samples), np.int64)
    own = _cut(wide, shift, slack)
    means, group = _founded(own)
    for _ in range(3):
        shift, group = _best(wide, means, slack)
        own = _cut(wide, shift, slack)
        means, group = _settled(own, group)
    return Shapes(own, group, means, shift)


def _cut(wide: NDArray[np.float32], shift: NDArray[np.int64], slack: int) -> NDArray[np.float32]:
    width = wide.shape[2] - 2 * slack
    index = (slack + shift)[:, None] + np.arange(width)
    cut = np.take_along_axis(wide, index[:, None, :], axis=2)
    return np.asarray(cut - cut.mean(axis=2, keepdims=True))


def _cosines(flat: NDArray[np.float32], means: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(flat, axis=1)[:, None] * np.linalg.norm(means, axis=1)[None, :]
    return np.asarray(flat @ means.T / np.maximum(norms, 1e-9), dtype=np.float32)


def _founded(own: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Found groups in the order of time, from every beat that is like none so far."""
    flat = own.reshape(len(own), -1)
    sums, counts = [flat[0].copy()], [1]
    group = np.zeros(len(own), np.int64)
    for place in range(1, len(flat)):
        likeness = _cosines(flat[place : place + 1], np.stack(sums))[0]
        best = int(likeness.argmax())
        if likeness[best] < LIKE and len(sums) < MOST_GROUPS:
            sums.append(flat[place].copy())
            counts.append(1)
            best = len(sums) - 1
        else:
            sums[best] += flat[place]
            counts[best] += 1
        group[place] = best
    return _settled(own, group)


def _settled(
    own: NDArray[np.float32], group: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the groups' means, the commonest group first."""
    names, counts = np.unique(group, return_counts=True)
    order = names[np.argsort(-counts, kind="stable")]
    renamed = np.empty(int(names.max()) + 1, np.int64)
    renamed[order] = np.arange(len(order))
    means = np.stack([own[group == name].mean(axis=0) for name in order])
    return means, renamed[group]


def _best(
    wide: NDArray[np.float32], means: NDArray[np.float32], slack: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the shift and the group in which each complex is most like a mean."""
    flat_means = means.reshape(len(means), -1)
    best = np.full(len(wide), -np.inf, np.float32)
    shift, group = np.zeros(len(wide), np.int64), np.zeros(len(wide), np.int64)
    for lag in range(-slack, slack + 1, 2):
        own = _cut(wide, np.full(len(wide), lag), slack).reshape(len(wide), -1)
        likeness = _cosines(own, flat_means)
        here = likeness.max(axis=1)
        better = here > best
        best[better], shift[better] = here[better], lag
        group[better] = likeness.argmax(axis=1)[better]
    return shift, group


OWN_LIKE = 0.8
"""Cosine with the commonest group above which a group is of the patient's own kind."""

FOREIGN_LIKE = 0.6
_T_HZ = (0.5, 20.0)
_T_S = (0.14, 0.42)
_TINY = 1e-3
_NEVER_ZERO = 1e-9
_LEAST_DISTANCE = 0.01  # of the own complex: below, beats are as alike as noise lets them be
_FEWEST_FOREIGN, _MOST_FOREIGN = 3, 4  # beats of a foreign group, and groups that may be fused with
_LARGEST_SHARE = 1.3  # of the foreign complex in a fusion
_HALF = 0.5  # of the height: where a width is taken
_CENTRAL = (0.05, 0.95)  # of the squared slope: the central nine tenths


def own_kind(shapes: Shapes) -> NDArray[np.bool_]:
    """Say which beats have a complex like the recording's commonest."""
    return np.asarray((_group_cosines(shapes) >= OWN_LIKE)[shapes.group])


def complexes(
    signal_mv: NDArray[np.floating], r_samples: NDArray[np.int64], shapes: Shapes, rate_hz: float
) -> dict[str, NDArray[np.floating]]:
    """Describe each complex by itself, beside the commonest, and beside foreign ones.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Without NaN.
    r_samples : ndarray of int64, shape (n_beats,)
    shapes : Shapes
        From `group_shapes`.
    rate_hz : float

    Returns
    -------
    dict of str to ndarray, shape (n_beats,)
        ``own_cosine`` and ``own_distance``; ``group_cosine``, ``group_share`` (logarithm) and
        ``group_own_cosine``; widths in seconds (``width``: spread of the squared slope; ``w90``:
        its central nine tenths) and beside the commonest; sizes, slopes, skewness and widths at
        half height a lead; ``mix``: the share of the foreign group that best explains the beat as a
        fusion with the patient's own, ``mix_gain``: how much better; and the T wave's cosine and
        size.
    """
    flat = shapes.complexes_mv.reshape(len(shapes.group), -1)
    means = shapes.templates_mv.reshape(len(shapes.templates_mv), -1)
    share = np.bincount(shapes.group, minlength=len(means)) / len(flat)
    between = _group_cosines(shapes)
    size = np.linalg.norm(flat, axis=1)
    own_size = float(np.linalg.norm(means[0]))
    away = np.linalg.norm(flat - means[0], axis=1) / own_size
    of_group = means[shapes.group]
    made: dict[str, NDArray[np.floating]] = {
        "own_cosine": shapes.cosine(0),
        "own_distance": np.log(away + _LEAST_DISTANCE),
        "group_cosine": (flat * of_group).sum(axis=1)
        / np.maximum(size * np.linalg.norm(of_group, axis=1), _NEVER_ZERO),
        "group_share": np.log(share[shapes.group]),
        "group_own_cosine": between[shapes.group],
        "shift_s": shapes.shift / rate_hz,
    }
    made["own_distance_z"] = made["own_distance"] - np.median(
        made["own_distance"][own_kind(shapes)]
    )
    made |= _widths(shapes, rate_hz)
    for lead in range(shapes.complexes_mv.shape[1]):
        mine, own = shapes.complexes_mv[:, lead], shapes.templates_mv[0, lead]
        made |= {f"{name}:{lead}": value for name, value in _one_lead(mine, own, rate_hz).items()}
    foreign = [
        number for number in range(1, len(means))
        if between[number] < FOREIGN_LIKE and share[number] * len(flat) >= _FEWEST_FOREIGN
    ][:_MOST_FOREIGN]  # fmt: skip
    made |= _fusion(flat, means, foreign, away)
    return made | _t_waves(signal_mv, r_samples, shapes, rate_hz)


def _group_cosines(shapes: Shapes) -> NDArray[np.floating]:
    means = shapes.templates_mv.reshape(len(shapes.templates_mv), -1)
    norms = np.linalg.norm(means, axis=1) * np.linalg.norm(means[0])
    return np.asarray(means @ means[0] / np.maximum(norms, _NEVER_ZERO))


def _widths(shapes: Shapes, rate_hz: float) -> dict[str, NDArray[np.floating]]:
    def of(complexes: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        power = (np.diff(complexes, axis=2) ** 2).sum(axis=1)
        power = power / np.maximum(power.sum(axis=1, keepdims=True), 1e-12)
        time_s = np.arange(power.shape[1]) / rate_hz
        centre = (power * time_s).sum(axis=1, keepdims=True)
        spread = np.sqrt((power * (time_s - centre) ** 2).sum(axis=1))
        grown = np.cumsum(power, axis=1)
        return spread, ((grown > _CENTRAL[0]) & (grown < _CENTRAL[1])).sum(axis=1) / rate_hz

    width, w90 = of(shapes.complexes_mv)
    own_width, own_w90 = of(shapes.templates_mv[:1])
    return {
        "width": width,
        "width_to_own": np.log(np.maximum(width, _TINY) / np.maximum(own_width, _TINY)),
        "w90": w90,
        "w90_beyond_own": w90 - own_w90,
    }


def _one_lead(
    mine: NDArray[np.floating], own: NDArray[np.floating], rate_hz: float
) -> dict[str, NDArray[np.floating]]:
    """Return size, slope, skewness and width of complexes (n_beats, n_samples) in one lead."""
    size, own_size = np.linalg.norm(mine, axis=1), float(np.linalg.norm(own))
    height, own_height = np.ptp(mine, axis=1), float(np.ptp(own))
    slope = np.abs(np.diff(mine, axis=1)).max(axis=1)
    high = np.abs(mine)
    half = (high > _HALF * high.max(axis=1, keepdims=True)).sum(axis=1) / rate_hz
    own_half = float((np.abs(own) > _HALF * np.abs(own).max()).sum()) / rate_hz
    skew = (mine.max(axis=1) + mine.min(axis=1)) / np.maximum(height, _TINY)
    return {
        "cosine": mine @ own / np.maximum(size * own_size, _NEVER_ZERO),
        "size": np.log(size / max(own_size, _TINY) + _TINY),
        "height": np.log(height / max(own_height, _TINY) + _TINY),
        "slope": np.log(slope / max(float(np.abs(np.diff(own)).max()), 1e-5) + _TINY),
        "skew": skew,
        "skew_beyond_own": skew - (own.max() + own.min()) / max(own_height, _TINY),
        "half_width": half,
        "half_width_beyond_own": half - own_half,
    }


def _fusion(
    flat: NDArray[np.floating],
    means: NDArray[np.floating],
    foreign: list[int],
    away: NDArray[np.floating],
) -> dict[str, NDArray[np.floating]]:
    """Explain each beat as own + share * (foreign - own), with the best of the foreign groups."""
    own_size = float(np.linalg.norm(means[0]))
    share, left = np.zeros(len(flat)), away.copy()
    alike = np.full(len(flat), -1.0)
    for number in foreign:
        step = means[number] - means[0]
        part = np.clip((flat - means[0]) @ step / (step @ step), 0.0, _LARGEST_SHARE)
        rest = np.linalg.norm(flat - means[0] - part[:, None] * step, axis=1) / own_size
        better = rest < left
        share[better], left[better] = part[better], rest[better]
        norms = np.linalg.norm(flat, axis=1) * np.linalg.norm(means[number])
        alike = np.maximum(alike, flat @ means[number] / np.maximum(norms, _NEVER_ZERO))
    return {
        "foreign_cosine": alike,
        "mix": share,
        "mix_left": np.log(left + _LEAST_DISTANCE),
        "mix_gain": np.log((away + _LEAST_DISTANCE) / (left + _LEAST_DISTANCE)),
    }


def _t_waves(
    signal_mv: NDArray[np.floating],
    r_samples: NDArray[np.int64],
    shapes: Shapes,
    rate_hz: float,
) -> dict[str, NDArray[np.floating]]:
    smooth = band_pass(signal_mv, rate_hz, _T_HZ)
    begin, end = (round(reach * rate_hz) for reach in _T_S)
    waves = windows(smooth, r_samples + shapes.shift, -begin, end)
    waves = waves - waves.mean(axis=2, keepdims=True)
    usual = np.median(waves[own_kind(shapes)], axis=0)
    made = {}
    for lead in range(waves.shape[1]):
        size, own_size = np.linalg.norm(waves[:, lead], axis=1), np.linalg.norm(usual[lead])
        made[f"t_cosine:{lead}"] = (
            waves[:, lead] @ usual[lead] / np.maximum(size * own_size, _NEVER_ZERO)
        )
        made[f"t_size:{lead}"] = np.log(size / max(float(own_size), _TINY) + _LEAST_DISTANCE)
    return made
