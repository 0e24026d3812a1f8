"""Grad-CAM++ of clips: by hand where the output is linear in the maps, and where its cells lie."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cardio_echo_cmr.networks.heat_volume import (
    FRAME_STRIDE,
    PIXEL_STRIDE,
    at_frames,
    heat_volumes,
    segment_heat,
    time_curve,
)
from cardio_echo_cmr.networks.r2plus1d import R2Plus1D18


class Given:
    """A network whose last maps are given and whose output weighs their means."""

    def __init__(self, maps, weights):
        self.given, self.weights = maps, weights

    def maps(self, clips):
        return self.given[: len(clips)]

    def head(self, maps, n_frames=None):
        return (maps.mean(dim=(2, 3, 4)) * self.weights).sum(dim=1, keepdim=True)


def test_the_heat_of_an_output_that_is_linear_in_the_maps_is_as_computed_by_hand():
    # Two maps of 2 x 1 x 2 cells, weights 4 and -4 of their means: g = 1 and -1 in every cell.
    # w_1 = 4 x 1 / (2 + sum A_1) = 4 / (2 + 10) = 1/3, w_2 = 0: the heat is A_1 / max A_1.
    one = torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 2, 1, 2)
    two = torch.tensor([9.0, 0.0, 9.0, 0.0]).reshape(1, 1, 2, 1, 2)
    network = Given(torch.cat([one, two], dim=1), torch.tensor([4.0, -4.0]))
    heat = heat_volumes(network, torch.zeros(1, 3, 16, 16, 32))
    assert torch.allclose(heat.flatten(), torch.tensor([0.25, 0.5, 0.75, 1.0]))


def test_two_maps_that_speak_for_it_are_weighed_by_grad_cam_pp_and_not_by_their_gradient_alone():
    # w_k = 4 g / (2 + g sum A_k) with g = 1: sums 2 and 6 give weights 1 and 1/2.
    one = torch.tensor([2.0, 0.0, 0.0, 0.0]).reshape(1, 1, 4, 1, 1)
    two = torch.tensor([0.0, 0.0, 0.0, 6.0]).reshape(1, 1, 4, 1, 1)
    network = Given(torch.cat([one, two], dim=1), torch.tensor([4.0, 4.0]))
    heat = heat_volumes(network, torch.zeros(1, 3, 32, 16, 16))
    assert torch.allclose(heat.flatten(), torch.tensor([2 / 3, 0.0, 0.0, 1.0]))


def test_a_clip_that_nothing_speaks_for_has_an_empty_map():
    network = Given(torch.ones(1, 1, 2, 2, 2), torch.tensor([-1.0]))
    heat = heat_volumes(network, torch.zeros(1, 3, 16, 32, 32))
    assert (heat == 0).all()


def test_what_follows_the_end_of_the_recording_gets_no_heat():
    torch.manual_seed(0)
    network = R2Plus1D18(1, width_mult=0.0625).eval()
    nn.init.constant_(network.fc.weight, 1.0)
    clips = torch.rand(1, 3, 32, 32, 32)
    heat = heat_volumes(network, clips, torch.tensor([8]))
    assert heat.shape == (1, 4, 2, 2)
    assert torch.isfinite(heat).all()
    assert heat.max() == 1
    assert (heat[:, 1:] == 0).all()
    # Nine frames reach into the second time.
    assert heat_volumes(network, clips, torch.tensor([9]))[:, 1].max() > 0


@pytest.mark.parametrize("cell", [(1, 3, 3), (2, 3, 2), (1, 2, 4)])
def test_a_cell_of_the_last_maps_looks_at_the_frame_and_pixel_of_its_strides(cell):
    # With positive weights and nothing cut off by a ReLU, the pixel with the largest gradient is
    # the one with the most paths to the cell: the middle of what the cell sees.
    network = R2Plus1D18(1, width_mult=1 / 64).eval()
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.1)
    clip = torch.ones(1, 3, 32, 112, 112, dtype=torch.float64, requires_grad=True)
    network.double().maps(clip)[(0, 0, *cell)].backward()
    gradient = clip.grad[0, 0].numpy()
    top = np.unravel_index(gradient.argmax(), gradient.shape)
    expected = np.array(cell) * [FRAME_STRIDE, PIXEL_STRIDE, PIXEL_STRIDE]
    np.testing.assert_allclose(top, expected, atol=2)


def test_heat_is_linear_between_cells_and_constant_beyond_the_last():
    heat = np.zeros((2, 2, 2), np.float32)
    heat[1, 1, 1] = 1.0
    full = at_frames(heat, 16, 32, 32)
    assert full.shape == (16, 32, 32)
    assert full[8, 16, 16] == 1
    assert full[4, 16, 16] == pytest.approx(0.5)
    assert full[8, 12, 16] == pytest.approx(0.75)
    assert full[15, 31, 31] == 1
    assert (full[0] == 0).all()


def test_the_time_curve_counts_heat_within_the_sector_only():
    heat = np.zeros((4, 2, 2))
    heat[1, 0], heat[2, 0], heat[3, 1] = 1.0, 3.0, 100.0
    sector = np.array([[True, True], [False, False]])
    assert time_curve(heat, sector).tolist() == [0.0, 0.25, 0.75, 0.0]
    assert time_curve(np.zeros((4, 2, 2)), sector).tolist() == [0.0] * 4


def test_the_heat_of_a_segment_is_its_mean_over_its_pixels_and_the_clip():
    heat = np.zeros((2, 2, 2))
    heat[0, 0, 0] = 1.0
    masks = np.array([[[1, 0], [0, 0]], [[1, 1], [0, 0]], [[0, 0], [1, 0]]], np.float32)
    assert segment_heat(heat, masks).tolist() == [0.5, 0.25, 0.0]
