"""Codes of phase maps: a linear way in and out, in a basis that another fit would find too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_spect_polar.codes.vectors import Channels, phases_of, vectors_of

Floats = NDArray[np.float64]

RANK_TOLERANCE = 1e-8


@dataclass(frozen=True)
class Codes:
    """An affine map from vectors to codes and back.

    Attributes
    ----------
    cells : ndarray of bool, shape of one map
        Cells in use.
    channels : {"degrees", "circle"}
    mean : ndarray, shape (d,)
        What codes of zero decode to.
    encoder : ndarray, shape (d, k)
    decoder : ndarray, shape (k, d)
    unit : str
        Of the codes: ``"SD"`` where they have unit variance in the training patients.
    """

    cells: NDArray[np.bool_]
    channels: Channels
    mean: Floats
    encoder: Floats
    decoder: Floats
    unit: str = "SD"

    @property
    def n(self) -> int:
        """Number of codes."""
        return int(self.encoder.shape[1])

    def encode(self, phase_deg: ArrayLike) -> Floats:
        """Return the codes of maps, shape (n, k)."""
        vectors = vectors_of(phase_deg, self.cells, self.channels)
        return np.asarray((vectors - self.mean) @ self.encoder, np.float64)

    def decode(self, codes: ArrayLike) -> Floats:
        """Return vectors, shape (n, d)."""
        return np.asarray(self.mean + np.asarray(codes, np.float64) @ self.decoder, np.float64)

    def map_of(self, codes: ArrayLike) -> Floats:
        """Return the phase map of one set of codes in degrees, NaN in cells that are not used."""
        phases = phases_of(self.decode(np.asarray(codes, np.float64)[np.newaxis]), self.channels)
        made = np.full(self.cells.shape, np.nan)
        made[self.cells] = phases[0]
        return made

    def along(self, code: int, size: float = 2.0) -> tuple[Floats, Floats, Floats]:
        """Return the maps that one code moves through, the others at their mean.

        Parameters
        ----------
        code : int
            Which, from 0.
        size : float
            In SD of the code over the training patients.

        Returns
        -------
        low, mean, high : ndarray, shape of one map
            Degrees in [-180, 180) from the patient's own mean (or peak): `size` SD below the mean
            code, at it, and as much above. NaN in cells that are not used.
        """
        step = np.zeros(self.n)
        step[code] = size
        return self.map_of(-step), self.map_of(0 * step), self.map_of(step)


def canonical(
    vectors: Floats,
    encoder: Floats,
    decoder: Floats,
    n_features: int,
    cells: NDArray[np.bool_],
    channels: Channels,
) -> Codes:
    """Turn the codes of a linear autoencoder into those that any equal one would have.

    Parameters
    ----------
    vectors : ndarray, shape (n, d)
        Training vectors; the autoencoder works on them minus their mean.
    encoder, decoder : ndarray, shapes (d, k) and (k, d)
    n_features : int
        Codes to keep at most.
    cells, channels
        As in `Codes`.

    Returns
    -------
    Codes
        Uncorrelated in the training patients, of unit variance there, largest share of the
        reconstruction first. The largest entry of each decoder row (by size) is positive.

    Notes
    -----
    Any invertible mix of the codes of a linear autoencoder, undone in the decoder, reconstructs
    the same, so "code 30" means nothing outside one fit. The reconstruction itself is not free:
    its principal components are the same for every such mix. Codes are therefore rotated so that
    they are the principal scores of the reconstructed training maps.
    """
    mean = vectors.mean(axis=0)
    codes = (vectors - mean) @ encoder
    # Singular values of codes @ decoder without forming n x d.
    orthonormal, triangle = np.linalg.qr(decoder.T)
    _, size, right = np.linalg.svd(codes @ triangle.T, full_matrices=False)
    kept = int(np.count_nonzero(size > RANK_TOLERANCE * max(float(size[0]), 1e-300)))
    kept = min(kept, n_features, len(vectors) - 1)
    directions = right[:kept] @ orthonormal.T
    signs = _signs(directions)
    spread = size[:kept] / np.sqrt(len(vectors) - 1)
    into = encoder @ (triangle.T @ right[:kept].T) * (signs / spread)
    return Codes(cells, channels, mean, into, directions * (signs * spread)[:, np.newaxis])


def _signs(directions: Floats) -> Floats:
    """Return the sign of the largest entry of each row."""
    largest = np.abs(directions).argmax(axis=1)
    return np.asarray(np.where(directions[np.arange(len(directions)), largest] < 0, -1.0, 1.0))


def principal_components(
    vectors: Floats, n_features: int, cells: NDArray[np.bool_], channels: Channels
) -> Codes:
    """Return the first principal components of the training vectors as codes.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(20, 6)) * [9, 3, 1, 1, 1, 1]
    >>> found = principal_components(x, 2, np.ones(6, bool), "degrees")
    >>> bool(abs(found.decoder[0]).argmax() == 0), found.n
    (True, 2)
    """
    mean = vectors.mean(axis=0)
    _, _, right = np.linalg.svd(vectors - mean, full_matrices=False)
    axes = right[: min(n_features, len(vectors) - 1)]
    return canonical(vectors, axes.T, axes, n_features, cells, channels)
