"""DenseNet121: published sizes and keys, weights of others, and heat maps of known answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cardio_core.api import Context, DataError, ModelArtifact
from cardio_core.testing import refuses
from cardio_mmode_septal_flash.flash.models import SEPTAL_FLASH
from cardio_mmode_septal_flash.networks.densenet import FlashDenseNet, one_channel, start_from_file
from cardio_mmode_septal_flash.networks.heat_maps import (
    grad_cam_pp,
    heat_maps,
    layer_cam,
    occlusion,
)

BLOCKS = (6, 12, 24, 16)
CTX = Context(SEPTAL_FLASH, hook="train")


@pytest.fixture(scope="module")
def thin():
    torch.manual_seed(0)
    return FlashDenseNet(width_mult=0.125).eval()


def test_it_has_the_published_number_of_parameters():
    # torchvision.models.densenet121: 7,978,856.
    assert sum(p.numel() for p in FlashDenseNet(1000).parameters()) == 7_978_856


def test_its_keys_and_shapes_are_torchvisions():
    state = FlashDenseNet(1000).state_dict()
    # Written down from torchvision's densenet121-a639ec97.
    expected = {
        "features.conv0.weight": (64, 3, 7, 7),
        "features.norm0.running_var": (64,),
        "features.denseblock1.denselayer1.norm1.weight": (64,),
        "features.denseblock1.denselayer1.conv1.weight": (128, 64, 1, 1),
        "features.denseblock1.denselayer6.conv2.weight": (32, 128, 3, 3),
        "features.transition1.conv.weight": (128, 256, 1, 1),
        "features.denseblock3.denselayer24.norm1.bias": (992,),
        "features.transition3.norm.running_mean": (1024,),
        "features.denseblock4.denselayer16.conv2.weight": (32, 128, 3, 3),
        "features.norm5.weight": (1024,),
        "classifier.weight": (1000, 1024),
        "classifier.bias": (1000,),
    }
    assert {name: tuple(state[name].shape) for name in expected} == expected
    # One convolution and one norm first, two of each a layer, one a transition, one norm last.
    n_layers = sum(BLOCKS)
    n_norms = 1 + 2 * n_layers + 3 + 1
    assert len(state) == (1 + 2 * n_layers + 3) + 5 * n_norms + 2


def test_a_picture_of_256_pixels_ends_in_maps_of_8_by_8_by_1024_after_norm_and_relu():
    net = FlashDenseNet().eval()
    seen = {}
    net.features.norm5.register_forward_hook(lambda _m, _i, out: seen.update(out=out.clamp(min=0)))
    with torch.no_grad():
        maps = net.maps(torch.rand(1, 1, 256, 256))
    assert maps.shape == (1, 1024, 8, 8)
    assert maps.min() >= 0
    assert torch.equal(seen["out"], maps)


def test_both_ways_through_the_network_give_the_same_logits(thin):
    pictures = torch.rand(3, 1, 64, 64)
    with torch.no_grad():
        whole, parts = thin(pictures), thin.late(thin.early(pictures))
    torch.testing.assert_close(whole, parts)
    assert thin.early(pictures).shape[2:] == (8, 8)


def test_one_training_step_at_full_width_changes_every_layer():
    torch.manual_seed(0)
    net = FlashDenseNet()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    loss = nn.functional.cross_entropy(net(torch.rand(2, 1, 64, 64)), torch.tensor([0, 1]))
    loss.backward()
    optimizer.step()
    assert all(not torch.equal(before[name], p) for name, p in net.named_parameters())


@pytest.mark.parametrize("stem", ["repeated", "one"])
def test_a_local_file_fills_both_stems_and_the_same_picture_gives_the_same_maps(stem, tmp_path):
    torch.manual_seed(1)
    theirs = FlashDenseNet(1000, width_mult=0.125).eval()
    ModelArtifact(tmp_path).save_network(theirs, "imagenet.safetensors")
    torch.manual_seed(2)
    ours = FlashDenseNet(2, width_mult=0.125, stem=stem).eval()
    classifier = ours.classifier.weight.detach().clone()
    said = start_from_file(ours, tmp_path / "imagenet.safetensors", CTX)
    assert "imagenet.safetensors" in said
    picture = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(ours.maps(picture), theirs.maps(picture), rtol=1e-3, atol=1e-4)
    assert torch.equal(ours.classifier.weight, classifier)


def test_what_is_no_file_of_weights_is_refused_with_the_format_that_is_wanted(tmp_path):
    with pytest.raises(DataError, match=r"torchvision's keys"):
        start_from_file(FlashDenseNet(width_mult=0.125), tmp_path / "absent.safetensors", CTX)
    (tmp_path / "weights.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with refuses(DataError, "weights.h5", "FILE", "--allow pickle"):
        start_from_file(FlashDenseNet(width_mult=0.125), tmp_path / "weights.h5", CTX)


def test_three_filters_summed_see_a_grey_picture_as_three_copies_of_it():
    filters, picture = torch.rand(4, 3, 7, 7), torch.rand(1, 1, 20, 20)
    torch.testing.assert_close(
        nn.functional.conv2d(picture, one_channel(filters)),
        nn.functional.conv2d(picture.expand(-1, 3, -1, -1), filters),
    )


class Linear:
    """A network whose logit is linear in its last maps: two channels, weights 2 and -1."""

    maps_shown: torch.Tensor

    def eval(self):
        return self

    def maps(self, pictures):
        return self.maps_shown

    def head(self, maps):
        flash = 2 * maps[:, 0].sum(dim=(1, 2)) - maps[:, 1].sum(dim=(1, 2))
        return torch.stack([torch.zeros_like(flash), flash], dim=1)


def test_grad_cam_pp_of_a_logit_that_is_linear_in_the_maps_is_as_computed_by_hand():
    net = Linear()
    net.maps_shown = torch.rand(1, 2, 8, 8)
    a = net.maps_shown[0, 0].numpy().astype(float)
    # g = 2 everywhere: alpha = 4 / (8 + 8 sum A), w = 64 * 2 * alpha; the other channel's g < 0.
    by_hand = 64 * 2 * 4 / (8 + 8 * a.sum()) * a
    np.testing.assert_allclose(grad_cam_pp(net, torch.zeros(1, 1, 64, 64))[0], by_hand, rtol=1e-5)
    scaled = heat_maps(net, torch.zeros(1, 1, 64, 64), "grad_cam_pp")[0].numpy()
    np.testing.assert_allclose(scaled, (a - a.min()) / (a.max() - a.min()), rtol=1e-4, atol=1e-6)


def test_a_batch_of_maps_equals_single_ones_and_a_huge_logit_stays_finite(thin):
    pictures = torch.rand(3, 1, 64, 64)
    for method in ("grad_cam_pp", "layer_cam"):
        together = heat_maps(thin, pictures, method)
        alone = torch.cat([heat_maps(thin, one[None], method) for one in pictures])
        torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-4)
    net = Linear()
    net.maps_shown = torch.full((1, 2, 8, 8), 50.0)
    assert net.head(net.maps_shown)[0, 1] > 200
    assert torch.isfinite(grad_cam_pp(net, torch.zeros(1, 1, 8, 8))).all()


def test_layer_cam_is_the_positive_gradient_times_the_activation(thin):
    pictures = torch.rand(1, 1, 64, 64)
    early = thin.early(pictures).detach().requires_grad_()
    thin.late(early)[0, 1].backward()
    by_hand = (early.grad.clamp(min=0) * early.detach()).sum(dim=1)
    torch.testing.assert_close(layer_cam(thin, pictures), by_hand.clamp(min=0))
    assert by_hand.shape == (1, 8, 8)


class Corner(nn.Module):
    """A network that looks at the picture's upper left eighth only."""

    def forward(self, pictures):
        n = pictures.shape[2] // 8
        flash = pictures[:, 0, :n, :n].mean(dim=(1, 2))
        return torch.stack([torch.zeros_like(flash), flash], dim=1)


def test_occlusion_finds_the_only_place_that_matters():
    fall = occlusion(Corner(), torch.ones(1, 1, 64, 64))[0]
    assert fall.argmax() == 0
    assert fall[0, 0] == pytest.approx(1.0)
    assert fall[4:].max() == 0
    assert fall[:, 4:].max() == 0
