"""R peaks from the ECG that a scanner drew into the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cardio_core.ultrasound.drawn.beat_marks import BeatMarks, beat_marks
from cardio_core.ultrasound.drawn.course import Course, Kind, course_of
from cardio_core.ultrasound.drawn.r_waves import r_waves
from cardio_core.ultrasound.drawn.strips import inks_of, strips_of
from cardio_core.ultrasound.loops.loop import Loop

_MIN_FRAMES = 8
_SAME_FRAMES = 1.6


@dataclass(frozen=True, eq=False)
class DrawnEcg:
    """What the drawn trace of a loop says.

    Attributes
    ----------
    r_times_ms : ndarray
        R peaks within the loop, from the first frame, ascending.
    kind : {"standing", "running"}
        Whether the trace stands, or is drawn anew in its place, or runs to the left.
    ms_per_px : float
        Paper speed.
    confidence : float
        0 to 1: how well the movement of the trace, or of its cursor, agrees with one speed.
    marked : bool
        Whether every mark of a beat that the scanner drew is one of them, or they are the marks.
    """

    r_times_ms: NDArray[np.float64]
    kind: Kind
    ms_per_px: float
    confidence: float
    marked: bool = False


def read_drawn_ecg(loop: Loop, outside: NDArray[np.bool_]) -> DrawnEcg | None:
    """Read the R peaks of the ECG that is drawn into a loop.

    Parameters
    ----------
    loop : Loop
        With its frame times.
    outside : ndarray of bool, shape (n_rows, n_columns)
        Where a trace may be drawn: not in the sector.

    Returns
    -------
    DrawnEcg or None
        None where there is no trace, where it tells no time, or where it has no R peaks that stand
        out, and no beat is marked: nothing is guessed. Marks of beats confirm the trace, and stand
        in for one that tells nothing.
    """
    if loop.n_frames < _MIN_FRAMES:
        return None
    inks = np.stack([inks_of(rgb, outside) for rgb in loop.frames(colour=True)])
    best: DrawnEcg | None = None
    steadiest: Course | None = None
    for strip in strips_of(inks):
        course = course_of(strip, loop.frame_times_ms)
        if course is None:
            continue
        if steadiest is None or course.agree > steadiest.agree:
            steadiest = course
        if best is not None and best.confidence >= course.agree:
            continue
        times = r_waves(course)
        times = times[(times >= loop.frame_times_ms[0]) & (times <= loop.frame_times_ms[-1])]
        if times.size:
            best = DrawnEcg(times, course.kind, course.ms_per_px, round(course.agree, 3))
    return _with_marks(best, beat_marks(inks, loop.frame_times_ms, steadiest), loop, steadiest)


def _with_marks(
    traced: DrawnEcg | None, marks: BeatMarks | None, loop: Loop, course: Course | None
) -> DrawnEcg | None:
    """Return what the trace says, and whether marks confirm it, or else what marks say."""
    if marks is None:
        return traced
    step_ms = float(np.median(np.diff(loop.frame_times_ms)))
    if traced is not None:
        away = np.abs(traced.r_times_ms - marks.r_times_ms[:, None]).min(axis=1)
        return replace(traced, marked=bool((away <= _SAME_FRAMES * step_ms).all()))
    if marks.px_per_frame:
        kind: Kind = "running"
        ms_per_px = step_ms / marks.px_per_frame
    else:
        kind, ms_per_px = "standing", course.ms_per_px if course is not None else float("nan")
    return DrawnEcg(marks.r_times_ms, kind, ms_per_px, marks.agree, marked=True)
