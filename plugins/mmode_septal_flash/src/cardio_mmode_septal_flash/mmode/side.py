"""On which side of the septum the left ventricle lies, as the picture says it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_mmode_septal_flash.mmode.axis import ScanLine

MIRRORED = "mirrored view: left ventricle to the left of the septum"
UNSURE = "the septum's shape and the ventricles' widths disagree on the side of the left ventricle"

LATERAL = "a cavity as wide as the left ventricle lies on its left, and none on its right"
"""So lies the lateral wall: what a line that was found on it would be flagged for."""

_STEP_MM, _REACH_MM, _SHORT_MM = 0.5, 70.0, 20.0
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
    at_mm = np.arange(0.0, _REACH_MM, _STEP_MM)
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
    return float(again[0]) * _STEP_MM
