"""What moment each column of a drawn trace is of, and how high the line is there.

A trace that runs tells its speed by how far it moves from frame to frame; one that stands, or is
drawn anew from left to right, by where the picture changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_core.ultrasound.drawn.strips import Strip

Kind = Literal["standing", "running"]

_MIN_FRAMES = 8
_SPEEDS = np.arange(0.25, 24.0, 0.05)
_AGREE = 0.65
_CURSOR_SHARE = 0.7
_SHOWN = 10
_N_PAIRS = 16


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
    """

    at_ms: NDArray[np.float64]
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    ms_per_px: float
    kind: Kind
    agree: float


def course_of(strip: Strip, times_ms: NDArray[np.float64]) -> Course | None:
    """Return the course of a strip's line, or None where its columns tell no time.

    `times_ms`, shape (n_frames,), are those of the frames.
    """
    found = (_running(strip.line, times_ms), _standing(strip.inks, strip.line, times_ms))
    return max((one for one in found if one), key=lambda one: one.agree, default=None)


def _running(band: NDArray[np.bool_], times_ms: NDArray[np.float64]) -> Course | None:
    upper, lower = _course(band)
    n_frames, n_columns = upper.shape
    middle = _filled((upper + lower) / 2)
    middle = middle - np.median(middle)
    step_ms = float(np.median(np.diff(times_ms)))
    # Far apart frames tell slow speeds, neighbours fast ones.
    lags = sorted({1, max(n_frames // 8, 1), max(n_frames // 4, 1)})
    score = np.zeros(len(_SPEEDS))
    still = 0.0
    for lag in lags:
        some = slice(None, None, -(-(n_frames - lag) // _N_PAIRS))
        now, later = middle[:-lag][some], middle[lag:][some]
        power = float(np.sqrt((now**2).mean() * (later**2).mean())) + 1e-9
        still += float((now * later).mean()) / power / len(lags)
        for place, speed in enumerate(_SPEEDS):
            shift = speed * lag
            if shift > 0.7 * n_columns:
                score[place] = -1.0
                continue
            moved = _shifted(now, shift)
            keep = n_columns - int(np.ceil(shift))
            score[place] += float((moved[:, :keep] * later[:, :keep]).mean()) / power / len(lags)
    place = int(score.argmax())
    if score[place] < _AGREE or score[place] < still + 0.1:
        return None
    speed = float(_SPEEDS[place])
    # Every frame adds the columns that came in; each moment is the mean of all that saw it.
    n_long = n_columns + int(np.ceil(speed * (n_frames - 1))) + 1
    total, seen = np.zeros((2, n_long)), np.zeros(n_long)
    for number in range(n_frames):
        start = round(speed * number)
        known = np.isfinite(upper[number])
        at = start + np.flatnonzero(known)
        total[0, at] += upper[number, known]
        total[1, at] += lower[number, known]
        seen[at] += 1
    course = total / np.where(seen > 0, seen, np.nan)
    ms_per_px = step_ms / speed
    # Half of a thick line stands beyond the moment that it was drawn for.
    beyond = (float(np.nanmedian(lower - upper)) if np.isfinite(upper).any() else 0.0) / 2
    at_ms = times_ms[0] + (np.arange(n_long) - (n_columns - 1) + beyond) * ms_per_px
    return Course(
        at_ms,
        _filled(course[0]),
        _filled(course[1]),
        ms_per_px,
        "running",
        min(float(score[place]), 1.0),
    )


def _standing(
    part: NDArray[np.uint8], band: NDArray[np.bool_], times_ms: NDArray[np.float64]
) -> Course | None:
    n_frames, _, n_columns = band.shape
    # What appears is new; what goes may be wiped away long before something is drawn there.
    appears = (part[1:] != part[:-1]) & (part[1:] > 0)
    changed = appears.sum(axis=1).astype(np.float64)
    cursor = float(np.median(changed.max(axis=1))) >= _CURSOR_SHARE * part.shape[1]
    changed = ndimage.gaussian_filter1d(changed, 1.5, axis=1)
    total = changed.sum()
    if total <= 0:
        return None
    share = changed / np.maximum(changed.sum(axis=1, keepdims=True), 1e-9)
    number = np.arange(n_frames - 1)
    columns = np.arange(n_columns)
    best = (0.0, 0.0, 0.0)
    for speed in _SPEEDS[::2]:  # it is refined below
        if speed * (n_frames - 1) < 0.2 * n_columns:
            continue
        at = (columns + np.round(speed * number).astype(int)[:, None]) % n_columns
        scores = share[number[:, None], at].sum(axis=0)
        begin = int(scores.argmax())
        if scores[begin] > best[0]:
            best = (float(scores[begin]), float(speed), float(begin))
    if best[1] == 0:
        return None
    speed, start = _refined(share, best[1], best[2])
    window = ndimage.maximum_filter1d(share, 9, axis=1)
    at = np.round(start + speed * number).astype(int) % n_columns
    agree = float((window[number, at] >= 0.8 * share.max(axis=1)).mean())
    if agree < _AGREE or speed <= 0:
        return None
    step_ms = float(np.median(np.diff(times_ms)))
    ms_per_px = step_ms / speed
    upper, lower = _course(band)
    # A column was drawn when the head came by, once or more; the frames after that show it.
    first = ((np.arange(n_columns) - start) % n_columns) / speed
    passes = int(speed * n_frames / n_columns) + 1
    came = np.concatenate([first + k * n_columns / speed for k in range(passes)])
    columns = np.tile(columns, passes)
    kept = came <= n_frames - 1
    came, columns = came[kept], columns[kept]
    order = np.argsort(came, kind="stable")
    came, columns = came[order], columns[order]
    course = np.full((2, len(came)), np.nan)
    for place, (frame, column) in enumerate(zip(came, columns, strict=True)):
        after = int(np.ceil(frame)) + 2
        for side, rows in enumerate((upper, lower)):
            own = rows[after : after + _SHOWN, column]
            if not np.isfinite(own).any():
                own = rows[max(after - 1, 0) :, column]
            if np.isfinite(own).any():
                course[side, place] = np.nanmedian(own)
    # A cursor stands where the next frame is, new ink between this frame and the next.
    at_ms = times_ms[0] + (came + (1.0 if cursor else 0.5)) * step_ms
    return Course(at_ms, _filled(course[0]), _filled(course[1]), ms_per_px, "standing", agree)


def _refined(share: NDArray[np.float64], speed: float, start: float) -> tuple[float, float]:
    """Return speed and start of the line through the columns where most appeared."""
    n_columns = share.shape[1]
    number = np.arange(len(share))
    for reach in (8, 4):
        about = start + speed * number
        columns = np.round(about[:, None] + np.arange(-reach, reach + 1)).astype(int)
        near = share[number[:, None], columns % n_columns]
        known = near.sum(axis=1) > 0.5
        if known.sum() < _MIN_FRAMES:
            break
        mean = (near * columns).sum(axis=1)[known] / near.sum(axis=1)[known]
        speed, start = (float(value) for value in np.polyfit(number[known], mean, 1))
    return speed, start


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


def _shifted(values: NDArray[np.float64], by: float) -> NDArray[np.float64]:
    """Move rows to the left by a number of columns."""
    whole, part = int(by), by - int(by)
    padded = np.pad(values, ((0, 0), (0, whole + 1)), mode="edge")
    first = padded[:, whole : whole + values.shape[1]]
    second = padded[:, whole + 1 : whole + 1 + values.shape[1]]
    return np.asarray((1 - part) * first + part * second)
