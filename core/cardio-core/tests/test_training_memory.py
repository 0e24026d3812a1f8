"""A batch that does not fit is halved, and the result is that of the batch that fits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cardio_core.compute.devices import Device
from cardio_core.compute.resource_errors import is_out_of_memory
from cardio_core.testing import refuses
from cardio_core.training.engine import fit
from cardio_core.training.plan import FitPlan
from cardio_core.training.prediction import predict
from cardio_stats.errors import CardioError, DataError

CPU = Device("cpu", None, "CPU", "32", "test")

ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory: "
        "you tried to allocate 80000000000 bytes. Error code 12 (Cannot allocate memory)"
    ),
    MemoryError("Unable to allocate 74.5 GiB for an array"),
]


class Line:
    """Points on a noisy line."""

    def __init__(self, n):
        rng = np.random.default_rng(0)
        self.inputs = rng.normal(size=(n, 3)).astype("float32")
        noise = 0.1 * rng.normal(size=n)
        self.targets = (self.inputs.sum(axis=1) + noise).astype("float32")

    def __len__(self):
        return len(self.targets)

    def batch(self, indices, rng):
        return {
            "inputs": torch.from_numpy(self.inputs[indices]),
            "targets": torch.from_numpy(self.targets[indices]),
        }


class Hungry(nn.Module):
    """A linear network whose memory holds so many examples and no more."""

    def __init__(self, most, error=ERRORS[0]):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(3, 1)
        self.most, self.error, self.calls = most, error, []

    def forward(self, inputs):
        self.calls.append(len(inputs))
        if len(inputs) > self.most:
            raise self.error
        return self.linear(inputs)[:, 0]


def squared(outputs, batch):
    return ((outputs - batch["targets"]) ** 2).mean()


def train(out, network, batch_size, accumulate=1, **changes):
    plan = FitPlan(epochs=3, batch_size=batch_size, accumulate=accumulate, optimizer="sgd")
    given = {"loss": squared, "plan": plan, "device": CPU, "seed": 0, "out": out} | changes
    return fit(network, Line(50), **given)


@pytest.mark.parametrize(
    "error",
    [ERRORS[0], *(pytest.param(one, marks=pytest.mark.slow) for one in ERRORS[1:])],
    ids=lambda error: type(error).__name__,
)
def test_a_batch_too_large_is_halved_and_the_result_is_that_of_the_smaller_one(tmp_path, error):
    told = []
    halved = train(tmp_path / "1", Hungry(10, error), 32, log=told.append)
    direct = train(tmp_path / "2", Hungry(10), 8, 4)
    assert tuple(map(str, halved.notes)) == (
        "batch halved to 16, accumulating 2 (out of memory)",
        "batch halved to 8, accumulating 4 (out of memory)",
    )
    assert told == list(map(str, halved.notes))
    assert max(halved.network.calls[2:]) <= 8
    assert halved.weights.read_bytes() == direct.weights.read_bytes()


def test_the_halved_batch_gives_what_the_large_one_would_have_given(tmp_path):
    halved = train(tmp_path / "1", Hungry(10), 32)
    whole = train(tmp_path / "2", Hungry(1000), 32)
    assert whole.notes == ()
    torch.testing.assert_close(
        halved.network.linear.weight, whole.network.linear.weight, rtol=1e-5, atol=1e-6
    )


def test_memory_that_runs_out_late_starts_again_from_the_first_epoch(tmp_path):
    class Leaking(Hungry):
        def forward(self, inputs):
            self.most = 1000 if len(self.calls) < 3 else 20  # two batches an epoch
            return super().forward(inputs)

    late = train(tmp_path / "1", Leaking(0), 25)
    whole = train(tmp_path / "2", Hungry(1000), 25)
    assert tuple(map(str, late.notes)) == ("batch halved to 13, accumulating 2 (out of memory)",)
    assert late.network.calls[:4] == [25, 25, 25, 25]
    assert [row["epoch"] for row in late.history] == [1, 2, 3]
    for row, expected in zip(late.history, whole.history, strict=True):
        assert row["train_loss"] == pytest.approx(expected["train_loss"], rel=1e-5)


def test_one_example_that_does_not_fit_is_an_error_that_says_memory(tmp_path):
    with refuses(CardioError, "cpu", code="memory"):
        train(tmp_path, Hungry(0), 4)


def test_another_error_is_not_taken_for_memory(tmp_path):
    network = Hungry(0, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        train(tmp_path, network, 4)
    assert network.calls == [4]


def test_prediction_halves_the_batch_too_and_keeps_the_order():
    network, told = Hungry(10), []
    found = predict(network, Line(50), device=CPU, batch_size=32, log=told.append)
    with torch.no_grad():
        expected = network.linear(torch.from_numpy(Line(50).inputs))[:, 0].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert told[-1] == "out of memory in prediction: batch halved to 8"


def test_prediction_of_one_example_that_does_not_fit_says_memory():
    with refuses(CardioError, code="memory"):
        predict(Hungry(0), Line(3), device=CPU, batch_size=4)


def test_a_value_error_that_speaks_of_memory_is_not_memory_running_out():
    assert not is_out_of_memory(ValueError("out of memory"))


def test_no_examples_to_predict_are_refused():
    with refuses(DataError, "predict", code="missing"):
        predict(Hungry(1), Line(0), device=CPU)
