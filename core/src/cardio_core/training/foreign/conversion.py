"""Weights that others stored with torch.save, made into a file that cannot run code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from cardio_core.errors import DataError
from cardio_core.io.atomic import replacing

NESTED = ("state_dict", "model_state_dict", "model")
"""Names under which training scripts keep the weights, beside an epoch or an optimizer."""


def convert_weights(path: Path, out: Path) -> int:
    """Copy the tensors of a ``torch.save`` file into a safetensors file.

    The state dict stands by itself or under one of `NESTED`. It is read with ``weights_only=True``:
    anything but tensors and plain containers is refused. The new file is whole or not there, with
    the names as they are. Returned is how many tensors were written.

    Raises
    ------
    DataError
        If the file cannot be read so, or holds no state dict.
    """
    from safetensors.torch import save_file

    state = _state_of(_read(path), path.name)
    # Views of one storage are written apart: the format stores no tensor twice in one place.
    tensors = {name: value.detach().clone().contiguous() for name, value in state.items()}
    with replacing(out) as temporary:
        save_file(tensors, str(temporary))
    return len(tensors)


def _read(path: Path) -> Any:
    if not path.is_file():
        raise DataError(f"{path}: expected a file of weights, found none")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
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
