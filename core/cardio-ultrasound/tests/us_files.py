"""DICOM ultrasound loops written element by element, with no help of the code under test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian

US_MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.3.1"
PATIENT = "DOE^JANE"


def moving_texture(n_frames: int = 6, n_rows: int = 60, n_columns: int = 80) -> np.ndarray:
    """Return smooth grey frames that move, 40 to 200: (n_frames, n_rows, n_columns)."""
    rows, columns = np.mgrid[:n_rows, :n_columns]
    shift = np.arange(n_frames)[:, None, None]
    texture = 120 + 80 * np.sin((rows + 2 * shift) / 6.0) * np.cos(columns / 7.0)
    return texture.round().astype(np.uint8)


def moving_sector(n_frames: int = 6, n_rows: int = 60, n_columns: int = 80) -> np.ndarray:
    """Return the same inside a sector, black outside."""
    rows, columns = np.mgrid[:n_rows, :n_columns]
    across, down = columns - (n_columns - 1) / 2, rows + 1.0
    inside = (np.abs(np.arctan2(across, down)) < np.pi / 4) & (np.hypot(across, down) < n_rows)
    return np.where(inside, moving_texture(n_frames, n_rows, n_columns), 0).astype(np.uint8)


def region(x0: int, y0: int, x1: int, y1: int, delta_cm: float = 0.05, **others: Any) -> Dataset:
    item = Dataset()
    item.RegionSpatialFormat = others.pop("spatial_format", 1)
    item.RegionDataType = others.pop("data_type", 1)
    item.RegionFlags = 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = x0, y0
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = x1, y1
    units = others.pop("units", 3)
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = units
    item.PhysicalDeltaX = others.pop("delta_x_cm", delta_cm)
    item.PhysicalDeltaY = delta_cm
    assert not others
    return item


def dataset(
    frames: np.ndarray,
    photometric: str = "MONOCHROME2",
    syntax: str = ExplicitVRLittleEndian,
    **elements: Any,
) -> Dataset:
    """Describe a loop of 50 frames a second; `elements` override, None takes one out."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    made.SOPClassUID = US_MULTI_FRAME
    made.SOPInstanceUID = "1.2.826.0.1.3680043.8.498.1"
    made.PatientName = PATIENT
    made.Modality = "US"
    made.NumberOfFrames, made.Rows, made.Columns = frames.shape[:3]
    made.SamplesPerPixel = 3 if frames.ndim == 4 else 1
    if frames.ndim == 4:
        made.PlanarConfiguration = 0
    made.PhotometricInterpretation = photometric
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit, made.PixelRepresentation = 7, 0
    made.FrameTime = "20"
    made.SequenceOfUltrasoundRegions = [region(0, 0, frames.shape[2] - 1, frames.shape[1] - 1)]
    data = frames.tobytes()
    made.PixelData = data + b"\0" * (len(data) % 2)
    for keyword, value in elements.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    return made


def encapsulated(
    fragments: list[bytes], frames: np.ndarray, syntax: str, **elements: Any
) -> Dataset:
    """Describe a loop whose frames are compressed already, one fragment a frame."""
    elements.setdefault("PixelData", encapsulate(fragments))
    return dataset(frames, syntax=syntax, **elements)


def written(made: Dataset, path: Path) -> Path:
    made.save_as(path, enforce_file_format=True)
    return path
