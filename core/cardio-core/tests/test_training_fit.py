"""Training: what is kept, when it stops, and that a seed determines it."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cardio_core.testing import refuses
from cardio_core.training.plan import FitPlan
from cardio_stats.errors import CardioError, DataError

from .trained_blobs import Blobs, cross_entropy, network, same_weights, scripted, train


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
    assert "made in the training process" in fitted.notes[0].text


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
    assert tuple(map(str, fitted.notes)) == (
        "the validation score was not a number in 2 of 3 epochs",
    )


def test_a_score_that_is_never_a_number_is_an_error(tmp_path):
    with refuses(CardioError, "training", "2", code="not_a_number"):
        train(tmp_path, validation=Blobs(20, 9), score=lambda outputs, targets: float("nan"))


def test_a_loss_that_explodes_is_an_error_that_says_what_to_do(tmp_path):
    with refuses(CardioError, "training", "1", code="not_a_number"):
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
