"""The waveform fields of a MUSE XML file, collected while it is parsed and without its tree.

Only the fields named here are kept; patient, physician and diagnosis go by unread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cardio_core.api import DataError
from cardio_ecg_transfer.readers.guarded_xml import AGAIN, Guard, parse

ROOT = "RestingECG"

_MAX_LEADS = 100  # in all waveforms together
_WAVEFORM_FIELDS = {"WaveformType", "NumberofLeads", "SampleBase", "SampleExponent"}
_LEAD_FIELDS = {
    *("LeadID", "LeadSampleCountTotal", "LeadSampleSize", "LeadTimeOffset", "LeadOff"),
    *("LeadAmplitudeUnitsPerBit", "LeadAmplitudeUnits", "LeadDataCRC32", "WaveFormData"),
}


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
        What `guarded_xml.parse` refuses; a field twice, or more leads than any recording has.
    """
    collector = _Collector(path.name)
    parse(path, collector)
    return collector.waveforms


class _Collector(Guard):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.waveforms: list[WaveformFields] = []
        self._texts: list[str] | None = None  # of the field that is open
        self._n_leads = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        parents = self.path[1:]
        is_root = not self.path
        super().start(tag, attributes)
        if is_root:
            return
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

    def end(self, tag: str) -> None:
        super().end(tag)
        fields = self._fields_of(self.path[1:], tag)
        if fields is not None and self._texts is not None:
            if tag in fields:
                raise DataError.unusable(self.name, f"one {tag} in its place", "two", AGAIN)
            fields[tag] = "".join(self._texts).strip()
        self._texts = None

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
                self.name, f"at most {_MAX_LEADS} leads", "more of them", AGAIN
            )
