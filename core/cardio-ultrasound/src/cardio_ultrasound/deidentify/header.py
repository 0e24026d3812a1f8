"""A header made anew: what is not on the list here is not in it.

Nothing is copied as text. Numbers are read as numbers and written again; identifiers are derived
one-way with a key that nobody keeps; names, dates, free text, sequences, private elements, curves
and waveforms of the source are never looked at.

References
----------
DICOM PS3.15 Annex E (Basic Application Level Confidentiality Profile; codes of CID 7050), PS3.3
A.7, C.7.6.3, C.7.6.5, C.8.5.5, C.8.5.6; PS3.5 B.2 (UIDs under 2.25).
"""

from __future__ import annotations

import hashlib
import hmac
import struct
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import (
    JPEG2000,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSLossless,
    JPEGLSNearLossless,
    UltrasoundMultiFrameImageStorage,
)

from cardio_core.types.limits import require_fitting
from cardio_stats.files import replacing
from cardio_ultrasound.loop import Box, Loop, irregular

NUMBERS = (
    "DepthOfScanField",
    "MechanicalIndex",
    "BoneThermalIndex",
    "CranialThermalIndex",
    "SoftTissueThermalIndex",
    "LossyImageCompressionRatio",
)
"""Elements of which the number is kept, where it is one that they can have."""

EMPTY = (
    *("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber", "StudyID"),
    *("ReferringPhysicianName", "Manufacturer", "PatientOrientation", "Laterality"),
)
"""Elements that the standard wants there, and that hold nothing."""

_IDENTIFIERS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_WHO = ("PatientID", "PatientName", "PatientBirthDate")
_METHOD = ["PS3.15 Basic Profile by an allow-list", "Pixels outside the sector set to 0"]
_CODES = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113101", "Clean Pixel Data Option"),
)
_LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000)
_MAX_HEART_RATE_BPM = 400
_MAX_NUMBER = 9999
"""No depth in mm, index or ratio is larger; a date or an id is."""


@dataclass(frozen=True, repr=False)
class Source:
    """What of a file's header is needed to keep patients and studies together.

    `patient` tells patients apart, empty where the header does not; `patient_id` is the header's
    own, for a mapping file. `uids` are of study, series and object, `numbers` the `NUMBERS` that
    are there. `lossy` says whether the pixels were ever compressed with loss.
    """

    patient: str
    patient_id: str
    uids: dict[str, str]
    numbers: dict[str, float]
    lossy: bool


def read_source(path: Path) -> Source:
    """Read who and what a DICOM file is about; nothing of it may be printed or written.

    A file that cannot be read is about nobody; opening it as a loop says what is wrong.
    """
    wanted: list[Any] = [*_IDENTIFIERS, *_WHO, *NUMBERS, "LossyImageCompression"]
    try:
        require_fitting([path])
        with warnings.catch_warnings():  # pydicom's warnings may quote values
            warnings.simplefilter("ignore")
            head = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=wanted)
            who = [element_text(head, keyword) for keyword in _WHO]
            uids = {level: element_text(head, level) for level in _IDENTIFIERS}
            numbers = {keyword: _number(element_text(head, keyword)) for keyword in NUMBERS}
            syntax = element_text(head.file_meta, "TransferSyntaxUID")
            lossy = element_text(head, "LossyImageCompression") == "01"
    except Exception:  # of whatever kind; the reader of loops words the refusal
        return Source("", "", {}, {}, False)
    patient = who[0] or "\n".join(who[1:]).strip() or uids["StudyInstanceUID"]
    found = {keyword: value for keyword, value in numbers.items() if value is not None}
    return Source(patient, who[0], uids, found, lossy or syntax in _LOSSY)


def new_uid(key: bytes, *parts: str) -> str:
    """Derive an identifier one-way.

    Without `key` nobody can test whether an old identifier belongs to a new one.

    Examples
    --------
    >>> uid = new_uid(b"secret", "1.2.3")
    >>> uid == new_uid(b"secret", "1.2.3"), uid == new_uid(b"other", "1.2.3"), uid[:5]
    (True, False, '2.25.')
    """
    digest = hmac.new(key, "\0".join(parts).encode(), hashlib.sha256).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def make_header(
    loop: Loop,
    source: Source,
    key: bytes,
    *,
    patient: str,
    number: int,
    colour: bool,
    timed: bool,
    clean: bool,
) -> Any:
    """Make the header of one loop, without pixel data.

    The header is explicit VR little endian, and its pixels will be JPEG-LS. `source` is of the
    same file, `key` for new identifiers, `patient` the running number that replaces name and id,
    `number` that of the loop within the patient. With `colour` the pixels are RGB instead of
    MONOCHROME2; where the loop is not `timed`, the header says no times; where print was not looked
    for everywhere, or some may be left, it is not `clean`, and the header does not say that there
    is none.
    """
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = JPEGLSLossless
    made.SOPClassUID = UltrasoundMultiFrameImageStorage
    for level in _IDENTIFIERS:
        own = source.uids.get(level) or f"{patient} {number} {level}"
        setattr(made, level, new_uid(key, level, own))
    made.ImageType = ["DERIVED", "PRIMARY"]
    made.Modality = "US"
    made.PatientName = made.PatientID = patient
    for keyword in EMPTY:
        setattr(made, keyword, "")
    made.SeriesNumber, made.InstanceNumber = 1, number
    made.PatientIdentityRemoved, made.DeidentificationMethod = "YES", _METHOD
    made.DeidentificationMethodCodeSequence = [_code(*code) for code in _CODES]
    made.LongitudinalTemporalInformationModified = "REMOVED"
    if clean:
        made.BurnedInAnnotation = "NO"
    for keyword, value in source.numbers.items():
        whole = keyword == "DepthOfScanField"  # an integer string, whatever the source wrote
        setattr(made, keyword, f"{round(value)}" if whole else f"{value:.6g}")
    made.LossyImageCompression = "01" if source.lossy else "00"
    _describe_pixels(made, loop, colour=colour)
    _state_times(made, loop, timed=timed)
    if loop.region is not None or loop.mm_per_pixel is not None:
        box = loop.region or Box(0, loop.size[0], 0, loop.size[1])
        made.SequenceOfUltrasoundRegions = [
            region_item(box, loop.mm_per_pixel, data_type)
            for data_type in ((1, 2) if loop.colour_doppler else (1,))
        ]
    made.UltrasoundColorDataPresent = int(loop.colour_doppler)
    return made


def _describe_pixels(made: Any, loop: Loop, *, colour: bool) -> None:
    made.NumberOfFrames = loop.n_frames
    made.Rows, made.Columns = loop.size
    made.SamplesPerPixel = 3 if colour else 1
    if colour:
        made.PlanarConfiguration = 0
    made.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit, made.PixelRepresentation = 7, 0


def _state_times(made: Any, loop: Loop, *, timed: bool) -> None:
    """State frame times and R peaks; both count from the first frame and tell no date."""
    if loop.heart_rate_bpm is not None and loop.heart_rate_bpm <= _MAX_HEART_RATE_BPM:
        made.HeartRate = round(loop.heart_rate_bpm)
    if not timed:
        return
    if loop.time_source == "FrameTimeVector" or irregular(loop.frame_times_ms):
        write_times(made, times_ms=loop.frame_times_ms)
    else:
        write_times(made, rate_hz=loop.frame_rate_hz)
    if loop.r_times_ms is not None:
        made.RWaveTimeVector = [float(time) for time in loop.r_times_ms]


def write_times(
    made: Dataset, *, times_ms: NDArray[np.float64] | None = None, rate_hz: float | None = None
) -> None:
    """Write the times of frames as a vector, or a rate as their distance; neither writes none."""
    if times_ms is not None:
        steps = np.diff(times_ms, prepend=times_ms[0])
        made.FrameTimeVector = [f"{step:.10g}" for step in steps]
        made.FrameIncrementPointer = 0x00181065
    elif rate_hz is not None:
        made.FrameTime = f"{1000.0 / rate_hz:.10g}"
        made.FrameIncrementPointer = 0x00181063


def region_item(box: Box, mm_per_pixel: tuple[float, float] | None, data_type: int = 1) -> Dataset:
    """Describe a two-dimensional region in cm: of tissue (1) or flow (2), C.8.5.5."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, data_type, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = box.left, box.top
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = box.right - 1, box.bottom - 1
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3 if mm_per_pixel else 0
    rows_mm, columns_mm = mm_per_pixel or (0.0, 0.0)
    item.PhysicalDeltaX, item.PhysicalDeltaY = columns_mm / 10.0, rows_mm / 10.0
    return item


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def element_text(dataset: Any, keyword: str) -> str:
    """Return an element as text, empty where it is not there or cannot be decoded.

    One that cannot must not hide the others: a file of no patient would be a patient of its own.
    """
    try:
        return str(dataset.get(keyword) or "").strip()
    except Exception:  # whatever its bytes provoke
        return ""


def _number(text: str) -> float | None:
    """Return one number that an element of `NUMBERS` can have, or None for whatever it holds."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= _MAX_NUMBER else None


# Write frames one by one as DICOM, compressed without loss.

_PIXEL_DATA, _ITEM, _END = (0x7FE0, 0x0010), (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
_UNDEFINED = 0xFFFFFFFF


def write_dicom(path: Path, header: Any, frames: Iterable[NDArray[np.uint8]]) -> None:
    """Write a header and its frames in JPEG-LS; one frame is in memory at a time.

    The file is whole or not there. The header is explicit VR little endian, without pixel data, and
    names JPEG-LS as its transfer syntax; frames are uint8, as many and as large as it says.

    References
    ----------
    DICOM PS3.5 A.4 (encapsulated pixel data), A.4.3 (JPEG-LS).
    """
    n_written = 0
    with replacing(path) as temporary:
        header.save_as(temporary, enforce_file_format=True)
        with temporary.open("ab") as file:
            file.write(struct.pack("<HH2sHL", *_PIXEL_DATA, b"OB", 0, _UNDEFINED))
            file.write(struct.pack("<HHL", *_ITEM, 0))  # no table of offsets
            for frame in frames:
                coded = _coded(header, frame)
                coded += b"\0" * (len(coded) % 2)
                file.write(struct.pack("<HHL", *_ITEM, len(coded)) + coded)
                n_written += 1
            file.write(struct.pack("<HHL", *_END, 0))
        if n_written != header.NumberOfFrames:
            raise ValueError(f"{n_written} frames where the header says {header.NumberOfFrames}")


def _coded(header: Any, frame: NDArray[np.uint8]) -> bytes:
    facts: dict[str, Any] = {
        "rows": header.Rows,
        "columns": header.Columns,
        "samples_per_pixel": header.SamplesPerPixel,
        "photometric_interpretation": header.PhotometricInterpretation,
        "bits_allocated": 8,
        "bits_stored": 8,
        "pixel_representation": 0,
        "number_of_frames": 1,
    }
    if header.SamplesPerPixel > 1:
        facts["planar_configuration"] = 0
    return get_encoder(JPEGLSLossless).encode(np.ascontiguousarray(frame), **facts)
