"""Marks that stand still amid tissue that moves: words, cursors, calipers, dots, guides.

Print is sharp where the picture is not: a beam is several pixels wide, so an echo that stands still
(pericardium, a calcification, a lead) fades across the beams, while print ends from one pixel to
the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_core.ultrasound.deidentify.tissue import brush_px, disk

_BRIGHT = 90.0
_MOVES, _MOVES_WELL = 8.0, 10.0
_UNCHANGED, _STILL_SHARE, _CALM_SHARE = 1.0, 0.2, 0.35
_RAISED, _HIGH, _OVER_DARK, _STEADY = 25.0, 50.0, 70.0, 10.0
_RIM_CALM_SHARE, _RIM_RAISED = 0.75, 8.0
_MIN_PX = 4
_CORE_SHARE, _SHARP, _BEGINS = 0.6, 0.43, 0.6
_UNLIKE, _LOWER = 0.6, 40.0
_LIVELIER = 2.0
_LONG_PX = 40
_TIP_BRUSHES = 6
_BESIDE_PX = 1.0

Levels = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass
class StillSurvey:
    """Gathers the mean and the spread of every pixel over a loop, frame by frame.

    Examples
    --------
    >>> survey, rng = StillSurvey(), np.random.default_rng(0)
    >>> for _ in range(12):
    ...     frame = rng.integers(40, 160, (60, 60), dtype=np.uint8)
    ...     frame[20:26, 30] = frame[23, 27:34] = 240  # a cross
    ...     survey.look_at(frame)
    >>> found = survey.marks(np.ones((60, 60), np.bool_))
    >>> bool(found[20:26, 30].all()), int(found.sum()) < 60
    (True, True)
    """

    n_frames: int = 0
    _sum: NDArray[np.float32] | None = None
    _squares: NDArray[np.float32] | None = None

    def look_at(self, grey: NDArray[np.uint8]) -> None:
        """Add one grey frame, shape (n_rows, n_columns)."""
        level = grey.astype(np.float32)
        if self._sum is None or self._squares is None:
            self._sum, self._squares = np.zeros_like(level), np.zeros_like(level)
        self.n_frames += 1
        self._sum += level
        self._squares += level * level

    def marks(self, sector: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the marks inside `sector`, with their rims; both of shape (n_rows, n_columns)."""
        if self._sum is None or self._squares is None or not sector.any():
            return np.zeros_like(sector)
        mean = self._sum / self.n_frames
        spread = np.sqrt(np.maximum(self._squares / self.n_frames - mean**2, 0))
        return _marks(mean.astype(np.float32), spread.astype(np.float32), sector)


def _marks(mean: Levels, spread: Levels, sector: Mask) -> Mask:
    around, lively = _around(mean, sector), _around(spread, sector)
    raised = mean - around
    ink = (
        ((lively >= _MOVES_WELL) & (spread <= np.maximum(_STILL_SHARE * lively, _UNCHANGED)))
        | ((lively >= _MOVES) & (raised >= _RAISED) & (spread <= _CALM_SHARE * lively))
        | ((lively >= _MOVES) & (raised >= _HIGH) & (spread <= lively))
        | ((raised >= _OVER_DARK) & (spread <= _STEADY))
    )
    ink &= sector & (mean >= _BRIGHT)
    # At the tip itself beams are narrower than pixels, and what is there stands still.
    rows = np.flatnonzero(sector.any(axis=1))
    ink[: rows[0] + _TIP_BRUSHES * brush_px(sector.shape)] = False
    if not ink.any():
        return np.asarray(ink)
    rims = ndimage.binary_dilation(ink, disk(1)) & sector & (raised >= _RIM_RAISED)
    marks = ink | (rims & ((spread <= _RIM_CALM_SHARE * lively) | (raised >= _OVER_DARK)))
    marks &= ~ndimage.binary_opening(marks, disk(brush_px(marks.shape)))
    # The dots of a line are one mark.
    labels, _ = ndimage.label(ndimage.binary_dilation(marks, disk(2)), np.ones((3, 3)))
    labels *= marks
    levels = _Levels(mean, spread, raised, lively, _beside(mean, sector), _beside(spread, sector))
    kept = np.zeros_like(marks)
    for number, window in enumerate(ndimage.find_objects(labels), start=1):
        if window is None:
            continue
        wide = (_wider(window[0]), _wider(window[1]))
        mark, here = labels[wide] == number, levels.within(wide)
        own = mark & ink[wide]
        if mark.sum() < _MIN_PX or not own.any():
            continue
        if _is_sharp(own, here) and _is_unlike(mark, (labels[wide] == 0) & sector[wide], here):
            kept[wide] |= mark
    return np.asarray(ndimage.binary_dilation(kept, disk(1)) & sector)


@dataclass(frozen=True)
class _Levels:
    """Mean and spread of every pixel, how far it stands out, and both of a pixel beside it."""

    mean: Levels
    spread: Levels
    raised: Levels
    lively: Levels
    mean_beside: tuple[Levels, Levels]
    spread_beside: tuple[Levels, Levels]

    def within(self, window: tuple[slice, slice]) -> _Levels:
        """Return those of a window."""
        left, right = self.mean_beside
        first, second = self.spread_beside
        return _Levels(
            self.mean[window],
            self.spread[window],
            self.raised[window],
            self.lively[window],
            (left[window], right[window]),
            (first[window], second[window]),
        )


def _around(values: Levels, sector: Mask) -> Levels:
    """Return the mean of the sector's pixels around each."""
    width = 6 * brush_px(sector.shape) + 1
    share = ndimage.uniform_filter(sector.astype(np.float32), width)
    total = ndimage.uniform_filter(values * sector, width)
    return np.asarray(total / np.maximum(share, 1e-3), np.float32)


def _beside(values: Levels, sector: Mask) -> tuple[Levels, Levels]:
    """Return values a pixel away across the beams, left and right; NaN out of the sector."""
    rows, columns = np.nonzero(sector)
    tip_row, tip_column = rows.min(), columns[rows == rows.min()].mean()
    row, column = np.indices(values.shape)
    angle = np.arctan2(column - tip_column, np.maximum(row - tip_row, 1))
    down, across = -np.sin(angle) * _BESIDE_PX, np.cos(angle) * _BESIDE_PX
    inside = np.where(sector, values, np.float32(np.nan))

    def moved(side: int) -> Levels:
        at = [row + side * down, column + side * across]
        return np.asarray(ndimage.map_coordinates(inside, at, order=1, cval=np.nan))

    return moved(-1), moved(1)


def _is_sharp(own: Mask, here: _Levels) -> bool:
    """Say whether a mark ends from one pixel to the next across the beams, at most of its rims.

    It ends where its level falls to that of what lies around, or where things begin to move.
    """
    height = here.mean - np.median(here.mean[~own])
    peak = float(np.percentile(height[own], 90))
    core = own & (height >= _CORE_SHARE * peak)
    falls, begins = [], []
    for number, step in enumerate((1, -1)):
        rim = core & ~np.roll(core, step, axis=1)
        falls.append((here.mean[rim] - here.mean_beside[number][rim]) / max(peak, _RAISED))
        rim = own & ~np.roll(own, step, axis=1)
        more = here.spread_beside[number][rim] - here.spread[rim]
        begins.append(more / np.maximum(here.lively[rim], 1.0))
    if np.median(here.raised[own]) >= _RAISED and _median(falls) >= _SHARP:
        return True
    # Video codecs freeze small blocks of tissue, but no long line of it.
    rows, columns = np.nonzero(own)
    long = max(np.ptp(rows), np.ptp(columns)) + 1 >= _LONG_PX
    unchanged = long or np.median(here.spread[own]) <= _UNCHANGED
    moves = np.median(here.lively[own]) >= _MOVES_WELL
    return bool(unchanged and moves and _median(begins) >= _BEGINS)


def _median(parts: list[NDArray[Any]]) -> float:
    values = np.concatenate(parts)
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else 0.0


def _is_unlike(mark: Mask, others: Mask, here: _Levels) -> bool:
    """Say whether what lies around a mark moves, and more or lower than it, or is dark."""
    ring = ndimage.binary_dilation(mark, disk(2)) & others
    if not ring.any():
        return False
    own_spread, own_level = np.median(here.spread[mark]), np.median(here.mean[mark])
    spread, mean = here.spread[ring], here.mean[ring]
    moves = (spread > _LIVELIER * own_spread + 1.0) | (
        (spread >= _MOVES) & (mean < own_level - _LOWER)
    )
    return bool((moves | (mean < 0.5 * own_level)).mean() >= _UNLIKE)


def _wider(part: slice) -> slice:
    return slice(max(part.start - 4, 0), part.stop + 4)
