"""One cardiac cycle of a loop: from R peak to R peak, or from motion, among the usual beats."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cardio_stats.errors import DataError
from cardio_ultrasound.loop import Loop

_UNEVEN = 1e-3


@dataclass(frozen=True, eq=False)
class CycleVolume:
    """The frames of one cycle, and when and how large they are.

    Attributes
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns)
        All that the cycle needs: the first at or before its begin, the last at or after its end,
        as far as the loop has them.
    times_ms : ndarray of float64, shape (n_frames,)
        Of every frame from the begin of the cycle, ascending; need not be even.
    rr_ms : float
        Length of the cycle.
    mm_per_pixel : tuple of float
        Distance of neighbouring rows, and of neighbouring columns.
    """

    frames: NDArray[np.uint8]
    times_ms: NDArray[np.float64]
    rr_ms: float
    mm_per_pixel: tuple[float, float]

    @property
    def even(self) -> bool:
        """Whether the frames are equally far apart, to a thousandth."""
        steps = np.diff(self.times_ms)
        return bool(np.ptp(steps) <= _UNEVEN * steps.mean())


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
            f"{loop.duration_ms:.0f} ms; state r_times_ms in the file's JSON"
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


EARLY, PAUSE = 0.8, 1.5
"""Shares of the usual interval: an R peak before the first is premature, an interval longer than
the second is a pause, or one in which an R peak was missed."""

IRREGULAR = 0.1
"""Where the other beats differ by more than this share of their mean (SD), no beat is left out: in
atrial fibrillation none of them is premature."""

FEW = 3
"""Of fewer beats than this nobody can tell which is the usual one."""

CUT_SHORT = "cut short by a premature beat"
PREMATURE = "premature"
LONG = "followed by a pause, or by an R peak that was missed"


def unusual_beats(
    r_times_ms: NDArray[np.floating], whole: NDArray[np.bool_]
) -> tuple[dict[int, str], tuple[str, ...]]:
    """Return which beats are not usual, and why.

    A beat is what lies between an R peak and the next, so that the premature beat is the one that
    begins with an R peak too early, and the beat before it is cut short. The beat after its pause
    is conducted as usual, and stays.

    Parameters
    ----------
    r_times_ms : ndarray, shape (n_beats + 1,)
        Ascending; peaks outside the loop tell whether its first beat came too early.
    whole : ndarray of bool, shape (n_beats,)
        Beats that lie in the loop and are as long as a beat can be.

    Returns
    -------
    unusual : dict of int to str
        Among the whole beats, by their place.
    flags : tuple of str
        Where no beat can be called premature: two beats of different length, an irregular rhythm,
        or no usual beat at all. Then every beat stays.

    Examples
    --------
    >>> r_ms = np.array([0.0, 800.0, 1600.0, 2100.0, 3200.0, 4000.0])
    >>> unusual_beats(r_ms, np.ones(5, bool))
    ({2: 'cut short by a premature beat', 3: 'premature'}, ())
    >>> unusual_beats(np.array([0.0, 500.0, 1600.0]), np.ones(2, bool))
    ({}, ('two beats of different length, 500 and 1100 ms: either may be ectopic',))
    """
    lengths = np.diff(r_times_ms)
    own = np.flatnonzero(whole)
    if own.size < FEW:
        return {}, _of_two(lengths[own])
    usual = float(np.median(lengths[own]))
    unusual: dict[int, str] = {}
    for place in own:
        if place and lengths[place - 1] < EARLY * usual:
            unusual[int(place)] = PREMATURE
        elif lengths[place] < EARLY * usual:
            unusual[int(place)] = CUT_SHORT
        elif lengths[place] > PAUSE * usual:
            unusual[int(place)] = LONG
    if len(unusual) == own.size:
        return {}, (NO_USUAL,)
    regular = lengths[[place for place in own if int(place) not in unusual]]
    if unusual and regular.std() > IRREGULAR * regular.mean():
        low, high = lengths[own].min(), lengths[own].max()
        return {}, (f"irregular rhythm, beats of {low:.0f} to {high:.0f} ms: none is left out",)
    return unusual, ()


NO_USUAL = "no beat of this loop follows another of usual length"
"""As in bigeminy: premature beats cannot be told from the others."""


def _of_two(lengths_ms: NDArray[np.floating]) -> tuple[str, ...]:
    if lengths_ms.size < 2 or lengths_ms.min() >= EARLY * lengths_ms.max():
        return ()
    one, other = lengths_ms
    return (f"two beats of different length, {one:.0f} and {other:.0f} ms: either may be ectopic",)


MIN_RATE_HZ, JUDGED_FROM_HZ = 25.0, 50.0
"""Below the first nothing is made of a loop; below the second a flash of 60 ms is three frames or
fewer, and cannot be judged."""

MIN_FRAMES = 10
PAPER_FRAMES = (30, 150)
MOST_BEATS = 20
"""Of a longer loop so many beats are measured, from the first."""

_MOST_NAMED = 6

MOST_BYTES = 1_000_000_000
"""Of the frames of one cycle."""

TOO_LOW = "frame rate too low to judge septal flash"
FROM_MOTION = "cycle found in the motion"
PLAYS_OTHERWISE = (
    "no heart beats as the video plays: it plays slower or faster than it was acquired"
)


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
    slow : bool
        No beat lasts so long or so short: the video plays slower or faster than it was acquired.
    """

    start_ms: float
    rr_ms: float
    from_motion: bool
    flags: tuple[str, ...]
    slow: bool = False


@dataclass(frozen=True)
class Beats:
    """The beats of a loop.

    Attributes
    ----------
    measured : tuple of Cycle
        In the order of time; at least one.
    usual : int
        Which of them has the most usual length: the septum is looked for in it.
    left_out : dict of str to tuple of int
        Beats that lie whole in the loop and are not measured: why, and which, counted from 1.
    n_whole : int
        Beats that lie whole in the loop.
    flags : tuple of str
        What a reader of the results should know of them.
    """

    measured: tuple[Cycle, ...]
    usual: int
    left_out: dict[str, tuple[int, ...]]
    n_whole: int
    flags: tuple[str, ...]

    @property
    def n_left_out(self) -> int:
        """How many beats lie whole in the loop and are not measured."""
        return sum(map(len, self.left_out.values()))

    @property
    def cycle(self) -> Cycle:
        """The beat of the most usual length."""
        return self.measured[self.usual]


def find_beats(loop: Loop) -> Beats:
    """Find the beats of a loop that can be measured.

    Parameters
    ----------
    loop : Loop
        With R peaks: the intervals that lie whole in the loop, without those of ectopic beats and
        those that no beat lasts (see `rhythm`). Without: one cycle, the distance at which frames
        repeat themselves.

    Raises
    ------
    DataError
        Fewer than 25 frames a second or 10 frames, or no cycle.
    """
    if loop.n_frames < MIN_FRAMES:
        raise DataError(
            f"{loop.name}: expected a cardiac cycle of at least {MIN_FRAMES} frames, found a loop "
            f"of {loop.n_frames}; choose a longer clip of this view"
        )
    rate_hz = loop.frame_rate_hz
    # How fast a video plays says nothing of how many frames a beat has.
    if rate_hz < MIN_RATE_HZ - 1e-6 and loop.time_source != "unconfirmed":
        raise DataError(
            f"{loop.name}: expected at least {MIN_RATE_HZ:g} frames a second, found {rate_hz:.1f}; "
            "export the loop at the rate of its acquisition"
        )
    found = _from_r_to_r(loop)
    if found is None:
        cycle = _checked(loop, *cycle_by_motion(loop), from_motion=True)
        found = Beats((cycle,), 0, {}, 1, ())
    return found


def _checked(loop: Loop, start_ms: float, rr_ms: float, *, from_motion: bool = False) -> Cycle:
    """Return a cycle with its flags; one of too few frames is refused."""
    known = loop.time_source != "unconfirmed"
    too_low = known and loop.frame_rate_hz < JUDGED_FROM_HZ - 1e-6
    flags: tuple[str, ...] = (TOO_LOW,) if too_low else ()
    flags += (FROM_MOTION,) if from_motion else ()
    slow = not RR_MS[0] <= rr_ms <= SLOWEST_MS
    flags += (PLAYS_OTHERWISE,) if slow and loop.time_source == "unconfirmed" else ()
    n_frames = _n_frames(loop, start_ms, rr_ms)
    if n_frames < MIN_FRAMES:
        raise DataError(
            f"{loop.name}: expected at least {MIN_FRAMES} frames in a cycle, found {n_frames}; "
            "choose a clip of a higher frame rate"
        )
    if not PAPER_FRAMES[0] <= n_frames <= PAPER_FRAMES[1]:
        low, high = PAPER_FRAMES
        flags += (f"cycle outside the paper's {low} to {high} frames",)
    return Cycle(start_ms, rr_ms, from_motion, flags, slow)


def _n_frames(loop: Loop, start_ms: float, rr_ms: float) -> int:
    times = loop.frame_times_ms
    return int(((times >= start_ms) & (times < start_ms + rr_ms)).sum())


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


def _from_r_to_r(loop: Loop) -> Beats | None:
    """Return the beats between the R peaks; None where no beat lies whole in the loop."""
    if loop.r_times_ms is None:
        return None
    r_times = np.asarray(loop.r_times_ms, dtype=np.float64)
    slack_ms = 0.5 * 1000.0 / loop.frame_rate_hz
    starts, lengths = r_times[:-1], np.diff(r_times)
    inside = (starts >= -slack_ms) & (r_times[1:] <= loop.duration_ms + slack_ms)
    number = dict(zip(np.flatnonzero(inside).tolist(), range(1, lengths.size + 1), strict=False))
    whole = inside & (lengths >= RR_MS[0]) & (lengths <= RR_MS[1])
    if not whole.any():
        return None
    left_out: dict[str, list[int]] = {}
    for place in np.flatnonzero(inside & ~whole).tolist():
        low, high = (limit / 1000 for limit in RR_MS)
        why = f"shorter than {low:g} s" if lengths[place] < RR_MS[0] else f"longer than {high:g} s"
        left_out.setdefault(why, []).append(number[place])
    unusual, flags = unusual_beats(r_times, whole)
    regular = [place for place in np.flatnonzero(whole).tolist() if place not in unusual]
    n_frames = {place: _n_frames(loop, starts[place], lengths[place]) for place in regular}
    for place, why in unusual.items():
        left_out.setdefault(why, []).append(number[place])
    # Where none has enough frames, the first says so.
    enough = [place for place in regular if n_frames[place] >= MIN_FRAMES] or regular[:1]
    few, beyond = set(regular) - set(enough), enough[MOST_BEATS:]
    for places, why in (
        (sorted(few), f"fewer than {MIN_FRAMES} frames"),
        (beyond, f"after the first {MOST_BEATS}"),
    ):
        if places:
            left_out[why] = [number[place] for place in places]
    taken = enough[:MOST_BEATS]
    # The most usual length is that among all beats, as it was when one alone was measured.
    usual = np.abs(lengths[taken] - np.median(lengths[whole])).argmin()
    cycles = tuple(_checked(loop, float(starts[p]), float(lengths[p])) for p in taken)
    reasons = {why: tuple(sorted(numbers)) for why, numbers in left_out.items()}
    flags = (*flags, *_told(reasons, len(number)))
    return Beats(cycles, int(usual), reasons, len(number), flags)


def _told(left_out: dict[str, tuple[int, ...]], n_whole: int) -> list[str]:
    """Return a sentence for every reason.

    Examples
    --------
    >>> _told({"premature": (4,), "fewer than 10 frames": (2, 3)}, 5)
    ['beat 4 of 5 left out: premature', 'beats 2, 3 of 5 left out: fewer than 10 frames']
    """
    return [f"{_which(numbers)} of {n_whole} left out: {why}" for why, numbers in left_out.items()]


def _which(numbers: tuple[int, ...]) -> str:
    if len(numbers) > _MOST_NAMED:
        return f"{len(numbers)} beats"
    return f"beat{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"
