"""Weights of others: what is copied, what is left, and what is refused."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cardio_core.testing import refuses
from cardio_core.training.pretrained import load_backbone
from cardio_stats.errors import DataError


class Net(nn.Module):
    """A stem, a layer and a classifier with torchvision's names."""

    def __init__(self, n_channels: int = 3, n_classes: int = 2, width: int = 4):
        super().__init__()
        self.conv1 = nn.Conv2d(n_channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.fc = nn.Linear(width, n_classes)


@pytest.fixture
def source(tmp_path):
    torch.manual_seed(0)
    net = Net(n_classes=1000)
    save_file({f"module.{k}": v for k, v in net.state_dict().items()}, tmp_path / "w.safetensors")
    return net, tmp_path / "w.safetensors"


def test_the_backbone_is_copied_and_the_classifier_is_left(source):
    net, file = source
    mine = Net()
    classifier = mine.fc.weight.clone()
    copied = load_backbone(mine, file)
    assert copied == [
        "bn1.bias",
        "bn1.running_mean",
        "bn1.running_var",
        "bn1.weight",
        "conv1.weight",
    ]
    assert torch.equal(mine.conv1.weight, net.conv1.weight)
    assert torch.equal(mine.fc.weight, classifier)


def test_what_counts_as_the_networks_own_can_be_said(source):
    net, file = source
    mine = Net()
    assert load_backbone(mine, file, own=("fc.", "bn1.")) == ["conv1.weight"]
    assert torch.equal(mine.conv1.weight, net.conv1.weight)


def test_a_stem_of_other_channels_answers_a_repeated_picture_as_the_original_does(source):
    net, file = source
    mine = Net(n_channels=12)
    load_backbone(mine, file)
    picture = torch.rand(1, 1, 16, 16)
    expected = net.conv1(picture.expand(1, 3, 16, 16))
    assert torch.allclose(mine.conv1(picture.expand(1, 12, 16, 16)), expected, atol=1e-5)


def test_weights_of_another_format_width_or_with_a_key_missing_are_refused(source, tmp_path):
    net, file = source
    (tmp_path / "no.safetensors").write_bytes(b"not weights")
    with refuses(DataError, "no.safetensors", code="damaged"):
        load_backbone(Net(), tmp_path / "no.safetensors")
    with refuses(DataError, "weights", code="mismatch"):
        load_backbone(Net(width=8), file)
    state = net.state_dict()
    del state["bn1.running_var"]
    save_file(state, tmp_path / "less.safetensors")
    with refuses(DataError, "weights", "bn1.running_var", code="missing"):
        load_backbone(Net(), tmp_path / "less.safetensors")
