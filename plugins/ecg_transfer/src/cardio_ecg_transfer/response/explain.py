"""Explain `crt_response`: where in the spectrogram, in which lead, in which part of the beat."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from cardio_core.api import (
    Case,
    Context,
    Explanation,
    FeatureBlock,
    FeatureSet,
    ModelArtifact,
    Predictions,
    grad_cam_maps,
)
from cardio_ecg_transfer.drawing.spectrograms import (
    WHAT_TO_SEE,
    column_centres,
    extent_of,
    twelve_leads,
)
from cardio_ecg_transfer.networks.gradcam import enlarged
from cardio_ecg_transfer.networks.patient_net import PatientNet
from cardio_ecg_transfer.response.by_network import bags_of, open_patient_net
from cardio_ecg_transfer.response.config import ExplainBlock
from cardio_ecg_transfer.response.models import RECIPES
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS as TWELVE

RULE = (
    "of every fold, the patients whom the network is surest of, for and against response, chosen "
    "without looking at the outcome; one beat of each is drawn"
)

PARTS = {"P": (-0.35, -0.08), "QRS": (-0.08, 0.12), "ST-T": (0.12, 0.65)}
"""Parts of the beat in RR intervals from R."""


def explain(
    model: ModelArtifact,
    features: FeatureSet,
    predictions: Predictions,
    config: ExplainBlock,
    ctx: Context,
) -> Explanation:
    """Draw Grad-CAM++ over the twelve spectrograms of one beat of a few patients.

    Returns
    -------
    Explanation
        Cases with the maps (12, height, width; 0 to 1 over all leads together), and the scores
        ``lead:NAME`` (how far the evidence, the logit or its negative, falls without the lead;
        only where leads are instances) and ``part:NAME`` (share of the map's weight). Models
        that are no networks explain themselves and give no cases; nor do several classes or a
        number, which have no evidence for and against.
    """
    if RECIPES[str(ctx.model)].kind != "network" or ctx.targets[0].kind != "binary":
        return Explanation()
    scores = np.asarray(predictions.scores[ctx.task.targets[0].name])
    about = model.read_json("model.json")
    bags, names = bags_of(features, n_drawn=int(about["n_beats_scored"]), side=bool(about["side"]))
    probability = dict(zip(predictions.ids, scores, strict=True))
    ranked = sorted(range(len(names)), key=lambda i: probability[names[i]])
    # The rank says which evidence is drawn; decisions go by a threshold chosen elsewhere.
    chosen = dict.fromkeys(ranked[: config.n_cases], -1.0)
    chosen |= dict.fromkeys(ranked[len(ranked) - config.n_cases :], 1.0)
    network, extent = open_patient_net(model), extent_of(features["pictures"])
    cases = []
    for i, sign in chosen.items():
        members = bags.members[i]
        beat = int(members[len(members) // 2])
        inputs = bags.batch(np.array([i]), None)["inputs"]
        maps = beat_maps(network, inputs, bags.side[beat], _picture(features, beat), sign,
                         config.layer)  # fmt: skip
        found = part_shares(maps, features["pictures"])
        if network.stem == "shared":
            found |= lead_drops(network, inputs, sign)
        direction = "for" if sign > 0 else "against"
        what = ctx.task.targets[0].outcome
        cases.append(
            Case(
                sample_id=str(features.table.index[beat]),
                title=f"Evidence {direction} {what}, probability {probability[names[i]]:.2f}",
                caption=_caption(what, sign),
                group=direction,
                arrays={
                    "maps": maps,
                    "pictures": _picture(features, beat),
                    "extent": np.array(extent),
                },
                scores={"sign_of_evidence": sign} | found,
                draw=twelve_leads(_picture(features, beat), maps, extent),
            )
        )
    return Explanation(tuple(cases), RULE)


def _caption(what: str, sign: float) -> str:
    towards = "the probability of " + what
    seen = WHAT_TO_SEE.format(what=towards)
    if sign < 0:
        seen = seen.replace("raised", "lowered")
    return f"One beat in twelve leads. {seen}"


def beat_maps(
    network: PatientNet,
    inputs: dict[str, torch.Tensor],
    side: NDArray[np.float32],
    pictures: NDArray[np.uint8],
    sign: float,
    layer: int,
) -> NDArray[np.float32]:
    """Return Grad-CAM++ of one beat's twelve pictures, shape (12, height, width), 0 to 1.

    Parameters
    ----------
    network : PatientNet
        In evaluation mode.
    inputs : dict
        The patient's bag: it says how many side features there are.
    side : ndarray, shape (12, n_side)
        Of the beat.
    pictures : ndarray of uint8, shape (12, height, width)
        Of the beat.
    sign : float
        1 for evidence for response, -1 against it.
    layer : {1, 2, 3, 4}
        Residual layer whose maps are weighted. Earlier layers are finer (Jiang et al., IEEE TIP
        2021) and less specific.

    Notes
    -----
    With the twelve-channel stem there is one map for all leads, repeated.
    """
    images = torch.from_numpy(pictures.astype(np.float32) / 255)
    shared = network.stem == "shared"
    flat = images[:, None] if shared else images[None]
    side_input = torch.from_numpy(side)[None, None] if "side" in inputs else None
    with torch.no_grad():
        early = network.encoder.early(flat, layer)

    def logit(maps: torch.Tensor) -> torch.Tensor:
        pooled = network.encoder.pooled(network.encoder.late(maps, layer))[None]
        value, _ = network.pool(network.instances(pooled, side_input))
        return sign * value[:, None]

    cams = grad_cam_maps(early, logit, torch.zeros(1, dtype=torch.int64))
    large = enlarged(cams, images.shape[1:])
    large = large / large.max().clamp_min(torch.finfo(large.dtype).tiny)
    return np.asarray(large.expand(len(images), -1, -1).numpy(), np.float32)


def lead_drops(
    network: PatientNet, inputs: dict[str, torch.Tensor], sign: float
) -> dict[str, float]:
    """Return how far the evidence falls when each lead is left out of the pooling."""
    n_leads = len(TWELVE)
    with torch.no_grad():
        pooled = network.pooled_pictures(inputs["images"])
        instances = network.instances(pooled, inputs.get("side"))
        whole, _ = network.pool(instances)
        lead = np.arange(instances.shape[1]) % n_leads
        found = {}
        for position, name in enumerate(TWELVE):
            rest, _ = network.pool(instances[:, torch.from_numpy(lead != position)])
            found[f"lead:{name}"] = sign * float(whole - rest)
    return found


def part_shares(maps: NDArray[np.float32], block: FeatureBlock) -> dict[str, float]:
    """Return the share of the maps' weight in each part of the beat; 0 for empty maps.

    Examples
    --------
    >>> block = FeatureBlock(np.zeros((1, 12, 2, 12)), ("lead", "frequency", "time"),
    ...                      TWELVE, ("dB",), extents={"time": (-0.35, 0.85, "RR")})
    >>> maps = np.zeros((12, 2, 12), np.float32)
    >>> maps[:, :, 3] = 1  # from -0.05 to 0.05 RR
    >>> part_shares(maps, block)
    {'part:P': 0.0, 'part:QRS': 1.0, 'part:ST-T': 0.0}
    """
    centres = column_centres(block, maps.shape[-1])
    # What lies behind the beat belongs to the next one.
    centres = (centres - PARTS["P"][0]) % 1.0 + PARTS["P"][0]
    total = float(maps.sum())
    return {
        f"part:{name}": float(maps[..., (centres >= low) & (centres < high)].sum()) / total
        if total > 0
        else 0.0
        for name, (low, high) in PARTS.items()
    }


def _picture(features: FeatureSet, beat: int) -> NDArray[np.uint8]:
    return np.asarray(features["pictures"].values[[beat]][0], np.uint8)
