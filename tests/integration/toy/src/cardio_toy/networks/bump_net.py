"""A network for single beats."""

from __future__ import annotations

import torch
from torch import nn


class BumpNet(nn.Module):
    """A body that any task can share and a head of its own."""

    def __init__(self, n_values: int, n_classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(n_values, 8), nn.ReLU())
        self.head = nn.Linear(8, n_classes)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits, shape (n, n_classes), of beats of shape (n, 1, n_values)."""
        logits: torch.Tensor = self.head(self.body(inputs))
        return logits
