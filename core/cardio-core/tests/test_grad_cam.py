"""Grad-CAM++ against its closed form, and against autograd through the exponential."""

import numpy as np
import pytest
import torch

from cardio_core.training.prediction import grad_cam_maps, map_weights


def test_where_the_logit_is_linear_in_the_maps_grad_cam_pp_has_a_closed_form():
    # Y = sum_k c_k mean(A_k): g_k = c_k / (rows x columns) everywhere, so that
    # w_k = rows x columns x relu(g_k) / (2 + sum(A_k) g_k).
    torch.manual_seed(0)
    maps = torch.rand(1, 3, 4, 5, dtype=torch.float64)
    c = torch.tensor([2.0, -1.0, 0.5], dtype=torch.float64)
    cam = grad_cam_maps(maps, lambda a: (a.mean(dim=(2, 3)) * c).sum(1)[:, None], torch.tensor([0]))
    expected = torch.zeros(4, 5, dtype=torch.float64)
    for k, value in enumerate(c.tolist()):
        g = value / 20
        expected += 20 * max(g, 0.0) / (2 + maps[0, k].sum() * g) * maps[0, k]
    assert torch.allclose(cam[0], expected, rtol=1e-12)


def test_grad_cam_pp_weights_agree_with_autograd_through_the_exponential():
    # Equation 19 with the derivatives of exp(Y) taken by autograd, Y linear in A.
    torch.manual_seed(1)
    maps = torch.rand(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    slope = torch.randn(1, 2, 3, 3, dtype=torch.float64)
    score = (maps * slope).sum().exp()
    (first,) = torch.autograd.grad(score, maps, create_graph=True)
    second, third = torch.zeros_like(maps), torch.zeros_like(maps)
    for at in np.ndindex(1, 2, 3, 3):
        (row,) = torch.autograd.grad(first[at], maps, create_graph=True)
        second[at] = row[at].detach()
        (third_row,) = torch.autograd.grad(row[at], maps, retain_graph=True)
        third[at] = third_row[at]
    alpha = second / (2 * second + maps.sum(dim=(2, 3), keepdim=True) * third)
    expected = (alpha * first.relu()).sum(dim=(2, 3)) / score
    assert torch.allclose(map_weights(maps.detach(), slope), expected.detach(), rtol=1e-9)


def test_a_map_that_is_negative_somewhere_speaks_for_nothing_there():
    # One channel of weight w > 0: relu(w A) is w A where A > 0, and 0 elsewhere.
    maps = torch.tensor([[[[3.0, -1.0], [-2.0, 4.0]]]], dtype=torch.float64)
    cam = grad_cam_maps(maps, lambda a: a.mean(dim=(2, 3)), torch.tensor([0]))
    assert (cam[0] > 0).tolist() == [[True, False], [False, True]]
    assert cam[0][maps[0, 0] < 0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("axes", [(6,), (4, 5), (2, 4, 5)], ids=["signal", "picture", "video"])
def test_the_closed_form_holds_over_any_number_of_axes(axes):
    # As above, for one channel: w = n_cells relu(g) / (2 + sum(A) g) with g = c / n_cells.
    torch.manual_seed(2)
    maps = torch.rand(2, 1, *axes, dtype=torch.float64)
    n_cells = maps[0, 0].numel()
    cam = grad_cam_maps(
        maps, lambda a: 3.0 * a.flatten(1).mean(1)[:, None], torch.zeros(2, dtype=torch.int64)
    )
    assert cam.shape == (2, *axes)
    for one, own in zip(cam, maps[:, 0], strict=True):
        g = 3.0 / n_cells
        assert torch.allclose(one, n_cells * g / (2 + own.sum() * g) * own, rtol=1e-12)


def test_a_video_of_equal_frames_has_the_map_of_its_frame():
    # Frames repeated T times: mean and sums scale so that alpha and the weights stay the same.
    torch.manual_seed(3)
    frame = torch.rand(1, 3, 4, 5, dtype=torch.float64)
    c = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    one = torch.tensor([0])
    flat = grad_cam_maps(frame, lambda a: (a.mean(dim=(2, 3)) * c).sum(1)[:, None], one)
    video = frame[:, :, None].repeat(1, 1, 6, 1, 1)
    cam = grad_cam_maps(video, lambda a: (a.mean(dim=(2, 3, 4)) * c).sum(1)[:, None], one)
    for t in range(6):
        assert torch.allclose(cam[:, t], flat, rtol=1e-12)
