"""Convolutions over space alone and over time alone, computed as 2-D ones.

Parameters are those of `torch.nn.Conv3d`, and so are names, shapes and results, up to rounding.
Libraries have far better kernels for two dimensions than for three: on a CPU, a convolution of
3 × 1 × 1 on one thread does not even reach oneDNN.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class SpaceConv3d(nn.Conv3d):
    """A `Conv3d` of 1 × k × k: frames become images of a larger batch.

    Where channels are not last in memory, that would cost a copy, and it stays a 3-D convolution.

    Examples
    --------
    >>> conv = SpaceConv3d(3, 4, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False)
    >>> conv(torch.zeros(2, 3, 5, 8, 8)).shape
    torch.Size([2, 4, 5, 4, 4])
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Return the convolved maps, (n, channels, frames, rows, columns)."""
        if not maps.is_contiguous(memory_format=torch.channels_last_3d):
            return super().forward(maps)
        n, n_channels, n_frames, n_rows, n_columns = maps.shape
        images = maps.transpose(1, 2).reshape(n * n_frames, n_channels, n_rows, n_columns)
        made = functional.conv2d(
            images, self.weight[:, :, 0], self.bias, self.stride[1:], self.padding[1:]
        )
        return made.reshape(n, n_frames, *made.shape[1:]).transpose(1, 2)


class TimeConv3d(nn.Conv3d):
    """A `Conv3d` of k × 1 × 1: rows and columns become one dimension.

    Examples
    --------
    >>> conv = TimeConv3d(4, 6, (3, 1, 1), (2, 1, 1), (1, 0, 0), bias=False)
    >>> conv(torch.zeros(2, 4, 5, 8, 8)).shape
    torch.Size([2, 6, 3, 8, 8])
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Return the convolved maps, (n, channels, frames, rows, columns)."""
        n, n_channels, n_frames, n_rows, n_columns = maps.shape
        lines = maps.reshape(n, n_channels, n_frames, n_rows * n_columns)
        made = functional.conv2d(
            lines, self.weight[..., 0], self.bias, (self.stride[0], 1), (int(self.padding[0]), 0)
        )
        return made.reshape(n, made.shape[1], made.shape[2], n_rows, n_columns)
