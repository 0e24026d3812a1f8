"""Beats as the training engine takes them: batches of pictures, side features and classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cardio_core.api import FeatureBlock, FeatureSet
from cardio_ecg_transfer.networks.augment import Augmentation, augment_images, augment_side

NO_AUGMENTATION = Augmentation()
DB_PER_UNIT = 10.0
"""Loudness is divided by this, so that a common change is about 1."""


def side_features(features: FeatureSet, *, rhythm: bool, loudness: bool) -> NDArray[np.float32]:
    """Return what is joined to the pooled picture, shape (n_beats, n_side).

    RR intervals enter as logarithms of their ratios to the recording's own, deviations as their
    inverse hyperbolic sine, loudness in units of 10 dB. Intervals in seconds are left out: they
    tell patients apart.
    """
    parts: list[NDArray[Any]] = [np.zeros((len(features), 0))]
    if rhythm:
        parts.append(_rhythm(features["rhythm"]))
    if loudness:
        parts.append(features["loudness"].in_units() / DB_PER_UNIT)
    return np.concatenate(parts, axis=1).astype(np.float32)


def _rhythm(block: FeatureBlock) -> NDArray[np.float32]:
    values = block.in_units()
    columns = []
    for column, (name, unit) in enumerate(zip(block.names, block.units, strict=True)):
        if unit == "MAD":
            columns.append(np.arcsinh(values[:, column]))
        elif name.startswith("rr_irregularity"):
            columns.append(np.log(values[:, column] + 0.01))
        elif unit == "ratio":
            columns.append(np.log(np.clip(values[:, column], 0.1, 10.0)))
    return np.stack(columns, axis=1).astype(np.float32)


@dataclass(frozen=True)
class Beats:
    """Examples for the engine; pictures stay on disk until a batch asks for them.

    Attributes
    ----------
    pictures : array-like of uint8, shape (n_beats, n_channels, height, width)
    side : ndarray of float32, shape (n_beats, n_side)
    classes : ndarray of int64, shape (n_beats,), or None
        None for new patients.
    n_leads : int
        Leads among the channels.
    augmentation : Augmentation
        Applied only where the engine gives a random generator.
    """

    pictures: Any
    side: NDArray[np.float32]
    classes: NDArray[np.int64] | None = None
    n_leads: int = 1
    augmentation: Augmentation = NO_AUGMENTATION

    def __len__(self) -> int:
        return len(self.side)

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None) -> dict[str, Any]:
        """Return one batch; see `cardio_core.training`."""
        images = torch.from_numpy(np.asarray(self.pictures[indices])).float().div_(255)
        side = torch.from_numpy(self.side[indices])
        if rng is not None:
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            images = augment_images(images, self.augmentation, generator, n_leads=self.n_leads)
            side = augment_side(side, self.augmentation, generator)
        made: dict[str, Any] = {"inputs": {"images": images.contiguous(), "side": side}}
        if self.classes is not None:
            made["targets"] = torch.from_numpy(self.classes[indices])
        return made
