"""Readers: files to gated stacks and polar maps, each with the errors of its format."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cardio_spect_polar.readers.find import GatedFiles as GatedFiles
    from cardio_spect_polar.readers.gated import GatedStack as GatedStack
    from cardio_spect_polar.readers.polar_map import PolarMap as PolarMap


def find_gated(places: Path | Sequence[Path]) -> list[GatedFiles]:
    """Find the gated studies among files and below folders; see `readers.find.find_gated`."""
    from cardio_spect_polar.readers.find import find_gated as found

    return found(places)


def read_gated(
    files: GatedFiles | Path | Sequence[Path],
    *,
    voxel_mm: tuple[float, float, float] | None = None,
    min_slots: int | None = None,
) -> GatedStack:
    """Read one gated short-axis study, with the sidecar beside it.

    Parameters
    ----------
    files : GatedFiles, Path or sequence of Path
        What `find_gated` found; or a DICOM or NIfTI file, the NIfTI files of the gates, or a
        folder that holds one study.
    voxel_mm : tuple of float, optional
        Distance of slices, rows and columns in mm, used where a NIfTI header's is a dummy.
    min_slots : int, optional
        Fewest time slots that are accepted: 8 unless named, 6 at least.

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
    >>> from cardio_spect_polar.synthetic.write_nm import write_nm
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     counts = np.random.default_rng(0).poisson(60, (8, 12, 16, 16))
    ...     write_nm(Path(folder) / "p1_rest.dcm", counts, (6.4, 6.4, 6.4))
    ...     (study,) = find_gated(Path(folder))
    ...     stack = read_gated(study)
    >>> study.id, stack.state, stack.voxel_mm
    ('p1_rest', 'rest', (6.4, 6.4, 6.4))
    """
    from cardio_spect_polar.readers.study import read_study

    return read_study(files, voxel_mm=voxel_mm, min_slots=min_slots)


def read_polar_map(path: Path) -> PolarMap:
    """Read a numeric polar map; see `readers.polar_map.read_polar_map`."""
    from cardio_spect_polar.readers.polar_map import read_polar_map as read

    return read(path)
