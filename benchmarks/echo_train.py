"""Training steps a second: the engine's settings beside a plain loop as EchoNet-Dynamic's.

    python benchmarks/echo_train.py --width 0.25 --frames 16

Both train R(2+1)D-18 from the same weights on the same clips, which lie in memory: grey for ours
(the network repeats them), RGB for the peer. The peer is a plain loop: torch's own Conv3d, channels
first, float32, SGD with momentum, the loss read after every step. Ours is the engine with AdamW,
channels last, folded convolutions and the precision that is asked for. A step is timed from the
fetching of one batch to the fetching of the next; the first of every epoch is thrown away, rounds
take turns, and times are medians. On a CPU the processor's time counts, which other programs on the
machine change less than the time that passes. The share of the peak is that of the fastest matrix
product of the same run and precision; what a step computes is counted by torch.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from speed.ratios import add_ratios, keep_ratios
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cardio_core.compute.devices import Device, choose_device
from cardio_core.training.engine import fit
from cardio_core.training.plan import FitPlan
from cardio_echo_cmr.networks.clip_network import ClipNetwork
from cardio_echo_cmr.networks.r2plus1d import R2Plus1D18

WAYS = ("plain loop", "ours")


class PlainNetwork(R2Plus1D18):
    """The same network as torchvision computes it: 3-D convolutions, channels first."""

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Return the outputs, shape (n, 1)."""
        maps = self.stem(clips)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps = stage(maps)
        return self.fc(maps.mean(dim=(2, 3, 4)))


def plain_network(network: R2Plus1D18, width: float) -> PlainNetwork:
    """Return a network of the same weights that folds no convolution."""
    plain = PlainNetwork(1, width)
    plain.load_state_dict(network.state_dict())
    for module in plain.modules():
        if isinstance(module, nn.Conv3d):
            module.__class__ = nn.Conv3d
    return plain


class GreyClips:
    """Clips in memory, as the engine asks for them."""

    def __init__(self, clips: np.ndarray, labels: np.ndarray) -> None:
        self.clips, self.labels = torch.from_numpy(clips), torch.from_numpy(labels)
        self.fetched_s: list[float] = []

    def __len__(self) -> int:
        return len(self.clips)

    def batch(self, indices: np.ndarray, rng: np.random.Generator | None) -> dict:
        """Return clips of shape (n, 1, frames, rows, columns) with their labels."""
        self.mark()
        n_frames = torch.full((len(indices),), self.clips.shape[1])
        inputs = {"clip": self.clips[indices][:, None], "n_frames": n_frames}
        return {"inputs": inputs, "targets": self.labels[indices]}

    def mark(self) -> None:
        """Note the time."""
        self.fetched_s.append(now())

    def steps_s(self) -> list[float]:
        """Return how long each step took but the first, and forget the times.

        Lightning fetches one batch ahead, so that the first difference is of no step.
        """
        steps = np.diff(self.fetched_s)[1:].tolist()
        self.fetched_s = []
        return steps


def now() -> float:
    """Return seconds: of the processor, or of the clock once a GPU has done what it was asked."""
    if not torch.cuda.is_initialized():
        return time.process_time() / torch.get_num_threads()
    torch.cuda.synchronize()
    return time.perf_counter()


def loss_of(outputs: torch.Tensor, batch: dict) -> torch.Tensor:
    """Return the mean cross-entropy of a batch."""
    return nn.functional.binary_cross_entropy_with_logits(outputs, batch["targets"])


def ours(network: ClipNetwork, examples: GreyClips, plan: FitPlan, device: Device) -> None:
    """Train an epoch with the engine."""
    with tempfile.TemporaryDirectory() as folder:
        fit(network, examples, loss=loss_of, plan=plan, device=device, seed=0, out=Path(folder))


def plain(network: PlainNetwork, examples: GreyClips, batch_size: int, device: Device) -> None:
    """Train an epoch with a plain loop."""
    place = torch.device(device.torch_name)
    network.to(place).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9, weight_decay=1e-4)
    colour = examples.clips[:, None].repeat(1, 3, 1, 1, 1)
    for start in range(0, len(examples), batch_size):
        examples.mark()
        clips = colour[start : start + batch_size].to(place)
        labels = examples.labels[start : start + batch_size].to(place)
        outputs = network(clips)
        loss = nn.functional.binary_cross_entropy_with_logits(outputs.view(-1), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
    examples.mark()


def peak_flops(device: Device) -> float:
    """Return the most floating-point operations a second that matrix products reach."""
    place = torch.device(device.torch_name)
    kind = {"32": torch.float32, "bf16": torch.bfloat16, "16": torch.float16}[device.precision]
    best = 0.0
    for n in (512, 1024, 2048) if device.kind == "cpu" else (4096, 8192):
        a, b = (torch.randn(n, n, device=place).to(kind) for _ in range(2))
        for _ in range(5):
            begun = now()
            a @ b
            best = max(best, 2.0 * n**3 / (now() - begun))
    return best


def step_flops(width: float, clips: torch.Tensor) -> float:
    """Return what a forward and a backward pass over these clips compute."""
    network = ClipNetwork(width)
    counter = FlopCounterMode(display=False)
    with counter:
        outputs = network({"clip": clips[:, None], "n_frames": torch.full((len(clips),), 8)})
        outputs.sum().backward()
    return float(counter.get_total_flops())


def main() -> None:
    """Run both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=float, default=0.25, help="of the channels; 1 is published")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--side", type=int, default=112)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=3, help="of an epoch, 3 or more")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="32", choices=("32", "bf16", "16"))
    parser.add_argument("--compile", action="store_true", help="ours, by torch.compile")
    add_ratios(parser)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    device = choose_device(asked.device, asked.precision)
    rng = np.random.default_rng(0)
    n = asked.batch * asked.steps
    examples = GreyClips(
        rng.normal(size=(n, asked.frames, asked.side, asked.side)).astype(np.float32),
        (np.arange(n) % 2).astype(np.float32),
    )
    torch.manual_seed(0)
    first = ClipNetwork(asked.width)
    plan = FitPlan(
        epochs=1,
        batch_size=asked.batch,
        optimizer="adamw",
        weight_decay=0.01,
        channels_last=True,
        compile=asked.compile,
    )
    ways: dict[str, Callable[[], None]] = {
        "plain loop": lambda: plain(
            plain_network(first.m, asked.width), examples, asked.batch, device
        ),
        "ours": lambda: ours(copy.deepcopy(first), examples, plan, device),
    }
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(asked.rounds):
        for way in WAYS:
            ways[way]()
            taken[way] += examples.steps_s()
    step_s = {way: statistics.median(times) for way, times in taken.items()}
    name = f"training step of width {asked.width:g} beside a plain loop"
    keep_ratios(asked.ratios, {name: step_s["plain loop"] / step_s["ours"]})
    peak = peak_flops(device)
    # Every clip costs the same, so that one is counted.
    flops = asked.batch * step_flops(asked.width, examples.clips[:1])
    print(
        f"R(2+1)D-18 of width {asked.width:g}, {asked.batch} clips of {asked.frames} x {asked.side}"
    )
    print(f"{device}, torch.compile {'on' if asked.compile else 'off'}")
    print(f"{flops / 1e9:.0f} GFLOP a step; measured peak {peak / 1e9:.0f} GFLOP/s\n")
    print(f"{'way':20}{'s a step':>10}{'clips/s':>9}{'of the peak':>13}{'ratio':>8}")
    for way, seconds in step_s.items():
        share = flops / seconds / peak
        ratio = step_s["plain loop"] / seconds
        print(f"{way:20}{seconds:10.3f}{asked.batch / seconds:9.1f}{share:13.0%}{ratio:8.2f}")


if __name__ == "__main__":
    main()
