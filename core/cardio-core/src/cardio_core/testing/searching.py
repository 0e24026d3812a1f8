"""Planted words, searched for in everything that a command writes: however packed or escaped."""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

_DEEPEST = 4
_PNG = b"\x89PNG\r\n\x1a\n"
_URL, _HTML = re.compile(rb"%[0-9a-fA-F]{2}"), re.compile(rb"&(#|[a-z]{2,6};)")
_ENCODED = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")


@dataclass(frozen=True)
class Hit:
    """A planted word that was found.

    Attributes
    ----------
    word : str
        As it was planted.
    place : str
        The file below the folder that was searched, ``!`` before a member of an archive.
    """

    word: str
    place: str


class Canaries:
    """Words that stand nowhere but where they were planted.

    Large and small letters are the same. A word is found in any text encoding of one, two or four
    bytes a character, URL- and HTML-escaped, escaped as in JSON, in base64, in what is compressed
    (zip, with npz, skops and docx; gzip, bzip2, xz; chunks of PNG; streams of PDF), however these
    are nested, and in names of files and folders. SQLite, safetensors, SVG and DICOM hold texts as
    they are. Words that are only drawn, as pixels, are not found.

    Parameters
    ----------
    words : iterable of str
        Each of five letters or more: letters, digits, ``_``, hyphens and dots alone, so that no
        escape can change it.

    Examples
    --------
    >>> import base64
    >>> canaries = Canaries(["Quorvixa"])
    >>> sorted(canaries.in_bytes(b"of qUORVIXa, 1950"))
    ['Quorvixa']
    >>> sorted(canaries.in_bytes("QUORVIXA".encode("utf-16-le")))
    ['Quorvixa']
    >>> sorted(canaries.in_bytes(base64.b64encode(b"name: Quorvixa, female")))
    ['Quorvixa']
    >>> canaries.in_bytes(b"quor vixa")
    set()
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(dict.fromkeys(words))
        short = next((word for word in self.words if len(word) < 5), None)
        if short is not None or not self.words:
            raise ValueError(f"expected words of five letters or more, found {short!r}")
        self._of = {word.lower().encode("ascii"): word for word in self.words}

    def in_bytes(self, content: bytes) -> set[str]:
        """Return which words some bytes hold."""
        return {word for blob, _ in _layers(content, "", 0) for word in self._plain(blob)}

    def in_text(self, text: str) -> set[str]:
        """Return which words a text holds."""
        return self.in_bytes(text.encode("utf-8", "surrogatepass"))

    def in_file(self, path: Path, place: str | None = None) -> list[Hit]:
        """Return the hits in one file, in its name as well."""
        place = path.name if place is None else place
        found = dict.fromkeys(self.in_text(path.name), f"{place} (its name)")
        if path.is_symlink():
            found |= dict.fromkeys(self.in_text(str(path.readlink())), f"{place} (link)")
        elif path.is_file():
            for blob, member in _layers(path.read_bytes(), place, 0):
                for word in self._plain(blob):
                    found.setdefault(word, member)  # an escape shows it again
        return [Hit(word, found[word]) for word in sorted(found)]

    def in_folder(self, folder: Path) -> list[Hit]:
        """Return the hits in all files below a folder, and in the names of files and folders."""
        return [
            hit
            for path in sorted(folder.rglob("*"))
            for hit in self.in_file(path, str(path.relative_to(folder)))
        ]

    def _plain(self, blob: bytes) -> Iterator[str]:
        low = blob.lower()
        # Of two or four bytes a character: the same letters with zeros between them.
        strides = [(k, n) for n in (2, 4) for k in range(n)] if b"\0" in low else []
        for text in (low, *(low[k::n] for k, n in strides)):
            yield from (word for plain, word in self._of.items() if plain in text)


def _layers(content: bytes, place: str, depth: int) -> Iterator[tuple[bytes, str]]:
    """Yield some bytes and all that is packed in them, each with its place."""
    yield content, place
    if depth == _DEEPEST:
        return
    for inner, name in (*_unpacked(content), *_unescaped(content)):
        yield from _layers(inner, f"{place}!{name}", depth + 1)


def _unpacked(content: bytes) -> Iterator[tuple[bytes, str]]:
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                yield member.filename.encode() + member.comment + member.extra, "names"
                if not member.is_dir():
                    yield archive.read(member), member.filename
    for mark, opened, name in (
        (b"\x1f\x8b", gzip.decompress, "gzip"),
        (b"BZh", bz2.decompress, "bzip2"),
        (b"\xfd7zXZ", lzma.decompress, "xz"),
    ):
        if content.startswith(mark):
            try:
                yield opened(content), name
            except (OSError, EOFError, zlib.error, lzma.LZMAError):
                continue  # it only begins alike; its bytes were searched as they are
    if content.startswith(_PNG):
        yield from ((text, "chunk") for text in _png_texts(content))
    if content.startswith(b"%PDF"):
        for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
            yield from ((text, "stream") for text in _inflated(stream))


def _png_texts(content: bytes) -> Iterator[bytes]:
    at = len(_PNG)
    while at + 8 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        body = content[at + 8 : at + 8 + length]
        if kind in (b"zTXt", b"iTXt", b"iCCP"):
            yield from _inflated(body[body.find(b"\x78") :])
        at += 12 + length


def _inflated(stream: bytes) -> Iterator[bytes]:
    try:
        yield zlib.decompressobj().decompress(stream)
    except zlib.error:
        return


def _unescaped(content: bytes) -> Iterator[tuple[bytes, str]]:
    is_text = b"\0" not in content
    if is_text and _URL.search(content) and (plain := unquote_to_bytes(content)) != content:
        yield plain, "url"
    if is_text and _HTML.search(content):
        text = content.decode("latin-1")
        if (unescaped := html.unescape(text)) != text:
            yield unescaped.encode("utf-8", "replace"), "html"
    if is_text and (b"\\u00" in content or b"\\x" in content):
        read = re.sub(rb"\\(?:u00|x)([0-9a-fA-F]{2})", lambda m: bytes([int(m[1], 16)]), content)
        yield read, "escaped"
    for match in _ENCODED.finditer(content):
        word = match.group().rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        word = word[: len(word) // 4 * 4] if len(word) % 4 == 1 else word
        yield base64.b64decode(word + b"=" * (-len(word) % 4)), "base64"


# How long a test waits for what should have ended.

HUNG_AFTER_S = 20 * 60.0
"""Ends what hangs, and nothing else: no machine is so slow or so busy that a step of a test takes
twenty minutes on it."""
