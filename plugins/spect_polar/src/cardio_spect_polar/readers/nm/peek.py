"""What a header says before anything is decoded: whether to read the file as gated slices."""

from __future__ import annotations

import hashlib
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    NuclearMedicineImageStorage,
)

from cardio_spect_polar.readers.gated import State
from cardio_spect_polar.readers.nm.geometry import is_long_axis
from cardio_spect_polar.readers.nm.read import GATED_SLICES, image_kind, state_of_dataset

_TAGS = (
    "SOPClassUID",
    "StudyInstanceUID",
    "ImageType",
    "DetectorInformationSequence",
    "SeriesDescription",
    "ImageID",
    "ProtocolName",
    "AcquisitionContextSequence",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
)
_OF_THE_PATIENT = ("PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")
_OF_NOBODY = re.compile(r"\W*(anon\w*|unknown|none|test|patient|phantom|0*|x*)\W*", re.IGNORECASE)
"""Ids that the files of different people bear."""


@dataclass(frozen=True)
class Peek:
    """What a header says.

    Attributes
    ----------
    is_nuclear : bool
        Whether it is an NM image, or a DICOM file too damaged to say.
    is_gated_slices : bool
        Whether it is a gated reconstruction, and not of long-axis slices.
    study : str
        Identifier of the examination, for comparison only: it goes to no output.
    state : {"stress", "rest"} or None
        What the patient was at.
    patient : str
        Digest of the patient's id, birth date and sex, for comparison only; empty where the header
        names nobody.
    """

    is_nuclear: bool
    is_gated_slices: bool = False
    study: str = ""
    state: State | None = None
    patient: str = ""


def peek(path: Path) -> Peek:
    """Look at the header of a file of any kind; nothing is raised and no pixel is read."""
    with path.open("rb") as file:
        marked = file.read(132)[128:] == b"DICM"
    if not marked:
        return Peek(is_nuclear=path.suffix.lower() in {".dcm", ".dicom"})
    try:
        with warnings.catch_warnings(action="ignore"):
            meta = pydicom.filereader.read_file_meta_info(path)
            if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
                return Peek(is_nuclear=True)  # inflated at once, it could be of any size
            dataset: Any = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=[*_TAGS])
            if dataset.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
                return Peek(is_nuclear=False)
            return Peek(
                dataset.get("SOPClassUID") in {None, NuclearMedicineImageStorage},
                image_kind(dataset) == GATED_SLICES and not is_long_axis(dataset),
                str(dataset.get("StudyInstanceUID") or ""),
                state_of_dataset(dataset),
                _patient(dataset),
            )
    except Exception:  # it is refused, with its reason, where it is read
        return Peek(is_nuclear=True)


def _patient(dataset: Any) -> str:
    said = [str(dataset.get(keyword) or "").strip() for keyword in _OF_THE_PATIENT]
    if _OF_NOBODY.fullmatch(said[0]):
        return ""
    return hashlib.sha256(repr(said).encode()).hexdigest()
