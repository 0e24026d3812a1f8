"""Fit the network of views on phantoms, calibrate it on others, and write its weights.

``python -m cardio_ultrasound.simulation.train_views --out FOLDER`` makes what the package carries:
it learns from stills (`simulation/view_looks.py`) and takes its temperature and its least
probability from loops of scatterers in the same module. No recording is used.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from cardio_ultrasound.simulation.view_looks import (
    KINDS,
    ViewPhantom,
    scanned_phantom,
    view_phantom,
)
from cardio_ultrasound.view_network import ViewNetwork
from cardio_ultrasound.views import SIDE, VIEW_NAMES, pictures

# Pictures of phantoms with their targets: what the network learns from and is calibrated on.

_STEPS = 40.0
"""Levels are kept as whole numbers, this many a standard deviation."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Pictures of loops.

    Attributes
    ----------
    levels : ndarray of int8, shape (n_loops, n_frames, 64, 64)
        Of :func:`pictures`, times 40.
    targets : ndarray, shape (n_loops, n_views)
        Shares of the views, in the order of `VIEW_NAMES`.
    kinds : tuple of str
        What was drawn.
    """

    levels: NDArray[np.int8]
    targets: NDArray[np.float32]
    kinds: tuple[str, ...]

    def pictures(self, loops: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the pictures of loops, shape (n, n_frames, 64, 64)."""
        return self.levels[loops].astype(np.float32) / np.float32(_STEPS)


def draw_examples(
    draw: Callable[[str, np.random.Generator], ViewPhantom],
    n_loops: int,
    n_frames: int,
    seed: int,
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> Examples:
    """Draw loops of every kind, each from a seed of its own.

    Parameters
    ----------
    draw : callable
        A kind and a generator to a phantom of `n_frames` frames.
    n_loops, n_frames : int
    seed : int
    progress : callable
        Hears how many are done.

    Examples
    --------
    >>> from cardio_ultrasound.simulation.view_looks import view_phantom
    >>> made = draw_examples(lambda kind, rng: view_phantom(kind, rng, 1), 3, 1, seed=0)
    >>> made.levels.shape, made.targets.sum(axis=1).tolist()
    ((3, 1, 64, 64), [1.0, 1.0, 1.0])
    """
    levels = np.zeros((n_loops, n_frames, SIDE, SIDE), np.int8)
    targets = np.zeros((n_loops, len(VIEW_NAMES)), np.float32)
    names, shares = list(KINDS), np.array(list(KINDS.values()))
    kinds = []
    for number in range(n_loops):
        rng = np.random.default_rng([seed, number])
        kind = str(rng.choice(names, p=shares / shares.sum()))
        phantom = draw(kind, rng)
        seen = pictures(phantom.frames, phantom.mask)
        levels[number] = np.rint(seen * _STEPS).astype(np.int8)
        for name, share in phantom.target.items():
            targets[number, VIEW_NAMES.index(name)] = share
        kinds.append(kind)
        progress(number + 1)
    return Examples(levels, targets, tuple(kinds))


_FRAMES = 2
_CALIBRATION_FRAMES = 4
_BATCH = 64
_PEAK_RATE = 3e-3
_SMOOTHING = 0.03
_WRONG_AT_MOST = 0.005


def varied(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Return pictures moved, scaled, turned, curved and partly hidden, each by itself."""
    n, side = pictures.shape[0], pictures.shape[-1]

    def drawn(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, generator=generator)

    turn, scale, squeeze = drawn(-0.12, 0.12), drawn(0.85, 1.12), drawn(0.93, 1.07)
    place = torch.stack(
        [
            torch.stack([scale * turn.cos(), -scale * turn.sin(), drawn(-0.1, 0.1)], dim=1),
            torch.stack(
                [scale * squeeze * turn.sin(), scale * squeeze * turn.cos(), drawn(-0.1, 0.1)],
                dim=1,
            ),
        ],
        dim=1,
    )
    grid = nn.functional.affine_grid(place, [n, 1, side, side], align_corners=False)
    moved = nn.functional.grid_sample(pictures[:, None], grid, align_corners=False)[:, 0]
    inside = moved != 0
    curve = drawn(-0.12, 0.12)[:, None, None]
    moved = (moved + curve * (moved**2 - 1)) * drawn(0.75, 1.25)[:, None, None]
    noise = torch.randn(moved.shape, generator=generator) * drawn(0, 0.25)[:, None, None]
    moved = (moved + noise) * inside
    for number in range(n):
        if torch.rand(1, generator=generator) < 0.3:
            size = torch.randint(5, 23, (2,), generator=generator)
            top, left = (
                int(torch.randint(0, side - int(item), (1,), generator=generator)) for item in size
            )
            moved[number, top : top + int(size[0]), left : left + int(size[1])] = 0.0
    return moved


def fit(examples: Examples, n_epochs: int, seed: int, *, progress: bool = True) -> ViewNetwork:
    """Return a network fitted with AdamW on one cycle of learning rates, in evaluation mode."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network = ViewNetwork(len(VIEW_NAMES))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    n_loops = len(examples.targets)
    n_steps = n_epochs * -(-n_loops * _FRAMES // _BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=_PEAK_RATE, weight_decay=0.03)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, _PEAK_RATE, total_steps=n_steps, pct_start=0.15
    )
    rng = np.random.default_rng(seed)
    targets = torch.from_numpy(examples.targets)
    targets = targets * (1 - _SMOOTHING) + _SMOOTHING / targets.shape[1]
    for epoch in range(n_epochs):
        network.train()
        began, losses = time.monotonic(), []
        order = rng.permutation(n_loops)
        for start in range(0, n_loops, _BATCH // _FRAMES):
            loops = order[start : start + _BATCH // _FRAMES]
            seen = torch.from_numpy(examples.pictures(loops)).flatten(0, 1)
            shares = targets[loops].repeat_interleave(_FRAMES, dim=0)
            loss = nn.functional.cross_entropy(network(varied(seen, generator)), shares)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        if progress:
            click.echo(
                f"epoch {epoch + 1} of {n_epochs}: loss {np.mean(losses):.3f}, "
                f"{time.monotonic() - began:.0f} s"
            )
    network.eval()
    return network


@torch.inference_mode()
def loop_logits(network: ViewNetwork, examples: Examples) -> NDArray[np.float64]:
    """Return the mean of the frames' logits of every loop, shape (n_loops, n_views)."""
    found = []
    for start in range(0, len(examples.targets), 32):
        loops = np.arange(start, min(start + 32, len(examples.targets)))
        seen = torch.from_numpy(examples.pictures(loops))
        logits = network(seen.flatten(0, 1)).double().reshape(*seen.shape[:2], -1)
        found.append(logits.mean(dim=1).numpy())
    return np.concatenate(found)


def calibrated(logits: NDArray[np.float64], targets: NDArray[np.float32]) -> tuple[float, float]:
    """Return the temperature of least surprise, and the least probability of a named view.

    With it at most 1 in 200 loops of all kinds together gets the name of a view that it is not.
    """
    temperatures = np.geomspace(0.5, 5.0, 91)

    def surprise(temperature: float) -> float:
        scaled = logits / temperature
        peak = scaled.max(axis=1, keepdims=True)
        log_sum = peak[:, 0] + np.log(np.exp(scaled - peak).sum(axis=1))
        return float((log_sum - (targets * scaled).sum(axis=1)).mean())

    temperature = float(min(temperatures, key=surprise))
    scaled = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    probability = scaled / scaled.sum(axis=1, keepdims=True)
    best = probability.argmax(axis=1)
    wrong = targets[np.arange(len(best)), best] == 0
    for least in np.arange(0.5, 0.995, 0.01):
        if (wrong & (probability.max(axis=1) >= least)).mean() <= _WRONG_AT_MOST:
            break
    return round(temperature, 3), round(float(least), 2)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write to.")
@click.option("--loops", default=10000, show_default=True, help="Phantoms to learn from.")
@click.option("--epochs", default=8, show_default=True, help="Times each is seen.")
@click.option("--seed", default=0, show_default=True, help="Of phantoms and network.")
@click.option("--threads", default=1, show_default=True, help="Threads of the processor.")
def main(out: Path, loops: int, epochs: int, seed: int, threads: int) -> None:
    """Fit and calibrate the network of views; write view_network.safetensors and .json."""
    torch.set_num_threads(threads)
    began = time.monotonic()

    def progress(done: int) -> None:
        if done % 1000 == 0:
            click.echo(f"{done} loops drawn, {time.monotonic() - began:.0f} s")

    examples = draw_examples(
        lambda kind, rng: view_phantom(kind, rng, _FRAMES), loops, _FRAMES, seed, progress=progress
    )
    network = fit(examples, epochs, seed)
    others = draw_examples(
        lambda kind, rng: scanned_phantom(kind, rng, _CALIBRATION_FRAMES, "calibration"),
        min(loops, 800), _CALIBRATION_FRAMES, seed + 1000,
    )  # fmt: skip
    temperature, least = calibrated(loop_logits(network, others), others.targets)
    out.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: value.contiguous().half() if value.is_floating_point() else value
         for name, value in network.state_dict().items()},
        out / "view_network.safetensors",
    )  # fmt: skip
    content = {
        "views": list(VIEW_NAMES), "temperature": temperature, "least_probability": least,
        "loops": loops, "epochs": epochs, "seed": seed, "torch": torch.__version__,
    }  # fmt: skip
    (out / "view_network.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    click.echo(f"written, {time.monotonic() - began:.0f} s: {json.dumps(content)}")


if __name__ == "__main__":
    main()
