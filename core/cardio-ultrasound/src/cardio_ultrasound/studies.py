"""The files that a DICOMDIR names (PS3.3 F.3: directory records with a referenced file)."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import pydicom

from cardio_core.errors import NothingUsableError
from cardio_core.io.cohort import NUMBERED
from cardio_core.io.hashing import file_digest
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.samples import FileSeen as FileSeen
from cardio_stats.errors import DataError
from cardio_ultrasound.deidentify.files import kind_by_suffix
from cardio_ultrasound.deidentify.header import element_text
from cardio_ultrasound.readers.containers import look_at_container
from cardio_ultrasound.readers.read import POLAR_SUFFIXES, VIDEO_SUFFIXES

_MOST_BYTES = 64_000_000


def referenced(directory: Path) -> Iterator[tuple[str, ...]]:
    """Yield the parts of every path; nothing where the directory cannot be read.

    Names that lead out of its folder are left out.
    """
    try:
        if directory.stat().st_size > _MOST_BYTES:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(directory, specific_tags=["DirectoryRecordSequence"])
            found = [
                item.get("ReferencedFileID") for item in dataset.get("DirectoryRecordSequence", ())
            ]
    except Exception:  # whatever a damaged directory provokes: its files are found without it
        return
    for name in found:
        if name is None or name == "":
            continue
        parts = tuple(str(part) for part in ([name] if isinstance(name, str) else name))
        if not any(part in ("", ".", "..") or "/" in part for part in parts):
            yield parts


# What a file of an echo export is, told by its header alone: no pixel is decoded.
#
# References
# ----------
# DICOM PS3.3 C.8.5.5 (regions: spatial format and data type), C.8.5.6 (image type, stages), C.7.6.4
# (contrast); PS3.4 B.5 (classes of objects).

LOOP = "2D loop"
STILL = "still"
COLOUR = "colour Doppler loop"
SPECTRAL = "spectral Doppler"
M_MODE = "M-mode"
CONTRAST = "contrast loop"
STRESS = "loop under stress"
INSIDE = "transoesophageal or intracardiac loop"
VOLUME = "3D volume"
CAPTURE = "screen capture"
REPORT = "SR"
PDF = "PDF"
ELSE = "other DICOM object"
ELSEWHERE = "other modality"
DIRECTORY = "DICOMDIR"
DAMAGED = "damaged"
VIDEO = "video"
ARRAY = "array"
EMPTY = "empty file"

LOOPS = (LOOP, VIDEO, ARRAY)
"""Kinds that are opened; whether their pixels can be used is said later."""

KEYWORDS = (
    *("SOPClassUID", "Modality", "NumberOfFrames", "ImageType", "SequenceOfUltrasoundRegions"),
    *("ContrastBolusAgent", "StageName", "StageNumber", "NumberOfStages"),
)
"""What is read to tell a file's kind."""

_MULTI_FRAME = ("1.2.840.10008.5.1.4.1.1.3.1", "1.2.840.10008.5.1.4.1.1.3")
_SINGLE = ("1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.6")
_BY_CLASS = (
    ("1.2.840.10008.5.1.4.1.1.6.2", VOLUME),
    ("1.2.840.10008.5.1.4.1.1.104.1", PDF),
    ("1.2.840.10008.5.1.4.1.1.88.", REPORT),
    ("1.2.840.10008.5.1.4.1.1.7", CAPTURE),
    ("1.2.840.10008.1.3.10", DIRECTORY),
)
_TWO_D, _M_MODE, _SPECTRUM = 1, 2, 3  # RegionSpatialFormat
_FLOW, _PULSED, _CONTINUOUS = 2, 3, 4  # RegionDataType
# The fourth value of ImageType is a number of bits (C.8.5.6.1.1).
_BITS = {0x0002: M_MODE, 0x0004: SPECTRAL, 0x0008: SPECTRAL, 0x0020: M_MODE, 0x0040: VOLUME}
_BIT_OF_COLOUR = 0x0010
# "EPICARDIAL" is not among them: scanners write it into loops from the chest wall, too.
_FROM_INSIDE = ("TEE", "INTRACARDIAC", "INTRAVASCULAR")
_AT_REST = ("rest", "baseline", "base", "resting", "pre", "ruhe")
_UNDER_STRESS = ("stress", "peak", "exercise", "dobutamine", "dose", "recovery", "post", "impost")


def kind_of_dataset(dataset: Any) -> str:
    """Return what a DICOM object is.

    Parameters
    ----------
    dataset : pydicom Dataset
        With the elements of `KEYWORDS` that the file has.

    Returns
    -------
    str
        One of this module's kinds. A loop in which colour is only seen, and not declared, is a
        `LOOP` here; opening it tells.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> class Made(dict):
    ...     pass
    >>> kind_of_dataset(Made(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33"))
    'SR'
    >>> kind_of_dataset(Made(SOPClassUID="1.2.840.10008.5.1.4.1.1.3.1", NumberOfFrames=40))
    '2D loop'
    >>> kind_of_dataset(Made(SOPClassUID="1.2.840.10008.5.1.4.1.1.6.1"))
    'still'
    """
    uid = str(dataset.get("SOPClassUID") or "")
    if uid in (*_MULTI_FRAME, *_SINGLE):
        return _of_ultrasound(dataset, is_loop=uid in _MULTI_FRAME and _n_frames(dataset) > 1)
    known = next((kind for begin, kind in _BY_CLASS if uid.startswith(begin)), None)
    if known is not None:
        return known
    return ELSE if str(dataset.get("Modality") or "US") == "US" else ELSEWHERE


def _of_ultrasound(dataset: Any, *, is_loop: bool) -> str:
    regions = list(dataset.get("SequenceOfUltrasoundRegions") or [])
    formats = {int(item.get("RegionSpatialFormat") or 0) for item in regions}
    flat = [item for item in regions if item.get("RegionSpatialFormat") == _TWO_D]
    types = {int(item.get("RegionDataType") or 0) for item in regions}
    image_type = [str(value).strip().upper() for value in _values(dataset.get("ImageType"))]
    bits = _bits(image_type)
    if _SPECTRUM in formats or types & {_PULSED, _CONTINUOUS}:
        return SPECTRAL
    if _M_MODE in formats:
        return M_MODE
    if not regions:
        label = next((kind for bit, kind in _BITS.items() if bits & bit), None)
        if label is not None:
            return label
    if not is_loop:
        return STILL
    if any(item.get("RegionDataType") == _FLOW for item in flat) or bits & _BIT_OF_COLOUR:
        return COLOUR
    if any(word in image_type[2:3] for word in _FROM_INSIDE):
        return INSIDE
    if str(dataset.get("ContrastBolusAgent") or "").strip():
        return CONTRAST
    return STRESS if _under_stress(dataset) else LOOP


def _under_stress(dataset: Any) -> bool:
    """Whether a loop is of a stage behind the first; a stage that is named as rest is none."""
    name = str(dataset.get("StageName") or "").strip().lower()
    words = name.replace("-", " ").replace("_", " ").split()
    if any(word in _AT_REST for word in words):
        return False
    if any(word in _UNDER_STRESS for word in words):
        return True
    return _number(dataset, "NumberOfStages") > 1 and _number(dataset, "StageNumber") > 1


def _bits(image_type: Sequence[str]) -> int:
    try:
        return int(image_type[3], 16)
    except (IndexError, ValueError):
        return 0


def _values(element: Any) -> list[Any]:
    if element is None or element == "":
        return []
    return [element] if isinstance(element, str) else list(element)


def _n_frames(dataset: Any) -> int:
    return _number(dataset, "NumberOfFrames") or 1


def _number(dataset: Any, keyword: str) -> int:
    try:
        return int(dataset.get(keyword) or 0)
    except (TypeError, ValueError):
        return 0


# What the header of one file of an export says: its kind, and which examination it is of.

_PATIENT = ("PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")
_OF_NOBODY = re.compile(r"\W*(anon\w*|unknown|none|test|patient|phantom|0*|x*)\W*", re.IGNORECASE)
"""Ids that the files of different people bear."""

_WHEN = ("StudyDate", "StudyTime")
_DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
_DEFLATED = "1.2.840.10008.1.2.1.99"
_BEGINS = (
    (b"%PDF", PDF),
    (b"GIF8", "picture"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"PK\x03\x04", "archive"),
)
_HEAD = 512


@dataclass(frozen=True, slots=True)
class Header:
    """What one file says of itself.

    Attributes
    ----------
    kind : str
        As `studies.kinds` names it, or as a file that is no DICOM is called.
    study, patient, instance : str
        For comparison only, and never to be told: the examination, the patient (empty where the
        header names nobody) and the object.
    when : str
        Date and time of the examination, for the order alone; empty where it is not said.
    why : str
        Why it is not used, where its kind does not say so.
    """

    kind: str
    study: str = field(default="", repr=False)
    patient: str = field(default="", repr=False)
    instance: str = field(default="", repr=False)
    when: str = field(default="", repr=False)
    why: str = ""


def read_header(path: Path, root: Path) -> Header:
    """Look at one file below `root`; nothing is raised for its content, and no pixel is read.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> made = {"a.pdf": b"%PDF-1.7", "b": b"%PDF-1.7", "c.dcm": b"", "d": b"hello"}
    >>> for name, text in made.items():
    ...     _ = (root / name).write_bytes(text)
    >>> [read_header(root / name, root).kind for name in made]
    ['PDF', 'PDF', 'damaged', 'text']
    """
    if any(part.startswith(".") for part in path.relative_to(root).parts):
        return Header("hidden file")
    try:
        state = path.stat()
        return _header(path, state.st_mtime_ns, state.st_size)
    except OSError:
        return Header(DAMAGED)


@lru_cache(maxsize=16384)
def _header(path: Path, modified: int, size: int) -> Header:
    """Read a file once as long as it stays as it is: a command asks several times."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head[128:132] == b"DICM":
        return _of_dicom(path)
    if path.name == DIRECTORY:
        return Header(DIRECTORY)
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        damage = look_at_container(path).damage
        return (
            Header(EMPTY if damage == "empty" else DAMAGED, why=damage) if damage else Header(VIDEO)
        )
    if suffix in (*POLAR_SUFFIXES, ".npy"):
        return Header(ARRAY)
    begun = next((kind for begin, kind in _BEGINS if head.startswith(begin)), None)
    if begun is not None:
        return Header(begun)
    if suffix in _DICOM_SUFFIXES:
        return Header(DAMAGED)
    known = kind_by_suffix(path)
    if known != "other":
        return Header(known)
    if not head:
        return Header(EMPTY)
    return Header("text" if _is_text(head) else "other")


def _of_dicom(path: Path) -> Header:
    wanted: list[Any] = [
        *KEYWORDS, *_PATIENT, *_WHEN, "StudyInstanceUID", "SOPInstanceUID",
    ]  # fmt: skip
    try:
        with warnings.catch_warnings():  # pydicom's warnings may quote values
            warnings.simplefilter("ignore")
            meta = pydicom.filereader.read_file_meta_info(path)
            if meta.get("MediaStorageSOPClassUID") == "1.2.840.10008.1.3.10":
                return Header(DIRECTORY)
            if meta.get("TransferSyntaxUID") == _DEFLATED:
                # Its size in memory is not known before it is inflated.
                return Header(DAMAGED)
            dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=wanted)
            if not dataset.get("SOPClassUID"):
                return Header(DAMAGED)
            return Header(
                kind_of_dataset(dataset),
                element_text(dataset, "StudyInstanceUID"),
                _patient(dataset),
                element_text(dataset, "SOPInstanceUID"),
                " ".join(element_text(dataset, name) for name in _WHEN).strip(),
            )
    except Exception:  # of whatever kind; texts may quote values
        return Header(DAMAGED)


def _patient(dataset: Any) -> str:
    """Return who a file is of: id, birth date and sex together; empty for ids of nobody."""
    known = [element_text(dataset, keyword) for keyword in _PATIENT]
    return "" if _OF_NOBODY.fullmatch(known[0]) else "\0".join(known)


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter in "\r\n\t" for letter in text)


# From files and folders to studies: loops grouped by examination and patient, and an account.
#
# Studies are numbered, and so are patients of several studies. Nothing of a header goes further:
# what groups files is compared and forgotten.

GROUPED = Note(
    NoteKind.COHORT,
    "Loops are grouped into studies as their headers say; studies are numbered by their dates, "
    "loops by the names of their files.",
)
"""Note where `NUMBERED` would not be true."""

_UNTOLD = (EMPTY, "text", "other")
"""What a DICOM object looks like that lost its beginning; a directory that names it tells."""

_WHY = {
    DAMAGED: "it cannot be read; export it again",
    COLOUR: "colour hides the grey levels of the wall",
    CONTRAST: "contrast changes how the wall looks",
    STRESS: "a stage under stress; loops at rest are answered",
    INSIDE: "not from the chest wall",
}
"""Of the kinds that somebody may expect to be used."""


@dataclass(frozen=True)
class FoundStudy:
    """One examination.

    Attributes
    ----------
    study_id, patient_id : str
        Running numbers; the patient's is the study's own, unless somebody has several studies.
    loops : tuple of Path
        In the order of their paths.
    """

    study_id: str
    patient_id: str
    loops: tuple[Path, ...]

    @property
    def recording_ids(self) -> tuple[str, ...]:
        """One id a loop, made of the study's: names of files can hold the names of people.

        Examples
        --------
        >>> FoundStudy("2", "2", (Path("a"), Path("b"))).recording_ids
        ('2-1', '2-2')
        """
        return ids_of_loops(self.study_id, len(self.loops))


@dataclass(frozen=True)
class Export:
    """What files and folders hold.

    Attributes
    ----------
    studies : tuple of FoundStudy
        By date of the examination within an input, those of one date by their first file.
    files : tuple of FileSeen
        Every file, in the order of the inputs and of paths.
    notes : tuple of Note
        Sentences for the reader of the results.
    """

    studies: tuple[FoundStudy, ...]
    files: tuple[FileSeen, ...]
    notes: tuple[Note, ...] = ()


@dataclass
class _Group:
    """Loops of one examination while they are gathered."""

    order: tuple[int, str, int]
    patient: str
    loops: list[Path] = field(default_factory=list)


def ids_of_loops(study_id: str, n_loops: int) -> tuple[str, ...]:
    """Return the id of every loop of a study: the study's own where there is one loop alone."""
    if n_loops == 1:
        return (study_id,)
    return tuple(f"{study_id}-{number}" for number in range(1, n_loops + 1))


def read_export(places: Sequence[Path], *, taken: Collection[str] = ()) -> Export:
    r"""Find the studies of an export: folders to their ends, files as they are.

    Only headers are read. Of a folder the 2D loops are taken; stills, colour and spectral Doppler,
    M-mode, loops with contrast or under stress, reports and all other files are accounted for and
    left. A file that is given by itself is always taken, and so are videos and arrays, each for
    itself: nothing says whom it shows, and `files` names no study of it. Of one loop that is stored
    twice the first is taken. A DICOMDIR stands for the folder that it lies in.

    Parameters
    ----------
    places : sequence of Path
    taken : collection of str
        Ids that no study may get.

    Raises
    ------
    DataError
        A path is neither a file nor a folder.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> for name in ("b.avi", "a.npy", "letter.pdf"):
    ...     _ = (root / name).write_bytes(b"RIFF\0\0\0\0AVI ")
    >>> found = read_export([root])
    >>> [(item.study_id, item.loops[0].name) for item in found.studies]
    [('1', 'a.npy'), ('2', 'b.avi')]
    >>> [(item.kind, item.study_id) for item in found.files]
    [('array', ''), ('video', ''), ('PDF', '')]
    """
    groups: dict[tuple[str, ...], _Group] = {}
    seen: list[FileSeen] = []
    group_of: dict[Path, tuple[str, ...]] = {}
    first_of: dict[tuple[str, str], list[tuple[int, Path]]] = {}
    absent, copies = 0, set[int]()
    for number, (place, root, paths) in enumerate(map(_searched, places)):
        promised = _promised(paths, root)
        there = {_low(path, root) for path in paths}
        absent += len(promised - there)
        for path in paths:
            head = read_header(path, root)
            if head.kind in _UNTOLD and _low(path, root) in promised:
                head = Header(DAMAGED)
            by_itself = place == path
            own = FileSeen(
                path, head.kind, why="" if by_itself else head.why or _WHY.get(head.kind, "")
            )
            if (by_itself or head.kind in LOOPS) and path not in group_of:
                copy = None if by_itself else _copied(head, path, first_of)
                if copy is None:
                    key = _key(head, path)
                    order = (number, head.when, len(seen))
                    group = groups.setdefault(key, _Group(order, head.patient))
                    group.order = min(group.order, order)
                    group.loops.append(path)
                    group_of[path] = key
                    first_of.setdefault((head.study, head.instance), []).append((len(seen), path))
                else:
                    own = replace(own, why=f"the same as file {copy + 1}")
                    copies.add(len(seen))
            seen.append(own)
    in_order = sorted(groups, key=lambda key: groups[key].order)
    named = dict(zip(in_order, _named([groups[key] for key in in_order], taken), strict=True))
    ids = {
        path: (study.study_id, name)
        for study in named.values()
        for path, name in zip(study.loops, study.recording_ids, strict=True)
    }
    loose = {path for path, key in group_of.items() if key[0] == _LOOSE}
    files = [
        replace(
            file,
            study_id="" if file.path in loose else ids[file.path][0],
            recording_id=ids[file.path][1],
        )
        if file.path in ids and place not in copies
        else file
        for place, file in enumerate(seen)
    ]
    grouped = any(len(study.loops) > 1 for study in named.values())
    notes = [GROUPED if grouped else NUMBERED, *([_absent(absent)] if absent else [])]
    return Export(tuple(named.values()), tuple(files), tuple(notes))


@dataclass(frozen=True)
class CellLoops:
    """What the paths of one row of a cohort table hold; the row says whose it is.

    Attributes
    ----------
    loops : tuple of Path
        All of its study, whatever their headers say.
    files : tuple of FileSeen
        Every file of the folders among the paths; files that are named are not searched.
    n_patients, n_studies : int
        As the headers tell them: a folder of two people's loops is a slip.
    """

    loops: tuple[Path, ...]
    files: tuple[FileSeen, ...] = ()
    n_patients: int = 1
    n_studies: int = 1


def loops_of_cell(paths: Sequence[Path]) -> CellLoops:
    """Return the loops behind a cell of a cohort table: its files, and the 2D loops of its folders.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> for name in ("a.npy", "letter.pdf"):
    ...     _ = (root / name).write_bytes(b"")
    >>> found = loops_of_cell([root, root / "b.avi"])
    >>> [path.name for path in found.loops], len(found.files)
    (['a.npy', 'b.avi'], 2)
    """
    loops: list[Path] = []
    files: list[FileSeen] = []
    people: set[str] = set()
    studies: set[str] = set()
    for path in paths:
        if not path.is_dir():
            loops.append(path)
            continue
        export = read_export([path])
        # The row says whose they are, be they loose or not.
        files += [replace(file, study_id=file.recording_id) for file in export.files]
        for item in (file for file in export.files if file.recording_id):
            loops.append(item.path)
            head = read_header(item.path, path)
            people |= {head.patient} - {""}
            studies |= {head.study} - {""}
    return CellLoops(tuple(loops), tuple(files), max(len(people), 1), max(len(studies), 1))


def strangers(study_id: str, cell: CellLoops) -> tuple[str, ...]:
    """Return a sentence where the folder of a study holds more than one examination."""
    if cell.n_patients > 1:
        whose = f"{cell.n_patients} patients, as their headers say; check the path."
    elif cell.n_studies > 1:
        whose = f"{cell.n_studies} examinations; all are taken for one."
    else:
        return ()
    return (f"{study_id}: its folder holds loops of {whose}",)


def accounted(
    files: Iterable[FileSeen], recordings: Mapping[Path, tuple[str, str]]
) -> tuple[FileSeen, ...]:
    """Return files with the ids that a run has of them: recording and study, by path.

    A file that is not among the recordings is none, whatever it is, and one that says no study
    has none.
    """
    nothing = ("", "")
    return tuple(
        replace(file, recording_id=ids[0], study_id=ids[1] if file.study_id else "")
        for file in files
        for ids in (recordings.get(file.path, nothing),)
    )


def nothing_in(path: Path, files: Sequence[FileSeen]) -> NothingUsableError:
    """Build the error for a folder without a loop: it says what there is instead."""
    kinds = Counter(file.kind for file in files)
    there = ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items()))
    found = f"none among {len(files)} files ({there})" if files else "none"
    return NothingUsableError(
        f"{path.name}: expected ultrasound loops (DICOM, AVI, MP4, NPY, NPZ, HDF5), found "
        f"{found}; give the folder that holds them, or a file"
    )


def _searched(place: Path) -> tuple[Path, Path, list[Path]]:
    """Return a place as it is searched, the folder that names start from, and its files."""
    if place.is_file() and place.name.upper() == DIRECTORY:
        place = place.parent
    if place.is_file():
        return place, place.parent, [place]
    if not place.is_dir():
        raise DataError(
            f"{place.name}: expected a folder of loops, found none; check the path", code="missing"
        )
    return place, place, sorted(path for path in place.rglob("*") if path.is_file())


_LOOSE = "file"


def _key(head: Header, path: Path) -> tuple[str, ...]:
    """Return what the files of one examination share; a file that says none is one by itself.

    The patient belongs to it: some programs give the files of several people one identifier.
    """
    if head.kind in (VIDEO, ARRAY) or not head.study:
        return (_LOOSE, str(path))
    return ("study", head.study, head.patient.partition("\0")[0])


def _copied(
    head: Header, path: Path, first_of: dict[tuple[str, str], list[tuple[int, Path]]]
) -> int | None:
    """Return the place of a file that holds the same object, byte by byte; None without one."""
    if not head.instance:
        return None
    size = path.stat().st_size
    for place, other in first_of.get((head.study, head.instance), ()):
        if other.stat().st_size == size and file_digest(other) == file_digest(path):
            return place
    return None


def _named(groups: Sequence[_Group], taken: Collection[str]) -> Iterator[FoundStudy]:
    """Give studies running numbers; patients get their own only where somebody has several."""
    numbers = (name for name in map(str, count(1)) if name not in taken)
    patients = [group.patient or f"\0{place}" for place, group in enumerate(groups)]
    several = max(Counter(patients).values(), default=1) > 1
    free = (name for name in (f"P{n}" for n in count(1)) if name not in taken)
    of_patient: dict[str, str] = {}
    for group, patient, name in zip(groups, patients, numbers, strict=False):
        if several and patient not in of_patient:
            of_patient[patient] = next(free)
        yield FoundStudy(name, of_patient[patient] if several else name, tuple(group.loops))


def _promised(paths: Sequence[Path], root: Path) -> set[str]:
    """Return the files that the folder's directories name, as `_low` writes them."""
    named: set[str] = set()
    for path in paths:
        if path.name.upper() == DIRECTORY:
            begin = path.parent.relative_to(root)
            named |= {str(begin.joinpath(*parts)).casefold() for parts in referenced(path)}
    return named


def _low(path: Path, root: Path) -> str:
    """Return a path below `root` for comparison: on a disk small and large letters are one."""
    return str(path.relative_to(root)).casefold()


def _absent(n: int) -> Note:
    files = "1 file" if n == 1 else f"{n} files"
    text = f"{files} that the DICOMDIR names {'is' if n == 1 else 'are'} not there."
    return Note(NoteKind.COHORT, text)
