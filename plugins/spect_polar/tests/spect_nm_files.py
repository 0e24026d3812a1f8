"""Gated short-axis DICOM, written element by element."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, NuclearMedicineImageStorage

from cardio_core.api import DataError
from cardio_spect_polar.readers.studies import read_gated

if TYPE_CHECKING:
    pass


PATIENT = "DOE^JANE"


SHAPE = (8, 6, 9, 11)  # slots, slices, rows, columns


VOXEL_MM = (6.4, 6.2, 6.6)


def stored(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 900, SHAPE).astype(np.uint16)


def item(**elements: Any) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def code(value: str, scheme: str = "SCT") -> Dataset:
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning="x")


def beats(acquired: int | None = 400, rejected: int | None = 100, **others: Any) -> Dataset:
    made = item(NominalInterval="850", FrameTime="106.25", **others)
    if acquired is not None:
        made.IntervalsAcquired = str(acquired)
    if rejected is not None:
        made.IntervalsRejected = str(rejected)
    return made


def study(
    values: np.ndarray | None = None, order: np.ndarray | None = None, **elements: Any
) -> Dataset:
    """Build a gated study with pydicom alone: one RR interval, frames in `order`."""
    values = stored() if values is None else values
    n_slots, n_slices, n_rows, n_columns = values.shape
    order = np.arange(n_slots * n_slices) if order is None else order
    slots, slices = np.repeat(np.arange(n_slots), n_slices), np.tile(np.arange(n_slices), n_slots)
    made = item(
        SOPClassUID=NuclearMedicineImageStorage,
        SOPInstanceUID="1.2.3",
        PatientName=PATIENT,
        PatientID="4711",
        Modality="NM",
        ImageType=["ORIGINAL", "PRIMARY", "RECON GATED TOMO", "EMISSION"],
        FrameIncrementPointer=[0x00540060, 0x00540070, 0x00540080],
        RRIntervalVector=[1] * order.size,
        TimeSlotVector=(slots[order] + 1).tolist(),
        SliceVector=(slices[order] + 1).tolist(),
        NumberOfRRIntervals=1,
        NumberOfTimeSlots=n_slots,
        NumberOfSlices=n_slices,
        NumberOfFrames=order.size,
        Rows=n_rows,
        Columns=n_columns,
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=16,
        BitsStored=16,
        HighBit=15,
        PixelRepresentation=0,
        PixelSpacing=["6.2", "6.6"],
        SpacingBetweenSlices="-6.4",
        SliceThickness="9",
        SliceProgressionDirection="APEX_TO_BASE",
        DetectorInformationSequence=[item(ViewCodeSequence=[code("103340004")])],
        GatedInformationSequence=[item(DataInformationSequence=[beats()])],
    )
    frames = values.reshape(-1, n_rows, n_columns)[order]
    made.PixelData = frames.astype("<u2").tobytes()
    for keyword, value in elements.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    return made


def write(path: Path, made: Dataset, syntax: str = ExplicitVRLittleEndian) -> Path:
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    made.save_as(path, enforce_file_format=True)
    return path


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read_gated(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert PATIENT not in message
    assert "4711" not in message
    assert message.startswith(f"{path.name}: expected ")
    return message


def shipped(name: str) -> Path:
    found = get_testdata_file(name, download=False)
    assert found is not None
    return Path(str(found))
