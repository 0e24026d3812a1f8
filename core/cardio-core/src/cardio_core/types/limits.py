"""The claim of an NPY header, against the bytes that are there."""

from __future__ import annotations

import gzip
import math
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from cardio_stats.errors import DataError
from cardio_stats.limits import (
    HARMLESS_BYTES,
    MAX_FRAME_PIXELS,
    MAX_MEMBERS,
    largest_bytes,
    most_unpacked,
    require_unpacked,
    too_large,
)

MAGIC = b"\x93NUMPY"
_AGAIN = "save it again"


def require_array(name: str, stream: BinaryIO, n_bytes: int, what: str = "the array") -> None:
    """Refuse an array that claims more values than its file or member can hold.

    NumPy allocates what the header claims before it reads.

    Parameters
    ----------
    name : str
        The file's.
    stream : file
        At the beginning of the array; its header alone is read.
    n_bytes : int
        From there to the end.
    what : str
        What to call it.

    Raises
    ------
    DataError
        If so; what is damaged otherwise is the reader's to refuse.
    """
    claimed = _claimed(stream)
    if claimed is not None and claimed > n_bytes:
        raise DataError.unusable(
            name,
            f"{what} within the {n_bytes} bytes that are there",
            f"a header that claims {claimed}",
            _AGAIN,
        )


def _claimed(stream: BinaryIO) -> int | None:
    """Return the bytes of values that a header claims, None where it is none."""
    import numpy as np

    readers: Any = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        with warnings.catch_warnings(action="ignore"):
            shape, _, dtype = readers[np.lib.format.read_magic(stream)](stream)
    except Exception:  # damaged in any way
        return None
    if dtype.hasobject or any(length < 0 for length in shape):
        return None
    # An array of no bytes a value claims memory for its shape all the same.
    return int(math.prod(shape)) * max(int(dtype.itemsize), 1)


# What a compressed frame says about itself: its size and its colours, before it is decoded.
#
# References
# ----------
# ITU-T T.81 (JPEG), T.87 (JPEG-LS), T.800 (JPEG 2000) A.5 and A.6; JFIF 1.02; Adobe TN 5116
# (APP14).

_SOI, _SOC = b"\xff\xd8", b"\xff\x4f"
_JP2 = b"\x00\x00\x00\x0cjP  "
_SIZ, _COD, _SOT = 0x51, 0x52, 0x90
# SOF0 to SOF15 without DHT, JPG and DAC, and SOF55 of JPEG-LS.
_START_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN, _APP0, _APP14 = 0xDA, 0xE0, 0xEE


@dataclass(frozen=True, slots=True)
class Codestream:
    """A frame's own header.

    Attributes
    ----------
    n_rows, n_columns, n_components : int
        As the decoder will allocate them.
    knows_colours : bool
        Whether the stream itself says how its colours are coded, so that its decoder returns RGB
        whatever the header says. JPEG: a JFIF or Adobe marker; JPEG 2000: a transform of the
        components.
    """

    n_rows: int
    n_columns: int
    n_components: int
    knows_colours: bool = False


def read_codestream(data: bytes) -> Codestream | None:
    """Read the header of a JPEG, JPEG-LS or JPEG 2000 frame.

    Returns
    -------
    Codestream or None
        None where the header is damaged or of another kind.

    Examples
    --------
    >>> start = bytes.fromhex("ffd8" "ffc0000b 08 00f0 0140 01 011100")
    >>> read_codestream(start)
    Codestream(n_rows=240, n_columns=320, n_components=1, knows_colours=False)
    >>> read_codestream(b"no image") is None
    True
    """
    if data[:2] == _SOI:
        return _read_jpeg(data)
    if data[:8] == _JP2:  # not allowed in DICOM, but written by some and decoded by all
        data = data[max(data.find(_SOC + b"\xff\x51"), 0) :]
    if data[:2] == _SOC:
        return _read_jpeg_2000(data)
    return None


def starts_frame(data: bytes) -> bool:
    """Tell whether a fragment begins with the first marker of a frame."""
    return data[:2] in (_SOI, _SOC) or data[:8] == _JP2


def _read_jpeg(data: bytes) -> Codestream | None:
    size: tuple[int, int, int] | None = None
    knows_colours = False
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        length = int.from_bytes(data[place + 2 : place + 4])
        segment = data[place + 4 : place + 2 + length]
        if marker == _START_OF_SCAN or length < 2:
            break
        if (marker == _APP0 and segment.startswith(b"JFIF")) or (
            marker == _APP14 and segment.startswith(b"Adobe")
        ):
            knows_colours = True
        elif marker in _START_OF_FRAME and len(segment) >= 6:
            size = int.from_bytes(segment[1:3]), int.from_bytes(segment[3:5]), segment[5]
        place += 2 + length
    return None if size is None else Codestream(*size, knows_colours=knows_colours)


def _read_jpeg_2000(data: bytes) -> Codestream | None:
    size: tuple[int, int, int] | None = None
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        length = int.from_bytes(data[place + 2 : place + 4])
        segment = data[place + 4 : place + 2 + length]
        if marker == _SOT or length < 2:
            break
        if marker == _SIZ and len(segment) >= 36:
            x1, y1, x0, y0 = (int.from_bytes(segment[i : i + 4]) for i in (2, 6, 10, 14))
            size = y1 - y0, x1 - x0, int.from_bytes(segment[34:36])
        elif marker == _COD and len(segment) >= 5 and size is not None:
            return Codestream(*size, knows_colours=segment[4] == 1)
        place += 2 + length
    return None if size is None else Codestream(*size)


# DICOM files: deflated elements, and compressed frames whose own size is not the header's.

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
_DICOM_AGAIN = "copy or export the file again"


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
                    path.name, f"at most {_MAX_FRAGMENTS} compressed pieces", "more", _DICOM_AGAIN
                )
            stream = _frame_at(file, *place)
            n_frames += stream is not None
            if stream is not None and _n_values(stream) > 3 * MAX_FRAME_PIXELS:
                raise DataError.unusable(
                    f"{path.name}, frame {n_frames}",
                    "{} × {} pixels of {} samples".format(*claimed),
                    f"{stream.n_rows} × {stream.n_columns} of {stream.n_components}",
                    _DICOM_AGAIN,
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


# Gzip files: what they hold is counted, block by block, before a reader takes it as a whole.

GZIP_MAGIC = b"\x1f\x8b"
_DEFLATE_RATIO = 1032
"""No deflated stream unpacks to more than so many times its size."""
_BLOCK = 1 << 20


def require_gzip(path: Path, n_bytes: int) -> None:
    """Refuse a gzip file that unpacks to too much.

    The size that stands at its end is of its last part, and anybody's to write: so it is counted,
    up to the limit and no further, where it could matter.

    Raises
    ------
    DataError
        If so; what is damaged is the reader's to refuse.
    """
    if n_bytes * _DEFLATE_RATIO <= HARMLESS_BYTES:
        return
    most, n_found = most_unpacked(n_bytes), 0
    try:
        with gzip.open(path, "rb") as file:
            while n_found <= most and (block := file.read(_BLOCK)):
                n_found += len(block)
    except (OSError, EOFError, zlib.error):
        return  # the reader says why
    require_unpacked(path.name, n_bytes, n_found, at_least=n_found > most)


# Zip archives (NPZ, skops): what their directory claims, before a member is opened.

_MARKS = (b"PK\3\4", b"PK\5\6")
_END, _END_BYTES = b"PK\5\6", 22
_LONGEST_COMMENT = 1 << 16
_DIRECTORY_BYTES = 200 * MAX_MEMBERS
_KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def is_zip(start: bytes) -> bool:
    """Tell an archive by its first bytes."""
    return start.startswith(_MARKS)


def require_zip(path: Path, n_bytes: int) -> None:
    """Refuse an archive that unpacks to too much, or that no program of ours wrote.

    What a member really holds is never more than what the directory says: Python's reader stops
    there. bzip2 and LZMA are refused, because it unpacks those in one go.

    Raises
    ------
    DataError
        Too many members; too much, by the directory; members that overlap; another compression;
        an array that claims more than its member holds.
    """
    with path.open("rb") as file:
        _require_small_directory(path.name, file, n_bytes)
        try:
            archive = zipfile.ZipFile(file)
        except Exception:  # damaged in any way: the reader says so
            return
        with archive:
            members = archive.infolist()
            _require_members(path.name, members, n_bytes)
            for member in members:
                if member.filename.endswith(".npy"):
                    _require_member(path.name, archive, member)


def _require_small_directory(name: str, file: BinaryIO, n_bytes: int) -> None:
    """Check the size of the directory, which is parsed as a whole."""
    n_tail = min(n_bytes, _LONGEST_COMMENT + _END_BYTES)
    file.seek(n_bytes - n_tail)
    tail = file.read(n_tail)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        return
    n_members, n_directory = struct.unpack("<HL", tail[at + 10 : at + 16])
    if n_members > MAX_MEMBERS or n_directory > _DIRECTORY_BYTES:  # of zip64, all bits are set
        raise DataError.unusable(
            name, f"at most {MAX_MEMBERS} files in the archive", "more of them", _AGAIN
        )
    file.seek(0)


def _require_members(name: str, members: list[zipfile.ZipInfo], n_bytes: int) -> None:
    require_unpacked(name, n_bytes, sum(member.file_size for member in members))
    if sum(member.compress_size for member in members) > n_bytes:
        raise DataError.unusable(name, "files one after the other", "some that overlap", _AGAIN)
    if any(member.compress_type not in _KINDS for member in members):
        raise DataError.unusable(
            name, "files that are stored or deflated", "another compression", _AGAIN
        )


def _require_member(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    try:
        with archive.open(member) as stream:
            is_array = stream.read(len(MAGIC)) == MAGIC
        if is_array:
            with archive.open(member) as stream:
                require_array(name, cast("BinaryIO", stream), member.file_size, "an array")
    except DataError:
        raise
    except Exception:  # damaged in any way: the reader says so
        return


# One look at a file before any reader has it: whether it, and what it unpacks to, can be read.

_START = 132


def require_fitting(files: Iterable[Path]) -> None:
    """Refuse files that are too large, or that would be when they are unpacked.

    Every recording, table and model goes by here before its reader is called, whatever the reader
    is: what is known of zip archives, NumPy arrays, gzip and DICOM is looked at by content, not by
    suffix. What is no file is left to the reader.

    Parameters
    ----------
    files : iterable of Path

    Raises
    ------
    DataError
        Naming the limit, and where it can be raised.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> file = Path(tempfile.mkdtemp()) / "a.npy"
    >>> with file.open("wb") as stream:
    ...     about = {"descr": "<f8", "fortran_order": False, "shape": (10**9,)}
    ...     np.lib.format.write_array_header_1_0(stream, about)
    >>> require_fitting([file])
    Traceback (most recent call last):
    cardio_stats.errors.DataError: a.npy: expected the array within the 128 bytes that are ...
    """
    for path in files:
        if path.is_file():
            _require_fitting(path)
        elif path.exists() and not path.is_dir():  # a pipe or a device may never end
            raise DataError.unusable(
                path.name, "a regular file", "something else", "name a copy of it"
            )


def _require_fitting(path: Path) -> None:
    n_bytes = path.stat().st_size
    if n_bytes > largest_bytes():
        raise too_large(path.name, "in one file", f"{n_bytes / 1e9:.3g} GB")
    with path.open("rb") as file:
        start = file.read(_START)
        if start.startswith(MAGIC):
            file.seek(0)
            require_array(path.name, file, n_bytes)
    if is_zip(start):
        require_zip(path, n_bytes)
    elif start.startswith(GZIP_MAGIC):
        require_gzip(path, n_bytes)
    elif start[MARK] == b"DICM":
        require_dicom(path)


# Safetensors files: the header is JSON that is parsed as a whole.

MAX_HEADER_BYTES = 4_000_000
"""An R(2+1)D-18 has 23,000."""


def require_weights(path: Path) -> None:
    """Refuse weights whose header is too large, or longer than the file.

    That the tensors fill the file is checked by the library.

    Raises
    ------
    DataError
        If so, or if the file is larger than `require_fitting` allows.
    """
    require_fitting([path])
    n_bytes = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
    n_header = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
    if n_header > min(MAX_HEADER_BYTES, n_bytes):
        raise DataError.unusable(
            path.name,
            f"a safetensors header of at most {min(MAX_HEADER_BYTES, n_bytes)} bytes",
            f"one that claims {n_header}",
            "train again, or put back a whole copy of the file",
            code="damaged",
        )
