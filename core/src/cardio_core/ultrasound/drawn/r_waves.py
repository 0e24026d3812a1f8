"""R waves of a drawn trace: tall, narrow, and steeper than all else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.signal import find_peaks

from cardio_core.ultrasound.drawn.course import Course

_REFRACTORY_MS, _LOOK_MS, _BASELINE_MS = 280.0, 60.0, 300.0
_R_SHARE, _STANDS_OUT = 0.5, 3.0
_THICK_PX, _THICK_SHARE, _MIN_R_PX = 6.0, 0.2, 5.0
_QRS_MS = 120.0


def r_waves(course: Course) -> NDArray[np.float64]:
    """Return the moments of a trace's R waves, in ms, ascending; none where nothing stands out.

    A line's deflections from its own course over 300 ms count, the more the steeper the line is
    there, as the strokes of a QRS complex are and T waves are not. Up is where the tallest are.

    Examples
    --------
    >>> at_ms = np.arange(0, 3000.0, 10)
    >>> line = 30 - 20 * np.exp(-(((at_ms % 1000 - 500) / 12) ** 2))
    >>> from cardio_core.ultrasound.drawn.course import Course
    >>> r_waves(Course(at_ms, line, line, 10.0, "running", 1.0)).tolist()
    [500.0, 1500.0, 2500.0]
    """
    upper, lower, ms_per_px = course.upper, course.lower, course.ms_per_px
    nothing = np.zeros(0)
    thick = float(np.median(lower - upper)) + 1
    spread = float(np.percentile(lower, 99) - np.percentile(upper, 1)) + 1
    if thick > max(_THICK_PX, _THICK_SHARE * spread):
        return nothing  # a bar, not a line
    middle = np.median((upper + lower) / 2)
    up, down = middle - upper, lower - middle
    height = up if np.percentile(up, 99) >= np.percentile(down, 99) else down
    wide = max(round(_BASELINE_MS / ms_per_px), 3)
    height = height - ndimage.median_filter(height, wide, mode="nearest")
    steep = ndimage.maximum_filter1d(lower - upper, 3)
    sharp = height * (1 + steep / max(float(np.median(steep)), 1.0))
    tallest = float(np.percentile(sharp, 99.5))
    noise = 1.4826 * float(np.median(np.abs(sharp - np.median(sharp)))) + 1.0
    if tallest < _STANDS_OUT * noise:
        return nothing
    apart = max(round(_REFRACTORY_MS / ms_per_px), 1)
    least = max(_R_SHARE * tallest, _STANDS_OUT * noise)
    places, _ = find_peaks(sharp, height=least, distance=apart)
    look = max(round(_LOOK_MS / ms_per_px), 1)
    peaks = []
    for place in places:
        if not _is_narrow(height, int(place), ms_per_px) or height[place] < _MIN_R_PX:
            continue
        low = max(place - look, 0)
        part = height[low : place + look + 1]
        top = np.flatnonzero(part >= part.max() - 0.5)
        peaks.append(float(course.at_ms[low + round(top.mean())]))
    return np.array(sorted(peaks))


def _is_narrow(height: NDArray[np.float64], place: int, ms_per_px: float) -> bool:
    """Say whether a peak falls to half its height within the time of a QRS complex."""
    reach = max(int(np.ceil(_QRS_MS / ms_per_px)), 2)
    low = height[max(place - reach, 0) : place + 1]
    high = height[place : place + reach + 1]
    top = max(float(low.max()), float(high.max()))
    return bool(low.min() <= top / 2 and high.min() <= top / 2)
