"""What spoke for septal flash, or another outcome: Grad-CAM++, LayerCAM, occlusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from cardio_core.api import grad_cam_maps
from cardio_mmode_septal_flash.mmode.picture import as_bright_as, with_contrast
from cardio_mmode_septal_flash.networks.densenet import FlashDenseNet

GREY_SD = 57.4
"""Grey levels in one unit of input: 255 times the mean SD of ImageNet's channels."""


@dataclass(frozen=True)
class Pictures:
    """Pictures of M-modes, less the mean picture of training.

    Attributes
    ----------
    pictures : array-like of uint8, shape (n, rows, columns)
        On disk until a batch asks for them.
    mean : ndarray of float32, shape (rows, columns)
        Mean of the pictures that the network is fitted on.
    labels : ndarray of int64 or float32, shape (n,), or None
        Places of classes, or standardised numbers; None for new patients.
    contrast : float
        In training, contrast is multiplied by a factor between 1/contrast and contrast; 1 is off.
    even_gain : bool
        Whether each picture is brought to the mean picture's mean and spread before that is
        subtracted; contrast then changes what is clipped, and no more.
    """

    pictures: Any
    mean: NDArray[np.float32]
    labels: NDArray[np.int64] | NDArray[np.float32] | None = None
    contrast: float = 1.0
    even_gain: bool = False

    def __len__(self) -> int:
        return len(self.pictures)

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None) -> dict[str, Any]:
        """Return one batch; see `cardio_core.training`.

        Only contrast is drawn at random: an M-mode mirrored, turned or shifted along time would
        show another heart.
        """
        shown = np.asarray(self.pictures[indices], dtype=np.float32)
        if rng is not None and self.contrast > 1:
            # Log-uniform.
            factors = [float(self.contrast ** rng.uniform(-1.0, 1.0)) for _ in indices]
            shown = np.concatenate(
                [with_contrast(picture[None], f) for picture, f in zip(shown, factors, strict=True)]
            )
        if self.even_gain:
            shown = as_bright_as(shown, self.mean)
        inputs = torch.from_numpy((shown - self.mean) / GREY_SD)[:, None]
        made: dict[str, Any] = {"inputs": inputs}
        if self.labels is not None:
            made["targets"] = torch.from_numpy(self.labels[indices])
        return made


Method = Literal["grad_cam_pp", "layer_cam", "occlusion"]

FLASH = 1
"""The logit that is explained where there are two."""

N_PATCHES = 16
"""Places along each side at which a patch of an eighth of it is covered."""

_AT_ONCE = 16


def maps_of(network: FlashDenseNet, pictures: Pictures, method: Method) -> NDArray[np.float32]:
    """Return the heat map of every picture, shape (n, rows', columns'), each from 0 to 1."""
    parts = []
    for start in range(0, len(pictures), _AT_ONCE):
        chosen = np.arange(start, min(start + _AT_ONCE, len(pictures)))
        inputs = pictures.batch(chosen, None)["inputs"]
        parts.append(heat_maps(network, inputs, method).detach())
    return np.asarray(torch.cat(parts).numpy(), np.float32)


def heat_maps(network: FlashDenseNet, pictures: torch.Tensor, method: Method) -> torch.Tensor:
    """Return one map a picture, each between 0 and 1.

    Parameters
    ----------
    network : FlashDenseNet
        Used, and left, in evaluation mode.
    pictures : Tensor, shape (n, 1, rows, columns)
        As the network takes them.
    method : {"grad_cam_pp", "layer_cam", "occlusion"}
        See the functions of that name.

    Returns
    -------
    Tensor, shape (n, rows', columns')
        Of the method's own resolution, less its smallest value and divided by its largest; all 0
        where nothing spoke for flash.
    """
    network.eval()
    made = {"grad_cam_pp": grad_cam_pp, "layer_cam": layer_cam, "occlusion": occlusion}[method]
    return to_unit(made(network, pictures))


def explained(outputs: torch.Tensor) -> torch.Tensor:
    """Return which of its outputs is explained of every picture, int64 of shape (n,).

    The one number; the second of two classes; of more classes the likeliest one.

    Examples
    --------
    >>> explained(torch.tensor([[0.0, 2.0, 1.0], [3.0, 0.0, 0.0]])).tolist()
    [1, 0]
    """
    n, width = outputs.shape
    if width > 2:
        return outputs.detach().argmax(dim=1)
    return torch.full((n,), FLASH if width == 2 else 0, dtype=torch.int64)


def grad_cam_pp(network: FlashDenseNet, pictures: torch.Tensor) -> torch.Tensor:
    """Return Grad-CAM++ of the last feature maps, after norm and ReLU: 8 x 8 for 256 x 256.

    Notes
    -----
    Chattopadhay et al., WACV 2018; see `cardio_core.api.grad_cam_maps`. The score is the logit
    before the softmax.

    Examples
    --------
    >>> from cardio_mmode_septal_flash.networks.densenet import FlashDenseNet
    >>> grad_cam_pp(FlashDenseNet(width_mult=0.125).eval(), torch.rand(2, 1, 64, 64)).shape
    torch.Size([2, 2, 2])
    """
    with torch.no_grad():
        maps = network.maps(pictures)
        chosen = explained(network.head(maps))
    return grad_cam_maps(maps, network.head, chosen)


def layer_cam(network: FlashDenseNet, pictures: torch.Tensor) -> torch.Tensor:
    """Return LayerCAM at an eighth of the picture: 32 x 32 for 256 x 256.

    Notes
    -----
    Jiang et al., IEEE Trans Image Process 2021;30:5875, equations 5 to 7: every cell is weighted by
    its own positive gradient.
    """
    with torch.no_grad():
        early = network.early(pictures)
    leaf = early.detach().requires_grad_()
    outputs = network.late(leaf)
    chosen = outputs.gather(1, explained(outputs)[:, None]).sum()
    (gradient,) = torch.autograd.grad(chosen, leaf)
    return functional.relu((functional.relu(gradient) * leaf.detach()).sum(dim=1))


def occlusion(network: FlashDenseNet, pictures: torch.Tensor) -> torch.Tensor:
    """Return how far the output falls when a patch shows the mean picture, 16 x 16.

    A patch is an eighth of the picture's side, with its centre in the cell or as near as the border
    allows. Where the output rises the map is 0.

    Notes
    -----
    Zeiler and Fergus, ECCV 2014.
    """
    n, _, rows, columns = pictures.shape
    high, wide = rows // 8, columns // 8
    fall = torch.zeros(n, N_PATCHES, N_PATCHES)
    with torch.no_grad():
        outputs = network(pictures)
        which = explained(outputs)[:, None]
        whole = outputs.gather(1, which)[:, 0]
        for row in range(N_PATCHES):
            top = min(max(round((row + 0.5) / N_PATCHES * rows - high / 2), 0), rows - high)
            for column in range(N_PATCHES):
                left = round((column + 0.5) / N_PATCHES * columns - wide / 2)
                left = min(max(left, 0), columns - wide)
                covered = pictures.clone()
                covered[:, :, top : top + high, left : left + wide] = 0
                fall[:, row, column] = whole - network(covered).gather(1, which)[:, 0]
    return functional.relu(fall)


def to_unit(maps: torch.Tensor) -> torch.Tensor:
    """Scale each map from 0 to 1; an empty map stays empty, a flat one becomes 1.

    Examples
    --------
    >>> to_unit(torch.tensor([[[1.0, 3.0]], [[2.0, 2.0]], [[0.0, 0.0]]])).flatten().tolist()
    [0.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    """
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
    span = high - low
    scaled = (maps - low) / torch.where(span > 0, span, torch.ones_like(span))
    return torch.where(span > 0, scaled, (high > 0).to(maps.dtype).expand_as(maps))
