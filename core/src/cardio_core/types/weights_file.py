"""Weights of networks as safetensors files: data that cannot run code."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from cardio_core.errors import DataError
from cardio_core.types.unpacking.weights import require_weights

if TYPE_CHECKING:
    from torch import nn

_N_NAMED = 3


def save_weights(network: nn.Module, path: Path) -> str:
    """Write all parameters and buffers of a network, whole or not at all; return the SHA-256.

    The network may be on any device, in any memory layout; tied weights are stored once.
    """
    from safetensors.torch import save_model

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        save_model(network, str(temporary))
        digest = weights_digest(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return digest


def load_weights(network: nn.Module, path: Path, digest: str | None = None) -> None:
    """Read the weights of a network in place, every one of them and no other.

    `digest` is the SHA-256 that the file must have; None accepts any.

    Raises
    ------
    DataError
        If the file is missing, is no safetensors file, has another digest, or does not fit.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_model

    if not path.is_file():
        raise DataError(f"weights: expected a safetensors file at {path}, found none")
    if digest is not None and (found := weights_digest(path)) != digest:
        raise DataError(
            f"weights {path}: expected SHA-256 {digest[:12]}…, found {found[:12]}…; "
            "the file was changed, train again or restore it"
        )
    require_weights(path)
    try:
        load_model(network, str(path))
    except SafetensorError as error:
        raise DataError(
            f"weights {path}: expected a safetensors file, found something else ({error})"
        ) from error
    except RuntimeError as error:
        raise DataError(
            f"weights {path}: do not fit {type(network).__name__}: {_misfit(network, path)}; "
            "they belong to another network or configuration"
        ) from error


def weights_digest(path: Path) -> str:
    """Return the SHA-256 of a weights file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _misfit(network: nn.Module, path: Path) -> str:
    """Say which weights are missing, unexpected or of another shape."""
    from safetensors import safe_open

    with safe_open(str(path), framework="pt") as file:
        stored = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    other = [
        f"{name} {wanted[name]} expected, {stored[name]} found"
        for name in wanted.keys() & stored.keys()
        if wanted[name] != stored[name]
    ]
    kinds = {
        "missing": sorted(wanted.keys() - stored.keys()),
        "unexpected": sorted(stored.keys() - wanted.keys()),
        "of another shape": sorted(other),
    }
    return "; ".join(
        f"{len(names)} {kind} ({', '.join(names[:_N_NAMED])}{', …' * (len(names) > _N_NAMED)})"
        for kind, names in kinds.items()
        if names
    )
