"""The published autoencoder's layers fitted until nothing is gained: what the paper aimed at."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch

from cardio_spect_polar.networks.autoencoders import Floats, Reconstruction, rank_limit_mse


def fit_to_convergence(
    vectors: Floats,
    *,
    hidden: int = 512,
    n_features: int = 64,
    max_steps: int = 2000,
    seed: int = 0,
) -> Reconstruction:
    """Fit four linear layers to centred data until nothing is gained: what the paper aimed at.

    Parameters
    ----------
    vectors : ndarray, shape (n, d)
        Centred here.
    hidden, n_features : int
    max_steps : int
        Of L-BFGS.
    seed : int

    Notes
    -----
    The layers act on coordinates in the row space of the centred data. L-BFGS and its line search
    do not see rotations, and gradients of both outer layers lie in that space, so this is the same
    descent as on the cells themselves with initial weights inside it. Adam would see them.
    """
    centred = vectors - vectors.mean(axis=0)
    _, singular, right = np.linalg.svd(centred, full_matrices=False)
    kept = singular > 1e-10 * singular[0]
    points = torch.tensor(centred @ right[kept].T, dtype=torch.float64)
    scale = float(points.square().mean().sqrt())
    points = points / scale
    generator = torch.Generator().manual_seed(seed)
    widths = (points.shape[1], hidden, n_features, hidden, points.shape[1])
    layers = [
        (torch.randn(a, b, generator=generator, dtype=torch.float64) / a**0.5).requires_grad_()
        for a, b in pairwise(widths)
    ]
    descent = torch.optim.LBFGS(
        layers, max_iter=max_steps, history_size=20, line_search_fn="strong_wolfe",
        tolerance_grad=1e-9, tolerance_change=1e-12,
    )  # fmt: skip

    def error() -> torch.Tensor:
        out = points
        for layer in layers:
            out = out @ layer
        return (out - points).square().sum() / len(points)

    def closure() -> torch.Tensor:
        descent.zero_grad()
        loss = error()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    descent.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        per_cell = float(error()) * len(points) * scale**2 / vectors.size
    n_steps = int(descent.state[descent._params[0]]["n_iter"])
    return Reconstruction(per_cell, rank_limit_mse(vectors, n_features), n_steps)
