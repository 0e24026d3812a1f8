"""Which part of a clip, where and when, spoke for a finding: Grad-CAM++ over space and time."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from cardio_core.api import grad_cam_maps

FRAME_STRIDE, PIXEL_STRIDE = 8, 16
"""Frames and pixels of a clip between neighbouring cells of R(2+1)D's last feature maps."""


class MappedNetwork(Protocol):
    """A network in two parts: its last feature maps, and its outputs from them."""

    def maps(self, clips: torch.Tensor) -> torch.Tensor:
        """Return maps, shape (n, channels, times, rows, columns)."""

    def head(self, maps: torch.Tensor, n_frames: torch.Tensor | None = None) -> torch.Tensor:
        """Return outputs, shape (n, n_outputs)."""


def heat_volumes(
    network: MappedNetwork, clips: torch.Tensor, n_frames: torch.Tensor | None = None
) -> torch.Tensor:
    """Return what raised the output of each clip: the logit, or the value in a regression.

    Of several outputs, one a class, the largest is explained.

    Parameters
    ----------
    network : MappedNetwork
        In evaluation mode.
    clips : Tensor, shape (n, 3, frames, rows, columns)
        As the network takes them.
    n_frames : Tensor of int64, shape (n,), or None
        Recorded frames of each clip, the rest of which gets no heat; None where all are.

    Returns
    -------
    Tensor, shape (n, times', rows', columns')
        Between 0 and 1, of the last feature maps' resolution (8 frames, 16 pixels); all 0 where
        nothing raised the output.

    Notes
    -----
    Chattopadhay et al., WACV 2018; see `cardio_core.api.grad_cam_maps`.

    Examples
    --------
    >>> from cardio_echo_cmr.networks.r2plus1d import R2Plus1D18
    >>> network = R2Plus1D18(1, width_mult=0.0625).eval()
    >>> heat_volumes(network, torch.rand(2, 3, 16, 32, 32)).shape
    torch.Size([2, 2, 2, 2])
    """
    with torch.no_grad():
        maps = network.maps(clips)
        likeliest = network.head(maps, n_frames).argmax(dim=1)
    made = grad_cam_maps(maps, lambda a: network.head(a, n_frames), likeliest)
    if n_frames is not None:
        starts = torch.arange(made.shape[1], device=made.device) * FRAME_STRIDE
        made = made * (starts < n_frames[:, None])[:, :, None, None]
    top = made.amax(dim=(1, 2, 3), keepdim=True)
    return made / torch.where(top > 0, top, torch.ones_like(top))


def at_frames(
    heat: NDArray[np.floating[Any]], n_frames: int, n_rows: int, n_columns: int
) -> NDArray[np.float32]:
    """Return a heat volume at every frame and pixel of its clip.

    Parameters
    ----------
    heat : ndarray, shape (times', rows', columns')
        Of `heat_volumes`.
    n_frames, n_rows, n_columns : int
        Of the clip.

    Returns
    -------
    ndarray of float32, shape (n_frames, n_rows, n_columns)
        Linear between cells.

    Notes
    -----
    Every convolution with a stride is padded by half its odd kernel, so cell i looks at pixel 16 i
    (frame 8 i) and not at the middle of an equal share of the picture: stretching the map over the
    picture, as is usual, would move it by half a cell, 7.5 pixels of 112.

    Examples
    --------
    >>> heat = np.zeros((2, 2, 2)); heat[1, 1, 0] = 1
    >>> full = at_frames(heat, 12, 24, 24)
    >>> [int(i) for i in np.argwhere(full == 1)[0]], float(full[8, 8, 0])
    ([8, 16, 0], 0.5)
    """
    axes = (
        np.arange(n_frames) / FRAME_STRIDE,
        np.arange(n_rows) / PIXEL_STRIDE,
        np.arange(n_columns) / PIXEL_STRIDE,
    )
    places = np.meshgrid(*axes, indexing="ij")
    found = ndimage.map_coordinates(
        np.asarray(heat, np.float32), places, order=1, mode="nearest", output=np.float32
    )
    return np.asarray(found, np.float32)


def time_curve(heat: NDArray[np.floating[Any]], sector: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how the heat within the sector is spread over the frames.

    Parameters
    ----------
    heat : ndarray, shape (frames, rows, columns)
    sector : ndarray of bool, shape (rows, columns)

    Returns
    -------
    ndarray, shape (frames,)
        Its sum is 1, or every value 0 where the map is empty.

    Examples
    --------
    >>> heat = np.ones((4, 2, 2)); heat[3] = 5
    >>> time_curve(heat, np.ones((2, 2), bool)).tolist()
    [0.125, 0.125, 0.125, 0.625]
    """
    by_frame = np.asarray(heat, np.float64)[:, sector].sum(axis=1)
    total = float(by_frame.sum())
    return by_frame / total if total > 0 else np.zeros_like(by_frame)


def segment_heat(
    heat: NDArray[np.floating[Any]], masks: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Return the mean heat of each segment over the clip, shape (n_segments,).

    Parameters
    ----------
    heat : ndarray, shape (frames, rows, columns)
    masks : ndarray, shape (n_segments, rows, columns)
        Of `occlusion.Segments`: weights from 0 to 1.
    """
    over_time = np.asarray(heat, np.float64).mean(axis=0)
    weights = np.asarray(masks, np.float64)
    return np.asarray((weights * over_time).sum(axis=(1, 2)) / weights.sum(axis=(1, 2)))
