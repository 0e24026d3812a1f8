"""Frames of a loop that are worth a look: its ends, end-diastole, and about end-systole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FIRST, LAST, MIDDLE = "first frame", "last frame", "middle"
END_DIASTOLE, END_SYSTOLE = "end-diastole (R)", "about end-systole"


def systole_ms(heart_rate_bpm: float) -> float:
    """Return how long after R systole ends, by the heart rate alone.

    Notes
    -----
    Electromechanical systole, QS2 = 546 - 2.1 HR (men) and 549 - 2.0 HR (women); that of men is
    taken for everybody: Weissler AM et al., Circulation 1968;37:149.

    Examples
    --------
    >>> systole_ms(60.0)
    420.0
    """
    return 546.0 - 2.1 * heart_rate_bpm


def moments_of(
    times_ms: NDArray[np.floating], r_times_ms: NDArray[np.floating] | None, heart_rate_bpm: float
) -> list[tuple[int, str]]:
    """Return four frames with what each is, in the order of time.

    Parameters
    ----------
    times_ms : ndarray, shape (n_frames,)
        Ascending from 0.
    r_times_ms : ndarray or None
        R peaks from the first frame. Without one, or without a heart rate, frames are shown at
        thirds of the loop.
    heart_rate_bpm : float
        NaN where unknown.

    Examples
    --------
    >>> moments_of(np.arange(40) * 25.0, np.array([100.0]), 60.0)
    [(0, 'first frame'), (4, 'end-diastole (R)'), (21, 'about end-systole'), (39, 'last frame')]
    """
    n = len(times_ms)
    between = [(n // 3, MIDDLE), (2 * n // 3, MIDDLE)]
    if r_times_ms is not None and len(r_times_ms) and np.isfinite(heart_rate_bpm):
        diastole_ms = float(r_times_ms[0])
        systole = diastole_ms + systole_ms(heart_rate_bpm)
        if systole > times_ms[-1]:  # the beat before ends within the loop
            systole -= 60_000.0 / heart_rate_bpm
        if systole >= 0:
            near = [
                int(np.abs(np.asarray(times_ms) - at).argmin()) for at in (diastole_ms, systole)
            ]
            between = list(zip(near, (END_DIASTOLE, END_SYSTOLE), strict=True))
    return sorted([(0, FIRST), *between, (n - 1, LAST)], key=lambda one: one[0])
