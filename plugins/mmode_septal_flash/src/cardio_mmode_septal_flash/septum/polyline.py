"""The septum as a line of 62 points, from base to apex: from a file, and made equidistant.

The file is JSON: ``{"points_px": [[row, column], ...], "frame": n}``, base first, in pixels of the
whole picture counted from 0 at the centre of the first pixel, at frame ``n`` counted from 0, which
may be left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cardio_core.api import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

N_POINTS = 62
MIN_POINTS = 20
"""The line is read off points 10 and 20 of 62; fewer drawn points than this do not say how the
septum runs between them."""

OUTSIDE_SHARE = 0.2
"""A septum may stick out of the picture a little at its ends."""

_MAX_BYTES = 1_000_000


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


def read_septum(path: Path, mm_per_pixel: tuple[float, float]) -> Septum:
    """Read a septum that a person drew.

    Parameters
    ----------
    path : Path
        The JSON file.
    mm_per_pixel : tuple of float
        Distance of rows, and of columns, of the loop it belongs to.

    Returns
    -------
    Septum
        Resampled to 62 equidistant points; flagged where its first point is above its last, as the
        base lies below the apex in the view that everything here expects.

    Raises
    ------
    DataError
        No such file, another content, or fewer than 20 points.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> file = Path(tempfile.mkdtemp()) / "septum.json"
    >>> _ = file.write_text(json.dumps({"points_px": [[90 - i, 40] for i in range(30)]}))
    >>> read_septum(file, (0.5, 0.5)).points_px[[0, -1]].tolist()
    [[90.0, 40.0], [61.0, 40.0]]
    """
    content = _object(path)
    points = _points(content.get("points_px"), path.name)
    frame = content.get("frame")
    if frame is not None and (not isinstance(frame, int) or isinstance(frame, bool) or frame < 0):
        raise DataError(
            f"{path.name}: expected frame as a number from 0, found another value; correct it"
        )
    upside_down = points[0, 0] < points[-1, 0]
    flags = ("septum runs downwards: is its first point at the base?",) if upside_down else ()
    return Septum(resample(points, mm_per_pixel), frame, flags=flags)


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


def _object(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise DataError(
            f"{path.name}: expected a septum's JSON, found no such file; check the path"
        ) from None
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or "points_px" not in content:
        raise DataError(
            f'{path.name}: expected {{"points_px": [[row, column], ...]}}, found something else; '
            "write it so, base first"
        )
    return content


def _points(value: Any, name: str) -> NDArray[np.float64]:
    try:
        points = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        points = np.empty(0)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise DataError(
            f"{name}: expected points_px as pairs of finite numbers (row, column), found something "
            "else; correct the file"
        )
    if len(points) < MIN_POINTS:
        raise DataError(
            f"{name}: expected at least {MIN_POINTS} points from base to apex, found "
            f"{len(points)}, too few to tell the septum's direction between points 10 and 20 of "
            f"{N_POINTS}; draw it with {N_POINTS}"
        )
    if not np.hypot(*np.ptp(points, axis=0)) > 1:
        raise DataError(f"{name}: expected a line, found one place; draw the septum again")
    return points
