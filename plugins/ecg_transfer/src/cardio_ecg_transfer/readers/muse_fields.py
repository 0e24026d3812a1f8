"""The waveform fields of a MUSE XML file, collected while it is parsed and without its tree.

An XML parser can be made to read other files and to fill the memory: entities that multiply,
entities that name a file or an address, default attributes, deep nesting. So defusedxml parses,
declarations inside the file are refused, and the file's size is checked first. Carts and archives
write ``<!DOCTYPE RestingECG SYSTEM "restecg.dtd">``: that reference alone is accepted and never
followed. Only the fields named here are kept; patient, physician and diagnosis go by unread.

References
----------
W3C, Extensible Markup Language (XML) 1.0, 2.8 and 4.2 to 4.4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from cardio_core.api import DataError

MAX_BYTES = 4_000_000
"""Largest file that is parsed: ten seconds of twelve leads at 500 Hz take 160,000 bytes, their
median beats and measurements about as many."""

ROOT = "RestingECG"

_MAX_DEPTH = 32
_MAX_ELEMENTS = 200_000  # a real file has a few thousand
_MAX_LEADS = 100  # in all waveforms together
_BLOCK = 1 << 16
_WAVEFORM_FIELDS = {"WaveformType", "NumberofLeads", "SampleBase", "SampleExponent"}
_LEAD_FIELDS = {
    *("LeadID", "LeadSampleCountTotal", "LeadSampleSize", "LeadTimeOffset", "LeadOff"),
    *("LeadAmplitudeUnitsPerBit", "LeadAmplitudeUnits", "LeadDataCRC32", "WaveFormData"),
}
_PLAIN_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
_AGAIN = "export the ECG again"


@dataclass(frozen=True)
class WaveformFields:
    """One ``Waveform`` element: texts by tag, outer blanks removed.

    Attributes
    ----------
    about : dict of str to str
        WaveformType, NumberofLeads, SampleBase, SampleExponent, as far as they are there.
    leads : list of dict of str to str
        Of each ``LeadData`` the fields that a potential is computed from.
    """

    about: dict[str, str] = field(default_factory=dict)
    leads: list[dict[str, str]] = field(default_factory=list)


def collect_waveforms(path: Path) -> list[WaveformFields]:
    """Parse a MUSE XML file and return its waveforms, still as text.

    Parameters
    ----------
    path : Path
        A file in any encoding that it declares; ISO-8859-1 and UTF-8 are usual.

    Returns
    -------
    list of WaveformFields
        In the order of the file; empty where it holds measurements only.

    Raises
    ------
    DataError
        An empty or too large one, XML that is not well formed, declarations inside the
        file, another kind of XML, more leads or a deeper nesting than any recording has.
    """
    n_bytes = path.stat().st_size
    if not 0 < n_bytes <= MAX_BYTES:
        found = f"{n_bytes} bytes" if n_bytes else "an empty file"
        raise DataError.unusable(
            path.name, f"an XML file of at most {MAX_BYTES} bytes", found, _AGAIN
        )
    collector = _Collector(path.name)
    parser = DefusedXMLParser(
        target=collector, forbid_dtd=False, forbid_entities=True, forbid_external=True
    )
    parser.parser.StartDoctypeDeclHandler = collector.doctype_starts
    try:
        with path.open("rb") as file:
            for block in iter(lambda: file.read(_BLOCK), b""):
                parser.feed(block)
        parser.close()
    except DefusedXmlException:
        raise _declares(path.name) from None
    except (ParseError, LookupError, ValueError):  # LookupError: an encoding that is none
        raise DataError.unusable(
            path.name, "well-formed XML", "damaged or other content", _AGAIN
        ) from None
    return collector.waveforms


def _declares(name: str) -> DataError:
    return DataError.unusable(
        name,
        "XML without declarations of its own",
        "entities or other declarations in its DOCTYPE",
        "do not use this file; " + _AGAIN,
    )


class _Collector:
    """Receives the parser's events; see `xml.etree.ElementTree.XMLParser`, `target`."""

    def __init__(self, name: str) -> None:
        self.waveforms: list[WaveformFields] = []
        self._name = name
        self._path: list[str] = []
        self._texts: list[str] | None = None  # of the field that is open
        self._n_leads = 0
        self._n_elements = 0

    def doctype_starts(
        self, _name: str, _system: str | None, _public: str | None, has_internal_subset: int
    ) -> None:
        """Refuse declarations inside the file; a reference to a file outside is not followed."""
        if has_internal_subset:
            raise _declares(self._name)

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        if not self._path and tag != ROOT:
            local = tag.rpartition("}")[2]
            raise DataError.unusable(
                self._name,
                f"a MUSE file, XML with the root {ROOT}",
                f"the root {local}" if _PLAIN_TAG.fullmatch(local) else "another root",
                "export the ECG from MUSE, or as DICOM",
            )
        parents = self._path[1:]
        self._path.append(tag)
        self._n_elements += 1
        if len(self._path) > _MAX_DEPTH or self._n_elements > _MAX_ELEMENTS:
            raise DataError.unusable(
                self._name,
                f"at most {_MAX_ELEMENTS} elements, {_MAX_DEPTH} within each other",
                "more of them",
                _AGAIN,
            )
        self._texts = [] if self._fields_of(parents, tag) is not None else None
        if parents == [] and tag == "Waveform":
            self._count()
            self.waveforms.append(WaveformFields())
        elif parents == ["Waveform"] and tag == "LeadData":
            self._count()
            self.waveforms[-1].leads.append({})

    def data(self, text: str) -> None:
        if self._texts is not None:
            self._texts.append(text)

    def end(self, _tag: str) -> None:
        tag = self._path.pop()
        fields = self._fields_of(self._path[1:], tag)
        if fields is not None and self._texts is not None:
            if tag in fields:
                raise DataError.unusable(self._name, f"one {tag} in its place", "two", _AGAIN)
            fields[tag] = "".join(self._texts).strip()
        self._texts = None

    def close(self) -> None:
        """Nothing is left to do at the end of the document."""

    def _fields_of(self, parents: list[str], tag: str) -> dict[str, str] | None:
        """Return where a field belongs, or None where nobody asks for it."""
        if parents == ["Waveform"] and tag in _WAVEFORM_FIELDS:
            return self.waveforms[-1].about
        if parents == ["Waveform", "LeadData"] and tag in _LEAD_FIELDS:
            return self.waveforms[-1].leads[-1]
        return None

    def _count(self) -> None:
        self._n_leads += 1
        if self._n_leads > _MAX_LEADS:
            raise DataError.unusable(
                self._name, f"at most {_MAX_LEADS} leads", "more of them", _AGAIN
            )
