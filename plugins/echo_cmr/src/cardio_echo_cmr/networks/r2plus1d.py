"""Weights of others: Kinetics and released cardiac ones, from a local safetensors file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from cardio_core.api import DataError


class SpaceConv3d(nn.Conv3d):
    """A `Conv3d` of 1 × k × k: frames become images of a larger batch.

    Where channels are not last in memory, that would cost a copy, and it stays a 3-D convolution.

    Examples
    --------
    >>> conv = SpaceConv3d(3, 4, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False)
    >>> conv(torch.zeros(2, 3, 5, 8, 8)).shape
    torch.Size([2, 4, 5, 4, 4])
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Return the convolved maps, (n, channels, frames, rows, columns)."""
        if not maps.is_contiguous(memory_format=torch.channels_last_3d):
            return super().forward(maps)
        n, n_channels, n_frames, n_rows, n_columns = maps.shape
        images = maps.transpose(1, 2).reshape(n * n_frames, n_channels, n_rows, n_columns)
        made = functional.conv2d(
            images, self.weight[:, :, 0], self.bias, self.stride[1:], self.padding[1:]
        )
        return made.reshape(n, n_frames, *made.shape[1:]).transpose(1, 2)


class TimeConv3d(nn.Conv3d):
    """A `Conv3d` of k × 1 × 1: rows and columns become one dimension.

    Examples
    --------
    >>> conv = TimeConv3d(4, 6, (3, 1, 1), (2, 1, 1), (1, 0, 0), bias=False)
    >>> conv(torch.zeros(2, 4, 5, 8, 8)).shape
    torch.Size([2, 6, 3, 8, 8])
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Return the convolved maps, (n, channels, frames, rows, columns)."""
        n, n_channels, n_frames, n_rows, n_columns = maps.shape
        lines = maps.reshape(n, n_channels, n_frames, n_rows * n_columns)
        made = functional.conv2d(
            lines, self.weight[..., 0], self.bias, (self.stride[0], 1), (int(self.padding[0]), 0)
        )
        return made.reshape(n, made.shape[1], made.shape[2], n_rows, n_columns)


PLANES = (64, 128, 256, 512)
"""Channels of the four stages."""

STEM_MID = 45
"""Channels between the two convolutions of the stem."""

TEMPORAL_STRIDE = 8
"""Frames of the clip behind each frame of the last feature maps: three stages halve the time."""


class R2Plus1D18(nn.Module):
    """The R(2+1)D-18 of Tran et al., CVPR 2018, with the parameters of torchvision's r2plus1d_18.

    Parameters
    ----------
    n_classes : int
        Outputs: 400 for Kinetics, 1 for a logit or a value.
    width_mult : float
        Of the channels of stem and stages; 1.0 is the published network.

    Notes
    -----
    Names and shapes of the state dict are torchvision's, so that its weights fit. 31,505,325
    parameters with 400 outputs, 31,300,638 with one.

    Examples
    --------
    >>> network = R2Plus1D18(1)
    >>> sum(parameter.numel() for parameter in network.parameters())
    31300638
    """

    def __init__(self, n_classes: int = 400, width_mult: float = 1.0) -> None:
        super().__init__()
        planes = [max(1, round(width_mult * n)) for n in PLANES]
        mid = max(1, round(width_mult * STEM_MID))
        self.stem = nn.Sequential(
            SpaceConv3d(3, mid, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
            nn.BatchNorm3d(mid),
            nn.ReLU(inplace=True),
            TimeConv3d(mid, planes[0], (3, 1, 1), padding=(1, 0, 0), bias=False),
            nn.BatchNorm3d(planes[0]),
            nn.ReLU(inplace=True),
        )
        self.layer1 = _stage(planes[0], planes[0], stride=1)
        self.layer2 = _stage(planes[0], planes[1], stride=2)
        self.layer3 = _stage(planes[1], planes[2], stride=2)
        self.layer4 = _stage(planes[2], planes[3], stride=2)
        self.fc = nn.Linear(planes[3], n_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.normal_(self.fc.weight, 0.0, 0.01)
        nn.init.zeros_(self.fc.bias)

    def maps(self, clips: Tensor) -> Tensor:
        """Return the last feature maps.

        Parameters
        ----------
        clips : Tensor, shape (n, 3, frames, rows, columns)

        Returns
        -------
        Tensor, shape (n, channels, ceil(frames / 8), ceil(rows / 16), ceil(columns / 16))
        """
        # The order that folded convolutions need; it stays through the network.
        maps: Tensor = self.stem(clips.contiguous(memory_format=torch.channels_last_3d))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps = stage(maps)
        return maps

    def head(self, maps: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """Return the outputs, shape (n, n_classes), from the last feature maps.

        Parameters
        ----------
        maps : Tensor
            Of `maps`.
        n_frames : Tensor of int64, shape (n,), or None
            How many frames of each clip are recorded, 1 or more; the others, at its end, are left
            out of the average over time. None averages over all.
        """
        made: Tensor = self.fc(masked_average(maps, n_frames))
        return made

    def forward(self, clips: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """Return the outputs of clips, shape (n, n_classes); see `maps` and `head`."""
        return self.head(self.maps(clips), n_frames)


def masked_average(maps: Tensor, n_frames: Tensor | None = None) -> Tensor:
    """Return the mean of feature maps over space and over the recorded time.

    Parameters
    ----------
    maps : Tensor, shape (n, channels, times, rows, columns)
    n_frames : Tensor of int64, shape (n,), or None
        Recorded frames of the clip, before the network made 1 frame of 8.

    Returns
    -------
    Tensor, shape (n, channels)

    Examples
    --------
    >>> maps = torch.tensor([1.0, 9.0]).reshape(1, 1, 2, 1, 1)
    >>> masked_average(maps).item(), masked_average(maps, torch.tensor([8])).item()
    (5.0, 1.0)
    """
    over_space = maps.mean(dim=(3, 4))
    if n_frames is None:
        return over_space.mean(dim=2)
    n_kept = torch.div(n_frames + TEMPORAL_STRIDE - 1, TEMPORAL_STRIDE, rounding_mode="floor")
    n_kept = n_kept.clamp(1, maps.shape[2])[:, None]
    kept = torch.arange(maps.shape[2], device=maps.device)[None] < n_kept
    return (over_space * kept[:, None]).sum(dim=2) / n_kept


def mid_planes(n_in: int, n_out: int) -> int:
    """Return the channels between space and time that give a 3-D convolution's parameters.

    Computed once for a block and used by both of its convolutions, as in the weights that are
    public; the paper's equation for each convolution would give 33,370,839 parameters.

    Examples
    --------
    >>> [mid_planes(64, 64), mid_planes(64, 128), mid_planes(128, 128)]
    [144, 230, 288]
    """
    return 27 * n_in * n_out // (9 * n_in + 3 * n_out)


class _Block(nn.Module):
    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        mid = mid_planes(n_in, n_out)
        self.conv1 = nn.Sequential(
            _space_then_time(n_in, mid, n_out, stride), nn.BatchNorm3d(n_out), nn.ReLU(inplace=True)
        )
        self.conv2 = nn.Sequential(_space_then_time(n_out, mid, n_out), nn.BatchNorm3d(n_out))
        self.downsample: nn.Sequential | None = None
        if stride != 1 or n_in != n_out:
            self.downsample = nn.Sequential(
                nn.Conv3d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm3d(n_out)
            )

    def forward(self, maps: Tensor) -> Tensor:
        shortcut = maps if self.downsample is None else self.downsample(maps)
        return functional.relu(self.conv2(self.conv1(maps)) + shortcut)


def _space_then_time(n_in: int, mid: int, n_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        SpaceConv3d(n_in, mid, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False),
        nn.BatchNorm3d(mid),
        nn.ReLU(inplace=True),
        TimeConv3d(mid, n_out, (3, 1, 1), (stride, 1, 1), (1, 0, 0), bias=False),
    )


def _stage(n_in: int, n_out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(_Block(n_in, n_out, stride), _Block(n_out, n_out, 1))


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
            f"({error}); convert a .pt file with `cardio data convert-weights FILE --allow pickle`"
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
    >>> head = nn.Sequential()
    >>> head.fc = nn.Linear(2, 1)
    >>> sorted(mapped_state({"m.fc.weight": torch.ones(1, 2), "m.fc.bias": torch.ones(1)}, head))
    ['fc.bias', 'fc.weight']
    """
    found = {_plain(name): value for name, value in state.items()}
    expected = network.state_dict()
    # Counters steer nothing that is used here, and some files lack them.
    needed = {name for name in expected if not name.endswith(_COUNTER)}
    if not any(name.startswith(HEAD) for name in found):
        needed = {name for name in needed if not name.startswith(HEAD)}
    _refuse("missing", needed - found.keys(), len(found))
    _refuse("unexpected", found.keys() - expected.keys(), len(found))
    if _is_kinetics_head(found, expected):
        found = {name: value for name, value in found.items() if not name.startswith(HEAD)}
    other = [
        f"{name} {tuple(expected[name].shape)} expected, {tuple(value.shape)} found"
        for name, value in found.items()
        if value.shape != expected[name].shape
    ]
    _refuse("of another shape", other, len(found), "; ")
    return found


def _plain(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _is_kinetics_head(
    found: Mapping[str, torch.Tensor], expected: Mapping[str, torch.Tensor]
) -> bool:
    name = f"{HEAD}weight"
    if name not in found:
        return False
    theirs, ours = tuple(found[name].shape), tuple(expected[name].shape)
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
