"""Fitted things and weights: skops, safetensors, others' checkpoints, cached features."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..cases import Reader, Seed


def _estimators(folder: Path) -> list[Seed]:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from cardio_core.api import ModelArtifact

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)), np.arange(40) % 2
    made = []
    for one in (make_pipeline(StandardScaler(), LogisticRegression()),
                RandomForestClassifier(3, max_depth=3, random_state=0)):  # fmt: skip
        ModelArtifact(folder).save_estimator(one.fit(x, y))
        made.append(
            Seed({"model.skops": (folder / "model.skops").read_bytes()}, "model.skops", "zip")
        )
    return made


def _read_estimator(folder: Path, file: Path) -> list[str]:
    from cardio_core.types.artifact import load_estimator

    load_estimator(file)
    return []


def _network() -> object:
    import torch
    from torch import nn

    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(36, 2))


def _weights(folder: Path) -> list[Seed]:
    from cardio_core.types.artifact import save_weights

    save_weights(_network(), folder / "w.safetensors")  # type: ignore[arg-type]
    raw = (folder / "w.safetensors").read_bytes()
    return [Seed({"w.safetensors": raw}, "w.safetensors", "safetensors")]


def _read_weights(folder: Path, file: Path) -> list[str]:
    from cardio_core.types.artifact import load_weights

    load_weights(_network(), file)  # type: ignore[arg-type]
    return []


def _read_backbone(folder: Path, file: Path) -> list[str]:
    from cardio_core.training.pretrained import load_backbone

    load_backbone(_network(), file)  # type: ignore[arg-type]
    return []


def _checkpoints(folder: Path) -> list[Seed]:
    import torch

    made = []
    for zipped in (True, False):
        path = folder / f"{zipped}.pt"
        torch.save(_network().state_dict(), path, _use_new_zipfile_serialization=zipped)  # type: ignore[attr-defined]
        made.append(
            Seed({"theirs.pt": path.read_bytes()}, "theirs.pt", "zip" if zipped else "bytes")
        )
    return made


def _read_checkpoint(folder: Path, file: Path) -> list[str]:
    from cardio_core.training.pretrained import convert_weights

    convert_weights(file, folder / "out.safetensors")
    return []


def _keras(folder: Path) -> list[Seed]:
    """An .h5 file with weights of layers, as Keras writes them."""
    import h5py

    with h5py.File(folder / "theirs.h5", "w") as file:
        for layer in ("conv1_conv", "conv1_bn"):
            file.create_dataset(f"{layer}/{layer}/kernel:0", data=np.ones((3, 3, 1, 4), np.float32))
    return [Seed({"theirs.h5": (folder / "theirs.h5").read_bytes()}, "theirs.h5", "bytes")]


def _read_keras(folder: Path, file: Path) -> list[str]:
    from cardio_core.training.pretrained import read_keras

    read_keras(file, 4_000_000_000)
    return []


READERS = (
    Reader("model_skops", "Fitted estimator: skops", _estimators, _read_estimator, cost=4),
    Reader("model_safetensors", "Weights of a network: safetensors", _weights, _read_weights),
    Reader("backbone", "Weights given from outside: safetensors", _weights, _read_backbone),
    Reader("checkpoint", "Others' checkpoints, to be converted", _checkpoints, _read_checkpoint),
    Reader("keras", "Others' Keras weights: HDF5", _keras, _read_keras),
)
