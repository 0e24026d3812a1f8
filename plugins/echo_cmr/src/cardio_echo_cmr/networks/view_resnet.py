"""A small residual network that says of each frame which view it shows."""

from __future__ import annotations

from torch import Tensor, nn

from cardio_core.api import ResNet


class ViewResNet(nn.Module):
    """A ResNet-18 over single frames of a loop.

    Parameters
    ----------
    n_classes : int
        Views.
    width_mult : float
        Of the channels of every layer.

    Examples
    --------
    >>> import torch
    >>> ViewResNet(4, 0.125)(torch.zeros(2, 8, 32, 32)).shape
    torch.Size([2, 8, 4])
    """

    def __init__(self, n_classes: int, width_mult: float = 1.0) -> None:
        super().__init__()
        self.frame = ResNet(18, n_input_channels=1, n_outputs=n_classes, width_mult=width_mult)

    def forward(self, frames: Tensor) -> Tensor:
        """Return logits, shape (n, n_frames, n_classes), of frames (n, n_frames, rows, columns)."""
        n, n_frames, *shape = frames.shape
        logits: Tensor = self.frame(frames.reshape(n * n_frames, 1, *shape))
        return logits.reshape(n, n_frames, -1)


def mean_probability(logits: Tensor) -> Tensor:
    """Return the mean of the frames' probabilities, shape (n, n_classes).

    Examples
    --------
    >>> import torch
    >>> mean_probability(torch.tensor([[[50.0, 0.0], [0.0, 50.0]]])).tolist()
    [[0.5, 0.5]]
    """
    return logits.double().softmax(dim=2).mean(dim=1)
