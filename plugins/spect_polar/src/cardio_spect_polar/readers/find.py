"""Find the gated studies of a folder: DICOM NM images, and NIfTI files grouped by gate."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cardio_core.api import DataError
from cardio_spect_polar.readers.gated import State
from cardio_spect_polar.readers.nifti.gate_names import group_gates, stem_of
from cardio_spect_polar.readers.nifti.opening import open_nifti
from cardio_spect_polar.readers.nm.peek import Peek, peek
from cardio_spect_polar.readers.sidecar import read_sidecar
from cardio_spect_polar.readers.state import state_of_path

_MASK = re.compile(r"(?<![a-z])(masks?|labels?|seg|segmentation|gt)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True)
class GatedFiles:
    """The files of one gated study.

    Attributes
    ----------
    id : str
        Path below the folder, without suffix and gate.
    files : tuple of Path
        One file, or one for every gate in the order of the gates.
    state : {"stress", "rest"} or None
        As the sidecar, the names of file and folder, or the DICOM header say.
    gates : tuple of int
        Numbers of the gates in the names of the files; empty for a single file.
    sidecar : Path
        Where a sidecar would lie.
    patient, examination : str
        Digests of whose it is and of which examination, as a DICOM header says, for comparison
        only; empty where it does not.
    """

    id: str
    files: tuple[Path, ...]
    state: State | None
    gates: tuple[int, ...]
    sidecar: Path
    patient: str = ""
    examination: str = ""


def find_gated(places: Path | Sequence[Path]) -> list[GatedFiles]:
    """Find the gated studies among files and below folders.

    Parameters
    ----------
    places : Path or sequence of Path
        Files are taken as they are named. Below a folder, NM images are found by content, and
        ``.nii`` and ``.nii.gz`` files; masks and labels are left out, DICOM objects of other
        classes, and names that begin with a dot. Volumes that are named alike but for the gate
        (``p7_rest_gate3.nii.gz``) are one study; see `readers.nifti.gate_names`. Of a DICOM
        examination that has gated reconstructed slices, projections and long axes are left out.

    Returns
    -------
    list of GatedFiles
        In the order of their ids. Nothing has been decoded: a damaged file is found here and
        refused where it is read.

    Raises
    ------
    DataError
        A place that does not exist.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for gate in range(1, 9):
    ...         _ = (Path(folder) / f"p7_rest_gate{gate}.nii").write_bytes(b"")
    ...     (study,) = find_gated(Path(folder))
    >>> study.id, study.state, len(study.files)
    ('p7_rest', 'rest', 8)
    """
    found: list[GatedFiles] = []
    named: list[Path] = []
    for place in [places] if isinstance(places, Path) else places:
        if place.is_dir():
            found += _studies(_worth_reading(place), place)
        elif place.is_file():
            named.append(place)
        else:
            raise DataError.unusable(place.name, "a file or a folder", "none", "check the path")
    if named:
        found += _studies(named, named[0].parent, chosen=True)
    return sorted(found, key=lambda study: study.id)


def gated_files(paths: Sequence[Path]) -> GatedFiles:
    """Make one study of files that somebody chose.

    Parameters
    ----------
    paths : sequence of Path
        One file; the files of the gates in any order; or one folder that holds one study.

    Raises
    ------
    DataError
        A folder with no study or several; files that do not make up one study.
    """
    studies = find_gated(paths)
    if len(studies) != 1:
        raise DataError.unusable(
            paths[0].name,
            "the files of one gated study",
            f"{len(studies)} studies",
            "choose the files of one, or name those of its gates alike: study_gate1.nii.gz",
        )
    return studies[0]


def _worth_reading(folder: Path) -> list[Path]:
    """List the files below a folder that may be gated stacks."""
    nifti: list[Path] = []
    nuclear: list[tuple[Path, Peek]] = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or _is_hidden(path.relative_to(folder)):
            continue
        if _is_nifti(path):
            if not _MASK.search(stem_of(path).replace("_", " ")):
                nifti.append(path)
        elif (seen := peek(path)).is_nuclear:
            nuclear.append((path, seen))
    answered = {seen.study for _, seen in nuclear if seen.is_gated_slices and seen.study}
    return nifti + [
        path for path, seen in nuclear if seen.is_gated_slices or seen.study not in answered
    ]


def _studies(paths: Iterable[Path], folder: Path, *, chosen: bool = False) -> Iterator[GatedFiles]:
    """Group the files of gates; every other file is a study of its own."""
    volumes: list[Path] = []
    for path in paths:
        if _is_nifti(path) and _is_one_volume(path):
            volumes.append(path)
        else:
            yield _study(folder, stem_of(path), (path,))
    groups, others = group_gates(volumes, chosen=chosen)
    for path in others:
        yield _study(folder, stem_of(path), (path,))
    for (_, shared), gates in groups.items():
        numbers, files = zip(*gates, strict=True)
        yield _study(folder, shared, files, numbers)


def _study(
    folder: Path, stem: str, files: tuple[Path, ...], gates: tuple[int, ...] = ()
) -> GatedFiles:
    parent = files[0].parent
    sidecar = parent / f"{stem or parent.name}.json"
    place = parent.relative_to(folder) if parent.is_relative_to(folder) else Path()
    name = (place / stem).as_posix() if stem else place.as_posix()
    seen = Peek(is_nuclear=False) if _is_nifti(files[0]) else peek(files[0])
    examination = hashlib.sha256(seen.study.encode()).hexdigest() if seen.study else ""
    state = _state(files[0], sidecar, seen)
    return GatedFiles(name, files, state, gates, sidecar, seen.patient, examination)


def _state(path: Path, sidecar: Path, seen: Peek) -> State | None:
    """Tell stress from rest without decoding: sidecar, DICOM header, names."""
    try:
        state = read_sidecar(sidecar).state
    except DataError:  # it is refused where the study is read
        state = None
    return state or seen.state or state_of_path(path)


def _is_one_volume(path: Path) -> bool:
    """Tell a volume from a file that holds all gates, by its header."""
    try:
        shape: tuple[int, ...] = open_nifti(path).shape
    except DataError:  # a damaged file belongs to the gates that it is named like
        return True
    return all(length == 1 for length in shape[3:])


def _is_nifti(path: Path) -> bool:
    return path.name.lower().endswith((".nii", ".nii.gz"))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
