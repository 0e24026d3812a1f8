"""What one fold's network makes of its tested videos: heat, and every segment's worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cardio_core.api import Context, FeatureSet, ModelArtifact
from cardio_echo_cmr.clips.cutting import STEP_MS, cut_clips, is_usable, middle_starts
from cardio_echo_cmr.clips.heat_volume import at_frames, heat_volumes, segment_heat
from cardio_echo_cmr.clips.occlusion import Segments, segments_of
from cardio_echo_cmr.drawing.sheet import ClipView
from cardio_echo_cmr.findings.models import recipe_of
from cardio_echo_cmr.findings.seen_views import views_of
from cardio_echo_cmr.networks.clip_network import (
    ABOUT,
    ClipNetwork,
    clips_for,
    form_in,
    least_view_in,
    open_network,
)
from cardio_echo_cmr.networks.examples import Clips
from cardio_echo_cmr.networks.occluded_clips import outputs_without

RANDOM, AREA = "random_weights", "area"
"""Controls: occlusion of networks which have learnt nothing, and the size of the segment."""

_AT_ONCE = 4


@dataclass(frozen=True, eq=False)
class Explained:
    """The videos of one view that a network was tested on, and one clip of each.

    Attributes
    ----------
    features : FeatureSet
        Those videos, n of them.
    clips : Clips
        One a video, from its middle; in ``paper`` from its first frame.
    network : ClipNetwork
        In evaluation mode.
    segments : Segments
        Of the view.
    scale : float
        From the network's output to `unit`.
    unit : str
        ``logit``, or that of the target.
    """

    features: FeatureSet
    clips: Clips
    network: ClipNetwork
    segments: Segments
    scale: float
    unit: str

    def __len__(self) -> int:
        return len(self.features)

    def outputs(self, ctx: Context, network: ClipNetwork | None = None) -> NDArray[np.float64]:
        """Return the outputs of whole clips, and without each segment, shape (n, 1 + n_segments).

        Parameters
        ----------
        ctx : Context
            Device.
        network : ClipNetwork, optional
            Another one.
        """
        found = outputs_without(network or self.network, self.clips, self.segments.masks, ctx)
        return self.scale * found

    def whole_outputs(self, ctx: Context) -> NDArray[np.float64]:
        """Return the outputs of whole clips, shape (n,)."""
        found = outputs_without(self.network, self.clips, self.segments.masks[:0], ctx)
        return self.scale * found[:, 0]

    def heats(self, ctx: Context) -> NDArray[np.float32]:
        """Return the heat of every clip, shape (n, times', rows', columns')."""
        device = ctx.device.torch_name if ctx.device is not None else "cpu"
        parts = []
        try:
            self.network.to(device)
            for start in range(0, len(self.clips), _AT_ONCE):
                chosen = np.arange(start, min(start + _AT_ONCE, len(self.clips)))
                inputs = self.clips.batch(chosen, None)["inputs"]
                clips = inputs["clip"].to(device).expand(-1, 3, -1, -1, -1)
                n_frames = inputs["n_frames"].to(device)
                parts.append(heat_volumes(self.network.m, clips, n_frames).cpu())
        finally:
            self.network.to("cpu")
        return np.asarray(torch.cat(parts).numpy(), np.float32)

    def full_heat(self, heat: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return one clip's heat at its frames and pixels."""
        side = self.segments.labels.shape[0]
        return at_frames(heat, self.clips.form.n_frames, side, side)

    def view(
        self, i: int, heat: NDArray[np.floating[Any]], drops: NDArray[np.floating[Any]] | None
    ) -> ClipView:
        """Return what is drawn of the i-th video: its clip, as it was recorded, and its heat."""
        form, start = self.clips.form, self.clips.starts[[i]]
        times = np.asarray(self.clips.times_ms)[[i]]
        cut, n_there = cut_clips(form, np.asarray(self.clips.videos[np.array([i])]), times, start)
        n = int(n_there[0])
        steps = np.arange(n) * form.period
        at_ms = start[0] + steps * STEP_MS if form.by_time else times[0][int(start[0]) + steps]
        frames = np.asarray(np.rint(cut[0, :n]), np.uint8)
        return ClipView(frames, at_ms, self.full_heat(heat)[:n], self.segments, drops, self.unit)

    def of(self, chosen: NDArray[np.int64]) -> Explained:
        """Return some of the videos."""
        features = self.features.view(chosen)
        clips = replace(
            self.clips,
            videos=features["video"].values,
            times_ms=np.asarray(features["times"].values),
            who=np.arange(len(chosen)),
            starts=self.clips.starts[chosen],
        )
        return replace(self, features=features, clips=clips)


def explained_videos(model: ModelArtifact, features: FeatureSet, ctx: Context) -> Explained | None:
    """Return the videos that a network can be asked about, None where there are none.

    Parameters
    ----------
    model : ModelArtifact
        Of a video network.
    features : FeatureSet
        Tested videos of any view.
    ctx : Context
        Model and views.
    """
    view, form = recipe_of(ctx).view, form_in(model)
    own = views_of(features, ctx, least_probability=least_view_in(model)) == view
    own &= is_usable(form, np.asarray(features["times"].values))
    if not own.any():
        return None
    shown = features.view(np.flatnonzero(own))
    starts = middle_starts(form, np.asarray(shown["times"].values))
    one_each = replace(
        clips_for(model, shown, 1), who=np.arange(len(shown)), starts=np.concatenate(starts)
    )
    scale = model.read_json(ABOUT)["scale"]
    unit = "logit" if scale is None else ctx.targets[0].unit or "1"
    return Explained(
        shown,
        one_each,
        open_network(model),
        segments_of(view, int(shown["video"].values.shape[-1])),
        1.0 if scale is None else float(scale[1]),
        unit,
    )


def random_network(width_mult: float, seed: int) -> ClipNetwork:
    """Return a network of the same shape which has learnt nothing."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = ClipNetwork(width_mult)
    return made.eval()


def segment_rows(
    explained: Explained, values: Mapping[str, NDArray[np.floating[Any]]]
) -> Iterator[dict[str, Any]]:
    """Yield what each segment of each video was worth, by each method.

    Parameters
    ----------
    explained : Explained
    values : mapping of method to ndarray, shape (n, n_segments)
        What follows a colon only tells methods of one name apart.
    """
    table = explained.features.table
    studies, patients = (table[name].astype(str).to_list() for name in ("study_id", "patient_id"))
    for name, worth in values.items():
        method = name.partition(":")[0]
        for i, sample_id in enumerate(table.index):
            for number, value in zip(explained.segments.numbers, worth[i], strict=True):
                yield {
                    "sample_id": str(sample_id), "study_id": studies[i],
                    "patient_id": patients[i], "method": method, "segment": number,
                    "value": float(value),
                }  # fmt: skip


def heat_by_segment(explained: Explained, heats: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the mean heat of every segment, shape (n, n_segments)."""
    masks = explained.segments.masks
    return np.stack([segment_heat(explained.full_heat(heat), masks) for heat in heats])
