"""DICOM files: deflated elements, and compressed frames whose own size is not the header's."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from cardio_core.errors import DataError
from cardio_core.types.unpacking.bounds import MAX_FRAME_PIXELS
from cardio_core.types.unpacking.codestream import Codestream, read_codestream, starts_frame

MARK = slice(128, 132)
_OF_COMPRESSED = "1.2.840.10008.1.2.4."
_DEFLATED = ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205",
             "1.2.840.10008.1.2.8.1")  # fmt: skip
"""PS3.6, A: deflated explicit VR little endian, JPIP deflate (2), deflated image frames."""
_LONG = {b"OB", b"OW", b"UN", b"SQ", b"UT", b"UC", b"UR", b"OD", b"OF", b"OL", b"OV", b"SV", b"UV"}
_SYNTAX = (0x0002, 0x0010)
_MOST_OF_META = 1 << 16
_ITEM = 0xFFFEE000
_PIXEL_DATA = b"\xe0\x7f\x10\x00"
_ENOUGH, _ALL_OF_IT = 1 << 10, 1 << 17
"""What a frame's own header lies in: mostly, and at any rate."""

_CLAIMED = ("Rows", "Columns", "SamplesPerPixel")
_MAX_FRAGMENTS = 1_000_000
_AGAIN = "copy or export the file again"


def require_dicom(path: Path) -> None:
    """Refuse a DICOM file whose size in memory its header does not tell.

    Decoders allocate what a compressed frame says of itself, whatever rows and columns the header
    of the file has.

    Raises
    ------
    DataError
        A deflated transfer syntax; a compressed frame of more than `MAX_FRAME_PIXELS`; fragments
        without end.
    """
    with path.open("rb") as file:
        file.seek(132)
        syntax = _transfer_syntax(file.read(_MOST_OF_META))
    if syntax in _DEFLATED:
        raise DataError.unusable(
            path.name,
            "a transfer syntax that is not deflated",
            "a deflated one",
            "export it as explicit VR little endian",
        )
    if syntax.startswith(_OF_COMPRESSED):
        _require_frames(path)


def _require_frames(path: Path) -> None:
    with path.open("rb") as file:
        claimed = _claimed_at_pixel_data(file)
        if claimed is None:
            return  # the reader says why
        n_frames = 0
        for number, place in enumerate(_fragments(file), start=1):
            if number > _MAX_FRAGMENTS:
                raise DataError.unusable(
                    path.name, f"at most {_MAX_FRAGMENTS} compressed pieces", "more", _AGAIN
                )
            stream = _frame_at(file, *place)
            n_frames += stream is not None
            if stream is not None and _n_values(stream) > 3 * MAX_FRAME_PIXELS:
                raise DataError.unusable(
                    f"{path.name}, frame {n_frames}",
                    "{} × {} pixels of {} samples".format(*claimed),
                    f"{stream.n_rows} × {stream.n_columns} of {stream.n_components}",
                    _AGAIN,
                )


def _n_values(stream: Codestream) -> int:
    return stream.n_rows * stream.n_columns * max(stream.n_components, 1)


def _claimed_at_pixel_data(file: BinaryIO) -> tuple[Any, Any, Any] | None:
    """Go to the first item of compressed pixel data; return rows, columns and samples."""
    try:
        import pydicom
    except ImportError:
        return None
    try:
        with warnings.catch_warnings(action="ignore"):  # pydicom's warnings may quote values
            about = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=[*_CLAIMED])
            rows, columns, samples = (int(about.get(keyword) or 0) for keyword in _CLAIMED)
    except Exception:  # damaged in any way
        return None
    return (rows, columns, samples) if file.read(12)[:4] == _PIXEL_DATA else None


def _frame_at(file: BinaryIO, place: int, length: int) -> Codestream | None:
    """Return what a frame says of itself; None where none begins here."""
    for enough in (_ENOUGH, _ALL_OF_IT):
        file.seek(place)
        data = file.read(min(length, enough))
        if not starts_frame(data):
            return None
        if (stream := read_codestream(data)) is not None:
            return stream
    return None


def _fragments(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Yield the places and lengths of all items, the table of offsets first."""
    place = file.tell()
    while True:
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return
        group, element, length = struct.unpack("<HHL", head)
        if group << 16 | element != _ITEM:
            return
        yield place + 8, length
        place += 8 + length


def _transfer_syntax(meta: bytes) -> str:
    """Return the transfer syntax of a file meta group, empty where there is none (PS3.10, 7.1)."""
    at = 0
    while at + 8 <= len(meta):
        group, element, kind, length = struct.unpack("<HH2sH", meta[at : at + 8])
        at += 8
        if kind in _LONG:
            if at + 4 > len(meta):
                break
            (length,) = struct.unpack("<L", meta[at : at + 4])
            at += 4
        if group != _SYNTAX[0]:
            break
        if (group, element) == _SYNTAX:
            return meta[at : at + length].decode("latin-1").strip("\0 ")
        at += length
    return ""
