"""The networks of flow maps: torchvision's layout, the two steps, and their losses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.special import huber
from sklearn.metrics import log_loss

from cardio_core.api import Context
from cardio_spect_polar.flow.models import MFR
from cardio_spect_polar.flow.transfer import (
    balanced_loss,
    start_at_means,
    to_probability,
    two_part_loss,
)
from cardio_spect_polar.networks.flow_resnet import FlowResNet, Tail, Trunk

TORCHVISION_PARAMETERS = 25_557_032
"""Of resnet50 with three input channels and 1000 classes, as torchvision's page of models says."""


@pytest.fixture(scope="module")
def full():
    return FlowResNet(1000)


def test_the_full_network_is_torchvisions_resnet_50_with_one_input_channel(full):
    n_parameters = sum(p.numel() for p in full.parameters())
    assert n_parameters == TORCHVISION_PARAMETERS - 2 * 64 * 7 * 7
    keys = set(full.state_dict())
    assert len(keys) == 320
    assert {"conv1.weight", "layer1.0.downsample.1.running_mean", "layer3.5.conv3.weight",
            "layer4.2.bn3.num_batches_tracked", "fc.bias"} <= keys  # fmt: skip
    assert full.state_dict()["layer4.0.downsample.0.weight"].shape == (2048, 1024, 1, 1)


def test_weights_of_three_channels_load_and_answer_a_grey_picture_alike(full, tmp_path):
    generator = torch.Generator().manual_seed(0)
    state = {key: torch.randn(value.shape, generator=generator) * 0.01
             for key, value in full.state_dict().items() if value.is_floating_point()}  # fmt: skip
    state["conv1.weight"] = torch.randn(64, 3, 7, 7, generator=generator)
    save_file(state, tmp_path / "imagenet.safetensors")
    network = FlowResNet(18)
    copied = Context(MFR).load_backbone(network, tmp_path / "imagenet.safetensors")
    assert len(copied) == 320 - 2 - 53  # no classifier, no counters
    picture = torch.rand(1, 1, 16, 16, generator=generator)
    three = torch.nn.functional.conv2d(picture.repeat(1, 3, 1, 1), state["conv1.weight"])
    one = torch.nn.functional.conv2d(picture, network.conv1.weight)
    assert torch.allclose(one, three, atol=1e-4)


def test_the_full_network_learns_from_a_full_picture():
    torch.manual_seed(0)
    network = FlowResNet(18)
    truth = torch.full((2, 18), 2.0)
    truth[:, 17] = torch.tensor([0.0, 1.0])
    loss = two_part_loss(0.5, 1.0)(network(torch.rand(2, 1, 224, 224)), {"targets": truth})
    loss.backward()
    assert torch.isfinite(loss)
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def _small(seed: int) -> FlowResNet:
    torch.manual_seed(seed)
    return FlowResNet(18, width_mult=0.0625, small_stem=True)


def test_trunk_and_tail_together_are_the_network_they_were_cut_from():
    whole, one, other = _small(0).eval(), _small(0), _small(0)
    trunk, tail = Trunk(one), Tail(other).eval()
    pictures = torch.rand(3, 1, 32, 32)
    with torch.no_grad():
        deep = whole.early(pictures, 4)
        assert torch.allclose(tail.until(trunk(pictures), 4), deep, atol=1e-6)
        expected = tail.fc(deep.mean(dim=(2, 3)))[:, 0]
        assert torch.allclose(tail(trunk(pictures)), expected, atol=1e-6)


def test_nothing_of_the_trunk_changes_while_tails_are_trained():
    trunk, tail = Trunk(_small(0)), Tail(_small(0))
    before = {key: value.clone() for key, value in trunk.state_dict().items()}
    trunk.train()
    tail.train()
    optimizer = torch.optim.SGD([*trunk.parameters(), *tail.parameters()], lr=0.1)
    tail(trunk(torch.rand(4, 1, 32, 32))).sum().backward()
    optimizer.step()
    assert all(torch.equal(value, before[key]) for key, value in trunk.state_dict().items())


def test_step_one_adds_hubers_loss_of_known_segments_and_the_log_loss_of_impaired():
    rng = np.random.default_rng(0)
    outputs, truth = rng.normal(2, 1, (6, 18)), rng.uniform(0.5, 4, (6, 18))
    truth[:, 17] = [0, 1, 1, 0, 1, 0]
    truth[2, 3] = truth[4, 17] = np.nan
    known = np.isfinite(truth[:, :17])
    expected = huber(0.5, (outputs - truth)[:, :17][known]).mean()
    labelled = np.isfinite(truth[:, 17])
    chance = 1 / (1 + np.exp(-outputs[labelled, 17]))
    expected += 0.7 * log_loss(truth[labelled, 17], chance)
    made = two_part_loss(0.5, 0.7)(torch.tensor(outputs), {"targets": torch.tensor(truth)})
    assert float(made) == pytest.approx(expected, rel=1e-9)


def test_unknown_targets_send_no_gradient():
    outputs = torch.randn(2, 18, requires_grad=True)
    truth = torch.full((2, 18), 2.0)
    truth[:, 17] = 1.0
    truth[0] = float("nan")
    two_part_loss(0.5, 1.0)(outputs, {"targets": truth}).backward()
    assert torch.isfinite(outputs.grad).all()
    assert outputs.grad[0].abs().max() == 0
    assert outputs.grad[1].abs().min() > 0


def test_the_head_starts_at_the_training_means():
    head = torch.nn.Linear(8, 18)
    y = np.full((10, 18), 2.5, np.float32)
    y[:, 17] = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    y[:5, 0] = np.nan
    start_at_means(head, y)
    assert head.bias[:17].tolist() == pytest.approx([2.5] * 17)
    assert to_probability(head.bias[17].item()) == pytest.approx(0.2)


@pytest.mark.parametrize("prevalence", [0.1, 0.5, 0.8])
def test_balanced_training_is_smallest_at_the_log_odds_of_the_cohort(prevalence):
    y = torch.zeros(1000)
    y[: int(1000 * prevalence)] = 1
    loss = balanced_loss(float(y.mean()))
    at = [float(loss(torch.full((1000,), float(np.log(p / (1 - p)))), {"targets": y}))
          for p in (prevalence - 0.02, prevalence, prevalence + 0.02)]  # fmt: skip
    assert at[1] < min(at[0], at[2])
    # Both classes weigh the same: swapping them leaves the loss of a wrong logit as it is.
    swapped = balanced_loss(1 - float(y.mean()))
    logit = torch.full((1000,), 0.3)
    assert float(loss(logit, {"targets": y})) == pytest.approx(
        float(swapped(-logit, {"targets": 1 - y})), rel=1e-5
    )
