"""Write a recording as a WFDB record, or as a DICOM 12-lead ECG with its median beat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, TwelveLeadECGWaveformStorage, generate_uid

from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.synthetic.simulation import Truth

ADC_PER_MV = 200
_COMMENT = "Synthetic: made by code, of no patient."

# Format: (smallest, largest code for a sample, code for a missing one, code of 0 mV).
_RANGES = {"212": (-2047, 2047, -2048, 1024), "16": (-32767, 32767, -32768, 0)}


def quantised(signal_mv: NDArray[np.float32]) -> NDArray[np.float64]:
    """Round to whole steps of the converter, without its limits.

    Examples
    --------
    >>> quantised(np.float32([0.0051, -1.0])).tolist()
    [1.0, -200.0]
    """
    return np.rint(np.asarray(signal_mv, dtype=np.float64) * ADC_PER_MV)


def write_wfdb(
    folder: Path, record: str, ecg: Ecg, truth: Truth | None = None, fmt: str = "16"
) -> None:
    """Write header and signal file, and annotations where the truth is given.

    Parameters
    ----------
    folder : Path
        Must exist.
    record : str
        Name of the record; letters, digits, - and _.
    ecg : Ecg
        What is written; NaN becomes the format's code for a missing sample.
    truth : Truth, optional
        Beats go to ``record.atr``, each at its R peak, after a rhythm label at the start.
    fmt : {'16', '212'}
        212 is MIT-BIH's: 12 bits with 0 mV at 1024; what exceeds them is clipped, as there.
    """
    low, high, missing, zero = _RANGES[fmt]
    steps = quantised(ecg.signal_mv) + zero
    digital = np.where(np.isnan(steps), missing, np.clip(steps, low, high)).astype(np.int64)
    n_leads = len(ecg.leads)
    wfdb.wrsamp(
        record,
        fs=ecg.rate_hz,
        units=["mV"] * n_leads,
        sig_name=list(ecg.leads),
        d_signal=digital.T,
        fmt=[fmt] * n_leads,
        adc_gain=[float(ADC_PER_MV)] * n_leads,
        baseline=[zero] * n_leads,
        comments=[_COMMENT],
        write_dir=str(folder),
    )
    if truth is not None:
        samples = np.minimum(np.rint(truth.r_s * ecg.rate_hz), ecg.signal_mv.shape[1] - 1)
        wfdb.wrann(
            record,
            "atr",
            np.concatenate([[0], samples.astype(np.int64)]),
            ["+", *truth.symbols],
            aux_note=[truth.rhythm, *[""] * len(truth.symbols)],
            write_dir=str(folder),
        )


_MDC_CODE = {
    **{"I": "2:1", "II": "2:2", "III": "2:61", "aVR": "2:62", "aVL": "2:63", "aVF": "2:64"},
    **{f"V{n}": f"2:{n + 2}" for n in range(1, 7)},
}
_PADDING = -32768
_MEDIAN_S = (-0.4, 0.6)
_DATE, _TIME = "20000101", "000000"


def write_dicom(path: Path, ecg: Ecg, truth: Truth) -> None:
    """Write a 12-lead ECG object of 200 steps a millivolt.

    Parameters
    ----------
    path : Path
        The file; its name alone makes the identifiers in it, so that the same call writes the
        same bytes.
    ecg : Ecg
        Leads of the standard twelve; NaN becomes the padding value.
    truth : Truth
        R peaks, for the median beat.
    """
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = TwelveLeadECGWaveformStorage
    for level in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, level, generate_uid(entropy_srcs=["cardio synthetic", path.stem, level]))
    dataset.Modality = "ECG"
    dataset.Manufacturer = "cardio synthetic cohort"
    dataset.PatientName = dataset.PatientID = path.stem
    dataset.PatientBirthDate = dataset.PatientSex = ""
    dataset.StudyDate = dataset.ContentDate = _DATE
    dataset.StudyTime = dataset.ContentTime = _TIME
    dataset.AcquisitionDateTime = _DATE + _TIME
    dataset.StudyID = dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    dataset.SeriesNumber = dataset.InstanceNumber = "1"
    dataset.AcquisitionContextSequence = []
    median_mv = median_beat(ecg, truth)
    dataset.WaveformSequence = [
        _group(ecg.signal_mv, ecg, "RHYTHM", "ORIGINAL"),
        _group(median_mv, ecg, "MEDIAN BEAT", "DERIVED"),
    ]
    dataset.save_as(path, enforce_file_format=True)


def median_beat(ecg: Ecg, truth: Truth) -> NDArray[np.float32]:
    """Return the median of all complete beats, in mV, shape (n_leads, n_window).

    The window runs from 400 ms before to 600 ms after the R peak.
    """
    first, last = (round(edge * ecg.rate_hz) for edge in _MEDIAN_S)
    r_samples = np.rint(truth.r_s * ecg.rate_hz).astype(int)
    inside = (r_samples + first >= 0) & (r_samples + last < ecg.signal_mv.shape[1])
    window = r_samples[inside, None] + np.arange(first, last)
    return np.asarray(np.median(ecg.signal_mv[:, window], axis=1), np.float32)


def _group(signal_mv: NDArray[np.float32], ecg: Ecg, label: str, originality: str) -> Dataset:
    """Build one multiplex group."""
    steps = quantised(signal_mv)
    stored = np.where(np.isnan(steps), _PADDING, np.clip(steps, _PADDING + 1, 32767)).astype("<i2")
    group = Dataset()
    group.MultiplexGroupTimeOffset = "0"
    group.WaveformOriginality = originality
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = stored.shape
    group.SamplingFrequency = f"{ecg.rate_hz:g}"
    group.MultiplexGroupLabel = label
    group.ChannelDefinitionSequence = [_channel(lead) for lead in ecg.leads]
    group.WaveformBitsAllocated = 16
    group.WaveformSampleInterpretation = "SS"
    group.add_new("WaveformPaddingValue", "OW", np.array(_PADDING, "<i2").tobytes())
    group.add_new("WaveformData", "OW", stored.T.tobytes())
    return group


def _channel(lead: str) -> Dataset:
    """Describe one lead: its code, and 5 µV a step."""
    channel = Dataset()
    channel.ChannelSourceSequence = [_code(_MDC_CODE[lead], "MDC", f"Lead {lead}")]
    channel.ChannelSensitivity = f"{1000 / ADC_PER_MV:g}"
    channel.ChannelSensitivityUnitsSequence = [_code("uV", "UCUM", "microvolt")]
    channel.ChannelSensitivityCorrectionFactor = "1"
    channel.ChannelBaseline = "0"
    channel.ChannelSampleSkew = "0"
    channel.WaveformBitsStored = 16
    return channel


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    """Build a code sequence item."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item
