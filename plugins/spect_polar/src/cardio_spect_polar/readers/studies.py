"""Find the gated studies of a folder, pair rest with stress, and read one of any format."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from cardio_core.api import DataError
from cardio_spect_polar.readers.gated import (
    MAX_DROP_OFF,
    MAX_REJECTED,
    MIN_SLOTS,
    Base,
    GatedStack,
    State,
    numbered,
    state_of_path,
    without_state,
)
from cardio_spect_polar.readers.nifti import (
    group_gates,
    open_nifti,
    read_nifti,
    require_no_planes,
    stem_of,
)
from cardio_spect_polar.readers.nm import Peek, peek, read_nm
from cardio_spect_polar.readers.sidecar import Sidecar, read_sidecar

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


def rest_of_stress(studies: Sequence[GatedFiles]) -> dict[int, int]:
    """Tell which studies are stress and rest of one patient.

    By the examination of the DICOM header, else by its patient, else by names that differ in the
    words for rest and stress alone (``p7_rest.nii``, ``p7_stress.nii``; ``rest/p7.nii``,
    ``stress/p7.nii``). Only one rest and one stress are a pair: of three studies under one id
    nothing tells which two belong together. Where headers name different patients, names do not
    make them one.

    Parameters
    ----------
    studies : sequence of GatedFiles
        As `find_gated` returns them.

    Returns
    -------
    dict of int to int
        From the place of each stress study to that of its rest.

    Examples
    --------
    >>> from pathlib import Path
    >>> names = ["a/p7_stress.nii", "a/p7_rest.nii", "a/p8_stress.nii", "b/p8_rest.nii"]
    >>> states = ["stress", "rest", "stress", "rest"]
    >>> rest_of_stress([
    ...     GatedFiles(name, (Path(name),), state, (), Path("x.json"))
    ...     for name, state in zip(names, states)
    ... ])
    {0: 1}
    """
    pairs: dict[int, int] = {}
    for key in (_examination, _patient, _name):
        paired = {*pairs, *pairs.values()}
        groups: defaultdict[object, list[int]] = defaultdict(list)
        for place, study in enumerate(studies):
            found = key(study)
            if found and place not in paired:
                groups[found].append(place)
        for places in groups.values():
            by_state = {studies[place].state: place for place in places}
            if len(places) == 2 and set(by_state) == {"rest", "stress"}:
                stress, rest = by_state["stress"], by_state["rest"]
                if not _contradict(studies[stress], studies[rest]):
                    pairs[stress] = rest
    return dict(sorted(pairs.items()))


def _examination(study: GatedFiles) -> object:
    return study.examination


def _patient(study: GatedFiles) -> object:
    return study.patient


def _name(study: GatedFiles) -> object:
    name = study.id.rpartition("/")[2] if study.gates else stem_of(study.files[0])
    return (without_state(study.files[0].parent.as_posix()), without_state(name))


def _contradict(first: GatedFiles, second: GatedFiles) -> bool:
    """Whether both headers name a patient, and not the same."""
    return bool(first.patient and second.patient and first.patient != second.patient)


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
    >>> from cardio_spect_polar.readers.studies import find_gated
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
