"""What the header of one file of an export says: its kind, and which examination it is of."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from cardio_core.ultrasound.deidentify.passed_over import kind_by_suffix
from cardio_core.ultrasound.readers.checks import not_installed
from cardio_core.ultrasound.readers.read import POLAR_SUFFIXES, VIDEO_SUFFIXES
from cardio_core.ultrasound.studies.kinds import (
    ARRAY,
    DAMAGED,
    DIRECTORY,
    KEYWORDS,
    PDF,
    VIDEO,
    kind_of_dataset,
)

_PATIENT = ("PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")
_OF_NOBODY = re.compile(r"\W*(anon\w*|unknown|none|test|patient|phantom|0*|x*)\W*", re.IGNORECASE)
"""Ids that the files of different people bear."""

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
    """

    kind: str
    study: str = field(default="", repr=False)
    patient: str = field(default="", repr=False)
    instance: str = field(default="", repr=False)
    when: str = field(default="", repr=False)


def read_header(path: Path, root: Path) -> Header:
    """Look at one file below `root`; nothing is raised for its content, and no pixel is read.

    Raises
    ------
    ConfigError
        A DICOM file, and pydicom is not installed.

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
        return Header(VIDEO)
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
        return Header("empty file")
    return Header("text" if _is_text(head) else "other")


def _of_dicom(path: Path) -> Header:
    try:
        import pydicom
    except ModuleNotFoundError:
        raise not_installed("a DICOM file", "pydicom", "dicom") from None
    wanted: list[Any] = [
        *KEYWORDS, *_PATIENT, "StudyInstanceUID", "SOPInstanceUID", "StudyDate", "StudyTime",
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
                _text(dataset, "StudyInstanceUID"),
                _patient(dataset),
                _text(dataset, "SOPInstanceUID"),
                f"{_text(dataset, 'StudyDate')} {_text(dataset, 'StudyTime')}".strip(),
            )
    except Exception:  # of whatever kind; texts may quote values
        return Header(DAMAGED)


def _patient(dataset: Any) -> str:
    """Return who a file is of: id, birth date and sex together; empty for ids of nobody."""
    known = [_text(dataset, keyword) for keyword in _PATIENT]
    return "" if _OF_NOBODY.fullmatch(known[0]) else "\0".join(known)


def _text(dataset: Any, keyword: str) -> str:
    """Return an element as text, empty where it is not there or cannot be decoded."""
    try:
        return str(dataset.get(keyword) or "").strip()
    except Exception:  # whatever its bytes provoke
        return ""


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter in "\r\n\t" for letter in text)
