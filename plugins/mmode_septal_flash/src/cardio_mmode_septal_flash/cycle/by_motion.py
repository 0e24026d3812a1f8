"""A cycle without R peaks: the distance at which the pictures of a loop repeat themselves."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_ultrasound import Loop

MOST_FRAMES = 400
"""Faster or longer loops are thinned out, so that memory stays bounded."""

RR_MS = (300.0, 2000.0)
"""How long a beat can be."""

SLOWEST_MS = 1500.0
"""The longest beat that is looked for in the motion: 40 a minute."""

_SMALL = 48
_REPEATS = 0.75
_COMES_BACK = 0.6
_FEWEST_FRAMES = 10


def cycle_by_motion(loop: Loop) -> tuple[float, float]:
    """Return begin and length of a cycle in ms from how alike frames are.

    It begins with the darkest picture, as blood is dark; a loop that repeats nothing is taken as
    one cycle if it is as long as one. Where nobody confirms the times, a beat may take as many
    frames as it likes, and a loop that ends as it begins is one cycle.

    Raises
    ------
    DataError
        Nothing repeats itself, and the loop is not one cycle.
    """
    step = -(-loop.n_frames // MOST_FRAMES)
    small = np.stack([_small(frame, loop) for frame in loop.frames(step=step)])
    times = loop.frame_times_ms[::step]
    step_ms = float(np.median(np.diff(times)))
    dark = small.mean(axis=1)
    known = loop.time_source != "unconfirmed"
    limits_ms = (400.0, min(SLOWEST_MS, times[-1] - 100))
    if not known:
        limits_ms = (_FEWEST_FRAMES * step_ms / step, times[-1] - 3 * step_ms)
    found = _repeats(small, dark, times, step_ms, *limits_ms)
    if found is not None:
        return found
    whole_ms = loop.duration_ms + step_ms / step
    if not known:
        apart = np.abs(small - small[0]).mean(axis=1)
        if apart[-1] < _COMES_BACK * apart.max():
            return 0.0, whole_ms
    if not RR_MS[0] <= whole_ms <= RR_MS[1]:
        raise DataError(
            f"{loop.name}: expected R peaks, or motion that repeats itself, found neither in "
            f"{loop.duration_ms:.0f} ms; state r_times_ms in the JSON beside the file"
        )
    return 0.0, whole_ms


def _repeats(
    small: NDArray[np.float32],
    dark: NDArray[np.float32],
    times: NDArray[np.float64],
    step_ms: float,
    shortest_ms: float,
    longest_ms: float,
) -> tuple[float, float] | None:
    """Return begin and length of the cycle after which frames are most alike; None of none."""
    lags = np.arange(round(0.5 + shortest_ms / step_ms), round(longest_ms / step_ms) + 1)
    if lags.size:
        apart = np.array([np.abs(small[lag:] - small[:-lag]).mean() for lag in lags])
        usual = float(np.mean([np.abs(small - np.roll(small, n, axis=0)).mean() for n in (3, 7)]))
        best = int(apart.argmin())
        if apart[best] < _REPEATS * max(usual, float(np.median(apart))):
            lag = int(lags[best])
            start = int(dark[: len(dark) - lag].argmin())
            return float(times[start]), lag * step_ms
    return None


def _small(frame: NDArray[np.uint8], loop: Loop) -> NDArray[np.float32]:
    part = frame if loop.region is None else frame[loop.region.window]
    tiny = cv2.resize(part, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
    return np.asarray(tiny, dtype=np.float32).ravel()
