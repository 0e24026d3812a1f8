"""Write a recording as carts, Holter recorders and phones write it, for tests.

Written from the formats' descriptions (see `readers.carts`), with an encoder of each compression
that a decoder is tested on. Every file holds a name where a patient's would be.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.ecg import Ecg

STEP_UV = 5.0
"""Step of the converter in every format."""

NAME = "Quasimodo"

_SCP_CODES = {"I": 1, "II": 2, "V1": 3, "V2": 4, "V3": 5, "V4": 6, "V5": 7, "V6": 8, "III": 61,
              "aVR": 62, "aVL": 63, "aVF": 64}  # fmt: skip
_MFER_CODES = {"I": 1, "II": 2, "V1": 3, "V2": 4, "V3": 5, "V4": 6, "V5": 7, "V6": 8, "III": 61,
               "aVR": 62, "aVL": 63, "aVF": 64}  # fmt: skip
_ISHNE_CODES = {"I": 5, "II": 6, "III": 7, "aVR": 8, "aVL": 9, "aVF": 10, "V1": 11, "V2": 12,
                "V3": 13, "V4": 14, "V5": 15, "V6": 16}  # fmt: skip


def steps_of(ecg: Ecg) -> NDArray[np.int64]:
    """Return the samples in steps of `STEP_UV`, shape (n_leads, n_samples)."""
    return np.rint(ecg.signal_mv.astype(np.float64) * 1000 / STEP_UV).astype(np.int64)


def write_aecg(path: Path, ecg: Ecg) -> None:
    """HL7 aECG: decimal digits, an origin and a scale."""
    sequences = [
        "<component><sequence><code code='TIME_ABSOLUTE'/><value xsi:type='GLIST_TS'>"
        f"<head value='20021122091000.000'/><increment value='{1 / ecg.rate_hz!r}' unit='s'/>"
        "</value></sequence></component>"
    ]
    for lead, row in zip(ecg.leads, steps_of(ecg), strict=True):
        digits = " ".join(map(str, row + 100))
        sequences.append(
            f"<component><sequence><code code='MDC_ECG_LEAD_{lead.upper()}'/>"
            f"<value xsi:type='SLIST_PQ'><origin value='{-100 * STEP_UV}' unit='uV'/>"
            f"<scale value='{STEP_UV}' unit='uV'/><digits>{digits}</digits></value>"
            "</sequence></component>"
        )
    path.write_text(
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        "<AnnotatedECG xmlns='urn:hl7-org:v3' "
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>"
        "<componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject>"
        f"<subjectDemographicPerson><name>{NAME}</name></subjectDemographicPerson>"
        "</trialSubject></subject></subjectAssignment></componentOf></timepointEvent></componentOf>"
        "<component><series><code code='RHYTHM'/><component><sequenceSet>"
        f"{''.join(sequences)}</sequenceSet></component></series></component></AnnotatedECG>\n",
        encoding="utf-8",
    )


def write_sierra(path: Path, ecg: Ecg, *, packed: bool = True) -> None:
    """Philips: twelve leads as XLI (limb leads as what is left of I and II), or as plain base64."""
    rows = steps_of(ecg).astype(np.int32)
    if packed:
        first, second, third, right, left, foot = rows[:6]
        rows = rows.copy()
        rows[2] = second - first - third
        rows[3] = -right - (first + second) // 2
        rows[4] = (first - third) // 2 - left
        rows[5] = (second + third) // 2 - foot
        data = b"".join(_xli(row) for row in rows)
    else:
        data = rows.astype("<i2").tobytes()
    how = "compressflag='True' compression='XLI'" if packed else "compressflag='False'"
    duration_ms = round(1000 * rows.shape[1] / ecg.rate_hz)
    path.write_text(
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        "<restingecgdata xmlns='http://www3.medical.philips.com'>"
        "<documentinfo><documenttype>SierraECG</documenttype>"
        "<documentversion>1.03</documentversion></documentinfo>"
        f"<patient><generalpatientdata><name><lastname>{NAME}</lastname></name>"
        "</generalpatientdata></patient>"
        "<dataacquisition><signalcharacteristics>"
        f"<samplingrate>{ecg.rate_hz:g}</samplingrate><resolution>{STEP_UV:g}</resolution>"
        f"<numberchannelsallocated>{len(rows)}</numberchannelsallocated>"
        "<acquisitiontype>STD-12</acquisitiontype></signalcharacteristics></dataacquisition>"
        f"<waveforms><parsedwaveforms dataencoding='Base64' {how} "
        f"durationperchannel='{duration_ms}' samplespersecond='{ecg.rate_hz:g}' "
        f"leadlabels='{' '.join(ecg.leads)}' numberofleads='{len(rows)}'>"
        f"{base64.b64encode(data).decode()}</parsedwaveforms></waveforms></restingecgdata>\n",
        encoding="utf-8",
    )


def _xli(row: NDArray[np.int32]) -> bytes:
    """Pack a lead: second differences, high bytes before low ones, LZW of 10 bits."""
    x = row.astype(np.int64)
    coded = x.astype(np.int64).copy()
    # The decoder's recursion: x[i] = 2 x[i-1] - x[i-2] - d, with d read one step ahead of its use.
    change = 2 * x[1:-1] - x[:-2] - x[2:]
    start = int(change[0]) if change.size else 0
    coded[2:-1] = change[1:] + 64
    coded[-1] = 64
    words = coded.astype(np.int16).view(np.uint16)
    raw = (words >> 8).astype(np.uint8).tobytes() + (words & 0xFF).astype(np.uint8).tobytes()
    body = lzw(raw)
    return struct.pack("<ihh", len(body), 0, start) + body


def lzw(raw: bytes) -> bytes:
    """Compress bytes by LZW with codes of 10 bits and a table that stops growing."""
    table = {bytes([code]): code for code in range(256)}
    codes, current = [], b""
    for value in raw:
        longer = current + bytes([value])
        if longer in table:
            current = longer
            continue
        codes.append(table[current])
        if len(table) <= 1022:
            table[longer] = len(table)
        current = bytes([value])
    codes.append(table[current])
    bits = "".join(f"{code:010b}" for code in [*codes, 1023])
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def write_mortara(path: Path, ecg: Ecg, *, offset: int = 0) -> None:
    """Mortara ELI: base64 of 16-bit samples in attributes."""
    channels = "".join(
        f"<CHANNEL NAME='{lead}' SAMPLE_FREQ='{ecg.rate_hz:g}' UNITS_PER_MV='{1000 / STEP_UV:g}' "
        f"DURATION='{row.size}' OFFSET='{offset}' BITS='16' FORMAT='SIGNED' ENCODING='BASE64' "
        f"DATA='{base64.b64encode(row.astype('<i2').tobytes()).decode()}'/>"
        for lead, row in zip(ecg.leads, steps_of(ecg), strict=True)
    )
    path.write_text(
        f"<?xml version='1.0' encoding='UTF-8'?>\n<ECG ACQUISITION_TIME='20200101120000'>"
        f"<SUBJECT LAST_NAME='{NAME}'/>{channels}</ECG>\n",
        encoding="utf-8",
    )


def write_scp(
    path: Path, ecg: Ecg, *, packed: bool = True, starts: int = 0, beats: tuple[int, ...] = ()
) -> None:
    """SCP-ECG: 16-bit samples as they are, or their second differences in the default Huffman code.

    With `starts`, half of the leads begin that many samples later. With R peaks in `beats`, the
    mean of 600 ms around them is taken out of each and stored once, as a reference beat.
    """
    rows = steps_of(ecg)
    reach = round(0.3 * ecg.rate_hz)
    zones = [(at - reach, at + reach) for at in beats]  # from 0, the second one behind the end
    reference = np.zeros((len(rows), 0), np.int64)
    if zones:
        cut = np.stack([rows[:, start:stop] for start, stop in zones])
        reference = np.rint(cut.mean(axis=0)).astype(np.int64)
        rows = rows.copy()
        for start, stop in zones:
            rows[:, start:stop] -= reference
    leads = b"".join(
        struct.pack("<IIB", 1 + late, row.size + late, _SCP_CODES[lead])
        for n, (lead, row) in enumerate(zip(ecg.leads, rows, strict=True))
        for late in (starts * (n % 2),)
    )
    about = struct.pack("<HHBB", round(STEP_UV * 1000), round(1e6 / ecg.rate_hz), 2 * packed, 0)

    def stored(rows: NDArray[np.int64]) -> bytes:
        own = [_huffman(_second_differences(row)) if packed else row.astype("<i2").tobytes()
               for row in rows]  # fmt: skip
        return about + b"".join(struct.pack("<H", len(one)) for one in own) + b"".join(own)

    name = NAME.encode() + b"\0"
    sections = {
        1: struct.pack("<BH", 0, len(name)) + name + struct.pack("<BH", 255, 0),
        3: struct.pack("<BB", len(rows), bool(zones) | 0x04 | (len(rows) << 3) & 0xF8) + leads,
        6: stored(rows),
    }
    if zones:
        places = [struct.pack("<HIII", 0, start + 1, at + 1, stop)
                  for at, (start, stop) in zip(beats, zones, strict=True)]  # fmt: skip
        shown = [struct.pack("<II", start + 1, stop) for start, stop in zones]
        length_ms = round(1000 * 2 * reach / ecg.rate_hz)
        sections[4] = struct.pack("<HHH", length_ms, reach + 1, len(zones)) + b"".join(
            places + shown
        )
        sections[5] = stored(reference)
    if packed:
        sections[2] = struct.pack("<H", 19999)
    path.write_bytes(_scp_record(sections))


def _scp_record(sections: dict[int, bytes]) -> bytes:
    """Put sections behind the pointers of section 0, with their checksums."""
    n_pointers = 12
    at = 6 + 16 + 10 * n_pointers
    pointers, bodies = b"", b""
    for number in range(n_pointers):
        if number == 0:
            pointers += struct.pack("<HII", 0, 16 + 10 * n_pointers, 7)
            continue
        body = sections.get(number)
        if body is None:
            pointers += struct.pack("<HII", number, 0, 0)
            continue
        made = _scp_section(number, body + b"\0" * (len(body) % 2))
        pointers += struct.pack("<HII", number, len(made), at + len(bodies) + 1)
        bodies += made
    whole = _scp_section(0, pointers) + bodies
    sized = struct.pack("<I", len(whole) + 6) + whole
    return struct.pack("<H", binascii.crc_hqx(sized, 0xFFFF)) + sized


def _scp_section(number: int, body: bytes) -> bytes:
    head = struct.pack("<HIBB6s", number, len(body) + 16, 20, 20, b"SCPECG" if number == 0 else b"")
    return struct.pack("<H", binascii.crc_hqx(head + body, 0xFFFF)) + head + body


def _second_differences(row: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate((row[:2], row[2:] - 2 * row[1:-1] + row[:-2]))


def _huffman(values: NDArray[np.int64]) -> bytes:
    """Code small values in up to ten bits, others in 8 or 16 bits behind a prefix of ten."""
    parts = []
    for value in values.tolist():
        size = abs(value)
        if size == 0:
            parts.append("0")
        elif size <= 8:
            parts.append("1" * size + "0" + ("1" if value < 0 else "0"))
        elif -128 <= value <= 127:
            parts.append("1111111110" + f"{value & 0xFF:08b}")
        else:
            parts.append("1111111111" + f"{value & 0xFFFF:016b}")
    bits = "".join(parts)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def write_mfer(path: Path, ecg: Ecg, *, missing: tuple[int, ...] = ()) -> None:
    """MFER: one block a channel, little-endian, with a code for missing samples."""
    rows = steps_of(ecg)
    rows[:, list(missing)] = -32768
    n_leads, n_samples = rows.shape
    name = NAME.encode()
    out = [
        _tlv(0x40, b"MFR " + b"Standard 12 leads".ljust(28)),
        _tlv(0x01, b"\1"),
        _tlv(0x0B, struct.pack("<Bbh", 1, -6, round(1e6 / ecg.rate_hz))),
        _tlv(0x0C, struct.pack("<Bbh", 0, -6, round(STEP_UV))),
        _tlv(0x12, struct.pack("<h", -32768)),
        _tlv(0x04, struct.pack("<I", n_samples)),
        _tlv(0x05, struct.pack("<I", n_leads)),
        _tlv(0x06, struct.pack("<I", 1)),
        *(
            b"\x3f" + bytes([n]) + _tlv(0, _tlv(0x09, struct.pack("<H", _MFER_CODES[lead])))[1:]
            for n, lead in enumerate(ecg.leads)
        ),
        _tlv(0x81, name),
        _tlv(0x1E, rows.astype("<i2").tobytes()),
        b"\x80",
    ]
    path.write_bytes(b"".join(out))


def _tlv(tag: int, value: bytes) -> bytes:
    size = len(value)
    length = bytes([size]) if size < 0x80 else b"\x84" + struct.pack(">I", size)
    return bytes([tag]) + length + value


def write_ishne(path: Path, ecg: Ecg, *, faults: tuple[int, ...] = ()) -> None:
    """ISHNE: multiplexed 16-bit samples behind a fixed head."""
    rows = steps_of(ecg)
    rows[:, list(faults)] = -32768
    n_leads, n_samples = rows.shape
    head = bytearray(512)

    def put(form: str, at: int, *values: object) -> None:
        struct.pack_into("<" + form, head, at - 10, *values)

    put("iiii", 10, 0, n_samples, 522, 522)
    put("h", 26, 1)
    put("40s", 68, NAME.encode())
    put("h", 156, n_leads)
    codes = [_ISHNE_CODES[lead] for lead in ecg.leads]
    put("12h", 158, *(codes + [-9] * (12 - n_leads)))
    put("12h", 182, *([1] * n_leads + [-9] * (12 - n_leads)))
    put("12h", 206, *([round(STEP_UV * 1000)] * n_leads + [-9] * (12 - n_leads)))
    put("h", 272, round(ecg.rate_hz))
    checksum = binascii.crc_hqx(bytes(head), 0xFFFF)
    path.write_bytes(
        b"ISHNE1.0" + struct.pack("<H", checksum) + head + rows.T.astype("<i2").tobytes()
    )


def write_kardia(path: Path, ecg: Ecg, **changed: object) -> None:
    """Kardia: JSON with the raw and the filtered signal; the latter is another on purpose."""
    keys = {"I": "leadI", "II": "leadII", "III": "leadIII"}
    rows = {keys.get(lead, lead.upper()): row.tolist()
            for lead, row in zip(ecg.leads, steps_of(ecg), strict=True)}  # fmt: skip
    about = {"frequency": ecg.rate_hz, "mainsFrequency": 50, "numLeads": len(ecg.leads),
             "amplitudeResolution": round(STEP_UV * 1000)}  # fmt: skip
    raw = about | {"samples": rows} | changed
    zeros = {key: [0] * len(row) for key, row in rows.items()}
    path.write_text(json.dumps({
        "id": NAME, "patientID": NAME, "recordedAt": "2020-01-01T12:00:00Z",
        "duration": round(1000 * ecg.duration_s),
        "data": {"raw": raw, "enhanced": about | {"samples": zeros}},
    }))  # fmt: skip
