"""DICOM ECG waveforms: 12-lead, general, general 32-bit and ambulatory ECG objects.

A waveform object holds multiplex groups. Carts store the ten seconds that were recorded
(``RHYTHM``) beside a computed ``MEDIAN BEAT``; only recorded groups are read. Every sample is

    potential = stored value × ChannelSensitivity × ChannelSensitivityCorrectionFactor
                + ChannelBaseline

in the units of ChannelSensitivityUnitsSequence, a UCUM code.

References
----------
DICOM PS3.3 C.10.9 (Waveform Module), A.34.3 to A.34.5 (ECG objects); PS3.16 CID 3001 (leads).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.uid import (
    AmbulatoryECGWaveformStorage,
    DeflatedExplicitVRLittleEndian,
    General32bitECGWaveformStorage,
    GeneralECGWaveformStorage,
    TwelveLeadECGWaveformStorage,
)
from pydicom.waveforms.numpy_handler import multiplex_array

from cardio_core.api import DataError
from cardio_ecg_transfer.readers.checks import (
    MV_PER_UNIT,
    readable,
    require_rate,
    require_size,
    too_large,
)
from cardio_ecg_transfer.signal.ecg import Ecg

_ECG_CLASSES = {
    TwelveLeadECGWaveformStorage,
    GeneralECGWaveformStorage,
    General32bitECGWaveformStorage,
    AmbulatoryECGWaveformStorage,
}
# C.10.9.1.5. The companded 8-bit codes (MB, AB) are left out: pydicom returns them undecoded.
_SAMPLE_TYPES = {
    (8, "SB"): "i1",
    (8, "UB"): "u1",
    (16, "SS"): "i2",
    (16, "US"): "u2",
    (32, "SL"): "i4",
    (32, "UL"): "u4",
}
# CID 3001: MDC codes 2:n, and SCP-ECG's 5.6.3-9-n, number the leads alike.
_LEAD_CODES = {
    **dict(enumerate(("I", "II", "V1", "V2", "V3", "V4", "V5", "V6", "V7"), start=1)),
    **dict(enumerate(("V2R", "V3R", "V4R", "V5R", "V6R", "V7R", "vx", "vy", "vz"), start=10)),
    **{61: "III", 62: "aVR", 63: "aVL", 64: "aVF", 66: "V8", 67: "V9"},
}
_COMPUTED = ("MEDIAN", "AVERAGE", "TEMPLATE", "REPRESENTATIVE")
_AGAIN = "export the recording again"


def read_dicom(path: Path, max_values: int) -> Ecg:
    """Read the recorded leads of a DICOM ECG waveform object.

    Parameters
    ----------
    path : Path
        A DICOM file (part 10: with preamble and ``DICM``).
    max_values : int
        Limit on leads × samples, checked on the header.

    Returns
    -------
    Ecg
        In mV; samples equal to WaveformPaddingValue are NaN. Groups that were recorded at the
        same time and rate are joined; where others were recorded besides, the ones with most
        leads (then the longest) are read and `flags` says so.

    Raises
    ------
    DataError
        No DICOM, no ECG, no recorded group, no unit of potential, fewer samples than claimed.
    """
    dataset = _read_dataset(path, max_values)
    # Elements of a wrong type or multiplicity fail wherever they are used.
    with readable(path.name, "a complete waveform module", "elements of a wrong kind", _AGAIN):
        return _read_groups(dataset, path.name, max_values)


def _read_dataset(path: Path, max_values: int) -> Any:
    """Read the file's elements; no sample is decoded yet."""
    with path.open("rb") as file:
        if file.read(132)[128:] != b"DICM":
            raise DataError.unusable(
                path.name,
                "a DICOM file, with DICM at byte 128",
                "another kind of file",
                "give it the suffix of its format, or export it as DICOM",
            )
    n_bytes = path.stat().st_size
    if n_bytes > max_values * 8:
        raise too_large(path.name, max_values, f"a file of {n_bytes} bytes")
    with readable(path.name, "a readable DICOM file", "a damaged one", _AGAIN):
        meta = pydicom.filereader.read_file_meta_info(path)
        if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
            # Its size in memory is not known before it is inflated.
            raise DataError.unusable(
                path.name, "an uncompressed transfer syntax", "a deflated one", _AGAIN
            )
        dataset = pydicom.dcmread(path)
        sop_class = dataset.get("SOPClassUID")
    if sop_class not in _ECG_CLASSES:
        raise DataError.unusable(
            path.name,
            "a 12-lead, general or ambulatory ECG object",
            "another class of DICOM object",
            "choose the ECG of this study",
        )
    return dataset


def _read_groups(dataset: Any, name: str, max_values: int) -> Ecg:
    """Choose the recorded groups, decode them, and put their leads together."""
    groups = list(dataset.get("WaveformSequence") or [])
    recorded = [i for i, group in enumerate(groups) if _is_recorded(group)]
    if not recorded:
        found = f"{len(groups)} groups, all of them computed beats" if groups else "no group"
        raise DataError.unusable(name, "a recorded (RHYTHM) waveform group", found, _AGAIN)
    for i in recorded:
        _check_group(groups[i], name, max_values)
    chosen = _simultaneous(groups, recorded)
    flags = []
    if len(chosen) < len(recorded):
        flags.append(f"{len(chosen)} of {len(recorded)} recorded groups read")
    channels: list[tuple[str, NDArray[np.float32] | None]] = []
    swap = not dataset.original_encoding[1]
    for i in chosen:
        raw = multiplex_array(dataset, i, as_raw=True)
        raw = raw.byteswap() if swap else raw
        for channel, definition in enumerate(groups[i].ChannelDefinitionSequence):
            lead = _lead_name(definition) or f"channel {len(channels) + 1}"
            channels.append((lead, _channel_mv(groups[i], definition, raw[:, channel], name)))
    kept = [(lead, lead_mv) for lead, lead_mv in channels if lead_mv is not None]
    if not kept:
        raise DataError.unusable(
            name, "channels in V, mV, uV or nV (UCUM)", "none", "correct the units"
        )
    if len(kept) < len(channels):
        flags.append(f"{len(channels) - len(kept)} channels left out: no potentials")
    leads, signals = zip(*kept, strict=True)
    return Ecg(np.stack(signals), float(groups[chosen[0]].SamplingFrequency), leads, tuple(flags))


def _is_recorded(group: Any) -> bool:
    """Tell a recorded group from a computed beat, by its label and its originality."""
    label = str(group.get("MultiplexGroupLabel") or "").upper()
    derived = str(group.get("WaveformOriginality") or "").upper() == "DERIVED"
    return not derived and not any(word in label for word in _COMPUTED)


def _check_group(group: Any, name: str, max_values: int) -> None:
    """Check one group's claims against each other and against the bytes that are there."""
    if group.get("SamplingFrequency") in (None, ""):
        raise DataError.unusable(name, "a sampling frequency", "none", _AGAIN)
    require_rate(name, float(group.SamplingFrequency))
    n_leads = int(group.get("NumberOfWaveformChannels") or 0)
    n_samples = int(group.get("NumberOfWaveformSamples") or 0)
    require_size(name, n_leads, n_samples, max_values)
    n_defined = len(group.get("ChannelDefinitionSequence") or [])
    if n_defined != n_leads:
        raise DataError.unusable(
            name, f"definitions of {n_leads} channels, as claimed", f"{n_defined}", _AGAIN
        )
    kind = (int(group.WaveformBitsAllocated), str(group.WaveformSampleInterpretation))
    if kind not in _SAMPLE_TYPES:
        raise DataError.unusable(
            name, "linear samples of 8, 16 or 32 bits", "another interpretation", _AGAIN
        )
    n_expected = n_leads * n_samples * kind[0] // 8
    n_found = len(group.get("WaveformData") or b"")
    if not n_expected <= n_found <= n_expected + 1:  # padded to an even length
        raise DataError.unusable(
            name,
            f"{n_expected} bytes ({n_leads} leads × {n_samples} samples)",
            f"{n_found}",
            _AGAIN,
        )


def _simultaneous(groups: list[Any], recorded: list[int]) -> list[int]:
    """Return the groups that were recorded together: most leads first, then the longest."""
    together: dict[tuple[float, int, float], list[int]] = {}
    for i in recorded:
        group = groups[i]
        start_ms = float(group.get("MultiplexGroupTimeOffset") or 0.0)
        key = (float(group.SamplingFrequency), int(group.NumberOfWaveformSamples), start_ms)
        together.setdefault(key, []).append(i)

    def size(key: tuple[float, int, float]) -> tuple[int, float]:
        n_leads = sum(int(groups[i].NumberOfWaveformChannels) for i in together[key])
        return n_leads, key[1] / key[0]

    return together[max(together, key=size)]


def _lead_name(definition: Any) -> str:
    """Name a channel's lead: by its code, else by the code's meaning, else by its label."""
    source = next(iter(definition.get("ChannelSourceSequence") or []), None)
    if source is not None:
        scheme = str(source.get("CodingSchemeDesignator") or "")
        value = str(source.get("CodeValue") or "")
        prefix = {"MDC": "2:", "SCPECG": "5.6.3-9-"}.get(scheme, "")
        number = value.removeprefix(prefix) if prefix and value.startswith(prefix) else ""
        if number.isdigit() and int(number) in _LEAD_CODES:
            return _LEAD_CODES[int(number)]
        if source.get("CodeMeaning"):
            return str(source.CodeMeaning)
    return str(definition.get("ChannelLabel") or "")


def _channel_mv(
    group: Any, definition: Any, raw: NDArray[Any], name: str
) -> NDArray[np.float32] | None:
    """Scale one channel to mV, or return None where it is no potential."""
    units = next(iter(definition.get("ChannelSensitivityUnitsSequence") or []), None)
    if units is None or definition.get("ChannelSensitivity") in (None, ""):
        raise DataError.unusable(
            name, "a sensitivity with its unit in every channel", "none", _AGAIN
        )
    factor = MV_PER_UNIT.get(str(units.get("CodeValue") or ""))
    if factor is None:
        return None
    sensitivity = float(definition.ChannelSensitivity)
    correction = _number(definition, "ChannelSensitivityCorrectionFactor", 1.0)
    baseline = _number(definition, "ChannelBaseline", 0.0)
    gain = sensitivity * correction
    if not (math.isfinite(gain) and gain != 0.0 and math.isfinite(baseline)):
        raise DataError.unusable(name, "a sensitivity other than zero", "zero or no number", _AGAIN)
    lead_mv = ((raw * gain + baseline) * factor).astype(np.float32)
    padding = _padding_value(group)
    if padding is not None:
        lead_mv[raw == padding] = np.nan
    return lead_mv


def _number(definition: Any, keyword: str, default: float) -> float:
    """Return an optional decimal element, absent or empty as its neutral value."""
    value = definition.get(keyword)
    return default if value in (None, "") else float(value)


def _padding_value(group: Any) -> int | None:
    """Return the stored value that marks a missing sample, or None where there is none."""
    value = group.get("WaveformPaddingValue")
    if value in (None, "", b""):
        return None
    if isinstance(value, bytes):
        kind = (int(group.WaveformBitsAllocated), str(group.WaveformSampleInterpretation))
        dtype = np.dtype(_SAMPLE_TYPES[kind])
        return int(np.frombuffer(value[: dtype.itemsize], dtype)[0])
    return int(value)
