"""Pretrain the network's encoder without labels: fill in what was masked of median beats."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cardio_ecg_transfer.networks.beat_net import N_LEADS, WIDTHS, BeatNet

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
