"""R peaks from the ECG that a scanner drew into the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_core.ultrasound.drawn.course import Kind, course_of
from cardio_core.ultrasound.drawn.r_waves import r_waves
from cardio_core.ultrasound.drawn.strips import inks_of, strips_of
from cardio_core.ultrasound.loops.loop import Loop

_MIN_FRAMES = 8


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
    """

    r_times_ms: NDArray[np.float64]
    kind: Kind
    ms_per_px: float
    confidence: float


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
        out: nothing is guessed.
    """
    if loop.n_frames < _MIN_FRAMES:
        return None
    inks = np.stack([inks_of(rgb, outside) for rgb in loop.frames(colour=True)])
    best: DrawnEcg | None = None
    for strip in strips_of(inks):
        course = course_of(strip, loop.frame_times_ms)
        if course is None or (best is not None and best.confidence >= course.agree):
            continue
        times = r_waves(course)
        times = times[(times >= loop.frame_times_ms[0]) & (times <= loop.frame_times_ms[-1])]
        if times.size:
            best = DrawnEcg(times, course.kind, course.ms_per_px, round(course.agree, 3))
    return best
