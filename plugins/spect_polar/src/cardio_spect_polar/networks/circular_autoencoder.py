"""The autoencoder for honest use: on the circle, many seeds at once, stopped early."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

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
