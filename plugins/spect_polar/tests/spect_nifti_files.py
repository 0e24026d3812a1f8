"""Gated NIfTI files as they are written for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest

from cardio_core.api import DataError
from cardio_spect_polar.readers.studies import read_gated

if TYPE_CHECKING:
    from pathlib import Path


SHAPE = (8, 12, 20, 20)  # slots, slices, rows, columns


VOXEL = (4.0, 5.0, 6.0)  # columns, rows, slices, as NIfTI orders them


PLAIN = np.diag([*VOXEL, 1.0])


def counts(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 900, SHAPE).astype(np.float32)


def as_nifti(values: np.ndarray) -> np.ndarray:
    """Order (slots, slices, rows, columns) as NIfTI does: (x, y, z, t)."""
    return values.transpose(3, 2, 1, 0)


def write(path: Path, values: np.ndarray, affine: np.ndarray | None = PLAIN, **header: Any) -> Path:
    image = nib.Nifti1Image(values, affine)
    for key, value in header.items():
        image.header[key] = value
    nib.save(image, path)
    return path


def write_gates(folder: Path, pattern: str, values: np.ndarray, first: int = 1) -> list[Path]:
    return [
        write(folder / pattern.format(first + gate), as_nifti(values)[..., gate])
        for gate in range(len(values))
    ]


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read_gated(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path.name}: expected ")
    return message
