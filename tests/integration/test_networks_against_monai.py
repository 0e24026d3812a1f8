"""The networks of the plugins start, answer and learn as MONAI's do, number for number."""

from __future__ import annotations

import pytest
import torch
from monai.networks.nets.densenet import DenseNet
from monai.networks.nets.resnet import ResNet as MonaiResNet

from cardio_core.api import ResNet
from cardio_mmode_septal_flash.networks.densenet import BLOCKS, FlashDenseNet

LAYERS = {18: ("basic", [2, 2, 2, 2]), 50: ("bottleneck", [3, 4, 6, 3])}


def _resnets(depth, small_stem):
    block, layers = LAYERS[depth]
    yield lambda: ResNet(
        depth, n_input_channels=2, n_outputs=5, width_mult=0.125, small_stem=small_stem
    )
    yield lambda: MonaiResNet(
        block, layers, [64, 128, 256, 512], spatial_dims=2, n_input_channels=2, conv1_t_stride=2,
        no_max_pool=small_stem, widen_factor=0.125, num_classes=5, bias_downsample=False,
    )  # fmt: skip


def _densenets():
    yield lambda: FlashDenseNet(5, stem="one", width_mult=0.125)
    yield lambda: DenseNet(2, 1, 5, init_features=8, growth_rate=4, block_config=BLOCKS)


@pytest.mark.parametrize(
    ("both", "channels"),
    [(_resnets(18, False), 2), (_resnets(18, True), 2), (_resnets(50, True), 2), (_densenets(), 1)],
    ids=["ResNet-18", "ResNet-18 with a small stem", "ResNet-50", "DenseNet121"],
)
def test_it_is_monai_s_before_and_after_a_step_of_training(both, channels):
    pictures = torch.rand(3, channels, 64, 64, generator=torch.Generator().manual_seed(0))
    answers, weights = [], []
    for make in both:
        torch.manual_seed(1)
        network = make()
        first = network(pictures)
        first.square().sum().backward()
        torch.optim.SGD(network.parameters(), lr=0.01).step()
        answers.append((first, network.eval()(pictures)))
        weights.append([*network.state_dict().values()])
    for ours, theirs in zip(*answers, strict=True):
        assert torch.equal(ours, theirs)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*weights, strict=True))
