"""The network that makes one logit of a patient's beats and leads."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from cardio_core.api import ConfigError, Context, FeatureBlock, FeatureSet
from cardio_ecg_transfer.networks.patient_net import PatientNet
from cardio_ecg_transfer.networks.resnet import BeatResNet
from cardio_ecg_transfer.response.by_network import Bags, bags_of
from cardio_ecg_transfer.response.models import CRT_RESPONSE

SMALL = {"width_mult": 0.125, "small_stem": True}


def bags(n: int = 3, n_beats: int = 2, n_side: int = 0, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    made = {"images": torch.rand(n, n_beats, 12, 16, 20, generator=generator)}
    if n_side:
        made["side"] = torch.randn(n, n_beats, 12, n_side, generator=generator)
    return made


@pytest.mark.parametrize("stem", ["shared", "twelve"])
@pytest.mark.parametrize("pooling", ["attention", "mean"])
@pytest.mark.parametrize("n_side", [0, 2])
def test_the_order_of_the_beats_does_not_matter_and_patients_stand_alone(stem, pooling, n_side):
    torch.manual_seed(0)
    net = PatientNet(18, stem=stem, pooling=pooling, n_side=n_side, **SMALL).eval()
    given = bags(n_side=n_side)
    logits = net(given)
    torch.testing.assert_close(net({k: v.flip(1) for k, v in given.items()}), logits)
    torch.testing.assert_close(net({k: v[1:2] for k, v in given.items()}), logits[1:2])


@pytest.mark.parametrize("stem", ["shared", "twelve"])
def test_leads_have_names(stem):
    torch.manual_seed(0)
    net = PatientNet(18, stem=stem, **SMALL).eval()
    given = bags()
    exchanged = {"images": given["images"][:, :, [1, 0, *range(2, 12)]]}
    assert (net(exchanged) - net(given)).abs().max() > 1e-5


def test_mean_pooling_weighs_all_instances_alike_and_attention_does_not():
    torch.manual_seed(0)
    for pooling, same in (("mean", True), ("attention", False)):
        net = PatientNet(18, pooling=pooling, **SMALL).eval()
        _, weights = net.pool(torch.randn(2, 24, 64))
        torch.testing.assert_close(weights.sum(dim=1), torch.ones(2))
        assert torch.allclose(weights, torch.full_like(weights, 1 / 24)) == same


def test_a_frozen_encoder_learns_nothing_and_keeps_its_statistics():
    net = PatientNet(18, frozen="all", **SMALL)
    before = {k: v.clone() for k, v in net.encoder.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=1.0)
    net.train()(bags()).sum().backward()
    optimizer.step()
    for name, value in net.encoder.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_the_encoder_s_rate_is_its_own_and_frozen_parts_have_none():
    head, body = PatientNet(18, **SMALL).parameter_groups(1e-4)
    assert "lr" not in head
    assert body["lr"] == 1e-4
    part = PatientNet(18, frozen="stem+layer1", **SMALL).parameter_groups(1e-4)[1]
    assert len(part["params"]) < len(body["params"])
    assert len(PatientNet(18, frozen="all", **SMALL).parameter_groups(1e-4)) == 1


@pytest.mark.parametrize(("stem", "n_channels"), [("shared", 1), ("twelve", 12)])
def test_the_stem_answers_a_picture_in_all_its_channels_as_the_earlier_one_did(
    stem, n_channels, tmp_path
):
    torch.manual_seed(0)
    earlier = BeatResNet(18, n_input_channels=3, n_classes=5, **SMALL)
    save_file(earlier.state_dict(), tmp_path / "weights.safetensors")
    net = PatientNet(18, stem=stem, **SMALL)
    Context(CRT_RESPONSE).load_backbone(net.encoder, tmp_path / "weights.safetensors")
    picture = torch.rand(2, 1, 16, 20)
    theirs = earlier.conv1(picture.expand(-1, 3, -1, -1))
    ours = net.encoder.conv1(picture.expand(-1, n_channels, -1, -1))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def test_layers_taken_in_two_steps_are_the_whole():
    torch.manual_seed(0)
    encoder = BeatResNet(18, n_input_channels=1, n_classes=2, **SMALL).eval()
    images = torch.rand(2, 1, 32, 40)
    for layer in (1, 2, 3, 4):
        torch.testing.assert_close(
            encoder.late(encoder.early(images, layer), layer), encoder.maps(images)
        )


def test_an_unknown_stem_is_a_usage_error():
    with pytest.raises(ConfigError, match="shared or twelve"):
        PatientNet(18, stem="six", **SMALL)


def features() -> FeatureSet:
    import pandas as pd

    patients = ["b", "b", "b", "a"]
    table = pd.DataFrame(
        {"recording_id": patients, "study_id": patients, "patient_id": patients},
        index=pd.Index([f"{p}#{i}" for i, p in enumerate(patients)], name="sample_id"),
    )
    pictures = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones((1, 12, 2, 2), np.uint8)
    numbers = np.ones((4, 12), np.float32)
    leads = tuple("abcdefghijkl")
    return FeatureSet(
        table,
        {
            "pictures": FeatureBlock(pictures, ("lead", "f", "t"), leads, ("dB",)),
            "gain": FeatureBlock(numbers, ("lead",), leads, ("dB",)),
            "polarity": FeatureBlock(numbers * 2, ("lead",), leads, ("1",)),
        },
    )


def test_a_bag_holds_beats_of_its_patient_alone_and_repeats_them_where_there_are_too_few():
    made, names = bags_of(features(), n_drawn=2, side=True)
    assert names == ("b", "a")
    batch = made.batch(np.array([0, 1]), None)["inputs"]
    assert batch["side"].shape == (2, 2, 12, 2)
    shown = (batch["images"][:, :, 0, 0, 0] * 255).round().int().tolist()
    assert shown == [[0, 2], [3, 3]]


def test_training_draws_other_beats_each_time_and_scoring_the_same_ones():
    made, _ = bags_of(features(), n_drawn=1, side=False)
    rng = np.random.default_rng(0)

    def shown(generator):
        images = made.batch(np.array([0]), generator)["inputs"]["images"]
        return round(float(images[0, 0, 0, 0, 0] * 255))

    assert {shown(rng) for _ in range(40)} == {0, 1, 2}
    assert {shown(None) for _ in range(3)} == {0}
    assert isinstance(made, Bags)
