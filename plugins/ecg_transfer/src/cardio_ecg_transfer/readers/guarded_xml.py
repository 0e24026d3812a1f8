"""XML from anywhere: parsed without its tree, within bounds, and with nothing declared in it.

An XML parser can be made to read other files and to fill the memory: entities that multiply,
entities that name a file or an address, default attributes, deep nesting. So defusedxml parses,
declarations inside the file are refused, and the file's size is checked first. Carts and archives
write ``<!DOCTYPE RestingECG SYSTEM "restecg.dtd">``: that reference alone is accepted and never
followed.

References
----------
W3C, Extensible Markup Language (XML) 1.0, 2.8 and 4.2 to 4.4.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from cardio_core.api import DataError

MAX_BYTES = 4_000_000
"""Largest file that is parsed: ten seconds of twelve leads at 500 Hz take 160,000 bytes as base64
and 400,000 as decimal text, their median beats and measurements about as many."""

AGAIN = "export the ECG again"

_MAX_DEPTH = 32
_MAX_ELEMENTS = 200_000  # a real file has a few thousand
_BLOCK = 1 << 16
_PLAIN_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")


class Guard:
    """Receives the parser's events, counts them, and refuses what no ECG is.

    A subclass keeps what it needs of `start`, `data` and `end`; see
    `xml.etree.ElementTree.XMLParser`, `target`.

    Attributes
    ----------
    path : list of str
        Names of the open elements, without namespaces, the root first.
    counts : dict of tuple of str to int
        How often each path below the root came, for the first levels.
    """

    _COUNTED_LEVELS = 5

    def __init__(self, name: str) -> None:
        self.name = name
        self.path: list[str] = []
        self.counts: dict[tuple[str, ...], int] = {}
        self._n_elements = 0

    def doctype_starts(
        self, _name: str, _system: str | None, _public: str | None, has_internal_subset: int
    ) -> None:
        """Refuse declarations inside the file; a reference to a file outside is not followed."""
        if has_internal_subset:
            raise _declares(self.name)

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        """Take an opening tag."""
        self.path.append(tag.rpartition("}")[2])
        self._n_elements += 1
        if len(self.path) > _MAX_DEPTH or self._n_elements > _MAX_ELEMENTS:
            raise DataError.unusable(
                self.name,
                f"at most {_MAX_ELEMENTS} elements, {_MAX_DEPTH} within each other",
                "more of them",
                AGAIN,
            )
        if len(self.path) <= self._COUNTED_LEVELS:
            place = tuple(self.path)
            self.counts[place] = self.counts.get(place, 0) + 1

    def data(self, text: str) -> None:
        """Take text."""

    def end(self, _tag: str) -> None:
        """Take a closing tag."""
        self.path.pop()

    def close(self) -> None:
        """Nothing is left to do at the end of the document."""


class _RootFoundError(Exception):
    pass


class _Root(Guard):
    root = ""

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        self.root = tag.rpartition("}")[2]
        raise _RootFoundError


def parse(path: Path, guard: Guard) -> None:
    """Parse a file of any encoding that it declares, and hand its events to the guard.

    Raises
    ------
    DataError
        An empty or too large file, XML that is not well formed, declarations inside the file,
        more elements or a deeper nesting than any recording has.
    """
    n_bytes = path.stat().st_size
    if not 0 < n_bytes <= MAX_BYTES:
        found = f"{n_bytes} bytes" if n_bytes else "an empty file"
        raise DataError.unusable(
            path.name, f"an XML file of at most {MAX_BYTES} bytes", found, AGAIN
        )
    parser = DefusedXMLParser(
        target=guard, forbid_dtd=False, forbid_entities=True, forbid_external=True
    )
    parser.parser.StartDoctypeDeclHandler = guard.doctype_starts
    try:
        with path.open("rb") as file:
            for block in iter(lambda: file.read(_BLOCK), b""):
                parser.feed(block)
        parser.close()
    except DefusedXmlException:
        raise _declares(path.name) from None
    except (ParseError, LookupError, ValueError):  # LookupError: an encoding that is none
        raise DataError.unusable(
            path.name, "well-formed XML", "damaged or other content", AGAIN
        ) from None


def root_of(path: Path) -> str:
    """Return the name of a file's root element without its namespace.

    Raises
    ------
    DataError
        See `parse`; only what stands before the first element is looked at.
    """
    guard = _Root(path.name)
    with suppress(_RootFoundError):
        parse(path, guard)
    return guard.root


def unknown_root(name: str, root: str, known: str) -> DataError:
    """Word the refusal of XML that is something else."""
    found = f"the root {root}" if _PLAIN_TAG.fullmatch(root) else "another root"
    return DataError.unusable(
        name, f"an ECG as XML with one of the roots {known}", found, "export the ECG as one of them"
    )


def _declares(name: str) -> DataError:
    return DataError.unusable(
        name,
        "XML without declarations",
        "entities or other declarations in its DOCTYPE",
        "do not use this file; " + AGAIN,
    )
