"""Weights of others: Kinetics and released cardiac ones, from a local safetensors file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import nn

from cardio_core.api import DataError

PREFIXES = ("module.", "m.", "model.")
"""What wrappers put before torchvision's names; the released networks say ``m.``."""

HEAD = "fc."
N_KINETICS = 400
_COUNTER = "num_batches_tracked"
_N_NAMED = 3


def start_from_file(network: nn.Module, path: Path) -> str:
    """Copy a file of weights into a network and say in a sentence what was copied.

    Parameters
    ----------
    network : R2Plus1D18
        Changed in place, of the file's width.
    path : Path
        A safetensors file whose names are those of torchvision's r2plus1d_18, with or without a
        prefix. ``.pt`` files are converted beforehand.

    Returns
    -------
    str
        For the notes of the fit.

    Raises
    ------
    DataError
        If the file cannot be read, lacks a weight, holds one that the network has not, or one of
        another shape. There is no partial copy.

    Notes
    -----
    The last layer is kept where it has the network's number of outputs, and left at its random
    start where it has the 400 of Kinetics, or where `cardio data convert-weights` left it out
    because it predicts something else.
    """
    state = read_state(path)
    try:
        mapped = mapped_state(state, network)
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from error
    network.load_state_dict(mapped, strict=False)
    n_fitted = sum(not name.endswith(_COUNTER) for name in mapped)
    head = "its last layer too" if f"{HEAD}weight" in mapped else "its last layer is new"
    return f"started from the weights of {path.name}: {n_fitted} tensors copied, {head}."


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a safetensors file.

    Raises
    ------
    DataError
        If there is no such file, or it is of another format.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise DataError(f"weights: expected a safetensors file at {path}, found none")
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"{path.name}: expected a safetensors file of network weights, found something else "
            f"({error}); convert a .pt file with `cardio data convert-weights FILE --trust`"
        ) from error


def mapped_state(state: Mapping[str, torch.Tensor], network: nn.Module) -> dict[str, torch.Tensor]:
    """Return the tensors under the network's own names, every one of them checked.

    Raises
    ------
    DataError
        If names or shapes do not agree.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> one = nn.Sequential()
    >>> one.fc = nn.Linear(2, 1)
    >>> sorted(mapped_state({"m.fc.weight": torch.ones(1, 2), "m.fc.bias": torch.ones(1)}, one))
    ['fc.bias', 'fc.weight']
    """
    found = {_plain(name): value for name, value in state.items()}
    own = network.state_dict()
    # Counters steer nothing that is used here, and some files lack them.
    needed = {name for name in own if not name.endswith(_COUNTER)}
    if not any(name.startswith(HEAD) for name in found):
        needed = {name for name in needed if not name.startswith(HEAD)}
    _refuse("missing", needed - found.keys(), len(found))
    _refuse("unexpected", found.keys() - own.keys(), len(found))
    if _is_kinetics_head(found, own):
        found = {name: value for name, value in found.items() if not name.startswith(HEAD)}
    other = [
        f"{name} {tuple(own[name].shape)} expected, {tuple(value.shape)} found"
        for name, value in found.items()
        if value.shape != own[name].shape
    ]
    _refuse("of another shape", other, len(found), "; ")
    return found


def _plain(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _is_kinetics_head(found: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor]) -> bool:
    name = f"{HEAD}weight"
    if name not in found:
        return False
    theirs, ours = tuple(found[name].shape), tuple(own[name].shape)
    return theirs[0] == N_KINETICS != ours[0] and theirs[1:] == ours[1:]


def _refuse(kind: str, names: Iterable[str], n_found: int, between: str = ", ") -> None:
    listed = sorted(names)
    if not listed:
        return
    shown = between.join(listed[:_N_NAMED]) + (f"{between}…" if len(listed) > _N_NAMED else "")
    raise DataError(
        f"weights: expected those of r2plus1d_18 at train.width_mult's width, found {n_found} "
        f"tensors with {len(listed)} {kind} ({shown}); give another file, or width_mult 1.0 for a "
        "published one"
    )
