"""A network for short signals."""

import torch
from torch import nn


class SmallNetwork(nn.Module):
    """Two convolutions, their mean over time, and a linear head."""

    def __init__(self, n_outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm1d(1),
            nn.Conv1d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(8, 16, 5, padding=2), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(16, n_outputs)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return outputs of shape (n, n_outputs) for signals of shape (n, 1, n_points)."""
        outputs: torch.Tensor = self.head(self.body(inputs).mean(dim=2))
        return outputs
