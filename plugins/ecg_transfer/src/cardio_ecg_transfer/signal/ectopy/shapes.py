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
