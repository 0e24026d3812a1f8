"""Zip archives (NPZ, skops): what their directory claims, before a member is opened."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import BinaryIO, cast

from cardio_core.errors import DataError
from cardio_core.types.unpacking.arrays import MAGIC, require_array
from cardio_core.types.unpacking.bounds import MAX_MEMBERS, require_unpacked

_MARKS = (b"PK\3\4", b"PK\5\6")
_END, _END_BYTES = b"PK\5\6", 22
_LONGEST_COMMENT = 1 << 16
_DIRECTORY_BYTES = 200 * MAX_MEMBERS
_KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_AGAIN = "save it again"


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
