"""Clips of a loop: the square, the cut in time, frames worth a look, heat and occlusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_core.api import DataError
from cardio_echo_cmr.segments import segment_map


@dataclass(frozen=True)
class Square:
    """A window of a frame that is square on the body; it may reach beyond the frame.

    Attributes
    ----------
    top, left : int
        Its first row and column; negative above and left of the frame.
    n_rows, n_columns : int
        Its size in pixels: unequal where pixels are not square.
    mm : float
        Its side in mm; NaN where the size of a pixel is not known.
    """

    top: int
    left: int
    n_rows: int
    n_columns: int
    mm: float

    def mm_per_px(self, side: int) -> float:
        """Return the size of a pixel of the small picture; NaN where unknown."""
        return self.mm / side


def square_around(
    mask: NDArray[np.bool_], mm_per_pixel: tuple[float, float] | None = None
) -> Square:
    """Return the smallest square that holds a sector in its middle.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, columns)
        The sector.
    mm_per_pixel : tuple of float or None
        Distance of rows, and of columns; None takes pixels for square.

    Returns
    -------
    Square
        In whole pixels, so that it may miss its centre by half of one.

    Raises
    ------
    DataError
        An empty mask.

    Examples
    --------
    >>> mask = np.zeros((60, 80), bool)
    >>> mask[10:50, 20:50] = True
    >>> square_around(mask, (0.5, 0.5))
    Square(top=10, left=15, n_rows=40, n_columns=40, mm=20.0)
    >>> square_around(mask, (0.5, 1.0))  # 20 mm high and 30 mm wide
    Square(top=0, left=20, n_rows=60, n_columns=30, mm=30.0)
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        raise DataError("expected a sector in the loop, found none; check that it is a B-mode loop")
    row_size, column_size = mm_per_pixel or (1.0, 1.0)
    size = max((rows[-1] - rows[0] + 1) * row_size, (columns[-1] - columns[0] + 1) * column_size)
    n_rows, n_columns = round(size / row_size), round(size / column_size)
    return Square(
        top=int(rows[0] + rows[-1] + 1 - n_rows) // 2,
        left=int(columns[0] + columns[-1] + 1 - n_columns) // 2,
        n_rows=n_rows,
        n_columns=n_columns,
        mm=float(size) if mm_per_pixel else float("nan"),
    )


class SectorCutter:
    """Cuts frames to a sector: nothing else is left in the small picture.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, columns)
        The sector.
    square : Square
        Around it.
    side : int
        Rows and columns of the small picture.

    Notes
    -----
    Cubic, as published: OpenCV's, without a filter before it. What lies outside the sector is
    black before the interpolation, so that no text or trace bleeds into it, and after it, so that
    the overshoot at the edge stays inside.

    Examples
    --------
    >>> mask = np.zeros((60, 80), bool)
    >>> mask[10:50, 20:60] = True
    >>> cut = SectorCutter(mask, square_around(mask), side=20)
    >>> frame = np.full((60, 80), 90, np.uint8)
    >>> frame[55:] = 255  # printed below the sector
    >>> small = cut(frame)
    >>> small.shape, int(small.min()), int(small.max())
    ((20, 20), 90, 90)
    """

    def __init__(self, mask: NDArray[np.bool_], square: Square, side: int) -> None:
        n_rows, n_columns = mask.shape
        top, left = max(square.top, 0), max(square.left, 0)
        bottom = min(square.top + square.n_rows, n_rows)
        right = min(square.left + square.n_columns, n_columns)
        self._window = np.s_[top:bottom, left:right]
        self._place = np.s_[
            top - square.top : bottom - square.top, left - square.left : right - square.left
        ]
        self._mask = mask[self._window]
        self._canvas = np.zeros((square.n_rows, square.n_columns), dtype=np.uint8)
        self._side = (side, side)
        self._canvas[self._place] = self._mask
        # The place of a small pixel's centre decides whether it belongs to the sector.
        self.mask: NDArray[np.bool_] = (
            cv2.resize(self._canvas, self._side, interpolation=cv2.INTER_NEAREST_EXACT) > 0
        )

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the small picture of a grey frame, shape (side, side)."""
        np.multiply(frame[self._window], self._mask, out=self._canvas[self._place])
        small = cv2.resize(self._canvas, self._side, interpolation=cv2.INTER_CUBIC)
        small[~self.mask] = 0
        return np.asarray(small, dtype=np.uint8)


STEP_MS = 1000 / 30
"""Time between frames of ``honest`` clips of period 1: 30 frames a second."""

ROUNDING_MS = 1.0
"""A wanted time this little after the last frame is that frame's."""


@dataclass(frozen=True)
class ClipForm:
    """How clips are cut.

    Attributes
    ----------
    name : {"paper", "echonet", "honest"}
        ``paper``: from the first frame on, grey levels / 255; shorter videos are not used.
        ``echonet``: native frames, standardised; a random start and a random crop in training,
        every possible clip of the kept frames (``preprocess.max_frames``) in the test; short
        videos end in the mean grey.
        ``honest``: resampled by the frames' times to 30 a second, standardised; a random start and
        crop in training, clips equally spaced in the test; the end of short videos is masked.
    n_frames : int
        Frames of a clip.
    period : int
        Every which frame is taken: a native one, or in ``honest`` one of 30 a second.
    pad : int
        Pixels of mean grey put around a training clip before it is cropped to its size again; not
        in ``paper``.

    Notes
    -----
    The released code of the paper (echonet/cardiac_mri) takes 16 frames with period 2, and drops
    videos of 31 frames and fewer. EchoNet-Dynamic (Ouyang et al., Nature 2020) takes 32 with
    period 2 and a pad of 12.
    """

    name: Literal["paper", "echonet", "honest"] = "honest"
    n_frames: int = 32
    period: int = 1
    pad: int = 0

    @property
    def by_time(self) -> bool:
        """Whether starts are times in ms, and not numbers of frames."""
        return self.name == "honest"

    @property
    def reach(self) -> float:
        """From a clip's first frame to its last one, in ms or in native frames."""
        return (self.n_frames - 1) * self.period * (STEP_MS if self.by_time else 1)


def n_recorded(times_ms: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    """Return how many frames each video has, from times that are NaN after its end."""
    return np.asarray(np.isfinite(times_ms).sum(axis=1).astype(np.int64))


def is_usable(form: ClipForm, times_ms: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Return which videos the form can cut a clip of, shape (n,).

    Parameters
    ----------
    form : ClipForm
    times_ms : ndarray, shape (n, max_frames)
        NaN after the end.

    Examples
    --------
    >>> times = np.where(np.arange(40) < np.array([[31], [32]]), np.arange(40.0), np.nan)
    >>> is_usable(ClipForm("paper", 16, 2), times).tolist()
    [False, True]
    """
    n_least = form.n_frames * form.period if form.name == "paper" else 1
    return np.asarray(n_recorded(times_ms) >= n_least)


def middle_starts(form: ClipForm, times_ms: NDArray[np.floating[Any]]) -> list[NDArray[np.float64]]:
    """Return the start of one clip a video, which validation sees: in the middle; 0 in ``paper``.

    In ms (``honest``) or numbers of frames, as every start.
    """
    latest = latest_starts(form, times_ms)
    if form.name == "paper":
        return list(np.zeros((len(latest), 1)))
    return list((latest / 2 if form.by_time else latest // 2)[:, None])


def scored_starts(
    form: ClipForm, times_ms: NDArray[np.floating[Any]], n_clips: int
) -> list[NDArray[np.float64]]:
    """Return the starts of the clips whose mean scores each video.

    Parameters
    ----------
    form : ClipForm
    times_ms : ndarray, shape (n, max_frames)
        NaN after the end.
    n_clips : int
        Of a video in ``honest``, equally spaced; clips that would be the same are not repeated.
        ``echonet`` takes every clip there is and ``paper`` the first.

    Returns
    -------
    list of ndarray
        In ms (``honest``) or numbers of frames, for each video.

    Examples
    --------
    >>> times = np.arange(64)[None] * STEP_MS
    >>> (scored_starts(ClipForm(), times, 4)[0] / STEP_MS).round(1).tolist()
    [0.0, 10.7, 21.3, 32.0]
    """
    if form.name == "paper" or (form.by_time and n_clips == 1):
        return middle_starts(form, times_ms)
    latest = latest_starts(form, times_ms)
    if form.by_time:
        return [np.unique(np.linspace(0.0, last, n_clips)) for last in latest]
    return [np.arange(last + 1) for last in latest]


def random_starts(
    form: ClipForm, times_ms: NDArray[np.floating[Any]], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return one start a video, drawn evenly among the possible ones; 0 in ``paper``."""
    latest = latest_starts(form, times_ms)
    if form.name == "paper":
        return np.zeros(len(latest))
    if form.by_time:
        return rng.uniform(0.0, latest)
    return rng.integers(0, latest.astype(np.int64) + 1).astype(np.float64)


def latest_starts(form: ClipForm, times_ms: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the last start from which a clip still ends within the video, 0 or more."""
    if form.by_time:
        return np.maximum(_last_ms(times_ms) - form.reach, 0.0)
    # As released: a video that is too short is filled up to n_frames * period frames first.
    n_filled = np.maximum(n_recorded(times_ms), form.n_frames * form.period)
    return (n_filled - 1 - form.reach).astype(np.float64)


def cut_clips(
    form: ClipForm,
    videos: NDArray[np.uint8],
    times_ms: NDArray[np.floating[Any]],
    starts: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return one clip of each video, in grey levels.

    Parameters
    ----------
    form : ClipForm
    videos : ndarray of uint8, shape (n, max_frames, rows, columns)
    times_ms : ndarray, shape (n, max_frames)
        Increasing; NaN after the end.
    starts : ndarray, shape (n,)
        In ms (``honest``) or numbers of frames.

    Returns
    -------
    clips : ndarray of float32, shape (n, n_frames, rows, columns)
        Grey levels, 0 to 255; 0 after the video's end.
    n_there : ndarray of int64, shape (n,)
        Frames of each clip before the video's end, 1 or more.
    """
    who = np.arange(len(videos))[:, None]
    grid = np.arange(form.n_frames) * form.period
    last = n_recorded(times_ms)[:, None] - 1
    if form.by_time:
        wanted = starts[:, None] + grid * STEP_MS
        there = wanted <= _last_ms(times_ms)[:, None] + ROUNDING_MS
        below, share = _between(times_ms, wanted, last)
        clips = videos[who, below].astype(np.float32)
        above = videos[who, np.minimum(below + 1, last)]
        clips += (above - clips) * share[:, :, None, None]
    else:
        frame = starts[:, None].astype(np.int64) + grid
        there = frame <= last
        clips = videos[who, np.minimum(frame, last)].astype(np.float32)
    clips[~there] = 0.0
    return clips, there.sum(axis=1).astype(np.int64)


def random_crop(
    clips: NDArray[np.float32], pad: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return clips shifted by up to `pad` pixels, each as a whole, with zeros moving in.

    Parameters
    ----------
    clips : ndarray, shape (n, n_frames, rows, columns)
        Standardised, so that 0 is the mean grey.
    pad : int
        0 shifts nothing.
    rng : numpy.random.Generator
    """
    if pad == 0:
        return clips
    rows, columns = clips.shape[2:]
    wide = np.pad(clips, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    corners = rng.integers(0, 2 * pad + 1, (len(clips), 2))
    return np.stack(
        [
            clip[:, top : top + rows, left : left + columns]
            for clip, (top, left) in zip(wide, corners, strict=True)
        ]
    )


def _last_ms(times_ms: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    return np.asarray(np.nanmax(times_ms, axis=1), np.float64)


def _between(
    times_ms: NDArray[np.floating[Any]], wanted: NDArray[np.float64], last: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the frame at or before each wanted time, and how far it is on the way to the next."""
    # A comparison with NaN is False, so frames after the end never count.
    before = (times_ms[:, None, :] <= wanted[:, :, None]).sum(axis=2) - 1
    below = np.clip(before, 0, np.maximum(last - 1, 0))
    who = np.arange(len(times_ms))[:, None]
    start = times_ms[who, below]
    step = times_ms[who, np.minimum(below + 1, last)] - start
    share = np.divide(wanted - start, step, out=np.zeros_like(wanted), where=step > 0)
    return below, np.clip(share, 0.0, 1.0).astype(np.float32)


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
    return sorted([(0, FIRST), *between, (n - 1, LAST)], key=lambda moment: moment[0])


GROWN = 2 / 112
"""How far a segment is grown on all sides, as a share of the picture's side: patients' hearts do
not lie exactly where the atlas has them, and walls move."""

BLUR = 8 / 112
"""Standard deviation of what an occluded segment shows instead, as a share of the side: wider than
a wall, so that neither its edges nor its motion are left."""

_SOFT = 1 / 112
_SMALLEST_WEIGHT = 1e-3


@dataclass(frozen=True, eq=False)
class Segments:
    """The AHA segments that a view shows.

    Attributes
    ----------
    numbers : tuple of int
        Ascending, 1 to 17.
    labels : ndarray of uint8, shape (side, side)
        Which segment each pixel of the atlas belongs to; 0 none.
    masks : ndarray of float32, shape (n_segments, side, side)
        How much of each pixel is occluded: the segment, grown, with soft edges.
    """

    numbers: tuple[int, ...]
    labels: NDArray[np.uint8]
    masks: NDArray[np.float32]


def segments_of(view: str, side: int) -> Segments:
    """Return the segments of a view's atlas.

    Parameters
    ----------
    view : {"a4c", "a2c", "plax"}
    side : int
        Pixels of the small square picture.

    Examples
    --------
    >>> segments_of("plax", 112).numbers
    (2, 5, 8, 11)
    """
    labels = segment_map(view, side)
    numbers = tuple(int(n) for n in np.unique(labels) if n)
    grown, soft = GROWN * side, _SOFT * side
    masks = []
    for number in numbers:
        away = ndimage.distance_transform_edt(labels != number)
        masks.append(np.clip(1.0 + (grown - away) / soft, 0.0, 1.0))
    return Segments(numbers, labels, np.asarray(masks, np.float32))


def smoothed(video: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the local mean grey of every frame; black outside the sector counts for nothing.

    Parameters
    ----------
    video : ndarray of uint8, shape (frames, rows, columns)
        0 outside the sector.

    Returns
    -------
    ndarray of float32, same shape
        0 outside the sector.

    Examples
    --------
    >>> video = np.zeros((2, 16, 16), np.uint8)
    >>> video[:, :, 4:] = 90
    >>> float(smoothed(video)[0, 8, 4].round(3)), float(smoothed(video)[0, 8, 3])
    (90.0, 0.0)
    """
    sector: NDArray[np.bool_] = np.asarray((video > 0).any(axis=0))
    sigma = BLUR * video.shape[-1]
    weight = cv2.GaussianBlur(sector.astype(np.float32), (0, 0), sigma)
    inside = sector / np.maximum(weight, _SMALLEST_WEIGHT)
    made = np.empty(video.shape, np.float32)
    for number in range(len(video)):
        grey: NDArray[np.float32] = video[number].astype(np.float32)
        made[number] = cv2.GaussianBlur(grey, (0, 0), sigma) * inside
    return made


def occluded(
    video: NDArray[np.uint8], smooth: NDArray[np.float32], mask: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Return the video with one segment replaced by its local mean grey.

    Parameters
    ----------
    video : ndarray of uint8, shape (frames, rows, columns)
    smooth : ndarray of float32, same shape
        Of `smoothed`.
    mask : ndarray of float32, shape (rows, columns)
        1 where nothing of the video is to be left.

    Examples
    --------
    >>> video, mask = np.full((1, 1, 2), 9, np.uint8), np.array([[0, 1]], np.float32)
    >>> occluded(video, np.full((1, 1, 2), 4, np.float32), mask).tolist()
    [[[9, 4]]]
    """
    mixed = video + mask * (smooth - video)
    return np.asarray(np.rint(np.clip(mixed, 0, 255)), np.uint8)
