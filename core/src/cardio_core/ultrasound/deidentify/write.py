"""Write frames one by one as DICOM, compressed without loss."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.io.atomic import replacing

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
    from pydicom.pixels.encoders.base import get_encoder
    from pydicom.uid import JPEGLSLossless

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
