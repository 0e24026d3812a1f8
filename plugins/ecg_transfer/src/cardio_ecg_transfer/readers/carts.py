"""What carts, Holter recorders and phones write, decoded by ecgdatakit (the extra ``[carts]``).

HL7 aECG, Philips Sierra XML, Mortara ELI XML, SCP-ECG, MFER, ISHNE and Kardia JSON. The package
decodes; in front of it stand bounds that its decoders have not (bytes, what a compressed lead
unpacks to, channels, declarations in XML), and behind it what has to hold of any recording: equal
leads, one known rate, a unit of potential, no contradiction between the file's own numbers. Its
parsers are called one by one: its detection of formats, its filters and its network are never
imported. Formats that a reader here reads without it (WFDB, DICOM, MUSE, EDF) stay with that
reader, and two that it calls experimental (EDAN ARC, XLE) are left out.

References
----------
ANSI/HL7 V3 ECG R1-2004 (aECG). EN 1064 and ISO 11073-91064 (SCP-ECG). ISO 22077-1 (MFER).
Badilini F. The ISHNE Holter standard output file format. Ann Noninvasive Electrocardiol 1998; 3:
263-266. Philips' XML, Mortara's and the Kardia interface have no public standard.
"""

from __future__ import annotations

import base64
import binascii
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cardio_core.api import DataError
from cardio_ecg_transfer.readers.checks import (
    MV_PER_UNIT,
    readable,
    require_rate,
    require_size,
    too_large,
)
from cardio_ecg_transfer.readers.guarded_xml import Guard, parse
from cardio_ecg_transfer.signal.ecg import Ecg

EXTRA = 'pip install -c constraints.txt "./plugins/ecg_transfer[carts]"'
"""What brings the decoder, typed in a checkout."""

_MAX_LEADS = 100
_ISHNE_HEAD, _ISHNE_FAULT = 522, -32768
_KARDIA_BYTES = 16_000_000
_AGAIN = "export the ECG again"
_SAME_RATE = 1e-6
_PACKED = 20  # a value that is unpacked takes so many times the memory of one that is read
_DURATION_OFF_S = 1.0


@dataclass(frozen=True)
class _Format:
    """One format: the parser that decodes it, and what is checked in front of and behind it."""

    title: str
    module: str
    parser: str
    before: Callable[[Path, int], tuple[str, ...]]
    behind: Callable[[Any, str], tuple[str, ...]]
    rate_hz: Callable[[Any], float] = lambda record: float(record.leads[0].sampling_rate)


def read_cart(path: Path, max_values: int, name: str) -> Ecg:
    """Read a file of one of the `FORMATS`.

    Parameters
    ----------
    path : Path
        The file.
    max_values : int
        Limit on leads × samples.
    name : str
        A key of `FORMATS`.

    Returns
    -------
    Ecg
        The recorded leads in mV; samples that the format marks as missing are NaN. `flags` names
        a checksum that differs, and sets of leads that were not read.

    Raises
    ------
    DataError
        The package is not installed; the file is damaged, beyond a bound, or contradicts itself.
    """
    form = FORMATS[name]
    if find_spec("ecgdatakit") is None:
        raise DataError.unusable(
            path.name,
            f"the package ecgdatakit, which decodes {form.title}",
            "none",
            f"{EXTRA} in the cardio checkout",
        )
    flags = form.before(path, max_values)
    whole = f"a whole {form.title} file"
    with readable(path.name, whole, "a damaged or incomplete one", _AGAIN):
        parser = getattr(import_module(f"ecgdatakit.parsing.parsers.{form.module}"), form.parser)
        with warnings.catch_warnings(record=True) as doubts:
            warnings.simplefilter("always")
            record = parser().parse(path)
        # MFER's frames are put right with a warning where they contradict their data.
        if doubts and form.module == "mfer":
            raise DataError.unusable(path.name, whole, "one that contradicts itself", _AGAIN)
        _require_leads(record, path.name, max_values)
        flags += form.behind(record, path.name)
        rate_hz = form.rate_hz(record)
        require_rate(path.name, rate_hz)
        return _as_ecg(record, rate_hz, path.name, flags)


def _require_leads(record: Any, name: str, max_values: int) -> None:
    """Refuse leads that are none, too many, or not recorded side by side."""
    leads = record.leads
    sizes = {np.shape(lead.samples) for lead in leads}
    n_samples = next(iter(sizes))[0] if sizes else 0
    require_size(name, len(leads), n_samples, max_values)
    if len(leads) > _MAX_LEADS:
        raise DataError.unusable(name, f"at most {_MAX_LEADS} leads", f"{len(leads)}", _AGAIN)
    if len(sizes) > 1 or len({lead.sampling_rate for lead in leads}) > 1:
        raise DataError.unusable(
            name, "leads of one length and rate", f"{len(leads)} leads that differ", _AGAIN
        )


def _as_ecg(record: Any, rate_hz: float, name: str, flags: tuple[str, ...]) -> Ecg:
    """Scale the stored samples, one lead after the other."""
    leads = record.leads
    signal_mv = np.empty((len(leads), len(leads[0].samples)), np.float32)
    for row, lead in enumerate(leads):
        factor = MV_PER_UNIT.get(lead.resolution_unit, math.nan)
        gain, offset = lead.resolution * factor, lead.offset * factor
        if not (math.isfinite(gain) and gain > 0.0 and math.isfinite(offset)):
            raise DataError.unusable(
                name, "a step in a unit of potential for every lead", "none or zero", _AGAIN
            )
        signal_mv[row] = lead.samples * gain + offset
        lead.samples = lead.samples[:0]
    return Ecg(signal_mv, rate_hz, tuple(lead.label for lead in leads), flags)


def _at_most(path: Path, max_bytes: int) -> None:
    n_bytes = path.stat().st_size
    if not 0 < n_bytes <= max_bytes:
        found = f"{n_bytes} bytes" if n_bytes else "an empty file"
        raise DataError.unusable(path.name, f"a file of at most {max_bytes} bytes", found, _AGAIN)


def _nothing_behind(_record: Any, _name: str) -> tuple[str, ...]:
    return ()


def _checksum(record: Any) -> tuple[str, ...]:
    return ("the file differs from its checksum",) * (
        record.raw_metadata["checksum_valid"] is False
    )


# XML


def _before_hl7(path: Path, _max_values: int) -> tuple[str, ...]:
    guard = Guard(path.name)
    parse(path, guard)
    n_sets = guard.counts.get(
        ("AnnotatedECG", "component", "series", "component", "sequenceSet"), 0
    )
    return (f"1 of {n_sets} sets of leads read",) if n_sets > 1 else ()


def _before_xml(path: Path, _max_values: int) -> tuple[str, ...]:
    parse(path, Guard(path.name))
    return ()


class _Waveforms(Guard):
    """Keeps the compressed text of a Sierra file, to look at its size alone."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.texts: list[str] = []

    def data(self, text: str) -> None:
        if self.path[-1:] == ["parsedwaveforms"]:
            self.texts.append(text)


def _before_sierra(path: Path, max_values: int) -> tuple[str, ...]:
    """Look how much the compressed leads unpack to: a short text can stand for gigabytes."""
    guard = _Waveforms(path.name)
    parse(path, guard)
    try:
        packed = base64.b64decode("".join("".join(guard.texts).split()), validate=True)
    except (binascii.Error, ValueError):
        return ()  # plain numbers, or text that the decoder refuses
    n_values = sum(_unpacked_bytes(chunk) // 2 for chunk in _chunks(packed))
    if n_values > max_values // _PACKED:
        raise too_large(path.name, max_values, f"compressed leads that unpack to {n_values}")
    return ()


def _chunks(packed: bytes) -> Iterator[bytes]:
    """Yield the compressed leads: each has its size in front, in 8 bytes."""
    at = 0
    while at + 8 <= len(packed):
        size = int.from_bytes(packed[at : at + 4], "little", signed=True)
        if size <= 0 or at + 8 + size > len(packed):
            return  # the decoder refuses it, and uncompressed samples look like that
        yield packed[at + 8 : at + 8 + size]
        at += 8 + size


def _unpacked_bytes(chunk: bytes) -> int:
    """Return how many bytes an LZW chunk of 10-bit codes stands for, without unpacking it."""
    bits = np.unpackbits(np.frombuffer(chunk, np.uint8))
    n_codes = bits.size // 10
    codes = bits[: n_codes * 10].reshape(n_codes, 10) @ (1 << np.arange(9, -1, -1))
    lengths = [1] * 256
    total = before = 0
    for code in codes.tolist():
        if code > 1022 or code > len(lengths):
            break
        own = lengths[code] if code < len(lengths) else before + 1
        if before and len(lengths) <= 1022:
            lengths.append(before + 1)
        total += own
        before = own
    return total


def _behind_mortara(record: Any, name: str) -> tuple[str, ...]:
    if record.raw_metadata.get("channel_offsets"):
        # One program adds it to the counts, another leaves it out, and no document tells.
        raise DataError.unusable(
            name, "channels without OFFSET, whose meaning is not documented", "some", _AGAIN
        )
    return ()


# Binary


def _before_scp(path: Path, _max_values: int) -> tuple[str, ...]:
    # At one bit a sample, which is what a Huffman code takes at least, 8 million values.
    _at_most(path, 1_000_000)
    return ()


def _behind_scp(record: Any, name: str) -> tuple[str, ...]:
    starts = {lead.annotations.get("start_sample", "1") for lead in record.leads}
    if len(starts) > 1:
        raise DataError.unusable(
            name,
            "leads that were recorded at the same time",
            f"{len(starts)} different starts",
            "export the simultaneous rhythm",
        )
    return _checksum(record)


def _before_ishne(path: Path, max_values: int) -> tuple[str, ...]:
    n_values = (path.stat().st_size - _ISHNE_HEAD) // 2
    if n_values > max_values + 32_768:  # comments
        raise too_large(path.name, max_values, f"{n_values} in a file of that size")
    return ()


def _behind_ishne(record: Any, name: str) -> tuple[str, ...]:
    """Hold the header's number of samples, by lead or in all, against what is there."""
    claimed = record.raw_metadata["ecg_size"]
    n_leads, n_samples = len(record.leads), record.raw_metadata["samples_per_lead"]
    if claimed not in (n_samples, n_samples * n_leads):
        raise DataError.unusable(
            name, f"{claimed} samples, as the header says", f"{n_leads} × {n_samples}", _AGAIN
        )
    for lead in record.leads:
        lead.samples[lead.samples == _ISHNE_FAULT] = np.nan
    return _checksum(record)


_MFER_ORDER, _MFER_CHANNELS, _MFER_CHANNEL, _MFER_SET, _MFER_END = 0x01, 0x05, 0x3F, 0x67, 0x80


def _before_mfer(path: Path, _max_values: int) -> tuple[str, ...]:
    _at_most(path, 32_000_000)
    n_channels = _most_channels(path.read_bytes())
    if n_channels > _MAX_LEADS:
        raise DataError.unusable(
            path.name, f"at most {_MAX_LEADS} channels", f"{n_channels}", _AGAIN
        )
    return ()


def _most_channels(data: bytes) -> int:
    """Return the largest number of channels that the definitions claim: each takes memory."""
    at, most = 0, 1
    order: Literal["big", "little"] = "big"
    while at < len(data):
        tag, at = data[at], at + 1
        if tag == 0:
            continue
        if tag == _MFER_END:
            break
        if tag == _MFER_CHANNEL:
            while at < len(data) and data[at] & 0x80:
                at += 1
            at += 1
        length = data[at] if at < len(data) else 0
        at += 1
        if length > 0x80:
            n_bytes = length & 0x7F
            length, at = int.from_bytes(data[at : at + n_bytes], "big"), at + n_bytes
        elif length == 0x80:
            length = 0  # until End-of-Contents: its definitions are walked as any other
        value = data[at : at + length]
        if tag == _MFER_ORDER:
            order = "little" if value == b"\1" else "big"
        elif tag == _MFER_CHANNELS:
            most = max(most, int.from_bytes(value[:8], order))
        at += 0 if tag == _MFER_SET else length
    return most


def _mfer_rate(record: Any) -> float:
    rates = record.raw_metadata["sampling_rates"]
    same = all(math.isclose(rate, rates[0], rel_tol=_SAME_RATE) for rate in rates)
    return float(rates[0]) if same else math.nan


# JSON


def _before_kardia(path: Path, _max_values: int) -> tuple[str, ...]:
    _at_most(path, _KARDIA_BYTES)
    return ()


def _behind_kardia(record: Any, name: str) -> tuple[str, ...]:
    """Hold the file's own number of leads and length against what is there."""
    claimed = record.raw_metadata["raw"].get("numLeads", len(record.leads))
    duration_s = len(record.leads[0].samples) / record.raw_metadata["raw"]["frequency"]
    stated = record.recording.duration
    if claimed != len(record.leads) or (
        stated is not None and abs(stated.total_seconds() - duration_s) > _DURATION_OFF_S
    ):
        raise DataError.unusable(
            name,
            "leads and a length as the file says",
            f"{len(record.leads)} leads of {duration_s:.1f} s",
            _AGAIN,
        )
    return ()


FORMATS: dict[str, _Format] = {
    "aecg": _Format(
        "HL7 aECG", "hl7_aecg", "HL7aECGParser", _before_hl7, _nothing_behind,
        lambda record: float(record.raw_metadata["rhythm_time"]["sampling_rate_exact"]),
    ),
    "sierra": _Format(
        "Philips Sierra XML", "sierra_xml", "SierraXMLParser", _before_sierra, _nothing_behind
    ),
    "mortara": _Format(
        "Mortara ELI XML", "mortara_el250", "MortaraEL250Parser", _before_xml, _behind_mortara
    ),
    "scp": _Format(
        "SCP-ECG", "scp_ecg", "SCPECGParser", _before_scp, _behind_scp,
        lambda record: 1e6 / record.raw_metadata["rhythm_sample_interval_us"],
    ),
    "mfer": _Format("MFER", "mfer", "MFERParser", _before_mfer, _nothing_behind, _mfer_rate),
    "ishne": _Format(
        "ISHNE", "ishne_holter", "ISHNEHolterParser", _before_ishne, _behind_ishne
    ),
    "kardia": _Format(
        "Kardia JSON", "alivecor_kardia", "AliveCorKardiaParser", _before_kardia, _behind_kardia,
        lambda record: float(record.raw_metadata["raw"]["frequency"]),
    ),
}  # fmt: skip
"""By the names that `readers.read_ecg` finds in a file's first bytes."""

XML_ROOTS = {"AnnotatedECG": "aecg", "restingecgdata": "sierra", "ECG": "mortara"}

SUFFIXES = {
    ".scp": "scp", ".mwf": "mfer", ".mfer": "mfer", ".mfr": "mfer", ".ecg": "ishne",
    ".json": "kardia",
}  # fmt: skip


def format_of(start: bytes, suffix: str) -> str | None:
    """Return which of the binary and JSON `FORMATS` a file is, by its content, then its suffix.

    Parameters
    ----------
    start : bytes
        The file's first bytes, 32 or more.
    suffix : str
        In lower case, with its dot.

    Examples
    --------
    >>> format_of(b"ISHNE1.0", ".dat"), format_of(b"", ".scp"), format_of(b"1,2", ".csv")
    ('ishne', 'scp', None)
    """
    if start.startswith(b"ISHNE1.0"):
        return "ishne"
    if len(start) >= 6 and start[0] == 0x40 and start[2:6] == b"MFR ":
        return "mfer"
    # Section 0 behind the record's checksum and size, and its first pointer, to itself.
    if start[8:10] == start[22:24] == b"\0\0" and start[28:32] == b"\7\0\0\0":
        return "scp"
    return SUFFIXES.get(suffix)


def is_kardia(path: Path) -> bool:
    """Whether a JSON file is a Kardia recording: a folder holds other JSON, which is no ECG."""
    if not path.is_file() or path.stat().st_size > _KARDIA_BYTES:
        return False
    content = path.read_bytes()
    return b'"amplitudeResolution"' in content and b'"samples"' in content
