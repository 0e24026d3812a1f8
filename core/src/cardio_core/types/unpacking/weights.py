"""Safetensors files: the header is JSON that is parsed as a whole."""

from __future__ import annotations

import struct
from pathlib import Path

from cardio_core.errors import DataError
from cardio_core.types.unpacking.fitting import require_fitting

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
        )
