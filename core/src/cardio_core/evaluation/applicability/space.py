"""How far a patient lies from others in what a network makes of him before its last layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.evaluation.applicability.likeness import digits

Floats = NDArray[np.float64]

MOST_AXES = 8
PATIENTS_AN_AXIS = 10


@dataclass(frozen=True)
class Space:
    """The principal axes of patients' vectors; no patient's own vector.

    Attributes
    ----------
    mean : ndarray, shape (n_dimensions,)
    axes : ndarray, shape (n_axes, n_dimensions)
        Of length 1, at right angles; at most one for ten patients, and at most eight.
    variances : ndarray, shape (n_axes,)
    beside : float
        Mean square of what lies beside the axes.
    """

    mean: Floats
    axes: Floats
    variances: Floats
    beside: float

    @classmethod
    def fit(cls, vectors: Floats) -> Space | None:
        """Summarise vectors, shape (n_patients, n_dimensions); None where they do not vary."""
        n, _ = vectors.shape
        if n < 2:
            return None
        mean = vectors.mean(axis=0)
        _, lengths, axes = np.linalg.svd(vectors - mean, full_matrices=False)
        variances = lengths**2 / (n - 1)
        real = variances > 1e-10 * max(float(variances.sum()), 1e-12)
        n_axes = min(MOST_AXES, max(1, n // PATIENTS_AN_AXIS), int(real.sum()))
        if not n_axes:
            return None
        return cls(mean, axes[:n_axes], variances[:n_axes], float(variances[n_axes:].sum()))

    def distances(self, vectors: Floats) -> Floats:
        """Return the root mean square of standard deviations off the mean, by vector.

        What lies beside the axes counts as one axis more.
        """
        off = np.asarray(vectors, float) - self.mean
        along = off @ self.axes.T
        beside = np.maximum((off**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
        squares = [*(along**2 / self.variances).T]
        if self.beside > 1e-10 * float(self.variances.sum()):
            squares.append(beside / self.beside)
        return np.asarray(np.sqrt(np.mean(squares, axis=0)), float)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready numbers, six digits each."""
        return {
            "mean": digits(self.mean),
            "axes": digits(self.axes),
            "variances": digits(self.variances),
            "beside": float(f"{self.beside:.6g}"),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Space:
        """Return what `to_dict` stored."""
        mean, axes, variances = (
            np.asarray(stored[name], float) for name in ("mean", "axes", "variances")
        )
        return cls(mean, axes.reshape(-1, len(mean)), variances, float(stored["beside"]))
