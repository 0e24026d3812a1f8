"""Grad-CAM++ against its closed form, and against autograd through the exponential."""

import numpy as np
import torch

from cardio_core.training.grad_cam import grad_cam_maps, map_weights


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
