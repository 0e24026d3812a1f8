"""Two clouds to train on, a small network, and how it is trained."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from cardio_core.compute.devices import Device
from cardio_core.training.engine import fit
from cardio_core.training.plan import FitPlan

CPU = Device("cpu", None, "CPU", "32", "test")


class Blobs:
    """Two overlapping clouds in eight dimensions; training adds a little noise."""

    def __init__(self, n, seed, noise=0.1):
        rng = np.random.default_rng(seed)
        self.targets = rng.integers(0, 2, n)
        self.inputs = (rng.normal(size=(n, 8)) + 0.7 * self.targets[:, None]).astype("float32")
        self.noise = noise
        self.asked = []

    def __len__(self):
        return len(self.targets)

    def batch(self, indices, rng):
        self.asked.append(indices)
        inputs = self.inputs[indices]
        if rng is not None:
            inputs = inputs + self.noise * rng.normal(size=inputs.shape).astype("float32")
        return {
            "inputs": torch.from_numpy(inputs),
            "targets": torch.from_numpy(self.targets[indices]),
        }


def network(dropout=0.2):
    torch.manual_seed(5)
    return nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Dropout(dropout), nn.Linear(6, 2))


def cross_entropy(outputs, batch):
    return nn.functional.cross_entropy(outputs, batch["targets"])


def train(out, net=None, training=None, validation=None, **changes):
    given = {"loss": cross_entropy, "plan": FitPlan(epochs=2, batch_size=16), "seed": 3} | changes
    return fit(
        network() if net is None else net,
        Blobs(50, 0) if training is None else training,
        validation,
        device=given.pop("device", CPU),
        out=out,
        **given,
    )


def same_weights(first, second):
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def scripted(*scores):
    remaining = list(scores)
    return lambda outputs, targets: remaining.pop(0)
