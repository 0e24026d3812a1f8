import math

import pytest
import torch
from safetensors.torch import save_file

from cardio_core.api import ConfigError, Context
from cardio_core.testing import refuses
from cardio_ecg_transfer.beats.models import AAMI_BEATS
from cardio_ecg_transfer.networks.gradcam import grad_cam_pp
from cardio_ecg_transfer.networks.resnet import BeatResNet, freeze, hold_frozen

# Parameters of torchvision's resnet18, resnet50 and resnet101 with 1000 classes, as its
# documentation lists them.
PUBLISHED_PARAMETERS = {18: 11_689_512, 50: 25_557_032, 101: 44_549_160}


def n_parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("depth", [18, 50, 101])
def test_with_three_channels_and_1000_classes_it_has_torchvision_s_parameters(depth):
    with torch.device("meta"):
        assert n_parameters(BeatResNet(depth, n_classes=1000)) == PUBLISHED_PARAMETERS[depth]


def torchvision_keys(blocks: list[int], n_convolutions: int, first_is_wide: bool) -> set[str]:
    """Keys of a torchvision ResNet, written from its architecture."""
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    keys = {"conv1.weight", "fc.weight", "fc.bias"} | {f"bn1.{part}" for part in norm}
    for layer, n_blocks in enumerate(blocks, start=1):
        for block in range(n_blocks):
            at = f"layer{layer}.{block}"
            for number in range(1, n_convolutions + 1):
                keys |= {f"{at}.conv{number}.weight"}
                keys |= {f"{at}.bn{number}.{part}" for part in norm}
            if block == 0 and (layer > 1 or first_is_wide):
                keys |= {f"{at}.downsample.0.weight"}
                keys |= {f"{at}.downsample.1.{part}" for part in norm}
    return keys


@pytest.mark.parametrize(
    ("depth", "blocks", "n_convolutions", "first_is_wide"),
    [
        (18, [2, 2, 2, 2], 2, False),
        (50, [3, 4, 6, 3], 3, True),
        (101, [3, 4, 23, 3], 3, True),
    ],
)
def test_its_keys_are_torchvision_s(depth, blocks, n_convolutions, first_is_wide):
    with torch.device("meta"):
        keys = set(BeatResNet(depth).state_dict())
    assert keys == torchvision_keys(blocks, n_convolutions, first_is_wide)


def test_side_features_add_keys_of_their_own_and_change_no_other_but_the_classifier():
    plain = BeatResNet(18, width_mult=0.125).state_dict()
    joined = BeatResNet(18, n_side=3, width_mult=0.125).state_dict()
    added = set(joined) - set(plain)
    assert set(plain) <= set(joined)
    assert all(key.startswith("side.") for key in added)
    other = {key for key in plain if plain[key].shape != joined[key].shape}
    assert other == {"fc.weight"}


def test_width_mult_divides_the_channels_of_every_layer():
    full = BeatResNet(18).state_dict()
    quarter = BeatResNet(18, width_mult=0.25).state_dict()
    assert quarter["layer4.1.conv2.weight"].shape[0] * 4 == full["layer4.1.conv2.weight"].shape[0]
    assert set(full) == set(quarter)


def test_the_output_follows_the_side_features_of_the_same_row_only():
    torch.manual_seed(0)
    network = BeatResNet(18, n_input_channels=2, n_side=3, width_mult=0.125, small_stem=True).eval()
    images, side = torch.rand(4, 2, 32, 40), torch.randn(4, 3)
    before = network({"images": images, "side": side})
    side[2] += 3.0
    changed = (network({"images": images, "side": side}) - before).abs().amax(dim=1) > 1e-6
    assert changed.tolist() == [False, False, True, False]


def test_side_features_left_out_are_an_error():
    network = BeatResNet(18, n_side=2, width_mult=0.125)
    with pytest.raises(ValueError, match="2 side features"):
        network(torch.rand(2, 3, 64, 64))


def test_picture_dropout_leaves_the_side_features_alone_in_training_only():
    torch.manual_seed(0)
    network = BeatResNet(18, n_side=2, width_mult=0.125, picture_dropout=1.0)
    side = torch.randn(4, 2)
    one, other = torch.rand(4, 3, 64, 64), torch.rand(4, 3, 64, 64)
    inputs, others = {"images": one, "side": side}, {"images": other, "side": side}
    assert torch.equal(network.train()(inputs), network(others))
    assert not torch.allclose(network.eval()(inputs), network(others))


def test_an_unknown_depth_is_refused():
    with refuses(ConfigError, "ResNet depth", "18", "50", "101", "34"):
        BeatResNet(34)


@pytest.mark.parametrize(
    ("schedule", "frozen"),
    [
        ("none", set()),
        ("stem+layer1", {"conv1", "bn1", "layer1"}),
        ("all", {"conv1", "bn1", "layer1", "layer2", "layer3", "layer4"}),
    ],
)
def test_a_frozen_part_keeps_its_weights_and_its_statistics_in_a_training_step(schedule, frozen):
    torch.manual_seed(0)
    network = BeatResNet(18, n_side=2, width_mult=0.125)
    names = freeze(network, schedule)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    network.train()
    hold_frozen(network, names)
    optimiser = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1)
    network(
        {"images": torch.rand(4, 3, 64, 64), "side": torch.randn(4, 2)}
    ).square().sum().backward()
    optimiser.step()
    moved = {
        key.split(".")[0]
        for key, value in network.state_dict().items()
        if not torch.equal(value, before[key])
    }
    parts = {"conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "side", "fc"}
    assert moved == parts - frozen


def test_a_torchvision_file_fills_the_backbone_and_leaves_the_classifier(tmp_path):
    torch.manual_seed(0)
    source = BeatResNet(18, n_classes=1000)
    save_file(
        {f"module.{k}": v for k, v in source.state_dict().items()}, tmp_path / "w.safetensors"
    )
    network = BeatResNet(18, n_classes=5, n_side=4)
    classifier = network.fc.weight.clone()
    copied = Context(AAMI_BEATS).load_backbone(network, tmp_path / "w.safetensors")
    assert len(copied) == 100  # 122 keys, less 20 counters and the classifier's two
    assert torch.equal(network.layer3[1].conv2.weight, source.layer3[1].conv2.weight)
    assert torch.equal(network.bn1.running_var, source.bn1.running_var)
    assert torch.equal(network.fc.weight, classifier)


def test_a_batch_s_maps_equal_those_of_its_pictures_one_by_one():
    torch.manual_seed(0)
    network = BeatResNet(18, n_input_channels=2, n_side=2, width_mult=0.125, small_stem=True)
    images, side = torch.rand(5, 2, 32, 40), torch.randn(5, 2)
    classes = torch.tensor([0, 1, 2, 3, 4])
    together = grad_cam_pp(network, images, classes, side)
    for i in range(5):
        one = slice(i, i + 1)
        alone = grad_cam_pp(network, images[one], classes[one], side[one])
        assert torch.allclose(together[i], alone[0], atol=1e-5)


def test_a_logit_of_200_gives_a_finite_map():
    torch.manual_seed(0)
    network = BeatResNet(18, n_input_channels=1, width_mult=0.125).eval()
    image = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        network.fc.bias[1] += 200 - network(image)[0, 1]
        assert network(image)[0, 1].item() == pytest.approx(200, rel=1e-4)
    cam = grad_cam_pp(network, image, torch.tensor([1]))
    assert torch.isfinite(cam).all()
    assert math.isclose(cam.max().item(), 1.0, rel_tol=1e-5)


def test_classes_that_share_the_picture_are_told_apart_by_the_side_features_alone():
    torch.manual_seed(0)
    tied = {"n_side": 2, "width_mult": 0.125, "picture_classes": (0, 0, 2, 3, 4)}
    network = BeatResNet(18, **tied).eval()
    side = torch.randn(6, 2)
    one, other = torch.rand(6, 3, 64, 64), torch.rand(6, 3, 64, 64)
    with torch.no_grad():
        change = network({"images": one, "side": side}) - network({"images": other, "side": side})
        timing = network({"images": one, "side": side}) - network({"images": one, "side": side + 1})
    assert torch.allclose(change[:, 0], change[:, 1], atol=1e-5)
    assert not torch.allclose(change[:, 0], change[:, 2], atol=1e-3)
    assert not torch.allclose(timing[:, 0], timing[:, 1], atol=1e-3)
