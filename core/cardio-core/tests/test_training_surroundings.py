"""Training among other things: files, output, states, devices, and signals."""

from __future__ import annotations

import csv
import json
import logging
import os
import random
import signal
import struct

import numpy as np
import pytest
import torch
from torch import nn

from cardio_core.compute.devices import Device
from cardio_core.training.plan import FitPlan

from .trained_blobs import CPU, Blobs, cross_entropy, network, scripted, train


def test_the_history_file_has_a_row_an_epoch(tmp_path):
    fitted = train(
        tmp_path, validation=Blobs(20, 9), plan=FitPlan(epochs=3, batch_size=16, learning_rate=0.01)
    )
    with (tmp_path / "history.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = ["epoch", "seconds", "train_loss", "val_loss", "val_score", "lr"]
    assert list(rows[0]) == columns
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3]
    assert [float(row["lr"]) for row in rows] == [0.01] * 3
    assert [float(row["val_loss"]) for row in rows] == [row["val_loss"] for row in fitted.history]


def test_the_weights_file_is_safetensors_and_nothing_else_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fitted = train(tmp_path / "out", validation=Blobs(20, 9))
    content = fitted.weights.read_bytes()
    (n_header,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + n_header])
    assert set(fitted.network.state_dict()) <= set(header)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        "out",
        "out/history.csv",
        "out/weights.safetensors",
    ]


def test_training_prints_nothing(tmp_path, capfd):
    train(tmp_path, validation=Blobs(20, 9))
    assert capfd.readouterr() == ("", "")


def test_global_states_are_as_before(tmp_path):
    random.seed(1)
    np.random.seed(2)  # noqa: NPY002
    torch.manual_seed(3)
    net = network()

    def states():
        return (
            random.getstate(),
            str(np.random.get_state()),  # noqa: NPY002
            torch.get_rng_state().tolist(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_num_threads(),
            signal.getsignal(signal.SIGINT),
            signal.getsignal(signal.SIGTERM),
            dict(os.environ),
            logging.getLogger("lightning.pytorch").level,
        )

    train(tmp_path / "warm", net)  # the first import of Lightning sets variables of its own
    before = states()
    train(tmp_path / "out", net, validation=Blobs(20, 9))
    assert states() == before


def test_progress_is_told_after_each_epoch(tmp_path):
    told = []
    train(
        tmp_path,
        validation=Blobs(20, 9),
        score=scripted(0.5, 0.6, 0.7),
        plan=FitPlan(epochs=3, batch_size=16),
        progress=lambda *news: told.append(news),
    )
    assert [(epoch, n, score) for epoch, n, _, score, _ in told] == [
        (1, 3, 0.5),
        (2, 3, 0.6),
        (3, 3, 0.7),
    ]
    assert told[0][4] > 0
    assert told[-1][4] == 0


def test_bfloat16_computes_in_bfloat16_keeps_weights_and_losses_in_float32(tmp_path):
    seen = {}

    class Watched(nn.Linear):
        def forward(self, inputs):
            outputs = super().forward(inputs)
            seen["network"] = outputs.dtype
            return outputs

    def loss(outputs, batch):
        seen["loss"] = (outputs @ outputs.T).dtype  # would be bfloat16 under autocast
        return cross_entropy(outputs, batch)

    bf16 = Device("cpu", None, "CPU", "bf16", "test")
    fitted = train(tmp_path, Watched(8, 2), loss=loss, device=bf16, epochs=1)
    assert seen == {"network": torch.bfloat16, "loss": torch.float32}
    assert fitted.network.weight.dtype == torch.float32


def test_bfloat16_ends_where_float32_does(tmp_path):
    plan = FitPlan(epochs=5, batch_size=16, learning_rate=0.01)
    wide, half = (
        train(
            tmp_path / kind,
            network(0.0),
            validation=Blobs(200, 9),
            plan=plan,
            device=Device("cpu", None, "CPU", kind, "test"),
        )
        for kind in ("32", "bf16")
    )
    moved = (wide.network[0].weight - network()[0].weight).abs().max()
    apart = (wide.network[0].weight - half.network[0].weight).abs().max()
    assert 0 < apart < 0.1 * moved
    assert half.best_score == pytest.approx(wide.best_score, abs=0.01)


@pytest.mark.parametrize(
    ("device", "accelerator", "devices", "precision"),
    [
        (CPU, "cpu", 1, "32-true"),
        (Device("cpu", 1, "CPU", "bf16", "test"), "cpu", 1, "bf16-mixed"),
        (Device("cuda", 1, "GPU", "16", "test"), "cuda", [1], "16-mixed"),
        (Device("cuda", 0, "GPU", "bf16", "test"), "cuda", [0], "bf16-mixed"),
    ],
)
def test_lightning_is_told_device_and_precision(
    tmp_path, monkeypatch, device, accelerator, devices, precision
):
    from cardio_core.training import attempt

    class Told(Exception):  # noqa: N818
        pass

    def trainer(**arguments):
        raise Told(arguments)

    monkeypatch.setattr(attempt, "Trainer", trainer)
    monkeypatch.setattr(attempt, "reproducible", lambda seed, device: attempt.quiet())
    with pytest.raises(Told) as caught:
        train(tmp_path, device=device)
    told = caught.value.args[0]
    assert (told["accelerator"], told["devices"]) == (accelerator, devices)
    assert told["precision"] == precision


def test_channels_last_changes_speed_not_results(tmp_path):
    class Images(Blobs):
        def batch(self, indices, rng):
            batch = super().batch(indices, rng)
            grown = batch["inputs"][:, None, :, None].expand(-1, 3, -1, 8)
            return batch | {"inputs": grown.contiguous()}

    def convolutional():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
        )

    kept = [
        train(
            tmp_path / str(layout),
            convolutional(),
            Images(20, 0),
            plan=FitPlan(epochs=2, batch_size=10, optimizer="sgd", channels_last=layout),
        )
        for layout in (False, True)
    ]
    for a, b in zip(*(fitted.network.parameters() for fitted in kept), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_ctrl_c_stays_ctrl_c(tmp_path):
    def interrupted(outputs, batch):
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, loss=interrupted)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_slurm_job_is_not_taken_over(tmp_path, monkeypatch):
    for name, value in {"SLURM_NTASKS": "4", "SLURM_JOB_NAME": "x", "SLURM_JOB_ID": "1"}.items():
        monkeypatch.setenv(name, value)
    assert train(tmp_path, epochs=1).best_epoch == 1
