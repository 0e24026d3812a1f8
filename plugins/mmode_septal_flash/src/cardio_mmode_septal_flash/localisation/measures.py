"""Where a heat map lies: in time beside [MVC, AVO], in space beside the septum.

A map is shape (n_rows, n_columns), 0 or more. Its columns run from the R peak, 0 ms, to the end of
the picture, `duration_ms`: the RR interval, or half of it for the crop. Functions return NaN for an
empty map or where the window lies outside the picture; nothing here knows a label or a network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TOLERANCE_MS = 20.0
"""How far outside the window a peak may point and still hit."""

_N_LARGE = 512
THRESHOLDS = np.arange(1, 20) / 20
"""Shares of a profile's largest value among which one is chosen."""


@dataclass(frozen=True)
class Window:
    """The time in which the septum flashes, in a picture of known length.

    Attributes
    ----------
    begin_ms, end_ms : float
        MVC and AVO from the R peak; NaN where unknown.
    duration_ms : float
        What the picture's columns span.
    """

    begin_ms: float
    end_ms: float
    duration_ms: float

    @property
    def known(self) -> bool:
        """Whether some of the window lies in the picture."""
        return bool(self.share > 0)

    @property
    def share(self) -> float:
        """The window's share of the picture's area; 0 where it is unknown or outside."""
        begin, end = max(self.begin_ms, 0.0), min(self.end_ms, self.duration_ms)
        return max(end - begin, 0.0) / self.duration_ms if end == end and begin == begin else 0.0

    def weights(self, n_columns: int) -> Floats:
        """Return the share of each column that lies in the window, shape (n_columns,)."""
        edges = np.linspace(0.0, self.duration_ms, n_columns + 1)
        inside = np.clip(edges, self.begin_ms, self.end_ms)
        return np.asarray(np.diff(inside) / np.diff(edges), np.float64)


def upsampled(heat: NDArray[np.floating], n_rows: int, n_columns: int) -> Floats:
    """Return a map at another size, bilinear between the centres of its cells.

    Examples
    --------
    >>> upsampled(np.array([[0.0, 1.0]]), 1, 4).tolist()
    [[0.0, 0.25, 0.75, 1.0]]
    """
    rows, columns = _between(heat.shape[0], n_rows), _between(heat.shape[1], n_columns)
    return np.asarray(rows @ np.asarray(heat, np.float64) @ columns.T, np.float64)


def temporal_profile(heat: NDArray[np.floating]) -> Floats:
    """Return the energy of each column, shape (n_columns,).

    Examples
    --------
    >>> temporal_profile(np.array([[1.0, 0.0], [2.0, 5.0]])).tolist()
    [3.0, 5.0]
    """
    return np.asarray(np.asarray(heat, np.float64).sum(axis=0))


def energy_in_window(profile: NDArray[np.floating], window: Window) -> float:
    """Return the share of a profile's energy within the window (EBPG).

    Notes
    -----
    The energy-based pointing game of Wang et al., CVPR Workshops 2020, with a stretch of time for
    the box.

    Examples
    --------
    >>> energy_in_window(np.ones(10), Window(20.0, 120.0, 1000.0))
    0.1
    """
    total = float(profile.sum())
    if not (total > 0 and window.known):
        return float("nan")
    return float(np.round(profile @ window.weights(profile.size) / total, 12))


def enrichment(profile: NDArray[np.floating], window: Window) -> float:
    """Return the energy's share in the window over the area's: 1 for a map that says nothing.

    Examples
    --------
    >>> enrichment(np.array([1.0, 0.0, 0.0, 0.0]), Window(0.0, 250.0, 1000.0))
    4.0
    """
    share = energy_in_window(profile, window)
    return share / window.share if share == share else float("nan")


def peak_ms(profile: NDArray[np.floating], duration_ms: float) -> float:
    """Return when a profile is largest; the middle of them where several columns are.

    Examples
    --------
    >>> peak_ms(np.array([0.0, 2.0, 2.0, 0.0]), 400.0)
    200.0
    """
    if not profile.max() > 0:
        return float("nan")
    largest = np.flatnonzero(profile >= profile.max() * (1 - 1e-9))
    return float((largest.mean() + 0.5) * duration_ms / profile.size)


def points_into(profile: NDArray[np.floating], window: Window) -> float:
    """Return 1 where the peak lies in the window or within the tolerance of it, else 0.

    Examples
    --------
    >>> hot = np.eye(10)[1]  # 100 to 200 ms
    >>> [points_into(hot, Window(20.0, end, 1000.0)) for end in (110.0, 131.0)]
    [0.0, 1.0]
    """
    peak = peak_ms(profile, window.duration_ms)
    if peak != peak or not window.known:
        return float("nan")
    return float(window.begin_ms - TOLERANCE_MS <= peak <= window.end_ms + TOLERANCE_MS)


def temporal_iou(profile: NDArray[np.floating], window: Window, threshold: float) -> float:
    """Return the overlap of the window with the columns at or above a share of the peak.

    Parameters
    ----------
    profile : ndarray, shape (n_columns,)
        As of `temporal_profile`.
    window : Window
        The truth.
    threshold : float
        Above 0, to 1. To be chosen on others than those it is applied to.

    Examples
    --------
    >>> temporal_iou(np.array([0.1, 1.0, 0.6, 0.1]), Window(100.0, 200.0, 400.0), 0.5)
    0.5
    """
    if not (profile.max() > 0 and window.known):
        return float("nan")
    inside = window.weights(profile.size)
    hot = profile >= threshold * profile.max()
    both = float(inside[hot].sum())
    return float(np.round(both / (float(hot.sum()) + float(inside.sum()) - both), 12))


def best_threshold(profiles: Sequence[NDArray[np.floating]], windows: Sequence[Window]) -> float:
    """Return the threshold with the largest mean temporal IoU; the middle one of equals.

    Parameters
    ----------
    profiles, windows : sequences of the same length
        Of studies that are not tested. Those without a window or with an empty map are left out;
        with nobody left it is 0.5.

    Examples
    --------
    >>> best_threshold([np.array([0.2, 1.0, 0.6, 0.2])], [Window(100.0, 300.0, 400.0)])
    0.4
    """
    means = np.zeros(THRESHOLDS.size)
    for place, threshold in enumerate(THRESHOLDS):
        found = [temporal_iou(p, w, threshold) for p, w in zip(profiles, windows, strict=True)]
        known = [value for value in found if value == value]
        if not known:
            return 0.5
        means[place] = np.mean(known)
    best = THRESHOLDS[means >= means.max() - 1e-12]
    return float(best[(best.size - 1) // 2])


def iou_bound(window: Window, n_cells: int) -> float:
    """Return the best temporal IoU that one hot cell can reach, whichever cell and threshold.

    Parameters
    ----------
    window : Window
        The truth.
    n_cells : int
        Columns of the map before it is drawn large: 8 for Grad-CAM++ on 256 pixels.

    Notes
    -----
    What a map of this resolution cannot do, a network cannot be blamed for. For windows of 7 to
    14 % of the picture anywhere in it and 8 cells the mean is .66 and the least .38.

    Examples
    --------
    >>> round(iou_bound(Window(0.0, 125.0, 1000.0), 8), 2)
    1.0
    """
    if not window.known:
        return float("nan")
    cells = upsampled(np.eye(n_cells), n_cells, _N_LARGE)
    inside = window.weights(_N_LARGE)
    shares = np.linspace(0.02, 0.98, 49)
    hot = cells[:, None, :] >= shares[:, None] * cells.max(axis=1)[:, None, None]
    both = hot @ inside
    union = hot.sum(axis=2) + inside.sum() - both
    return float((both / union).max())


def centroid_mm(heat: NDArray[np.floating], top_mm: float, bottom_mm: float) -> float:
    """Return how far along the scan line the energy's centre lies; 0 is the septum at R.

    Parameters
    ----------
    heat : ndarray, shape (n_rows, n_columns)
        Row 0 on top.
    top_mm, bottom_mm : float
        Where the picture begins (negative, in the right ventricle) and ends.

    Examples
    --------
    >>> centroid_mm(np.array([[0.0], [0.0], [1.0], [0.0]]), -30.0, 50.0)
    20.0
    """
    energy = np.asarray(heat, np.float64).sum(axis=1)
    if not energy.sum() > 0:
        return float("nan")
    at_mm = top_mm + (np.arange(energy.size) + 0.5) / energy.size * (bottom_mm - top_mm)
    return float(np.round(energy @ at_mm / energy.sum(), 9))


def entropy(heat: NDArray[np.floating]) -> float:
    """Return the entropy of a map's energy: 0 for one hot cell, 1 for a flat map.

    NaN where there is no energy, or only one cell.

    Examples
    --------
    >>> [round(entropy(m), 3) for m in (np.ones((2, 4)), np.eye(1, 8), np.eye(2))]
    [1.0, 0.0, 0.5]
    """
    total = float(heat.sum())
    if not total > 0 or heat.size < 2:
        return float("nan")
    p = np.asarray(heat, np.float64).ravel() / total
    bits = -(p[p > 0] * np.log(p[p > 0])).sum()
    return float(bits / np.log(p.size)) + 0.0


def gini(heat: NDArray[np.floating]) -> float:
    """Return the Gini index of a map's energy: 0 for a flat map, 1 - 1/n for one hot cell.

    Notes
    -----
    Hurley and Rickard, IEEE Trans Inf Theory 2009;55:4723.

    Examples
    --------
    >>> gini(np.eye(1, 4)), gini(np.ones((3, 3))), gini(np.array([[1.0, 3.0]]))
    (0.75, 0.0, 0.25)
    """
    total = float(heat.sum())
    if not total > 0:
        return float("nan")
    sorted_energy = np.sort(np.asarray(heat, np.float64).ravel())
    n = sorted_energy.size
    rank = np.arange(1, n + 1)
    return float(np.round(((2 * rank - n - 1) @ sorted_energy) / (n * total), 12)) + 0.0


def correlation(heat: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Return Spearman's correlation of two maps' cells; NaN where one of them is flat.

    Notes
    -----
    The sanity check of Adebayo et al., NeurIPS 2018: a map that a network with random weights
    draws, too, shows the picture and not what was learnt.

    Examples
    --------
    >>> round(correlation(np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 4.0, 9.0]])), 9)
    1.0
    """
    from scipy.stats import rankdata

    first, second = (np.asarray(rankdata(each.ravel()), np.float64) for each in (heat, other))
    if first.std() == 0 or second.std() == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def centre_prior(n_rows: int, n_columns: int) -> Floats:
    """Return a bump in the middle of the picture, with an SD of a fifth of its sides.

    A map scores by itself only what it scores above this one, which has seen nothing.

    Examples
    --------
    >>> bump = centre_prior(5, 5)
    >>> float(bump[2, 2]), float(bump[0, 0]).__round__(3)
    (1.0, 0.018)
    """
    rows, columns = (
        np.exp(-0.5 * (((np.arange(n) + 0.5) / n - 0.5) / 0.2) ** 2) for n in (n_rows, n_columns)
    )
    return np.asarray(np.outer(rows, columns), np.float64)


def _between(n_cells: int, n_places: int) -> Floats:
    """Return the weights (n_places, n_cells) of linear interpolation between cells' centres."""
    at = np.clip((np.arange(n_places) + 0.5) / n_places * n_cells - 0.5, 0, n_cells - 1)
    low = np.minimum(at.astype(np.int64), max(n_cells - 2, 0))
    weights = np.zeros((n_places, n_cells))
    places = np.arange(n_places)
    weights[places, low] = 1 - (at - low)
    weights[places, np.minimum(low + 1, n_cells - 1)] += at - low
    return weights
