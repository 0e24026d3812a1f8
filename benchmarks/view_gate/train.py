"""Fit the network of views on phantoms, calibrate it on others, and write its weights.

``python -m benchmarks.view_gate.train --out FOLDER`` makes what `cardio_ultrasound` carries: the
network learns from hearts in space (`looks`), flat outlines (`outlines`) and rods (`blobs`), partly
as their renderers show them and partly in looks that are new in every step (`maps`), and takes its
temperature and its least probability from superellipses (`ovals`), which it never learns from. No
recording is used.
"""

from __future__ import annotations

import json
import math
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

from cardio_ultrasound.view_network import (
    CALIBRATION,
    WEIGHTS,
    ViewNetwork,
    load_network,
    looked_at,
)
from cardio_ultrasound.views import SIDE, VIEW_NAMES, pictures

from .blobs import blob_phantom
from .looks import (
    MAP_SIDE,
    ViewPhantom,
    drawn_kind,
    scanned_phantom,
    view_phantom,
)
from .maps import level_map, shown
from .outlines import outlined_phantom
from .ovals import oval_phantom

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
) -> Examples:
    """Draw loops of every kind, each from a seed of its own.

    Parameters
    ----------
    draw : callable
        A kind and a generator to a phantom of `n_frames` frames.
    n_loops, n_frames : int
    seed : int

    Examples
    --------
    >>> from benchmarks.view_gate.looks import view_phantom
    >>> made = draw_examples(lambda kind, rng: view_phantom(kind, rng, 1), 3, 1, seed=0)
    >>> made.levels.shape, made.targets.sum(axis=1).tolist()
    ((3, 1, 64, 64), [1.0, 1.0, 1.0])
    """
    levels = np.zeros((n_loops, n_frames, SIDE, SIDE), np.int8)
    targets = np.zeros((n_loops, len(VIEW_NAMES)), np.float32)
    kinds = []
    for number in range(n_loops):
        rng = np.random.default_rng([seed, number])
        kind = drawn_kind(rng)
        phantom = draw(kind, rng)
        seen = pictures(phantom.frames, phantom.mask)
        levels[number] = np.rint(seen * _STEPS).astype(np.int8)
        for name, share in phantom.target.items():
            targets[number, VIEW_NAMES.index(name)] = share
        kinds.append(kind)
    return Examples(levels, targets, tuple(kinds))


_CALIBRATION_FRAMES = 2
_CALIBRATED_ON = 2000
_BATCH = 64
_OF_MAPS = 38
"""Pictures of a batch that are shown afresh; half of them are varied too, as all others are."""
_PEAK_RATE = 1.2e-3
_WARM_UP = 150
_SMOOTHING = 0.03
_MEMORY = 0.999
"""Share of the mean of weights that a step keeps."""
_EARLIER = 0.4
"""Share of the steps after which the mean is kept, for half of the result."""
_WRONG_AT_MOST = 0.01


def varied(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Return pictures as other hands, screens and scanners show them, each by itself.

    They are moved, scaled, turned, mirrored, bent, cut and partly hidden; their grey levels pass
    another curve, gain that changes over the picture, blur and noise; then they are scaled again.
    """
    n, side = pictures.shape[0], pictures.shape[-1]

    def drawn(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, 1, 1, generator=generator)

    def slow(n_coarse: int, channels: int = 1) -> Tensor:
        coarse = torch.randn(n, channels, n_coarse, n_coarse, generator=generator)
        return nn.functional.interpolate(coarse, (side, side), mode="bicubic")

    def sometimes(share: float) -> Tensor:
        return torch.rand(n, 1, 1, generator=generator) < share

    turn, scale, squeeze = drawn(-0.15, 0.15), drawn(0.8, 1.15), drawn(0.88, 1.14)
    mirror = 1 - 2 * sometimes(0.5).float()
    down = torch.cat([scale * turn.cos() * mirror, -scale * turn.sin(), drawn(-0.1, 0.1)], dim=2)
    right = scale * squeeze
    across = torch.cat([right * turn.sin() * mirror, right * turn.cos(), drawn(-0.1, 0.1)], dim=2)
    grid = nn.functional.affine_grid(
        torch.cat([down, across], dim=1), [n, 1, side, side], align_corners=False
    )
    grid = grid + (slow(5, 2) * drawn(0.0, 0.03)[:, None]).permute(0, 2, 3, 1)
    moved = nn.functional.grid_sample(pictures[:, None], grid, align_corners=False)[:, 0]
    ways = torch.linspace(-1, 1, side)
    edge = 1.05 - 0.45 * torch.rand(n, 3, 1, 1, generator=generator) * sometimes(0.25)[:, None]
    inside = (
        (moved != 0) & (ways < edge[:, 0]) & (ways > -edge[:, 1]) & (ways[:, None] < edge[:, 2])
    )
    share = torch.clamp((moved + 2.5) / 5.5, 1e-3, 1.0)
    moved = share ** torch.exp(drawn(-0.8, 0.8)) * 5.5
    moved = moved + slow(4)[:, 0] * drawn(0.0, 0.7) + slow(12)[:, 0] * drawn(0.0, 0.3)
    blurred = nn.functional.avg_pool2d(moved[:, None], 3, 1, 1)[:, 0]
    moved = moved + drawn(-0.6, 0.9) * (blurred - moved) * sometimes(0.5)
    noise = torch.randn(moved.shape, generator=generator)
    coarse = nn.functional.avg_pool2d(noise[:, None], 3, 1, 1)[:, 0] * 2.5
    moved = moved + torch.where(sometimes(0.5), noise, coarse) * drawn(0, 0.5)
    low, high = drawn(-0.5, 2.0), drawn(3.2, 7.0)
    moved = torch.minimum(torch.maximum(moved, low), high)
    for number in torch.nonzero(sometimes(0.35).flatten()).flatten().tolist():
        size = torch.randint(5, 25, (2,), generator=generator)
        top, left = (
            int(torch.randint(0, side - int(item), (1,), generator=generator)) for item in size
        )
        level = low[number, 0, 0] + torch.rand(1, generator=generator) * 4
        moved[number, top : top + int(size[0]), left : left + int(size[1])] = level
    count = inside.sum(dim=(1, 2), keepdim=True).clamp(min=1)
    moved = moved - (moved * inside).sum(dim=(1, 2), keepdim=True) / count
    spread = ((moved * inside) ** 2).sum(dim=(1, 2), keepdim=True) / count
    return (moved / spread.sqrt().clamp(min=1e-3)).clamp(-3, 3) * inside


def draw_maps(n_maps: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return maps, shape (n_maps, 112, 112), and the shares of views in them."""
    made = torch.zeros(n_maps, MAP_SIDE, MAP_SIDE, dtype=torch.uint8)
    targets = torch.zeros(n_maps, len(VIEW_NAMES))
    for number in range(n_maps):
        rng = np.random.default_rng([seed, number])
        levels, target = level_map(drawn_kind(rng), rng)
        made[number] = torch.from_numpy(levels)
        for name, share in target.items():
            targets[number, VIEW_NAMES.index(name)] = share
    return made, targets


def fit(
    network: ViewNetwork, examples: Examples, maps: tuple[Tensor, Tensor], n_steps: int, seed: int
) -> ViewNetwork:
    """Return a network with the mean of its weights over steps of AdamW, in evaluation mode.

    It is the mean of what that was after two fifths of the steps and at their end.

    Half a cosine takes the learning rate to zero. Every step sees pictures of `examples` and maps
    in new looks.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters(), lr=_PEAK_RATE, weight_decay=0.03)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min(1, step / _WARM_UP) * (1 + math.cos(math.pi * step / n_steps)) / 2,
    )
    rule = torch.optim.swa_utils.get_ema_multi_avg_fn(_MEMORY)  # type: ignore[no-untyped-call]
    mean = torch.optim.swa_utils.AveragedModel(network, multi_avg_fn=rule, use_buffers=True)
    targets, losses = torch.from_numpy(examples.targets), []
    for step in range(1, n_steps + 1):
        of_maps = torch.randint(len(maps[0]), (_OF_MAPS,), generator=generator)
        loops = torch.randint(len(targets), (_BATCH - _OF_MAPS,), generator=generator)
        afresh = shown(maps[0][of_maps], SIDE, generator)
        seen = torch.from_numpy(examples.pictures(loops.numpy())).flatten(0, 1)
        half = _OF_MAPS // 2
        seen = torch.cat([afresh[:half], varied(torch.cat([afresh[half:], seen]), generator)])
        target = torch.cat([maps[1][of_maps], targets[loops]])
        target = target * (1 - _SMOOTHING) + _SMOOTHING / target.shape[1]
        loss = nn.functional.cross_entropy(network(seen), target)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        mean.update_parameters(network)
        if step == max(1, round(_EARLIER * n_steps)):
            earlier = {name: value.clone() for name, value in mean.module.state_dict().items()}
        losses.append(float(loss.detach()))
        if step % 200 == 0:
            click.echo(f"step {step} of {n_steps}: loss {np.mean(losses[-200:]):.3f}")
    network.load_state_dict(
        {
            name: (value + earlier[name]) / 2 if value.is_floating_point() else value
            for name, value in mean.module.state_dict().items()
        }
    )
    return network.eval()


@torch.inference_mode()
def loop_logits(network: ViewNetwork, examples: Examples) -> NDArray[np.float64]:
    """Return the mean logits of every loop's frames as `looked_at`, (n_loops, n_views)."""
    found = []
    for start in range(0, len(examples.targets), 32):
        loops = np.arange(start, min(start + 32, len(examples.targets)))
        seen = torch.from_numpy(examples.pictures(loops))
        logits = network(looked_at(seen.flatten(0, 1))).double().reshape(4, *seen.shape[:2], -1)
        found.append(logits.mean(dim=(0, 2)).numpy())
    return np.concatenate(found)


def calibrated(logits: NDArray[np.float64], targets: NDArray[np.float32]) -> tuple[float, float]:
    """Return the temperature of least surprise, and the least probability of a named view.

    With it at most 1 in 100 loops of all kinds together gets the name of a view that it is not.
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
    share = targets[np.arange(len(best)), best]
    # What no class fits may be called `other`, but nothing else.
    wrong = (share < 0.3) & ((share == 0) | (best != VIEW_NAMES.index("other")))
    for least in np.arange(0.5, 0.995, 0.01):
        if (wrong & (probability.max(axis=1) >= least)).mean() <= _WRONG_AT_MOST:
            break
    return round(temperature, 3), round(float(least), 2)


def _rendered(kind: str, rng: np.random.Generator) -> ViewPhantom:
    """Draw a picture as one of four renderers shows it."""
    which = rng.random()
    if which < 0.5:
        return (view_phantom if which < 0.3 else scanned_phantom)(kind, rng, 1)
    return (outlined_phantom if which < 0.75 else blob_phantom)(kind, rng, 1)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write to.")
@click.option(
    "--start", type=click.Path(exists=True, path_type=Path), default=WEIGHTS,
    help="Weights to go on from.",
)  # fmt: skip
@click.option("--loops", default=8000, show_default=True, help="As their renderers show them.")
@click.option("--maps", default=30000, show_default=True, help="Shown in new looks.")
@click.option("--steps", default=6800, show_default=True, help="Of 64 pictures.")
@click.option("--threads", default=1, show_default=True, help="Threads of the processor.")
def main(out: Path, start: Path, loops: int, maps: int, steps: int, threads: int) -> None:
    """Fit and calibrate the network of views; write view_network.safetensors and .json."""
    torch.set_num_threads(threads)
    began = time.monotonic()
    examples = draw_examples(_rendered, loops, 1, 200)
    drawn = draw_maps(maps, 500)
    click.echo(f"phantoms drawn, {time.monotonic() - began:.0f} s")
    network = fit(load_network(start), examples, drawn, steps, 1)
    others = draw_examples(
        lambda kind, rng: oval_phantom(kind, rng, _CALIBRATION_FRAMES), _CALIBRATED_ON,
        _CALIBRATION_FRAMES, 3000,
    )  # fmt: skip
    temperature, least = calibrated(loop_logits(network, others), others.targets)
    out.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: value.contiguous().half() if value.is_floating_point() else value
         for name, value in network.state_dict().items()},
        out / WEIGHTS.name,
    )  # fmt: skip
    content = {
        "views": list(VIEW_NAMES), "temperature": temperature, "least_probability": least,
        "loops": loops, "maps": maps, "steps": steps, "torch": torch.__version__,
    }  # fmt: skip
    (out / CALIBRATION.name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    click.echo(f"written, {time.monotonic() - began:.0f} s: {json.dumps(content)}")


if __name__ == "__main__":
    main()
