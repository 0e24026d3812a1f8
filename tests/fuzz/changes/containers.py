"""Changes inside of containers, whose outer sums stay right: ZIP, gzip, DICOM, safetensors, NPY."""

from __future__ import annotations

import gzip
import io
import json
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from random import Random

from .plain import LARGEST, OF_BYTES, Change, bits
from .texts import changed, json_

_LONG = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
_REPRESENTATIONS = (b"US", b"SS", b"UL", b"FL", b"FD", b"DS", b"IS", b"OW", b"OB", b"SQ", b"UN",
                    b"LO", b"PN", b"AT", b"UI", b"XX", b"\0\0", b"CS")  # fmt: skip
_LENGTHS = (0, 1, 2, 3, 4, 5, 0xFFFF, 0xFFFE, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFFE, 0x10000)
_TEXTS = (
    b"", b"0", b"-1", b"nan", b"1e400", b"99999999999999999999", b"A" * 5000, b"\\", b"1\\2\\3",
    b"\x00", b"\xff\xfe", b"1.2.840.10008.1.2.5", b"1.2.840.10008.1.2.1.99", b"x^y=z",
    b"ISO_IR 192", b"\\ISO 2022 IR 87", b"MONOCHROME2", b"PALETTE COLOR", b"RGB",
)  # fmt: skip


def zip_(inside: Callable[[str], Change]) -> Change:
    """Return a change of one member, or of the list of members; sums are made anew."""

    def change(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as source:
                members = [(one.filename, source.read(one)) for one in source.infolist()]
        except Exception:
            return bits(data, others, rng)
        at = rng.randrange(len(members))
        name, content = members[at]
        kind = rng.randrange(10)
        if kind == 0:
            del members[at]
        elif kind == 1:
            members[at] = (rng.choice((f"../{name}", f"{name}x", "", "/x", "a/" * 500)), content)
        elif kind == 2:
            members.insert(0, (name, rng.choice(members)[1]))
        else:
            members[at] = (name, inside(name)(content, [one for _, one in members], rng))
        out = io.BytesIO()
        packed = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
        with warnings.catch_warnings(), zipfile.ZipFile(out, "w", packed) as target:
            warnings.simplefilter("ignore")
            for name, content in members:
                target.writestr(zipfile.ZipInfo(name), content)
        return out.getvalue()

    return change


def any_of(changes: Sequence[Change]) -> Change:
    """Return the change that is one of these."""
    return lambda data, others, rng: rng.choice(changes)(data, others, rng)


def gzip_(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    try:
        inner = gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return bits(data, others, rng)
    made = any_of(OF_BYTES)(inner, (inner,), rng)
    return gzip.compress(made[:LARGEST], 1, mtime=0)


def npy(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Change the header of an array and keep its length right."""
    if data[:6] != b"\x93NUMPY" or len(data) < 12:
        return bits(data, others, rng)
    n = struct.unpack_from("<H", data, 8)[0]
    header = data[10 : 10 + n].decode("latin-1").rstrip()
    kind = rng.randrange(4)
    if kind == 0:
        kinds = ("|u1", "<f8", ">f4", "<U9999999", "|O", "|V0", "<m8[s]", "<c16", "|b1", "<i99", "")
        new = header.replace("'descr': '", f"'descr': '{rng.choice(kinds)}", 1)
    elif kind == 1:
        shapes = ("(-1,)", "(0,)", "()", "(99999999999999999999,)", "(2,) * 9", "('a',)", "(1e3,)",
                  "(3, 0, 4)", "(4294967296, 4294967296)", "(1,) * 0, 5", "(" * 400)  # fmt: skip
        start = header.find("'shape': ") + 9
        new = header[:start] + rng.choice(shapes) + header[header.find(")", start) + 1 :]
    elif kind == 2:
        new = header.replace("False", rng.choice(("True", "None", "0", "x", "1j")))
    else:
        new = rng.choice(("", "{}", "[]", "{'descr': []}", header * 3, "x" * 9000, "{" * 300))
    raw = new.encode() + b"\n"
    return data[:8] + struct.pack("<H", len(raw)) + raw + data[10 + n :]


def safetensors(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    try:
        (n,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + n])
    except (struct.error, ValueError):
        return bits(data, others, rng)
    if rng.random() < 0.3:
        raw = json_(data[8 : 8 + n], (), rng)
    else:
        raw = json.dumps(changed(header, rng), ensure_ascii=True).encode()
    length = len(raw) if rng.random() < 0.9 else rng.choice((0, 2**63, 2**64 - 1, len(raw) + 1))
    return struct.pack("<Q", length) + raw + data[8 + n :]


def elements(data: bytes) -> list[tuple[int, bytes, int, int]]:
    """Return place, representation, place of the value and its length of each DICOM element."""
    found: list[tuple[int, bytes, int, int]] = []
    at = 132
    while at + 8 <= len(data) and len(found) < 5000:
        tag, representation = data[at : at + 4], data[at + 4 : at + 6]
        if tag[:2] == b"\xfe\xff":  # an item or its end
            found.append((at, b"", at + 8, 0))
            at += 8
            continue
        if representation in _LONG:
            if at + 12 > len(data):
                break
            length, value = struct.unpack_from("<I", data, at + 8)[0], at + 12
        else:
            length, value = struct.unpack_from("<H", data, at + 6)[0], at + 8
        inside = representation == b"SQ" or length == 0xFFFFFFFF
        found.append((at, representation, value, 0 if inside else length))
        at = value if inside else value + length
    return found


def dicom(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Change elements of explicit little endian: length, representation, value, presence."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = _one_element(data, rng)
    return data[:LARGEST]


def _one_element(data: bytes, rng: Random) -> bytes:
    found = elements(data)
    if not found:
        return bits(data, (), rng)
    start, representation, value, length = rng.choice(found)
    end = value + length
    content = data[value:end]
    kind = rng.randrange(9)
    if kind == 0:
        return data[:start] + data[end:]
    if kind == 1:
        return data[:end] + data[start:end] * rng.choice((1, 1, 30)) + data[end:]
    if kind == 2 and representation:
        return data[: start + 4] + rng.choice(_REPRESENTATIONS) + data[start + 6 :]
    if kind == 3:
        new = rng.choice((*_LENGTHS, length + 1, max(length - 1, 0), len(data)))
        if value - start == 12 or not representation:
            at = value - 4
            return data[:at] + struct.pack("<I", new & 0xFFFFFFFF) + data[value:]
        return data[: value - 2] + struct.pack("<H", new & 0xFFFF) + data[value:]
    if kind == 4:
        other, _, elsewhere, n = rng.choice(found)
        return data[:start] + data[other : elsewhere + n] + data[end:]
    if kind == 5 and representation:
        group = struct.pack(
            "<HH", rng.choice((0x0008, 0x0028, 0x7FE0, 0x0009, 0x5400)), rng.randrange(65536)
        )
        return data[:start] + group + data[start + 4 :]
    new_value = rng.choice(_TEXTS)
    if representation in (b"US", b"SS", b"UL", b"SL", b"FL", b"FD"):
        raw = (b"\0", b"\xff", b"\x7f", b"\x80", b"\x01\0\0\0")
        new_value = (rng.choice(raw) * 8)[: rng.choice((length or 2, 2, 4, 8, 6))]
    elif length > 64 and rng.random() < 0.7:
        new_value = rng.choice(OF_BYTES)(content, (), rng)
    new_value += b"\0" * (len(new_value) % 2)
    if value - start == 12:
        return data[: value - 4] + struct.pack("<I", len(new_value)) + new_value + data[end:]
    if not representation:
        return bits(data, (), rng)
    new_value = new_value[:65534]
    return data[: value - 2] + struct.pack("<H", len(new_value)) + new_value + data[end:]
