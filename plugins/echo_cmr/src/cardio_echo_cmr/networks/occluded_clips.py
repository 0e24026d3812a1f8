"""Clips with one segment occluded after the other, as the network is to see them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context
from cardio_echo_cmr.clips.occlusion import occluded, smoothed
from cardio_echo_cmr.networks.clip_network import ClipNetwork
from cardio_echo_cmr.networks.examples import Clips

BATCH_SIZE = 8


@dataclass(frozen=True)
class OccludedClips:
    """Every clip as it is, and then with each segment occluded.

    Attributes
    ----------
    clips : Clips
    masks : ndarray of float32, shape (n_segments, rows, columns)
        Of `occlusion.Segments`.
    """

    clips: Clips
    masks: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.clips) * self.n_ways

    @property
    def n_ways(self) -> int:
        """How often each clip is shown."""
        return len(self.masks) + 1

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None) -> dict[str, Any]:
        """Return one batch; nothing is drawn at random.

        The video is occluded before its clip is cut and standardised, so that the network sees
        what a recording without the segment would have given.
        """
        clip, way = np.divmod(np.asarray(indices, np.int64), self.n_ways)
        whole = {one: np.asarray(self.clips.videos[self.clips.who[[one]]])[0] for one in set(clip)}
        smooth = {one: smoothed(whole[one]) for one in set(clip[way > 0])}
        videos = [
            occluded(whole[one], smooth[one], self.masks[number - 1]) if number else whole[one]
            for one, number in zip(clip, way, strict=True)
        ]
        n = len(clip)
        shown = replace(
            self.clips,
            videos=np.stack(videos),
            times_ms=np.asarray(self.clips.times_ms)[self.clips.who[clip]],
            who=np.arange(n),
            starts=self.clips.starts[clip],
            wanted=None,
        )
        return shown.batch(np.arange(n), None)


def outputs_without(
    network: ClipNetwork, clips: Clips, masks: NDArray[np.float32], ctx: Context
) -> NDArray[np.float64]:
    """Return the network's output for every clip, whole and without each segment.

    Of several outputs, one a class, that which is the largest for the whole clip.

    Parameters
    ----------
    network : ClipNetwork
    clips : Clips
        At least one.
    masks : ndarray of float32, shape (n_segments, rows, columns)
        None may be given: then only whole clips are scored.
    ctx : Context
        Device.

    Returns
    -------
    ndarray, shape (n_clips, 1 + n_segments)
        Logits, or standardised values; the first column is that of the whole clip.
    """
    examples = OccludedClips(clips, masks)
    found = ctx.score_with(network, examples, batch_size=BATCH_SIZE)
    outputs = np.asarray(found, np.float64).reshape(len(clips), examples.n_ways, -1)
    likeliest = outputs[:, 0].argmax(axis=1)
    return outputs[np.arange(len(clips)), :, likeliest]
