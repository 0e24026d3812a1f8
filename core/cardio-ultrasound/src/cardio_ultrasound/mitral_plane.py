"""How far the mitral plane goes: the septal end of the ring, followed along the septum."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cardio_stats.errors import DataError
from cardio_ultrasound.loop import Loop
from cardio_ultrasound.septum import PlacedSeptum

_STEP_MM, _BLUR_PX, _CHORD_POINTS = 0.5, 1.0, 20
_HALF_MM, _WIDE_MM, _ASIDE_MM = 9.0, 7.0, 3.0
_DOWN_MM, _UP_MM = 8.0, 24.0
"""How far the ring may go towards the atrium, and towards the apex."""

_FAST_MM_PER_MS, _SLOW_COST, _ROUNDS = 0.25, 0.02, 3
MOST_BYTES = 400_000_000
"""Of the strips along the septum of all frames."""


def smoothest_path(
    score: NDArray[np.float64], most: int, cost: float = _SLOW_COST
) -> NDArray[np.intp]:
    """Return the place in every row of the path that scores best and jumps little.

    Parameters
    ----------
    score : ndarray, shape (n_times, n_places)
        Of about unit spread.
    most : int
        Places that it may go from one time to the next.
    cost : float
        Of a jump of one place; that of n is n² times as high.

    Examples
    --------
    >>> score = np.zeros((4, 9))
    >>> score[[0, 1, 2, 3], [3, 4, 4, 5]] = 1.0
    >>> smoothest_path(score, 2).tolist()
    [3, 4, 4, 5]
    """
    n_times, n_places = score.shape
    jumps = np.arange(-most, most + 1)
    costs = cost * jumps**2
    total = score[0].copy()
    came = np.zeros((n_times, n_places), dtype=np.intp)
    for time in range(1, n_times):
        padded = np.pad(total, most, constant_values=-np.inf)
        options = np.stack([padded[most + j : most + j + n_places] for j in jumps]) - costs[:, None]
        chosen = options.argmax(axis=0)
        came[time] = np.arange(n_places) + jumps[chosen]
        total = options.max(axis=0) + score[time]
    path = np.empty(n_times, dtype=np.intp)
    path[-1] = total.argmax()
    for time in range(n_times - 1, 0, -1):
        path[time - 1] = came[time, path[time]]
    return path


def peak_offset(fit: NDArray[np.float64], chosen: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return where the parabola through three neighbours has its top, within half a step.

    `fit`, shape (n_times, n_places), is looked at around `chosen`, shape (n_times,).
    """
    row = np.arange(len(fit))
    inner = np.clip(chosen, 1, fit.shape[1] - 2)
    before, at, after = fit[row, inner - 1], fit[row, inner], fit[row, inner + 1]
    bend = before - 2 * at + after
    offset = np.where(bend < -1e-12, 0.5 * (before - after) / np.where(bend < 0, bend, -1.0), 0.0)
    return np.asarray(np.clip(offset, -0.5, 0.5) * (inner == chosen), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class MitralPlane:
    """The course of the septal end of the mitral ring.

    Attributes
    ----------
    times_ms : ndarray, shape (n_frames,)
        Of the frames, from the first.
    height_mm : ndarray, shape (n_frames,)
        Along the septum towards the apex, from its lowest place; mm of the placed septum's pixels.
    fit : float
        -1 to 1: how alike the ring is in all frames, by correlation.
    """

    times_ms: NDArray[np.float64]
    height_mm: NDArray[np.float64]
    fit: float

    def beat(self, start_ms: float, rr_ms: float) -> tuple[float, float]:
        """Return the excursion in a beat, and the time from the lowest place to the highest, in ms.

        NaN where fewer than half of its frames are there; no time where a beat begins with its
        highest place. The lowest place of the time is that before the highest one.

        Examples
        --------
        >>> times = np.arange(50) * 20.0
        >>> plane = MitralPlane(times, 10 * np.sin(np.pi * times / 1000) ** 2, 0.9)
        >>> [round(value, 1) for value in plane.beat(0.0, 1000.0)]
        [10.0, 500.0]
        """
        own = np.flatnonzero((self.times_ms >= start_ms) & (self.times_ms < start_ms + rr_ms))
        step_ms = float(np.median(np.diff(self.times_ms)))
        if own.size < max(0.5 * rr_ms / step_ms, 3):
            return float("nan"), float("nan")
        height = self.height_mm[own]
        top = int(height.argmax())
        foot = int(height[: top + 1].argmin())
        rise_ms = float(self.times_ms[own[top]] - self.times_ms[own[foot]])
        return float(height[top] - height.min()), rise_ms or float("nan")


def follow_mitral_plane(loop: Loop, placed: PlacedSeptum, frame: int) -> MitralPlane:
    """Follow the septal end of the mitral ring through a loop.

    The tissue around the base of the septum's line is looked for in every frame along the line's
    lower third, by correlation with the mean of all frames once they lie on each other; its course
    is the one that fits best without jumping. Nothing is added up from frame to frame, so that
    nothing drifts.

    Parameters
    ----------
    loop : Loop
        From which the septum is.
    placed : PlacedSeptum
        The septum, in pixels of the loop.
    frame : int
        Frame of the loop at which it was drawn.

    Raises
    ------
    DataError
        More frames than memory is given for, or one that cannot be decoded.
    """
    spacing = np.asarray(placed.volume.mm_per_pixel)
    line_mm = placed.septum.points_px * spacing
    up = line_mm[_CHORD_POINTS] - line_mm[0]
    up = up / np.hypot(*up)
    along = np.arange(-_HALF_MM - _DOWN_MM, _HALF_MM + _UP_MM + _STEP_MM / 2, _STEP_MM)
    across = np.arange(-_WIDE_MM - _ASIDE_MM, _WIDE_MM + _ASIDE_MM + _STEP_MM / 2, _STEP_MM)
    if 4 * loop.n_frames * along.size * across.size > MOST_BYTES:
        raise DataError(
            f"{loop.name}: expected at most {MOST_BYTES // (4 * along.size * across.size)} frames, "
            f"found {loop.n_frames}; cut the loop to a few beats"
        )
    aside = np.array([up[1], -up[0]])
    places = line_mm[0] + along[:, None, None] * up + across[None, :, None] * aside
    rows, columns = np.moveaxis(places / spacing, -1, 0).astype(np.float32)
    strips = [
        cv2.GaussianBlur(cv2.remap(grey, columns, rows, cv2.INTER_LINEAR), (0, 0), _BLUR_PX)
        for grey in (frame.astype(np.float32) for frame in loop.frames())
    ]
    half, wide, low = (round(mm / _STEP_MM) for mm in (_HALF_MM, _WIDE_MM, _DOWN_MM))
    aside_px = round(_ASIDE_MM / _STEP_MM)
    times_ms = loop.frame_times_ms
    most = max(round(_FAST_MM_PER_MS * float(np.median(np.diff(times_ms))) / _STEP_MM), 1)
    number = np.arange(len(strips))
    at, by = np.full(len(strips), low), np.full(len(strips), aside_px)
    shown, first = [frame], low
    for _ in range(_ROUNDS):
        ring = np.asarray(
            np.mean([
                strips[n][at[n] : at[n] + 2 * half + 1, by[n] : by[n] + 2 * wide + 1]
                for n in shown
            ], axis=0), dtype=np.float32,
        )  # fmt: skip
        fits = [cv2.matchTemplate(strip, ring, cv2.TM_CCOEFF_NORMED) for strip in strips]
        by_height = np.stack([fit.max(axis=1) for fit in fits]).astype(np.float64)
        chosen = smoothest_path(by_height / (by_height.std() + 1e-9), most)
        by = np.array([int(fit[row].argmax()) for fit, row in zip(fits, chosen, strict=True)])
        # The line's end is where the ring is in the mean of the frames, not in this one.
        first = first - round(float(chosen.mean() - chosen[frame])) if shown == [frame] else first
        at, shown = np.clip(chosen + first - low, 0, len(along) - 2 * half - 1), number.tolist()
    height = (chosen + peak_offset(by_height, chosen)) * _STEP_MM
    fit = float(by_height[number, chosen].mean())
    return MitralPlane(times_ms, np.asarray(height - height.min(), dtype=np.float64), fit)
