"""Two fans on one screen: what lies between their tips is dark, and narrows with depth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GAP_SHARE, _ROWS_SHARE = 0.08, 0.1
_MIDDLE = (0.25, 0.75)
_NARROWS = -0.8


def two_fans(solid: NDArray[np.bool_]) -> bool:
    """Say whether a picture is of two fans beside each other, apart or in touch.

    From row to row the widest dark gap between lit pixels is followed. Between two fans it lies in
    the middle and narrows as their edges come together; behind a shadow it widens, as beams do.

    Parameters
    ----------
    solid : ndarray of bool, shape (n_rows, n_columns)
        What belongs to the picture.

    Examples
    --------
    >>> rows, columns = np.indices((120, 260))
    >>> def fan(tip):
    ...     angle = np.arctan2(columns - tip, rows - 2)
    ...     return (np.abs(angle) < 0.6) & (np.hypot(columns - tip, rows - 2) < 100)
    >>> two_fans(fan(80) | fan(170)), two_fans(fan(130))
    (True, False)
    >>> shadow = np.abs(np.arctan2(columns - 130, rows - 2)) < 0.1
    >>> two_fans(fan(130) & ~shadow)
    False
    """
    # Between two fans it is open to the sky; a cavity that narrows with depth lies under tissue.
    solid = np.logical_or.accumulate(solid, axis=0)
    rows = np.flatnonzero(solid.any(axis=1))
    columns = np.flatnonzero(solid.any(axis=0))
    if not rows.size:
        return False
    width = int(columns[-1] - columns[0] + 1)
    found = [gap for row in rows if (gap := _widest_gap(solid[row])) is not None]
    gaps = np.array([(size, middle) for size, middle in found], dtype=np.float64).reshape(-1, 2)
    places = (gaps[:, 1] - columns[0]) / width
    wide = (gaps[:, 0] > _GAP_SHARE * width) & (places > _MIDDLE[0]) & (places < _MIDDLE[1])
    # From the first wide gap to where it closes; between the arcs below it may open again.
    first = int(wide.argmax()) if wide.any() else 0
    end = first + int((~wide[first:]).argmax()) if (~wide[first:]).any() else len(wide)
    run = gaps[first:end, 0]
    if not wide.any() or len(run) < max(_ROWS_SHARE * rows.size, 3) or np.ptp(run) == 0:
        return False
    return bool(np.corrcoef(np.arange(len(run)), run)[0, 1] < _NARROWS)


def _widest_gap(row: NDArray[np.bool_]) -> tuple[int, float] | None:
    """Return the width and the middle of the widest dark run between lit pixels."""
    lit = np.flatnonzero(row)
    if lit.size < 2:
        return (0, float(lit.mean())) if lit.size else None
    steps = np.diff(lit)
    place = int(steps.argmax())
    return int(steps[place] - 1), float(lit[place] + lit[place + 1]) / 2
