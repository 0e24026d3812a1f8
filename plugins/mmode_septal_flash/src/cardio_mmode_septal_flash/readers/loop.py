"""A loop and what belongs to it: its R peaks, and the septum that a person drew.

The septum's file is JSON: ``{"points_px": [[row, column], ...], "frame": n}``, base first, in
pixels of the whole picture counted from 0 at the centre of the first pixel, at frame ``n`` counted
from 0, which may be left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_ultrasound import (
    N_POINTS,
    Loop,
    LoopFacts,
    Septum,
    nameless,
    read_loop,
    read_r_times,
    resample,
    sidecar_of,
)

SQUARE = (1.0, 1.0)
"""Distances of rows and columns where nothing says them: pixels of videos are square."""

MIN_POINTS = 20
"""The line is read off points 10 and 20 of 62; fewer drawn points than this do not say how the
septum runs between them."""

_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class LoopFiles:
    """The files of one loop.

    Attributes
    ----------
    loop : Path
        The recording.
    septum, r_peaks : Path or None
        JSON files that belong to it.
    stated : LoopFacts
        What is stated of it beside its file.
    """

    loop: Path
    septum: Path | None = None
    r_peaks: Path | None = None
    stated: LoopFacts = field(default_factory=LoopFacts)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Everything that decides what is made of the loop."""
        sidecar = sidecar_of(self.loop)
        found = (self.septum, self.r_peaks, sidecar if sidecar.is_file() else None)
        return (self.loop, *(path for path in found if path is not None))


@dataclass(frozen=True)
class OpenedLoop:
    """A loop whose frames are not decoded yet, and the septum that somebody drew in it."""

    loop: Loop
    septum: Septum | None


def open_loop(files: LoopFiles) -> OpenedLoop:
    """Open a loop and read its septum; no frame but a few is decoded.

    Raises
    ------
    DataError
        It cannot be used, or it is colour Doppler. The reason goes to the run's outputs and names
        no file.
    """
    try:
        r_times = None if files.r_peaks is None else read_r_times(files.r_peaks)
        loop = read_loop(
            files.loop,
            frame_rate_hz=files.stated.frame_rate_hz,
            r_times_ms=r_times,
            mm_per_pixel=files.stated.mm_per_pixel,
        )
        septum = None
        if files.septum is not None:
            septum = read_septum(files.septum, loop.mm_per_pixel or SQUARE)
    except DataError as error:
        raise DataError(nameless(str(error), *files.paths), code=error.code) from None
    if loop.colour_doppler:
        raise DataError(
            "expected a grey B-mode loop, found colour Doppler, whose colours hide the septum; "
            "choose the clip without colour",
            code="unsupported",
        )
    return OpenedLoop(loop, septum)


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
