"""Gzip files: what they hold is counted, block by block, before a reader takes it as a whole."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from cardio_core.types.unpacking.bounds import HARMLESS_BYTES, most_unpacked, require_unpacked

MAGIC = b"\x1f\x8b"
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
