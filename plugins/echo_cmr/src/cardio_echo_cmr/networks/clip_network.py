"""A fitted video network as an artifact: weights, and what is needed to use it again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cardio_core.api import Context, DataError, FeatureSet, ModelArtifact
from cardio_echo_cmr.clips import ClipForm, is_usable, occluded, scored_starts, smoothed
from cardio_echo_cmr.networks.examples import Clips, Grey, clips_of
from cardio_echo_cmr.networks.r2plus1d import R2Plus1D18, start_from_file

ABOUT = "model.json"
LARGEST_LOGIT = 30.0
"""Beyond it a probability is 0 or 1 in 64 bits."""

SCRATCH = "Not pretrained: started from random weights; train.weights names a file to start from."


class ClipNetwork(nn.Module):
    """R(2+1)D-18 on grey clips, with one output or, of more than two classes, one a class.

    The network is called ``m``, as in the released weights, so that a fitted artifact and a
    released file have the same names.
    """

    def __init__(self, width_mult: float = 1.0, n_outputs: int = 1) -> None:
        super().__init__()
        self.n_outputs = n_outputs
        self.m = R2Plus1D18(n_outputs, width_mult)

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Return one logit or standardised value a clip, shape (n,); see `Clips.batch`.

        Of several outputs all, shape (n, n_outputs).
        """
        clips = inputs["clip"].expand(-1, 3, -1, -1, -1)
        values: Tensor = self.m(clips, inputs["n_frames"])
        return values[:, 0] if self.n_outputs == 1 else values


def fresh_network(
    width_mult: float, weights: str | None, seed: int, n_outputs: int = 1
) -> tuple[ClipNetwork, str | None]:
    """Return a network before training, and which file its weights come from, if any, in words.

    Parameters
    ----------
    width_mult : float
        Of the channels.
    weights : str or None
        A local safetensors file to start from; None starts at random.
    seed : int
        Of the random weights.
    n_outputs : int
        One, or the number of classes where there are more than two.

    Raises
    ------
    DataError
        If the file of weights does not fit.
    """
    torch.manual_seed(seed)
    network = ClipNetwork(width_mult, n_outputs)
    if weights is None:
        return network, None
    return network, start_from_file(network.m, Path(weights).expanduser())


def binary_cross_entropy(logits: Tensor, batch: dict[str, Any]) -> Tensor:
    """Return the mean binary cross entropy of logits."""
    return functional.binary_cross_entropy_with_logits(logits, batch["targets"])


def squared_error(values: Tensor, batch: dict[str, Any]) -> Tensor:
    """Return the mean squared error of standardised values."""
    return functional.mse_loss(values, batch["targets"])


def cross_entropy(logits: Tensor, batch: dict[str, Any]) -> Tensor:
    """Return the mean cross entropy of logits, one a class."""
    return functional.cross_entropy(logits, batch["targets"].long())


LOSSES = {
    "binary": binary_cross_entropy,
    "multiclass": cross_entropy,
    "continuous": squared_error,
}
"""By the kind of the target."""


def write_about(
    artifact: ModelArtifact,
    *,
    width_mult: float,
    form: ClipForm,
    grey: Grey,
    side: int,
    view: str,
    least_view: float,
    target: str,
    scale: tuple[float, float] | None,
    n_outputs: int = 1,
) -> None:
    """Write what a network was fitted on and for.

    Parameters
    ----------
    artifact : ModelArtifact
    width_mult, n_outputs, form, grey
        What it is built from and shown.
    side : int
        Pixels of a frame's side.
    view, target : str
        What it looks at, and the target that it was fitted to.
    least_view : float
        From which probability on a video counts as one of the view.
    scale : tuple of float, or None
        Mean and SD of a continuous target in training; None for classes.
    """
    artifact.write_json(
        ABOUT,
        {
            "network": {"width_mult": width_mult, "n_outputs": n_outputs},
            "clip": asdict(form),
            "grey": asdict(grey),
            "side": side,
            "view": view,
            "least_view_probability": least_view,
            "target": target,
            "scale": None if scale is None else list(scale),
        },
    )


def open_network(artifact: ModelArtifact) -> ClipNetwork:
    """Return the fitted network in evaluation mode."""
    network = ClipNetwork(**artifact.read_json(ABOUT)["network"])
    artifact.load_network(network)
    return network.eval()


def form_in(artifact: ModelArtifact) -> ClipForm:
    """Return the form of clips that a network was fitted on."""
    return ClipForm(**artifact.read_json(ABOUT)["clip"])


def least_view_in(artifact: ModelArtifact) -> float:
    """Return from which probability on a video counts as one of the network's view."""
    return float(artifact.read_json(ABOUT)["least_view_probability"])


def clips_for(artifact: ModelArtifact, features: FeatureSet, n_clips: int) -> Clips:
    """Return clips of usable videos as the artifact's network expects them.

    Raises
    ------
    DataError
        If the videos are of another size than those it was fitted on.
    """
    about = artifact.read_json(ABOUT)
    require_side(features, about["side"])
    form = form_in(artifact)
    starts = scored_starts(form, np.asarray(features["times"].values), n_clips)
    return clips_of(features, form, Grey(**about["grey"]), starts)


def require_side(features: FeatureSet, side: int) -> None:
    """Raise DataError where videos are of another size than those that a network was fitted on.

    Parameters
    ----------
    features : FeatureSet
    side : int
        Pixels of a frame's side.
    """
    found = int(features["video"].values.shape[-1])
    if found != side:
        raise DataError(
            f"videos: expected frames of {side} pixels, as the network was fitted on, found "
            f"{found}; use the preprocess block of the run that made it"
        )


def score_videos(
    artifact: ModelArtifact, features: FeatureSet, ctx: Context, *, n_clips: int, batch_size: int
) -> NDArray[np.float64]:
    """Return one score a video: a probability, or a value in the target's unit; or all classes'.

    Parameters
    ----------
    artifact : ModelArtifact
    features : FeatureSet
        Any videos.
    ctx : Context
        Device.
    n_clips : int
        Of each video, in ``honest``.
    batch_size : int
        Clips at once.

    Returns
    -------
    ndarray of float64, shape (n,) or (n, n_classes)
        From the mean logit, or value, of a video's clips; NaN where the form of the clips cannot
        use the video.
    """
    network = open_network(artifact)
    several = network.n_outputs > 1
    scores = np.full((len(features), network.n_outputs) if several else len(features), np.nan)
    usable = np.flatnonzero(is_usable(form_in(artifact), np.asarray(features["times"].values)))
    if usable.size == 0:
        return scores
    clips = clips_for(artifact, features.view(usable), n_clips)
    found: NDArray[Any] = ctx.score_with(network, clips, batch_size=batch_size)
    outputs = found.astype(np.float64).reshape(len(found), -1)
    sums = [np.bincount(clips.who, column) for column in outputs.T]
    means = np.column_stack(sums) / np.bincount(clips.who)[:, None]
    if several:
        scores[usable] = to_probabilities(means)
        return scores
    means = means[:, 0]
    scale = artifact.read_json(ABOUT)["scale"]
    scores[usable] = to_probability(means) if scale is None else scale[0] + scale[1] * means
    return scores


def to_probabilities(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of every class, shape (n, n_classes), rows summing to one.

    Examples
    --------
    >>> to_probabilities(np.array([[0.0, np.log(3.0), -400.0]])).round(2).tolist()
    [[0.25, 0.75, 0.0]]
    """
    odds = np.exp(np.clip(logits - logits.max(axis=1, keepdims=True), -LARGEST_LOGIT, 0.0))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def to_probability(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities, never quite 0 or 1.

    Examples
    --------
    >>> to_probability(np.array([0.0, np.log(3.0)])).round(2).tolist()
    [0.5, 0.75]
    """
    return 1 / (1 + np.exp(-np.clip(logits, -LARGEST_LOGIT, LARGEST_LOGIT)))


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
        whole = {
            item: np.asarray(self.clips.videos[self.clips.who[[item]]])[0] for item in set(clip)
        }
        smooth = {entry: smoothed(whole[entry]) for entry in set(clip[way > 0])}
        videos = [
            occluded(whole[video], smooth[video], self.masks[number - 1])
            if number
            else whole[video]
            for video, number in zip(clip, way, strict=True)
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
