"""What the training engine is given: pictures of M-modes, standardised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cardio_mmode_septal_flash.mmode.picture import as_bright_as, with_contrast

GREY_SD = 57.4
"""Grey levels in one unit of input: 255 times the mean SD of ImageNet's channels."""


@dataclass(frozen=True)
class Pictures:
    """Pictures of M-modes, less the mean picture of training.

    Attributes
    ----------
    pictures : array-like of uint8, shape (n, rows, columns)
        On disk until a batch asks for them.
    mean : ndarray of float32, shape (rows, columns)
        Mean of the pictures that the network is fitted on.
    labels : ndarray of int64 or float32, shape (n,), or None
        Places of classes, or standardised numbers; None for new patients.
    contrast : float
        In training, contrast is multiplied by a factor between 1/contrast and contrast; 1 is off.
    even_gain : bool
        Whether each picture is brought to the mean picture's mean and spread before that is
        subtracted; contrast then changes what is clipped, and no more.
    """

    pictures: Any
    mean: NDArray[np.float32]
    labels: NDArray[np.int64] | NDArray[np.float32] | None = None
    contrast: float = 1.0
    even_gain: bool = False

    def __len__(self) -> int:
        return len(self.pictures)

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None) -> dict[str, Any]:
        """Return one batch; see `cardio_core.training`.

        Only contrast is drawn at random: an M-mode mirrored, turned or shifted along time would
        show another heart.
        """
        shown = np.asarray(self.pictures[indices], dtype=np.float32)
        if rng is not None and self.contrast > 1:
            # Log-uniform.
            factors = [float(self.contrast ** rng.uniform(-1.0, 1.0)) for _ in indices]
            shown = np.concatenate(
                [with_contrast(one[None], f) for one, f in zip(shown, factors, strict=True)]
            )
        if self.even_gain:
            shown = as_bright_as(shown, self.mean)
        inputs = torch.from_numpy((shown - self.mean) / GREY_SD)[:, None]
        made: dict[str, Any] = {"inputs": inputs}
        if self.labels is not None:
            made["targets"] = torch.from_numpy(self.labels[indices])
        return made
