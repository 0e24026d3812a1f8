"""WFDB records as they are written, damaged, and as PhysioNet publishes them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import wfdb

from cardio_core.api import DataError
from cardio_core.testing import names, refuses
from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.readers.wfdb_record import read_annotations

from .refused import refusal, refusal_in_kib

RATE_HZ = 250
N_SAMPLES = 2500
PATIENT = "DOE^JANE"

realdata = pytest.mark.realdata


def _data(folder: str) -> Path:
    root = os.environ.get("CARDIO_DATA")
    if not root and not os.environ.get("CI"):
        pytest.skip("CARDIO_DATA is not set")
    return Path(root or "CARDIO_DATA-is-not-set") / folder


def _digital(n_leads: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-900, 900, (N_SAMPLES, n_leads), dtype=np.int64)


def write_record(folder: Path, digital: np.ndarray, fmt: str = "16", **fields: object) -> Path:
    n_leads = digital.shape[1]
    settings: dict[str, object] = {
        "record_name": "r1",
        "fs": RATE_HZ,
        "units": ["mV"] * n_leads,
        "sig_name": ["MLII", "V5", "V1", "V2"][:n_leads],
        "d_signal": digital,
        "fmt": [fmt] * n_leads,
        "adc_gain": [200.0] * n_leads,
        "baseline": [0] * n_leads,
        "comments": [f"Patient {PATIENT}"],
        "write_dir": str(folder),
    }
    wfdb.wrsamp(**(settings | fields))
    return folder / "r1"


def rewrite_header(record: Path, old: str, new: str) -> None:
    header = record.with_suffix(".hea")
    text = header.read_text()
    assert old in text
    header.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("fmt", ["16", "212", "24", "32"])
def test_stored_samples_come_back_in_millivolt(tmp_path: Path, fmt: str) -> None:
    digital = _digital()
    record = write_record(tmp_path, digital, fmt, baseline=[10, -7], adc_gain=[200.0, 400.0])
    ecg = read_ecg(record)
    expected = (digital - [10, -7]) / [200.0, 400.0]
    np.testing.assert_allclose(ecg.signal_mv.T, expected, atol=1e-6)
    assert (ecg.rate_hz, ecg.leads, ecg.flags) == (RATE_HZ, ("MLII", "V5"), ())
    assert ecg.signal_mv.dtype == np.float32


@pytest.mark.parametrize("suffix", ["", ".hea", ".dat"])
def test_any_file_of_a_record_opens_it(tmp_path: Path, suffix: str) -> None:
    record = write_record(tmp_path, _digital())
    assert read_ecg(f"{record}{suffix}").leads == ("MLII", "V5")


def test_microvolt_and_millivolt_give_the_same_potentials(tmp_path: Path) -> None:
    record = write_record(tmp_path, _digital(), units=["uV", "mV"], adc_gain=[0.2, 200.0])
    np.testing.assert_allclose(read_ecg(record).signal_mv.T, _digital() / 200, atol=1e-6)


@pytest.mark.parametrize(("fmt", "code"), [("16", -32768), ("212", -2048), ("32", -(2**31))])
def test_a_missing_sample_stays_missing(tmp_path: Path, fmt: str, code: int) -> None:
    digital = _digital()
    digital[100:200, 1] = code
    signal_mv = read_ecg(write_record(tmp_path, digital, fmt)).signal_mv
    assert np.flatnonzero(np.isnan(signal_mv[1])).tolist() == list(range(100, 200))
    assert not np.isnan(signal_mv[0]).any()


def test_reading_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    record = write_record(tmp_path, _digital())
    assert read_ecg(record).signal_mv.tobytes() == read_ecg(record).signal_mv.tobytes()


def test_a_pressure_channel_is_left_out_and_counted(tmp_path: Path) -> None:
    ecg = read_ecg(write_record(tmp_path, _digital(3), units=["mV", "mmHg", "mV"]))
    assert ecg.leads == ("MLII", "V1")
    (flag,) = ecg.flags
    assert names(flag, 1, "potentials")


def test_a_header_without_length_takes_it_from_the_file(tmp_path: Path) -> None:
    record = write_record(tmp_path, _digital())
    rewrite_header(record, f"{RATE_HZ} {N_SAMPLES}", f"{RATE_HZ}")
    assert read_ecg(record).signal_mv.shape == (2, N_SAMPLES)


def test_a_gain_of_zero_is_read_as_200_per_millivolt_and_flagged(tmp_path: Path) -> None:
    record = write_record(tmp_path, _digital())
    rewrite_header(record, "200.0(0)/mV", "0(0)/mV")
    ecg = read_ecg(record)
    np.testing.assert_allclose(ecg.signal_mv.T, _digital() / 200, atol=1e-6)
    (flag,) = ecg.flags
    assert names(flag, "gain", "channel 1", "200 per mV")


def test_skewed_leads_are_aligned_and_flagged(tmp_path: Path) -> None:
    digital = _digital()
    record = write_record(tmp_path, digital)
    rewrite_header(record, "r1.dat 16 ", "r1.dat 16:3 ")
    ecg = read_ecg(record)
    np.testing.assert_allclose(ecg.signal_mv[0, :-3], digital[3:, 0] / 200, atol=1e-6)
    assert np.isnan(ecg.signal_mv[0, -3:]).all()
    (flag,) = ecg.flags
    assert names(flag, "skew")


@pytest.mark.parametrize("n_lost", [1, 2, 4, 5000])
def test_a_truncated_signal_file_is_refused(tmp_path: Path, n_lost: int) -> None:
    record = write_record(tmp_path, _digital())
    content = record.with_suffix(".dat").read_bytes()
    record.with_suffix(".dat").write_bytes(content[:-n_lost])
    assert names(refusal(record), "r1.dat", 10_000, "2 leads", "2500 samples", 10_000 - n_lost)


def test_a_signal_file_with_more_leads_than_the_header_is_refused(tmp_path: Path) -> None:
    record = write_record(tmp_path, _digital(3))
    lines = record.with_suffix(".hea").read_text().replace("r1 3 ", "r1 2 ").splitlines()
    record.with_suffix(".hea").write_text("\n".join(lines[:3]) + "\n")
    assert names(refusal(record), "header", "leads", "samples")


@pytest.mark.parametrize("claimed", [1, 3, 12])
def test_a_wrong_lead_count_is_refused(tmp_path: Path, claimed: int) -> None:
    record = write_record(tmp_path, _digital())
    rewrite_header(record, "r1 2 ", f"r1 {claimed} ")
    assert names(refusal(record), "r1.hea", f"{claimed} signal lines", "found 2")


@pytest.mark.parametrize("rate", ["", "0", "-250", "nan", "1e9", "2"])
def test_no_usable_sampling_rate_is_refused(tmp_path: Path, rate: str) -> None:
    record = write_record(tmp_path, _digital())
    rewrite_header(record, f"r1 2 {RATE_HZ} {N_SAMPLES}", f"r1 2 {rate}")
    assert names(refusal(record), "sampling rate")


def test_one_changed_sample_fails_the_checksum(tmp_path: Path) -> None:
    record = write_record(tmp_path, _digital())
    content = bytearray(record.with_suffix(".dat").read_bytes())
    content[402] ^= 1  # sample 100 of the second lead
    record.with_suffix(".dat").write_bytes(content)
    assert names(refusal(record), "checksum", "lead 2 of 2")


def test_three_seconds_are_too_short_unless_asked_for(tmp_path: Path) -> None:
    record = write_record(tmp_path, _digital()[: 3 * RATE_HZ])
    assert names(refusal(record), "r1", "8 s", "3.0 s")
    assert read_ecg(record, min_duration_s=3.0).duration_s == 3.0


def test_a_recording_of_flat_lines_is_refused_and_one_flat_lead_is_not(tmp_path: Path) -> None:
    digital = _digital()
    digital[:, 0] = 17
    assert read_ecg(write_record(tmp_path, digital)).leads == ("MLII", "V5")
    digital[:, 1] = -3
    assert names(refusal(write_record(tmp_path, digital)), "flat", "2 leads")


def test_a_recording_of_missing_values_is_refused(tmp_path: Path) -> None:
    digital = np.full((N_SAMPLES, 2), -32768)
    record = write_record(tmp_path, digital)
    assert names(refusal(record), "missing", "2 leads")


@pytest.mark.parametrize(
    "elsewhere", ["../r1.dat", "/etc/passwd", "s3://bucket/r1.dat", "https://a.org/r1.dat", "~/r1"]
)
def test_a_signal_file_outside_the_folder_is_never_opened(tmp_path: Path, elsewhere: str) -> None:
    record = write_record(tmp_path, _digital())
    rewrite_header(record, "r1.dat", elsewhere)
    assert names(refusal(record), "signal files", "next to the header")


def test_a_lost_signal_file_and_a_lost_header_are_named(tmp_path: Path) -> None:
    record = write_record(tmp_path, _digital())
    record.with_suffix(".dat").unlink()
    assert names(refusal(record), "r1.dat")
    record.with_suffix(".hea").unlink()
    assert names(refusal(record), record.name, "no such file")
    record.with_suffix(".txt").write_text("Dear colleague")
    assert names(refusal(record.with_suffix(".txt")), "WFDB", "another kind")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "a record line"),
        ("DOE^JANE born 1950", "a record line"),
        ("r1/3 2 250 2500\n", "a record of several"),
        ("r1 0 250 2500\n", "at least one lead"),
        ("r1 1 250 2500\nr1.dat sixteen DOE^JANE\n", "cannot be parsed"),
        ("r1 1 250 2500 99:99:99 99/99/9999\nr1.dat 16 200 16 0 0 0 0 II\n", "cannot be parsed"),
        ("r1 1 250 2500\nr1.dat 508 200 16 0 0 0 0 II\n", "format 508"),
        ("r1 1 250 2500\nr1.dat 16x4 200 16 0 0 0 0 II\n", "several samples a frame"),
    ],
)
def test_a_malformed_header_is_refused_in_words(tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / "r1.hea").write_text(text)
    (tmp_path / "r1.dat").write_bytes(b"\0" * 5000)
    assert part in refusal(tmp_path / "r1")


def test_an_absurd_claim_is_refused_without_the_memory_for_it(tmp_path: Path) -> None:
    """2 leads of 500 million 32-bit samples: 4 GB in the file, if it were there."""
    (tmp_path / "r1.hea").write_text(
        "r1 2 360 500000000\nr1.dat 32 200 16 0 0 0 0 II\nr1.dat 32 200 16 0 0 0 0 V5\n"
    )
    with (tmp_path / "r1.dat").open("wb") as file:
        file.truncate(4_000_000_000)  # sparse: the size is right, so only the limit can refuse it
    message, growth_kib = refusal_in_kib(tmp_path / "r1")
    assert names(message, 64_000_000)
    assert growth_kib < 50_000


def test_annotations_are_read_in_order_and_refused_when_cut_short(tmp_path: Path) -> None:
    wfdb.wrann(
        "r1",
        "atr",
        np.array([5, 300, 650]),
        ["+", "N", "V"],
        aux_note=["(N", "", ""],
        fs=RATE_HZ,
        write_dir=str(tmp_path),
    )
    samples, symbols = read_annotations(tmp_path / "r1")
    assert samples.tolist() == [5, 300, 650]
    assert symbols == ("+", "N", "V")
    file = tmp_path / "r1.atr"
    file.write_bytes(file.read_bytes()[:-2])
    with refuses(DataError, "r1.atr", "zero"):
        read_annotations(file)
    file.unlink()
    with refuses(DataError, "r1.atr", "no such file"):
        read_annotations(tmp_path / "r1.hea")


@realdata
@pytest.mark.parametrize(
    ("record", "leads", "first_mv", "n_annotations"),
    [
        # 100.hea and 114.hea print the first stored values: (995 - 1024) / 200 = -0.145 and so on.
        ("100", ("MLII", "V5"), (-0.145, -0.065), 2274),
        ("114", ("V5", "MLII"), (-0.045, 0.015), 1890),
        ("102", ("V5", "V2"), None, 2192),
    ],
)
def test_mit_bih_records_are_read_as_published(
    record: str, leads: tuple[str, ...], first_mv: tuple[float, float] | None, n_annotations: int
) -> None:
    path = _data("mitdb") / record
    ecg = read_ecg(path)
    assert (ecg.leads, ecg.rate_hz, ecg.signal_mv.shape) == (leads, 360.0, (2, 650_000))
    reference = wfdb.rdrecord(str(path)).p_signal.T
    np.testing.assert_allclose(ecg.signal_mv, reference, atol=1e-6)
    if first_mv:
        np.testing.assert_allclose(ecg.signal_mv[:, 0], first_mv, atol=1e-6)
    assert len(read_annotations(path)[0]) == n_annotations


@realdata
def test_ptb_xl_records_have_twelve_leads_that_obey_einthoven() -> None:
    paths = sorted((_data("ptbxl") / "records500").rglob("*.hea"))[:3]
    assert len(paths) == 3
    for path in paths:
        ecg = read_ecg(path)
        assert ecg.leads == (
            "I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6",
        )  # fmt: skip
        one, two, three = ecg.signal_mv[:3]
        assert np.abs(one + three - two).max() <= 0.0021  # stored to 1 µV, each rounded by itself


def test_the_door_does_not_load_a_heavy_module() -> None:
    code = (
        "import sys, cardio_ecg_transfer.readers\n"
        "print([m for m in ('numpy', 'pandas', 'wfdb', 'pydicom', 'torch') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_path_to_nothing_is_told_as_such(tmp_path):
    for name in ("missing.hea", "missing.dcm", "missing.csv"):
        with refuses(DataError, name):
            read_ecg(tmp_path / name)
