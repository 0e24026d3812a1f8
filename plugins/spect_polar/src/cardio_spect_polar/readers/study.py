"""Read one study, whatever its format, together with its sidecar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from cardio_core.api import DataError
from cardio_spect_polar.readers.checks import MIN_SLOTS, numbered
from cardio_spect_polar.readers.find import GatedFiles, gated_files
from cardio_spect_polar.readers.gated import MAX_DROP_OFF, MAX_REJECTED, Base, GatedStack
from cardio_spect_polar.readers.nifti.read import read_nifti
from cardio_spect_polar.readers.nm.read import read_nm
from cardio_spect_polar.readers.radial import require_no_planes
from cardio_spect_polar.readers.sidecar import Sidecar, read_sidecar

TURNED = "the limits given were not used: they count slices from before the stack was turned"


def read_gated(
    files: GatedFiles | Path | Sequence[Path],
    *,
    voxel_mm: tuple[float, float, float] | None = None,
    min_slots: int = MIN_SLOTS,
    base_mm: Base | None = None,
    apex_mm: float | None = None,
    long_axis: tuple[float, float] | Literal["find"] | None = None,
    max_drop_off: float = MAX_DROP_OFF,
    max_rejected: float = MAX_REJECTED,
) -> GatedStack:
    """Read one gated short-axis study, with the sidecar beside it.

    Parameters
    ----------
    files : GatedFiles, Path or sequence of Path
        What `find_gated` found; or a DICOM or NIfTI file, the NIfTI files of the gates, or a
        folder that holds one study.
    voxel_mm : tuple of float, optional
        Distance of slices, rows and columns in mm, used where a NIfTI header's is a dummy, or a
        DICOM header has none.
    min_slots : int
        Fewest time slots that are accepted; 6 at least.
    base_mm : float or tuple of float, optional
        An operator's base at end-diastole, or in each time slot, in mm from the centre of the
        first slice of the file; where the sidecar holds one, that is taken.
    apex_mm : float, optional
        An operator's apex, in the same way.
    long_axis : (float, float) or "find", optional
        Where the long axis runs in slices along the body, as `Sidecar.long_axis`; the sidecar's
        comes first.
    max_drop_off, max_rejected : float
        Handed on to whoever judges the gating, see `GatedStack`.

    Returns
    -------
    GatedStack
        Counts as they are in the file, put in order. A state that only a name tells is filled in.

    Raises
    ------
    DataError
        The study is missing, damaged, contradicts itself, or is no gated short-axis stack. The
        message names the file and no content of its header.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from cardio_spect_polar.readers.find import find_gated
    >>> from cardio_spect_polar.synthetic.write_nm import write_nm
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     counts = np.random.default_rng(0).poisson(60, (8, 12, 16, 16))
    ...     write_nm(Path(folder) / "p1_rest.dcm", counts, (6.4, 6.4, 6.4))
    ...     (study,) = find_gated(Path(folder))
    ...     stack = read_gated(study)
    >>> study.id, stack.state, stack.voxel_mm
    ('p1_rest', 'rest', (6.4, 6.4, 6.4))
    """
    paths = [files] if isinstance(files, Path) else files
    study = paths if isinstance(paths, GatedFiles) else gated_files(paths)
    _require_all_gates(study)
    sidecar = read_sidecar(study.sidecar)
    sidecar = replace(sidecar, long_axis=sidecar.long_axis or long_axis)
    first = study.files[0]
    if first.name.lower().endswith((".nii", ".nii.gz")):
        stack = read_nifti(study.files, voxel_mm=voxel_mm, sidecar=sidecar, min_slots=min_slots)
    else:
        stack = read_nm(first, voxel_mm=voxel_mm, sidecar=sidecar, min_slots=min_slots)
        require_no_planes(first.name, stack.counts)
    if stack.state is None and study.state is not None:
        stack = replace(stack, state=study.state)
    stack = replace(stack, max_drop_off=max_drop_off, max_rejected=max_rejected)
    return _limited(stack, sidecar, base_mm, apex_mm)


def _limited(
    stack: GatedStack, sidecar: Sidecar, base_mm: Base | None, apex_mm: float | None
) -> GatedStack:
    """Return the stack with an operator's limits, the sidecar's before those of all studies."""
    base_mm = base_mm if sidecar.base_mm is None else sidecar.base_mm
    apex_mm = apex_mm if sidecar.apex_mm is None else sidecar.apex_mm
    if sidecar.long_axis is None:
        return replace(stack, base_mm=base_mm, apex_mm=apex_mm)
    if base_mm is None and apex_mm is None:
        return stack
    return replace(stack, flags=(*stack.flags, TURNED))


def _require_all_gates(study: GatedFiles) -> None:
    """Refuse a study with a gate missing or given twice, by the numbers in the names."""
    if not study.gates:
        return
    start = min(study.gates[0], 1)  # numbered from 0 or from 1
    n_gates = study.gates[-1] - start + 1
    missing = sorted(set(range(start, start + n_gates)) - set(study.gates))
    twice = sorted({gate for gate in study.gates if study.gates.count(gate) > 1})
    if missing or twice:
        found = [f"none for {numbered('gate', np.array(missing) - 1)}"] if missing else []
        found += [f"several for {numbered('gate', np.array(twice) - 1)}"] if twice else []
        do = ["copy the missing ones here"] if missing else []
        do += ["delete what is there twice"] if twice else []
        raise DataError(
            f"expected one file for each of {n_gates} gates, found {' and '.join(found)}; "
            f"{' and '.join(do)}"
        )
