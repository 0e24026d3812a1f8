"""What a file of an echo export is, told by its header alone: no pixel is decoded.

References
----------
DICOM PS3.3 C.8.5.5 (regions: spatial format and data type), C.8.5.6 (image type, stages), C.7.6.4
(contrast); PS3.4 B.5 (classes of objects).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
        said = next((kind for bit, kind in _BITS.items() if bits & bit), None)
        if said is not None:
            return said
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
