"""Explain the surest and the least sure beats: Grad-CAM++, or what each part of evidence added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
)
from cardio_ecg_transfer.beats.config import ExplainBlock
from cardio_ecg_transfer.beats.evidence import WHAT_TO_SEE as BY_PARTS
from cardio_ecg_transfer.beats.evidence import bars, parts_of
from cardio_ecg_transfer.beats.models import EVIDENCE
from cardio_ecg_transfer.beats.predict import beats_of, open_network
from cardio_ecg_transfer.drawing.spectrograms import (
    WHAT_TO_SEE,
    column_centres,
    extent_of,
    one_lead,
)
from cardio_ecg_transfer.networks.gradcam import grad_cam_pp

BEATS = {
    "N": "a normal beat", "S": "a supraventricular ectopic beat", "V": "a ventricular ectopic beat",
    "F": "a fusion beat", "Q": "an unknown beat",
}  # fmt: skip
"""What AAMI's classes are."""

SHARE = "weight_within_0.15_rr_of_r"
RULE = (
    "for each predicted class, the beats that the model is surest of and least sure of, chosen "
    "without looking at the true class"
)


def explain(
    model: ModelArtifact,
    features: FeatureSet,
    predictions: Predictions,
    config: ExplainBlock,
    ctx: Context,
) -> Explanation:
    """Draw what in each chosen beat spoke for its predicted class.

    Returns
    -------
    Explanation
        Of a network: the map in time and frequency (0 to 1), the picture, and the share of the
        map's weight within 0.15 RR of the R peak, where a QRS complex lies. Of `evidence`: what
        timing, P wave, shape and noise added.
    """
    target = ctx.task.targets[0]
    scores = np.asarray(predictions.scores[target.name])
    chosen = choose_cases(scores, config.n_cases)
    if not chosen.size:
        return Explanation((), RULE)
    if ctx.model == EVIDENCE:
        return Explanation(_by_parts(model, features, scores, chosen, target.classes), RULE)
    network = open_network(model)
    inputs = beats_of(model, features).batch(chosen, None)["inputs"]
    classes = torch.from_numpy(scores[chosen].argmax(axis=1))
    side = inputs["side"] if network.n_side else None
    maps = grad_cam_pp(network, inputs["images"], classes, side).numpy()
    block = features["pictures"]
    cases = []
    for position, cam in zip(chosen, maps, strict=True):
        name = target.classes[int(scores[position].argmax())]
        picture = np.asarray(block.values[[position]])[0, 0]
        share = share_around_r(cam, block)
        cases.append(
            Case(
                sample_id=str(features.table.index[position]),
                title=_title(name, scores[position]),
                caption=WHAT_TO_SEE.format(what=f"the probability of {BEATS.get(name, name)}"),
                group=name,
                arrays={"map": cam, "picture": picture},
                scores={SHARE: share},
                draw=one_lead(picture, cam, extent_of(block)),
            )
        )
    return Explanation(tuple(cases), RULE)


def _by_parts(
    model: ModelArtifact,
    features: FeatureSet,
    scores: NDArray[Any],
    chosen: NDArray[np.intp],
    classes: Sequence[str],
) -> tuple[Case, ...]:
    """Return what each part of the evidence added, for the model that is no network."""
    cases = []
    for position, parts in zip(chosen, parts_of(model, features, scores, chosen), strict=True):
        name = classes[int(scores[position].argmax())]
        cases.append(
            Case(
                sample_id=str(features.table.index[position]),
                title=_title(name, scores[position]),
                caption=BY_PARTS.format(what=BEATS.get(name, name)),
                group=name,
                scores={f"log_odds_{part.replace(' ', '_')}": v for part, v in parts.items()},
                draw=bars(parts),
            )
        )
    return tuple(cases)


def _title(name: str, scores: NDArray[Any]) -> str:
    return f"Called {BEATS.get(name, name)}, probability {scores.max():.2f}"


def choose_cases(scores: NDArray[Any], n_cases: int) -> NDArray[np.intp]:
    """Return the surest and the least sure beats of each predicted class.

    Parameters
    ----------
    scores : ndarray, shape (n_beats, n_classes)
        Probabilities.
    n_cases : int
        How many of each kind and class.

    Examples
    --------
    >>> choose_cases(np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]), 1)
    array([0, 1, 2])
    """
    predicted, sure = scores.argmax(axis=1), scores.max(axis=1)
    chosen: set[int] = set()
    for label in range(scores.shape[1]):
        members = np.flatnonzero(predicted == label)
        order = members[np.argsort(-sure[members], kind="stable")]
        chosen |= set(order[:n_cases].tolist()) | set(order[len(order) - n_cases :].tolist())
    return np.array(sorted(chosen), dtype=np.intp)


def share_around_r(cam: NDArray[Any], block: FeatureBlock) -> float:
    """Return the share of a map's weight within 0.15 RR of the R peak; 0 for an empty map."""
    centres = column_centres(block, cam.shape[1])
    total = float(cam.sum())
    return float(cam[:, np.abs(centres) <= 0.15].sum()) / total if total > 0 else 0.0
