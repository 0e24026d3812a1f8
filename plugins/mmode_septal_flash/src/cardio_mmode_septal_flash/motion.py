"""How far and when the septum moves inward: tracked in M-modes, over the beats of a loop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_ultrasound import peak_offset, smoothest_path

STEP_MM = 0.25
BAND_MM = 22.0
"""Reach from the line's centre to both sides within which the septum is looked for."""

_TEMPLATE_MM = 11.0
_MOST_MM = 9.0
_HALF_WALLS_MM = (3.0, 4.0, 5.0)
_FLANK_MM = 4.0
_BLUR_MM, _BLUR_MS = 0.6, 6.0
_COLUMN_MS = 4.0
_FAST_MM_PER_MS = 0.4
_ROUNDS, _SHADING_ROUNDS = 3, 3
_SHADING_MM = 1.0
_NEAR_MM = 2.0


@dataclass(frozen=True, eq=False)
class SeptalPath:
    """Where the septum is over a cycle.

    Attributes
    ----------
    time_ms : ndarray of float64, shape (n,)
        From the R peak, in even steps of about 4 ms.
    position_mm : ndarray of float64, shape (n,)
        Middle of the wall along the line from its centre, towards the left ventricle positive.
    fit : float
        Mean correlation of the columns with their mean, -1 to 1.
    """

    time_ms: NDArray[np.float64]
    position_mm: NDArray[np.float64]
    fit: float


def track_septum(
    mmode: NDArray[np.floating] | NDArray[np.uint8],
    mm_per_row: float,
    rr_ms: float,
    *,
    from_mm: float = -30.0,
) -> SeptalPath:
    """Follow the septum through an M-mode.

    Parameters
    ----------
    mmode : ndarray, shape (n_rows, n_columns)
        Rows along the line, right ventricle on top; columns from one R peak to the next.
    mm_per_row : float
        Distance of rows.
    rr_ms : float
        Length of the cycle.
    from_mm : float
        Place of row 0 along the line.

    Examples
    --------
    >>> row_mm = np.linspace(-30, 60, 301)[:, None]
    >>> centre_mm = 3 * np.sin(np.linspace(0, np.pi, 200)) ** 2
    >>> wall = np.where(np.abs(row_mm - centre_mm) < 4.5, 160, 15).astype(np.uint8)
    >>> path = track_septum(wall, 0.3, 800.0)
    >>> bool(np.abs(path.position_mm.max() - 3.0) < 0.2)
    True
    """
    columns, time_ms = _columns(mmode, mm_per_row, rr_ms, from_mm)
    step_ms = float(time_ms[1] - time_ms[0])
    n_most = round(_MOST_MM / STEP_MM)
    shifts = np.arange(-n_most, n_most + 1)
    position = smoothest_path(_box_score(columns, shifts), _most_jump(step_ms)) - n_most
    path, fit = position.astype(np.float64), 0.0
    for _ in range(_ROUNDS):
        path, fit = _onto_mean(columns, path, step_ms)
    for _ in range(_SHADING_ROUNDS):
        columns = columns - _shading(columns, path)
        for _ in range(2):
            path, fit = _onto_mean(columns, path, step_ms)
    return SeptalPath(time_ms, path * STEP_MM, fit)


def _columns(
    mmode: NDArray[np.floating] | NDArray[np.uint8], mm_per_row: float, rr_ms: float, from_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return grey levels by time and place around the centre, and the times."""
    n_columns = mmode.shape[1]
    n_times = int(np.clip(round(rr_ms / _COLUMN_MS), 32, n_columns))
    time_ms = np.arange(n_times) * (rr_ms / n_times)
    at_mm = np.arange(-BAND_MM, BAND_MM + STEP_MM / 2, STEP_MM)
    sigma = (_BLUR_MM / mm_per_row, _BLUR_MS / (rr_ms / n_columns))
    # One cycle follows another, so that the last column is beside the first.
    blurred = ndimage.gaussian_filter(mmode.astype(np.float64), sigma, mode=("nearest", "wrap"))
    rows = (at_mm - from_mm) / mm_per_row
    column = time_ms / rr_ms * n_columns
    grid = np.broadcast_arrays(rows[None, :], column[:, None])
    columns = ndimage.map_coordinates(blurred, np.stack(grid), order=1, mode="nearest")
    return np.asarray(columns, dtype=np.float64), np.asarray(time_ms, dtype=np.float64)


def _box_score(columns: NDArray[np.float64], shifts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return how well a bright box between dark flanks fits, by time and shift."""
    sums = np.concatenate([np.zeros((len(columns), 1)), np.cumsum(columns, axis=1)], axis=1)
    middle = columns.shape[1] // 2 + shifts
    flank = round(_FLANK_MM / STEP_MM)
    best = np.full((len(columns), shifts.size), -np.inf)
    for half_mm in _HALF_WALLS_MM:
        half = round(half_mm / STEP_MM)
        low, high = middle - half, middle + half + 1
        wall = (sums[:, high] - sums[:, low]) / (high - low)
        above = (sums[:, low] - sums[:, low - flank]) / flank
        below = (sums[:, high + flank] - sums[:, high]) / flank
        best = np.maximum(best, wall - 0.5 * (above + below))
    return np.asarray(best / (best.std() + 1e-9), dtype=np.float64)


def _most_jump(step_ms: float) -> int:
    """Return how many steps of place the septum may go in a step of time."""
    return max(round(_FAST_MM_PER_MS * step_ms / STEP_MM), 1)


def _onto_mean(
    columns: NDArray[np.float64], path: NDArray[np.float64], step_ms: float
) -> tuple[NDArray[np.float64], float]:
    """Correlate every column with the mean of all, moved onto each other; to a fraction of a step.

    The mean of the shifts stays what it was: a mean column says nothing about its own place.
    """
    half = round(_TEMPLATE_MM / STEP_MM)
    middle = columns.shape[1] // 2
    near = round(_NEAR_MM / STEP_MM)
    reach = np.arange(-half - near, half + near + 1)
    times = np.repeat(np.arange(len(columns))[:, None], reach.size, axis=1)
    places = np.stack([times, middle + path[:, None] + reach])
    moved = ndimage.map_coordinates(columns, places, order=1, mode="nearest")
    template = moved[:, near:-near].mean(axis=0)
    template = (template - template.mean()) / (template.std() + 1e-9)
    windows = np.lib.stride_tricks.sliding_window_view(moved, template.size, axis=1)
    centred = windows - windows.mean(axis=2, keepdims=True)
    fit = (centred @ template) / (template.size * (windows.std(axis=2) + 1e-9))
    chosen = smoothest_path(fit / (fit.std() + 1e-9), _most_jump(step_ms))
    moved_by = chosen + peak_offset(fit, chosen) - near
    row = np.arange(len(columns))
    return path + moved_by - moved_by.mean(), float(fit[row, chosen].mean())


def _shading(columns: NDArray[np.float64], path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the grey levels that stand still while the wall moves, by place.

    Pictures are compressed logarithmically, so that what a shadow takes away is a number of grey
    levels: the mean of what the moving mean column does not explain.
    """
    place = np.arange(columns.shape[1])
    times = np.repeat(np.arange(len(columns))[:, None], place.size, axis=1)
    moved = ndimage.map_coordinates(
        columns, np.stack([times, place + path[:, None]]), order=1, mode="nearest"
    )
    wall = moved.mean(axis=0)
    explained = np.stack([np.interp(place - shift, place, wall) for shift in path])
    left = (columns - explained).mean(axis=0)
    return np.asarray(ndimage.gaussian_filter1d(left, _SHADING_MM / STEP_MM), dtype=np.float64)


N_TRACE = 100
"""Samples of a trace, from the R peak to one sample before the next."""

FLASH_WINDOW_MS = 180.0
"""A septal flash peaks while the QRS complex lasts or just after it, before ejection."""

_BACK_MS = 120.0
_LEAST_MM = 0.05

MEASURES = (
    ("excursion_mm", "mm"),
    ("onset_ms", "ms"),
    ("peak_ms", "ms"),
    ("duration_ms", "ms"),
    ("rebound_mm", "mm"),
    ("early_inward_mm", "mm"),
    ("range_mm", "mm"),
    ("fit", "1"),
)
"""Names and units of what `SeptalMotion.measures` holds."""


@dataclass(frozen=True, eq=False)
class SeptalMotion:
    """What the septum does in one cycle.

    Attributes
    ----------
    trace_mm : ndarray of float32, shape (100,)
        Displacement from the R peak, towards the left ventricle positive, over the cycle.
    excursion_mm : float
        Height of the early inward peak above the higher of its feet: the R peak, and the lowest
        place within 120 ms after the peak. 0 where the septum only goes on inward, or never does.
    onset_ms, peak_ms, duration_ms : float
        Of that peak; onset and duration as of a squared sine of the same width at half its height.
        0 where there is none.
    rebound_mm : float
        How far the septum goes outward beyond its place at the R peak within 400 ms after it.
    early_inward_mm : float
        Largest inward displacement within 180 ms, peak or not.
    range_mm : float
        From the innermost to the outermost place in the cycle.
    fit : float
        How alike the columns of the M-mode are once moved onto each other, -1 to 1.
    """

    trace_mm: NDArray[np.float32]
    excursion_mm: float
    onset_ms: float
    peak_ms: float
    duration_ms: float
    rebound_mm: float
    early_inward_mm: float
    range_mm: float
    fit: float

    def measures(self) -> NDArray[np.float32]:
        """Return the numbers in the order of `MEASURES`."""
        return np.array([getattr(self, name) for name, _ in MEASURES], dtype=np.float32)


def septal_motion(
    mmodes: NDArray[np.uint8], mm_per_row: float, rr_ms: float, *, from_mm: float = -30.0
) -> SeptalMotion:
    """Measure the septum's motion in the M-modes of one study.

    Parameters
    ----------
    mmodes : ndarray of uint8, shape (n_lines, n_rows, n_columns)
        On neighbouring points of the septum, with one normal. Their mean is followed: the wall is
        at the same place in all, the speckle is not.
    mm_per_row : float
        Distance of rows.
    rr_ms : float
        Length of the cycle.
    from_mm : float
        Place of row 0 along the line.

    Notes
    -----
    Displacement is that of the wall's middle along the line. No motion from column to column is
    added up, so that nothing drifts.

    Examples
    --------
    >>> row_mm = np.linspace(-30, 60, 301)[:, None]
    >>> time_ms = np.arange(400) * 2.0
    >>> flash_mm = 4 * np.sin(np.pi * np.clip((time_ms - 20) / 80, 0, 1)) ** 2
    >>> wall = np.where(np.abs(row_mm - flash_mm) < 4.5, 160, 15).astype(np.uint8)
    >>> motion = septal_motion(wall[None], 0.3, 800.0)
    >>> abs(motion.excursion_mm - 4) < 0.3, abs(motion.onset_ms - 20) < 8
    (True, True)
    """
    path = track_septum(mmodes.mean(axis=0), mm_per_row, rr_ms, from_mm=from_mm)
    inward = path.position_mm - path.position_mm[0]
    excursion, onset, peak, duration = _early_peak(path.time_ms, inward)
    at = np.arange(N_TRACE) * (rr_ms / N_TRACE)
    trace = np.interp(at, path.time_ms, inward)
    after = (path.time_ms >= peak) & (path.time_ms <= peak + 400.0)
    early = path.time_ms <= FLASH_WINDOW_MS
    return SeptalMotion(
        trace_mm=trace.astype(np.float32),
        excursion_mm=excursion,
        onset_ms=onset,
        peak_ms=peak,
        duration_ms=duration,
        rebound_mm=max(0.0, -float(inward[after].min())),
        early_inward_mm=max(0.0, float(inward[early].max())),
        range_mm=float(np.ptp(inward)),
        fit=path.fit,
    )


def _early_peak(
    time_ms: NDArray[np.float64], inward_mm: NDArray[np.float64]
) -> tuple[float, float, float, float]:
    """Return height, onset, time and duration of the highest early peak; zeros for none."""
    best = (0.0, 0.0, 0.0, 0.0)
    inner = np.flatnonzero((inward_mm[1:-1] >= inward_mm[:-2]) & (inward_mm[1:-1] > inward_mm[2:]))
    for top in inner + 1:
        at = float(time_ms[top])
        if at > FLASH_WINDOW_MS:
            break
        after = (time_ms > at) & (time_ms <= at + _BACK_MS)
        foot = max(float(inward_mm[: top + 1].min()), float(inward_mm[after].min()))
        height = float(inward_mm[top]) - foot
        if height > max(best[0], _LEAST_MM):
            best = (height, *_width(time_ms, inward_mm, int(top), foot + 0.5 * height))
    return best


def _width(
    time_ms: NDArray[np.float64], inward_mm: NDArray[np.float64], top: int, level: float
) -> tuple[float, float, float]:
    """Return onset, time and duration of a peak from where it crosses half its height."""
    before = np.flatnonzero(inward_mm[:top] < level)
    rise = float(time_ms[0])
    if before.size:
        low = int(before[-1])
        rise = float(np.interp(level, inward_mm[low : low + 2], time_ms[low : low + 2]))
    below = top + np.flatnonzero(inward_mm[top:] < level)
    fall = float(time_ms[-1])
    if below.size:
        high = int(below[0])
        pair = slice(high - 1, high + 1)
        fall = float(np.interp(level, inward_mm[pair][::-1], time_ms[pair][::-1]))
    duration = 2.0 * (fall - rise)
    return max(0.0, rise - 0.25 * duration), float(time_ms[top]), duration


OF_A_PEAK = frozenset(("onset_ms", "peak_ms", "duration_ms"))
"""Measures that only a beat with an early peak has."""

_SAME_MM = 1e-3
_FITS = 0.7


@dataclass(frozen=True, eq=False)
class BeatsMotion:
    """What the septum does in the measured beats of a loop.

    Attributes
    ----------
    beats : tuple of SeptalMotion
        In the order of time; at least one.
    rr_ms : tuple of float
        Length of each.
    """

    beats: tuple[SeptalMotion, ...]
    rr_ms: tuple[float, ...]

    def of(self, name: str) -> NDArray[np.float64]:
        """Return one measure by beat, shape (n_beats,).

        Onset, time and duration are NaN in beats without an early peak.
        """
        values = np.array([getattr(beat, name) for beat in self.beats], dtype=np.float64)
        if name in OF_A_PEAK:
            values[[item.excursion_mm == 0 for item in self.beats]] = np.nan
        return values

    def median(self, name: str) -> float:
        """Return the median over the beats; NaN for the times of a peak that the median has not.

        Examples
        --------
        >>> trace = np.zeros(100, np.float32)
        >>> flash = SeptalMotion(trace, 4.0, 20.0, 60.0, 80.0, 1.0, 5.0, 9.0, 0.9)
        >>> none = SeptalMotion(trace, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 8.0, 0.9)
        >>> three = BeatsMotion((flash, none, flash), (800.0, 810.0, 790.0))
        >>> three.median("excursion_mm"), three.median("peak_ms"), three.usual
        (4.0, 60.0, 0)
        >>> BeatsMotion((none, none, flash), three.rr_ms).median("peak_ms")
        nan
        """
        values = self.of(name)
        if name in OF_A_PEAK and self.median("excursion_mm") == 0:
            return float("nan")
        return float(np.nanmedian(values))

    def measures(self) -> NDArray[np.float32]:
        """Return the medians in the order of `MEASURES`; 0 for the times of no peak."""
        medians = [self.median(name) for name, _ in MEASURES]
        return np.nan_to_num(np.array(medians, dtype=np.float32))

    def sd(self, name: str) -> float:
        """Return the SD between beats (n - 1); NaN where fewer than two have the measure."""
        known = self.of(name)
        known = known[np.isfinite(known)]
        return float(known.std(ddof=1)) if known.size > 1 else float("nan")

    def limits(self, name: str) -> tuple[float, float]:
        """Return the lowest and the highest of the beats; NaN where fewer than two have it."""
        known = self.of(name)
        known = known[np.isfinite(known)]
        return (float(known.min()), float(known.max())) if known.size > 1 else (float("nan"),) * 2

    @property
    def usual(self) -> int:
        """The beat that stands for all: its early peak lies nearest the median.

        Of those equally near, as of two beats or where none has a peak, the one whose excursion
        over the cycle does, and of those the one that could be followed best.
        """
        return min(range(len(self.beats)), key=self._from_the_median)

    def _from_the_median(self, place: int) -> tuple[float, float, float]:
        away = (
            abs(float(self.of(name)[place]) - self.median(name))
            for name in ("excursion_mm", "range_mm")
        )
        near, then = (round(mm / _SAME_MM) * _SAME_MM for mm in away)
        return near, then, -self.beats[place].fit

    def course(self, n_times: int = 200) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the median course: times in ms after R up to the shortest beat, and mm.

        Beats are laid onto each other by the time after R, not by their share of the cycle: when
        a flash is does not stretch with diastole.
        """
        at_ms = np.linspace(0.0, min(self.rr_ms), n_times, endpoint=False)
        courses = [
            np.interp(
                at_ms, np.arange(beat.trace_mm.size) * (rr / beat.trace_mm.size), beat.trace_mm
            )
            for beat, rr in zip(self.beats, self.rr_ms, strict=True)
        ]
        return at_ms, np.asarray(np.median(courses, axis=0), dtype=np.float64)


def trust_of_motion(motion: BeatsMotion) -> float:
    """Return from 0 to 1 how far what was followed moves as one wall: how alike its columns are.

    Examples
    --------
    >>> still = SeptalMotion(np.zeros(100, np.float32), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 8.0, 0.35)
    >>> trust_of_motion(BeatsMotion((still,), (800.0,)))
    0.5
    """
    return float(np.clip(motion.median("fit") / _FITS, 0.0, 1.0))


COURSE = (
    ("heart_rate_bpm", "1/min", "Heart rate"),
    ("early_peak_mm", "mm", "Early inward peak of the septum above its foot"),
    ("early_onset_ms", "ms", "Onset of the early inward peak after R"),
    ("early_peak_ms", "ms", "Time of the early inward peak after R"),
    ("early_duration_ms", "ms", "Duration of the early inward peak"),
    ("early_inward_mm", "mm", "Largest inward displacement within 180 ms"),
    ("rebound_mm", "mm", "Rebound of the septum outwards"),
    ("range_mm", "mm", "Septal excursion over the cycle"),
    ("range_pct", "%", "Septal excursion over the cycle, of the septum's length"),
    ("fit", "1", "Fit of the tracking, 1 is perfect"),
    ("beats_measured", "1", "Beats measured"),
    ("beats_left_out", "1", "Beats left out"),
)
"""Names, units and titles of what a reader is told: medians over the measured beats."""

_DIFFERS = (
    ("early_peak", "excursion_mm", "mm", "Early inward peak"),
    ("early_peak_time", "peak_ms", "ms", "Time of the early inward peak"),
    ("range", "range_mm", "mm", "Septal excursion over the cycle"),
)
_HOW = (
    ("low", "lowest of the beats"),
    ("high", "highest of the beats"),
    ("sd", "SD between beats"),
)

SPREAD = tuple(
    (f"{what}_{how}_{unit}", unit, f"{title}, {words}")
    for what, _, unit, title in _DIFFERS
    for how, words in _HOW
)
"""Names, units and titles of what differs between beats."""


def course_of(
    motion: BeatsMotion | None,
    rr_ms: float,
    n_left_out: int,
    *,
    from_r: bool,
    timed: bool,
    septum_mm: float,
    scaled: bool,
) -> list[float]:
    """Return the numbers of `COURSE`; NaN where there is no early peak, or nothing is known.

    Parameters
    ----------
    motion : BeatsMotion or None
        None where the septum was not followed: then the heart rate alone is known.
    rr_ms : float
        Length of the beat that is shown.
    n_left_out : int
        Beats that lie whole in the loop and were not measured.
    from_r : bool
        Whether the beats begin at R peaks; else nothing says what is early.
    timed : bool
        Whether the times are such that a beat could have them; else no rate is known.
    septum_mm : float
        Length of the septum's line.
    scaled : bool
        Whether mm are mm; else lengths are given in per cent of the septum's length alone.
    """
    per_minute = 60000.0 if timed else float("nan")
    measured: dict[str, float] = {"heart_rate_bpm": per_minute / rr_ms, "beats_measured": 0.0}
    if motion is not None:
        measured |= {
            "heart_rate_bpm": per_minute / float(np.median(motion.rr_ms)),
            "range_pct": 100.0 * motion.median("range_mm") / septum_mm,
            "rebound_mm": motion.median("rebound_mm"),
            "range_mm": motion.median("range_mm"),
            "fit": motion.median("fit"),
            "beats_measured": float(len(motion.beats)),
            "beats_left_out": float(n_left_out),
        }
    if motion is not None and from_r:
        measured |= {
            "early_peak_mm": motion.median("excursion_mm"),
            "early_onset_ms": motion.median("onset_ms"),
            "early_peak_ms": motion.median("peak_ms"),
            "early_duration_ms": motion.median("duration_ms"),
            "early_inward_mm": motion.median("early_inward_mm"),
        }
    unknown = {name for name, unit, _ in COURSE if unit == "mm" and not scaled}
    return [float("nan") if n in unknown else measured.get(n, float("nan")) for n, _, _ in COURSE]


def spread_of(motion: BeatsMotion | None) -> list[float]:
    """Return the numbers of `SPREAD`; NaN of one beat, or where the septum was not followed."""
    if motion is None:
        return [float("nan")] * len(SPREAD)
    return [
        number for _, name, _, _ in _DIFFERS for number in (*motion.limits(name), motion.sd(name))
    ]
