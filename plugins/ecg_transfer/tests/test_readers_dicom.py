"""DICOM ECG waveforms: written here element by element, damaged, and the one pydicom ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    GeneralECGWaveformStorage,
    TwelveLeadECGWaveformStorage,
)

from cardio_core.testing import names
from cardio_ecg_transfer.readers import read_ecg

from .refused import refusal, refusal_in_kib

N_SAMPLES = 5000
PATIENT = "DOE^JANE"


def code(value: str, scheme: str, meaning: str = "x") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def channel(
    lead: tuple[str, str] = ("2:2", "MDC"),
    sensitivity: str | None = "5",
    correction: str | None = "1",
    baseline: str | None = "0",
    unit: str = "uV",
    meaning: str = "x",
) -> Dataset:
    item = Dataset()
    item.ChannelSourceSequence = [code(*lead, meaning)]
    if sensitivity is not None:
        item.ChannelSensitivity = sensitivity
        item.ChannelSensitivityUnitsSequence = [code(unit, "UCUM")]
    if correction is not None:
        item.ChannelSensitivityCorrectionFactor = correction
    if baseline is not None:
        item.ChannelBaseline = baseline
    item.WaveformBitsStored = 16
    return item


def group(
    samples: np.ndarray, channels: list[Dataset], label: str = "RHYTHM", rate: str = "500"
) -> Dataset:
    item = Dataset()
    item.MultiplexGroupLabel = label
    item.WaveformOriginality = "ORIGINAL"
    item.NumberOfWaveformChannels = samples.shape[1]
    item.NumberOfWaveformSamples = samples.shape[0]
    item.SamplingFrequency = rate
    item.ChannelDefinitionSequence = channels
    item.WaveformBitsAllocated = 16
    item.WaveformSampleInterpretation = "SS"
    item.add_new("WaveformData", "OW", samples.astype("<i2").tobytes())
    return item


def write(
    path: Path,
    groups: list[Dataset],
    sop_class: str = TwelveLeadECGWaveformStorage,
    syntax: str = ExplicitVRLittleEndian,
) -> Path:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.PatientName = PATIENT
    dataset.PatientID = "4711"
    dataset.Modality = "ECG"
    dataset.WaveformSequence = groups
    dataset.save_as(path, enforce_file_format=True)
    return path


def stored(n_leads: int, n_samples: int = N_SAMPLES) -> np.ndarray:
    return np.random.default_rng(1).integers(-800, 800, (n_samples, n_leads))


def test_sensitivity_correction_and_baseline_are_applied_in_that_order(tmp_path: Path) -> None:
    raw = stored(3)
    channels = [
        channel(("2:1", "MDC"), "2.5", "1.1", "100", "uV"),
        channel(("2:2", "MDC"), "0.005", "1", "-0.2", "mV"),
        channel(("2:3", "MDC"), "0.000005", "2", "0", "V"),
    ]
    ecg = read_ecg(write(tmp_path / "a.dcm", [group(raw, channels)]))
    np.testing.assert_allclose(ecg.signal_mv[0], (raw[:, 0] * 2.5 * 1.1 + 100) / 1000, atol=1e-6)
    np.testing.assert_allclose(ecg.signal_mv[1], raw[:, 1] * 0.005 - 0.2, atol=1e-6)
    np.testing.assert_allclose(ecg.signal_mv[2], raw[:, 2] * 0.00001 * 1000, atol=1e-6)
    assert (ecg.leads, ecg.rate_hz) == (("I", "II", "V1"), 500.0)


def test_an_absent_correction_and_baseline_change_nothing(tmp_path: Path) -> None:
    raw = stored(1)
    path = write(tmp_path / "a.dcm", [group(raw, [channel(correction=None, baseline=None)])])
    np.testing.assert_allclose(read_ecg(path).signal_mv[0], raw[:, 0] * 0.005, atol=1e-6)


def test_the_padding_value_becomes_missing(tmp_path: Path) -> None:
    raw = stored(2)
    raw[10:20, 0] = -32768
    item = group(raw, [channel(("2:1", "MDC")), channel()])
    item.add_new("WaveformPaddingValue", "OW", np.int16(-32768).tobytes())
    signal_mv = read_ecg(write(tmp_path / "a.dcm", [item])).signal_mv
    assert np.flatnonzero(np.isnan(signal_mv[0])).tolist() == list(range(10, 20))
    assert not np.isnan(signal_mv[1]).any()


def test_the_median_beat_is_never_read(tmp_path: Path) -> None:
    rhythm = group(stored(2), [channel(("2:1", "MDC")), channel()])
    median = group(stored(2, 9999), [channel(("2:1", "MDC")), channel()], "MEDIAN BEAT")
    derived = group(stored(2, 9000), [channel(("2:1", "MDC")), channel()], "X")
    derived.WaveformOriginality = "DERIVED"
    ecg = read_ecg(write(tmp_path / "a.dcm", [median, derived, rhythm]))
    np.testing.assert_allclose(ecg.signal_mv.T, stored(2) * 0.005, atol=1e-6)
    assert ecg.flags == ()
    only_median = refusal(write(tmp_path / "b.dcm", [median]))
    assert names(only_median, "1 groups", "computed beats")


def test_groups_recorded_together_are_joined_and_others_counted(tmp_path: Path) -> None:
    raw = stored(3)
    limb = group(raw[:, :2], [channel(("2:1", "MDC")), channel(("2:2", "MDC"))])
    chest = group(raw[:, 2:], [channel(("2:3", "MDC"))])
    later = group(stored(1), [channel(("2:2", "MDC"))])
    later.MultiplexGroupTimeOffset = "10000"
    ecg = read_ecg(write(tmp_path / "a.dcm", [limb, chest, later], GeneralECGWaveformStorage))
    assert ecg.leads == ("I", "II", "V1")
    np.testing.assert_allclose(ecg.signal_mv.T, raw * 0.005, atol=1e-6)
    (flag,) = ecg.flags
    assert names(flag, "2 of 3")


@pytest.mark.parametrize(
    ("lead", "meaning", "name"),
    [
        (("2:61", "MDC"), "x", "III"),
        (("5.6.3-9-64", "SCPECG"), "x", "aVF"),
        (("2:16", "MDC"), "x", "vx"),
        (("99", "LOCAL"), "LEAD I (Einthoven)", "I"),
        (("MDC_ECG_LEAD_V4", "LOCAL"), "V4", "V4"),
        (("2:999", "MDC"), "Lead aVL", "aVL"),
    ],
)
def test_a_lead_is_named_by_its_code_and_else_by_its_meaning(
    tmp_path: Path, lead: tuple[str, str], meaning: str, name: str
) -> None:
    item = group(stored(1), [channel(lead, meaning=meaning)])
    assert read_ecg(write(tmp_path / "a.dcm", [item])).leads == (name,)


def test_a_pressure_channel_is_left_out_and_counted(tmp_path: Path) -> None:
    item = group(stored(2), [channel(unit="mm[Hg]"), channel(("2:3", "MDC"))])
    ecg = read_ecg(write(tmp_path / "a.dcm", [item]))
    assert ecg.leads == ("V1",)
    (flag,) = ecg.flags
    assert names(flag, 1, "potentials")


def test_big_endian_files_give_the_same_potentials(tmp_path: Path) -> None:
    raw = stored(2)
    item = group(raw, [channel(("2:1", "MDC")), channel()])
    item.WaveformData = raw.astype(">i2").tobytes()
    path = write(tmp_path / "a.dcm", [item], syntax=ExplicitVRBigEndian)
    np.testing.assert_allclose(read_ecg(path).signal_mv.T, raw * 0.005, atol=1e-6)


def _claims(**fields: object) -> Dataset:
    item = group(stored(2), [channel(("2:1", "MDC")), channel()])
    for keyword, value in fields.items():
        if value is None:
            delattr(item, keyword)
        else:
            setattr(item, keyword, value)
    return item


@pytest.mark.parametrize(
    ("item", "part"),
    [
        (_claims(NumberOfWaveformSamples=6000), "expected 24000 bytes (2 leads × 6000 samples)"),
        (_claims(NumberOfWaveformSamples=4000), "expected 16000 bytes (2 leads × 4000 samples)"),
        (_claims(NumberOfWaveformChannels=12), "expected definitions of 12 channels"),
        (_claims(NumberOfWaveformSamples=2**31), "expected at most 64000000 values"),
        (_claims(NumberOfWaveformSamples=0), "at least one lead and one sample"),
        (_claims(SamplingFrequency=None), "expected a sampling frequency, found none"),
        (_claims(SamplingFrequency="0"), "a sampling rate of 50 to 50000 Hz, found 0 Hz"),
        (_claims(WaveformSampleInterpretation="MB"), "linear samples"),
        (_claims(WaveformBitsAllocated=None), "a complete waveform module"),
        (
            group(stored(2), [channel(sensitivity=None), channel()]),
            "a sensitivity with its unit in every channel",
        ),
        (group(stored(2), [channel(sensitivity="0"), channel()]), "other than zero"),
        (group(stored(1), [channel(unit="MV")]), "channels in V, mV, uV or nV (UCUM)"),
        (group(stored(1, 1500), [channel()]), "at least 8 s of signal, found 3.0 s"),
        (group(stored(2) * 0 + 7, [channel(("2:1", "MDC")), channel()]), "flat lines in all 2"),
    ],
)
def test_a_malformed_object_is_refused_in_words(tmp_path: Path, item: Dataset, part: str) -> None:
    assert part in refusal(write(tmp_path / "a.dcm", [item]))


def test_a_text_file_called_dcm_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_text(f"{PATIENT}, ECG of 4711\n" * 20)
    message = refusal(path)
    assert names(message, "a.dcm", "DICM", 128) and PATIENT not in message


def test_a_dicom_file_is_known_by_its_content_whatever_its_suffix(tmp_path: Path) -> None:
    path = write(tmp_path / "recording", [group(stored(1), [channel()])])
    assert read_ecg(path).leads == ("II",)


def test_another_class_of_object_and_an_object_without_waveform_are_refused(
    tmp_path: Path,
) -> None:
    item = group(stored(1), [channel()])
    assert names(refusal(write(tmp_path / "a.dcm", [item], CTImageStorage)), "class")
    assert "found no group" in refusal(write(tmp_path / "b.dcm", []))


def test_a_deflated_file_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.dcm", [group(stored(1), [channel()])], syntax=DeflatedExplicitVRLittleEndian
    )
    assert "found a deflated one" in refusal(path)


@pytest.mark.parametrize("kept", [0.05, 0.3, 0.6, 0.99, -1])
def test_a_truncated_file_is_refused(tmp_path: Path, kept: float) -> None:
    path = write(tmp_path / "a.dcm", [group(stored(2), [channel(("2:1", "MDC")), channel()])])
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if kept > 0 else -1])
    refusal(path)


def test_an_element_that_claims_4_gb_is_refused_without_the_memory_for_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", [group(stored(2), [channel(("2:1", "MDC")), channel()])])
    content = path.read_bytes()
    length = (N_SAMPLES * 4).to_bytes(4, "little")
    position = content.index(b"OW\0\0" + length) + 4
    claim = (0xFFFFFFF0).to_bytes(4, "little")
    path.write_bytes(content[:position] + claim + content[position + 4 : -2])
    message, growth_kib = refusal_in_kib(path)
    assert message.startswith("a.dcm: expected ")
    assert growth_kib < 50_000


def test_the_real_twelve_lead_file_agrees_with_pydicoms_own_scaling() -> None:
    path = get_testdata_file("waveform_ecg.dcm")
    ecg = read_ecg(path)
    assert ecg.leads == (
        "I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6",
    )  # fmt: skip
    assert (ecg.rate_hz, ecg.signal_mv.shape, ecg.flags) == (1000.0, (12, 10_000), ())
    scaled_uv = pydicom.dcmread(path).waveform_array(0)
    np.testing.assert_allclose(ecg.signal_mv.T, scaled_uv / 1000, atol=1e-6)
    # The first sample of lead I is stored as 80, at 1.25 µV a step.
    assert ecg.signal_mv[0, 0] == pytest.approx(0.1)
