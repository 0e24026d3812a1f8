"""One cardiac cycle of a loop: from R peak to R peak, or, without R peaks, from image motion."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError, FeatureSet
from cardio_core.ultrasound import Loop
from cardio_mmode_septal_flash.cycle.volume import CycleVolume

MIN_RATE_HZ, JUDGED_FROM_HZ = 25.0, 50.0
"""Below the first nothing is made of a loop; below the second a flash of 60 ms is three frames or
fewer, and cannot be judged."""

MIN_FRAMES = 10
PAPER_FRAMES = (30, 150)
RR_MS = (300.0, 2000.0)
MOST_FRAMES = 400
"""Faster loops are thinned out, so that memory stays bounded."""

MOST_BYTES = 1_000_000_000
"""Of the frames of one cycle."""

TOO_LOW = "frame rate too low to judge septal flash"
FROM_MOTION = "cycle found in the motion"

_SMALL = 48
_REPEATS = 0.75

UNJUDGED = {
    TOO_LOW: TOO_LOW,
    FROM_MOTION: "without R peaks the cycle is found in the motion, and its times are unknown",
}
"""Flags with which nobody can say whether there is a flash, and why."""


def withheld(flags: tuple[str, ...]) -> tuple[str, ...]:
    """Return the flag that says why there is no verdict, if there is a reason.

    Examples
    --------
    >>> withheld((TOO_LOW, "dim"))
    ('no verdict: frame rate too low to judge septal flash',)
    >>> withheld(("dim",))
    ()
    """
    reasons = [why for flag, why in UNJUDGED.items() if flag in flags]
    return (FeatureSet.NO_VERDICT + " and ".join(reasons),) if reasons else ()


@dataclass(frozen=True)
class Cycle:
    """Which part of a loop is one cycle.

    Attributes
    ----------
    start_ms, rr_ms : float
        Its begin from the first frame, and its length.
    from_motion : bool
        There were no R peaks: the begin is when the heart looks fullest, and no time after it says
        anything about valves.
    flags : tuple of str
        What a reader of the results should know.
    """

    start_ms: float
    rr_ms: float
    from_motion: bool
    flags: tuple[str, ...]


def find_cycle(loop: Loop) -> Cycle:
    """Find one cardiac cycle.

    Parameters
    ----------
    loop : Loop
        With R peaks: of the intervals that lie whole in the loop, the one nearest to their median.
        Without: the distance at which frames repeat themselves, from the darkest picture, as blood
        is dark; a loop that repeats nothing is taken as one cycle if it is as long as one.

    Raises
    ------
    DataError
        Fewer than 25 frames a second or 10 frames, or no cycle.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from cardio_core.ultrasound import read_loop
    >>> file = Path(tempfile.mkdtemp()) / "a.npy"
    >>> np.save(file, np.zeros((60, 40, 30), np.uint8))
    >>> find_cycle(read_loop(file, frame_rate_hz=40, r_times_ms=[50.0, 950.0]))
    Cycle(start_ms=50.0, rr_ms=900.0, from_motion=False, flags=('frame rate too low to judge \
septal flash',))
    """
    if loop.n_frames < MIN_FRAMES:
        raise DataError(
            f"{loop.name}: expected a cardiac cycle of at least {MIN_FRAMES} frames, found a loop "
            f"of {loop.n_frames}; choose a longer clip of this view"
        )
    rate_hz = loop.frame_rate_hz
    if rate_hz < MIN_RATE_HZ - 1e-6:
        raise DataError(
            f"{loop.name}: expected at least {MIN_RATE_HZ:g} frames a second, found {rate_hz:.1f}; "
            "export the loop at the rate of its acquisition"
        )
    flags: tuple[str, ...] = (TOO_LOW,) if rate_hz < JUDGED_FROM_HZ - 1e-6 else ()
    interval = _r_to_r(loop)
    from_motion = interval is None
    start_ms, rr_ms = _by_motion(loop) if interval is None else interval
    if from_motion:
        flags += (FROM_MOTION,)
    times = loop.frame_times_ms
    n_frames = int(((times >= start_ms) & (times < start_ms + rr_ms)).sum())
    if n_frames < MIN_FRAMES:
        raise DataError(
            f"{loop.name}: expected at least {MIN_FRAMES} frames in a cycle, found {n_frames}; "
            "choose a clip of a higher frame rate"
        )
    if not PAPER_FRAMES[0] <= n_frames <= PAPER_FRAMES[1]:
        low, high = PAPER_FRAMES
        flags += (f"cycle outside the paper's {low} to {high} frames",)
    return Cycle(start_ms, rr_ms, from_motion, flags)


def cut_cycle(loop: Loop, cycle: Cycle, mm_per_pixel: tuple[float, float]) -> CycleVolume:
    """Read the frames of a cycle, and one more on both sides where there is one.

    Parameters
    ----------
    loop : Loop
        The loop.
    cycle : Cycle
        Of this loop.
    mm_per_pixel : tuple of float
        Distance of rows, and of columns.

    Returns
    -------
    CycleVolume
        At most 400 frames.

    Raises
    ------
    DataError
        They take more than `MOST_BYTES`.
    """
    times = loop.frame_times_ms
    first = max(int(np.searchsorted(times, cycle.start_ms, side="right")) - 1, 0)
    last = min(int(np.searchsorted(times, cycle.start_ms + cycle.rr_ms)), loop.n_frames - 1)
    step = -(-(last - first + 1) // MOST_FRAMES)
    stop = min(last + step, loop.n_frames)
    n_bytes = len(range(first, stop, step)) * loop.size[0] * loop.size[1]
    if n_bytes > MOST_BYTES:
        raise DataError(
            f"{loop.name}: expected a cycle of at most {MOST_BYTES / 1e9:g} GB, found "
            f"{n_bytes / 1e9:.1f} GB; export the loop in the size of its screen"
        )
    frames = loop.stack(first, stop, step)
    from_start = times[first:stop:step] - cycle.start_ms
    return CycleVolume(frames, from_start, cycle.rr_ms, mm_per_pixel)


def _r_to_r(loop: Loop) -> tuple[float, float] | None:
    """Return begin and length of the most usual interval inside the loop."""
    if loop.r_times_ms is None:
        return None
    r_times = np.asarray(loop.r_times_ms, dtype=np.float64)
    slack_ms = 0.5 * 1000.0 / loop.frame_rate_hz
    starts, lengths = r_times[:-1], np.diff(r_times)
    inside = (starts >= -slack_ms) & (r_times[1:] <= loop.duration_ms + slack_ms)
    inside &= (lengths >= RR_MS[0]) & (lengths <= RR_MS[1])
    if not inside.any():
        return None
    starts, lengths = starts[inside], lengths[inside]
    usual = int(np.abs(lengths - np.median(lengths)).argmin())
    return float(starts[usual]), float(lengths[usual])


def _by_motion(loop: Loop) -> tuple[float, float]:
    """Return begin and length of a cycle from how alike frames are."""
    step = -(-loop.n_frames // MOST_FRAMES)
    small = np.stack([_small(frame, loop) for frame in loop.frames(step=step)])
    times = loop.frame_times_ms[::step]
    step_ms = float(np.median(np.diff(times)))
    dark = small.mean(axis=1)
    lags = np.arange(
        round(0.5 + 400.0 / step_ms), round(min(1500.0, times[-1] - 100) / step_ms) + 1
    )
    if lags.size:
        apart = np.array([np.abs(small[lag:] - small[:-lag]).mean() for lag in lags])
        usual = float(np.mean([np.abs(small - np.roll(small, n, axis=0)).mean() for n in (3, 7)]))
        best = int(apart.argmin())
        if apart[best] < _REPEATS * max(usual, float(np.median(apart))):
            lag = int(lags[best])
            start = int(dark[: len(dark) - lag].argmin())
            return float(times[start]), lag * step_ms
    whole_ms = loop.duration_ms + step_ms / step
    if not RR_MS[0] <= whole_ms <= RR_MS[1]:
        raise DataError(
            f"{loop.name}: expected R peaks, or motion that repeats itself, found neither in "
            f"{loop.duration_ms:.0f} ms; state r_times_ms in the JSON beside the file"
        )
    return 0.0, whole_ms


def _small(frame: NDArray[np.uint8], loop: Loop) -> NDArray[np.float32]:
    part = frame if loop.region is None else frame[loop.region.window]
    tiny = cv2.resize(part, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
    return np.asarray(tiny, dtype=np.float32).ravel()
