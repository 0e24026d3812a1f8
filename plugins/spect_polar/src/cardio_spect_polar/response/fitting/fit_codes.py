"""Codes of a training fold's phase maps, by the autoencoder or by principal components."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context
from cardio_spect_polar.codes.files import open_codes, save_codes
from cardio_spect_polar.codes.linear import Codes, canonical, principal_components
from cardio_spect_polar.codes.paper import PaperCodes
from cardio_spect_polar.codes.stability import stability_of
from cardio_spect_polar.codes.vectors import Channels, known_cells, vectors_of
from cardio_spect_polar.response.config import AutoencoderBlock

Floats = NDArray[np.float64]
Maps = NDArray[np.float32]

ABOUT = "codes.json"


@dataclass(frozen=True)
class FittedCodes:
    """Codes with what is known of them.

    Attributes
    ----------
    codes : Codes or PaperCodes
    stable : tuple of int
        Codes that may be screened.
    mean_r : tuple of float
        Mean |r| of each code over the seeds; empty where there was one fit.
    subspace_r : float or None
    share : tuple of float
        Of the variance of the reconstructed training maps that each code carries; empty for raw
        codes, which are correlated.
    best_epoch : int or None
    notes : tuple of str
    """

    codes: Codes | PaperCodes
    stable: tuple[int, ...]
    mean_r: tuple[float, ...] = ()
    subspace_r: float | None = None
    share: tuple[float, ...] = ()
    best_epoch: int | None = None
    notes: tuple[str, ...] = field(default=())

    def save(self, folder: Path) -> None:
        """Write codes and what is known of them into a folder."""
        about = {
            "codes": save_codes(self.codes, folder),
            "stable": list(self.stable),
            "mean_r": list(self.mean_r),
            "subspace_r": self.subspace_r,
            "share": list(self.share),
            "best_epoch": self.best_epoch,
            "notes": list(self.notes),
        }
        (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def open(cls, folder: Path) -> FittedCodes:
        """Read what `save` wrote."""
        about: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        codes = open_codes(folder, about["codes"])
        stable, mean_r, share, notes = (
            tuple(about[name]) for name in ("stable", "mean_r", "share", "notes")
        )
        return cls(codes, stable, mean_r, about["subspace_r"], share, about["best_epoch"], notes)


def fit_codes(
    kind: str, training: Maps, validation: Maps | None, settings: AutoencoderBlock, ctx: Context
) -> FittedCodes:
    """Fit the codes of one model on its training maps, labelled or not.

    Parameters
    ----------
    kind : {"autoencoder", "pca"}
    training, validation : ndarray, shape (n, ...)
        Phase maps in degrees. Validation maps stop the autoencoder early and enter nothing else.
    settings : AutoencoderBlock
    ctx : Context
        Its seed, fold, device and epochs count; its model does not, so that every model of a fold
        stands on the same codes.

    Notes
    -----
    Two models of a fold fit the same autoencoder on the same maps. It is kept in the cache under a
    digest of those maps, the settings and the seed, and found again by the second model.
    """
    if kind == "pca":
        return _principal(training, settings)
    seed = ctx.replace(model=None).seed_of("autoencoder")
    if ctx.cache is None:
        return _autoencoder(training, validation, settings, ctx, seed)
    device = ctx.device.torch_name if ctx.device else "cpu"
    key = _key(training, validation, settings.model_dump(), ctx.epochs, seed, device)
    folder = ctx.cache / "spect_polar_codes" / key
    if not folder.is_dir():
        fitted = _autoencoder(training, validation, settings, ctx, seed)
        _keep(fitted, folder)
    return FittedCodes.open(folder)


def _keep(fitted: FittedCodes, folder: Path) -> None:
    """Write a folder that appears when it is complete; whoever comes second leaves the first."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".making-"))
    fitted.save(temporary)
    try:
        temporary.rename(folder)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)


def _key(training: Maps, validation: Maps | None, *others: Any) -> str:
    found = hashlib.sha256()
    for maps in (training, validation):
        shape = None if maps is None else maps.shape
        found.update(repr(shape).encode())
        if maps is not None:
            found.update(np.ascontiguousarray(maps, np.float32).tobytes())
    found.update(json.dumps(others, sort_keys=True).encode())
    # Codes rest on the histogram and the angles of other rooms, too.
    for file in sorted(Path(__file__).parent.parent.rglob("*.py")):
        found.update(file.read_bytes())
    return found.hexdigest()[:32]


def _principal(training: Maps, settings: AutoencoderBlock) -> FittedCodes:
    cells = known_cells(training)
    channels: Channels = "circle" if settings.kind == "rotated" else "degrees"
    vectors = vectors_of(training, cells, channels)
    codes = principal_components(vectors, settings.n_features, cells, channels)
    return FittedCodes(codes, tuple(range(codes.n)), share=_shares(codes))


def _autoencoder(
    training: Maps, validation: Maps | None, settings: AutoencoderBlock, ctx: Context, seed: int
) -> FittedCodes:
    if settings.kind == "rotated":
        return _rotated(training, validation, settings, ctx, seed)
    # torch only where needed
    from cardio_spect_polar.networks.paper_autoencoder import fit_as_published

    cells = known_cells(training)
    maps = vectors_of(training, cells, "degrees")
    network, found = fit_as_published(
        maps,
        hidden=settings.hidden,
        n_features=settings.n_features,
        n_steps=settings.n_steps,
        learning_rate=settings.learning_rate,
        relu=settings.kind == "paper_relu",
        seed=seed,
        device=ctx.device.torch_name if ctx.device else "cpu",
        progress=lambda step: ctx.log(f"autoencoder: {step} of {settings.n_steps} steps"),
    )
    k = settings.n_features
    raw = PaperCodes(cells, network, np.zeros(k), np.ones(k)).encode(training)
    codes = PaperCodes(cells, network, raw.mean(axis=0), raw.std(axis=0))
    return FittedCodes(codes, tuple(range(k)), notes=(f"autoencoder: {found.sentence()}.",))


def _rotated(
    training: Maps, validation: Maps | None, settings: AutoencoderBlock, ctx: Context, seed: int
) -> FittedCodes:
    from cardio_spect_polar.networks.circular_autoencoder import fit_seeds

    cells = known_cells(training)
    vectors = vectors_of(training, cells, "circle")
    fits = fit_seeds(
        vectors,
        None if validation is None else vectors_of(validation, cells, "circle"),
        hidden=settings.hidden,
        n_features=settings.n_features,
        n_seeds=settings.n_seeds,
        max_epochs=settings.max_epochs
        if validation is not None
        else ctx.epochs or settings.max_epochs,
        patience=settings.patience,
        cells_per_step=settings.cells_per_step,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        seed=seed,
        device=ctx.device.torch_name if ctx.device else "cpu",
    )
    made = [
        canonical(vectors, encoder, decoder, settings.n_features, cells, "circle")
        for encoder, decoder in zip(fits.encoders, fits.decoders, strict=True)
    ]
    best = int(np.argmin(fits.losses))
    order = [best, *(i for i in range(len(made)) if i != best)]
    found = stability_of([made[i].encode(training) for i in order])
    stable = tuple(int(i) for i in np.flatnonzero(found.mean_r >= settings.min_stability))
    codes = made[best]
    return FittedCodes(
        codes,
        stable,
        tuple(float(r) for r in found.mean_r),
        found.subspace_r,
        _shares(codes),
        fits.best_epoch,
    )


def _shares(codes: Codes) -> tuple[float, ...]:
    variance = (codes.decoder**2).sum(axis=1)
    return tuple(float(share) for share in variance / variance.sum())
