"""Open a NIfTI file after a look at its first bytes: nothing that it claims is read as a whole.

nibabel reads the extensions between header and voxels with the header, as long as each says it is;
in a compressed file a few bytes can say gigabytes.

References
----------
NIfTI-1 and NIfTI-2 data formats: sizeof_hdr, vox_offset, and the header's extensions.
"""

from __future__ import annotations

import gzip
import struct
import warnings
from pathlib import Path
from typing import Any, BinaryIO, cast

import nibabel

from cardio_core.api import DataError

_MAX_EXTENSION_BYTES = 16_000_000
_KINDS = {348: (108, "f", nibabel.Nifti1Image), 540: (168, "q", nibabel.Nifti2Image)}
"""By the header's size: place and type of vox_offset, and the class that reads it."""

_AGAIN = "export the study again"


def open_nifti(path: Path) -> Any:
    """Open a NIfTI file; its voxels are not read yet.

    Raises
    ------
    DataError
        No NIfTI file, a damaged one, or extensions of more than 16 MB.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # nibabel's warnings may quote values
            kind = _kind(path)
            return kind.from_filename(str(path))
    except DataError:
        raise
    except Exception:  # nibabel's texts may quote the header
        raise DataError.unusable(
            path.name, "a readable NIfTI file", "a damaged one, or another kind of file", _AGAIN
        ) from None


def _kind(path: Path) -> Any:
    """Return the class that reads a file whose extensions are small."""
    with path.open("rb") as plain:
        packed = plain.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rb") if packed else path.open("rb") as file:
        head = file.read(540)
        order = "<" if struct.unpack("<i", head[:4])[0] in _KINDS else ">"
        (n_head,) = struct.unpack(f"{order}i", head[:4])
        place, letter, kind = _KINDS[n_head]
        (voxels,) = struct.unpack_from(f"{order}{letter}", head, place)
        _require_small(path.name, cast("BinaryIO", file), order, n_head + 4, int(voxels))
    return kind


def _require_small(name: str, file: BinaryIO, order: str, at: int, end: int) -> None:
    """Walk over the extensions from byte `at` to `end`, the first voxel."""
    large = end > _MAX_EXTENSION_BYTES
    while not large and at + 16 <= end:
        file.seek(at)
        (n_bytes,) = struct.unpack(f"{order}i", file.read(8)[:4])
        large = not 8 <= n_bytes <= _MAX_EXTENSION_BYTES
        at += n_bytes
    if large:
        raise DataError.unusable(
            name,
            f"at most {_MAX_EXTENSION_BYTES // 10**6} MB between header and voxels",
            "more, or a damaged extension",
            _AGAIN,
        )
