"""torch.compile where it can be used; where it cannot, the fit is the plain one and says so."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from torch import nn

from cardio_core.compute.devices import Device
from cardio_core.training import engine as compiling
from cardio_core.training.engine import fit, why_not_compiled
from cardio_core.training.plan import FitPlan

CPU = Device("cpu", None, "CPU", "32", "test")
GPU = Device("cuda", 0, "GPU", "bf16", "test")


class Line:
    """Eight points of a line."""

    def __len__(self):
        return 8

    def batch(self, indices, rng):
        x = torch.from_numpy(np.asarray(indices, np.float32))[:, None]
        return {"inputs": x, "targets": 2 * x}


def squared(outputs, batch):
    return nn.functional.mse_loss(outputs, batch["targets"])


def fitted(out, compile_it):
    torch.manual_seed(0)
    plan = FitPlan(epochs=1, batch_size=4, compile=compile_it, learning_rate=0.01)
    return fit(nn.Linear(1, 1), Line(), loss=squared, plan=plan, device=CPU, seed=0, out=out)


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)


def test_without_a_compiler_the_network_is_trained_as_it_is_and_the_fit_says_so(
    tmp_path, no_compiler
):
    asked, plain = (fitted(tmp_path / str(wish), wish) for wish in (True, False))
    assert torch.equal(asked.network.weight, plain.network.weight)
    assert plain.notes == ()
    assert len(asked.notes) == 1
    assert asked.notes[0].text.startswith(
        "trained without torch.compile: there is no C++ compiler (g++"
    )


def test_a_compiler_that_is_named_must_be_there(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert why_not_compiled(CPU) == "there is no C++ compiler (no-such-compiler)"


@pytest.mark.parametrize("installed", [True, False])
def test_a_gpu_needs_triton_and_no_compiler(monkeypatch, no_compiler, installed):
    found = object() if installed else None
    monkeypatch.setattr(compiling.importlib.util, "find_spec", lambda name: found)
    assert (why_not_compiled(GPU) is None) == installed


@pytest.mark.slow
@pytest.mark.skipif(why_not_compiled(CPU) is not None, reason="torch.compile cannot be used here")
def test_a_compiled_network_gets_the_same_weights(tmp_path):
    compiled, plain = (fitted(tmp_path / str(wish), wish) for wish in (True, False))
    assert compiled.notes == ()
    torch.testing.assert_close(compiled.network.weight, plain.network.weight)
