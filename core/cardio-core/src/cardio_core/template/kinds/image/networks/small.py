"""A network for small pictures."""

import torch
from torch import nn


class SmallNetwork(nn.Module):
    """Two convolutions, their mean over the picture, and a linear head."""

    def __init__(self, n_outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(1),
            nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 5, padding=2), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(16, n_outputs)

    def classify(self, maps: torch.Tensor) -> torch.Tensor:
        """Return outputs of shape (n, n_outputs) for maps of shape (n, 16, rows, columns)."""
        outputs: torch.Tensor = self.head(maps.mean(dim=(2, 3)))
        return outputs

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return outputs of shape (n, n_outputs) for pictures of shape (n, 1, rows, columns)."""
        return self.classify(self.body(inputs))
