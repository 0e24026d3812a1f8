"""Write a recording as GE MUSE XML: a median beat and a rhythm, eight leads each.

Of MUSE's fields only those of the waveforms are written; see `readers.muse_xml` for what is known
of the format. There is no patient and no diagnosis in the file.
"""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.synthetic.simulation import Truth
from cardio_ecg_transfer.synthetic.writers import median_beat

UV_PER_BIT = 4.88
"""Step of the converter: what carts write."""

STORED_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
_LIMITS = (-32768, 32767)


def write_muse(path: Path, ecg: Ecg, truth: Truth) -> None:
    """Write the eight leads from which the other four follow, in ISO-8859-1 as MUSE does."""
    rows = [ecg.leads.index(lead) for lead in STORED_LEADS]
    rate_hz = int(ecg.rate_hz)
    lines = [
        '<?xml version="1.0" encoding="ISO-8859-1"?>',
        '<!DOCTYPE RestingECG SYSTEM "restecg.dtd">',
        "<RestingECG>",
        *_waveform("Median", median_beat(ecg, truth)[rows], rate_hz),
        *_waveform("Rhythm", ecg.signal_mv[rows], rate_hz),
        "</RestingECG>",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="iso-8859-1")


def _waveform(kind: str, signal_mv: NDArray[np.float32], rate_hz: int) -> list[str]:
    """Return the lines of one waveform."""
    lines = [
        "  <Waveform>",
        f"    <WaveformType>{kind}</WaveformType>",
        f"    <NumberofLeads>{len(STORED_LEADS)}</NumberofLeads>",
        f"    <SampleBase>{rate_hz}</SampleBase>",
        "    <SampleExponent>0</SampleExponent>",
    ]
    for lead, lead_mv in zip(STORED_LEADS, signal_mv, strict=True):
        lines += _lead(lead, lead_mv)
    return [*lines, "  </Waveform>"]


def _lead(lead: str, lead_mv: NDArray[np.float32]) -> list[str]:
    """Return the lines of one lead."""
    steps = np.rint(lead_mv.astype(np.float64) * 1000 / UV_PER_BIT)
    samples = np.clip(steps, *_LIMITS).astype("<i2").tobytes()
    fields = {
        "LeadByteCountTotal": len(samples),
        "LeadTimeOffset": 0,
        "LeadSampleCountTotal": len(samples) // 2,
        "LeadAmplitudeUnitsPerBit": UV_PER_BIT,
        "LeadAmplitudeUnits": "MICROVOLTS",
        "LeadHighLimit": _LIMITS[1],
        "LeadLowLimit": _LIMITS[0],
        "LeadID": lead,
        "LeadSampleSize": 2,
        "LeadOff": "FALSE",
        "LeadDataCRC32": zlib.crc32(samples),
        "WaveFormData": base64.b64encode(samples).decode("ascii"),
    }
    lines = [f"      <{tag}>{value}</{tag}>" for tag, value in fields.items()]
    return ["    <LeadData>", *lines, "    </LeadData>"]
