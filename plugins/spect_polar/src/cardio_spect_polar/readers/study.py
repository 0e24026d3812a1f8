"""Read one study, whatever its format, together with its sidecar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cardio_core.api import DataError
from cardio_spect_polar.readers.checks import MIN_SLOTS
from cardio_spect_polar.readers.find import GatedFiles, gated_files
from cardio_spect_polar.readers.gated import GatedStack
from cardio_spect_polar.readers.nifti.read import read_nifti
from cardio_spect_polar.readers.nm.read import read_nm
from cardio_spect_polar.readers.sidecar import read_sidecar


def read_study(
    files: GatedFiles | Path | Sequence[Path],
    *,
    voxel_mm: tuple[float, float, float] | None = None,
    min_slots: int | None = None,
) -> GatedStack:
    """Read one gated study; `readers.read_gated` documents it."""
    if isinstance(files, GatedFiles):
        study = files
    else:
        study = gated_files([files] if isinstance(files, Path) else files)
    _require_all_gates(study)
    sidecar = read_sidecar(study.sidecar)
    least = MIN_SLOTS if min_slots is None else min_slots
    first = study.files[0]
    if first.name.lower().endswith((".nii", ".nii.gz")):
        stack = read_nifti(study.files, voxel_mm=voxel_mm, sidecar=sidecar, min_slots=least)
    else:
        stack = read_nm(first, sidecar=sidecar, min_slots=least)
    if stack.state is None and study.state is not None:
        stack = replace(stack, state=study.state)
    return stack


def _require_all_gates(study: GatedFiles) -> None:
    """Refuse a study with a gate missing or given twice, by the numbers in the names."""
    if not study.gates:
        return
    start = min(study.gates[0], 1)  # numbered from 0 or from 1
    n_gates = study.gates[-1] - start + 1
    n_missing = n_gates - len(set(study.gates))
    n_twice = len(study.gates) - len(set(study.gates))
    if n_missing or n_twice:
        raise DataError.unusable(
            study.files[0].name,
            f"one file for each of {n_gates} gates",
            f"{n_missing} gates without a file and {n_twice} files too many",
            "copy the missing gates here, and delete what is there twice",
        )
