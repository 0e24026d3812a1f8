"""Training: what is kept, when it stops, and that a seed determines it."""

from __future__ import annotations

import csv
import json
import logging
import multiprocessing
import os
import random
import signal
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cardio_core.compute.devices import Device
from cardio_core.errors import CardioError, DataError
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


def test_the_same_seed_gives_the_same_weights_bit_for_bit(tmp_path):
    first, second = train(tmp_path / "1"), train(tmp_path / "2")
    assert first.weights.read_bytes() == second.weights.read_bytes()


def test_another_seed_gives_other_weights(tmp_path):
    first, second = train(tmp_path / "1"), train(tmp_path / "2", seed=4)
    assert not same_weights(first.network, second.network)


def test_worker_processes_do_not_change_the_weights(tmp_path):
    alone = train(tmp_path / "1")
    helped = train(tmp_path / "2", plan=FitPlan(epochs=2, batch_size=16, n_workers=2))
    assert same_weights(alone.network, helped.network)


def test_a_process_that_may_not_start_others_makes_its_own_batches_and_says_so(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(multiprocessing.process.current_process(), "_config", {"daemon": True})
    fitted = train(tmp_path, plan=FitPlan(epochs=1, n_workers=2))
    assert "made in the training process" in fitted.notes[0]


@pytest.mark.parametrize("ema_decay", [None, 0.5])
def test_full_batch_training_equals_a_plain_torch_loop(tmp_path, ema_decay):
    data = Blobs(40, 1, noise=0.0)
    expected = network(dropout=0.0)
    average = None
    optimizer = torch.optim.SGD(
        expected.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01
    )
    everything = data.batch(np.arange(40), None)
    for epoch in range(5):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 * (1 + np.cos(np.pi * epoch / 5)) / 2
        optimizer.zero_grad()
        cross_entropy(expected(everything["inputs"]), everything).backward()
        nn.utils.clip_grad_norm_(expected.parameters(), 0.3)
        optimizer.step()
        now = [parameter.detach().clone() for parameter in expected.parameters()]
        if average is None or ema_decay is None:
            average = now
        else:
            average = [
                ema_decay * old + (1 - ema_decay) * new
                for old, new in zip(average, now, strict=True)
            ]
    plan = FitPlan(
        epochs=5,
        batch_size=40,
        learning_rate=0.1,
        weight_decay=0.01,
        optimizer="sgd",
        schedule="cosine",
        gradient_clip=0.3,
        ema_decay=ema_decay,
    )
    fitted = train(tmp_path, network(dropout=0.0), data, plan=plan)
    for found, wanted in zip(fitted.network.parameters(), average, strict=True):
        torch.testing.assert_close(found.detach(), wanted, rtol=1e-5, atol=1e-6)


def test_accumulated_batches_equal_one_big_batch_also_when_the_last_ones_are_smaller(tmp_path):
    # 50 examples: effective batches of 24, 24 and 2, the former in batches of 10, 10 and 4.
    data = Blobs(50, 2, noise=0.0)
    big = FitPlan(epochs=3, batch_size=24, optimizer="sgd", learning_rate=0.1)
    small = FitPlan(epochs=3, batch_size=8, accumulate=3, optimizer="sgd", learning_rate=0.1)
    one = train(tmp_path / "1", network(0.0), data, plan=big)
    three = train(tmp_path / "2", network(0.0), data, plan=small)
    for a, b in zip(one.network.parameters(), three.network.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_the_best_epoch_is_kept_and_patience_stops_the_training(tmp_path):
    score = scripted(0.1, 0.5, 0.9, 0.3, 0.9, 0.99)
    plan = FitPlan(epochs=6, batch_size=16, patience=2, schedule="cosine")
    fitted = train(tmp_path, validation=Blobs(20, 9), score=score, plan=plan)
    assert (fitted.best_epoch, fitted.best_score) == (3, 0.9)
    # An equal score is no better one, so epochs 4 and 5 exhaust the patience.
    assert [row["val_score"] for row in fitted.history] == [0.1, 0.5, 0.9, 0.3, 0.9]


def test_a_validation_set_that_may_not_choose_is_watched_and_the_last_epoch_is_kept(tmp_path):
    plan = FitPlan(epochs=6, batch_size=16, patience=2, schedule="cosine")
    score = scripted(0.1, 0.5, 0.9, 0.3, 0.2, float("nan"))
    watched = train(tmp_path / "1", validation=Blobs(20, 9), score=score, plan=plan, choose=False)
    assert (watched.best_epoch, watched.best_score, watched.notes) == (6, None, ())
    assert [row["val_score"] for row in watched.history][:5] == [0.1, 0.5, 0.9, 0.3, 0.2]
    assert same_weights(watched.network, train(tmp_path / "2", plan=plan).network)


def test_a_refit_for_the_chosen_epochs_equals_the_run_that_chose_them(tmp_path):
    plan = FitPlan(epochs=6, batch_size=16, patience=2, schedule="cosine", warmup_epochs=1)
    score = scripted(0.1, 0.5, 0.9, 0.3, 0.2)
    chosen = train(tmp_path / "1", validation=Blobs(20, 9), score=score, plan=plan)
    refit = train(tmp_path / "2", plan=plan, epochs=chosen.best_epoch)
    assert same_weights(chosen.network, refit.network)
    assert (refit.best_epoch, refit.best_score, len(refit.history)) == (3, None, 3)


def test_without_a_score_the_smallest_validation_loss_is_best(tmp_path):
    validation = Blobs(30, 9)
    fitted = train(tmp_path, validation=validation, plan=FitPlan(epochs=4, learning_rate=0.1))
    losses = [row["val_loss"] for row in fitted.history]
    assert fitted.best_epoch == 1 + int(np.argmin(losses))
    everything = validation.batch(np.arange(30), None)
    with torch.no_grad():
        expected = float(cross_entropy(fitted.network(everything["inputs"]), everything))
    assert fitted.best_score == pytest.approx(-expected, rel=1e-5)


def test_the_score_sees_the_whole_validation_set_in_order_without_augmentation(tmp_path):
    validation = Blobs(37, 9, noise=100.0)
    seen = []

    def score(outputs, targets):
        seen.append((outputs, targets))
        return 1.0

    net = network()
    train(tmp_path, net, validation=validation, score=score, plan=FitPlan(epochs=1, batch_size=16))
    outputs, targets = seen[0]
    assert np.array_equal(targets, validation.targets)
    with torch.no_grad():
        expected = net(torch.from_numpy(validation.inputs)).numpy()
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-6)


def test_an_undefined_score_never_is_the_best_and_is_noted(tmp_path):
    score = scripted(float("nan"), 0.2, float("nan"))
    fitted = train(
        tmp_path, validation=Blobs(20, 9), score=score, plan=FitPlan(epochs=3, batch_size=16)
    )
    assert fitted.best_epoch == 2
    assert fitted.notes == ("the validation score was not a number in 2 of 3 epochs",)


def test_a_score_that_is_never_a_number_is_an_error(tmp_path):
    with pytest.raises(CardioError, match="not-a-number in all 2 epochs"):
        train(tmp_path, validation=Blobs(20, 9), score=lambda outputs, targets: float("nan"))


def test_a_loss_that_explodes_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(CardioError, match="expected a finite loss, found nan in epoch 1; lower"):
        train(tmp_path, loss=lambda outputs, batch: outputs.sum() * float("nan"))


def test_weights_are_drawn_in_proportion(tmp_path):
    from scipy.stats import chisquare

    training = Blobs(5, 0)
    weights = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    train(
        tmp_path,
        training=training,
        weights=weights,
        plan=FitPlan(epochs=2, batch_size=500, draw=2000),
    )
    counts = np.bincount(np.concatenate(training.asked), minlength=5)
    assert counts.sum() == 4000
    assert counts[0] == 0
    assert chisquare(counts[1:], 400 * weights[1:]).pvalue > 0.001


def test_without_draw_every_example_is_taken_once_an_epoch(tmp_path):
    training = Blobs(50, 0)
    train(tmp_path, training=training, weights=np.arange(50), plan=FitPlan(epochs=2, batch_size=16))
    first, second = np.split(np.concatenate(training.asked), 2)
    assert sorted(first) == sorted(second) == list(range(50))
    assert not np.array_equal(first, second)


def test_parameter_groups_train_at_their_own_rates(tmp_path):
    net = network()
    before = {name: value.clone() for name, value in net.state_dict().items()}

    def head_only(net):
        return [
            {"params": net[3].parameters()},
            {"params": net[0].parameters(), "lr": 0.0},
        ]

    train(tmp_path, net, parameter_groups=head_only)
    after = net.state_dict()
    assert torch.equal(after["0.weight"], before["0.weight"])
    assert not torch.equal(after["3.weight"], before["3.weight"])


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


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"training": Blobs(0, 0)}, "at least one training example, found none"),
        ({"validation": Blobs(0, 0)}, "at least one validation example, found none"),
        ({"epochs": 0}, "expected 1 epoch or more, found 0"),
        ({"weights": [1.0, 2.0]}, r"expected 50 finite sampling weights .* shape \(2,\)"),
        ({"weights": np.zeros(50)}, "not all 0"),
        ({"weights": -np.ones(50)}, "0 or more"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(tmp_path: Path, changes, says):
    with pytest.raises(DataError, match=says):
        train(tmp_path, **changes)
