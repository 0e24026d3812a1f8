"""One ECG in every format, and at every usual rate: the same checks, measurements and verdicts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cardio_core.api import DataError
from cardio_ecg_transfer.readers import carts, read_ecg
from cardio_ecg_transfer.signal.filters import resample
from cardio_ecg_transfer.signal.measurements.measure import measure_ecg
from cardio_ecg_transfer.synthetic.patient import PatientSpec
from cardio_ecg_transfer.synthetic.simulation import simulate
from cardio_ecg_transfer.synthetic.writers import write_dicom, write_wfdb

from .write_edf import write_edf
from .write_muse import write_muse

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def write_csv(path, ecg):
    head = f"# rate_hz={ecg.rate_hz:g}\n" + ",".join(f"{lead} [mV]" for lead in ecg.leads)
    np.savetxt(path, ecg.signal_mv.T, fmt="%.3f", delimiter=",", header=head, comments="")


@pytest.fixture(scope="module", params=["normal", "lbbb"])
def files(request, tmp_path_factory):
    """One ECG as five files, V1 and V4 exchanged in it where its heart is normal."""
    folder = tmp_path_factory.mktemp(request.param)
    ecg, truth = simulate(PatientSpec(request.param), 10.0, 500.0, seed=3)
    assert ecg.leads == LEADS
    if request.param == "normal":
        rows = ecg.signal_mv.copy()
        rows[[6, 9]] = rows[[9, 6]]
        ecg = replace(ecg, signal_mv=rows)
    write_wfdb(folder, "one", ecg)
    write_dicom(folder / "one.dcm", ecg, truth)
    write_muse(folder / "one.xml", ecg, truth)
    write_edf(folder / "one.edf", ecg)
    write_csv(folder / "one.csv", ecg)
    return folder, measure_ecg(read_ecg(folder / "one.hea"))


def of_checks(flags):
    """Return what the checks said; steps of 5 µV decide no share of a per cent."""
    return [flag for flag in flags if "derived" not in flag]


@pytest.mark.parametrize("suffix", ["dcm", "xml", "edf", "csv"])
def test_the_file_s_format_changes_no_verdict_and_no_measurement(files, suffix):
    folder, as_wfdb = files
    made = measure_ecg(read_ecg(folder / f"one.{suffix}"))
    assert made.findings == as_wfdb.findings
    assert of_checks(made.flags) == of_checks(as_wfdb.flags)
    for name, value in as_wfdb.values.items():
        if name in ("lbbb", "lbbb_esc", "lbbb_aha", "rbbb"):
            np.testing.assert_equal(made.values[name], value)
        elif name in ("pr_ms", "p_ms", "qrs_ms", "qt_ms"):
            assert made.values[name] == pytest.approx(value, abs=4.0, nan_ok=True)
        elif name.endswith("_mv"):
            assert made.values[name] == pytest.approx(value, abs=0.02, nan_ok=True)


@pytest.mark.parametrize("rate_hz", [100.0, 250.0, 1000.0])
def test_another_rate_measures_the_same_and_says_how_finely(rate_hz):
    ecg, _ = simulate(PatientSpec("lbbb"), 10.0, 500.0, seed=3)
    signal_mv, _ = resample(ecg.signal_mv, 500.0, rate_hz)
    other = replace(ecg, signal_mv=signal_mv.astype(np.float32), rate_hz=rate_hz)
    at_500, made = measure_ecg(ecg), measure_ecg(other)
    step_ms = 1000.0 / rate_hz
    assert made.values["qrs_ms"] == pytest.approx(at_500.values["qrs_ms"], abs=max(4.0, step_ms))
    assert made.values["lbbb"] == at_500.values["lbbb"] == 1.0
    told = [flag for flag in made.flags if flag.startswith("recorded at")]
    expected = f"recorded at {rate_hz:g} Hz: times are resolved to {step_ms:.3g} ms, notches and "
    assert told == ([f"{expected}small waves may be lost"] if rate_hz < 250 else [])


def test_without_the_extra_of_carts_the_message_says_what_brings_it(tmp_path, monkeypatch):
    monkeypatch.setattr(carts, "find_spec", lambda name: None)
    (tmp_path / "one.scp").write_bytes(b"any")
    with pytest.raises(DataError, match=r"ecgdatakit.*SCP-ECG.*\./plugins/ecg_transfer\[carts\]"):
        read_ecg(tmp_path / "one.scp")
