"""What the chunks of an HDF5 array unpack to, before one of them is read.

HDF5 unpacks a chunk as a whole and as far as its deflated stream goes, whatever shape the array
claims.
"""

from __future__ import annotations

import math
import zlib
from typing import Any

from cardio_core.errors import DataError, unusable

MAX_CHUNK_BYTES = 256_000_000
"""One frame is read at a time; a chunk that holds hundreds of them is unpacked for each."""

_DEFLATE, _SHUFFLE, _CHECKSUM, _LZF = 1, 2, 3, 32000
_DEFLATE_RATIO, _LZF_RATIO = 1032, 100
_AGAIN = "save it with chunks of a frame or a few, with gzip or without"


def require_chunks(name: str, key: str, dataset: Any) -> None:
    """Refuse an array whose chunks are too large, or unpack to more than they claim.

    Parameters
    ----------
    name, key : str
        Of the file and the array.
    dataset : h5py.Dataset

    Raises
    ------
    DataError
        A chunk over `MAX_CHUNK_BYTES`; another filter than gzip, lzf, shuffle and checksums, or
        two that compress; a stream that is longer than its chunk.
    """
    if dataset.chunks is None:  # contiguous: it lies in the file as it is
        return
    claimed = math.prod(dataset.chunks) * dataset.dtype.itemsize
    if claimed > MAX_CHUNK_BYTES:
        raise unusable(
            name,
            f"chunks of {key} of at most {MAX_CHUNK_BYTES // 10**6} MB",
            f"{claimed / 1e6:.0f} MB",
            _AGAIN,
        )
    plist = dataset.id.get_create_plist()
    filters = [int(plist.get_filter(n)[0]) for n in range(plist.get_nfilters())]
    packing = [one for one in filters if one in (_DEFLATE, _LZF)]
    if set(filters) - {_DEFLATE, _LZF, _SHUFFLE, _CHECKSUM} or len(packing) > 1:
        raise unusable(name, f"{key} packed by gzip, lzf or not at all", "otherwise", _AGAIN)
    if packing:
        _require_streams(name, key, dataset, claimed, packing[0])


def _require_streams(name: str, key: str, dataset: Any, claimed: int, kind: int) -> None:
    """Look into the chunks that could unpack to more than is harmless."""
    ratio = _DEFLATE_RATIO if kind == _DEFLATE else _LZF_RATIO
    for number in range(dataset.id.get_num_chunks()):
        chunk = dataset.id.get_chunk_info(number)
        if chunk.size * ratio <= MAX_CHUNK_BYTES or chunk.filter_mask:
            continue
        if kind == _LZF or _is_longer(dataset.id.read_direct_chunk(chunk.chunk_offset)[1], claimed):
            raise _unpacks(name, key)


def _is_longer(data: bytes, claimed: int) -> bool:
    """Whether a deflated stream unpacks to more than was claimed."""
    stream, n_bytes = zlib.decompressobj(), 0
    while data and n_bytes <= claimed and not stream.eof:
        block = stream.decompress(data, 1 << 20)
        n_bytes += len(block)
        data = stream.unconsumed_tail
    return n_bytes > claimed


def _unpacks(name: str, key: str) -> DataError:
    return unusable(name, f"chunks of {key} that unpack to their size", "larger ones", _AGAIN)
