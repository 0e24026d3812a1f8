"""Changes that know nothing of a format: bits, bytes, blocks, numbers, tokens, encodings."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from random import Random

LARGEST = 4_000_000
"""Longest file that is made; a reader's limits are met by headers that claim more."""

NUMBERS = (
    "0", "-1", "1", "2", "255", "65536", "2147483648", "-2147483649", "4294967295",
    "9223372036854775808", "99999999999999999999999", "1e308", "1e999", "-1e308", "1e-320", "nan",
    "inf", "-inf", "", "0x10", "1.5", "1,5", "007", "1_000", "٣", "1" * 5000,
)  # fmt: skip
WORDS = (
    "", " ", "\0", "\t", "null", "NaN", "true", "None", "NA", "-", "=1+1", "../../etc/passwd",
    "/dev/zero", "http://localhost/", "é", "\u202e", "\ud7ff", "𝄞", "'", '"', ";", ",", "\\", "{",
    "[", "<", "&", "%s", "{0}", "2026-01-01", "12:30", "A" * 70_000, "*x", "&x", "!!python/name:os",
)  # fmt: skip
_NUMBER = re.compile(rb"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_TOKEN = re.compile(rb"[A-Za-z_][A-Za-z0-9_^]*")


def place(data: bytes, rng: Random) -> int:
    """Choose a byte: anywhere, or near the beginning or the end, where headers lie."""
    if not data:
        return 0
    kind = rng.randrange(3)
    if kind == 0:
        return rng.randrange(len(data))
    near = min(len(data) - 1, int(2 ** rng.uniform(0, 12)) - 1)
    return near if kind == 1 else len(data) - 1 - near


def span(data: bytes, rng: Random) -> tuple[int, int]:
    """Choose a piece, short more often than long."""
    start = place(data, rng)
    return start, min(len(data), start + int(2 ** rng.uniform(0, 12)))


def bits(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64)) if data else 0):
        out[place(data, rng)] ^= 1 << rng.randrange(8)
    return bytes(out)


def bytes_(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    out = bytearray(data)
    start, end = span(data, rng)
    fill = rng.choice((b"\0", b"\xff", b"\x80", b" ", b"9", b"\n", None))
    out[start:end] = rng.randbytes(end - start) if fill is None else fill * (end - start)
    return bytes(out)


def cut(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    return data[: place(data, rng)] if rng.random() < 0.8 else data[place(data, rng) :]


def extend(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    more = rng.choice((1, 2, 3, 7, 512, 65_536))
    tail = rng.choice((b"\0" * more, b"\xff" * more, rng.randbytes(more), data, b"\n", b" "))
    return (data + tail)[:LARGEST] if rng.random() < 0.8 else (tail + data)[:LARGEST]


def blocks(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    start, end = span(data, rng)
    kind = rng.randrange(4)
    if kind == 0:
        return data[:start] + data[end:]
    if kind == 1:
        times = rng.choice((1, 1, 2, 50))
        return (data[:end] + data[start:end] * times + data[end:])[:LARGEST]
    again, until = span(data, rng)
    if kind == 2:
        return data[:again] + data[start:end] + data[until:]
    (a, b), (c, d) = sorted([(start, end), (again, until)])
    return (
        data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:] if b <= c else data[:a] + data[b:]
    )


def splice(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    other = rng.choice(others) if others else data
    kind = rng.randrange(3)
    if kind == 0:
        return data[: place(data, rng)] + other[place(other, rng) :]
    start, end = span(other, rng)
    at = place(data, rng)
    if kind == 1:
        return data[:at] + other[start:end] + data[at:]
    return data[:at] + other[start:end] + data[at + end - start :]


def integers(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Put an extreme integer where one may be stored."""
    size = rng.choice((1, 2, 2, 4, 4, 8))
    at = place(data, rng)
    if rng.random() < 0.5:
        at -= at % size
    top = 256**size
    value = rng.choice((0, 1, top - 1, top - 2, top // 2, top // 2 - 1, top // 256, 65_535 % top))
    raw = value.to_bytes(size, rng.choice(("little", "big")))
    if size == 8 and rng.random() < 0.3:
        raw = struct.pack("<d", rng.choice((float("nan"), float("inf"), -1e308, 5e-324)))
    return data[:at] + raw + data[at + size :]


def numbers(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    return _token(data, _NUMBER, NUMBERS, rng)


def words(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    return _token(data, _TOKEN, WORDS, rng)


def lines(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    rows = data.split(b"\n")
    at, other = rng.randrange(len(rows)), rng.randrange(len(rows))
    kind = rng.randrange(5)
    if kind == 0:
        del rows[at]
    elif kind == 1:
        rows[at:at] = [rows[other]] * rng.choice((1, 1, 1000))
    elif kind == 2:
        rows[at], rows[other] = rows[other], rows[at]
    elif kind == 3:
        rows[at] = rows[at] + rows[other]
    else:
        rows[at] = rows[at][: place(rows[at], rng)]
    return b"\n".join(rows)[:LARGEST]


def encoding(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Store a text in another encoding, or with what editors leave in it."""
    text = data.decode("latin-1")
    kind = rng.randrange(9)
    if kind < 4:
        return text.encode(("utf-16", "utf-16-be", "utf-32", "utf-7")[kind])
    if kind == 4:
        return b"\xef\xbb\xbf" + data
    at = place(data, rng)
    more = (b"\xe4", "é".encode(), b"\0", b"\r")[kind - 5]
    if more == b"\r":
        return data.replace(b"\n", rng.choice((b"\r\n", b"\r")))
    return data[:at] + more + data[at:]


def nothing(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    return rng.choice((b"", b"\0", b"\n", b"\0" * 4096, rng.randbytes(200)))


Change = Callable[[bytes, Sequence[bytes], Random], bytes]
OF_BYTES: tuple[Change, ...] = (
    bits, bits, bytes_, cut, extend, blocks, blocks, splice, integers, integers, numbers, nothing,
)  # fmt: skip
OF_TEXT: tuple[Change, ...] = (
    bits, bytes_, cut, extend, blocks, splice, numbers, numbers, words, words, lines, lines,
    encoding, nothing,
)  # fmt: skip


def _token(data: bytes, pattern: re.Pattern[bytes], instead: Sequence[str], rng: Random) -> bytes:
    found = list(pattern.finditer(data, 0, 200_000))
    if not found:
        return bits(data, (), rng)
    chosen = rng.choice(found)
    new = rng.choice(instead).encode("utf-8", "surrogatepass")
    if rng.random() < 0.3:  # another of the same kind from the file itself
        new = rng.choice(found)[0]
    return data[: chosen.start()] + new + data[chosen.end() :]
