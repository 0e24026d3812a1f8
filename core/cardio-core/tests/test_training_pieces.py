"""The parts of training: order of batches, learning rate, plan, weights files, prediction."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from cardio_core.compute.devices import Device
from cardio_core.testing import refuses
from cardio_core.training.loader import Batches, BatchSize, TrainingOrder
from cardio_core.training.module import learning_rate_factor
from cardio_core.training.plan import FitPlan
from cardio_core.training.prediction import predict
from cardio_core.types.artifact import load_weights, save_weights, weights_digest
from cardio_stats.errors import DataError

CPU = Device("cpu", None, "CPU", "32", "test")

sizes = st.builds(
    lambda size, extra: BatchSize(size, size + extra), st.integers(1, 9), st.integers(0, 20)
)


@given(n=st.integers(1, 60), batch=sizes, seed=st.integers(0, 5))
def test_an_epoch_holds_every_example_once_in_batches_that_fit(n, batch, seed):
    order = TrainingOrder(n, batch, seed)
    requests = list(order)
    assert len(requests) == len(order)
    assert max(len(request.indices) for request in requests) <= batch.size
    assert sorted(np.concatenate([r.indices for r in requests])) == list(range(n))


@given(n=st.integers(1, 60), batch=sizes)
def test_shares_give_every_example_of_an_effective_batch_the_same_weight(n, batch):
    order = TrainingOrder(n, batch, 0)
    # Lightning takes a step after each `accumulate` batches and at the end of the epoch.
    requests = list(order)
    steps = [requests[i : i + batch.accumulate] for i in range(0, len(requests), batch.accumulate)]
    assert len(steps) == order.n_steps
    for step in steps:
        n_together = sum(len(request.indices) for request in step)
        for request in step:
            weight = request.share / batch.accumulate
            assert weight == pytest.approx(len(request.indices) / n_together)


@given(n=st.integers(1, 60), batch=sizes)
def test_halving_the_batch_moves_no_example_to_another_step(n, batch):
    def steps(batch):
        order = np.concatenate([request.indices for request in TrainingOrder(n, batch, 0)])
        return [order[i : i + batch.effective].tolist() for i in range(0, n, batch.effective)]

    assert steps(batch.halved()) == steps(batch)


def test_epochs_and_seeds_have_orders_of_their_own():
    def order(seed, epoch):
        sampler = TrainingOrder(50, BatchSize(50, 50), seed)
        sampler.set_epoch(epoch)
        return next(iter(sampler)).indices.tolist()

    assert order(0, 0) == order(0, 0)
    assert len({str(order(seed, epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4


def test_augmentation_differs_between_batches_and_repeats_with_the_same_request():
    class Noise:
        def __len__(self):
            return 4

        def batch(self, indices, rng):
            return {"inputs": torch.from_numpy(rng.normal(size=3)), "targets": None}

    batches = Batches(Noise())
    first, second = TrainingOrder(4, BatchSize(2, 4), seed=0)
    values = [batches[request][0]["inputs"].tolist() for request in (first, second, first)]
    assert values[0] == values[2] != values[1]


def rates(scheduler, optimizer, n):
    found = []
    for _ in range(n):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def one_parameter():
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)


@pytest.mark.parametrize("n_steps", [5, 10, 37])
def test_the_cosine_schedule_equals_torchs(n_steps):
    optimizer = one_parameter()
    oracle = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    found = [learning_rate_factor("cosine", step, n_steps) for step in range(n_steps)]
    assert found == pytest.approx(rates(oracle, optimizer, n_steps), abs=1e-9)


@pytest.mark.parametrize("n_steps", [5, 10, 37])
def test_the_onecycle_schedule_equals_torchs(n_steps):
    optimizer = one_parameter()
    oracle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=1.0, total_steps=n_steps, cycle_momentum=False
    )
    found = [learning_rate_factor("onecycle", step, n_steps) for step in range(n_steps)]
    assert found == pytest.approx(rates(oracle, optimizer, n_steps), abs=1e-9)


def test_warm_up_rises_in_equal_steps_to_the_peak():
    found = [learning_rate_factor("none", step, 10, n_warmup=3) for step in range(5)]
    assert found == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])


@pytest.mark.parametrize("schedule", ["none", "cosine", "onecycle"])
@pytest.mark.parametrize("n_steps", [1, 2, 3])
def test_schedules_hold_for_the_shortest_trainings_and_beyond_their_end(schedule, n_steps):
    factors = [learning_rate_factor(schedule, step, n_steps) for step in range(n_steps + 3)]
    assert all(0 <= factor <= 1 for factor in factors)
    assert factors[-1] == factors[-2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"optimizer": "lion"},
        {"patience": 0},
        {"ema_decay": 1.0},
        {"label_smoothing": 0.1},
        {"schedule": "onecycle", "warmup_epochs": 1},
    ],
)
def test_a_plan_refuses_what_it_does_not_know_or_cannot_be(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        FitPlan(**wrong)


def test_every_setting_of_a_plan_is_described():
    assert all(field.description for field in FitPlan.model_fields.values())


class Tied(nn.Module):
    """Two layers with one weight, and a buffer."""

    def __init__(self, width=3):
        super().__init__()
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)
        self.second.weight = self.first.weight
        self.norm = nn.BatchNorm1d(width)


def test_weights_come_back_as_they_were_also_tied_ones_and_buffers(tmp_path):
    torch.manual_seed(0)
    saved, loaded = Tied(), Tied()
    saved.norm.running_mean += 2.0
    save_weights(saved, tmp_path / "deep" / "weights.safetensors")
    load_weights(loaded, tmp_path / "deep" / "weights.safetensors")
    for name, value in saved.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name]), name
    assert loaded.second.weight is loaded.first.weight
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["weights.safetensors"]


def test_the_same_weights_give_the_same_file_in_any_memory_layout(tmp_path):
    network = nn.Conv2d(3, 4, 3)
    plain = save_weights(network, tmp_path / "a")
    network.to(memory_format=torch.channels_last)
    assert save_weights(network, tmp_path / "b") == plain == weights_digest(tmp_path / "a")


def test_weights_of_another_network_are_refused_with_the_names_that_differ(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_weights(nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 5)), path)
    with pytest.raises(DataError) as caught:
        load_weights(nn.Sequential(nn.Linear(4, 2), nn.Sequential(nn.Linear(2, 5))), path)
    message = str(caught.value)
    assert "2 missing (1.0.bias, 1.0.weight)" in message
    assert "2 unexpected (1.bias, 1.weight)" in message
    assert "0.weight (2, 4) expected, (2, 3) found" in message
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"", b"text", pickle.dumps({"a": 1}), b"\xff" * 100])
def test_a_file_that_is_no_safetensors_is_refused(tmp_path, content):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with refuses(DataError, "weights.safetensors", code="damaged"):
        load_weights(nn.Linear(1, 1), path)


def test_a_missing_weights_file_is_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    with refuses(DataError, "weights", code="missing"):
        load_weights(nn.Linear(1, 1), path)


class Numbers:
    """Ten examples whose input is their number."""

    def __len__(self):
        return 10

    def batch(self, indices, rng):
        assert rng is None
        return {"inputs": {"x": torch.as_tensor(indices)[:, None].float()}}


class Headed(nn.Module):
    """Two outputs, one of them random in training mode."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(1, 1)
        self.dropout = nn.Dropout(0.5)
        nn.init.constant_(self.linear.weight, 2.0)
        nn.init.constant_(self.linear.bias, 1.0)

    def forward(self, inputs):
        value = self.linear(self.dropout(inputs["x"]))
        return {"value": value, "half": value[:, 0].bfloat16(), "class": value[:, 0].long()}


@pytest.mark.parametrize("batch_size", [1, 3, 10, 256])
def test_prediction_joins_batches_in_order_for_dicts_of_inputs_and_outputs(batch_size):
    outputs = predict(Headed(), Numbers(), device=CPU, batch_size=batch_size)
    expected = 2.0 * np.arange(10) + 1.0
    np.testing.assert_array_equal(outputs["value"], expected[:, None])
    np.testing.assert_array_equal(outputs["half"], expected)
    assert outputs["half"].dtype == np.float32
    np.testing.assert_array_equal(outputs["class"], expected.astype(int))
    assert outputs["class"].dtype == np.int64


def test_prediction_leaves_the_network_in_the_mode_it_was_in():
    network = Headed().train()
    network.linear.eval()
    predict(network, Numbers(), device=CPU)
    assert network.training
    assert network.dropout.training
    assert not network.linear.training


def test_prediction_in_bfloat16_returns_float32():
    bf16 = Device("cpu", None, "CPU", "bf16", "test")
    outputs = predict(Headed(), Numbers(), device=bf16)
    assert outputs["value"].dtype == np.float32
    np.testing.assert_allclose(outputs["value"][:, 0], 2.0 * np.arange(10) + 1.0, rtol=1e-2)


@pytest.mark.parametrize("kind", [nn.Conv2d, nn.Conv3d])
def test_prediction_with_channels_last_gives_the_same_for_images_and_videos(kind):
    n_axes = 2 if kind is nn.Conv2d else 3

    class Grids:
        def __len__(self):
            return 4

        def batch(self, indices, rng):
            generator = torch.Generator().manual_seed(0)
            everything = torch.randn(4, 3, *[6] * n_axes, generator=generator)
            return {"inputs": everything[indices]}

    torch.manual_seed(0)
    # A network that mixes dimensions, which `Module.to(memory_format=...)` refuses.
    network = nn.Sequential(kind(3, 4, 3), nn.Flatten(), nn.LazyLinear(2))
    network.append(nn.Unflatten(1, (2, 1))).append(nn.Conv1d(2, 2, 1))
    plain = predict(network, Grids(), device=CPU)
    found = predict(network, Grids(), device=CPU, use_channels_last=True)
    np.testing.assert_allclose(found, plain, rtol=1e-4, atol=1e-5)
