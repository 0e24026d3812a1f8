"""The search for planted words finds them however they are packed, escaped and encoded."""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import sqlite3
import struct
import zipfile
import zlib
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from cardio_core.testing import Canaries

WORD = "Quorvixa"
TEXT = f"Mrs {WORD} & Söhne <1947>"
FOUND = Canaries([WORD, "Thorvald"])


def zipped(content: bytes, name: str = "inner.bin") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def png_of(text: str, packed: bool) -> bytes:
    about, file = PngImagePlugin.PngInfo(), io.BytesIO()
    about.add_text("Author", text, zip=packed)
    Image.new("L", (4, 4)).save(file, "PNG", pnginfo=about)
    return file.getvalue()


def npz_of(**arrays) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def safetensors_of(text: str) -> bytes:
    head = json.dumps({"__metadata__": {"made by": text}}).encode()
    return struct.pack("<Q", len(head)) + head


HIDDEN = {
    "utf-8": TEXT.encode(),
    "latin-1": TEXT.encode("latin-1"),
    "utf-16-le": TEXT.encode("utf-16-le"),
    "utf-16-be, at an odd place": b"\x01" + TEXT.encode("utf-16-be"),
    "large letters": TEXT.upper().encode(),
    "url": quote(TEXT).encode(),
    "url, every letter": "".join(f"%{ord(one):02x}" for one in WORD).encode(),
    "html": html.escape(TEXT).encode(),
    "html, every letter": "".join(f"&#{ord(one)};" for one in WORD).encode(),
    "json, every letter": "".join(f"\\u{ord(one):04x}" for one in WORD).encode(),
    "repr of bytes": "".join(f"\\x{ord(one):02x}" for one in WORD).encode(),
    "base64": base64.b64encode(TEXT.encode()),
    "base64, one byte on": base64.b64encode(b"." + TEXT.encode()),
    "base64, two bytes on, for urls": base64.urlsafe_b64encode(b".." + TEXT.encode()),
    "base64 in JSON": json.dumps({"a": base64.b64encode(TEXT.encode()).decode()}).encode(),
    "zip": zipped(TEXT.encode()),
    "zip, in the name of a member": zipped(b"", f"{WORD}.txt"),
    "zip in a zip": zipped(zipped(TEXT.encode())),
    "docx": zipped(f"<w:t>{html.escape(TEXT)}</w:t>".encode(), "word/document.xml"),
    "npz, texts": npz_of(names=np.array([TEXT])),
    "npz, name of an array": npz_of(**{WORD: np.zeros(3)}),
    "gzip": gzip.compress(TEXT.encode()),
    "bzip2": bz2.compress(TEXT.encode()),
    "xz": lzma.compress(TEXT.encode()),
    "png": png_of(TEXT, packed=False),
    "png, packed": png_of(TEXT, packed=True),
    "picture in a page": b"<img src='data:image/png;base64," + base64.b64encode(png_of(TEXT, True)),
    "pdf": b"%PDF-1.7\nstream\n" + zlib.compress(TEXT.encode()) + b"\nendstream",
    "safetensors": safetensors_of(TEXT),
    "svg": f"<svg><!-- {TEXT} --><text>a</text></svg>".encode(),
}


@pytest.mark.parametrize("way", HIDDEN)
def test_a_word_is_found(way, tmp_path):
    assert FOUND.in_bytes(HIDDEN[way]) == {WORD}
    (tmp_path / "file.bin").write_bytes(HIDDEN[way])
    [hit] = FOUND.in_folder(tmp_path)
    assert (hit.word, hit.place.partition("!")[0]) == (WORD, "file.bin")


def test_a_word_is_found_in_sqlite_in_names_of_folders_and_in_links(tmp_path):
    with sqlite3.connect(tmp_path / "store.db") as store:
        store.execute("create table people (name text)")
        store.execute("insert into people values (?)", [TEXT])
    (tmp_path / f"of {WORD}").mkdir()
    (tmp_path / "link").symlink_to(f"/nowhere/{WORD}")
    places = [hit.place for hit in FOUND.in_folder(tmp_path)]
    assert places == ["link (link)", f"of {WORD} (its name)", "store.db"]


@pytest.mark.parametrize(
    "content", [b"", b"quor vixa", b"PK\x03\x04 no archive", b"\x1f\x8b no gzip", b"%PDF stream\nx"]
)
def test_nothing_is_found_where_nothing_is(content):
    assert FOUND.in_bytes(content) == set()


def test_a_word_that_any_text_may_hold_is_refused():
    with pytest.raises(ValueError, match="'Ann'"):
        Canaries(["Ann"])
