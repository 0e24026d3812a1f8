"""A small residual network that says of a picture which view it shows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

_PLANES = (16, 32, 64, 128)
_BLOCKS = (1, 2, 2, 2)


class _Block(nn.Module):
    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(n_out)
        self.second = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(n_out)
        self.beside = (
            nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))
            if stride != 1 or n_in != n_out
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        made = self.second_norm(self.second(self.first_norm(self.first(x)).relu()))
        out: Tensor = (made + self.beside(x)).relu()
        return out


class ViewNetwork(nn.Module):
    """A residual network of seven blocks over single pictures.

    Parameters
    ----------
    n_classes : int
        Views.

    Examples
    --------
    >>> import torch
    >>> ViewNetwork(7)(torch.zeros(2, 64, 64)).shape
    torch.Size([2, 7])
    """

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, _PLANES[0], 5, 2, 2, bias=False)
        self.stem_norm = nn.BatchNorm2d(_PLANES[0])
        blocks: list[nn.Module] = []
        n_in = _PLANES[0]
        for planes, n_blocks in zip(_PLANES, _BLOCKS, strict=True):
            for number in range(n_blocks):
                stride = 2 if number == 0 and planes != _PLANES[0] else 1
                blocks.append(_Block(n_in, planes, stride))
                n_in = planes
        self.blocks = nn.Sequential(*blocks)
        self.drop = nn.Dropout(0.2)
        self.last = nn.Linear(n_in, n_classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return logits, shape (n, n_classes), of pictures (n, rows, columns)."""
        seen = self.stem_norm(self.stem(pictures[:, None])).relu()
        logits: Tensor = self.last(self.drop(self.blocks(seen).mean(dim=(2, 3))))
        return logits


_ENLARGED = 1.12


def looked_at(pictures: Tensor) -> Tensor:
    """Return pictures (n, rows, columns), the same enlarged, and the mirror images of both, (4 n).

    Examples
    --------
    >>> import torch
    >>> looked_at(torch.zeros(2, 64, 64)).shape
    torch.Size([8, 64, 64])
    """
    n, *size = pictures.shape
    way = torch.tensor([[1 / _ENLARGED, 0.0, 0.0], [0.0, 1 / _ENLARGED, 0.0]]).expand(n, 2, 3)
    grid = nn.functional.affine_grid(way, [n, 1, *size], align_corners=False)
    enlarged = nn.functional.grid_sample(pictures[:, None], grid, align_corners=False)[:, 0]
    both = torch.cat([pictures, enlarged])
    return torch.cat([both, both.flip(2)])


# The fitted network of views, read once a process. Needs the training extra.

WEIGHTS = Path(__file__).parent / "view_network.safetensors"
CALIBRATION = WEIGHTS.with_suffix(".json")


@dataclass(frozen=True, eq=False)
class FittedViews:
    """A network with what it takes to name a view.

    Attributes
    ----------
    network : ViewNetwork
        In evaluation mode.
    views : tuple of str
        Its classes.
    temperature : float
        Logits are divided by it.
    least_probability : float
        What the likeliest view must reach to be named.
    """

    network: ViewNetwork
    views: tuple[str, ...]
    temperature: float
    least_probability: float

    def probabilities(self, pictures: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the probability of every view, the same for pictures and their mirror images.

        Logits are averaged over a loop's pictures as `looked_at`.

        Parameters
        ----------
        pictures : ndarray, shape (n_frames, 64, 64)

        Returns
        -------
        ndarray, shape (n_views,)
        """
        with torch.inference_mode():
            logits = self.network(looked_at(torch.from_numpy(pictures))).double().mean(dim=0)
            found: NDArray[np.float64] = (logits / self.temperature).softmax(dim=0).numpy()
        return found


def load_network(path: Path) -> ViewNetwork:
    """Return the network whose weights lie in a file."""
    weights = {
        name: value.float() if value.is_floating_point() else value
        for name, value in load_file(path).items()
    }
    network = ViewNetwork(len(weights["last.bias"]))
    network.load_state_dict(weights)
    return network


@cache
def fitted_views() -> FittedViews:
    """Return the network that the package carries.

    Examples
    --------
    >>> fitted_views().views[:2], fitted_views() is fitted_views()
    (('a4c', 'a2c'), True)
    """
    calibration = json.loads(CALIBRATION.read_text(encoding="utf-8"))
    views = tuple(calibration["views"])
    return FittedViews(
        load_network(WEIGHTS).eval(),
        views,
        float(calibration["temperature"]),
        float(calibration["least_probability"]),
    )
