"""Codes of phase maps: as vectors, linear and published, their files, and their stability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors.numpy import load_file, save_file
from scipy.optimize import linear_sum_assignment

from cardio_core.api import DataError, ModelArtifact
from cardio_spect_polar.phase.cycle import SMOOTHING_DEG, phase_histogram, smooth_circle
from cardio_spect_polar.polar.maps import signed_deg

if TYPE_CHECKING:
    from cardio_spect_polar.networks.autoencoders import PaperAutoencoder

Floats = NDArray[np.float64]

Channels = Literal["degrees", "circle"]


def peaks_deg(phase_deg: ArrayLike) -> Floats:
    """Return the phase at which most of each patient's map contracts.

    Parameters
    ----------
    phase_deg : array-like, shape (n, ...)
        Degrees; NaN is left out.

    Returns
    -------
    ndarray, shape (n,)
        Centre of the highest bin of the histogram of 360 bins, smoothed over 5 degrees. Of bins
        of equal height the middle one of the first run is taken.

    Examples
    --------
    >>> peaks_deg([[100.2, 100.4, 100.6, 200.0]])
    array([100.5])
    """
    found = []
    for map_deg in np.asarray(phase_deg, np.float64):
        heights = smooth_circle(phase_histogram(map_deg), SMOOTHING_DEG)
        top = int(np.argmax(heights >= heights.max()))
        # The run may straddle 360 degrees: begin it where the bin before is lower.
        equal = heights >= heights.max()
        while equal[top - 1] and not equal.all():
            top -= 1
        length = 1
        while equal[(top + length) % 360] and length < 360:
            length += 1
        found.append((top + (length - 1) / 2 + 0.5) % 360)
    return np.array(found)


def means_deg(phase_deg: ArrayLike) -> Floats:
    """Return the circular mean of each map, shape (n,), NaN left out.

    Examples
    --------
    >>> means_deg([[350.0, 20.0]]).round(6)
    array([5.])
    """
    radians = np.radians(np.asarray(phase_deg, np.float64)).reshape(len(np.asarray(phase_deg)), -1)
    x, y = np.nansum(np.cos(radians), axis=1), np.nansum(np.sin(radians), axis=1)
    return np.asarray(np.degrees(np.arctan2(y, x)) % 360)


def known_cells(phase_deg: ArrayLike) -> NDArray[np.bool_]:
    """Return which cells have a phase in every map, shape of one map.

    Raises
    ------
    DataError
        If there is none: maps of different grids were stacked, or one is empty.
    """
    phase = np.asarray(phase_deg)
    known = np.isfinite(phase).all(axis=0)
    if not known.any():
        empty = int((~np.isfinite(phase).reshape(len(phase), -1).any(axis=1)).sum())
        raise DataError(
            f"phase maps: expected cells that are known in all {len(phase)} maps, found none "
            f"({empty} maps are empty); quarantine the empty ones"
        )
    return np.asarray(known, dtype=np.bool_)


def vectors_of(phase_deg: ArrayLike, cells: NDArray[np.bool_], channels: Channels) -> Floats:
    """Return each map as a vector, after aligning it in time.

    Parameters
    ----------
    phase_deg : array-like, shape (n, ...)
        Maps in degrees.
    cells : ndarray of bool, shape of one map
        The cells that are used.
    channels : {"degrees", "circle"}
        ``degrees``: minus the patient's peak, in [-180, 180), as He et al. fed their network;
        cells beyond half a turn from the peak jump. ``circle``: cosine and sine of the phase minus
        the patient's circular mean, which know no jump.

    Returns
    -------
    ndarray, shape (n, n_cells) or (n, 2 * n_cells)
        Cosines first. A cell that is unknown in a patient but not in the training patients gets
        the patient's own mean.

    Examples
    --------
    >>> one = np.array([[10.5, 10.5, 10.5, 350.5]])
    >>> vectors_of(one, np.ones(4, bool), "degrees")
    array([[  0.,   0.,   0., -20.]])
    """
    phase = np.asarray(phase_deg, np.float64)[:, cells]
    start = peaks_deg(phase) if channels == "degrees" else means_deg(phase)
    aligned = np.nan_to_num(signed_deg(phase - start[:, np.newaxis]), nan=0.0)
    if channels == "degrees":
        return np.asarray(aligned, np.float64)
    radians = np.radians(aligned)
    return np.concatenate([np.cos(radians), np.sin(radians)], axis=1)


def phases_of(vectors: ArrayLike, channels: Channels) -> Floats:
    """Return degrees in [-180, 180) from vectors, shape (n, n_cells).

    Examples
    --------
    >>> phases_of([[0.0, 2.0]], "circle")
    array([[90.]])
    """
    values = np.asarray(vectors, np.float64)
    if channels == "degrees":
        return np.asarray(signed_deg(values), np.float64)
    half = values.shape[1] // 2
    return np.asarray(np.degrees(np.arctan2(values[:, half:], values[:, :half])), np.float64)


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


NUMBERS, NETWORK = "codes.safetensors", "network.safetensors"


def save_codes(codes: Codes | PaperCodes, folder: Path) -> dict[str, Any]:
    """Write codes into a folder and return what `open_codes` needs besides, ready for JSON."""
    cells = codes.cells.astype(np.uint8)
    if isinstance(codes, PaperCodes):
        ModelArtifact(folder).save_network(codes.network, NETWORK)
        save_file(
            {"cells": cells, "centre": codes.centre, "spread": codes.spread}, folder / NUMBERS
        )
        return {
            "kind": "paper",
            "n_cells": int(codes.cells.sum()),
            "hidden": codes.network.hidden,
            "n_features": codes.n,
            "relu": codes.network.relu,
        }
    save_file(
        {
            "cells": cells,
            "mean": codes.mean.astype(np.float32),
            "encoder": np.ascontiguousarray(codes.encoder, np.float32),
            "decoder": np.ascontiguousarray(codes.decoder, np.float32),
        },
        folder / NUMBERS,
    )
    return {"kind": "linear", "channels": codes.channels, "unit": codes.unit}


def open_codes(folder: Path, about: dict[str, Any]) -> Codes | PaperCodes:
    """Read what `save_codes` wrote.

    Raises
    ------
    DataError
        If a file is missing or does not fit.
    """
    path = folder / NUMBERS
    if not path.is_file():
        raise DataError(f"codes: expected {NUMBERS} in the artifact, found none; train again")
    stored = load_file(path)
    cells = stored["cells"].astype(np.bool_)
    if about["kind"] == "paper":
        # torch only where needed
        from cardio_spect_polar.networks.autoencoders import PaperAutoencoder

        network = PaperAutoencoder(
            about["n_cells"], about["hidden"], about["n_features"], about["relu"]
        )
        ModelArtifact(folder).load_network(network, NETWORK)
        return PaperCodes(cells, network.eval(), stored["centre"], stored["spread"])
    mean, encoder, decoder = (
        stored[name].astype(np.float64) for name in ("mean", "encoder", "decoder")
    )
    return Codes(cells, about["channels"], mean, encoder, decoder, about["unit"])


@dataclass(frozen=True)
class Stability:
    """How alike the codes of several fits are.

    Attributes
    ----------
    mean_r : ndarray, shape (k,)
        For each code of the first fit: mean |r| with its match in each other fit.
    subspace_r : float
        Mean canonical correlation between the first fit's codes and each other's: whether the
        space is found again, whatever its axes.
    """

    mean_r: Floats
    subspace_r: float


def stability_of(codes: Sequence[Floats]) -> Stability:
    """Match the codes of several fits one to one, and say how well each is found again.

    Parameters
    ----------
    codes : sequence of ndarray, shape (n, k_i)
        Of the same patients in the same order; the first fit is the reference. A code that has no
        match, because another fit has fewer codes, counts as |r| = 0 there.

    Notes
    -----
    One-to-one matching that maximises the sum of |r| (Hungarian method; Kuhn, Nav Res Logist Q
    1955;2:83). Signs do not count: they are fixed by rule, and a rule can tip.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> found = stability_of([x, -x[:, ::-1]])
    >>> found.mean_r.round(6), round(found.subspace_r, 6)
    (array([1., 1., 1.]), 1.0)
    """
    first, *others = codes
    k = first.shape[1]
    if not others:
        return Stability(np.ones(k), 1.0)
    found = np.zeros((len(others), k))
    for number, other in enumerate(others):
        size = np.abs(correlations(first, other))
        rows, columns = linear_sum_assignment(-size)
        found[number, rows] = size[rows, columns]
    subspace = float(np.mean([_canonical_correlations(first, other).mean() for other in others]))
    return Stability(found.mean(axis=0), subspace)


def correlations(a: Floats, b: Floats) -> Floats:
    """Return Pearson's r of each column of `a` with each of `b`, 0 where one is constant.

    Examples
    --------
    >>> x = np.array([[1.0, 3.0], [2.0, 3.0], [3.0, 3.0]])
    >>> correlations(x, -x).round(6) + 0.0
    array([[-1.,  0.],
           [ 0.,  0.]])
    """
    return np.asarray(_standard(a).T @ _standard(b), np.float64)


def _standard(values: Floats) -> Floats:
    """Centre the columns and give them length one; constant ones become zero."""
    centred = values - values.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    tiny = 1e-12 * np.maximum(1.0, np.abs(values).max(axis=0))
    return np.asarray(np.where(length > tiny, centred / np.where(length > 0, length, 1.0), 0.0))


def _canonical_correlations(a: Floats, b: Floats) -> Floats:
    """Return the canonical correlations (Bjorck and Golub, Math Comp 1973;27:579)."""
    bases = [np.linalg.qr(x - x.mean(axis=0))[0] for x in (a, b)]
    return np.clip(np.linalg.svd(bases[0].T @ bases[1], compute_uv=False), 0.0, 1.0)
