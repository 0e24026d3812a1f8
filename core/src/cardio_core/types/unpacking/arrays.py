"""The claim of an NPY header, against the bytes that are there."""

from __future__ import annotations

import math
import warnings
from typing import Any, BinaryIO

from cardio_core.errors import DataError

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
