"""Codes of the published autoencoder: raw, unrotated, as the paper numbers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_spect_polar.codes.vectors import phases_of, vectors_of

if TYPE_CHECKING:
    from cardio_spect_polar.networks.paper_autoencoder import PaperAutoencoder

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PaperCodes:
    """The fitted network with what is needed to use it.

    Attributes
    ----------
    cells : ndarray of bool, shape of one map
    network : PaperAutoencoder
    centre, spread : ndarray, shape (k,)
        Mean and SD of the codes of the training patients, for traverses.
    """

    cells: NDArray[np.bool_]
    network: PaperAutoencoder
    centre: Floats
    spread: Floats
    unit: str = "1"

    @property
    def n(self) -> int:
        """Number of codes."""
        return len(self.centre)

    def encode(self, phase_deg: ArrayLike) -> Floats:
        """Return the codes of maps, shape (n, k)."""
        import torch  # only where the published codes are used

        maps = torch.tensor(vectors_of(phase_deg, self.cells, "degrees"), dtype=torch.float32)
        with torch.no_grad():
            return np.asarray(self.network.encoder(maps).double().numpy())

    def map_of(self, codes: ArrayLike) -> Floats:
        """Return the phase map of one set of codes in degrees from the peak, NaN if unused."""
        import torch

        wanted = torch.tensor(np.asarray(codes)[np.newaxis], dtype=torch.float32)
        with torch.no_grad():
            vector = self.network.decoder(wanted).double().numpy()
        made = np.full(self.cells.shape, np.nan)
        made[self.cells] = phases_of(vector, "degrees")[0]
        return made

    def along(self, code: int, size: float = 2.0) -> tuple[Floats, Floats, Floats]:
        """Return the maps that one code moves through, as `Codes.along` does."""
        step = np.zeros(self.n)
        step[code] = size * self.spread[code]
        low, mean, high = (self.centre + way * step for way in (-1, 0, 1))
        return self.map_of(low), self.map_of(mean), self.map_of(high)
