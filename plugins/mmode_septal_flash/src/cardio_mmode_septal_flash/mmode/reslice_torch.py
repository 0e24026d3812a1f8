"""Virtual M-modes of many lines and studies on any device.

Space is a gather of the pixels around every place of a line, time a matrix product onto the
columns; the picture is that of `reslice_vtk`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np
import torch
from numpy.typing import NDArray

from cardio_mmode_septal_flash.mmode.time import Interpolation, taps, time_weights
from cardio_ultrasound import CycleVolume, ScanLine

_EDGE = 1e-6
_CPU_LINES = 2
"""Lines at a time on a CPU: their pictures stay in its cache. Other devices take all."""

_CPU_BANDS = 10
"""Columns are made in so many parts on a CPU, each from the frames that it lies between."""


def reslice_torch(
    volumes: Sequence[CycleVolume],
    lines: Sequence[Sequence[ScanLine]],
    *,
    n_rows: int = 500,
    n_columns: int = 500,
    interpolation: Interpolation = "linear",
    device: str = "cpu",
) -> list[NDArray[np.uint8]]:
    """Return the M-modes of the lines of several cycles.

    Parameters
    ----------
    volumes : sequence of CycleVolume
        Cycles of any size and number of frames.
    lines : sequence of sequence of ScanLine
        For each of them, at least one.
    n_rows, n_columns : int
        Along the line, right ventricle first, and in time from the R peak.
    interpolation : {"linear", "cubic"}
        Cubic is Catmull-Rom.
    device : str
        What `torch.device` understands.

    Returns
    -------
    list of ndarray of uint8, shape (n_lines, n_rows, n_columns)
        One for each volume; 0 outside the picture.

    Examples
    --------
    >>> from cardio_ultrasound import ScanLine
    >>> from cardio_ultrasound import CycleVolume
    >>> frames = np.arange(5, dtype=np.uint8)[:, None, None] * np.full((40, 40), 10, np.uint8)
    >>> cycle = CycleVolume(frames, np.arange(5) * 20.0, 80.0, (1.0, 1.0))
    >>> line = ScanLine((20.0, 20.0), (0.0, 1.0), -10.0, 15.0)
    >>> reslice_torch([cycle], [[line]], n_rows=6, n_columns=8)[0][0, 0].tolist()
    [0, 5, 10, 15, 20, 25, 30, 35]
    """
    made = []
    for volume, across in zip(volumes, lines, strict=True):
        flat = torch.from_numpy(volume.frames.reshape(len(volume.frames), -1)).to(device)
        index, weight = _pixels(volume, across, n_rows, interpolation, device)
        in_time = torch.from_numpy(time_weights(volume, n_columns, interpolation)).to(device)
        on_cpu = flat.device.type == "cpu"
        bands = _bands(in_time, _CPU_BANDS if on_cpu else 1)
        pictures = torch.empty((len(across), n_rows, n_columns), dtype=torch.uint8, device=device)
        # All lines of a frame at once: they lie beside each other, in the same part of the memory.
        values = flat.gather(1, index.reshape(1, -1).expand(len(flat), -1))
        by_tap = values.view(len(flat), *weight.shape)
        block = _CPU_LINES if on_cpu else len(across)
        for first in range(0, len(across), block):
            chosen = slice(first * n_rows, (first + block) * n_rows)
            along = _along(by_tap[..., chosen].to(torch.float32), weight[:, chosen])
            shown = pictures[first : first + block].view(-1, n_columns)
            for frames, columns in bands:
                grey = along[:, frames] @ in_time[frames, columns]
                if interpolation == "cubic":
                    grey.clamp_(0.0, 255.5)
                _cut_off(grey, shown[:, columns])
        made.append(pictures)
    return [pictures.cpu().numpy() for pictures in made]


def _pixels(
    volume: CycleVolume,
    lines: Sequence[ScanLine],
    n_rows: int,
    interpolation: Interpolation,
    device: str,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the pixels around every place of the lines and their weights, (n_taps, n_places)."""
    size = volume.frames.shape[1:]
    place = np.concatenate([line.places_px(n_rows, volume.mm_per_pixel).T for line in lines], 1)
    last = np.asarray(size)[:, None] - 1
    held = np.minimum(np.maximum(place, 0.0), last)
    inside = (np.abs(place - held) <= _EDGE).all(axis=0)
    in_row = [
        (at * size[1], (weight * inside).astype(np.float32))
        for at, weight in taps(held[0], size[0], interpolation)
    ]
    in_column = [
        (at, weight.astype(np.float32)) for at, weight in taps(held[1], size[1], interpolation)
    ]
    n_taps = len(in_row) * len(in_column)
    index = np.empty((n_taps, held.shape[1]), dtype=np.int64)
    weights = np.empty(index.shape, dtype=np.float32)
    for tap, ((row, above), (column, sideways)) in enumerate(product(in_row, in_column)):
        np.add(row, column, out=index[tap])
        np.multiply(above, sideways, out=weights[tap])
    return torch.from_numpy(index).to(device), torch.from_numpy(weights).to(device)


def _cut_off(grey: torch.Tensor, pictures: torch.Tensor) -> None:
    """Write grey levels without their fractions; NumPy does that faster than torch on a CPU."""
    if grey.device.type == "cpu":
        np.copyto(pictures.numpy(), grey.numpy(), casting="unsafe")
    else:
        pictures.copy_(grey)


def _along(by_tap: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return grey levels, (n_places, n_frames), of taps, (n_frames, n_taps, n_places), plus a half.

    Half a grey level, so that cutting off the fraction rounds: the weights of a column sum to 1.
    """
    along = by_tap[:, 0] * weight[0]
    for tap in range(1, len(weight)):
        along.addcmul_(by_tap[:, tap], weight[tap])
    return along.add_(0.5).T


def _bands(in_time: torch.Tensor, n_bands: int) -> list[tuple[slice, slice]]:
    """Return parts of the columns, each with the frames that have a weight in it."""
    n_columns = in_time.shape[1]
    if n_bands == 1:
        return [(slice(None), slice(None))]
    edges = np.unique(np.linspace(0, n_columns, n_bands + 1).astype(int)).tolist()
    bands = []
    for first, end in pairwise(edges):
        used = torch.nonzero(in_time[:, first:end].any(dim=1)).flatten().tolist()
        bands.append((slice(used[0], used[-1] + 1), slice(first, end)))
    return bands
