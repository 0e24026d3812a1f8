"""A network for small pictures of sound."""

import torch
from torch import nn


class SmallNetwork(nn.Module):
    """Three convolutions, the loudest moments and the mean over time, and a linear head."""

    def __init__(self, n_outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(1),
            nn.Conv2d(1, 8, 5, stride=2, padding=2), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(32, n_outputs))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return outputs of shape (n, n_outputs) for pictures (n, 1, n_bands, n_frames)."""
        body = self.body(inputs).flatten(2)
        outputs: torch.Tensor = self.head(torch.cat([body.mean(dim=2), body.amax(dim=2)], dim=1))
        return outputs
