"""When every frame was acquired.

FrameTime and FrameTimeVector are times of acquisition. CineRate and RecommendedDisplayFrameRate
say how fast a viewer should play, and are not used.

References
----------
DICOM PS3.3 C.7.6.5 (Cine), C.7.6.6 (Multi-frame: frame increment pointer).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.errors import unusable
from cardio_core.ultrasound.loops.loop import TimeSource

MIN_RATE_HZ, MAX_RATE_HZ = 1.0, 2000.0
"""Rates outside are impossible for ultrasound; seconds written for milliseconds come out here."""

IRREGULAR_SHARE = 0.1
"""Distances of frames that differ by more than this share of their median are flagged."""

_VECTOR, _TIME = 0x00181065, 0x00181063
STATE_IT = "state the rate with frame_rate_hz, or in the JSON beside the file"


def times_of_rate(name: str, n_frames: int, frame_rate_hz: float) -> NDArray[np.float64]:
    """Return equal times for a stated rate.

    From 1 to 2000 Hz; times are in ms from the first frame, shape (n_frames,).

    Raises
    ------
    DataError
        A rate outside.

    Examples
    --------
    >>> times_of_rate("a.avi", 3, 50.0)
    array([ 0., 20., 40.])
    """
    if not MIN_RATE_HZ <= frame_rate_hz <= MAX_RATE_HZ:  # NaN is outside as well
        raise unusable(
            name,
            f"{MIN_RATE_HZ:g} to {MAX_RATE_HZ:g} frames a second",
            f"{frame_rate_hz:g}",
            "state the rate of acquisition in Hz, a frame time in ms",
        )
    return np.arange(n_frames, dtype=np.float64) * (1000.0 / frame_rate_hz)


def checked_times(name: str, n_frames: int, times_ms: Sequence[float]) -> NDArray[np.float64]:
    """Check times of frames that a file or a caller states, and begin them at 0.

    Raises
    ------
    DataError
        Not one for every frame, not finite, not ascending, or an impossible rate.

    Examples
    --------
    >>> checked_times("a.npz", 3, [5.0, 25.0, 46.0])
    array([ 0., 20., 41.])
    """
    times = np.asarray(times_ms, dtype=np.float64).ravel()
    if times.size != n_frames:
        raise unusable(
            name, f"{n_frames} frame times, one a frame", f"{times.size}", "correct the times"
        )
    steps = np.diff(times)
    if not np.isfinite(times).all() or not (steps > 0).all():
        raise unusable(
            name, "finite frame times in ascending order, in ms", "others", "correct the times"
        )
    times_of_rate(name, 2, 1000.0 / float(np.median(steps)))  # checks the rate
    from_first: NDArray[np.float64] = times - times[0]
    return from_first


def checked_r_times(name: str, r_times_ms: Sequence[float]) -> NDArray[np.float64]:
    """Check stated R peaks.

    Examples
    --------
    >>> checked_r_times("a.dcm", [80.0, 920.0])
    array([ 80., 920.])
    """
    times = np.asarray(r_times_ms, dtype=np.float64).ravel()
    if not times.size or not np.isfinite(times).all() or not (np.diff(times) > 0).all():
        raise unusable(
            name,
            "R peaks in ascending order, in ms from the first frame",
            "none" if not times.size else "others",
            "correct r_times_ms",
        )
    return times


def header_times(
    dataset: Any, name: str, n_frames: int
) -> tuple[NDArray[np.float64], TimeSource] | None:
    """Read the times of a DICOM loop's frames.

    Returned are times in ms from the first frame, and the element that says them: the one that the
    frame increment pointer names, else the vector, else FrameTime. None where there is neither.

    Raises
    ------
    DataError
        A vector that is not as long as the frames, steps that are not above 0, an impossible rate.
    """
    vector = _numbers(dataset.get("FrameTimeVector"))
    frame_ms = _numbers(dataset.get("FrameTime"))
    pointers = {int(tag) for tag in np.atleast_1d(dataset.get("FrameIncrementPointer") or [])}
    if vector.size > 1 and (_VECTOR in pointers or _TIME not in pointers):
        if vector.size != n_frames:
            length = "longer" if vector.size > n_frames else "shorter"
            raise unusable(
                name,
                f"a frame time vector of {n_frames} numbers",
                f"a {length} one, of {vector.size}",
                "export the loop again",
            )
        # The first number belongs to the first frame and is 0 by the standard.
        return checked_times(name, n_frames, np.r_[0.0, np.cumsum(vector[1:])].tolist()), (
            "FrameTimeVector"
        )
    if frame_ms.size and frame_ms[0] > 0:
        return times_of_rate(name, n_frames, 1000.0 / float(frame_ms[0])), "FrameTime"
    return None


def no_times(name: str, *, with_cine_rate: bool = False) -> Exception:
    """Build the error for a loop that says no time."""
    found = "only a display rate (CineRate)" if with_cine_rate else "none"
    return unusable(name, "the time of every frame", found, STATE_IT)


def irregular(times_ms: NDArray[np.float64]) -> bool:
    """Tell whether the distances of frames differ.

    Examples
    --------
    >>> irregular(np.array([0.0, 20.0, 40.0, 61.0])), irregular(np.array([0.0, 20.0, 60.0]))
    (False, True)
    """
    steps = np.diff(times_ms)
    middle = float(np.median(steps))
    return bool(np.abs(steps - middle).max() > IRREGULAR_SHARE * middle)


def _numbers(value: Any) -> NDArray[np.float64]:
    """Return an element's numbers; none where it is missing or empty."""
    if value is None or value == "":
        return np.empty(0)
    return np.atleast_1d(np.asarray(value, dtype=np.float64))
