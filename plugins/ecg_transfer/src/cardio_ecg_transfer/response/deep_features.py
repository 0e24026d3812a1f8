"""What a pretrained encoder says of a patient's ECG, before any fine-tuning."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cardio_core.api import Context, FeatureSet
from cardio_ecg_transfer.networks.patient_net import N_LEADS, PatientNet
from cardio_ecg_transfer.response.bags import bags_of

PICTURES_AT_ONCE = 256


def deep_vectors(
    network: PatientNet, features: FeatureSet, n_beats: int, ctx: Context
) -> NDArray[np.float64]:
    """Return the encoder's features, averaged over beats and kept apart by lead.

    Parameters
    ----------
    network : PatientNet
        Its encoder is used, in evaluation mode.
    features : FeatureSet
        With `pictures`.
    n_beats : int
        Beats of each patient.
    ctx : Context
        Whose device is used.

    Returns
    -------
    ndarray, shape (n_patients, n_leads * n_pooled)
        With the twelve-channel stem there is one part, not twelve.
    """
    bags, _ = bags_of(features, n_drawn=n_beats, side=False)
    vectors = ctx.score_with(
        _Averaged(network.eval()), bags, batch_size=max(1, PICTURES_AT_ONCE // (12 * n_beats))
    )
    return np.asarray(vectors, dtype=np.float64)


class _Averaged(nn.Module):
    """The encoder with the mean over beats behind it."""

    def __init__(self, network: PatientNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, bags: dict[str, Any]) -> torch.Tensor:
        """Return one vector a patient."""
        pooled = self.network.pooled_pictures(bags["images"])
        n_parts = N_LEADS if self.network.stem == "shared" else 1
        n_bags, n_instances, n_pooled = pooled.shape
        by_beat = pooled.reshape(n_bags, n_instances // n_parts, n_parts * n_pooled)
        return by_beat.mean(dim=1)
