"""Three ways to cut a clip out of a video: as the paper did, as EchoNet-Dynamic does, by time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

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
            one[:, top : top + rows, left : left + columns]
            for one, (top, left) in zip(wide, corners, strict=True)
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
