"""GE MUSE XML (``RestingECG``): a rhythm and a median beat, each as base64 text by lead.

Of the waveforms the one of type ``Rhythm`` was recorded; ``Median`` is a computed beat and never
read. Its rate is SampleBase × 10^SampleExponent Hz, its samples are little-endian 16-bit integers
of LeadAmplitudeUnitsPerBit in the unit LeadAmplitudeUnits. Usually I, II and V1 to V6 are stored;
the other limb leads follow from them (`signal.leads.limb_leads`).

GE describes the format in its XML Developer Guide (2102027-228), which is not public: the fields
are read as published converters read them. The checksum is taken to be zlib's CRC-32 of the
decoded bytes; no description of it was found, so a difference is flagged and not refused.
"""

from __future__ import annotations

import base64
import math
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_ecg_transfer.readers.checks import require_rate, require_size
from cardio_ecg_transfer.readers.guarded_xml import AGAIN, Guard, parse
from cardio_ecg_transfer.signal.ecg import Ecg

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


_MV_PER_UNIT = {"MICROVOLTS": 1e-3, "MILLIVOLTS": 1.0}
_COUNT = re.compile(r"[0-9]{1,10}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{0,9})?")
_AGAIN = "export the ECG again"


def read_muse(path: Path, max_values: int) -> Ecg:
    """Read the rhythm of a MUSE XML file.

    Parameters
    ----------
    path : Path
        A file of at most `muse_fields.MAX_BYTES`.
    max_values : int
        Limit on leads × samples, checked on the file's own counts.

    Returns
    -------
    Ecg
        The stored leads in mV. Where a file holds several rhythms, the one with most leads is
        read. `flags` says so, names leads that the recorder marked as off, and leads whose
        LeadDataCRC32 is not the CRC-32 of their samples.

    Raises
    ------
    DataError
        What `muse_fields.collect_waveforms` refuses; no rhythm; a number of leads or samples
        other than claimed, leads of unequal length or start; text that is no base64; no rate;
        a unit other than microvolts and millivolts.
    """
    waveforms = collect_waveforms(path)
    rhythms = [w for w in waveforms if w.about.get("WaveformType", "").upper() == "RHYTHM"]
    if not rhythms:
        raise DataError.unusable(
            path.name,
            "a Waveform of the type Rhythm",
            f"none among {len(waveforms)} waveforms",
            "export the ECG with its rhythm",
        )
    rhythm = max(rhythms, key=lambda waveform: len(waveform.leads))
    flags = [] if len(rhythms) == 1 else [f"1 of {len(rhythms)} rhythm waveforms read"]
    rate_hz = _rate_hz(rhythm, path.name)
    _check_leads(rhythm, path.name, max_values)
    leads = rhythm.leads
    signals = []
    for index, fields in enumerate(leads):
        place = f"lead {index + 1} of {len(leads)}"
        signals.append(_lead_mv(fields, place, path.name, flags))
        if fields.get("LeadOff", "").upper() == "TRUE":
            flags.append(f"{place} marked as off by the recorder")
        if signals[index].size != signals[0].size:
            raise DataError.unusable(
                path.name,
                f"{signals[0].size} samples in every lead, as in the first",
                f"{signals[index].size} in lead {index + 1}",
                _AGAIN,
            )
    require_size(path.name, len(signals), signals[0].size, max_values)
    names = (fields.get("LeadID") or f"channel {i + 1}" for i, fields in enumerate(leads))
    return Ecg(np.stack(signals), rate_hz, tuple(names), tuple(flags))


def _rate_hz(rhythm: WaveformFields, name: str) -> float:
    """Return the sampling rate; an exponent that is left out is 0."""
    base, exponent = rhythm.about.get("SampleBase"), rhythm.about.get("SampleExponent") or "0"
    if not base:
        raise DataError.unusable(name, "a sampling rate (SampleBase)", "none", _AGAIN)
    if not (_NUMBER.fullmatch(base) and re.fullmatch(r"[+-]?[0-9]", exponent)):
        raise DataError.unusable(name, "a sampling rate in numbers", "other text", _AGAIN)
    rate_hz = float(base) * 10.0 ** int(exponent)
    require_rate(name, rate_hz)
    return rate_hz


def _check_leads(rhythm: WaveformFields, name: str, max_values: int) -> None:
    """Check what the leads claim against each other before one of them is decoded."""
    n_leads = len(rhythm.leads)
    claimed = rhythm.about.get("NumberofLeads", str(n_leads))
    if claimed != str(n_leads):
        text = claimed if _COUNT.fullmatch(claimed) else "another number of"
        raise DataError.unusable(name, f"{text} leads, as NumberofLeads says", f"{n_leads}", _AGAIN)
    for index, fields in enumerate(rhythm.leads):
        count = fields.get("LeadSampleCountTotal")
        if count is None:
            continue
        if not _COUNT.fullmatch(count):
            raise DataError.unusable(
                name,
                "a number as LeadSampleCountTotal",
                f"other text in lead {index + 1} of {n_leads}",
                _AGAIN,
            )
        require_size(name, n_leads, int(count), max_values)
    if n_leads == 0:
        raise DataError.unusable(name, "at least one lead (LeadData)", "none", _AGAIN)
    starts = {fields.get("LeadTimeOffset") or "0" for fields in rhythm.leads}
    if len(starts) > 1:
        raise DataError.unusable(
            name,
            "leads that were recorded at the same time",
            f"{len(starts)} different starts (LeadTimeOffset)",
            "export the simultaneous rhythm",
        )


def _lead_mv(
    fields: dict[str, str], place: str, name: str, flags: list[str]
) -> NDArray[np.float32]:
    """Decode one lead, shape (n_samples,)."""
    if fields.get("LeadSampleSize", "2") != "2":
        raise DataError.unusable(name, "samples of 2 bytes", f"another size in {place}", _AGAIN)
    factor = _MV_PER_UNIT.get(fields.get("LeadAmplitudeUnits", "").upper())
    if factor is None:
        raise DataError.unusable(
            name, f"the unit {' or '.join(_MV_PER_UNIT)}", f"none of them in {place}", _AGAIN
        )
    step = fields.get("LeadAmplitudeUnitsPerBit", "")
    gain = float(step) * factor if _NUMBER.fullmatch(step) else math.nan
    if not gain > 0.0:
        raise DataError.unusable(
            name, "a positive number as LeadAmplitudeUnitsPerBit", f"none in {place}", _AGAIN
        )
    samples = _samples(fields.get("WaveFormData", ""), place, name)
    claimed = fields.get("LeadSampleCountTotal")
    if claimed is not None and int(claimed) * 2 != len(samples):
        raise DataError.unusable(
            name,
            f"{int(claimed)} samples in {place}, as its count says",
            f"{len(samples) // 2}",
            _AGAIN,
        )
    checksum = fields.get("LeadDataCRC32", "")
    if _COUNT.fullmatch(checksum) and int(checksum) != zlib.crc32(samples):
        flags.append(f"{place} differs from its checksum")
    return (np.frombuffer(samples, "<i2") * gain).astype(np.float32)


def _samples(text: str, place: str, name: str) -> bytes:
    """Decode base64, of which lines and blanks are no part."""
    try:
        samples = base64.b64decode("".join(text.split()), validate=True)
    except ValueError:  # also what is no ASCII
        samples = b"?"
    if not samples or len(samples) % 2:
        found = "none" if not samples else "text cut short or of another kind"
        raise DataError.unusable(
            name, "16-bit samples as base64 (WaveFormData)", f"{found} in {place}", _AGAIN
        )
    return samples
