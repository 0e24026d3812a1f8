"""Find the gated studies of a folder: DICOM NM images, and NIfTI files grouped by gate."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import nibabel
import pydicom
from pydicom.uid import NuclearMedicineImageStorage

from cardio_core.api import DataError
from cardio_spect_polar.readers.checks import unusable
from cardio_spect_polar.readers.nm_dicom import state_of_dataset
from cardio_spect_polar.readers.sidecar import read_sidecar
from cardio_spect_polar.readers.state import state_of_path, without_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cardio_spect_polar.readers.gated import State

_GATE = re.compile(
    r"[ ._-]*(?<![a-z])(?:gate|g|frame|fr|f|slot|bin|phase|time|t)[ ._-]*(?P<gate>\d{1,3})(?!\d)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[ ._-]*(?P<gate>\d{1,3})[ ._-]*")
_MASK = re.compile(r"(?<![a-z])(masks?|labels?|seg|segmentation|gt)(?![a-z])", re.IGNORECASE)
_STATE_TAGS = (
    "SOPClassUID",
    "SeriesDescription",
    "ImageID",
    "ProtocolName",
    "AcquisitionContextSequence",
)


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
    """

    id: str
    files: tuple[Path, ...]
    state: State | None
    gates: tuple[int, ...]
    sidecar: Path


def find_gated(folder: Path) -> list[GatedFiles]:
    """Find the gated studies below a folder.

    Parameters
    ----------
    folder : Path
        DICOM files (by suffix ``.dcm`` or by content), ``.nii`` and ``.nii.gz`` files. Volumes
        that are named alike but for the gate (``p7_rest_gate3.nii.gz``; or ``rest_3.nii.gz`` in
        the patient's own folder) are one study. Masks and labels are left out, and DICOM objects
        of other classes than NM images. Names that begin with a dot are skipped.

    Returns
    -------
    list of GatedFiles
        In the order of their ids. Nothing has been decoded: a damaged file is found here and
        refused where it is read.

    Raises
    ------
    DataError
        No folder.
    """
    if not folder.is_dir():
        raise unusable(folder.name, "a folder", "none", "check the path")
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    visible = (path for path in paths if not _is_hidden(path.relative_to(folder)))
    return sorted(_studies(visible, folder), key=lambda study: study.id)


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
    first = paths[0]
    if len(paths) == 1 and first.is_dir():
        studies = find_gated(first)
        do = "choose the files of one study, as stress or rest"
    elif len(paths) == 1:
        return _study(first.parent, _stem(first), (first,))
    else:
        studies = list(_studies(paths, first.parent))
        do = "name the files alike but for the gate: study_gate1.nii.gz and so on"
    if len(studies) != 1:
        raise unusable(first.name, "the files of one gated study", f"{len(studies)} studies", do)
    return studies[0]


def _studies(paths: Iterable[Path], folder: Path) -> Iterator[GatedFiles]:
    """Group the files of gates; every other file is a study of its own."""
    groups: dict[tuple[Path, str], list[tuple[int, Path]]] = {}
    for path in paths:
        if not path.name.lower().endswith((".nii", ".nii.gz")):
            if _may_be_nuclear(path):
                yield _study(folder, _stem(path), (path,))
            continue
        stem = _stem(path)
        if _MASK.search(stem.replace("_", " ")):
            continue
        shared, gate = _split_gate(stem)
        if gate is None or not _is_one_volume(path):
            yield _study(folder, stem, (path,))
        else:
            groups.setdefault((path.parent, shared), []).append((gate, path))
    for (_, shared), found in groups.items():
        found.sort()
        gates, files = zip(*found, strict=True)
        yield _study(folder, shared, files, gates)


def _study(
    folder: Path, stem: str, files: tuple[Path, ...], gates: tuple[int, ...] = ()
) -> GatedFiles:
    """Describe one study."""
    parent = files[0].parent
    sidecar = parent / f"{stem or parent.name}.json"
    place = parent.relative_to(folder) if parent.is_relative_to(folder) else Path()
    name = (place / stem).as_posix() if stem else place.as_posix()
    return GatedFiles(name, files, _state(files[0], sidecar), gates, sidecar)


def _state(path: Path, sidecar: Path) -> State | None:
    """Tell stress from rest without decoding: sidecar, DICOM header, names."""
    try:
        state = read_sidecar(sidecar).state
    except DataError:  # it is refused where the study is read
        state = None
    if state is None and not path.name.lower().endswith((".nii", ".nii.gz")):
        state = _state_of_header(path)
    return state or state_of_path(path)


def _state_of_header(path: Path) -> State | None:
    """Tell it from the header of a DICOM file, or not at all."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=[*_STATE_TAGS])
            return state_of_dataset(dataset)
    except Exception:  # a damaged file is refused where it is read
        return None


def _stem(path: Path) -> str:
    """Return a file's name without the suffix of its format."""
    name = path.name
    for suffix in (".nii.gz", ".nii", ".dcm", ".dicom"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def _split_gate(stem: str) -> tuple[str, int | None]:
    """Split a name into what the gates share and the number of the gate."""
    found = list(_GATE.finditer(stem))
    if found:
        last = found[-1]
        shared = stem[: last.start()] + stem[last.end() :]
        return shared.strip(" ._-"), int(last["gate"])
    number = _NUMBER.fullmatch(without_state(stem))
    if number:
        return stem.replace(number["gate"], "", 1).strip(" ._-"), int(number["gate"])
    return stem, None


def _is_one_volume(path: Path) -> bool:
    """Tell a volume from a file that holds all gates, by its header."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape: tuple[int, ...] = nibabel.load(path).shape  # type: ignore[attr-defined]
    except Exception:  # a damaged file belongs to the gates that it is named like
        return True
    return all(length == 1 for length in shape[3:])


def _may_be_nuclear(path: Path) -> bool:
    """Tell an NM image, or a DICOM file too damaged to say, from every other file."""
    with path.open("rb") as file:
        marked = file.read(132)[128:] == b"DICM"
    if not marked:
        return path.suffix.lower() in {".dcm", ".dicom"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(
                path, stop_before_pixels=True, specific_tags=["SOPClassUID", "DirectoryRecordType"]
            )
            return dataset.get("SOPClassUID") in {None, NuclearMedicineImageStorage} and (
                dataset.file_meta.get("MediaStorageSOPClassUID") != _DICOMDIR
            )
    except Exception:
        return True


_DICOMDIR = "1.2.840.10008.1.3.10"


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
