"""EDF and EDF+: made here byte by byte from the specification, damaged, and synthetic ones."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from wfdb.io.convert import edf as wfdb_edf

from cardio_core.testing import names
from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS
from cardio_ecg_transfer.synthetic.patient import Noise, PatientSpec
from cardio_ecg_transfer.synthetic.simulation import simulate

from .refused import refusal
from .write_edf import write_edf

N_RECORDS = 10
PATIENT = "4711 F 01-JAN-1950 Doe_Jane"


@dataclass(frozen=True)
class Signal:
    """A signal's header fields in the order of Kemp 1992, and its samples by record."""

    label: str = "ECG II"
    unit: str = "mV"
    physical: tuple[str, str] = ("-5", "5")
    digital: tuple[str, str] = ("-2000", "2000")
    per_record: int = 250
    samples: np.ndarray | None = None
    claimed: str | None = None

    def stored(self) -> np.ndarray:
        if self.samples is not None:
            return self.samples.reshape(N_RECORDS, -1)
        saw = np.arange(N_RECORDS * self.per_record) % 100 * 10 - 500
        return saw.reshape(N_RECORDS, -1)


@dataclass(frozen=True)
class File:
    """The fixed header, its fields replaceable one by one, and the signals."""

    signals: tuple[Signal, ...] = field(default_factory=lambda: (Signal(),))
    version: str = "0"
    n_header: str | None = None
    reserved: str = ""
    n_records: str = str(N_RECORDS)
    duration: str = "1"
    n_signals: str | None = None

    def header(self) -> bytes:
        n = len(self.signals)
        fixed = [
            (self.version, 8), (PATIENT, 80), ("Startdate 02-MAR-2002 X X X", 80),
            ("02.03.02", 8), ("10.20.30", 8), (self.n_header or str(256 * (n + 1)), 8),
            (self.reserved, 44), (self.n_records, 8), (self.duration, 8),
            (self.n_signals or str(n), 4),
        ]  # fmt: skip
        columns = [
            [(s.label, 16) for s in self.signals],
            [("AgAgCl", 80) for _ in self.signals],
            [(s.unit, 8) for s in self.signals],
            [(s.physical[0], 8) for s in self.signals],
            [(s.physical[1], 8) for s in self.signals],
            [(s.digital[0], 8) for s in self.signals],
            [(s.digital[1], 8) for s in self.signals],
            [("HP:0.05Hz", 80) for _ in self.signals],
            [(s.claimed or str(s.per_record), 8) for s in self.signals],
            [("", 32) for _ in self.signals],
        ]
        fields = fixed + [item for column in columns for item in column]
        assert all(len(text) <= width for text, width in fields)
        return b"".join(text.encode("latin-1").ljust(width) for text, width in fields)

    def bytes(self) -> bytes:
        blocks = np.concatenate([s.stored() for s in self.signals], axis=1)
        return self.header() + blocks.astype("<i2").tobytes()

    def write(self, path: Path) -> Path:
        path.write_bytes(self.bytes())
        return path


def signal(**fields: object) -> File:
    return File((Signal(**fields),))


def test_samples_are_scaled_by_the_physical_and_the_digital_range(tmp_path: Path) -> None:
    ecg = read_ecg(File().write(tmp_path / "a.edf"))
    assert (ecg.leads, ecg.rate_hz, ecg.duration_s, ecg.flags) == (("II",), 250.0, 10.0, ())
    # 4000 steps span 10 mV: -500 is -1.25 mV, and the next sample is 10 steps higher.
    np.testing.assert_allclose(ecg.signal_mv[0, :3], [-1.25, -1.225, -1.2], atol=1e-6)
    np.testing.assert_allclose(ecg.signal_mv[0], Signal().stored().ravel() / 400, atol=1e-6)


@pytest.mark.parametrize(
    ("unit", "physical", "first_mv"),
    [
        ("uV", ("-5000", "5000"), -1.25),
        ("\xb5V", ("-5000", "5000"), -1.25),
        ("V", ("-.005", ".005"), -1.25),
        ("mV", ("0", "10"), 3.75),  # an offset: -2000 steps are 0 mV
        ("mV", ("5", "-5"), 1.25),  # a negative gain, which the specification allows
    ],
)
def test_units_offsets_and_negative_gains_are_applied(
    tmp_path: Path, unit: str, physical: tuple[str, str], first_mv: float
) -> None:
    ecg = read_ecg(signal(unit=unit, physical=physical).write(tmp_path / "a.edf"))
    assert ecg.signal_mv[0, 0] == pytest.approx(first_mv)


@pytest.mark.parametrize(
    ("label", "lead"),
    [
        ("ECG I", "I"), ("EKG II", "II"), ("I", "I"), ("ECG V1-REF", "V1"), ("ecg avr", "aVR"),
        ("MLII", "MLII"), ("ECG", "ECG"), ("ECG 2", "ECG 2"), ("EKG1-EKG2", "EKG1-EKG2"),
        ("V5", "V5"), ("ECG X", "vx"), ("X", "vx"),
    ],
)  # fmt: skip
def test_labels_become_the_usual_lead_names(tmp_path: Path, label: str, lead: str) -> None:
    assert read_ecg(signal(label=label).write(tmp_path / "a.edf")).leads == (lead,)


def test_a_two_lead_holter_with_annotations_and_an_accelerometer_is_read(tmp_path: Path) -> None:
    files = File(
        (
            Signal("ECG 1", samples=np.arange(2500) % 100),
            Signal("X", unit="mg", per_record=25),
            Signal("ECG 2", samples=-(np.arange(2500) % 100)),
            Signal("EDF Annotations", unit="", digital=("-32768", "32767"), per_record=30),
        ),
        reserved="EDF+C",
    )
    ecg = read_ecg(files.write(tmp_path / "holter.edf"))
    assert (ecg.leads, ecg.rate_hz) == (("ECG 1", "ECG 2"), 250.0)
    (flag,) = ecg.flags
    assert names(flag, 1, "ECG leads")
    np.testing.assert_allclose(ecg.signal_mv[0], np.arange(2500) % 100 / 400, atol=1e-6)
    np.testing.assert_allclose(ecg.signal_mv[1], -ecg.signal_mv[0], atol=1e-6)


def test_the_ecg_of_a_sleep_recording_is_read_without_its_other_potentials(tmp_path: Path) -> None:
    others = (Signal("EEG Fpz-Cz", unit="uV", per_record=100), Signal("EOG V1", unit="uV"))
    ecg = read_ecg(File((*others, Signal("ECG"))).write(tmp_path / "sleep.edf"))
    (flag,) = ecg.flags
    assert ecg.leads == ("ECG",) and names(flag, 2, "ECG leads")


def test_records_shorter_than_a_second_and_a_rate_that_is_no_integer_are_read(
    tmp_path: Path,
) -> None:
    ecg = read_ecg(replace(File(), duration="0.96").write(tmp_path / "a.edf"))
    assert (ecg.rate_hz, ecg.duration_s) == pytest.approx((260.4166667, 9.6))


@pytest.mark.parametrize("name", ["a.edf", "a.EDF", "a.rec", "recording"])
def test_edf_is_known_by_its_suffix_or_its_version_field(tmp_path: Path, name: str) -> None:
    assert read_ecg(File().write(tmp_path / name)).leads == ("II",)


@pytest.mark.parametrize(
    ("file", "part"),
    [
        (signal(claimed="251"), "expected 5532 bytes (1 signals, 10 data records), found 5512"),
        (signal(claimed="249"), "expected 5492 bytes (1 signals, 10 data records), found 5512"),
        (File(n_records="11"), "expected 6012 bytes (1 signals, 11 data records), found 5512"),
        (File(n_records="99999999"), "expected 50000000012 bytes"),
        (signal(claimed="99999999"), "expected 2000000492 bytes"),
        (File(n_records="-1"), "a finished recording, with its number of data records, found -1"),
        (File(n_records="0"), "a finished recording"),
        (
            File(n_records="2**31"),
            "a finished recording, with its number of data records, found no",
        ),
        (signal(claimed="-250"), "at least one sample of each signal in a record"),
        (signal(claimed="0"), "at least one sample of each signal in a record"),
        (signal(claimed="many"), "at least one sample of each signal in a record"),
        (File(n_header="768"), "a header of 256 bytes, and 256 more for each signal, found 768"),
        (File(n_header="x"), "found no number bytes for 1 signals"),
        (File(n_signals="-1"), "found 512 bytes for -1 signals"),
        (File(n_signals="0"), "found 512 bytes for 0 signals"),
        (File(n_signals="9999", n_header="2560000"), "a header of 2560000 bytes, found 5512"),
        (File(duration="0"), "a duration of the data records in s, found none above 0"),
        (File(duration="-1"), "a duration of the data records in s"),
        (File(duration="nan"), "a duration of the data records in s"),
        (File(duration="100"), "a sampling rate of 50 to 50000 Hz, found 2.5 Hz"),
        (File(reserved="EDF+D"), "a continuous recording, found EDF+D"),
        (signal(digital=("7", "7")), "digital and a physical range that are not empty"),
        (signal(digital=("2000", "-2000")), "digital and a physical range that are not empty"),
        (signal(physical=("1", "1")), "digital and a physical range that are not empty"),
        (signal(physical=("inf", "1")), "a number where one belongs"),
        (signal(physical=("nan", "1")), "digital and a physical range that are not empty"),
        (signal(digital=("low", "high")), "a number where one belongs"),
        (signal(unit="mmHg"), "the unit V, mV, uV or nV, found another in ECG signal 1 of 1"),
        (signal(unit=""), "the unit V, mV, uV or nV"),
        (signal(label="EEG Fpz-Cz"), "found none among 1 signals"),
        (signal(label="ECGraph"), "found none among 1 signals"),
        (signal(label="EDF Annotations"), "found none among 0 signals"),
        (File((Signal("ECG I"), Signal("ECG II", per_record=500))), "2 different ones"),
        (signal(samples=np.full(2500, 9)), "flat lines in all 1 leads"),
        (File(version="1"), "with version 0 and a header of 256 bytes or more, found another kind"),
    ],
)
def test_a_malformed_file_is_refused_in_words(tmp_path: Path, file: File, part: str) -> None:
    assert part in refusal(file.write(tmp_path / "a.edf"))


@pytest.mark.parametrize("kept", [0, 1, 255, 256, 400, 511, 512, 513, 5011, 5511])
def test_a_file_cut_short_is_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.edf"
    path.write_bytes(File().bytes()[:kept])
    refusal(path)


def test_a_lost_file_a_text_and_a_file_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    assert "found none" in refusal(tmp_path / "lost.edf")
    path = tmp_path / "a.edf"
    path.write_text(f"{PATIENT}\n" * 50)
    assert names(refusal(path), "another kind")
    path = File().write(tmp_path / "b.edf")
    assert names(refusal(path, max_values=2499), 2499)


@pytest.mark.parametrize("name", ["a.bdf", "a.edf", "recording"])
def test_bdf_is_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\xffBIOSEMI" + File().bytes()[8:])
    assert names(refusal(path), "BDF", "24", "EDF")


@pytest.mark.parametrize(
    "file",
    [
        File(n_records="99999999"),
        signal(claimed="99999999"),
        File(n_records="99999999", duration=".0000001"),
        File(n_signals="9999", n_header="2560000"),
        File(tuple(Signal(f"ECG {i}", per_record=1) for i in range(30)), n_records="99999999"),
    ],
)
def test_a_hostile_header_is_refused_in_little_memory(tmp_path: Path, file: File) -> None:
    path = file.write(tmp_path / "a.edf")
    refusal(path)  # imports are no part of the measurement
    tracemalloc.start()
    try:
        refusal(path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def recording() -> tuple:
    return simulate(PatientSpec("lbbb", pvc_share=0.1, noise=Noise(15.0)), 10.0, 500.0, seed=4)


def test_a_synthetic_ecg_comes_back_within_half_a_step(tmp_path: Path, recording: tuple) -> None:
    ecg, _ = recording
    write_edf(tmp_path / "made.edf", ecg)
    back = read_ecg(tmp_path / "made.edf")
    assert (back.leads, back.rate_hz, back.duration_s) == (STANDARD_LEADS, 500.0, 10.0)
    assert back.flags == ()
    np.testing.assert_allclose(back.signal_mv, ecg.signal_mv, atol=0.5 / 200 + 1e-6)


def test_wfdbs_own_edf_reader_finds_the_same_potentials(tmp_path: Path, recording: tuple) -> None:
    ecg, _ = recording
    write_edf(tmp_path / "made.edf", ecg)
    record = wfdb_edf.read_edf(str(tmp_path / "made.edf"))
    assert record.sig_name == [f"ECG {lead}" for lead in STANDARD_LEADS]
    assert (record.fs, set(record.units)) == (500, {"uV"})
    difference_mv = read_ecg(tmp_path / "made.edf").signal_mv - record.p_signal.T / 1000
    # wfdb 4.3 adds one step of 5 µV to every baseline; by the specification -32768 is -163840 µV.
    np.testing.assert_allclose(np.ptp(difference_mv, axis=1), 0, atol=1e-5)
    assert np.abs(difference_mv).max() <= 0.005 + 1e-5
