"""The scan line of an M-mode: where it crosses the septum, and on which side the LV lies."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_stats.errors import DataError

MIN_REACH_MM = 15.0
"""A line that leaves the sector before it has gone this far into the left ventricle shows none."""

_STEP_MM = 0.25


@dataclass(frozen=True)
class ScanLine:
    """A straight line across the septum.

    Attributes
    ----------
    centre_px : tuple of float
        (row, column) of the septum's point, in pixels from the centre of pixel (0, 0).
    normal : tuple of float
        Unit vector (down, right) in mm, towards the left ventricle.
    from_mm, to_mm : float
        Ends along `normal` from the centre; the first is negative, in the right ventricle.
    """

    centre_px: tuple[float, float]
    normal: tuple[float, float]
    from_mm: float
    to_mm: float

    def mm_per_row(self, n_rows: int) -> float:
        """Return the distance of neighbouring rows of an M-mode of `n_rows`."""
        return (self.to_mm - self.from_mm) / (n_rows - 1)

    def places_px(self, n_rows: int, mm_per_pixel: tuple[float, float]) -> NDArray[np.float64]:
        """Return (row, column) of every row of the M-mode, shape (n_rows, 2).

        Examples
        --------
        >>> line = ScanLine((50.0, 40.0), (0.0, 1.0), -30.0, 60.0)
        >>> line.places_px(4, (0.5, 0.5)).tolist()
        [[50.0, -20.0], [50.0, 40.0], [50.0, 100.0], [50.0, 160.0]]
        """
        at_mm = np.linspace(self.from_mm, self.to_mm, n_rows)
        per_mm = np.asarray(self.normal) / np.asarray(mm_per_pixel)
        return np.asarray(np.asarray(self.centre_px) + at_mm[:, None] * per_mm)


def scan_line(
    septum_px: NDArray[np.floating],
    mm_per_pixel: tuple[float, float],
    sector: NDArray[np.bool_],
    *,
    first_point: int = 10,
    last_point: int = 20,
    rv_mm: float = 30.0,
    lv_left: bool = False,
) -> ScanLine:
    """Return the line on the middle point between two points of the septum.

    Parameters
    ----------
    septum_px : ndarray, shape (62, 2)
        (row, column) of equidistant points from base to apex.
    mm_per_pixel : tuple of float
        Distance of rows, and of columns.
    sector : ndarray of bool, shape (n_rows, n_columns)
        Where the picture is.
    first_point, last_point : int
        Counted from 1. The line stands on the point halfway: the 15th of 10 and 20.
    rv_mm : float
        Reach into the right ventricle.
    lv_left : bool
        The left ventricle lies to the left of the septum: a mirrored view.

    Returns
    -------
    ScanLine
        To the sector's edge in the left ventricle.

    Raises
    ------
    DataError
        The points are one place, or the line has left the sector before `MIN_REACH_MM`.

    Examples
    --------
    >>> septum = np.stack([np.linspace(90, 29, 62), np.full(62, 40.0)], axis=1)  # straight up
    >>> scan_line(septum, (1.0, 1.0), np.ones((100, 100), bool))
    ScanLine(centre_px=(76.0, 40.0), normal=(0.0, 1.0), from_mm=-30.0, to_mm=59.0)
    """
    tangent = (septum_px[last_point - 1] - septum_px[first_point - 1]) * np.asarray(mm_per_pixel)
    length = float(np.hypot(*tangent))
    if not length > 0:
        raise DataError(
            f"septum: expected points {first_point} and {last_point} at two places, found one; "
            "draw the septum again"
        )
    down, right = tangent / length
    normal = np.array([right, -down])  # tangent turned by 90 degrees
    # In the standard view the left ventricle is to the right of the septum.
    if (normal[1] < 0) != lv_left:
        normal = -normal
    centre = septum_px[centre_index(first_point, last_point)]
    to_mm = _reach_mm(centre, normal, mm_per_pixel, sector)
    if to_mm < MIN_REACH_MM:
        raise DataError(
            f"septum: expected {MIN_REACH_MM:g} mm of sector from it towards the left ventricle, "
            f"found {max(to_mm, 0.0):.0f} mm; draw it in this loop's own pixels, base first"
        )
    down, right = (float(part) + 0.0 for part in normal)
    return ScanLine((float(centre[0]), float(centre[1])), (down, right), -rv_mm, to_mm)


def centre_index(first_point: int, last_point: int) -> int:
    """Return the index from 0 of the point halfway between two that are counted from 1.

    Examples
    --------
    >>> centre_index(10, 20)
    14
    """
    return (first_point + last_point) // 2 - 1


def shifted_lines(
    line: ScanLine, septum_px: NDArray[np.floating], centre: int, max_shift: int
) -> dict[int, ScanLine]:
    """Return the line on neighbouring points of the septum, with the same normal and ends.

    Parameters
    ----------
    line : ScanLine
        On point `centre`.
    septum_px : ndarray, shape (62, 2)
        (row, column), base to apex.
    centre : int
        Index from 0 of the point that `line` stands on.
    max_shift : int
        Points towards the base (negative) and towards the apex.

    Returns
    -------
    dict of int to ScanLine
        By shift, 0 first, then -1, 1, -2 ... where the septum has such a point.

    Examples
    --------
    >>> septum = np.stack([np.linspace(90, 29, 62), np.full(62, 40.0)], axis=1)
    >>> line = ScanLine((76.0, 40.0), (0.0, 1.0), -30.0, 59.0)
    >>> {shift: one.centre_px[0] for shift, one in shifted_lines(line, septum, 14, 1).items()}
    {0: 76.0, -1: 77.0, 1: 75.0}
    """
    shifts = [0, *(sign * by for by in range(1, max_shift + 1) for sign in (-1, 1))]
    return {
        shift: replace(line, centre_px=(float(row), float(column)))
        for shift in shifts
        if 0 <= centre + shift < len(septum_px)
        for row, column in [septum_px[centre + shift]]
    }


def _reach_mm(
    centre: NDArray[np.floating],
    normal: NDArray[np.float64],
    mm_per_pixel: tuple[float, float],
    sector: NDArray[np.bool_],
) -> float:
    """Return how far from the centre the line stays in the sector."""
    longest = float(np.hypot(*(np.asarray(sector.shape) * mm_per_pixel)))
    at_mm = np.arange(0.0, longest, _STEP_MM)
    places = centre + at_mm[:, None] * normal / np.asarray(mm_per_pixel)
    within = ((places >= 0) & (places <= np.asarray(sector.shape) - 1)).all(axis=1)
    inside = np.zeros(at_mm.size, dtype=bool)
    inside[within] = sector[tuple(np.rint(places[within]).astype(np.intp).T)]
    return float(at_mm[-1] if inside.all() else at_mm[inside.argmin()] - _STEP_MM)


MIRRORED = "mirrored view: left ventricle to the left of the septum"
UNSURE = "the septum's shape and the ventricles' widths disagree on the side of the left ventricle"

LATERAL = "a cavity as wide as the left ventricle lies on its left, and none on its right"
"""So lies the lateral wall: what a line that was found on it would be flagged for."""

_SIDE_STEP_MM, _REACH_MM, _SHORT_MM = 0.5, 70.0, 20.0
_BOWED, _WIDER, _FAR_WIDER = 0.02, 1.25, 1.6
_LV_MM = 32.0
DISAGREE = 0.6
"""Trust in a side for which one sign speaks, and one against it."""

_UNKNOWN, _AGAINST, _ELSEWHERE = 0.85, 0.3, 0.3


def side_of_lv(
    mean: NDArray[np.floating],
    septum_px: NDArray[np.floating],
    line: ScanLine,
    mm_per_pixel: tuple[float, float],
) -> tuple[bool, tuple[str, ...]]:
    """Tell whether the left ventricle lies on the negative side of a line, against the standard.

    Two signs are looked at: at end-diastole the septum bows towards the right ventricle, and the
    left ventricle's cavity is the wider one where both free walls are seen. The standard
    orientation is given up where both speak against it, or where the septum is straight and the
    other cavity is far wider.

    Parameters
    ----------
    mean : ndarray, shape (n_rows, n_columns)
        Mean of the frames.
    septum_px : ndarray, shape (n, 2)
        (row, column) from base to apex.
    line : ScanLine
        Its positive end lies where the standard orientation has the left ventricle.
    mm_per_pixel : tuple of float
        Distance of rows, and of columns.

    Returns
    -------
    against : bool
        Whether both signs speak against the standard.
    flags : tuple of str
        Empty, `MIRRORED`, `UNSURE` where one sign speaks for it and one against, or `LATERAL`.
    """
    return _Side.of(mean, septum_px, line, mm_per_pixel).told


def trust_of_side(
    mean: NDArray[np.floating],
    septum_px: NDArray[np.floating],
    line: ScanLine,
    mm_per_pixel: tuple[float, float],
) -> tuple[float, float]:
    """Return from 0 to 1 how far signs agree on the side of a line's positive end, and on walls.

    Arguments are those of `side_of_lv`. The first is 1 where at least one sign speaks for that side
    and none against it, the second lower where one cavity has no wall that ends it.
    """
    side = _Side.of(mean, septum_px, line, mm_per_pixel)
    signs = side.bow + side.width
    if side.against:
        agrees = _AGAINST
    elif side.bow * side.width < 0:
        agrees = DISAGREE
    else:
        agrees = 1.0 if signs > 0 else _UNKNOWN if signs == 0 else DISAGREE
    return agrees, _ELSEWHERE if side.lateral else 1.0


@dataclass(frozen=True)
class _Side:
    """The two signs: 1 for the positive end, -1 against it, 0 unknown; and what they come to."""

    bow: int
    width: int
    against: bool
    lateral: bool

    @classmethod
    def of(
        cls,
        mean: NDArray[np.floating],
        septum_px: NDArray[np.floating],
        line: ScanLine,
        mm_per_pixel: tuple[float, float],
    ) -> _Side:
        bow = _bow(septum_px * np.asarray(mm_per_pixel), np.asarray(line.normal))
        lv_mm, rv_mm = (_cavity_mm(mean, line, mm_per_pixel, sign) for sign in (1.0, -1.0))
        width = _wider(lv_mm, rv_mm)
        far = lv_mm is not None and rv_mm is not None and rv_mm > _FAR_WIDER * lv_mm
        against = bow + width == -2 or (bow == 0 and far)
        lateral = lv_mm is None and rv_mm is not None and rv_mm > _LV_MM
        return cls(bow, width, against, lateral and not against)

    @property
    def told(self) -> tuple[bool, tuple[str, ...]]:
        if self.against:
            return True, (MIRRORED,)
        if self.lateral:
            return False, (LATERAL,)
        return False, (UNSURE,) if self.bow * self.width == -1 else ()


def _bow(septum_mm: NDArray[np.floating], normal: NDArray[np.float64]) -> int:
    """Return 1 where the septum bows away from the line's positive end, -1 towards it, 0 neither.

    The lower two thirds are looked at: every septum turns at the apex.
    """
    lower = septum_mm[: 2 * len(septum_mm) // 3]
    chord = lower[-1] - lower[0]
    length = float(np.hypot(*chord))
    square = np.array([chord[1], -chord[0]]) / max(length, 1e-9)
    square *= np.sign(square @ normal) or 1.0
    bow = float(((lower - lower[0]) @ square).mean()) / max(length, 1e-9)
    return 0 if abs(bow) < _BOWED else -int(np.sign(bow))


def _wider(lv_mm: float | None, rv_mm: float | None) -> int:
    """Return 1 where the cavity at the positive end is clearly wider, -1 the other, 0 unknown."""
    if lv_mm is None or rv_mm is None:
        return 0
    ratio = lv_mm / rv_mm
    return 1 if ratio > _WIDER else -1 if ratio < 1 / _WIDER else 0


def _cavity_mm(
    mean: NDArray[np.floating], line: ScanLine, mm_per_pixel: tuple[float, float], sign: float
) -> float | None:
    """Return the width of the dark stretch beside the septum; None where no wall ends it."""
    at_mm = np.arange(0.0, _REACH_MM, _SIDE_STEP_MM)
    per_mm = sign * np.asarray(line.normal) / np.asarray(mm_per_pixel)
    places = (np.asarray(line.centre_px) + at_mm[:, None] * per_mm).T
    smooth = ndimage.gaussian_filter(mean.astype(np.float64), 1.0 / np.asarray(mm_per_pixel))
    profile = ndimage.map_coordinates(smooth, places, order=1, mode="constant")
    near = at_mm <= _SHORT_MM
    wall, blood = float(profile[at_mm <= 2.0].mean()), float(profile[near].min())
    bright = profile > 0.5 * (wall + blood)
    begin = int((~bright).argmax())
    again = np.flatnonzero(bright[begin:])
    if bright[begin] or not again.size:
        return None
    return float(again[0]) * _SIDE_STEP_MM
