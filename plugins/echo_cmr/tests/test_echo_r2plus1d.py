"""R(2+1)D-18: the parameters of torchvision's r2plus1d_18, and a mask over time."""

from __future__ import annotations

import math

import pytest
import torch

from cardio_echo_cmr.networks.r2plus1d import R2Plus1D18, masked_average

# The facts about the public network, written down as numbers and not computed by our formula.
# Channels of each convolution are those of Tran et al., CVPR 2018, table 1, and of the public
# weights: between space and time 144 in stage 1, then 230 and 288, 460 and 576, 921 and 1152.
# One line a block: stage, block, in, between, out, whether it has a projection.
BLOCKS = """
    layer1 0  64  144  64 -
    layer1 1  64  144  64 -
    layer2 0  64  230 128 projected
    layer2 1 128  288 128 -
    layer3 0 128  460 256 projected
    layer3 1 256  576 256 -
    layer4 0 256  921 512 projected
    layer4 1 512 1152 512 -
"""


def _norm(name, n):
    held = {f"{name}.{part}": (n,) for part in ("weight", "bias", "running_mean", "running_var")}
    return held | {f"{name}.num_batches_tracked": ()}


def _pair(name, n_in, mid, n_out):
    return (
        {f"{name}.0.0.weight": (mid, n_in, 1, 3, 3)}
        | _norm(f"{name}.0.1", mid)
        | {f"{name}.0.3.weight": (n_out, mid, 3, 1, 1)}
        | _norm(f"{name}.1", n_out)
    )


def published_shapes(n_classes):
    """Names and shapes of the public state dict, in its order."""
    shapes = {"stem.0.weight": (45, 3, 1, 7, 7)} | _norm("stem.1", 45)
    shapes |= {"stem.3.weight": (64, 45, 3, 1, 1)} | _norm("stem.4", 64)
    for line in BLOCKS.split("\n")[1:-1]:
        stage, place, *numbers, projected = line.split()
        n_in, mid, n_out = map(int, numbers)
        name = f"{stage}.{place}"
        shapes |= _pair(f"{name}.conv1", n_in, mid, n_out)
        shapes |= _pair(f"{name}.conv2", n_out, mid, n_out)
        if projected == "projected":
            shapes |= {f"{name}.downsample.0.weight": (n_out, n_in, 1, 1, 1)}
            shapes |= _norm(f"{name}.downsample.1", n_out)
    return shapes | {"fc.weight": (n_classes, 512), "fc.bias": (n_classes,)}


@pytest.mark.parametrize("n_classes", [400, 1])
def test_names_and_shapes_are_those_of_the_public_network(n_classes):
    with torch.device("meta"):
        state = R2Plus1D18(n_classes).state_dict()
    assert {name: tuple(value.shape) for name, value in state.items()} == published_shapes(
        n_classes
    )
    assert list(state) == list(published_shapes(n_classes))


@pytest.mark.parametrize(("n_classes", "published"), [(400, 31_505_325), (1, 31_300_638)])
def test_the_number_of_parameters_is_the_published_one(n_classes, published):
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    table = published_shapes(n_classes)
    in_table = sum(math.prod(s) for name, s in table.items() if not name.endswith(buffers))
    with torch.device("meta"):
        network = R2Plus1D18(n_classes)
    assert sum(p.numel() for p in network.parameters()) == in_table == published


@pytest.mark.slow
def test_a_step_at_full_size_changes_every_weight():
    torch.manual_seed(0)
    network = R2Plus1D18(1)
    clip = torch.rand(1, 3, 16, 112, 112)
    maps = network.maps(clip)
    assert maps.shape == (1, 512, 2, 7, 7)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        network.head(maps, torch.tensor([16])), torch.ones(1, 1)
    )
    loss.backward()
    gradients = [p.grad for p in network.parameters()]
    assert all(g is not None and torch.isfinite(g).all() and g.abs().sum() > 0 for g in gradients)


def test_frames_after_the_end_do_not_reach_the_average_over_time():
    maps = torch.rand(2, 3, 4, 2, 2, generator=torch.Generator().manual_seed(1))
    found = masked_average(maps, torch.tensor([9, 32]))
    torch.testing.assert_close(found[0], maps[0, :, :2].mean(dim=(1, 2, 3)))
    torch.testing.assert_close(found[1], maps[1].mean(dim=(1, 2, 3)))
    torch.testing.assert_close(masked_average(maps)[0], maps[0].mean(dim=(1, 2, 3)))


@pytest.mark.parametrize("n_frames", [16, 20, 32])
def test_a_thin_network_of_the_same_class_takes_small_clips_of_any_length(n_frames):
    network = R2Plus1D18(1, width_mult=0.0625).eval()
    maps = network.maps(torch.rand(2, 3, n_frames, 32, 32))
    assert maps.shape == (2, 32, math.ceil(n_frames / 8), 2, 2)
    assert list(network.state_dict()) == list(published_shapes(1))
