"""R peaks from the ECG that a scanner draws into the picture, and from the beats that it marks.

`strips_of` finds lines of one ink, `course_of` when each of their columns was drawn, `r_waves` the
beats on such a line, `beat_marks` short upright ticks; `read_drawn_ecg` puts them together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.signal import find_peaks, peak_widths

from cardio_stats.errors import DataError
from cardio_ultrasound.deidentify.sector import FittedSector, clear_sector
from cardio_ultrasound.loop import Loop

# Where a picture has lines of one ink that cross much of the screen.

_INK, _BRIGHT, _SATURATED = 70, 225, 0.35
_WIDE_SHARE, _FILLED_SHARE = 0.2, 0.6
_HEIGHT_PX, _HEIGHT_SHARE = 8, 0.35
_N_INKS, ANY = 8, 0


@dataclass(frozen=True, eq=False)
class Strip:
    """A part of the screen that one ink crosses.

    Attributes
    ----------
    inks : ndarray of uint8, shape (n_frames, n_rows, n_columns)
        Every ink that is in it, as `inks_of` numbers them.
    ink : int
        That of the line; `ANY` where a codec has given it several.
    """

    inks: NDArray[np.uint8]
    ink: int

    @property
    def line(self) -> NDArray[np.bool_]:
        """Where the line is, shape (n_frames, n_rows, n_columns)."""
        return np.asarray(self.inks > 0 if self.ink == ANY else self.inks == self.ink)


def inks_of(rgb: NDArray[np.uint8], outside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the ink of every pixel: 0 none, 1 grey, 2 to 7 hues of 60 degrees."""
    channels = rgb.astype(np.float32)
    high, low = channels.max(axis=-1), channels.min(axis=-1)
    strong = (high - low) > _SATURATED * high
    angle = np.arctan2(
        np.sqrt(3) * (channels[..., 1] - channels[..., 2]),
        2 * channels[..., 0] - channels[..., 1] - channels[..., 2],
    )
    hue = (np.round(angle / (np.pi / 3)) % 6).astype(np.uint8) + 2
    found = np.where(strong, hue, 1).astype(np.uint8)
    # On tissue a trace is coloured, or as bright as the screen can be.
    found[(high < _INK) | (~outside & ~strong & (high < _BRIGHT))] = 0
    return found


def strips_of(frames: NDArray[np.uint8]) -> list[Strip]:
    """Return what crosses much of the screen.

    `frames` are inks, shape (n_frames, n_rows, n_columns).
    """
    n_rows, n_columns = frames.shape[1:]
    made = []
    for ink in range(ANY, _N_INKS):
        there = frames > 0 if ink == ANY else frames == ink
        if not there.any():
            continue
        often = there.mean(axis=0)
        seen = ndimage.binary_dilation(often > 0, np.ones((3, 5), np.bool_))
        labels, _ = ndimage.label(seen)
        for number, window in enumerate(ndimage.find_objects(labels), start=1):
            rows, columns = window
            wide = columns.stop - columns.start >= _WIDE_SHARE * n_columns
            high = _HEIGHT_PX <= rows.stop - rows.start <= _HEIGHT_SHARE * n_rows
            if wide and high and (labels[window] == number).any(axis=0).mean() >= _FILLED_SHARE:
                own = np.flatnonzero(((labels[window] == number) & (often[window] > 0)).any(axis=0))
                left, right = columns.start + int(own[0]), columns.start + int(own[-1]) + 1
                made.append(Strip(frames[:, rows.start : rows.stop, left:right], ink))
    return made


# What moment each column of a drawn trace is of, and how high the line is there.
#
# A trace that runs tells its speed by how far it moves from frame to frame; one that stands, or is
# drawn anew from left to right, by where the picture changes. Both are looked for in stretches of a
# loop: a trace may begin to grow, stop, or be wiped away in any of them, and the same frames tell
# the same, whether the loop goes on after them or not.

Kind = Literal["standing", "running"]

_COURSE_MIN_FRAMES = 8
_COURSE_SPEEDS = np.r_[0.0, np.arange(0.25, 24.0, 0.05)]
_MOST_MOVED = 0.7
_AGREE = 0.65
_COURSE_CURSOR_SHARE = 0.7
_SHOWN = 10
_N_PAIRS = 16
_STRETCH, _HOP = 48, 12
_FLICKER, _LITTLE = 25, 0.3
_SAME_SPEED = 0.12
_STILL_SHARE = 0.9


@dataclass(frozen=True, eq=False)
class Course:
    """A trace over time.

    Attributes
    ----------
    at_ms : ndarray, shape (n,)
        Moments, ascending.
    upper, lower : ndarray, shape (n,)
        Rows of the line's upper and lower end; filled where it has gaps.
    ms_per_px : float
        Paper speed.
    kind : {"standing", "running"}
    agree : float
        0 to 1: how well the movement agrees with one speed.
    still : bool
        Whether the line itself never changes, so that only a cursor tells the time.
    """

    at_ms: NDArray[np.float64]
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    ms_per_px: float
    kind: Kind
    agree: float
    still: bool = False


@dataclass(frozen=True)
class _Moves:
    """How a trace, or its head, moves in a stretch of frames, in pixels a frame.

    `heads` are the head's columns, one a frame; empty of a trace that runs.
    """

    first: int
    stop: int
    speed: float
    agree: float
    heads: NDArray[np.float64]


def course_of(strip: Strip, times_ms: NDArray[np.float64]) -> Course | None:
    """Return the course of a strip's line, or None where its columns tell no time.

    `times_ms`, shape (n_frames,), are those of the frames.
    """
    found = (_running(strip.line, times_ms), _standing(strip.inks, strip.line, times_ms))
    return max((item for item in found if item), key=lambda item: item.agree, default=None)


def _stretches(n_frames: int) -> list[tuple[int, int]]:
    """Return first and last frame, as of a slice, of stretches that overlap."""
    if n_frames <= _STRETCH + _HOP:
        return [(0, n_frames)]
    firsts = [*range(0, n_frames - _STRETCH, _HOP), n_frames - _STRETCH]
    return [(first, first + _STRETCH) for first in firsts]


def _of_one_speed(found: list[_Moves]) -> list[_Moves]:
    """Return the stretches that agree with the usual speed: paper has one."""
    if not found:
        return []
    usual = float(np.median([item.speed for item in found]))
    return [item for item in found if abs(item.speed - usual) <= _SAME_SPEED * usual + 0.05]


def _by_frame(retained: list[_Moves], n_frames: int) -> list[_Moves | None]:
    """Return for every frame the stretch in whose middle it lies most, None where none tells."""
    nearest: list[_Moves | None] = [None] * n_frames
    away = np.full(n_frames, np.inf)
    for item in retained:
        frames = np.arange(item.first, item.stop)
        far = np.abs(frames - (item.first + item.stop - 1) / 2)
        for frame in frames[far < away[item.first : item.stop]]:
            nearest[frame] = item
        away[item.first : item.stop] = np.minimum(away[item.first : item.stop], far)
    return nearest


def _running(band: NDArray[np.bool_], times_ms: NDArray[np.float64]) -> Course | None:
    upper, lower = _course(band)
    n_frames, n_columns = upper.shape
    middle = _filled((upper + lower) / 2)
    middle = middle - np.median(middle)
    stretches = _stretches(n_frames)
    found = [_runs(middle[first:stop], first) for first, stop in stretches]
    retained = _of_one_speed([item for item in found if item is not None])
    if not retained:
        return None
    speed = float(np.median([item.speed for item in retained]))
    step_ms = float(np.median(np.diff(times_ms)))
    ms_per_px = step_ms / speed
    # Each moment is the mean of the frames in which it has just come in.
    fresh = int(np.ceil(speed * _SHOWN)) + 2
    origin = times_ms[0] - (n_columns - 1) * ms_per_px
    n_long = round((times_ms[-1] - origin) / ms_per_px) + 2
    total, seen = np.zeros((2, n_long)), np.zeros(n_long)
    for number, moves in enumerate(_by_frame(retained, n_frames)):
        if moves is None:
            continue
        known = np.isfinite(upper[number])
        if seen.any():
            known[: max(n_columns - fresh, 0)] = False
        own = np.flatnonzero(known)
        now_ms = times_ms[number] - (n_columns - 1 - own) * ms_per_px
        at = np.round((now_ms - origin) / ms_per_px).astype(int)
        np.add.at(total[0], at, upper[number, own])
        np.add.at(total[1], at, lower[number, own])
        np.add.at(seen, at, 1)
    course = total / np.where(seen > 0, seen, np.nan)
    # Half of a thick line stands beyond the moment that it was drawn for.
    beyond = _thickness_px(upper, lower) / 2
    at_ms = origin + (np.arange(n_long) + beyond) * ms_per_px
    agree = float(np.mean([item.agree for item in retained]))
    return _within(
        Course(at_ms, course[0], course[1], ms_per_px, "running", min(agree, 1.0)), seen > 0
    )


def _thickness_px(upper: NDArray[np.float64], lower: NDArray[np.float64]) -> float:
    """Return how thick a line is where it runs level: steep strokes are taller than that."""
    high = lower - upper
    return float(np.nanpercentile(high, 25)) if np.isfinite(high).any() else 0.0


def _within(course: Course, known: NDArray[np.bool_]) -> Course:
    """Return a course from its first known moment to its last, filled between."""
    first, last = np.flatnonzero(known)[[0, -1]]
    part = slice(first, last + 1)
    upper, lower = _filled(course.upper[part]), _filled(course.lower[part])
    return replace(course, at_ms=course.at_ms[part], upper=upper, lower=lower)


def _runs(middle: NDArray[np.float64], first: int) -> _Moves | None:
    """Return how a line runs to the left in a stretch of frames; None where it does not."""
    n_frames, n_columns = middle.shape
    shifts = np.arange(int(_MOST_MOVED * n_columns) + 1)
    scores = np.zeros(_COURSE_SPEEDS.size)
    # Far apart frames tell slow speeds, neighbours fast ones.
    lags = sorted({1, max(n_frames // 8, 1), max(n_frames // 4, 1)})
    for lag in lags:
        some = slice(None, None, -(-(n_frames - lag) // _N_PAIRS))
        now, later = middle[:-lag][some], middle[lag:][some]
        power = float(np.sqrt((now**2).mean() * (later**2).mean())) + 1e-9
        both = np.fft.rfft(now, 2 * n_columns) * np.fft.rfft(later, 2 * n_columns).conj()
        alike = np.fft.irfft(both.mean(axis=0))[shifts] / (n_columns - shifts) / power
        scores += np.interp(_COURSE_SPEEDS * lag, shifts, alike, right=-np.inf) / len(lags)
    best = int(scores.argmax())
    if scores[best] < max(_AGREE, scores[0] + 0.1):
        return None
    agree = float(min(scores[best], 1.0))
    return _Moves(first, first + n_frames, float(_COURSE_SPEEDS[best]), agree, np.empty(0))


def _standing(
    part: NDArray[np.uint8], band: NDArray[np.bool_], times_ms: NDArray[np.float64]
) -> Course | None:
    n_frames, _, n_columns = band.shape
    changed, cursor = _new_ink(part)
    share = changed / np.maximum(changed.sum(axis=1, keepdims=True), 1e-9)
    found = [_heads(share[first : stop - 1], first) for first, stop in _stretches(n_frames)]
    retained = _of_one_speed([item for item in found if item is not None])
    by_frame = _by_frame(retained, n_frames)
    heads = np.full(n_frames, np.nan)
    for number, moves in enumerate(by_frame):
        if moves is not None:
            heads[number] = moves.heads[number - moves.first]
    drawn = _is_drawn(changed, heads)
    # A column was drawn when the head came by, once or more.
    came, columns = [], []
    for number, moves in enumerate(by_frame):
        if moves is not None and drawn[number]:
            head = heads[number]
            own = np.arange(int(np.ceil(head)), int(np.ceil(head + moves.speed)))
            came += (number + (own - head) / moves.speed).tolist()
            columns += (own % n_columns).tolist()
    if not came:
        return None
    upper, lower = _course(band)
    speed = float(np.median([item.speed for item in retained]))
    still = _is_still(upper, lower)
    if still:  # of a loop that was cut the cursor passes a part; the rest tells what a beat is
        begin = float(np.median(np.array(came) - np.array(columns) / speed))
        columns = list(range(n_columns))
        came = [begin + column / speed for column in columns]
    # A cursor stands where the next frame is, new ink between this frame and the next, and a
    # column is lit from its middle on.
    frames = np.asarray(came) + (1.0 if cursor else 0.5 + 0.5 / speed)
    inside = np.clip(frames, 0, n_frames - 1)
    step_ms = float(np.median(np.diff(times_ms)))
    at_ms = np.interp(inside, np.arange(n_frames), times_ms) + (frames - inside) * step_ms
    order = np.argsort(at_ms, kind="stable")
    upper, lower = (
        _filled(_shown(rows, came, columns, still=still))[order] for rows in (upper, lower)
    )
    agree = float(np.mean([item.agree for item in retained]))
    return Course(at_ms[order], upper, lower, step_ms / speed, "standing", agree, still)


def _new_ink(part: NDArray[np.uint8]) -> tuple[NDArray[np.float64], bool]:
    """Return how much is new from frame to frame in every column, and whether that is a cursor."""
    # What appears is new; what goes may be wiped away long before something is drawn there.
    changed = ((part[:-1] == 0) & (part[1:] > 0)).sum(axis=1).astype(np.float64)
    cursor = float(np.median(changed.max(axis=1))) >= _COURSE_CURSOR_SHARE * part.shape[1]
    # Where a picture flickers something is new again and again; a head comes by once.
    often = ndimage.uniform_filter1d(changed, _FLICKER, axis=0, mode="constant") * _FLICKER
    changed = changed**2 / np.maximum(often, 1.0)
    return ndimage.gaussian_filter1d(changed, 1.5, axis=1), cursor


def _is_drawn(changed: NDArray[np.float64], heads: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell in which frames something is drawn: where a trace has stopped little is new."""
    near = ndimage.maximum_filter1d(changed, 9, axis=1, mode="wrap")
    near, most = (np.append(rows, rows[-1:], axis=0) for rows in (near, changed.max(axis=1)))
    known = np.isfinite(heads)
    at = np.round(np.where(known, heads, 0)).astype(int) % changed.shape[1]
    amount = np.where(known, near[np.arange(heads.size), at], 0.0)
    new = (amount > 0) & (amount >= np.maximum(0.5 * most, _LITTLE * np.median(amount)))
    often = ndimage.uniform_filter1d(new.astype(np.float64), 5) >= 0.39
    return np.asarray(known & often)


def _shown(
    rows: NDArray[np.float64], came: list[float], columns: list[int], *, still: bool
) -> NDArray[np.float64]:
    """Return where a line is in columns, by the frames after they were drawn; NaN nowhere."""
    made = np.full(len(came), np.nan)
    for place, (frame, column) in enumerate(zip(came, columns, strict=True)):
        after = int(np.ceil(frame)) + 2
        for begin in (0,) if still else (after, max(after - 1, 0)):
            shown = rows[begin : None if still else after + _SHOWN, column]
            if np.isfinite(shown).any():
                made[place] = np.nanmedian(shown)
                break
    return made


def _is_still(upper: NDArray[np.float64], lower: NDArray[np.float64]) -> bool:
    """Tell whether a line is in the first frames what it is in the last."""
    middle = (upper + lower) / 2
    n = max(len(middle) // 10, 2)
    both = np.isfinite(middle[:n]).any(axis=0) & np.isfinite(middle[-n:]).any(axis=0)
    if both.mean() < _STILL_SHARE:
        return False
    first, last = (np.nanmedian(rows[:, both], axis=0) for rows in (middle[:n], middle[-n:]))
    return bool((np.abs(first - last) <= 1.5).mean() >= _STILL_SHARE)


def _heads(share: NDArray[np.float64], first: int) -> _Moves | None:
    """Return where the head of a trace is that goes to the right; None where nothing does.

    `share`, shape (n_frames - 1, n_columns), says how much of what is new in a frame is where.
    """
    n_frames, n_columns = len(share) + 1, share.shape[1]
    if share.sum() <= 0:
        return None
    number = np.arange(n_frames - 1)
    columns = np.arange(n_columns)
    best = (0.0, 0.0, 0.0)
    for speed in _COURSE_SPEEDS[1::2]:  # it is refined below
        if speed * (n_frames - 1) < min(0.2 * n_columns, 16.0):
            continue
        at = (columns + np.round(speed * number).astype(int)[:, None]) % n_columns
        scores = share[number[:, None], at].sum(axis=0)
        begin = int(scores.argmax())
        if scores[begin] > best[0]:
            best = (float(scores[begin]), float(speed), float(begin))
    if best[1] == 0:
        return None
    speed, heads = _refined(share, best[1], best[2])
    window = ndimage.maximum_filter1d(share, 9, axis=1, mode="wrap")
    at = np.round(heads).astype(int) % n_columns
    there = share.max(axis=1) > 0
    agree = float((window[number, at] >= 0.8 * share.max(axis=1))[there].mean()) * float(
        min(there.mean() / 0.8, 1.0)
    )
    if agree < _AGREE or speed <= 0:
        return None
    return _Moves(first, first + n_frames, speed, agree, np.append(heads, heads[-1] + speed))


def _refined(
    share: NDArray[np.float64], speed: float, start: float
) -> tuple[float, NDArray[np.float64]]:
    """Return the speed and the heads of the line through the columns where most appeared."""
    number = np.arange(len(share))
    heads, away = start + speed * number, np.zeros(len(share))
    for reach in (8, 4):
        columns = np.round(heads[:, None] + np.arange(-reach, reach + 1)).astype(int)
        near = share[number[:, None], columns % share.shape[1]]
        near = np.where(near >= 0.5 * near.max(axis=1, keepdims=True), near, 0.0)
        known = near.sum(axis=1) > 0.5
        if known.sum() < _COURSE_MIN_FRAMES:
            break
        mean = (near * columns).sum(axis=1)[known] / near.sum(axis=1)[known]
        speed, start = (float(value) for value in np.polyfit(number[known], mean, 1))
        heads = start + speed * number
        away = np.interp(number, number[known], mean - heads[known])
    # Where the head begins anew at the left it may be a few columns off.
    return speed, heads + ndimage.median_filter(away, _FLICKER, mode="nearest")


def _course(band: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the row of the line's upper and lower end in every column, from the top; NaN none."""
    there = band.any(axis=-2)
    upper = band.argmax(axis=-2).astype(np.float64)
    lower = band.shape[-2] - 1 - band[..., ::-1, :].argmax(axis=-2).astype(np.float64)
    return np.where(there, upper, np.nan), np.where(there, lower, np.nan)


def _filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fill columns without a line from their neighbours, along the last axis."""
    made = np.array(values, dtype=np.float64)
    for row in made.reshape(-1, made.shape[-1]):
        known = np.isfinite(row)
        if known.any() and not known.all():
            row[~known] = np.interp(np.flatnonzero(~known), np.flatnonzero(known), row[known])
    return np.nan_to_num(made)


# Beats that a scanner marks itself: short upright ticks over, under or on its trace.
#
# A mark stays where its beat is: it stands still, or runs left with the trace. What stands in
# every frame marks no beat by itself (scales), what runs to the right is where the loop is now.

_WIDE_PX, _MIN_HEIGHT_PX, _MAX_HEIGHT_SHARE = 3, 4, 0.12
_FILLED, _MARGIN_PX = 0.7, 9
_OFTEN, _MIN_FRAMES, _LAG = 0.3, 6, 6
_SPEEDS = np.arange(0.0, 12.0, 0.05)
_STILL_PX, _SAME_PX = 0.12, 2.0
_AGREEING_SHARE, _SEEN_SHARE = 0.8, 0.8
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
            marks = _read_marks(columns, band, inks, times_ms, course)
            if marks is not None and _apart(marks.r_times_ms):
                found.append(marks)
    return max(found, key=lambda item: (item.agree, len(item.r_times_ms)), default=None)


def _ticks(mask: NDArray[np.bool_]) -> list[Tick]:
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    highest = max(_MAX_HEIGHT_SHARE * mask.shape[0], _MIN_HEIGHT_PX)
    retained = []
    for number, window in enumerate(ndimage.find_objects(labels), start=1):
        rows, columns = window
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if width <= _WIDE_PX and max(_MIN_HEIGHT_PX, 2 * width) <= height <= highest:
            filled = (labels[window] == number).mean()
            if filled >= _FILLED and _alone(mask, window):
                retained.append(
                    ((columns.start + columns.stop - 1) // 2, rows.start, rows.stop - 1)
                )
    return retained


def _alone(mask: NDArray[np.bool_], window: tuple[slice, slice]) -> bool:
    """Say whether nothing of the ink stands beside a tick, as letters stand beside each other."""
    rows, columns = window
    left = mask[rows, max(columns.start - _MARGIN_PX, 0) : max(columns.start - 2, 0)]
    right = mask[rows, columns.stop + 2 : columns.stop + _MARGIN_PX]
    return not (left.any() or right.any())


def _bands(ticks: list[list[Tick]], n_frames: int) -> list[tuple[int, int]]:
    """Return first and last row of ticks that many frames have."""
    counts: dict[tuple[int, int], int] = {}
    for own in ticks:
        for rows in {(top, bottom) for _, top, bottom in own}:
            counts[rows] = counts.get(rows, 0) + 1
    often = [rows for rows, n in counts.items() if n >= max(_OFTEN * n_frames, _MIN_FRAMES)]
    retained: list[tuple[int, int]] = []
    for rows in sorted(often, key=lambda item: -counts[item]):
        if not any(_same_rows(rows, item) for item in retained):
            retained.append(rows)
    return retained


def _in_band(ticks: list[Tick], band: tuple[int, int]) -> NDArray[np.float64]:
    return np.array(sorted(x for x, *rows in ticks if _same_rows((rows[0], rows[1]), band)), float)


def _same_rows(rows: tuple[int, int], band: tuple[int, int]) -> bool:
    return abs(rows[0] - band[0]) <= 1 and abs(rows[1] - band[1]) <= 1


def _read_marks(
    columns: list[NDArray[np.float64]],
    band: tuple[int, int],
    inks: NDArray[np.uint8],
    times_ms: NDArray[np.float64],
    course: Course | None,
) -> BeatMarks | None:
    speed, agree = _speed(columns)
    if agree < _AGREEING_SHARE:
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
        retained = there = 0
        for now, later in zip(columns[:-_LAG], columns[_LAG:], strict=True):
            moved = now - speed * _LAG
            moved = moved[moved > (now.min(initial=0) if now.size else 0)] if speed else moved
            there += moved.size
            if moved.size and later.size:
                retained += int((np.abs(moved[:, None] - later).min(axis=1) <= 1.0).sum())
        share = retained / there if there >= _MIN_FRAMES else 0.0
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
    retained = []
    for track in tracks:
        first, last = track[0][1], track[-1][1]
        n_seen = len({number for _, number in track})
        long_enough = n_seen >= min(_MIN_FRAMES, len(places) - first)
        if long_enough and n_seen >= _SEEN_SHARE * (last - first + 1) and n_seen >= 2:
            retained.append((float(np.median([place for place, _ in track])), first))
    return retained


def _at_one_speed(
    new: list[tuple[float, int]], times_ms: NDArray[np.float64], course: Course | None
) -> bool:
    """Say whether marks appear where a head that goes to the right would be."""
    if len(new) == 1:
        return False
    step_ms = float(np.median(np.diff(times_ms)))
    place, first = (np.array(values, float) for values in zip(
        *sorted(new, key=lambda item: item[1]), strict=True))  # fmt: skip
    by, apart = np.diff(place), np.diff(first)
    ahead = by > 0
    if course is not None and course.kind == "standing":
        speed = step_ms / course.ms_per_px
    elif ahead.sum() + 1 >= _ENOUGH:
        speed = float(np.median(by[ahead] / np.maximum(apart[ahead], 1)))
    else:
        return False
    # Where the head began anew at the left the distance means nothing.
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


# R waves of a drawn trace: tall, narrow, and steeper than all else.

_REFRACTORY_MS, _LOOK_MS, _BASELINE_MS, _BASELINE_PX = 280.0, 60.0, 300.0, 15
_R_SHARE, _STANDS_OUT = 0.5, 3.0
_THICK_PX, _THICK_SHARE, _MIN_R_PX = 6.0, 0.2, 5.0
_QRS_MS, _SLOWEST_MS_PER_PX = 120.0, 45.0
_TICK, _MOST_WAVES = 0.2, 4
_SHAPE_MS, _SEVERAL = 150.0, 3
_LIKE, _SAME_SHAPE, _REGULAR, _LEVEL = 0.4, 0.8, 0.3, 0.7


def r_waves(course: Course) -> NDArray[np.float64]:
    """Return the moments of a trace's R waves, in ms, ascending; none where nothing stands out.

    A line's deflections from its own course over 300 ms count, the more the steeper the line is
    there, as the strokes of a QRS complex are and T waves are not. Up is where the tallest are.

    Examples
    --------
    >>> at_ms = np.arange(0, 3000.0, 10)
    >>> line = 30 - 20 * np.exp(-(((at_ms % 1000 - 500) / 12) ** 2))
    >>> from cardio_ultrasound.ecg_trace import Course
    >>> r_waves(Course(at_ms, line, line, 10.0, "running", 1.0)).tolist()
    [500.0, 1500.0, 2500.0]
    """
    upper, lower, ms_per_px = course.upper, course.lower, course.ms_per_px
    nothing = np.zeros(0)
    if ms_per_px > _SLOWEST_MS_PER_PX:
        return nothing  # a QRS complex would be a column or two
    thick = _thickness_px(upper, lower) + 1
    spread = float(np.percentile(lower, 99) - np.percentile(upper, 1)) + 1
    if thick > max(_THICK_PX, _THICK_SHARE * spread):
        return nothing  # a bar, not a line
    middle = np.median((upper + lower) / 2)
    up, down = middle - upper, lower - middle
    height = up if np.percentile(up, 99) >= np.percentile(down, 99) else down
    wide = max(round(_BASELINE_MS / ms_per_px), _BASELINE_PX)
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
    places = np.array([_top(height, place, look) for place in places], dtype=np.intp)
    places = places[height[places] >= _MIN_R_PX]
    # A QRS complex falls to half its height on both sides in time; a clipped one has no top.
    reach = max(int(np.ceil(_QRS_MS / ms_per_px)), 2)
    first, last = np.maximum(places - reach, 0), np.minimum(places + reach, height.size - 1)
    _, _, left, right = peak_widths(height, places, 0.5, (height[places], first, last))
    narrow = (height[first] <= height[places] / 2) | (left > first)
    narrow &= (height[last] <= height[places] / 2) | (right < last)
    narrow &= height[places] >= right - left  # a bump of a graph is wider than it is high
    middles = dict(zip(places.tolist(), (left + right) / 2, strict=True))
    peaks = _alike(height, places[narrow].tolist(), ms_per_px, still=course.still)
    if course.still and _is_ruler(height, peaks):
        return nothing
    if course.still and len(peaks) < _SEVERAL:
        low, high = np.percentile((upper + lower) / 2, (5, 95))
        peaks = [place for place in peaks if high - low <= _LEVEL * height[place]]
    at = [middles[place] for place in peaks]
    return np.asarray(np.interp(at, np.arange(height.size), course.at_ms), dtype=np.float64)


def _top(values: NDArray[np.float64], place: int, reach: int) -> int:
    """Return the place of the highest value within `reach`."""
    first = max(place - reach, 0)
    return first + int(values[first : place + reach + 1].argmax())


def _is_ruler(height: NDArray[np.float64], peaks: list[int]) -> bool:
    """Tell whether more small peaks stand between the tall ones than a beat has waves."""
    if len(peaks) < 2:
        return False
    least = _TICK * float(np.median(height[peaks]))
    ticks, _ = find_peaks(height[peaks[0] : peaks[-1]], height=least)
    return bool(len(ticks) >= _MOST_WAVES * (len(peaks) - 1))


def _alike(
    height: NDArray[np.float64], peaks: list[int], ms_per_px: float, *, still: bool
) -> list[int]:
    """Return the peaks that look like one another, as the beats of an ECG do.

    A line that never changes may be any plot: its peaks count only where there are several of one
    shape and height, about as far apart, or few on a line that is level but for them.
    """
    reach = max(round(_SHAPE_MS / ms_per_px), 2)
    padded = np.pad(height, reach, mode="edge")
    shapes = np.array([padded[place : place + 2 * reach + 1] for place in peaks])
    if len(peaks) < _SEVERAL:
        return peaks
    usual = np.median(shapes, axis=0)
    fit = [
        float(np.corrcoef(shape, usual)[0, 1]) if np.ptp(shape) > 0 and np.ptp(usual) > 0 else 0.0
        for shape in shapes
    ]
    if not still:
        return [place for place, own in zip(peaks, fit, strict=True) if own >= _LIKE]
    regular = all(
        float(np.std(values)) <= _REGULAR * float(np.mean(values))
        for values in (height[peaks], np.diff(peaks))
    )
    return peaks if float(np.median(fit)) >= _SAME_SHAPE and regular else []


# R peaks from the ECG that a scanner drew into the picture.

_ECG_MIN_FRAMES = 8
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
    if loop.n_frames < _ECG_MIN_FRAMES:
        return None
    inks = np.stack([inks_of(rgb, outside) for rgb in loop.frames(colour=True)])
    best: DrawnEcg | None = None
    read = [(strip, course_of(strip, loop.frame_times_ms)) for strip in strips_of(inks)]
    # A codec gives a trace fringes of other hues, which move as it does: most ink is its own.
    courses = [
        course
        for _, course in sorted(
            ((int(strip.line.sum()), course) for strip, course in read if course is not None),
            key=lambda item: (-round(item[1].agree, 1), -item[0]),
        )
    ]
    steadiest = max(courses, key=lambda item: item.agree, default=None)
    for course in courses:
        if best is not None:
            break
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


# R peaks of the drawn ECG, kept where the drawing goes.

FROM_THE_PICTURE = "R peaks read from the ECG drawn in the picture"
"""Flag of a loop whose R peaks nothing else states."""

_RIM_PX = 3.0


def with_drawn_r_peaks(loop: Loop, sector: FittedSector | None = None) -> Loop:
    """Return a loop with the R peaks of its drawn ECG, where nothing else states any.

    The trace is looked for outside of `sector`, which is fitted where it is not given. A loop with
    R peaks, made of beams, without a clear sector, or without a trace that tells R peaks is
    returned as it is.
    """
    if loop.r_times_ms is not None or loop.sector is not None:
        return loop
    try:
        sector = sector or clear_sector(loop)
    except DataError:
        return loop
    found = read_drawn_ecg(loop, ~sector.mask(erode_px=-_RIM_PX))
    if found is None:
        return loop
    flags = (*loop.flags, FROM_THE_PICTURE)
    return replace(loop, r_times_ms=found.r_times_ms, r_source="picture", flags=flags)
