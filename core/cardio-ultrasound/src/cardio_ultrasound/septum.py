"""The septum as 62 points: from a file, or found by ridge and motion, with its confidence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_stats.errors import DataError
from cardio_ultrasound.cycle import CycleVolume
from cardio_ultrasound.scan_lines import (
    DISAGREE,
    LATERAL,
    MIRRORED,
    UNSURE,
    scan_line,
    trust_of_side,
)

N_POINTS = 62
OUTSIDE_SHARE = 0.2
"""A septum may stick out of the picture a little at its ends."""


@dataclass(frozen=True, eq=False)
class Septum:
    """Where the septum runs.

    Attributes
    ----------
    points_px : ndarray of float64, shape (62, 2)
        (row, column), base to apex, equidistant in mm.
    frame : int or None
        At which frame of the loop, from 0.
    confidence : float or None
        0 to 1 where it was found in the pictures, None where a person drew it.
    flags : tuple of str
        What a reader of the results should know.
    """

    points_px: NDArray[np.float64]
    frame: int | None = None
    confidence: float | None = None
    flags: tuple[str, ...] = ()


def resample(
    points_px: NDArray[np.floating], mm_per_pixel: tuple[float, float], n_points: int = N_POINTS
) -> NDArray[np.float64]:
    """Return points at equal distances along a polyline.

    Parameters
    ----------
    points_px : ndarray, shape (n, 2)
        (row, column).
    mm_per_pixel : tuple of float
        Distances are taken in mm.
    n_points : int
        How many, the ends among them.

    Returns
    -------
    ndarray of float64, shape (n_points, 2)
        (row, column).

    Examples
    --------
    >>> corner = np.array([[0.0, 0.0], [0.0, 3.0], [3.0, 3.0]])
    >>> resample(corner, (1.0, 1.0), 4).tolist()
    [[0.0, 0.0], [0.0, 2.0], [1.0, 3.0], [3.0, 3.0]]
    """
    steps = np.hypot(*(np.diff(points_px, axis=0) * mm_per_pixel).T)
    arc = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0.0, arc[-1], n_points)
    return np.stack([np.interp(at, arc, points_px[:, axis]) for axis in (0, 1)], axis=1)


def require_inside(septum: Septum, sector: NDArray[np.bool_], name: str) -> None:
    """Check that a septum lies in the picture's sector.

    Raises
    ------
    DataError
        More than a fifth of it lies outside.
    """
    nearest = np.rint(septum.points_px).astype(np.intp)
    within = ((nearest >= 0) & (nearest < sector.shape)).all(axis=1)
    inside = np.zeros(len(nearest), dtype=bool)
    inside[within] = sector[tuple(nearest[within].T)]
    share = 1.0 - float(inside.mean())
    if share > OUTSIDE_SHARE:
        raise DataError(
            f"{name}: expected the septum inside the sector, found {100 * share:.0f} % of it "
            "outside; draw it as (row, column) in this loop's own pixels"
        )


WALL_MM = (-3, 3)
RV_MM, LV_MM = (-15, -7), (7, 17)
"""Bands from the middle of the septum: the wall, and blood on either side of it."""

FLOOR_SHARE = 0.08
"""Of the bright tissue's level: contrasts of what is darker than this do not count."""

_ALONG_MM = 2.0
_MIN_COVER = 0.3
_UNKNOWN = -0.3
_RV_LIMIT = 0.4
_WEIGHT = 0.6
_PRIOR_MM, _PRIOR_SPREAD_MM, _PRIOR_WEIGHT = -4.0, 20.0, 0.125
_BEND = 0.25
_MOST_MM = 1000.0


def to_millimetres(
    frames: NDArray[np.uint8], mm_per_pixel: tuple[float, float]
) -> NDArray[np.float32]:
    """Return frames with pixels of 1 mm, as area means: speckle gets weaker.

    Raises
    ------
    DataError
        If no picture of a body measures so much, or so little.

    Examples
    --------
    >>> to_millimetres(np.full((2, 200, 100), 7, np.uint8), (0.5, 0.4)).shape
    (2, 100, 40)
    """
    n_rows, n_columns = frames.shape[1:]
    wide, high = n_columns * mm_per_pixel[1], n_rows * mm_per_pixel[0]
    if not (1 <= wide <= _MOST_MM and 1 <= high <= _MOST_MM):
        raise DataError(
            f"expected a picture of 1 to {_MOST_MM:g} mm, found {wide:.3g} by {high:.3g} mm; "
            "correct the distance of its pixels"
        )
    size = round(wide), round(high)
    small = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]
    return np.stack(small).astype(np.float32)


def contrast(
    wall: NDArray[np.floating], blood: NDArray[np.floating], floor: float
) -> NDArray[np.floating]:
    """Return (wall - blood) / (wall + blood), towards 0 where both are black.

    Examples
    --------
    >>> contrast(np.array([90.0, 2.0]), np.array([10.0, 1.0]), 5.0).round(2).tolist()
    [0.76, 0.12]
    """
    return (wall - blood) / (wall + blood + floor)


def ridge_score(
    picture: NDArray[np.float32], sector: NDArray[np.bool_], floor: float
) -> NDArray[np.float64]:
    """Return how much every pixel looks like the middle of the septum.

    Parameters
    ----------
    picture : ndarray, shape (n_rows, n_columns)
        Mean of the frames, pixels of 1 mm.
    sector : ndarray of bool
        The same shape.
    floor : float
        See `contrast`.

    Returns
    -------
    ndarray of float64
        Brighter than the left ventricle's blood to its right and the right one's to its left, with
        a weak preference for the middle of the sector; -1 outside it.
    """
    wall, rv, lv = (_band(picture, sector, *ends) for ends in (WALL_MM, RV_MM, LV_MM))
    right = np.nan_to_num(contrast(wall, lv, floor), nan=_UNKNOWN)
    left = np.nan_to_num(contrast(wall, rv, floor), nan=_UNKNOWN)
    first = np.flatnonzero(sector.any(axis=1))[0]
    tip = np.flatnonzero(sector[first + 2]).mean()
    away = (np.arange(picture.shape[1]) - tip - _PRIOR_MM) / _PRIOR_SPREAD_MM
    score = _WEIGHT * (right + np.minimum(left, _RV_LIMIT)) - _PRIOR_WEIGHT * away**2
    return np.where(sector, score, -1.0)


def best_path(score: NDArray[np.float64], bend: float = _BEND) -> NDArray[np.intp]:
    """Return the column in every row of the path with the highest total score.

    Dynamic programming over columns and slopes of -1, 0 and 1; a change of slope costs `bend`.

    Examples
    --------
    >>> score = np.zeros((5, 9))
    >>> score[[0, 1, 2, 3, 4], [3, 3, 4, 5, 5]] = 1.0
    >>> best_path(score, bend=0.1).tolist()
    [3, 3, 4, 5, 5]
    """
    n_rows, n_columns = score.shape
    slopes = np.array([-1, 0, 1])
    columns = np.arange(n_columns)
    total = np.repeat(score[0][:, None], 3, axis=1)
    came_from = np.zeros((n_rows, n_columns, 3), dtype=np.intp)
    bends = bend * np.abs(slopes[:, None] - slopes)
    for row in range(1, n_rows):
        at = np.full_like(total, -np.inf)
        for index, slope in enumerate(slopes):
            source = columns - slope
            there = (source >= 0) & (source < n_columns)
            options = total[source[there]] - bends[index]
            came_from[row, there, index] = options.argmax(axis=1)
            at[there, index] = options.max(axis=1)
        total = at + score[row][:, None]
    column, index = (int(place) for place in np.unravel_index(total.argmax(), total.shape))
    path = [column]
    for row in range(n_rows - 1, 0, -1):
        before = int(came_from[row, column, index])
        column, index = column - int(slopes[index]), before
        path.append(column)
    return np.array(path[::-1])


def centred(
    picture: NDArray[np.float32], rows: NDArray[np.intp], path: NDArray[np.float64], floor: float
) -> NDArray[np.float64]:
    """Move a path to the middle between the two edges of the wall that it lies on.

    Parameters
    ----------
    picture : ndarray, shape (n_rows, n_columns)
        Mean of frames around one moment, pixels of 1 mm.
    rows : ndarray of int, shape (n,)
        Consecutive rows.
    path : ndarray of float64, shape (n,)
        A column in each.
    floor : float
        See `contrast`.

    Returns
    -------
    ndarray of float64, shape (n,)
        Columns, at most 6 mm away; smooth over 6 mm.
    """
    per_mm, reach, flank = 2, 16, 8
    smooth = ndimage.gaussian_filter(picture, (2.5, 1.0))
    offsets = np.arange(-reach, reach + 0.01, 1.0 / per_mm)
    grid = np.broadcast_arrays(rows[:, None], path[:, None] + offsets)
    profile = ndimage.map_coordinates(smooth, np.stack(grid), order=1)
    sums = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(profile, axis=1)], axis=1)
    middle, shifts = reach * per_mm, np.arange(-12, 13)
    score = np.full((len(rows), shifts.size), -np.inf)
    for half in (6, 8, 10):  # walls of 6, 8 and 10 mm
        low, high = middle + shifts - half, middle + shifts + half + 1
        wall = (sums[:, high] - sums[:, low]) / (high - low)
        left = (sums[:, low] - sums[:, low - flank]) / flank
        right = (sums[:, high + flank] - sums[:, high]) / flank
        both = np.minimum(contrast(wall, left, floor), 0.5) + np.minimum(
            contrast(wall, right, floor), 0.7
        )
        score = np.maximum(score, both + 0.01 * half)
    chosen = best_path(score - 0.0006 * shifts**2, bend=0.15)
    moved = path + shifts[chosen] / per_mm
    return np.asarray(ndimage.gaussian_filter1d(moved, 6.0, mode="nearest"), dtype=np.float64)


def _band(
    picture: NDArray[np.float32], sector: NDArray[np.bool_], low: int, high: int
) -> NDArray[np.float64]:
    """Return means over columns `low` to `high` from every pixel; NaN where most is outside."""
    inside = sector.astype(np.float64)
    sums = []
    for values in (np.where(sector, picture, 0.0), inside):
        mean = ndimage.uniform_filter1d(values, high - low + 1, axis=1, mode="constant")
        mean = ndimage.gaussian_filter1d(mean, _ALONG_MM, axis=0)
        sums.append(ndimage.shift(mean, (0, -(low + high) / 2), order=1))
    return np.where(sums[1] > _MIN_COVER, sums[0] / np.maximum(sums[1], 1e-3), np.nan)


SURE = 0.5
"""Below this confidence nothing is measured on a line that was found."""

_ALL_BUT_ONE = 0.99
_WORDS = {
    "picture": "how it stands out",
    "side": "side of the left ventricle",
    "wall": "walls around it",
    "view": "view",
    "motion": "motion",
}


@dataclass(frozen=True)
class Trust:
    """What speaks for a line, each from 0 to 1.

    Attributes
    ----------
    picture : float
        How it stands out, by `find_septum`.
    side : float
        Whether the signs of the left ventricle's side agree.
    wall : float
        Whether ventricles lie on both sides of it.
    view : float
        Whether the loop looks like an apical four-chamber view.
    motion : float
        Whether what was followed on it moves as one wall does.

    Examples
    --------
    >>> Trust(1.0).confidence, Trust(1.0, view=0.999).confidence
    (1.0, 0.99)
    >>> one = Trust(0.9, side=0.85, view=0.3)
    >>> round(one.confidence, 2), round(one.without("view"), 2), one.lowered_by
    (0.23, 0.77, ('how it stands out', 'side of the left ventricle', 'view'))
    """

    picture: float
    side: float = 1.0
    wall: float = 1.0
    view: float = 1.0
    motion: float = 1.0

    @property
    def confidence(self) -> float:
        """The product; 1 only where each of them is."""
        return self.without()

    def without(self, *names: str) -> float:
        """Return the product of the others: a person who states the view answers for it."""
        parts = self._parts(names)
        product = 1.0
        for part in parts.values():
            product *= part
        return product if min(parts.values()) >= 1.0 else min(product, _ALL_BUT_ONE)

    @property
    def lowered_by(self) -> tuple[str, ...]:
        """What lowers it, in words."""
        return tuple(_WORDS[name] for name, part in self._parts(()).items() if part < 1.0)

    def _parts(self, left_out: Collection[str]) -> dict[str, float]:
        names = (field.name for field in fields(self))
        return {name: float(getattr(self, name)) for name in names if name not in left_out}


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


def _band_mean(
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
    sampled = ndimage.map_coordinates(smooth, np.stack(grid), order=1)
    return np.asarray(sampled.mean(axis=1), dtype=np.float64)


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
    strip = _band_mean(mean, rows, columns, (7, 14)) + _band_mean(spread, rows, columns, (7, 14))
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
    wall = _band_mean(mean, rows, columns, (0, 0), 2.0)
    clear = contrast(wall, _band_mean(mean, rows, columns, (7, 14)), floor)
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
    wall = _band_mean(mean, rows, columns, (-2, 2))
    right = contrast(wall, _band_mean(mean, rows, columns, LV_MM), floor)
    left = contrast(wall, _band_mean(mean, rows, columns, RV_MM), floor)
    weaker = np.minimum(left, right)
    share = float((weaker > 0.3 * _CLEAR_CONTRAST).mean())
    clarity = float(np.clip(np.median(weaker) / _CLEAR_CONTRAST, 0.0, 1.0))
    moves = _band_mean(spread, rows, columns, (-6, 6)) / (wall + floor)
    # In a shadow the brightest ridge is the wall's edge.
    dark, bright = _IN_SHADOW
    level = float(np.median(wall)) * FLOOR_SHARE / max(floor, 1e-6)
    lit = float(np.clip((level - dark) / (bright - dark), 0.0, 1.0))
    return share * clarity * lit * float(np.clip(np.median(moves) / _MOVES, 0.0, 1.0))


USUAL_DEPTHS_MM = (150.0, 130.0, 170.0)
"""Depths of a sector in which a septum of unknown size is looked for, the likeliest first."""

_CLEARLY, _RIVAL = 0.02, 0.9


def as_deep_as_usual(volume: CycleVolume, sector: NDArray[np.bool_]) -> tuple[CycleVolume, ...]:
    """Return a cycle with pixels as large as sectors of usual depths would make them."""
    rows = np.flatnonzero(sector.any(axis=1))
    n_rows = int(rows[-1] - rows[0]) + 1
    return tuple(
        replace(volume, mm_per_pixel=(depth_mm / n_rows,) * 2) for depth_mm in USUAL_DEPTHS_MM
    )


@dataclass(frozen=True, eq=False)
class PlacedSeptum:
    """A septum that was found, on either side of the left ventricle.

    Attributes
    ----------
    septum : Septum
        In pixels of the volume.
    volume : CycleVolume
        In which it was found, with the size of its pixels.
    trust : Trust
        What speaks for the line, but for view and motion.
    mirrored : bool
        Whether the left ventricle lies to its left.
    flags : tuple of str
        What a reader of the results should know.
    """

    septum: Septum
    volume: CycleVolume
    trust: Trust
    mirrored: bool
    flags: tuple[str, ...]


def place_septum(
    scales: Sequence[CycleVolume], sector: NDArray[np.bool_], ed_frame: int,
    *, first_point: int = 10, last_point: int = 20, rv_mm: float = 30.0,
) -> PlacedSeptum:  # fmt: skip
    """Look for the septum with the left ventricle on either side, and keep what agrees best.

    A picture on whose left the left ventricle lies is looked at in a mirror. The standard side goes
    first where both agree as well, and another side that agrees nearly as well lowers the trust.

    Parameters
    ----------
    scales : sequence of CycleVolume
        One cycle, with the size of its pixels, or several that they may have.
    sector : ndarray of bool, shape (n_rows, n_columns)
        Where the picture is.
    ed_frame : int
        The end-diastolic one of the frames.
    first_point, last_point, rv_mm
        Of the line across it: see `scan_line`.

    Raises
    ------
    DataError
        No septum on either side.
    """
    ends = {"first_point": first_point, "last_point": last_point, "rv_mm": rv_mm}
    best, worth = None, []
    problem: DataError | None = None
    for mirrored in (False, True):
        found = []
        for volume in scales:
            try:
                found.append(_on_side(volume, sector, ed_frame, ends, mirrored=mirrored))
            except DataError as error:
                problem = problem or error
        values = [placed.trust.confidence for placed in found]
        # Of sizes that nobody knows the side has to agree at most.
        worth.append(float(np.mean(values)) if values else 0.0)
        if found and (best is None or worth[1] > worth[0] + _CLEARLY):
            best = found[int(np.argmax(values))]
        if not mirrored and values and min(values) >= 1.0:
            return found[0]
    if best is None:
        raise problem or DataError("expected a septum, found none; draw it and pass --septum")
    if min(worth) > _RIVAL * max(worth):
        best = replace(best, trust=replace(best.trust, side=best.trust.side * _RIVAL))
    return best


def _on_side(
    volume: CycleVolume, sector: NDArray[np.bool_], ed_frame: int, ends: dict[str, float],
    *, mirrored: bool,
) -> PlacedSeptum:  # fmt: skip
    """Find the septum as if the left ventricle lay to its right, or in a mirror to its left."""
    shown, mask = volume.frames, sector
    if mirrored:
        shown, mask = np.ascontiguousarray(shown[..., ::-1]), np.ascontiguousarray(mask[:, ::-1])
    septum = find_septum(shown, volume.mm_per_pixel, mask, ed_frame)
    line = scan_line(septum.points_px, volume.mm_per_pixel, mask, **ends)  # type: ignore[arg-type]
    side, wall = trust_of_side(shown.mean(axis=0), septum.points_px, line, volume.mm_per_pixel)
    trust = Trust(float(septum.confidence or 0.0), side, wall)
    if mirrored:
        points = septum.points_px * (1, -1) + (0, sector.shape[1] - 1)
        septum = replace(septum, points_px=points)
    flags = (MIRRORED,) * mirrored + (UNSURE,) * (side <= DISAGREE)
    return PlacedSeptum(septum, volume, trust, mirrored, flags + (LATERAL,) * (wall < 1.0))
