"""DICOM NM images: gated short-axis reconstructions (RECON GATED TOMO).

References
----------
DICOM PS3.3 A.5 (NM Image), C.8.4 (its modules), C.7.6.16 to C.7.6.18; PS3.16 CID 3102.
"""

from __future__ import annotations

import hashlib
import math
import re
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    NuclearMedicineImageStorage,
)

from cardio_core.api import DataError
from cardio_spect_polar.readers.gated import (
    MAX_VALUES,
    MIN_SLOTS,
    GatedStack,
    State,
    require_counts,
    require_shape,
    require_size,
    slot_flags,
    state_of_code,
    state_of_words,
)
from cardio_spect_polar.readers.nm_header import (
    Gating,
    frame_numbers,
    is_long_axis,
    read_apex_first,
    read_directions,
    read_gating,
    read_voxel_mm,
    require_short_axis,
)
from cardio_spect_polar.readers.reorientation import Body, turn
from cardio_spect_polar.readers.sidecar import Sidecar

_PIXEL_DATA = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_AGAIN = "export the study again"


def decode(dataset: Any, name: str, n_frames: int) -> NDArray[Any]:
    """Decode all frames.

    Parameters
    ----------
    dataset : Dataset
        An NM image whose size has been checked.
    name : str
        The file's name.
    n_frames : int
        How many frames the header claims.

    Returns
    -------
    ndarray, shape (n_frames, n_rows, n_columns)
        Stored values.

    Raises
    ------
    DataError
        Colours; no pixel data, or less than claimed; a compression without a decoder; a stream
        that cannot be decoded.
    """
    n_rows, n_columns = int(dataset.Rows), int(dataset.Columns)
    if int(dataset.SamplesPerPixel) != 1:
        raise DataError.unusable(
            name, "one sample a pixel: counts", "colours", "export the slices, not a screenshot"
        )
    syntax = dataset.file_meta.TransferSyntaxUID
    data = next(
        (dataset[key].value for key in _PIXEL_DATA if key in dataset and dataset[key].value), None
    )
    if data is None:
        raise DataError.unusable(name, "pixel data", "none", _AGAIN)
    if not syntax.is_compressed:
        n_expected = n_frames * n_rows * n_columns * int(dataset.BitsAllocated) // 8
        if len(data) < n_expected:
            raise DataError.unusable(
                name,
                f"{n_expected} bytes of pixel data ({n_frames} frames)",
                f"{len(data)}",
                "copy or export the file again",
            )
    elif not _has_decoder(syntax):
        raise DataError.unusable(
            name,
            "a compression that an installed package decodes",
            "another one",
            "install the extra cardio-core[dicom], or store the file uncompressed",
        )
    try:
        frames: NDArray[Any] = dataset.pixel_array
    except Exception:  # texts may quote values
        raise DataError.unusable(
            name,
            "pixel data that can be decoded",
            "a damaged stream",
            "copy or export the file again",
        ) from None
    if frames.shape != (n_frames, n_rows, n_columns):
        raise DataError.unusable(
            name, f"{n_frames} frames of {n_rows} × {n_columns}", "others", _AGAIN
        )
    return frames


def _has_decoder(syntax: UID) -> bool:
    """Whether pydicom can decode a transfer syntax with what is installed."""
    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def rescaled(dataset: Any, name: str, frames: NDArray[Any]) -> NDArray[np.float32]:
    """Undo the scaling of the stored values.

    Raises
    ------
    DataError
        A slope of 0 or below, or no number.
    """
    slope, intercept = (
        default if dataset.get(keyword) in (None, "") else float(dataset.get(keyword))
        for keyword, default in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0))
    )
    if not (math.isfinite(slope) and slope > 0.0 and math.isfinite(intercept)):
        raise DataError.unusable(
            name,
            "a rescale slope above 0 and a finite intercept",
            "a slope of 0" if slope == 0.0 else "others",
            "correct the header or export the study again",
        )
    counts = frames.astype(np.float32)
    if (slope, intercept) != (1.0, 0.0):
        counts *= np.float32(slope)
        counts += np.float32(intercept)
    return counts


GATED_SLICES = "RECON GATED TOMO"
"""The image type of a gated reconstruction."""

_CHOOSE = "choose the gated short-axis series"
_OTHER_KINDS = {
    "GATED TOMO": ("gated projections", "reconstruct and reorient first"),
    "TOMO": ("projections without gating", "choose the gated study of this patient"),
    "RECON TOMO": ("a reconstruction without gating", _CHOOSE),
    "": ("no image type", _CHOOSE),
}


def read_nm(
    path: Path,
    *,
    voxel_mm: tuple[float, float, float] | None = None,
    sidecar: Sidecar | None = None,
    min_slots: int = MIN_SLOTS,
) -> GatedStack:
    """Read a gated short-axis stack from a DICOM NM image.

    Parameters
    ----------
    path : Path
        A DICOM file (part 10: with preamble and ``DICM``).
    voxel_mm : tuple of float, optional
        Distance of slices, rows and columns in mm, used where the header has none.
    sidecar : Sidecar, optional
        What is known beside the file; outranks its header.
    min_slots : int
        Fewest time slots that are accepted; 6 at least.

    Returns
    -------
    GatedStack
        Frames put in order by their vectors, rescaled. Of several RR intervals the one with most
        beats is read, and a flag says so. What the header leaves out is None.

    Raises
    ------
    DataError
        No DICOM, no NM image, projections, transaxial or long-axis slices, frames that do not
        make up one stack, no geometry, pixel data shorter than claimed or not decodable, too few
        slots or slices, lost frames, counts that are no numbers. The message names the file and
        no content of its header.
    """
    dataset = _read_dataset(path)
    try:
        with warnings.catch_warnings(action="ignore"):  # pydicom's warnings may quote values
            return _read_stack(dataset, path.name, voxel_mm, sidecar or Sidecar(), min_slots)
    except DataError:
        raise
    except Exception:  # elements of a wrong type or multiplicity; texts may quote values
        raise DataError.unusable(
            path.name, "a complete NM image module", "elements of a wrong kind", _AGAIN
        ) from None


def _read_dataset(path: Path) -> Any:
    """Read the file's elements; no pixel is decoded yet."""
    if not path.is_file():
        raise DataError.unusable(path.name, "a file", "none", "check the path")
    with path.open("rb") as file:
        if file.read(132)[128:] != b"DICM":
            raise DataError.unusable(
                path.name,
                "a DICOM file, with DICM at byte 128",
                "another kind of file",
                "give it the suffix of its own format, or export it as DICOM",
            )
    if path.stat().st_size > MAX_VALUES * 5:  # 32 bits a voxel, and a header
        raise DataError.unusable(
            path.name,
            f"at most {MAX_VALUES} voxels in all frames",
            f"a file of {path.stat().st_size} bytes",
            "crop it to the heart",
        )
    try:
        with warnings.catch_warnings(action="ignore"):
            meta = pydicom.filereader.read_file_meta_info(path)
            if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
                # Its size in memory is not known before it is inflated.
                raise DataError.unusable(
                    path.name, "a transfer syntax that is not deflated", "a deflated one", _AGAIN
                )
            dataset = pydicom.dcmread(path)
            sop_class = dataset.get("SOPClassUID")
    except DataError:
        raise
    except Exception:
        raise DataError.unusable(
            path.name, "a readable DICOM file", "a damaged one", _AGAIN
        ) from None
    if sop_class != NuclearMedicineImageStorage:
        raise DataError.unusable(
            path.name,
            "a nuclear medicine image",
            "another class of DICOM object",
            "choose the gated short-axis series of this study, not a screenshot of it",
        )
    return dataset


def _read_stack(
    dataset: Any,
    name: str,
    given_mm: tuple[float, float, float] | None,
    sidecar: Sidecar,
    min_slots: int,
) -> GatedStack:
    """Check the header, decode the frames, and put them in order."""
    _require_gated_slices(dataset, name)
    n_frames = int(dataset.get("NumberOfFrames") or 0)
    require_size(name, n_frames, int(dataset.Rows), int(dataset.Columns))
    flags = () if sidecar.long_axis else require_short_axis(dataset, name)
    numbers = frame_numbers(dataset, name, n_frames)
    n_rr_intervals, n_slots, n_slices = numbers.shape
    require_shape(name, n_slots, n_slices, int(dataset.Rows), int(dataset.Columns), min_slots)
    voxel_mm = sidecar.voxel_mm or read_voxel_mm(dataset, name, given_mm)
    frames = decode(dataset, name, n_frames)
    gating = read_gating(dataset, n_rr_intervals, n_slots)
    chosen, rr_flags = _interval_with_most_beats(gating, frames, numbers)
    counts = rescaled(dataset, name, frames[numbers[chosen]])
    require_counts(name, counts)
    if sidecar.long_axis:
        turned = turn(
            Body(counts, voxel_mm, read_directions(dataset, name)), name, sidecar.long_axis
        )
        counts, voxel_mm, flags = turned.counts, turned.voxel_mm, turned.flags
        sidecar = replace(sidecar, apex_first=False)
    apex_first, apex_flags = read_apex_first(dataset)
    if sidecar.apex_first is not None:
        apex_first, apex_flags = sidecar.apex_first, ()
    rejected_share = sidecar.rejected_share
    return GatedStack(
        counts=counts,
        voxel_mm=voxel_mm,
        apex_first=apex_first,
        state=sidecar.state or state_of_dataset(dataset),
        rr_ms=sidecar.rr_ms or gating[chosen].rr_ms,
        rejected_share=gating[chosen].rejected_share if rejected_share is None else rejected_share,
        flags=(
            *flags,
            *slot_flags(n_slots),
            *rr_flags,
            *gating[chosen].flags,
            *apex_flags,
            *sidecar.flags,
        ),
    )


def image_kind(dataset: Any) -> str:
    """Return the third value of the image type, which tells the kinds of NM images apart."""
    values = dataset.get("ImageType") or []
    return str(values[2]).strip().upper() if len(values) > 2 else ""


def _require_gated_slices(dataset: Any, name: str) -> None:
    """Refuse every other kind of NM image, each with what to do about it."""
    kind = image_kind(dataset)
    if kind != GATED_SLICES:
        found, do = _OTHER_KINDS.get(kind, ("an image type of another kind", _CHOOSE))
        raise DataError.unusable(name, f"a gated reconstruction ({GATED_SLICES})", found, do)


def _interval_with_most_beats(
    gating: tuple[Gating, ...], frames: NDArray[Any], numbers: NDArray[np.intp]
) -> tuple[int, tuple[str, ...]]:
    """Choose one RR interval: by its accepted beats, or by its counts where they are unknown."""
    n_rr_intervals = len(gating)
    if n_rr_intervals == 1:
        return 0, ()
    beats = [item.n_accepted for item in gating]
    if None not in beats:
        chosen = max(range(n_rr_intervals), key=lambda index: beats[index] or 0)
        why = "the one with most beats"
    else:
        sums = [frames[part.ravel()].sum(dtype=np.float64) for part in numbers]
        chosen, why = int(np.argmax(sums)), "the one with most counts, as beats are unknown"
    return chosen, (f"RR interval {chosen + 1} of {n_rr_intervals} read: {why}",)


def state_of_dataset(dataset: Any) -> State | None:
    """Tell stress from rest: by the acquisition context's code, else by the series' name."""
    for item in dataset.get("AcquisitionContextSequence") or []:
        for value in item.get("ConceptCodeSequence") or []:
            state = state_of_code(
                str(value.get("CodingSchemeDesignator")), str(value.get("CodeValue"))
            )
            if state is not None:
                return state
    return state_of_words(
        " ".join(
            str(dataset.get(keyword) or "")
            for keyword in ("SeriesDescription", "ImageID", "ProtocolName")
        )
    )


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
    header = [str(dataset.get(keyword) or "").strip() for keyword in _OF_THE_PATIENT]
    if _OF_NOBODY.fullmatch(header[0]):
        return ""
    return hashlib.sha256(repr(header).encode()).hexdigest()
