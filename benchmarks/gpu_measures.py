"""What is measured of one network on one device; see gpu.py."""

from __future__ import annotations

import copy
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gpu_networks import Workload
from torch import nn
from torch.func import functional_call, grad, replace_all_batch_norm_modules_, stack_module_state
from torch.utils.flop_counter import FlopCounterMode

from cardio_core.compute.devices import Device
from cardio_core.training.engine import fit, why_not_compiled
from cardio_core.training.loader import (
    BatchSize,
    TrainingOrder,
    channels_last,
    each,
    lay_out_channels_last,
    make_loader,
)
from cardio_core.training.plan import FitPlan
from cardio_core.training.prediction import predict

KINDS = ("fp32", "tf32", "bf16")
"""Arithmetic: float32 throughout; matrix products and convolutions in TF32; autocast to bfloat16.

The engine's precision 32 is torch's own: on a GPU convolutions in TF32, other products not.
"""

WARM_UP, ROUNDS = 2, 3


def finish(device: Device) -> float:
    """Return the time once the device has done what it was asked."""
    if device.kind == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def spent(device: Device) -> float:
    """Return the same clock; of a CPU the processor's, which other programs change less."""
    return finish(device) if device.kind == "cuda" else time.process_time()


@contextmanager
def arithmetic(kind: str, device: Device) -> Iterator[None]:
    """Compute in one of the kinds within a block."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = kind == "tf32"
    half = torch.autocast(device.kind, torch.bfloat16) if kind == "bf16" else nullcontext()
    try:
        with half:
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def kinds_on(device: Device) -> tuple[str, ...]:
    """Return the kinds of arithmetic that differ on a device."""
    return KINDS if device.kind == "cuda" else ("fp32", "bf16")


def peak_flops(device: Device, sides: tuple[int, ...]) -> dict[str, float]:
    """Return the most operations a second that a large matrix product reaches, by kind."""
    found = {}
    for kind in kinds_on(device):
        number = torch.bfloat16 if kind == "bf16" else torch.float32
        best = 0.0
        with arithmetic(kind if kind == "tf32" else "fp32", device):
            for n in sides:
                a, b = (torch.randn(n, n, device=device.torch_name, dtype=number) for _ in "ab")
                for _ in range(6):
                    begun = finish(device)
                    a @ b
                    best = max(best, 2.0 * n**3 / (finish(device) - begun))
        found[kind] = best
    return found


def flops(work: Workload) -> dict[str, float]:
    """Return the operations of one example: forward, and forward with backward."""
    network = work.network().eval()
    batch = work.examples(2).batch(np.arange(2), None)
    found = {}
    for name in ("predict", "train"):
        with FlopCounterMode(display=False) as counter:
            outputs = network(batch["inputs"])
            if name == "train":
                work.loss(outputs, batch).backward()
        found[name] = counter.get_total_flops() / 2
    return found


class Bare:
    """A network with one batch that stays on the device, and a plain step: no loader, no engine."""

    def __init__(self, work: Workload, device: Device, last: bool = False) -> None:
        self.network = work.network().to(device.torch_name)
        made = work.examples(work.batch).batch(np.arange(work.batch), None)
        self.batch = each(lambda tensor: tensor.to(device.torch_name), made)
        if last:
            lay_out_channels_last(self.network)
            self.batch["inputs"] = channels_last(self.batch["inputs"])
        self.work, self.called = work, self.network
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=1e-4)

    def train(self) -> None:
        """Take one step."""
        self.network.train()
        outputs = each(lambda tensor: tensor.float(), self.called(self.batch["inputs"]))
        self.work.loss(outputs, self.batch).backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def predict(self) -> None:
        """Compute the outputs."""
        self.network.eval()
        with torch.inference_mode():
            self.called(self.batch["inputs"])


def timed(device: Device, steps: int, step: Callable[[], None]) -> float:
    """Return the seconds of a step, after some that are thrown away."""
    for _ in range(WARM_UP):
        step()
    begun = finish(device)
    for _ in range(steps):
        step()
    return (finish(device) - begun) / steps


def peak_memory(device: Device) -> float | None:
    """Return the most MiB that tensors took since the last call; None where there is no counter."""
    if device.kind != "cuda":
        return None
    found = torch.cuda.max_memory_allocated() / 2**20
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    return round(found, 1)


def bare(work: Workload, device: Device, peaks: dict[str, float]) -> list[dict[str, Any]]:
    """Return the speed by arithmetic and memory layout, with the share of the measured peak."""
    found = []
    n = flops(work)
    for kind in kinds_on(device):
        for last in (False, True):
            peak_memory(device)
            one = Bare(work, device, last)
            row: dict[str, Any] = {"arithmetic": kind, "channels_last": last}
            with arithmetic(kind, device):
                for name, step in (("train", one.train), ("predict", one.predict)):
                    seconds = timed(device, work.steps, step)
                    row[f"{name}_samples_s"] = round(work.batch / seconds, 2)
                    row[f"{name}_share_of_peak"] = work.batch * n[name] / seconds / peaks[kind]
                    row[f"{name}_memory_mib"] = peak_memory(device)
            found.append(row)
    return found


def compiled(work: Workload, device: Device) -> dict[str, Any]:
    """Return the speed of a training step with torch.compile beside that without."""
    if (lacking := why_not_compiled(device)) is not None:
        return {"not_measured": lacking}
    plain, other = Bare(work, device), Bare(work, device)
    other.called = torch.compile(other.network)
    begun = finish(device)
    other.train()
    first = finish(device) - begun
    seconds = [timed(device, work.steps, one.train) for one in (plain, other)]
    return {"first_step_s": round(first, 1), "speedup": round(seconds[0] / seconds[1], 2)}


def graphed(work: Workload, device: Device) -> dict[str, Any]:
    """Return the speed of forward and backward as one CUDA graph beside that of single kernels."""
    if device.kind != "cuda":
        return {"not_measured": "CUDA graphs need a GPU"}
    one = Bare(work, device)
    one.network.train()

    def both() -> None:
        one.work.loss(one.network(one.batch["inputs"]), one.batch).backward()

    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            both()
    torch.cuda.current_stream().wait_stream(aside)
    plain = timed(device, work.steps, both)
    graph = torch.cuda.CUDAGraph()
    one.network.zero_grad(set_to_none=True)
    with torch.cuda.graph(graph):
        both()
    return {"speedup": round(plain / timed(device, work.steps, graph.replay), 2)}


def engine(work: Workload, device: Device, n_workers: int) -> dict[str, Any]:
    """Train two epochs and predict by the engine, with the plugin's examples; return the speed.

    The second epoch counts, of the clock, its history and weights included.
    """
    n = work.batch * work.steps
    examples = work.examples(n)
    plan = FitPlan(
        epochs=2, batch_size=work.batch, optimizer="adamw", channels_last=True, n_workers=n_workers
    )
    peak_memory(device)
    with tempfile.TemporaryDirectory() as folder:
        fitted = fit(
            work.network(), examples, loss=work.loss, plan=plan, device=device, seed=0,
            out=Path(folder),
        )  # fmt: skip
    memory = peak_memory(device)
    predict(fitted.network, examples, device=device, batch_size=work.batch, use_channels_last=True)
    begun = finish(device)
    predict(fitted.network, examples, device=device, batch_size=work.batch, use_channels_last=True)
    seconds = finish(device) - begun
    return {
        "precision": device.precision,
        "n_workers": n_workers,
        "train_samples_s": round(n / fitted.history[-1]["seconds"], 2),
        "predict_samples_s": round(n / seconds, 2),
        "train_memory_mib": memory,
        "notes": list(map(str, fitted.notes)),
    }


def waiting(work: Workload, device: Device, n_workers: int) -> float:
    """Return the share of a training's time in which it waits for its next batch."""
    n = work.batch * work.steps
    order = TrainingOrder(n, BatchSize(work.batch, work.batch), 0)
    loader = make_loader(
        work.examples(n), order, n_workers=n_workers, pin=device.kind == "cuda"
    )  # fmt: skip
    one = Bare(work, device, last=True)
    one.train()
    waited, begun, asked = 0.0, 0.0, 0.0
    for number, (batch, _) in enumerate(loader):
        if number == 0:  # workers that start are no part of it
            begun = asked = finish(device)
            continue
        waited += time.perf_counter() - asked
        moved = each(lambda t: t.to(device.torch_name, non_blocking=True), batch)
        moved["inputs"] = channels_last(moved["inputs"])
        one.batch = moved
        one.train()
        asked = finish(device)
    return waited / (asked - begun) if asked > begun else float("nan")


def together(work: Workload, device: Device, k: int) -> dict[str, Any]:
    """Compare the gradients of k networks in one pass with those of k passes.

    Both take turns, and their medians are compared. Batch normalisation is that of the batch alone
    in both: running means cannot be kept for several networks at once, so that a training would
    have to keep them by itself.
    """
    networks = []
    for seed in range(k):
        torch.manual_seed(seed)
        network = copy.deepcopy(work.network())
        for parameter in network.parameters():
            nn.init.normal_(parameter, std=0.05)
        replace_all_batch_norm_modules_(network)
        networks.append(network.to(device.torch_name).train())
    batch = work.examples(work.batch).batch(np.arange(work.batch), None)
    batch = each(lambda tensor: tensor.to(device.torch_name), batch)
    weights, buffers = stack_module_state(networks)  # type: ignore[arg-type]
    empty = copy.deepcopy(networks[0]).to("meta")

    def loss_of(own: Any, kept: Any) -> torch.Tensor:
        return work.loss(functional_call(empty, (own, kept), (batch["inputs"],)), batch)

    in_one = torch.func.vmap(grad(loss_of), randomness="different")

    def one_pass() -> None:
        in_one(weights, buffers)

    def passes() -> None:
        for network in networks:
            network.zero_grad(set_to_none=True)
            work.loss(network(batch["inputs"]), batch).backward()

    ways = {"k_passes": passes, "one_pass": one_pass}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            begun = spent(device)
            timed(device, work.steps, way)
            taken[name].append(spent(device) - begun)
    seconds = {
        name: statistics.median(times) / (work.steps + WARM_UP) for name, times in taken.items()
    }
    joined = in_one(weights, buffers)
    differences = [
        float((joined[name][place].detach() - value.grad).abs().max())
        for place, network in enumerate(networks)
        for name, value in network.named_parameters()
        if value.grad is not None
    ]
    return {
        "networks": k,
        "speedup": round(seconds["k_passes"] / seconds["one_pass"], 2),
        "one_pass_s": seconds["one_pass"],
        "largest_difference_of_gradients": max(differences),
    }
