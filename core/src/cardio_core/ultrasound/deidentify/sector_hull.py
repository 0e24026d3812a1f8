"""Where in the picture the sector is, whatever its shape: the hull of its pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cardio_core.errors import DataError
from cardio_core.ultrasound.loops.loop import Box

_DARK = 6
_MIN_SHARE = 0.05
_N_FRAMES = 24


def sector_hull(frames: NDArray[np.uint8], region: Box | None = None) -> NDArray[np.bool_]:
    """Find the sector: the convex hull of the largest thing that is not black.

    Text, rulers and traces are thin or stand apart; an opening takes them away. It follows what is
    seen, where `fit_sector` follows a fan: rely on it to measure in, not to take print away.

    Parameters
    ----------
    frames : ndarray, shape (n_frames, n_rows, n_columns)
        A few are looked at.
    region : Box, optional
        Nothing outside is looked at.

    Returns
    -------
    ndarray of bool, shape (n_rows, n_columns)

    Raises
    ------
    DataError
        There is nothing but black, or only small things.

    Examples
    --------
    >>> frames = np.zeros((4, 100, 100), np.uint8)
    >>> rows, columns = np.indices((100, 100))
    >>> frames[:, np.abs(columns - 50) < 0.6 * rows] = 40
    >>> sector = sector_hull(frames)
    >>> bool(sector[80, 50]), bool(sector[10, 10])
    (True, False)
    """
    looked_at = frames[:: max(len(frames) // _N_FRAMES, 1)]
    bright = (looked_at.max(axis=0) > _DARK).astype(np.uint8)
    if region is not None:
        outside = np.ones(bright.shape, dtype=bool)
        outside[region.window] = False
        bright[outside] = 0
    radius = max(round(min(bright.shape) / 100), 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    solid = cv2.morphologyEx(cv2.medianBlur(bright, 5), cv2.MORPH_CLOSE, kernel)
    solid = cv2.morphologyEx(solid, cv2.MORPH_OPEN, kernel)
    n_parts, labels, measured, _ = cv2.connectedComponentsWithStats(solid)
    areas = measured[1:, cv2.CC_STAT_AREA]
    if n_parts < 2 or areas.max() < _MIN_SHARE * bright.size:
        raise DataError(
            "loop: expected a sector of tissue, found pictures that are almost black; "
            "check the clip, or its region"
        )
    # Dropout can part a sector: what is at least a tenth of the largest part belongs to it.
    kept = np.isin(labels, 1 + np.flatnonzero(areas >= 0.1 * areas.max()))
    hull = cv2.convexHull(np.argwhere(kept)[:, ::-1].astype(np.int32))
    filled = cv2.fillConvexPoly(np.zeros(bright.shape, dtype=np.uint8), hull, 1)
    sector: NDArray[np.bool_] = filled.astype(bool)
    return sector
