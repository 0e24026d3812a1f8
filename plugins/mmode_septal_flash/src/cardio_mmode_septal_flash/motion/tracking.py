"""Follow the septum through an M-mode: how far it is along the line in every column.

The wall is bright between two dark cavities, so its two edges place it; speckle, which changes
when the base moves through the line, does not. First a box is fitted in every column, on a path
that jumps little from one to the next; then the columns are moved onto each other, and each is
correlated with their mean. What does not move with the wall, a shadow across it, is taken away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

STEP_MM = 0.25
BAND_MM = 22.0
"""Reach from the line's centre to both sides within which the septum is looked for."""

_TEMPLATE_MM = 11.0
_MOST_MM = 9.0
_HALF_WALLS_MM = (3.0, 4.0, 5.0)
_FLANK_MM = 4.0
_BLUR_MM, _BLUR_MS = 0.6, 6.0
_COLUMN_MS = 4.0
_FAST_MM_PER_MS = 0.4
_SLOW_COST = 0.02
_ROUNDS, _SHADING_ROUNDS = 3, 3
_SHADING_MM = 1.0
_NEAR_MM = 2.0


@dataclass(frozen=True, eq=False)
class SeptalPath:
    """Where the septum is over a cycle.

    Attributes
    ----------
    time_ms : ndarray of float64, shape (n,)
        From the R peak, in even steps of about 4 ms.
    position_mm : ndarray of float64, shape (n,)
        Middle of the wall along the line from its centre, towards the left ventricle positive.
    fit : float
        Mean correlation of the columns with their mean, -1 to 1.
    """

    time_ms: NDArray[np.float64]
    position_mm: NDArray[np.float64]
    fit: float


def track_septum(
    mmode: NDArray[np.floating] | NDArray[np.uint8],
    mm_per_row: float,
    rr_ms: float,
    *,
    from_mm: float = -30.0,
) -> SeptalPath:
    """Follow the septum through an M-mode.

    Parameters
    ----------
    mmode : ndarray, shape (n_rows, n_columns)
        Rows along the line, right ventricle on top; columns from one R peak to the next.
    mm_per_row : float
        Distance of rows.
    rr_ms : float
        Length of the cycle.
    from_mm : float
        Place of row 0 along the line.

    Examples
    --------
    >>> row_mm = np.linspace(-30, 60, 301)[:, None]
    >>> centre_mm = 3 * np.sin(np.linspace(0, np.pi, 200)) ** 2
    >>> wall = np.where(np.abs(row_mm - centre_mm) < 4.5, 160, 15).astype(np.uint8)
    >>> path = track_septum(wall, 0.3, 800.0)
    >>> bool(np.abs(path.position_mm.max() - 3.0) < 0.2)
    True
    """
    columns, time_ms = _columns(mmode, mm_per_row, rr_ms, from_mm)
    step_ms = float(time_ms[1] - time_ms[0])
    n_most = round(_MOST_MM / STEP_MM)
    shifts = np.arange(-n_most, n_most + 1)
    position = _smoothest(_box_score(columns, shifts), step_ms) - n_most
    path, fit = position.astype(np.float64), 0.0
    for _ in range(_ROUNDS):
        path, fit = _onto_mean(columns, path, step_ms)
    for _ in range(_SHADING_ROUNDS):
        columns = columns - _shading(columns, path)
        for _ in range(2):
            path, fit = _onto_mean(columns, path, step_ms)
    return SeptalPath(time_ms, path * STEP_MM, fit)


def _columns(
    mmode: NDArray[np.floating] | NDArray[np.uint8], mm_per_row: float, rr_ms: float, from_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return grey levels by time and place around the centre, and the times."""
    n_columns = mmode.shape[1]
    n_times = int(np.clip(round(rr_ms / _COLUMN_MS), 32, n_columns))
    time_ms = np.arange(n_times) * (rr_ms / n_times)
    at_mm = np.arange(-BAND_MM, BAND_MM + STEP_MM / 2, STEP_MM)
    sigma = (_BLUR_MM / mm_per_row, _BLUR_MS / (rr_ms / n_columns))
    # One cycle follows another, so that the last column is beside the first.
    blurred = ndimage.gaussian_filter(mmode.astype(np.float64), sigma, mode=("nearest", "wrap"))
    rows = (at_mm - from_mm) / mm_per_row
    column = time_ms / rr_ms * n_columns
    grid = np.broadcast_arrays(rows[None, :], column[:, None])
    columns = ndimage.map_coordinates(blurred, np.stack(grid), order=1, mode="nearest")
    return np.asarray(columns, dtype=np.float64), np.asarray(time_ms, dtype=np.float64)


def _box_score(columns: NDArray[np.float64], shifts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return how well a bright box between dark flanks fits, by time and shift."""
    sums = np.concatenate([np.zeros((len(columns), 1)), np.cumsum(columns, axis=1)], axis=1)
    middle = columns.shape[1] // 2 + shifts
    flank = round(_FLANK_MM / STEP_MM)
    best = np.full((len(columns), shifts.size), -np.inf)
    for half_mm in _HALF_WALLS_MM:
        half = round(half_mm / STEP_MM)
        low, high = middle - half, middle + half + 1
        wall = (sums[:, high] - sums[:, low]) / (high - low)
        above = (sums[:, low] - sums[:, low - flank]) / flank
        below = (sums[:, high + flank] - sums[:, high]) / flank
        best = np.maximum(best, wall - 0.5 * (above + below))
    return np.asarray(best / (best.std() + 1e-9), dtype=np.float64)


def _smoothest(score: NDArray[np.float64], step_ms: float) -> NDArray[np.intp]:
    """Return the shift in every column of the path that scores best and jumps little."""
    n_times, n_shifts = score.shape
    most = max(round(_FAST_MM_PER_MS * step_ms / STEP_MM), 1)
    jumps = np.arange(-most, most + 1)
    cost = _SLOW_COST * jumps**2
    total = score[0].copy()
    came = np.zeros((n_times, n_shifts), dtype=np.intp)
    for time in range(1, n_times):
        padded = np.pad(total, most, constant_values=-np.inf)
        options = np.stack([padded[most + j : most + j + n_shifts] for j in jumps]) - cost[:, None]
        chosen = options.argmax(axis=0)
        came[time] = np.arange(n_shifts) + jumps[chosen]
        total = options.max(axis=0) + score[time]
    path = np.empty(n_times, dtype=np.intp)
    path[-1] = total.argmax()
    for time in range(n_times - 1, 0, -1):
        path[time - 1] = came[time, path[time]]
    return path


def _onto_mean(
    columns: NDArray[np.float64], path: NDArray[np.float64], step_ms: float
) -> tuple[NDArray[np.float64], float]:
    """Correlate every column with the mean of all, moved onto each other; to a fraction of a step.

    The mean of the shifts stays what it was: a mean column says nothing about its own place.
    """
    half = round(_TEMPLATE_MM / STEP_MM)
    middle = columns.shape[1] // 2
    near = round(_NEAR_MM / STEP_MM)
    reach = np.arange(-half - near, half + near + 1)
    times = np.repeat(np.arange(len(columns))[:, None], reach.size, axis=1)
    places = np.stack([times, middle + path[:, None] + reach])
    moved = ndimage.map_coordinates(columns, places, order=1, mode="nearest")
    template = moved[:, near:-near].mean(axis=0)
    template = (template - template.mean()) / (template.std() + 1e-9)
    windows = np.lib.stride_tricks.sliding_window_view(moved, template.size, axis=1)
    centred = windows - windows.mean(axis=2, keepdims=True)
    fit = (centred @ template) / (template.size * (windows.std(axis=2) + 1e-9))
    chosen = _smoothest(fit / (fit.std() + 1e-9), step_ms)
    row = np.arange(len(columns))
    fraction = _peak_offset(fit, row, chosen)
    moved_by = chosen + fraction - near
    return path + moved_by - moved_by.mean(), float(fit[row, chosen].mean())


def _shading(columns: NDArray[np.float64], path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the grey levels that stand still while the wall moves, by place.

    Pictures are compressed logarithmically, so that what a shadow takes away is a number of grey
    levels: the mean of what the moving mean column does not explain.
    """
    place = np.arange(columns.shape[1])
    times = np.repeat(np.arange(len(columns))[:, None], place.size, axis=1)
    moved = ndimage.map_coordinates(
        columns, np.stack([times, place + path[:, None]]), order=1, mode="nearest"
    )
    wall = moved.mean(axis=0)
    explained = np.stack([np.interp(place - shift, place, wall) for shift in path])
    left = (columns - explained).mean(axis=0)
    return np.asarray(ndimage.gaussian_filter1d(left, _SHADING_MM / STEP_MM), dtype=np.float64)


def _peak_offset(
    fit: NDArray[np.float64], row: NDArray[np.intp], chosen: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return where the parabola through three neighbours has its top, within half a step."""
    inner = np.clip(chosen, 1, fit.shape[1] - 2)
    before, at, after = fit[row, inner - 1], fit[row, inner], fit[row, inner + 1]
    bend = before - 2 * at + after
    offset = np.where(bend < -1e-12, 0.5 * (before - after) / np.where(bend < 0, bend, -1.0), 0.0)
    return np.asarray(np.clip(offset, -0.5, 0.5) * (inner == chosen), dtype=np.float64)
