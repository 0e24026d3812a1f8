"""Hook `explain`: where the network looks, drawn over the pictures that it is surest of."""

from typing import Any

import torch
from matplotlib.figure import Figure

from cardio_core.api import (
    Case,
    CasesBlock,
    Context,
    Explanation,
    FeatureSet,
    ModelArtifact,
    grad_cam_maps,
)
from cardio_my_modality.networks.small import SmallNetwork


def explain(
    model: ModelArtifact, features: FeatureSet, config: CasesBlock, ctx: Context
) -> Explanation:
    """Draw Grad-CAM++ maps over a few tested pictures; regressions have none."""
    if ctx.model != "network":
        return Explanation()
    network = SmallNetwork(len(ctx.task.targets[0].classes))
    model.load_network(network)
    network.eval()
    pictures = features["shape"].in_units()
    with torch.no_grad():
        maps = network.body(torch.as_tensor(pictures, dtype=torch.float32))
        best = network.classify(maps).max(dim=1)
    surest = best.values.argsort(descending=True)[: config.n_cases]
    heat = grad_cam_maps(maps[surest], network.classify, best.indices[surest]).numpy()
    cases = [
        _case(
            str(features.table.index[row]), pictures[row, 0], heat[number], int(best.indices[row])
        )
        for number, row in enumerate(surest.tolist())
    ]
    return Explanation(cases, "the pictures that the network is surest of")


def _case(sample_id: str, picture: Any, heat: Any, answer: int) -> Case:
    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.imshow(picture, cmap="gray", extent=(0, 1, 0, 1))
        axes.imshow(heat, cmap="magma", alpha=0.4, extent=(0, 1, 0, 1))
        axes.set_axis_off()

    caption = "Bright: the network's answer rests on it."
    return Case(
        sample_id, "Where the network looks", arrays={"map": heat}, draw=draw, caption=caption,
        group=str(answer),
    )  # fmt: skip
