"""Beats that a scanner marks itself: short upright ticks over, under or on its trace.

A mark stays where its beat is: it stands still, or runs to the left with the trace. What stands in
every frame marks no beat by itself (scales), what runs to the right is where the loop is now.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_core.ultrasound.drawn.course import Course

_WIDE_PX, _MIN_HEIGHT_PX, _MAX_HEIGHT_SHARE = 3, 4, 0.12
_FILLED, _BESIDE_PX = 0.7, 9
_OFTEN, _MIN_FRAMES, _LAG = 0.3, 6, 6
_SPEEDS = np.arange(0.0, 12.0, 0.05)
_STILL_PX, _SAME_PX = 0.12, 2.0
_KEPT_SHARE, _SEEN_SHARE = 0.8, 0.8
_APART_MS = 280.0
_CURSOR_TIMES, _CURSOR_SHARE, _STRAIGHT = 1.6, 0.6, 0.995
_ENOUGH = 3


@dataclass(frozen=True, eq=False)
class BeatMarks:
    """Beats that are marked within a loop.

    Attributes
    ----------
    r_times_ms : ndarray
        Ascending.
    px_per_frame : float
        How fast marks run to the left; 0 where they stand.
    agree : float
        0 to 1: share of the marks that are where they should be some frames later.
    """

    r_times_ms: NDArray[np.float64]
    px_per_frame: float
    agree: float


Tick = tuple[int, int, int]
"""Column, first row and last row."""


def beat_marks(
    inks: NDArray[np.uint8], times_ms: NDArray[np.float64], course: Course | None
) -> BeatMarks | None:
    """Read the beats that are marked on a screen.

    Parameters
    ----------
    inks : ndarray of uint8, shape (n_frames, n_rows, n_columns)
        As `inks_of` numbers them.
    times_ms : ndarray, shape (n_frames,)
    course : Course or None
        That of the trace, where there is one: marks that stand must appear at its speed.

    Returns
    -------
    BeatMarks or None
        None where nothing is marked, or what is marked agrees with no speed.
    """
    n_frames = len(inks)
    found: list[BeatMarks] = []
    for ink in np.unique(inks[:: max(n_frames // 8, 1)]):
        if ink == 0:
            continue
        ticks = [_ticks(frame == ink) for frame in inks]
        for band in _bands(ticks, n_frames):
            columns = [_in_band(own, band) for own in ticks]
            told = _told(columns, band, inks, times_ms, course)
            if told is not None and _apart(told.r_times_ms):
                found.append(told)
    return max(found, key=lambda one: (one.agree, len(one.r_times_ms)), default=None)


def _ticks(mask: NDArray[np.bool_]) -> list[Tick]:
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    highest = max(_MAX_HEIGHT_SHARE * mask.shape[0], _MIN_HEIGHT_PX)
    kept = []
    for number, window in enumerate(ndimage.find_objects(labels), start=1):
        rows, columns = window
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if width <= _WIDE_PX and max(_MIN_HEIGHT_PX, 2 * width) <= height <= highest:
            filled = (labels[window] == number).mean()
            if filled >= _FILLED and _alone(mask, window):
                kept.append(((columns.start + columns.stop - 1) // 2, rows.start, rows.stop - 1))
    return kept


def _alone(mask: NDArray[np.bool_], window: tuple[slice, slice]) -> bool:
    """Say whether nothing of the ink stands beside a tick, as letters stand beside each other."""
    rows, columns = window
    left = mask[rows, max(columns.start - _BESIDE_PX, 0) : max(columns.start - 2, 0)]
    right = mask[rows, columns.stop + 2 : columns.stop + _BESIDE_PX]
    return not (left.any() or right.any())


def _bands(ticks: list[list[Tick]], n_frames: int) -> list[tuple[int, int]]:
    """Return first and last row of ticks that many frames have."""
    counts: dict[tuple[int, int], int] = {}
    for own in ticks:
        for rows in {(top, bottom) for _, top, bottom in own}:
            counts[rows] = counts.get(rows, 0) + 1
    often = [rows for rows, n in counts.items() if n >= max(_OFTEN * n_frames, _MIN_FRAMES)]
    kept: list[tuple[int, int]] = []
    for rows in sorted(often, key=lambda one: -counts[one]):
        if not any(_alike(rows, one) for one in kept):
            kept.append(rows)
    return kept


def _in_band(ticks: list[Tick], band: tuple[int, int]) -> NDArray[np.float64]:
    return np.array(sorted(x for x, *rows in ticks if _alike((rows[0], rows[1]), band)), float)


def _alike(rows: tuple[int, int], band: tuple[int, int]) -> bool:
    return abs(rows[0] - band[0]) <= 1 and abs(rows[1] - band[1]) <= 1


def _told(
    columns: list[NDArray[np.float64]],
    band: tuple[int, int],
    inks: NDArray[np.uint8],
    times_ms: NDArray[np.float64],
    course: Course | None,
) -> BeatMarks | None:
    speed, agree = _speed(columns)
    if agree < _KEPT_SHARE:
        return None
    # Where a mark would be had it not moved: the same in every frame.
    marks = _tracked([own + speed * number for number, own in enumerate(columns)])
    if not marks:
        return None
    if speed > _STILL_PX:
        right = max(float(own.max()) for own in columns if own.size)
        at = [place for place, first in marks if first > 0 and place - speed * first > 0.85 * right]
        frames = (np.array(at) - right) / speed
    else:
        new = [(place, first) for place, first in marks if first > 0]
        if new and _at_one_speed(new, times_ms, course):
            frames = np.array([first - 0.5 for _, first in new])
        elif not new:
            # A single one may be a letter.
            passed = None if len(marks) == 1 else _passed([place for place, _ in marks], band, inks)
            if passed is None:
                return None
            frames = passed
        else:
            return None
        speed = 0.0
    frames = np.sort(frames[(frames >= 0) & (frames <= len(times_ms) - 1)])
    if not frames.size:
        return None
    times = np.interp(frames, np.arange(len(times_ms)), times_ms)
    return BeatMarks(times, speed, round(agree, 3))


def _speed(columns: list[NDArray[np.float64]]) -> tuple[float, float]:
    """Return by how much marks run to the left from frame to frame, and how many agree."""
    best = (0.0, 0.0)
    for speed in _SPEEDS:
        kept = there = 0
        for now, later in zip(columns[:-_LAG], columns[_LAG:], strict=True):
            moved = now - speed * _LAG
            moved = moved[moved > (now.min(initial=0) if now.size else 0)] if speed else moved
            there += moved.size
            if moved.size and later.size:
                kept += int((np.abs(moved[:, None] - later).min(axis=1) <= 1.0).sum())
        share = kept / there if there >= _MIN_FRAMES else 0.0
        if share > best[1] + 1e-9:
            best = (float(speed), share)
    return best


def _tracked(places: list[NDArray[np.float64]]) -> list[tuple[float, int]]:
    """Return place and first frame of every mark that is seen again and again."""
    tracks: list[list[tuple[float, int]]] = []
    for number, own in enumerate(places):
        for place in own:
            near = [track for track in tracks if abs(track[-1][0] - place) <= _SAME_PX]
            if near:
                near[-1].append((float(place), number))
            else:
                tracks.append([(float(place), number)])
    kept = []
    for track in tracks:
        first, last = track[0][1], track[-1][1]
        n_seen = len({number for _, number in track})
        long_enough = n_seen >= min(_MIN_FRAMES, len(places) - first)
        if long_enough and n_seen >= _SEEN_SHARE * (last - first + 1) and n_seen >= 2:
            kept.append((float(np.median([place for place, _ in track])), first))
    return kept


def _at_one_speed(
    new: list[tuple[float, int]], times_ms: NDArray[np.float64], course: Course | None
) -> bool:
    """Say whether marks appear where a head that goes to the right would be."""
    if len(new) == 1:
        return False
    step_ms = float(np.median(np.diff(times_ms)))
    place, first = (np.array(values, float) for values in zip(*sorted(new, key=lambda one: one[1]),
                                                              strict=True))  # fmt: skip
    by, apart = np.diff(place), np.diff(first)
    ahead = by > 0
    if course is not None and course.kind == "standing":
        speed = step_ms / course.ms_per_px
    elif ahead.sum() + 1 >= _ENOUGH:
        speed = float(np.median(by[ahead] / np.maximum(apart[ahead], 1)))
    else:
        return False
    # Where the head began anew at the left nothing is asked.
    off = np.abs(by[ahead] - speed * apart[ahead])
    return bool((off <= 3.0 + 1.5 * speed).all() and ahead.mean() >= 0.5)


def _passed(
    places: list[float], band: tuple[int, int], inks: NDArray[np.uint8]
) -> NDArray[np.float64] | None:
    """Return the frames in which the cursor passes marks that all stand from the first frame."""
    height = band[1] - band[0] + 1
    least = round(_CURSOR_TIMES * height)
    low = max(band[0] - 12 * height, 0)
    strip = inks[:, low : band[1] + 12 * height]
    seen: list[tuple[int, float]] = []
    always = (strip > 0).mean(axis=0) > 0.9
    for frame_number, frame in enumerate(strip):
        lit = (frame > 0) & ~always
        run = ndimage.binary_opening(lit, np.ones((least, 1), np.bool_))
        columns = np.flatnonzero(run.any(axis=0))
        if columns.size and np.ptp(columns) <= 2 * _WIDE_PX:
            seen.append((frame_number, float(columns.mean())))
    if len(seen) < max(_CURSOR_SHARE * len(inks), _MIN_FRAMES):
        return None
    number, column = (np.array(values, float) for values in zip(*seen, strict=True))
    if np.ptp(column) == 0 or np.corrcoef(number, column)[0, 1] < _STRAIGHT:
        return None
    slope, start = np.polyfit(number, column, 1)
    return np.asarray((np.array(places) - start) / slope)


def _apart(times_ms: NDArray[np.float64]) -> bool:
    return bool((np.diff(times_ms) >= _APART_MS).all())
