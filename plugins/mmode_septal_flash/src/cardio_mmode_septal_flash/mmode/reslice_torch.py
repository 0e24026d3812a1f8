"""Virtual M-modes of many lines and studies at once, on any device.

Space is a gather of the pixels around every place of a line, time a matrix product onto the
columns; the picture is that of `reslice_vtk`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from cardio_mmode_septal_flash.mmode.taps import taps
from cardio_mmode_septal_flash.mmode.time import time_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cardio_mmode_septal_flash.mmode.axis import ScanLine
    from cardio_mmode_septal_flash.mmode.taps import Interpolation
    from cardio_mmode_septal_flash.mmode.volume import CycleVolume

_EDGE = 1e-6


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
    >>> from cardio_mmode_septal_flash.mmode.axis import ScanLine
    >>> from cardio_mmode_septal_flash.mmode.volume import CycleVolume
    >>> frames = np.arange(5, dtype=np.uint8)[:, None, None] * np.full((40, 40), 10, np.uint8)
    >>> cycle = CycleVolume(frames, np.arange(5) * 20.0, 80.0, (1.0, 1.0))
    >>> line = ScanLine((20.0, 20.0), (0.0, 1.0), -10.0, 15.0)
    >>> reslice_torch([cycle], [[line]], n_rows=6, n_columns=8)[0][0, 0].tolist()
    [0, 5, 10, 15, 20, 25, 30, 35]
    """
    rows = [
        _along_lines(volume, own, n_rows, interpolation, device)
        for volume, own in zip(volumes, lines, strict=True)
    ]
    columns = [
        torch.from_numpy(time_weights(volume, n_columns, interpolation)).to(device)
        for volume in volumes
    ]
    if len(rows) == 1:
        made = (rows[0].T @ columns[0])[None]
    else:
        made = torch.bmm(_padded(rows).transpose(1, 2), _padded(columns))
    grey = made.add_(0.5).clamp_(0.0, 255.0).to(torch.uint8).cpu().numpy()
    return [
        grey[number, : len(own) * n_rows].reshape(len(own), n_rows, n_columns)
        for number, own in enumerate(lines)
    ]


def _along_lines(
    volume: CycleVolume,
    lines: Sequence[ScanLine],
    n_rows: int,
    interpolation: Interpolation,
    device: str,
) -> torch.Tensor:
    """Return grey levels along the lines in every frame, shape (n_frames, n_lines × n_rows)."""
    n_frames, *size = volume.frames.shape
    place = np.concatenate([line.places_px(n_rows, volume.mm_per_pixel) for line in lines])
    inside = ((place >= -_EDGE) & (place <= np.asarray(size) - 1 + _EDGE)).all(axis=1)
    row, column = np.clip(place, 0.0, np.asarray(size) - 1.0).T
    pixels, weights = [], []
    for row_index, row_weight in taps(row, size[0], interpolation):
        for column_index, column_weight in taps(column, size[1], interpolation):
            pixels.append(row_index * size[1] + column_index)
            weights.append(row_weight * column_weight * inside)
    index = torch.from_numpy(np.concatenate(pixels)).to(device)
    weight = torch.from_numpy(np.stack(weights).astype(np.float32)).to(device)
    flat = torch.from_numpy(volume.frames.reshape(n_frames, -1)).to(device)
    values = flat.index_select(1, index).to(torch.float32).view(n_frames, *weight.shape)
    return torch.einsum("ftp,tp->fp", values, weight)


def _padded(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """Stack matrices of different sizes with zeros around them."""
    n_rows, n_columns = (max(part.shape[axis] for part in parts) for axis in (0, 1))
    stacked = parts[0].new_zeros((len(parts), n_rows, n_columns))
    for place, part in zip(stacked, parts, strict=True):
        place[: part.shape[0], : part.shape[1]] = part
    return stacked
