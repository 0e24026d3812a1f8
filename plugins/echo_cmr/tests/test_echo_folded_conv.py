"""Convolutions over space and over time are those of torch's Conv3d, whatever the layout."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cardio_echo_cmr.networks.r2plus1d import SpaceConv3d, TimeConv3d

SPACE = [((1, 7, 7), (1, 2, 2), (0, 3, 3)), ((1, 3, 3), (1, 1, 1), (0, 1, 1)),
         ((1, 3, 3), (1, 2, 2), (0, 1, 1))]  # fmt: skip
TIME = [((3, 1, 1), (1, 1, 1), (1, 0, 0)), ((3, 1, 1), (2, 1, 1), (1, 0, 0))]
CASES = [(SpaceConv3d, *one) for one in SPACE] + [(TimeConv3d, *one) for one in TIME]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last_3d])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("kind", "kernel", "stride", "padding"), CASES)
def test_outputs_and_gradients_are_those_of_a_three_dimensional_convolution(
    kind, kernel, stride, padding, bias, layout
):
    torch.manual_seed(0)
    folded = kind(5, 6, kernel, stride, padding, bias=bias).double()
    plain = nn.Conv3d(5, 6, kernel, stride, padding, bias=bias).double()
    plain.load_state_dict(folded.state_dict())
    maps = torch.randn(2, 5, 7, 10, 9, dtype=torch.float64)
    mine = maps.clone(memory_format=layout).requires_grad_()
    theirs = maps.clone().requires_grad_()
    made, expected = folded(mine), plain(theirs)
    weight = torch.randn_like(expected)
    (made * weight).sum().backward()
    (expected * weight).sum().backward()
    torch.testing.assert_close(made, expected)
    torch.testing.assert_close(mine.grad, theirs.grad)
    for (name, own), other in zip(folded.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(own.grad, other.grad, msg=name)


def test_channels_stay_last_from_layer_to_layer():
    layers = nn.Sequential(
        SpaceConv3d(4, 6, (1, 3, 3), (1, 2, 2), (0, 1, 1)),
        TimeConv3d(6, 8, (3, 1, 1), (2, 1, 1), (1, 0, 0)),
        SpaceConv3d(8, 4, (1, 3, 3), padding=(0, 1, 1)),
    )
    maps = torch.randn(2, 4, 6, 10, 12).contiguous(memory_format=torch.channels_last_3d)
    for layer in layers:
        maps = layer(maps)
        assert maps.is_contiguous(memory_format=torch.channels_last_3d)
