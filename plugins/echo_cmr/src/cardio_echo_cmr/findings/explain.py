"""Explain: when and where a view's network saw the finding, and which segments it needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cardio_core.api import (
    Case,
    Context,
    Explanation,
    FeatureSet,
    ModelArtifact,
    Predictions,
    Target,
)
from cardio_echo_cmr.clips import (
    STEP_MS,
    Segments,
    cut_clips,
    is_usable,
    middle_starts,
    segments_of,
)
from cardio_echo_cmr.drawing.overlay import overlay_frames, webm_bytes, webm_codec
from cardio_echo_cmr.drawing.sheet import WHAT_TO_SEE, ClipView, clip_sheet
from cardio_echo_cmr.findings.config import ExplainBlock
from cardio_echo_cmr.findings.models import recipe_of
from cardio_echo_cmr.findings.seen_views import views_of
from cardio_echo_cmr.findings.tasks import SEGMENTAL
from cardio_echo_cmr.networks.clip_network import (
    ABOUT,
    ClipNetwork,
    clips_for,
    form_in,
    least_view_in,
    open_network,
    outputs_without,
)
from cardio_echo_cmr.networks.examples import Clips
from cardio_echo_cmr.networks.heat_volume import at_frames, heat_volumes, segment_heat
from cardio_echo_cmr.views.names import VIEWS

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
    of_view = views_of(features, ctx, least_probability=least_view_in(model)) == view
    of_view &= is_usable(form, np.asarray(features["times"].values))
    if not of_view.any():
        return None
    shown = features.view(np.flatnonzero(of_view))
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


FINDINGS = {
    "wma": "a wall motion abnormality", "lge": "late gadolinium enhancement",
    "t1_high": "a high T1", "t2_high": "a high T2", "ecv_high": "a high extracellular volume",
}  # fmt: skip
"""What the findings of a CMR are, by target."""

RULE = (
    "of every fold the studies that a network is surest of, for and against (of values: the "
    "highest and the lowest), chosen without looking at the label; of several videos of a study "
    "the one with the most extreme output. Heat is Grad-CAM++ of the last feature maps (one cell "
    "of 8 frames and 16 pixels), for the finding or for a higher value, of several classes for the "
    "likeliest. Segments are those of the "
    "phantom's average heart at end diastole and usual depth, grown by 2 pixels of 112, and show "
    "their local mean grey when occluded"
)
NO_VIDEO = "; without overlays: this build of OpenCV encodes neither VP9 nor VP8"

OCCLUSION, HEAT = "occlusion", "grad_cam_pp"


def explain(
    model: ModelArtifact,
    features: FeatureSet,
    predictions: Predictions,
    config: ExplainBlock,
    ctx: Context,
) -> Explanation:
    """Draw the surest videos of a fold, and occlude the segments of all of them.

    Parameters
    ----------
    model : ModelArtifact
        Of one fold.
    features : FeatureSet
        The videos that it was tested on.
    predictions : Predictions
        What it said of them, at any level.
    config : ExplainBlock
    ctx : Context
        Model and device.

    Returns
    -------
    Explanation
        Cases with a sheet, a WebM overlay, the heat at its own resolution, and scores: the drop of
        the output without each segment, and how the heat lies. The first carries what
        the segments of all tested videos were worth, where a CMR labels segments. Empty for models
        that are no networks: their coefficients explain them.
    """
    if recipe_of(ctx).kind != "network":
        return Explanation()
    explained = explained_videos(model, features, ctx)
    if explained is None:
        return Explanation()
    every = config.occlusion and ctx.task.name in SEGMENTAL
    outputs = explained.outputs(ctx) if every else explained.whole_outputs(ctx)[:, None]
    scores = _scores(explained.features, predictions, ctx)
    likely = scores.max(axis=1) if scores.ndim == 2 else scores
    chosen = surest(likely, outputs[:, 0], explained.features.table["study_id"], config.n_cases)
    cases = _cases(explained, chosen, scores, outputs, config, ctx)
    if every:
        segments = tuple(segment_rows(explained, _worth(explained, outputs, model, config, ctx)))
        if cases:
            cases[0] = replace(cases[0], tested=segments)
        else:
            sample_id = str(explained.features.table.index[0])
            cases = [Case(sample_id, "Segments of all tested videos", tested=segments)]
    silent = bool(cases) and config.video and webm_codec() is None
    return Explanation(tuple(cases), RULE + (NO_VIDEO if silent else ""))


def surest(
    scores: NDArray[np.floating[Any]],
    outputs: NDArray[np.floating[Any]],
    studies: Any,
    n_cases: int,
) -> dict[int, str]:
    """Return positions of the videos to draw, with what the network is sure of.

    Parameters
    ----------
    scores : ndarray, shape (n,)
        Prediction of each video's study; NaN where there is none.
    outputs : ndarray, shape (n,)
        Of each video's own clip.
    studies : array-like of str, shape (n,)
    n_cases : int
        For, and as many against; fewer where there are too few studies.

    Examples
    --------
    >>> surest(np.array([0.9, 0.9, 0.2, 0.5]), np.array([1.0, 3.0, -2.0, 0.0]), list("aabc"), 1)
    {1: 'for', 2: 'against'}
    """
    names = np.asarray(studies, dtype=str)
    videos_of = {
        str(study): np.flatnonzero(names == study) for study in dict.fromkeys(names.tolist())
    }
    known = [study for study, at in videos_of.items() if np.isfinite(scores[at[0]])]
    ranked = sorted(known, key=lambda study: (float(scores[videos_of[study][0]]), study))
    n = min(n_cases, len(ranked) // 2)
    high = [videos_of[study][np.argmax(outputs[videos_of[study]])] for study in ranked[::-1][:n]]
    low = [videos_of[study][np.argmin(outputs[videos_of[study]])] for study in ranked[:n]]
    return {int(i): "for" for i in high} | {int(i): "against" for i in low}


def _cases(
    explained: Explained,
    chosen: dict[int, str],
    scores: NDArray[np.float64],
    outputs: NDArray[np.float64],
    config: ExplainBlock,
    ctx: Context,
) -> list[Case]:
    if not chosen:
        return []
    at = np.array(list(chosen), np.int64)
    drawn = explained.of(at)
    heats = drawn.heats(ctx)
    wanted = config.occlusion and outputs.shape[1] == 1
    outputs = drawn.outputs(ctx) if wanted else outputs[at]
    cases = []
    for i, (place, word) in enumerate(chosen.items()):
        drops = outputs[i, 0] - outputs[i, 1:] if config.occlusion else None
        view = drawn.view(i, heats[i], drops)
        title = _title(word, scores[place], ctx)
        arrays = {"heat": heats[i], "times_ms": view.times_ms}
        cases.append(
            Case(
                sample_id=str(drawn.features.table.index[i]),
                title=title,
                caption=WHAT_TO_SEE,
                group=f"{word}:{np.argmax(scores[place])}",
                arrays=arrays if drops is None else arrays | {"drops": drops},
                scores=case_scores(view),
                draw=clip_sheet(view),
                video=_film(view) if config.video and webm_codec() is not None else None,
            )
        )
    return cases


def case_scores(view: ClipView) -> dict[str, float]:
    """Return numbers on one map: ``drop:NN`` without segment NN, and how the heat lies.

    ``heat_in_sector`` is the share of the heat within the sector; ``wall_enrichment``, of that, the
    share on the wall of the atlas over the wall's share of the sector, 1 where it lies anywhere;
    ``heat_peak_ms`` the time of the warmest frame.
    """
    made: dict[str, float] = {}
    sector = view.sector
    warm = np.asarray(view.heat, np.float64)[:, sector]
    if warm.sum() > 0:
        wall = (view.segments.masks.max(axis=0) > 0)[sector]
        made["heat_in_sector"] = float(warm.sum() / view.heat.sum(dtype=np.float64))
        made["wall_enrichment"] = float(warm[:, wall].sum() / warm.sum() / wall.mean())
        made["heat_peak_ms"] = float(view.times_ms[int(warm.sum(axis=1).argmax())])
    if view.drops is not None:
        numbered = zip(view.segments.numbers, view.drops, strict=True)
        made |= {f"drop:{number:02d}": float(drop) for number, drop in numbered}
    return made


def _worth(
    explained: Explained,
    outputs: NDArray[np.float64],
    model: ModelArtifact,
    config: ExplainBlock,
    ctx: Context,
) -> dict[str, NDArray[np.float64]]:
    """Return the worth of every segment of every video by method, controls included."""
    area = explained.segments.masks.sum(axis=(1, 2), dtype=np.float64)
    made = {
        OCCLUSION: outputs[:, :1] - outputs[:, 1:],
        HEAT: heat_by_segment(explained, explained.heats(ctx)),
        AREA: np.tile(area, (len(explained), 1)),
    }
    width_mult = float(model.read_json(ABOUT)["network"]["width_mult"])
    for number in range(config.n_random):
        other = random_network(width_mult, ctx.seed_of(f"random weights {number}"))
        found = explained.outputs(ctx, other)
        made[f"{RANDOM}:{number}"] = found[:, :1] - found[:, 1:]
    return made


def _film(view: ClipView) -> Callable[[], bytes]:
    def film() -> bytes:
        frames = overlay_frames(view.frames, view.heat, view.times_ms, view.segments.labels)
        return webm_bytes(frames, view.rate_hz)

    return film


def _finding(target: Target) -> str:
    """Return what is looked for in words, whichever view's segments it is looked for in."""
    bare = target.name
    for view in VIEWS:
        bare = bare.removesuffix(f"_{view}")
    return FINDINGS.get(bare, target.outcome)


def _title(word: str, score: NDArray[np.float64], ctx: Context) -> str:
    target = ctx.targets[0]
    if target.kind == "binary":
        return f"Surest {word} {_finding(target)}, probability {float(score):.2f}"
    if target.kind == "multiclass":
        place = int(score.argmax())
        end = "Surest of" if word == "for" else "Least sure of"
        return f"{end} {target.classes[place]}, probability {score[place]:.2f}"
    number = f"{float(score):.0f} {target.unit}" if target.unit else f"{float(score):.3g}"
    return f"{'Highest' if word == 'for' else 'Lowest'} predicted value, {number}"


def _scores(features: FeatureSet, predictions: Predictions, ctx: Context) -> NDArray[np.float64]:
    """Return the prediction for every video, by whatever unit it was tested; NaN without one."""
    level = predictions.level
    names = features.table.index if level == "sample" else features.table[f"{level}_id"]
    scores = np.asarray(predictions.scores[ctx.targets[0].name], np.float64)
    of = dict(zip(map(str, predictions.ids), scores, strict=True))
    nothing = np.full(scores.shape[1:], np.nan)
    return np.array([of.get(str(name), nothing) for name in names], np.float64)
