"""Weights that others stored, made into a file that cannot run code and says where it is from."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from cardio_core.errors import ConfigError, DataError
from cardio_core.io.atomic import replacing
from cardio_core.io.hashing import file_digest
from cardio_core.training.foreign.keras import keras_state, read_keras
from cardio_core.training.foreign.layouts import LAYOUTS, Layout, recognise
from cardio_core.training.foreign.networks import HEADS
from cardio_core.types.unpacking.fitting import require_fitting

NESTED = ("state_dict", "model_state_dict", "model")
"""Names under which training scripts keep the weights, beside an epoch or an optimizer."""

NOT_STATED = "not stated"
PICKLES, KERAS = (".pt", ".pth"), (".h5", ".hdf5")
MAX_BYTES = 4_000_000_000
"""Of a file: the largest network that is published for pictures or clips takes a tenth."""


@dataclass(frozen=True)
class Converted:
    """What became of a file of weights: the key report.

    Attributes
    ----------
    layout, title : str
        As it was recognised; ``as is`` where no layout fits and names are unchanged.
    licence : str
        As the user stated it.
    original, original_sha256 : str
        Name and digest of the file that was converted.
    n_tensors : int
        Written.
    renamed : dict of str to str
        New names by old ones, of those that changed.
    dropped : dict of str to str
        Why each of the others was left out, by old name.
    without_head : bool
        Whether the new file has no last layer, so that a network's own stays as it is.
    """

    layout: str
    title: str
    licence: str
    original: str
    original_sha256: str
    n_tensors: int
    renamed: dict[str, str]
    dropped: dict[str, str]
    without_head: bool


def convert_weights(
    path: Path,
    out: Path,
    *,
    licence: str = NOT_STATED,
    layout: str | None = None,
    further: Mapping[str, Layout] | None = None,
) -> Converted:
    """Copy the tensors of a file of weights into a safetensors file with torchvision's names.

    Parameters
    ----------
    path : Path
        Of ``torch.save``, read with ``weights_only=True``: anything but tensors and plain
        containers is refused. Its state dict stands by itself or under one of `NESTED`. Or the .h5
        file of a Keras DenseNet121, of which only arrays are read.
    out : Path
        The new file is whole or not there. Its metadata hold the key report.
    licence : str
        Under which the weights may be used, in the user's words.
    layout : str, optional
        How tensors are named; without it the names tell. Where none fits they stay as they are.
    further : mapping of str to Layout, optional
        Layouts that come before the core's.

    Raises
    ------
    DataError
        If the file cannot be read so, holds no state dict, or nearly fits a layout.
    ConfigError
        If there is no such layout.
    """
    from safetensors.torch import save_file

    state = _read(path)
    layouts = {**(further or {}), **LAYOUTS}
    try:
        found = recognise({name: value.shape for name, value in state.items()}, layout, layouts)
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from error
    kept, dropped = _renamed(state, found)
    report = Converted(
        found.name if found else "as is",
        found.title if found else "no layout known here; names as they are",
        licence,
        path.name,
        file_digest(path),
        len(kept),
        {old: new for old, new in kept.items() if old != new},
        dropped,
        bool(found) and not any(new.startswith(HEADS) for new in kept.values()),
    )
    # Views of one storage are written apart: the format stores no tensor twice in one place.
    tensors = {new: state[old].detach().clone().contiguous() for old, new in kept.items()}
    said = {name: value if isinstance(value, str) else json.dumps(value)
            for name, value in asdict(report).items()}  # fmt: skip
    with replacing(out) as temporary:
        save_file(tensors, str(temporary), metadata={"format": "pt"} | said)
    return report


def _renamed(
    state: Mapping[str, torch.Tensor], layout: Layout | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the new names of what is kept, and why the rest is not, both by old names."""
    if layout is None:
        return {name: name for name in state}, {}
    names = {name: layout.named(name) or name for name in state}
    if not layout.head_dropped:
        return names, {}
    dropped = {old: layout.head_dropped for old, new in names.items() if new.startswith(HEADS)}
    return {old: new for old, new in names.items() if old not in dropped}, dropped


def _read(path: Path) -> dict[str, torch.Tensor]:
    suffix = path.suffix.lower()
    if suffix not in (*PICKLES, *KERAS):
        raise ConfigError(
            f"{path.name}: expected a .pt or .pth file, or the .h5 of a Keras DenseNet121, found "
            f"{suffix or 'none'}"
        )
    if not path.is_file():
        raise DataError(f"{path}: expected a file of weights, found none")
    if path.stat().st_size > MAX_BYTES:
        raise DataError(
            f"{path.name}: expected at most {MAX_BYTES / 1e9:g} GB of weights, found "
            f"{path.stat().st_size / 1e9:.1f} GB; take a file without the optimizer"
        )
    if suffix in KERAS:
        try:
            return keras_state(read_keras(path, MAX_BYTES))
        except DataError as error:
            where = "" if str(error).startswith(path.name) else f"{path.name}: "
            raise DataError(f"{where}{error}; of a Keras ResNet take the PyTorch file") from error
    return _state_of(_unpickled(path), path.name)


class _WithinItself(io.BufferedReader):
    """A file that is never asked for more bytes than it has.

    A pickle says how long a text is before it: in a damaged one that is gigabytes, and Python makes
    room for them before it finds that they are not there. What is claimed for the tensors is
    compared with the file by torch, before it is written to.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._n_bytes = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """Return so many bytes, or as many as are left."""
        left = max(self._n_bytes - self.tell(), 0)
        return super().read(left if size is None or size < 0 else min(size, left))


def _unpickled(path: Path) -> Any:
    require_fitting([path])  # members of a new file may be packed
    try:
        with _WithinItself(path) as file:
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds: of pickle, of zip, its own
        why = " ".join(str(error).split())[:120]
        raise DataError(
            f"{path.name}: expected weights that torch.load reads with weights_only=True, found "
            f"others ({type(error).__name__}: {why}); ask their authors for a plain state dict"
        ) from error


def _state_of(loaded: Any, name: str) -> dict[str, torch.Tensor]:
    if isinstance(loaded, Mapping):
        nested = (loaded[key] for key in NESTED if isinstance(loaded.get(key), Mapping))
        state = next(nested, loaded)
        other = [key for key, value in state.items() if not isinstance(value, torch.Tensor)]
        if state and not other:
            return {str(key): value for key, value in state.items()}
        found = f"{len(other)} entries that are none ({', '.join(map(str, other[:3]))})"
        found = found if other else "an empty one"
    else:
        found = f"a {type(loaded).__name__}"
    raise DataError(
        f"{name}: expected a state dict of tensors, by itself or under {', '.join(NESTED)}, "
        f"found {found}"
    )
