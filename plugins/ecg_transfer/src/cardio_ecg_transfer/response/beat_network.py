"""The network on the median beat in twelve leads: pretrained without labels, fitted, used again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cardio_core.api import Context, FeatureSet, ModelArtifact, Note, ScoringBlock, Targets
from cardio_ecg_transfer.networks.beat_net import N_LEADS, SPREAD_MV, WIDTHS, BeatNet, changed_beats
from cardio_ecg_transfer.response.by_network import Head
from cardio_ecg_transfer.response.classical import beats_of, everything_measured
from cardio_ecg_transfer.response.config import TrainBlock
from cardio_ecg_transfer.response.patients import outcomes

LEARNING_RATE = 4e-3
WEIGHT_DECAY = 0.01
LEADS_MASKED = 0.5
"""Chance of each lead to be masked whole."""
TIME_MASKED = 1 / 6
"""Share of the beat that is masked in all leads at once, in one stretch."""


def pretrain_encoder(
    network: BeatNet, beats: NDArray[np.float32], *, epochs: int, batch_size: int, seed: int
) -> tuple[float, float]:
    """Train stem and layers of a network to fill in masked leads and stretches of time.

    No outcome is used. Only what is masked counts; a lead that was missing does not.

    Parameters
    ----------
    network : BeatNet
        Its stem and layers are changed in place, on the CPU; the rest is not touched.
    beats : ndarray of float32, shape (n_beats, 12, n_samples)
        Of training patients only, in units of `SPREAD_MV`; a missing lead is 0.
    epochs : int
        Passes over the beats; 1 or more.
    batch_size : int
    seed : int
        Of masks, order and the decoder, which is thrown away afterwards.

    Returns
    -------
    first, last : float
        Mean squared error on the masked part in the first and in the last epoch.

    Examples
    --------
    >>> beats = np.ones((4, 12, 24), np.float32)
    >>> errors = pretrain_encoder(BeatNet(3), beats, epochs=1, batch_size=4, seed=0)
    >>> errors[0] == errors[1]
    True
    """
    shown = torch.from_numpy(beats)
    n, _, n_samples = shown.shape
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        decoder = nn.Sequential(
            nn.Upsample(size=n_samples, mode="linear"),
            nn.Conv1d(WIDTHS[-1], WIDTHS[-1], 9, padding=4),
            nn.ReLU(),
            nn.Conv1d(WIDTHS[-1], N_LEADS, 9, padding=4),
        )
    filled = nn.Sequential(network.stem, network.layers, decoder).train()
    # A last batch of one would leave batch normalisation nothing to normalise by.
    starts = [at for at in range(0, n, batch_size) if n - at > 1 or n == 1]
    optimizer = torch.optim.AdamW(filled.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=epochs * len(starts)
    )
    errors = []
    for _ in range(epochs):
        order = torch.randperm(n, generator=generator)
        total = 0.0
        for at in starts:
            batch = shown[order[at : at + batch_size]]
            hidden = masks(batch, generator)
            counted = hidden & (batch != 0).any(dim=2, keepdim=True)
            difference = (filled(batch * ~hidden) - batch)[counted]
            loss = (difference**2).sum() / counted.sum().clamp(min=1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        errors.append(total / len(starts))
    return errors[0], errors[-1]


def masks(beats: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return what is masked, shape (n, 12, n_samples): whole leads, and a stretch of all leads."""
    n, n_leads, n_samples = beats.shape
    leads = torch.rand(n, n_leads, 1, generator=generator) < LEADS_MASKED
    length = max(1, round(TIME_MASKED * n_samples))
    start = torch.randint(0, n_samples - length + 1, (n, 1, 1), generator=generator)
    time = torch.arange(n_samples)
    return leads | ((time >= start) & (time < start + length))


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
    messages: tuple[str, ...] = ()
    if epochs := config.beat_network.pretrain_epochs:
        first, last = pretrain_encoder(
            network,
            fitted_on.beats,
            epochs=epochs,
            batch_size=config.fit.batch_size,
            seed=ctx.seed_of("pretraining"),
        )
        messages = (
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
    artifact = ModelArtifact(ctx.out, best, (*Note.each("pretraining", messages), *fitted.notes))
    artifact.write_json(
        "model.json", {"network": about, "head": asdict(head), "scale": asdict(scale)}
    )
    return artifact


def beat_network_scores(
    model: ModelArtifact, features: FeatureSet, config: ScoringBlock, ctx: Context
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
