"""Write frames one by one, without loss: as native DICOM pixel data, or as NPY with a JSON."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.io.atomic import replacing, write_json
from cardio_core.ultrasound.loops.loop import Loop

_PIXEL_DATA = (0x7FE0, 0x0010)


def write_dicom(path: Path, header: Any, frames: Iterable[NDArray[np.uint8]]) -> None:
    """Write a header and its frames; one frame is in memory at a time.

    The file is whole or not there. The header is explicit VR little endian, without pixel data;
    frames are uint8, as many and as large as it says.
    """
    n_bytes = header.NumberOfFrames * header.Rows * header.Columns * header.SamplesPerPixel
    with replacing(path) as temporary:
        header.save_as(temporary, enforce_file_format=True)
        with temporary.open("ab") as file:
            # Explicit VR: OB has two reserved bytes and a length of four (PS3.5 7.1.2).
            length = n_bytes + n_bytes % 2
            file.write(struct.pack("<HH2sHL", *_PIXEL_DATA, b"OB", 0, length))
            _append(file, frames, n_bytes)
            file.write(b"\0" * (n_bytes % 2))


def write_npy(path: Path, loop: Loop, frames: Iterable[NDArray[np.uint8]], *, colour: bool) -> None:
    """Write frames as one NPY array, shape (n_frames, n_rows, n_columns) or (..., 3)."""
    shape = (loop.n_frames, *loop.size, *((3,) if colour else ()))
    with replacing(path) as temporary, temporary.open("wb") as file:
        head = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, head)
        _append(file, frames, int(np.prod(shape, dtype=np.int64)))


def write_facts(path: Path, loop: Loop, *, timed: bool) -> None:
    """Write the JSON that `read_loop` looks for beside a file: times, pixel size, R peaks."""
    facts: dict[str, Any] = {}
    if timed:
        facts["frame_times_ms"] = [round(float(time), 6) for time in loop.frame_times_ms]
    if loop.mm_per_pixel is not None:
        facts["mm_per_pixel"] = list(loop.mm_per_pixel)
    if timed and loop.r_times_ms is not None:
        facts["r_times_ms"] = [float(time) for time in loop.r_times_ms]
    write_json(path, facts)


def _append(file: Any, frames: Iterable[NDArray[np.uint8]], n_bytes: int) -> None:
    written = 0
    for frame in frames:
        written += file.write(np.ascontiguousarray(frame).data)
    if written != n_bytes:
        raise ValueError(f"{written} bytes of frames where the header says {n_bytes}")
