"""The networks of the plugins at full size, and at a size that a CPU answers for in seconds.

What they are fed has the shapes and the types of what the plugins' readers make, drawn at random,
and goes through the plugins' own examples: cutting, cropping and augmentation cost what they cost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from cardio_core.training.examples import ArrayExamples, Examples
from cardio_ecg_transfer.beats.examples import Beats
from cardio_ecg_transfer.networks.augment import Augmentation
from cardio_ecg_transfer.networks.beat_net import BeatNet
from cardio_ecg_transfer.networks.resnet import BeatResNet
from cardio_ecg_transfer.response.beat_network import Patients
from cardio_echo_cmr.clips import STEP_MS, ClipForm
from cardio_echo_cmr.networks.clip_network import ClipNetwork
from cardio_echo_cmr.networks.examples import Clips, Grey
from cardio_mmode_septal_flash.networks.densenet import FlashDenseNet
from cardio_mmode_septal_flash.networks.heat_maps import Pictures as MModes
from cardio_spect_polar.flow.transfer import Pictures as PolarMaps
from cardio_spect_polar.networks.autoencoders import PaperAutoencoder
from cardio_spect_polar.networks.flow_resnet import FlowResNet

Loss = Callable[[Any, dict[str, Any]], torch.Tensor]
N_MEASURED, N_SEGMENTS, N_CELLS = 229, 18, 864


@dataclass(frozen=True)
class Workload:
    """A network, what it is fed, and how much of it at once.

    Attributes
    ----------
    title, plugin : str
    size : str
        Of one example, in words.
    network : callable
        Makes one, from fixed weights.
    examples : callable
        Makes so many examples.
    loss : callable
    batch : int
        As the plugin's configuration has it.
    steps : int
        Batches that are timed.
    together : bool
        Whether it is small enough for several to be trained as one.
    """

    title: str
    plugin: str
    size: str
    network: Callable[[], nn.Module]
    examples: Callable[[int], Examples]
    loss: Loss
    batch: int
    steps: int
    together: bool = False


def seeded(make: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    """Return what makes the same network every time."""

    def made() -> nn.Module:
        torch.manual_seed(0)
        return make()

    return made


def grey(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return random grey levels."""
    return rng.integers(0, 256, shape, dtype=np.uint8)


def labels(n: int, n_classes: int = 2) -> np.ndarray:
    """Return classes in turn."""
    return np.arange(n, dtype=np.int64) % n_classes


def logistic(outputs: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
    """Return the mean binary cross-entropy."""
    return nn.functional.binary_cross_entropy_with_logits(outputs, batch["targets"])


def cross_entropy(outputs: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
    """Return the mean cross-entropy."""
    return nn.functional.cross_entropy(outputs, batch["targets"])


def squared(outputs: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
    """Return the mean squared error."""
    return nn.functional.mse_loss(outputs, batch["targets"])


def clips(n: int, n_frames: int, side: int) -> Clips:
    """Return videos twice as long as a clip, which is cut at random in training."""
    rng = np.random.default_rng(0)
    times = np.tile(np.arange(2 * n_frames) * STEP_MS, (n, 1))
    form = ClipForm("honest", n_frames, 1, side // 9)
    videos = grey(rng, n, 2 * n_frames, side, side)
    wanted = labels(n).astype(np.float32)
    return Clips(videos, times, form, Grey(60.0, 50.0), np.arange(n), np.zeros(n), wanted)


def polar_maps(n: int, side: int) -> PolarMaps:
    """Return pictures of polar maps."""
    rng = np.random.default_rng(0)
    return PolarMaps(
        grey(rng, n, 1, side, side), rng.normal(size=(n, N_SEGMENTS)).astype(np.float32)
    )


def beats(n: int, side: int, n_channels: int = 6) -> Beats:
    """Return spectrograms of beats: two leads of three kinds."""
    rng = np.random.default_rng(0)
    augmentation = Augmentation(
        time_shift=0.05, time_stretch=0.1, frequency_stretch=0.1, mask=0.2, contrast=0.1,
        lead_dropout=0.2, side_noise=0.1,
    )  # fmt: skip
    side_features = rng.normal(size=(n, 8)).astype(np.float32)
    pictures = grey(rng, n, n_channels, side, side)
    return Beats(pictures, side_features, labels(n, 5), 2, augmentation)


def m_modes(n: int, side: int) -> MModes:
    """Return pictures of M-modes."""
    rng = np.random.default_rng(0)
    mean = np.full((side, side), 60, np.float32)
    return MModes(grey(rng, n, side, side), mean, labels(n), contrast=2.0, even_gain=True)


def patients(n: int, n_samples: int) -> Patients:
    """Return median beats with what was measured in them."""
    rng = np.random.default_rng(0)
    return Patients(
        rng.normal(size=(n, 12, n_samples)).astype(np.float32),
        rng.normal(size=(n, N_MEASURED)).astype(np.float32),
        labels(n).astype(np.float32),
    )


def phase_maps(n: int, n_cells: int) -> ArrayExamples:
    """Return maps that are their own targets."""
    maps = np.random.default_rng(0).normal(size=(n, n_cells)).astype(np.float32)
    return ArrayExamples(maps, maps)


def workloads(small: bool) -> dict[str, Workload]:
    """Return all of them at one size.

    Parameters
    ----------
    small : bool
        Sizes for a CPU, at which no speed says anything of the method.
    """
    width = 0.125 if small else 1.0
    frames, video, picture, m_mode = (8, 32, 32, 64) if small else (32, 112, 224, 256)
    samples, cells, hidden = (41, 96, 32) if small else (121, N_CELLS, 512)
    steps = 2 if small else 30

    def of(most: int) -> int:
        return min(most, 4) if small else most

    return {
        "r2plus1d": Workload(
            "R(2+1)D-18", "echo_cmr", f"{frames} frames of {video} x {video}",
            seeded(lambda: ClipNetwork(width)), lambda n: clips(n, frames, video),
            logistic, of(10), steps,
        ),
        "flow_resnet": Workload(
            "ResNet-50 on polar maps", "spect_polar", f"{picture} x {picture}",
            seeded(lambda: FlowResNet(N_SEGMENTS, width_mult=width, small_stem=small)),
            lambda n: polar_maps(n, picture), squared, of(32), steps,
        ),
        "beat_resnet": Workload(
            "ResNet-50 on spectrograms", "ecg_transfer", f"6 x {picture} x {picture}",
            seeded(
                lambda: BeatResNet(
                    50, n_input_channels=6, n_side=8, width_mult=width, small_stem=small
                )
            ),
            lambda n: beats(n, picture), cross_entropy, of(250), steps,
        ),
        "densenet": Workload(
            "DenseNet121 on M-modes", "mmode_septal_flash", f"{m_mode} x {m_mode}",
            seeded(lambda: FlashDenseNet(2, width_mult=width)),
            lambda n: m_modes(n, m_mode), cross_entropy, of(16), steps,
        ),
        "beat_net": Workload(
            "Small network on the median beat", "ecg_transfer", f"12 x {samples}, {N_MEASURED}",
            seeded(lambda: BeatNet(N_MEASURED, dropout=0.0)),
            lambda n: patients(n, samples), logistic, 16, steps * (1 if small else 10), True,
        ),
        "autoencoder": Workload(
            "Linear autoencoder of phase maps", "spect_polar", f"{cells} cells",
            seeded(lambda: PaperAutoencoder(cells, hidden, 8 if small else 64)),
            lambda n: phase_maps(n, cells), squared, 16 if small else 60,
            steps * (1 if small else 10), True,
        ),
    }  # fmt: skip
