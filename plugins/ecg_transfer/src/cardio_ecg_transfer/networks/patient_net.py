"""From the pictures of a patient's beats in twelve leads to one logit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import nn

from cardio_core.api import ConfigError
from cardio_ecg_transfer.networks.resnet import BeatResNet, Freeze, freeze, hold_frozen

N_LEADS = 12
N_LEAD_CODE = 16
N_INSTANCE = 64
N_GATE = 32


class GatedAttention(nn.Module):
    """Attention over the instances of a bag.

    Notes
    -----
    Ilse et al., ICML 2018, equation 9: a softmax over w' (tanh(V h) * sigmoid(U h)).

    Examples
    --------
    >>> attention = GatedAttention(4)
    >>> weights = attention(torch.randn(2, 5, 4))
    >>> weights.shape, torch.allclose(weights.sum(dim=1), torch.ones(2))
    (torch.Size([2, 5]), True)
    """

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.value = nn.Linear(n_features, N_GATE)
        self.gate = nn.Linear(n_features, N_GATE)
        self.score = nn.Linear(N_GATE, 1)

    def forward(self, instances: torch.Tensor) -> torch.Tensor:
        """Return weights (n_bags, n_instances), summing to 1, of (n_bags, n_instances, n)."""
        gated = torch.tanh(self.value(instances)) * torch.sigmoid(self.gate(instances))
        weights: torch.Tensor = torch.softmax(self.score(gated)[..., 0], dim=1)
        return weights


class PatientNet(nn.Module):
    """A residual network over beats and leads, pooled to one logit a patient.

    With the ``shared`` stem every lead of every beat is an instance of one encoder for single-lead
    pictures. Each instance then learns its lead's name (a code of 16 numbers) and its side features
    before it is pooled: a block looks different in V1 and V6. With the ``twelve`` stem a beat is
    one instance, a picture of twelve channels.

    Parameters
    ----------
    depth : {18, 50, 101}
        Of the encoder.
    stem : {"shared", "twelve"}
        What an instance is.
    pooling : {"attention", "mean"}
        How instances become a patient.
    n_side : int
        Side features of a lead (0 for none).
    width_mult, small_stem
        As of `networks.resnet.BeatResNet`.
    dropout : float
        Share of an instance's features dropped in training.
    frozen : {"none", "stem+layer1", "all"}
        What of the encoder keeps its weights and its batch statistics.
    n_outputs : int
        1 for a logit or a number, else one logit a class.

    Examples
    --------
    >>> net = PatientNet(18, width_mult=0.125, small_stem=True, n_side=2)
    >>> bags = {"images": torch.zeros(3, 2, 12, 32, 40), "side": torch.zeros(3, 2, 12, 2)}
    >>> net(bags).shape
    torch.Size([3])
    """

    def __init__(
        self,
        depth: int = 18,
        *,
        stem: Literal["shared", "twelve"] = "shared",
        pooling: Literal["attention", "mean"] = "attention",
        n_side: int = 0,
        width_mult: float = 1.0,
        small_stem: bool = False,
        dropout: float = 0.0,
        frozen: Freeze = "none",
        n_outputs: int = 1,
    ) -> None:
        super().__init__()
        if stem not in ("shared", "twelve") or pooling not in ("attention", "mean"):
            raise ConfigError(
                f"patient network: expected the stem shared or twelve and the pooling attention or "
                f"mean, found {stem!r} and {pooling!r}"
            )
        self.stem, self.pooling, self.n_side = stem, pooling, n_side
        shared = stem == "shared"
        self.encoder = BeatResNet(
            depth,
            n_input_channels=1 if shared else N_LEADS,
            n_classes=1,
            width_mult=width_mult,
            small_stem=small_stem,
        )
        n_pooled = self.encoder.fc.in_features
        del self.encoder.fc  # the patient has the only classifier
        self.frozen = freeze(self.encoder, frozen)
        self.lead_code = nn.Embedding(N_LEADS, N_LEAD_CODE) if shared else None
        n_joined = n_pooled + (N_LEAD_CODE + n_side if shared else N_LEADS * n_side)
        self.side_scale = nn.BatchNorm1d(N_LEADS * n_side, affine=False) if n_side else None
        self.instance = nn.Sequential(nn.Linear(n_joined, N_INSTANCE), nn.ReLU())
        self.dropout = nn.Dropout(dropout)
        self.attention = GatedAttention(N_INSTANCE) if pooling == "attention" else None
        self.classifier = nn.Linear(N_INSTANCE, n_outputs)

    def train(self, mode: bool = True) -> PatientNet:
        """Set the mode; frozen parts stay in evaluation mode."""
        super().train(mode)
        hold_frozen(self.encoder, self.frozen)
        return self

    def pooled_pictures(self, images: torch.Tensor) -> torch.Tensor:
        """Return the encoder's features of each instance, shape (n_bags, n_instances, n_pooled).

        Instances run beat by beat and, with the shared stem, lead by lead within a beat.
        """
        n_bags, n_beats, n_leads, *size = images.shape
        per_bag = n_beats * n_leads if self.stem == "shared" else n_beats
        flat = images.reshape(n_bags * per_bag, -1, *size)
        pooled = self.encoder.pooled(self.encoder.maps(flat))
        return pooled.reshape(n_bags, per_bag, -1)

    def instances(self, pictures: torch.Tensor, side: torch.Tensor | None) -> torch.Tensor:
        """Join the pictures' features with the leads' names and side features."""
        n_bags, n_instances, _ = pictures.shape
        parts = [pictures]
        if self.lead_code is not None:
            codes = self.lead_code.weight.repeat(n_instances // N_LEADS, 1)
            parts.append(codes.expand(n_bags, -1, -1))
        if self.side_scale is not None:
            if side is None:
                raise ValueError("the network has side features but was called without them")
            n_beats = side.shape[1]
            scaled = self.side_scale(side.reshape(n_bags * n_beats, -1))
            parts.append(scaled.reshape(n_bags, n_instances, -1))
        joined: torch.Tensor = self.dropout(self.instance(torch.cat(parts, dim=-1)))
        return joined

    def pool(self, instances: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the outputs and the weights of the instances (n_bags, n_instances).

        Outputs have shape (n_bags,) where there is one, else (n_bags, n_outputs).
        """
        if self.attention is None:
            weights = torch.full(instances.shape[:2], 1 / instances.shape[1]).to(instances)
        else:
            weights = self.attention(instances)
        patient = (weights[..., None] * instances).sum(dim=1)
        outputs = self.classifier(patient)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs, weights

    def forward(self, bags: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return one output a patient, or one a class.

        Parameters
        ----------
        bags : mapping
            ``images``, shape (n_patients, n_beats, 12, height, width), 0 to 1; ``side``, shape
            (n_patients, n_beats, 12, n_side), where there are side features.

        Returns
        -------
        Tensor, shape (n_patients,) or (n_patients, n_outputs)
        """
        pictures = self.pooled_pictures(bags["images"])
        logits, _ = self.pool(self.instances(pictures, bags.get("side")))
        return logits

    def parameter_groups(self, body_learning_rate: float) -> list[dict[str, object]]:
        """Return the encoder's parameters with a rate of their own, and all others.

        Frozen parameters are left out.
        """
        body = [p for p in self.encoder.parameters() if p.requires_grad]
        own = {id(p) for p in self.encoder.parameters()}
        head = [p for p in self.parameters() if id(p) not in own]
        groups: list[dict[str, object]] = [{"params": head}]
        if body:
            groups.append({"params": body, "lr": body_learning_rate})
        return groups
