"""Fit the network on the median beat, and use it again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cardio_core.api import Context, FeatureSet, ModelArtifact, Note, Targets
from cardio_ecg_transfer.networks.beat_net import SPREAD_MV, BeatNet, changed_beats
from cardio_ecg_transfer.response.beat_network.pretraining import pretrain_encoder
from cardio_ecg_transfer.response.classical import beats_of, everything_measured
from cardio_ecg_transfer.response.config import TrainBlock
from cardio_ecg_transfer.response.head import Head
from cardio_ecg_transfer.response.patients import outcomes
from cardio_ecg_transfer.shared.config import PredictBlock

FURTHEST = 4.0
"""Standard deviations beyond which a measurement says no more."""


@dataclass(frozen=True)
class Scale:
    """Centre and spread of each measurement among the training patients."""

    centre: list[float]
    spread: list[float]

    @classmethod
    def of(cls, measured: NDArray[np.float64]) -> Scale:
        """Return the scale of measurements, shape (n_patients, n); 0 and 1 where all are NaN."""
        known = np.isfinite(measured)
        n = np.maximum(known.sum(axis=0), 1)
        centre = np.where(known, measured, 0.0).sum(axis=0) / n
        spread = np.sqrt((np.where(known, measured - centre, 0.0) ** 2).sum(axis=0) / n)
        return cls(centre.tolist(), np.where(spread > 0, spread, 1.0).tolist())

    def applied(self, measured: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return them in standard deviations, 0 where missing."""
        scaled = (measured - np.array(self.centre)) / np.array(self.spread)
        known = np.nan_to_num(scaled)
        return np.asarray(np.clip(known, -FURTHEST, FURTHEST), np.float32)


@dataclass(frozen=True)
class Patients:
    """One median beat and its measurements a patient, as the training engine takes them.

    Attributes
    ----------
    beats : ndarray of float32, shape (n_patients, 12, n_samples)
        In units of `SPREAD_MV`, each lead around its mean; 0 in a lead without a value somewhere.
    measured : ndarray of float32, shape (n_patients, n_measured)
    outcomes : ndarray of float32, shape (n_patients,), or None
    """

    beats: NDArray[np.float32]
    measured: NDArray[np.float32]
    outcomes: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.beats)

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None) -> dict[str, Any]:
        """Return one batch, changed at random where a generator is given."""
        beats = torch.from_numpy(self.beats[indices])
        if rng is not None:
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            beats = changed_beats(beats, generator)
        inputs = {"beats": beats, "measured": torch.from_numpy(self.measured[indices])}
        made: dict[str, Any] = {"inputs": inputs}
        if self.outcomes is not None:
            made["targets"] = torch.from_numpy(self.outcomes[indices])
        return made


def fit_beat_network(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the network by `train.fit`, as the networks on pictures are.

    With `train.beat_network.pretrain_epochs` its encoder first learns from the same training
    patients' beats without their outcomes.
    """
    block, target = config.response, ctx.targets[0]
    outcome = outcomes(training, targets, target)
    head, measured = Head.of(target, outcome), everything_measured(training)
    scale = Scale.of(measured)
    about = {
        "n_measured": measured.shape[1],
        "dropout": config.dropout,
        "n_outputs": head.n_outputs,
    }
    torch.manual_seed(ctx.seed_of("weights"))
    network = BeatNet(**about)
    fitted_on = patients(training, scale, head.scaled(outcome))
    said: tuple[str, ...] = ()
    if epochs := config.beat_network.pretrain_epochs:
        first, last = pretrain_encoder(
            network,
            fitted_on.beats,
            epochs=epochs,
            batch_size=config.fit.batch_size,
            seed=ctx.seed_of("pretraining"),
        )
        said = (
            f"encoder pretrained by masked reconstruction of {len(fitted_on)} median beats, "
            f"{epochs} epochs: mean squared error from {first:.2f} to {last:.2f}",
        )
    checked = None
    if validation is not None and block.choose_epochs:
        of_checked = head.scaled(outcomes(validation, targets, target))
        checked = patients(validation, scale, of_checked)
    weights, loss = head.drawing(outcome, block.positive_share if config.fit.draw else None)
    fitted = ctx.fit(
        network,
        fitted_on,
        checked,
        plan=config.fit,
        loss=loss,
        weights=weights,
    )
    best = fitted.best_epoch if block.choose_epochs else None
    artifact = ModelArtifact(ctx.out, best, (*Note.each("pretraining", said), *fitted.notes))
    artifact.write_json(
        "model.json", {"network": about, "head": asdict(head), "scale": asdict(scale)}
    )
    return artifact


def beat_network_scores(
    model: ModelArtifact, features: FeatureSet, config: PredictBlock, ctx: Context
) -> NDArray[np.float64]:
    """Return each patient's scores: see `cardio_core.api.Predictions`."""
    about = model.read_json("model.json")
    network = BeatNet(**about["network"])
    model.load_network(network)
    new = patients(features, Scale(**about["scale"]))
    outputs = ctx.score_with(network.eval(), new, batch_size=config.batch_size)
    return Head(**about["head"]).scores(outputs)


def patients(
    features: FeatureSet, scale: Scale, outcome: NDArray[np.float32] | None = None
) -> Patients:
    """Return the patients of some features, in the order in which they first appear."""
    beats = beats_of(features)
    known = np.isfinite(beats).all(axis=2, keepdims=True)
    filled = np.where(known, beats, 0.0)
    centred = (filled - filled.mean(axis=2, keepdims=True)) / SPREAD_MV
    measured = scale.applied(everything_measured(features))
    return Patients(centred.astype(np.float32), measured, outcome)
