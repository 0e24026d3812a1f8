"""One fit on several devices: who shares, what each computes, and how a process's end is told.

That two processes give the weights of one takes as many starts of torch, and so is slow; its
result is stored by `benchmarks/shared_fit.py`.
"""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import torch
from torch import nn

from cardio_core.compute.devices import Device
from cardio_core.runner.train import shared_out
from cardio_core.testing import refuses
from cardio_core.training import distributed as leading
from cardio_core.training.distributed import EveryOther, PartOfEach, form
from cardio_core.training.loader import Batches, BatchSize, InOrder, TrainingOrder
from cardio_core.training.plan import FitPlan
from cardio_stats.errors import CardioError

from .trained_blobs import Blobs, network, train


def cpus(n):
    return tuple(Device("cpu", i, "CPU", "32", "test") for i in range(n))


def team(n, kind="cpu"):
    first, *others = (Device(kind, i, kind.upper(), "32", "test") for i in range(n))
    return Device(kind, 0, kind.upper(), "32", "test", tuple(others)) if others else first


@pytest.mark.parametrize("n_devices", range(1, 9))
def test_every_device_is_used_once_and_a_fit_gets_another_only_where_one_would_idle(n_devices):
    for n_fits in range(1, 12):
        shared = shared_out(cpus(n_devices), n_fits)
        assert [d.index for one in shared for d in (one, *one.others)] == list(range(n_devices))
        assert len(shared) == (n_fits if n_fits < n_devices else n_devices)
        sizes = {1 + len(one.others) for one in shared}
        assert max(sizes) - min(sizes) <= 1
        assert (max(sizes) > 1) == (n_fits < n_devices)


ORDERS = {
    "each once, the last batch smaller": (49, BatchSize(16, 16), None),
    "accumulated, halved in between": (50, BatchSize(5, 20), None),
    "one example": (1, BatchSize(8, 8), None),
    "drawn by weight": (30, BatchSize(8, 8), 41),
}


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("name", ORDERS)
def test_parts_are_the_batches_of_one_process_and_weigh_what_they_hold(name, world):
    n, batch, draw = ORDERS[name]
    weights = None if draw is None else np.arange(n, dtype=float)

    def order():
        made = TrainingOrder(n, batch, 7, draw, weights)
        made.set_epoch(3)
        return made

    whole = list(order())
    parts = [list(PartOfEach(order(), rank, world)) for rank in range(world)]
    assert {len(part) for part in parts} == {len(whole)}
    for request, *shared in zip(whole, *parts, strict=True):
        held = [(list(one.indices[slice(*one.part)]), one.share) for one in shared if one.share > 0]
        assert list(chain.from_iterable(indices for indices, _ in held)) == list(request.indices)
        # DDP divides the sum of gradients by the number of processes; an example's weight in that
        # must be its weight in the mean of the whole batch.
        for indices, share in held:
            expected = request.share / len(request.indices)
            assert share / len(indices) / world == pytest.approx(expected)
        assert {one.seed for one in shared} == {request.seed}


def test_validated_batches_are_dealt_out_whole():
    whole = [list(request.indices) for request in InOrder(10, 4)]
    dealt = [[list(r.indices) for r in EveryOther(InOrder(10, 4), rank, 4)] for rank in range(4)]
    assert dealt == [[whole[0]], [whole[1]], [whole[2]], []]
    assert [len(EveryOther(InOrder(10, 4), rank, 4)) for rank in range(4)] == [1, 1, 1, 0]


@pytest.mark.parametrize(("noise", "n_asked"), [(0.1, [8, 16]), (0.0, [8])])
def test_an_example_is_augmented_alike_in_a_part_and_in_the_whole(noise, n_asked):
    class Drawn(Blobs):
        def batch(self, indices, rng):
            return super().batch(indices, rng if self.noise else None) | {"scale": torch.ones(3)}

    order = TrainingOrder(40, BatchSize(16, 16), 0)
    parts = PartOfEach(order, 1, 2)
    for whole, part in zip(order, parts, strict=True):
        shown, _ = Batches(Drawn(40, 0, noise))[whole]
        examples = Drawn(40, 0, noise)
        own, _ = Batches(examples)[part]
        first, last = part.part
        for name in ("inputs", "targets"):
            assert torch.equal(own[name], shown[name][first:last])
        assert own["scale"].tolist() == [1, 1, 1]
        if len(whole.indices) == 16:
            # Only what is drawn at random costs the whole batch.
            assert [len(indices) for indices in examples.asked] == n_asked


def batch_norm(**settings):
    return nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4, **settings), nn.Linear(4, 2))


class Frozen(nn.BatchNorm1d):
    def train(self, mode=True):
        return super().train(False)


FORMED = {
    "a plain network": (network, "cpu", 16, 3, "trained on 3 devices at once, each with a share"),
    "statistics of batches": (batch_norm, "cpu", 16, 1, "trained on one of 3 devices: batch norm"),
    "the same on GPUs": (batch_norm, "cuda", 16, 3, "trained on 3 devices at once"),
    "statistics that are frozen": (lambda: Frozen(8), "cpu", 16, 3, "trained on 3 devices at once"),
    "statistics that GPUs do not share": (
        lambda: nn.InstanceNorm1d(8, track_running_stats=True),
        "cuda",
        16,
        1,
        "trained on one of 3 devices: a layer keeps statistics",
    ),
    "two examples a batch": (network, "cpu", 2, 2, "trained on 2 devices at once"),
    "one example a batch": (network, "cpu", 1, 1, "trained on one of 3 devices: a batch is one"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMED)
def test_a_fit_is_shared_where_it_stays_the_same_fit_and_says_so(name):
    made, kind, batch_size, n_taken, said = FORMED[name]
    taken, _, told = form(made(), FitPlan(batch_size=batch_size), team(3, kind))
    assert 1 + len(taken.others) == n_taken
    assert len(told) == 1
    assert told[0].startswith(said)


def test_a_shared_fit_is_not_compiled_and_says_so():
    _, plan, told = form(network(), FitPlan(compile=True), team(2))
    assert not plan.compile
    assert told[1].startswith("trained without torch.compile: the fit is shared")


def test_statistics_of_batches_on_a_cpu_stay_in_one_process_with_its_weights(tmp_path):
    def normalised():
        torch.manual_seed(0)
        return batch_norm()

    shared = train(tmp_path / "two", normalised(), device=team(2))
    alone = train(tmp_path / "one", normalised())
    assert shared.weights.read_bytes() == alone.weights.read_bytes()
    assert alone.notes == ()
    assert tuple(map(str, shared.notes)) == (
        "trained on one of 2 devices: batch normalisation over several processes works on GPUs "
        "only",
    )


# Processes that only talk like those that train: each of the two runs what is its own.
ACTING = """
import os, sys, time
from multiprocessing.connection import Connection
Connection(os.dup(0), writable=False).recv()
tell = Connection(os.dup(1), readable=False).send
rank = int(os.environ["LOCAL_RANK"])
if rank == 1:
    {second}
else:
    {other}
"""
HANGS = "time.sleep(600)"


def acted(monkeypatch, second, other=HANGS):
    """Return the processes that a fit starts, once it has, to play these parts."""
    text = ACTING.format(second=second, other=other)
    started = []
    popen = leading.subprocess.Popen
    monkeypatch.setattr(
        leading.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1]
    )
    monkeypatch.setattr(leading, "START", text)
    monkeypatch.setattr(leading, "_EXPLAINS_S", 0.5)
    return started


ENDS = {
    "killed": ("os.kill(os.getpid(), 9)", CardioError, "process 2 of 2 died .exit code -9; out of"),
    "failed": ("tell(('failed', ValueError('bad beat')))", ValueError, "^bad beat$"),
    "ended": ("sys.exit(3)", CardioError, "process 2 of 2 died .exit code 3;"),
}


@pytest.mark.parametrize("name", ENDS)
def test_one_that_ends_ends_all_within_seconds_and_in_one_line(name, monkeypatch, tmp_path):
    second, kind, said = ENDS[name]
    started = acted(monkeypatch, second)
    with pytest.raises(kind, match=said) as caught:
        train(tmp_path, device=team(2))
    assert "\n" not in str(caught.value)
    assert [process.poll() is None for process in started] == [False, False]


def test_what_another_says_of_a_death_is_not_taken_for_its_cause(monkeypatch, tmp_path):
    lost = "time.sleep(.2); tell(('failed', RuntimeError('Connection closed by peer')))"
    acted(monkeypatch, "time.sleep(.4); os.kill(os.getpid(), 9)", lost)
    with refuses(CardioError, "2", code="memory"):
        train(tmp_path, device=team(2))


def test_memory_that_runs_out_on_one_halves_the_batch_of_all(monkeypatch, tmp_path):
    acted(monkeypatch, "tell(('kept', None))", "tell(('failed', RuntimeError('closed')))")
    told = []
    with refuses(CardioError, code="memory"):
        train(tmp_path, device=team(2), plan=FitPlan(batch_size=4), log=told.append)
    assert told[1:] == [
        "batch halved to 2, accumulating 2 (out of memory)",
    ]


def test_what_cannot_be_sent_is_said(tmp_path):
    class Locked(Blobs):
        def __reduce__(self):
            raise TypeError("an open file")

    with refuses(CardioError, "--devices", "1", code="unsupported"):
        train(tmp_path, training=Locked(20, 0), device=team(2))


def test_a_progress_that_raises_leaves_no_process_behind(monkeypatch, tmp_path):
    epoch = "tell(('epoch', ((1, 2, .5, None, 0.), dict.fromkeys(('a', 'b')))))"
    started = acted(monkeypatch, HANGS, f"{epoch}; {HANGS}")

    def stop(*news):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, device=team(2), progress=stop)
    assert [process.poll() is None for process in started] == [False, False]
