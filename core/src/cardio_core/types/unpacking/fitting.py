"""One look at a file before any reader has it: whether it, and what it unpacks to, can be read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cardio_core.types.unpacking import arrays, dicom, streams, zips
from cardio_core.types.unpacking.bounds import largest_bytes, too_large

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
    cardio_core.errors.DataError: a.npy: expected the array within the 128 bytes that are there, ...
    """
    for path in files:
        if path.is_file():
            _require_fitting(path)


def _require_fitting(path: Path) -> None:
    n_bytes = path.stat().st_size
    if n_bytes > largest_bytes():
        raise too_large(path.name, "in one file", f"{n_bytes / 1e9:.3g} GB")
    with path.open("rb") as file:
        start = file.read(_START)
        if start.startswith(arrays.MAGIC):
            file.seek(0)
            arrays.require_array(path.name, file, n_bytes)
    if zips.is_zip(start):
        zips.require_zip(path, n_bytes)
    elif start.startswith(streams.MAGIC):
        streams.require_gzip(path, n_bytes)
    elif start[dicom.MARK] == b"DICM":
        dicom.require_dicom(path)
