"""The autoencoder as published: four linear layers, all patients, a thousand steps of Adam."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

Floats = NDArray[np.float64]


class PaperAutoencoder(nn.Module):
    """D to h to k to h to D.

    Parameters
    ----------
    n_cells : int
        D, the cells of one map.
    hidden : int
        h; the paper does not say it.
    n_features : int
        k, what "layer 2 of 4" gives.
    relu : bool
        Put a ReLU after the two hidden layers; codes and outputs stay free, since both have signs.
    """

    def __init__(self, n_cells: int, hidden: int, n_features: int, relu: bool = False) -> None:
        super().__init__()
        between = nn.ReLU if relu else nn.Identity
        self.hidden, self.relu = hidden, relu
        self.encoder = nn.Sequential(
            nn.Linear(n_cells, hidden), between(), nn.Linear(hidden, n_features)
        )
        self.decoder = nn.Sequential(
            nn.Linear(n_features, hidden), between(), nn.Linear(hidden, n_cells)
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Reconstruct maps in degrees, shape (n, n_cells)."""
        decoded: torch.Tensor = self.decoder(self.encoder(maps))
        return decoded


@dataclass(frozen=True)
class Reconstruction:
    """How well maps came back.

    Attributes
    ----------
    mse : float
        Mean squared error of the training maps, degrees squared.
    best_mse : float
        Of the truncated singular value decomposition with as many features: no linear autoencoder
        can do better.
    n_steps : int
    """

    mse: float
    best_mse: float
    n_steps: int

    @property
    def gap(self) -> float:
        """Error beyond the best, as a share of the best."""
        return self.mse / self.best_mse - 1 if self.best_mse > 0 else float("inf")

    def sentence(self) -> str:
        """Return the gap in words.

        Examples
        --------
        >>> Reconstruction(30.0, 20.0, 1000).sentence()
        'after 1000 steps the mean squared error is 30 square degrees; the best linear code of as \
many features has 20 (50 % above it)'
        """
        above = f" ({100 * self.gap:.0f} % above it)" if np.isfinite(self.gap) else ""
        return (
            f"after {self.n_steps} steps the mean squared error is {self.mse:.3g} square degrees; "
            f"the best linear code of as many features has {self.best_mse:.3g}{above}"
        )


def fit_as_published(
    maps_deg: Floats,
    *,
    hidden: int = 512,
    n_features: int = 64,
    n_steps: int = 1000,
    learning_rate: float = 1e-3,
    relu: bool = False,
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[int], None] | None = None,
) -> tuple[PaperAutoencoder, Reconstruction]:
    """Fit the published autoencoder: mean squared error in degrees, full batch, Adam.

    Parameters
    ----------
    maps_deg : ndarray, shape (n, n_cells)
        Aligned phase maps in degrees, not centred, as in the paper.
    hidden, n_features, n_steps, learning_rate, relu
        As published, but for `hidden`, which is not stated.
    seed : int
        Of the initial weights (PyTorch's default).
    device : str
        As `torch.device` takes it.
    progress : callable, optional
        Told the number of steps done, every hundred.

    Returns
    -------
    PaperAutoencoder
        On the CPU, in evaluation mode.
    Reconstruction
    """
    generator_state = torch.get_rng_state()
    torch.manual_seed(seed)
    network = PaperAutoencoder(maps_deg.shape[1], hidden, n_features, relu)
    torch.set_rng_state(generator_state)
    network.to(device)
    maps = torch.tensor(maps_deg, dtype=torch.float32, device=device)
    adam = torch.optim.Adam(network.parameters(), lr=learning_rate)
    for step in range(n_steps):
        adam.zero_grad(set_to_none=True)
        loss = nn.functional.mse_loss(network(maps), maps)
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        if progress is not None and (step + 1) % 100 == 0:
            progress(step + 1)
    with torch.no_grad():
        mse = float(nn.functional.mse_loss(network(maps), maps))
    return network.cpu().eval(), Reconstruction(mse, rank_limit_mse(maps_deg, n_features), n_steps)


def rank_limit_mse(vectors: Floats, n_features: int) -> float:
    """Return the smallest mean squared error of any affine code of so many features.

    Notes
    -----
    Eckart and Young, Psychometrika 1936;1:211: the truncated singular value decomposition of the
    centred data.

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    >>> round(rank_limit_mse(x, 1), 9)
    0.25
    """
    singular = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)
    return float((singular[n_features:] ** 2).sum() / vectors.size)
