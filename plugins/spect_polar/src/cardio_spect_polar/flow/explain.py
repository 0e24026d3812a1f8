"""Explain: which part of a polar map spoke for a risk factor, by Grad-CAM++."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from cardio_core.api import (
    Case,
    ConfigError,
    Context,
    Explanation,
    FeatureBlock,
    FeatureSet,
    ModelArtifact,
    Predictions,
    grad_cam_maps,
)
from cardio_spect_polar.drawing.words import worded
from cardio_spect_polar.flow.config import ExplainBlock
from cardio_spect_polar.flow.models import N_SEGMENTS, kind_of, map_of
from cardio_spect_polar.polar.maps import segment_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CONTOURS: dict[str, Any] = {
    "levels": [0.25, 0.5, 0.75],
    "colors": ["#BFE3F7", "#7CC4EC", "#2D9BD8"],
    "linewidths": [0.9, 1.2, 1.5],
    "zorder": 5,
}

RULE = (
    "of every fold, the patients whom the network is surest of, for and against, chosen without "
    "looking at the recorded factor"
)


def explain(
    model: ModelArtifact,
    features: FeatureSet,
    predictions: Predictions,
    config: ExplainBlock,
    ctx: Context,
) -> Explanation:
    """Draw the maps of a few patients with contours of Grad-CAM++ over them.

    Returns
    -------
    Explanation
        Cases with the attention (rows, columns; 0 to 1) and the scores ``segment:NN``, the share
        of its weight in each of the 17 segments. Regressions explain themselves.
    """
    if kind_of(ctx) != "resnet" or config.n_cases == 0:
        return Explanation()
    binary = [target.name for target in ctx.task.targets if target.kind == "binary"]
    strange = set(config.targets) - set(binary)
    if strange:
        raise ConfigError(f"explain.targets: {sorted(strange)[0]!r} is none of {', '.join(binary)}")
    cases = []
    constants = model.read_json("model.json").get("constants", {})
    for target in config.targets or binary[:1]:
        if target in constants:
            continue
        logit_of, early_of = _network(model, target, ctx, config.layer)
        for position, sign in _chosen(features, predictions, target, config.n_cases).items():
            cases.append(
                _case(features, position, sign, target, predictions, logit_of, early_of, ctx)
            )
    return Explanation(tuple(cases), RULE)


def _chosen(
    features: FeatureSet, predictions: Predictions, target: str, n_cases: int
) -> dict[int, float]:
    """Return positions of samples with the sign of the evidence that is drawn."""
    key = "patient_id" if predictions.level == "patient" else None
    names = list(features.table.index if key is None else features.table[key])
    probability = dict(zip(predictions.ids, predictions.scores[target], strict=True))
    ranked = sorted(range(len(names)), key=lambda i: probability[names[i]])
    chosen = dict.fromkeys(ranked[:n_cases], -1.0)
    return chosen | dict.fromkeys(ranked[max(len(ranked) - n_cases, 0) :], 1.0)


def _network(
    model: ModelArtifact, target: str, ctx: Context, layer: int
) -> tuple[Callable[[torch.Tensor], torch.Tensor], Callable[[torch.Tensor], torch.Tensor]]:
    """Return functions from feature maps to the logit (n, 1), and from pictures to the maps."""
    if ctx.task.name == "mfr":
        from cardio_spect_polar.flow.transfer import open_step_one

        network = open_step_one(model)
        return (
            lambda maps: network.head(network.late(maps, layer))[:, N_SEGMENTS:],
            lambda pictures: network.early(pictures, layer),
        )
    from cardio_spect_polar.flow.transfer import open_step_two

    trunk, tail = open_step_two(model, target)
    return lambda maps: tail.after(maps, layer), lambda pictures: tail.until(trunk(pictures), layer)


def _case(
    features: FeatureSet,
    position: int,
    sign: float,
    target: str,
    predictions: Predictions,
    logit_of: Callable[[torch.Tensor], torch.Tensor],
    early_of: Callable[[torch.Tensor], torch.Tensor],
    ctx: Context,
) -> Case:
    name = map_of(ctx)
    block = features[f"picture_{name}"]
    stored = np.asarray(block.values[[position]])
    picture = torch.from_numpy(stored).float().div(255)
    with torch.no_grad():
        early = early_of(picture)
    cam = grad_cam_maps(
        early, lambda maps: sign * logit_of(maps), torch.zeros(1, dtype=torch.int64)
    )
    size = stored.shape[-1]
    large = torch.nn.functional.interpolate(
        cam[:, None], size=[size, size], mode="bilinear", align_corners=False
    )[0, 0].numpy()
    attention = large / max(float(large.max()), float(np.finfo(np.float32).tiny))
    row = features.table.iloc[position]
    patient = predictions.level == "patient"
    unit = row["patient_id"] if patient else features.table.index[position]
    probability = predictions.scores[target][predictions.ids.index(unit)]
    what = worded(ctx.task.target(target).outcome)
    return Case(
        sample_id=str(features.table.index[position]),
        title=f"Evidence {'for' if sign > 0 else 'against'} {what}, probability {probability:.2f}",
        caption=_caption(what, sign),
        group=f"{target}:{sign:+g}",
        arrays={"attention": attention.astype(np.float32), "picture": stored[0, 0]},
        scores={"sign_of_evidence": sign} | segment_shares(attention),
        draw=_drawing(stored[0, 0], attention, block, name),
    )


def _caption(what: str, sign: float) -> str:
    return (
        "The map that the network was given, with the 17 segments. Blue lines enclose what "
        f"{'raised' if sign > 0 else 'lowered'} the probability of {what}, at a quarter, a half "
        "and three quarters of the largest evidence (Grad-CAM++)."
    )


def segment_shares(attention: NDArray[np.floating[Any]]) -> dict[str, float]:
    """Return the share of a map's weight in each segment; 0 for an empty map.

    Examples
    --------
    >>> shares = segment_shares(np.where(segment_picture(64) == 1, 1.0, 0.0))
    >>> shares["segment:01"], shares["segment:17"]
    (1.0, 0.0)
    """
    where = segment_picture(attention.shape[0])
    total = float(attention[where > 0].sum())
    return {
        f"segment:{n:02d}": float(attention[where == n].sum()) / total if total > 0 else 0.0
        for n in range(1, N_SEGMENTS + 1)
    }


def _drawing(
    stored: NDArray[np.uint8], attention: NDArray[np.floating[Any]], block: FeatureBlock, name: str
) -> Callable[[Figure], None]:
    from cardio_spect_polar.drawing.polar_maps import flow_maps

    size = stored.shape[0]
    values = np.where(segment_picture(size) > 0, stored * block.scale, np.nan)
    unit = "" if block.units[0] == "1" else block.units[0]
    draw_map = flow_maps({name: (values, unit, (0.0, 255 * block.scale))})
    along = (np.arange(size) + 0.5) / size * 2 - 1

    def draw(figure: Figure) -> None:
        draw_map(figure)
        if attention.max() > CONTOURS["levels"][0]:
            figure.axes[0].contour(along, -along, attention, **CONTOURS)

    return draw
