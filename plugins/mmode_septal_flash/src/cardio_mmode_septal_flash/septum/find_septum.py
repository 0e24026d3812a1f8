"""Find the septum in an apical four-chamber loop: a ridge between two ventricles that moves.

The mean of the frames, in which speckle is weak and blood dark, shows the septum as a ridge;
dynamic programming follows it from the probe downwards. Around end-diastole the path is moved to
the middle between the wall's edges. Its base is where the mitral valve swings beside it, its apex
where the left ventricle's cavity ends.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_mmode_septal_flash.septum.polyline import Septum, resample
from cardio_mmode_septal_flash.septum.ridge import (
    FLOOR_SHARE,
    LV_MM,
    RV_MM,
    best_path,
    centred,
    contrast,
    ridge_score,
    to_millimetres,
)

LENGTH_MM = (72.0, 90.0)
"""How long the drawn septum may be, along the depth."""

_SEARCH = (0.10, 0.80)
_VALVE = (0.45, 0.80)
_VALVE_MM, _VALVE_SPREAD_MM = 97.0, 25.0
_AROUND_ED = 0.04
_CLEAR_CONTRAST = 0.10
_MOVES = 0.06
_IN_SHADOW = 0.15, 0.35
"""Of the bright tissue's level: a wall below the first is in a shadow, above the second in none."""

_NO_VALVE, _VALVE_RISE, _NARROWER = 0.8, 0.25, 0.3
_DEGREE, _ROUNDS, _HUBER_MM = 4, 5, 0.7


def find_septum(
    frames: NDArray[np.uint8],
    mm_per_pixel: tuple[float, float],
    sector: NDArray[np.bool_],
    ed_frame: int,
) -> Septum:
    """Find the septum of an apical four-chamber loop in its standard orientation.

    Parameters
    ----------
    frames : ndarray, shape (n_frames, n_rows, n_columns)
        About one cycle, apex at the top, left ventricle to the right.
    mm_per_pixel : tuple of float
        Distance of rows, and of columns.
    sector : ndarray of bool, shape (n_rows, n_columns)
        Where the picture is.
    ed_frame : int
        The end-diastolic one of the frames, at which the septum is drawn.

    Returns
    -------
    Septum
        With its confidence, a pure number from 0 to 1: the share of the septum that is brighter
        than blood on both sides by a clear contrast, times how clear it is, how bright beside the
        brightest tissue, how much of it moves, how much a valve stands out beside its base, and
        whether the sector's tip is on top. It is no probability.

    Notes
    -----
    On the clear phantom the line lies within 2 mm of the truth (see the tests). It expects a septum
    within 45° of the vertical and 1 mm pixels to be meaningful; it knows one view only, and on
    another one its confidence, not its line, is the answer.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.integers(0, 255, (6, 120, 120), dtype=np.uint8)
    >>> found = find_septum(noise, (1.0, 1.0), np.ones((120, 120), bool), 0)
    >>> found.points_px.shape, found.confidence
    ((62, 2), 0.0)
    """
    small = to_millimetres(frames, mm_per_pixel)
    inside = to_millimetres(sector[None].astype(np.uint8) * 255, mm_per_pixel)[0] > 127
    mean, spread = small.mean(axis=0), small.std(axis=0)
    floor = FLOOR_SHARE * float(np.percentile(mean[inside], 95))
    filled = np.flatnonzero(inside.any(axis=1))
    top, depth = int(filled[0]), int(filled[-1] - filled[0])
    rows = top + np.arange(int(_SEARCH[0] * depth), int(_SEARCH[1] * depth) + 1)
    path = best_path(ridge_score(mean, inside, floor)[rows])
    near = max(1, round(_AROUND_ED * len(small)))
    still = small[max(ed_frame - near, 0) : ed_frame + near + 1].mean(axis=0)
    columns = centred(still, rows, ndimage.gaussian_filter1d(path.astype(float), 4.0), floor)
    base, valve = _valve_plane(mean, spread, rows, columns, top, depth, floor)
    apex = _cavity_end(mean, rows, columns, base, floor)
    drawn = (rows <= base) & (rows >= apex)
    rows, columns = rows[drawn], _smooth(rows[drawn], columns[drawn])
    view = _tip_on_top(inside) * float(np.clip((valve - _NO_VALVE) / _VALVE_RISE, 0.0, 1.0))
    confidence = view * _confidence(mean, spread, rows, columns, floor)
    points_mm = np.stack([rows, columns], axis=1)[::-1].astype(np.float64)
    # The centre of a 1 mm pixel lies at +½; so do the original's.
    points_px = (points_mm + 0.5) / np.asarray(mm_per_pixel) - 0.5
    return Septum(resample(points_px, mm_per_pixel), ed_frame, confidence)


def _smooth(rows: NDArray[np.intp], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a curve of the fourth degree through a path, which bright patches pull little.

    Least squares with Huber's weights: single patches of bright speckle, and the leaflet at the
    base, do not bend a septum.
    """
    along = np.linspace(-1.0, 1.0, rows.size)
    weights = np.ones(rows.size)
    for _ in range(_ROUNDS):
        curve = np.polynomial.Polynomial.fit(along, columns, _DEGREE, w=np.sqrt(weights))(along)
        away = np.abs(columns - curve)
        weights = 1.0 / np.maximum(away / _HUBER_MM, 1.0)
    return np.asarray(curve, dtype=np.float64)


def _tip_on_top(inside: NDArray[np.bool_]) -> float:
    """Return 1 where the sector is clearly narrower in its upper third than below, else less."""
    widths = inside.sum(axis=1)[inside.any(axis=1)]
    third = len(widths) // 3
    share = float(widths[:third].mean() / widths[-third:].mean())
    return float(np.clip((1.0 - share) / _NARROWER, 0.0, 1.0))


def _beside(
    picture: NDArray[np.floating],
    rows: NDArray[np.intp],
    columns: NDArray[np.float64],
    band: tuple[int, int],
    sigma: float = 1.5,
) -> NDArray[np.float64]:
    """Return the mean of a band of columns beside the path, by row."""
    offsets = np.arange(band[0], band[1] + 1)
    grid = np.broadcast_arrays(rows[:, None], columns[:, None] + offsets)
    smooth = ndimage.gaussian_filter(picture, sigma)
    beside = ndimage.map_coordinates(smooth, np.stack(grid), order=1)
    return np.asarray(beside.mean(axis=1), dtype=np.float64)


def _valve_plane(
    mean: NDArray[np.float32],
    spread: NDArray[np.float32],
    rows: NDArray[np.intp],
    columns: NDArray[np.float64],
    top: int,
    depth: int,
    floor: float,
) -> tuple[int, float]:
    """Return the row where the anterior mitral leaflet hangs on the septum, and how it stands out.

    Beside the septum there is dark blood in both ventricle and atrium; the leaflet between them is
    bright and moves: how much more so than the ventricle's blood is the second value.
    """
    strip = _beside(mean, rows, columns, (7, 14)) + _beside(spread, rows, columns, (7, 14))
    likely = np.exp(-0.5 * ((rows - top - _VALVE_MM) / _VALVE_SPREAD_MM) ** 2)
    share = (rows - top) / depth
    within = (share >= _VALVE[0]) & (share <= _VALVE[1])
    at = int(np.where(within, strip * likely, 0.0).argmax())
    base = int(rows[at])
    above = strip[(rows < base - 12) & (rows > base - 55)]
    blood = float(np.median(above)) if above.size else float(strip[at])
    return base, float(strip[at]) / (blood + floor)


def _cavity_end(
    mean: NDArray[np.float32],
    rows: NDArray[np.intp],
    columns: NDArray[np.float64],
    base: int,
    floor: float,
) -> int:
    """Return the row above which there is no cavity beside the septum any more."""
    wall = _beside(mean, rows, columns, (0, 0), 2.0)
    clear = contrast(wall, _beside(mean, rows, columns, (7, 14)), floor)
    low, high = (base - round(length) for length in LENGTH_MM)
    usual = clear[(rows < base - 12) & (rows > base - 55)]
    if not usual.size:
        return max(low, int(rows[0]))
    filled = rows[(clear < 0.5 * np.median(usual)) & (rows < base - 40)]
    end = int(filled[-1]) + 1 if filled.size else high
    return int(np.clip(end, max(high, rows[0]), max(low, rows[0])))


def _confidence(
    mean: NDArray[np.float32],
    spread: NDArray[np.float32],
    rows: NDArray[np.intp],
    columns: NDArray[np.float64],
    floor: float,
) -> float:
    """Return 0 to 1, on the lower two thirds, where there is a right ventricle on the left."""
    lower = rows >= rows[0] + len(rows) // 3
    rows, columns = rows[lower], columns[lower]
    wall = _beside(mean, rows, columns, (-2, 2))
    right = contrast(wall, _beside(mean, rows, columns, LV_MM), floor)
    left = contrast(wall, _beside(mean, rows, columns, RV_MM), floor)
    weaker = np.minimum(left, right)
    share = float((weaker > 0.3 * _CLEAR_CONTRAST).mean())
    clarity = float(np.clip(np.median(weaker) / _CLEAR_CONTRAST, 0.0, 1.0))
    moves = _beside(spread, rows, columns, (-6, 6)) / (wall + floor)
    # In a shadow the brightest ridge is the wall's edge.
    dark, bright = _IN_SHADOW
    level = float(np.median(wall)) * FLOOR_SHARE / max(floor, 1e-6)
    lit = float(np.clip((level - dark) / (bright - dark), 0.0, 1.0))
    return share * clarity * lit * float(np.clip(np.median(moves) / _MOVES, 0.0, 1.0))
