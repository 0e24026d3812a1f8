"""Where in a DICOM file the bytes of every frame lie.

References
----------
DICOM PS3.5 A.4 (encapsulated pixel data), 8.1.1 (native pixel data); PS3.3 C.7.6.3.1.8 (extended
offset table).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import BinaryIO

from cardio_core.errors import unusable
from cardio_core.types.unpacking.codestream import starts_frame

Place = tuple[int, int]
"""First byte in the file, and length."""

_AGAIN = "copy or export the file again"
_ITEM, _END = 0xFFFEE000, 0xFFFEE0DD


def native_frames(
    name: str, start: int, n_bytes: int, n_frames: int, frame_bytes: int
) -> tuple[tuple[Place, ...], ...]:
    """Place the frames of uncompressed pixel data.

    It begins at byte `start`, and the file really holds `n_bytes` of it; the header claims
    `n_frames` of `frame_bytes` each. Each frame has one piece, as (first byte, length).

    Raises
    ------
    DataError
        Fewer bytes than claimed.

    Examples
    --------
    >>> native_frames("a.dcm", 100, 24, 2, 12)
    (((100, 12),), ((112, 12),))
    """
    if n_bytes < n_frames * frame_bytes:
        raise unusable(
            name,
            f"{n_frames * frame_bytes} bytes of pixel data ({n_frames} frames)",
            f"{n_bytes}",
            _AGAIN,
        )
    return tuple(((start + i * frame_bytes, frame_bytes),) for i in range(n_frames))


def encapsulated_frames(
    name: str, file: BinaryIO, n_bytes: int, n_frames: int, extended: Sequence[int]
) -> tuple[tuple[Place, ...], ...]:
    """Place the frames of compressed pixel data.

    The file stands at the first item, the basic offset table, and is `n_bytes` long; `extended` is
    the extended offset table, empty where there is none. Each frame has its fragments, as (first
    byte, length).

    Raises
    ------
    DataError
        Items that do not make up the claimed frames, or that end after the file.
    """
    table, *fragments = _items(name, file, n_bytes)
    if len(fragments) < n_frames:
        raise unusable(name, f"{n_frames} compressed frames", f"{len(fragments)} at most", _AGAIN)
    if len(fragments) == n_frames:
        return tuple((place,) for place in fragments)
    first = fragments[0][0] - 8  # offsets count from the first fragment's item tag
    offsets = list(extended) or _basic_offsets(file, table)
    if offsets:
        begins = {first + offset for offset in offsets}
        is_start = [place[0] - 8 in begins for place in fragments]
    else:
        is_start = [starts_frame(_bytes_at(file, place[0], 8)) for place in fragments]
    frames: list[list[Place]] = []
    for place, starts in zip(fragments, is_start, strict=True):
        if starts:
            frames.append([])
        if frames:
            frames[-1].append(place)
    if len(frames) != n_frames or not is_start[0]:
        raise unusable(
            name,
            f"{n_frames} compressed frames",
            f"{len(fragments)} fragments that make up {len(frames)}",
            _AGAIN,
        )
    return tuple(tuple(places) for places in frames)


def read_frame(file: BinaryIO, places: Sequence[Place]) -> bytes:
    """Read the bytes of one frame; short where the file has been cut since."""
    return b"".join(_bytes_at(file, *place) for place in places)


def _items(name: str, file: BinaryIO, n_bytes: int) -> list[Place]:
    """Walk over the items without reading them."""
    places: list[Place] = []
    place = file.tell()
    while True:
        head = _bytes_at(file, place, 8)
        if not head:  # the last delimiter may be missing; the number of frames then decides
            break
        if len(head) < 8:
            raise unusable(name, "pixel data with an end", "a file that is cut short", _AGAIN)
        group, element, length = struct.unpack("<HHL", head)
        tag = group << 16 | element
        if tag == _END:
            break
        if tag != _ITEM or place + 8 + length > n_bytes:
            raise unusable(name, "whole items of compressed frames", "a damaged or cut one", _AGAIN)
        places.append((place + 8, length))
        place += 8 + length
    if not places:
        raise unusable(name, "compressed frames", "none", _AGAIN)
    return places


def _basic_offsets(file: BinaryIO, table: Place) -> list[int]:
    data = _bytes_at(file, *table)
    return list(struct.unpack(f"<{len(data) // 4}L", data[: len(data) // 4 * 4]))


def _bytes_at(file: BinaryIO, place: int, length: int) -> bytes:
    file.seek(place)
    return file.read(length)
