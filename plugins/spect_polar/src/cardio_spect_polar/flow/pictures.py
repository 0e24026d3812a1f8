"""What the training engine is given: pictures of one map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pictures:
    """Pictures of one map.

    Attributes
    ----------
    pictures : array-like of uint8, shape (n, 1, size, size)
        On disk until a batch asks for them.
    targets : ndarray of float32, shape (n, ...), or None
        None for new patients.
    gain : float
        Multiplies what the pictures show; full brightness stays the largest.
    """

    pictures: Any
    targets: NDArray[np.float32] | None = None
    gain: float = 1.0

    def __len__(self) -> int:
        return len(self.pictures)

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None) -> dict[str, Any]:
        """Return one batch; see `cardio_core.training`. Nothing is augmented.

        A polar map has one orientation and absolute values: turned, mirrored or brightened it
        would be another patient's.
        """
        images = torch.from_numpy(np.asarray(self.pictures[indices])).float().div_(255)
        if self.gain != 1:
            images = (images * self.gain).clamp_(max=1.0)
        made: dict[str, Any] = {"inputs": images}
        if self.targets is not None:
            made["targets"] = torch.from_numpy(self.targets[indices])
        return made
