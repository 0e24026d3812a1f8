"""Autoencoders of phase maps: the circular one, many seeds at once, and the published one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

Floats = NDArray[np.float64]

CHECK_EVERY = 10
"""Steps between two looks at the validation maps; the epoch of the core's inner folds."""


@dataclass(frozen=True)
class SeedFits:
    """What each seed came to.

    Attributes
    ----------
    encoders : ndarray, shape (n_seeds, d, k)
    decoders : ndarray, shape (n_seeds, k, d)
    losses : ndarray, shape (n_seeds,)
        Mean of 1 - cos(error) over the training maps, 0 to 2, at the last step.
    best_epoch : int
        Checks of `CHECK_EVERY` steps that were done, or that validation preferred.
    """

    encoders: Floats
    decoders: Floats
    losses: Floats
    best_epoch: int


class _Layers:
    """Four linear layers for each seed, on coordinates in the span of the training maps."""

    def __init__(self, widths: tuple[int, ...], n_seeds: int, seed: int, device: str) -> None:
        # Drawn on the CPU, so that every device starts from the same weights.
        generator = torch.Generator().manual_seed(seed)
        self.weights = [
            (torch.randn(n_seeds, a, b, generator=generator) / math.sqrt(a))
            .to(device)
            .requires_grad_()
            for a, b in pairwise(widths)
        ]

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """Return reconstructed coordinates, shape (n_seeds, n, r), of points (n, r)."""
        first, *others = self.weights
        out = torch.matmul(points, first)
        for weight in others:
            out = torch.bmm(out, weight)
        return out

    def copies(self) -> list[torch.Tensor]:
        """Return the weights as they are now."""
        return [weight.detach().clone() for weight in self.weights]


def fit_seeds(
    vectors: Floats,
    validation: Floats | None = None,
    *,
    hidden: int = 512,
    n_features: int = 64,
    n_seeds: int = 10,
    max_epochs: int = 60,
    patience: int = 5,
    cells_per_step: int | None = None,
    learning_rate: float = 1e-3,
    weight_decay: float = 1e-2,
    seed: int = 0,
    device: str = "cpu",
) -> SeedFits:
    """Fit the linear autoencoder from several initial weights in one go.

    Parameters
    ----------
    vectors : ndarray, shape (n, 2 * n_cells)
        Cosines, then sines, of training maps only.
    validation : ndarray, shape (m, 2 * n_cells), optional
        Maps of other patients. The step with the smallest mean loss over the seeds is kept, and
        fitting ends `patience` checks after it.
    hidden, n_features : int
        Widths of the layers; `n_features` at most the number of independent maps.
    n_seeds : int
        All are multiplied in one batched product.
    max_epochs : int
        Epochs of `CHECK_EVERY` full-batch steps of AdamW.
    patience : int
    cells_per_step : int, optional
        Draw as many cells for each step, all patients; phase maps are smooth, so a quarter of
        them says nearly as much. None takes all.
    learning_rate, weight_decay : float
    seed : int
    device : str

    Returns
    -------
    SeedFits
        Encoders act on vectors minus the mean of the training vectors, and decoders give what is
        to be added to it.

    Notes
    -----
    The loss is 1 - cos(decoded - true phase), averaged over cells: it knows no jump at half a turn,
    and no length of the decoded (cosine, sine).

    Input and output are confined to the affine span of the training maps: r coordinates, at most
    n - 1, instead of 2 * n_cells. For the input nothing is lost (gradients of the first layer
    lie in that span, and weights outside it would only meet maps never seen). For the output it is
    a choice: no decoded map is anything but a mixture of training maps. AdamW depends on the axes
    of that space; they are the principal ones.
    """
    mean = vectors.mean(axis=0)
    _, singular, right = np.linalg.svd(vectors - mean, full_matrices=False)
    axes = right[singular > 1e-6 * singular[0]]
    scale = float(singular[0] / math.sqrt(len(vectors)))
    kind: dict[str, object] = {"dtype": torch.float32, "device": device}
    basis = torch.tensor(axes, **kind)  # type: ignore[arg-type]
    centre = torch.tensor(mean, **kind)  # type: ignore[arg-type]
    truth = torch.tensor(vectors, **kind)  # type: ignore[arg-type]
    points = (truth - centre) @ basis.T / scale
    held, held_points = None, None
    if validation is not None:
        held = torch.tensor(validation, **kind)  # type: ignore[arg-type]
        held_points = (held - centre) @ basis.T / scale
    k = min(n_features, len(axes))
    layers = _Layers((len(axes), hidden, k, hidden, len(axes)), n_seeds, seed, device)
    descent = torch.optim.AdamW(layers.weights, lr=learning_rate, weight_decay=weight_decay)

    half = vectors.shape[1] // 2
    drawn = torch.Generator().manual_seed(seed + 1)

    def losses(
        of: torch.Tensor, true: torch.Tensor, cells: torch.Tensor | None = None
    ) -> torch.Tensor:
        if cells is None:
            return circular_loss(centre + scale * (layers(of) @ basis), true)
        return circular_loss(centre[cells] + scale * (layers(of) @ basis[:, cells]), true[:, cells])

    def some_cells() -> torch.Tensor | None:
        if cells_per_step is None or cells_per_step >= half:
            return None
        chosen = torch.randperm(half, generator=drawn)[:cells_per_step]
        return torch.cat([chosen, chosen + half]).to(device)

    kept, best, best_epoch = layers.copies(), None, 0
    epoch = 0
    while epoch < max_epochs and (best is None or epoch - best_epoch < patience):
        for _ in range(CHECK_EVERY):
            descent.zero_grad(set_to_none=True)
            losses(points, truth, some_cells()).sum().backward()  # type: ignore[no-untyped-call]
            descent.step()
        epoch += 1
        if held is not None and held_points is not None:
            with torch.no_grad():
                found = losses(held_points, held)
            if best is None or float(found.mean()) < float(best.mean()):
                kept, best, best_epoch = layers.copies(), found, epoch
    if best is None:
        kept, best_epoch = layers.copies(), epoch
    layers.weights = kept
    with torch.no_grad():
        last = losses(points, truth)
    first, second, third, fourth = (weight.cpu().double().numpy() for weight in kept)
    return SeedFits(
        axes.T @ (first @ second) / scale,
        (third @ fourth) @ axes * scale,
        last.cpu().double().numpy(),
        best_epoch,
    )


def circular_loss(decoded: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Return the mean of 1 - cos(error) for each seed.

    Parameters
    ----------
    decoded : tensor, shape (n_seeds, n, 2 * n_cells)
        Cosines, then sines, of any length.
    true : tensor, shape (n, 2 * n_cells)
        Of length one.

    Examples
    --------
    >>> same, opposite = torch.tensor([[[3.0, 0.0]]]), torch.tensor([[[-0.1, 0.0]]])
    >>> [round(float(circular_loss(x, torch.tensor([[1.0, 0.0]]))), 6) for x in (same, opposite)]
    [0.0, 2.0]
    """
    half = decoded.shape[-1] // 2
    cosine, sine = decoded[..., :half], decoded[..., half:]
    along = cosine * true[..., :half] + sine * true[..., half:]
    length = (cosine.square() + sine.square()).clamp_min(1e-12).sqrt()
    return 1 - (along / length).mean(dim=(1, 2))


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
