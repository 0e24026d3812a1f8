"""What the training engine is given: clips of videos, and frames for the view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cardio_core.api import FeatureSet
from cardio_echo_cmr.clips import ClipForm, cut_clips, n_recorded, random_crop, random_starts

VIEW_SHIFT = 0.04
"""Of a frame's side: how far frames are shifted at most when the view is learnt."""

VIEW_GAIN = 1.25
"""Their grey levels are multiplied by a factor between its inverse and itself."""

N_FOR_GREY = 128
"""Videos from which mean and SD are taken, as in EchoNet-Dynamic."""


@dataclass(frozen=True)
class Grey:
    """The mean and SD of the grey levels of training; what a network sees is (grey - mean) / sd."""

    mean: float = 0.0
    sd: float = 255.0


def grey_of(features: FeatureSet) -> Grey:
    """Return mean and SD of all recorded pixels of up to 128 videos, evenly chosen.

    Examples
    --------
    >>> from types import SimpleNamespace as Block
    >>> frames = np.array([[10, 30, 0]], np.uint8).reshape(1, 3, 1, 1)
    >>> times = np.array([[0.0, 33.0, np.nan]])
    >>> grey_of({"video": Block(values=frames), "times": Block(values=times)})
    Grey(mean=20.0, sd=10.0)
    """
    videos = features["video"].values
    lengths = n_recorded(np.asarray(features["times"].values))
    chosen = np.unique(np.linspace(0, len(lengths) - 1, N_FOR_GREY).round().astype(int))
    counts = np.zeros(256, np.int64)
    for place in chosen:
        frames = videos[np.array([place])][0][: lengths[place]]
        counts += np.bincount(frames.ravel(), minlength=256)
    share, level = counts / counts.sum(), np.arange(256)
    mean = float(share @ level)
    return Grey(mean, max(float(np.sqrt(share @ (level - mean) ** 2)), 1.0))


@dataclass(frozen=True)
class Clips:
    """Clips of videos.

    Attributes
    ----------
    videos : array-like of uint8, shape (n_videos, max_frames, rows, columns)
        On disk until a batch asks for them.
    times_ms : ndarray, shape (n_videos, max_frames)
        NaN after the end.
    form : ClipForm
    grey : Grey
        Not used in ``paper``, which divides by 255.
    who : ndarray of int64, shape (n_clips,)
        The video of each clip.
    starts : ndarray of float64, shape (n_clips,)
        Where it starts when nothing is drawn at random.
    wanted : ndarray of float32, shape (n_clips,), or None
        0 or 1, or standardised values; None for new patients.
    """

    videos: Any
    times_ms: NDArray[np.floating[Any]]
    form: ClipForm
    grey: Grey
    who: NDArray[np.int64]
    starts: NDArray[np.float64]
    wanted: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.who)

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None) -> dict[str, Any]:
        """Return one batch; see `cardio_core.training`.

        ``"inputs"`` holds ``"clip"``, float32 (n, 1, n_frames, rows, columns), standardised and 0
        after a video's end, and ``"n_frames"``, how many frames of it count.
        """
        who = self.who[indices]
        times = self.times_ms[who]
        starts = self.starts[indices] if rng is None else random_starts(self.form, times, rng)
        once, where = np.unique(who, return_inverse=True)
        videos = np.asarray(self.videos[once])[where]
        clips, n_there = cut_clips(self.form, videos, times, starts)
        clips = self._standardised(clips, n_there)
        if rng is not None and self.form.name != "paper":
            clips = random_crop(clips, self.form.pad, rng)
        counted = n_there if self.form.by_time else np.full_like(n_there, self.form.n_frames)
        inputs = {"clip": torch.from_numpy(clips)[:, None], "n_frames": torch.from_numpy(counted)}
        made: dict[str, Any] = {"inputs": inputs}
        if self.wanted is not None:
            made["targets"] = torch.from_numpy(self.wanted[indices])
        return made

    def _standardised(
        self, clips: NDArray[np.float32], n_there: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        grey = Grey() if self.form.name == "paper" else self.grey
        clips -= np.float32(grey.mean)
        clips /= np.float32(grey.sd)
        clips[np.arange(clips.shape[1]) >= n_there[:, None]] = 0.0
        return clips


def clips_of(
    features: FeatureSet,
    form: ClipForm,
    grey: Grey,
    starts: Sequence[NDArray[np.float64]],
    wanted: NDArray[np.float32] | None = None,
) -> Clips:
    """Return the clips of videos, all of which the form can use.

    Parameters
    ----------
    features : FeatureSet
        With the blocks ``video`` and ``times``.
    form, grey
        See `Clips`.
    starts : sequence of ndarray
        Of each video's clips where nothing is drawn at random, one or more.
    wanted : ndarray of float32, shape (n_videos,), optional
        What is to be learnt.
    """
    who = np.repeat(np.arange(len(starts)), [len(times) for times in starts])
    return Clips(
        features["video"].values,
        np.asarray(features["times"].values),
        form,
        grey,
        who,
        np.concatenate(starts),
        None if wanted is None else wanted[who],
    )


@dataclass(frozen=True)
class Frames:
    """Frames of videos, equally spaced from the first to the last.

    Attributes
    ----------
    videos : array-like of uint8, shape (n, max_frames, rows, columns)
    n_recorded : ndarray of int64, shape (n,)
        Frames before each video's end.
    n_frames : int
        How many are shown of each video.
    grey : Grey
    views : ndarray of int64, shape (n,), or None
        Place of the view among the classes; None for new patients.
    """

    videos: Any
    n_recorded: NDArray[np.int64]
    n_frames: int
    grey: Grey
    views: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.n_recorded)

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None) -> dict[str, Any]:
        """Return one batch; see `cardio_core.training`.

        In training the frames of a video are shifted and brightened or darkened alike. They are
        never mirrored: that would be another view.
        """
        share = np.linspace(0.0, 1.0, self.n_frames)
        chosen = np.rint(share * (self.n_recorded[indices, None] - 1)).astype(np.int64)
        videos = np.asarray(self.videos[indices])
        frames = videos[np.arange(len(videos))[:, None], chosen].astype(np.float32)
        if rng is not None:
            gain = np.exp(rng.uniform(-1, 1, len(frames)) * np.log(VIEW_GAIN))
            frames *= gain[:, None, None, None].astype(np.float32)
            np.minimum(frames, 255, out=frames)
        frames = (frames - np.float32(self.grey.mean)) / np.float32(self.grey.sd)
        if rng is not None:
            frames = random_crop(frames, round(VIEW_SHIFT * frames.shape[2]), rng)
        made: dict[str, Any] = {"inputs": torch.from_numpy(frames)}
        if self.views is not None:
            made["targets"] = torch.from_numpy(self.views[indices])
        return made
