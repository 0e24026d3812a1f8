"""What the container of a video says without a frame being decoded: is it whole, what describes it.

Sizes of boxes, chunks and elements are followed from the first byte; nothing of their content is
kept, for titles and comments name people.

References
----------
ISO/IEC 14496-12 (MP4), Microsoft's AVI RIFF file reference with OpenDML, RFC 8794 and RFC 9559
(Matroska).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MOST_PARTS = 100_000
_DEEPEST = 8

_MP4_BEGINS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_MP4_HOLDS = (b"moov", b"trak", b"udta", b"meta", b"ilst")
_MP4_DATED = (b"mvhd", b"tkhd", b"mdhd")
_MP4_COUNTED = (b"ilst", b"udta")

_RIFF, _LIST = b"RIFF", b"LIST"
_AVI_FACTS = (b"IDIT", b"ISMP", b"strn")

_EBML = b"\x1aE\xdf\xa3"
_SEGMENT, _INFO, _TAGS, _TAG, _ATTACHMENTS = 0x18538067, 0x1549A966, 0x1254C367, 0x7373, 0x1941A469
_MKV_HOLDS = (_SEGMENT, _INFO, _TAGS, _TAG, _ATTACHMENTS)
_MKV_FACTS = (0x7BA9, 0x4461, 0x67C8, 0x61A7)
"""Title, date, simple tag, attached file."""


@dataclass(frozen=True)
class Container:
    """What is known of a video's container.

    Attributes
    ----------
    kind : str
        ``MP4``, ``AVI`` or ``Matroska``; empty where it is none of them.
    damage : str
        ``empty``, or ``cut short`` with what is missing; empty of a whole file.
    n_metadata : int
        Titles, comments, dates, places, names of programs and the like.
    """

    kind: str
    damage: str = ""
    n_metadata: int = 0


def look_at_container(path: Path) -> Container:
    r"""Follow the parts of a video's container from its first byte to its last.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a.mp4"
    >>> for text in (b"", b"#EXTM3U", b"\0\0\0\x10ftypisom\0\0\0\0\0\0\x40\0mdat"):
    ...     _ = file.write_bytes(text)
    ...     print(look_at_container(file))
    Container(kind='', damage='empty', n_metadata=0)
    Container(kind='', damage='', n_metadata=0)
    Container(kind='MP4', damage='cut short: 24 of 16400 bytes are there', n_metadata=0)
    """
    n_bytes = path.stat().st_size
    if not n_bytes:
        return Container("", "empty")
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] == _RIFF and head[8:] == b"AVI ":
            return _avi(file, n_bytes)
        if head[:4] == _EBML:
            return _matroska(file, n_bytes)
        if head[4:8] in _MP4_BEGINS:
            return _mp4(file, n_bytes)
    return Container("")


def _cut(expected: int, n_bytes: int) -> str:
    return f"cut short: {n_bytes} of {expected} bytes are there"


def _mp4(file: BinaryIO, n_bytes: int) -> Container:
    top = list(_boxes(file, 0, n_bytes))
    ends = max((end for _, _, end in top), default=8)
    if ends > n_bytes:
        return Container("MP4", _cut(ends, n_bytes))
    if not any(kind == b"moov" for kind, _, _ in top):
        return Container("MP4", "cut short: the index (moov), written last, is not there")
    return Container("MP4", "", _mp4_facts(file, top, b"", 0))


def _boxes(file: BinaryIO, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, first byte of the content and end of every box; an end may lie beyond `stop`."""
    for _ in range(_MOST_PARTS):
        if start + 8 > stop:
            return
        file.seek(start)
        head = file.read(16)
        size, kind, begin = int.from_bytes(head[:4], "big"), head[4:8], start + 8
        if size == 1:
            size, begin = int.from_bytes(head[8:16], "big"), start + 16
        end = stop if size == 0 else start + size
        if end < begin:
            return
        yield kind, begin, end
        start = end


def _mp4_facts(
    file: BinaryIO, boxes: list[tuple[bytes, int, int]], within: bytes, depth: int
) -> int:
    n_facts = 0
    for kind, begin, end in boxes:
        holds = kind in _MP4_HOLDS or (kind == b"mdia" and depth < _DEEPEST)
        if kind in _MP4_DATED:
            file.seek(begin)
            head = file.read(12)
            dated = head[4:12] if head[:1] == b"\1" else head[4:8]
            n_facts += any(dated)
        elif holds and depth < _DEEPEST:
            # A full box in MP4, a plain one in QuickTime: its first child tells.
            skip = 4 if kind == b"meta" and _is_full(file, begin) else 0
            inner = list(_boxes(file, begin + skip, end))
            n_facts += _mp4_facts(file, inner, kind, depth + 1)
        elif within in _MP4_COUNTED or (kind == b"uuid" and depth == 0):
            n_facts += 1
    return n_facts


def _is_full(file: BinaryIO, begin: int) -> bool:
    file.seek(begin + 4)
    return file.read(4) not in (b"hdlr", b"ilst", b"keys")


def _avi(file: BinaryIO, n_bytes: int) -> Container:
    at, n_facts = 0, 0
    while at + 12 <= n_bytes:
        file.seek(at)
        head = file.read(12)
        if head[:4] != _RIFF:
            break
        size = int.from_bytes(head[4:8], "little")
        end = at + 8 + size
        if size and end > n_bytes:
            return Container("AVI", _cut(end, n_bytes))
        n_facts += _avi_facts(file, at + 12, min(end, n_bytes), 0)
        if not size:
            break
        at = end + size % 2
    return Container("AVI", "", n_facts)


def _avi_facts(file: BinaryIO, start: int, stop: int, depth: int) -> int:
    n_facts = 0
    for _ in range(_MOST_PARTS):
        if start + 8 > stop:
            break
        file.seek(start)
        head = file.read(12)
        size, kind, name = int.from_bytes(head[4:8], "little"), head[:4], head[8:12]
        if kind == _LIST and name != b"movi" and depth < _DEEPEST:
            inner = _avi_facts(file, start + 12, start + 8 + size, depth + 1)
            n_facts += _chunks(file, start + 12, start + 8 + size) if name == b"INFO" else inner
        n_facts += kind in _AVI_FACTS
        start += 8 + size + size % 2
    return n_facts


def _chunks(file: BinaryIO, start: int, stop: int) -> int:
    n = 0
    while start + 8 <= stop and n < _MOST_PARTS:
        file.seek(start)
        size = int.from_bytes(file.read(8)[4:], "little")
        start += 8 + size + size % 2
        n += 1
    return n


def _matroska(file: BinaryIO, n_bytes: int) -> Container:
    n_facts, stack, n_parts = 0, [(0, n_bytes)], 0
    while stack:
        at, stop = stack.pop()
        while at < stop and n_parts < _MOST_PARTS:
            n_parts += 1
            found = _element(file, at)
            if found is None:
                break
            name, begin, size = found
            end = stop if size is None else begin + size
            if end > n_bytes:
                return Container("Matroska", _cut(end, n_bytes))
            n_facts += name in _MKV_FACTS
            if name in _MKV_HOLDS:
                stack.append((begin, end))
            at = end
    return Container("Matroska", "", n_facts)


def _element(file: BinaryIO, at: int) -> tuple[int, int, int | None] | None:
    """Return id, first byte of the content and size of an element; a size of None is unknown."""
    file.seek(at)
    head = file.read(12)
    if len(head) < 2 or not head[0]:
        return None
    n_name = 9 - head[0].bit_length()
    if len(head) <= n_name or not head[n_name]:
        return None
    n_size = 9 - head[n_name].bit_length()
    value = int.from_bytes(head[n_name : n_name + n_size], "big") & ((1 << 7 * n_size) - 1)
    size = None if value == (1 << 7 * n_size) - 1 else value
    return int.from_bytes(head[:n_name], "big"), at + n_name + n_size, size
