"""R peaks from a loop's header: the vector, the waveform, the curve."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataelem import DataElement

from cardio_ultrasound import find_r_waves, read_loop, write_us_loop
from cardio_ultrasound.simulation.write_dicom import TracedEcg

from . import us_files as us

FRAMES = us.moving_sector(20)
R_MS = np.array([180.0, 1010.0, 1835.0])


def ecg_mv(rate_hz: float, polarity: float = 1.0, noise_mv: float = 0.02) -> np.ndarray:
    """P, QRS and T waves as Gaussians; 2.3 s with R at R_MS."""
    time_ms = np.arange(0, 2300, 1000 / rate_hz)
    waves = ((0, 12, 1.0), (-25, 10, -0.15), (28, 12, -0.25), (-160, 25, 0.12), (280, 55, 0.3))
    signal = sum(
        height * np.exp(-(((time_ms - at - offset) / width) ** 2))
        for at in R_MS
        for offset, width, height in waves
    )
    drift = 0.3 * np.sin(2 * np.pi * time_ms / 3000)
    rng = np.random.default_rng(5)
    return polarity * (signal + drift) + rng.normal(0, noise_mv, time_ms.size)


@pytest.mark.parametrize("rate_hz", [120.0, 250.0, 500.0])
@pytest.mark.parametrize("polarity", [1.0, -1.0])
def test_r_waves_of_a_short_trace_are_found_where_they_are(rate_hz, polarity):
    found = find_r_waves(ecg_mv(rate_hz, polarity), rate_hz)
    np.testing.assert_allclose(found, R_MS, atol=1000 / rate_hz + 4)


def test_a_second_deflection_within_the_refractory_time_is_no_beat():
    late = sum(np.exp(-(((np.arange(575) * 4.0 - at - 160) / 12) ** 2)) for at in R_MS)
    found = find_r_waves(ecg_mv(250.0) + 0.7 * late, 250.0)
    np.testing.assert_allclose(found, R_MS, atol=8)


@pytest.mark.parametrize(
    "trace", [np.zeros(500), np.full(500, np.nan), np.full(500, 3.0), np.ones(10)]
)
def test_a_flat_or_missing_trace_has_no_r_wave(trace):
    assert find_r_waves(trace, 250.0).size == 0


def test_gaps_in_the_trace_are_bridged():
    trace = ecg_mv(250.0)
    trace[140:160] = np.nan
    np.testing.assert_allclose(find_r_waves(trace, 250.0), R_MS, atol=8)


def test_the_r_wave_time_vector_is_read(tmp_path):
    made = us.dataset(FRAMES, RWaveTimeVector=R_MS.tolist(), HeartRate="72")
    loop = read_loop(us.written(made, tmp_path / "a.dcm"))
    np.testing.assert_allclose(loop.r_times_ms, R_MS)
    assert (loop.r_source, loop.heart_rate_bpm) == ("RWaveTimeVector", 72.0)


def test_a_vector_that_does_not_ascend_is_ignored_and_flagged(tmp_path):
    made = us.dataset(FRAMES, RWaveTimeVector=[900.0, 100.0])
    loop = read_loop(us.written(made, tmp_path / "a.dcm"))
    assert (loop.r_times_ms, loop.r_source) == (None, None)
    assert "R wave time vector ignored: not ascending" in loop.flags


def test_an_ecg_waveform_in_the_header_gives_r_peaks_from_the_first_frame(tmp_path):
    path = tmp_path / "a.dcm"
    trace = TracedEcg(ecg_mv(250.0), 250.0, start_ms=-50.0)
    write_us_loop(path, FRAMES, frame_rate_hz=50, ecg=trace)
    loop = read_loop(path)
    assert loop.r_source == "waveform"
    np.testing.assert_allclose(loop.r_times_ms, R_MS - 50.0, atol=8)


@pytest.mark.parametrize("n_dimensions", [1, 2])
def test_an_ecg_curve_of_the_retired_module_gives_r_peaks(tmp_path, n_dimensions):
    made = us.dataset(FRAMES)
    trace = np.rint(ecg_mv(200.0) * 1000).astype("<i2")
    if n_dimensions == 2:
        trace = np.column_stack([np.arange(trace.size, dtype="<i2"), trace])
    for element, vr, value in (
        (0x0005, "US", n_dimensions),
        (0x0010, "US", len(trace)),
        (0x0020, "CS", "ECG"),
        (0x0103, "US", 1),
        (0x0112, "US", 20),
        (0x0114, "US", 5),
        (0x3000, "OW", trace.tobytes()),
    ):
        made.add(DataElement((0x5002, element), vr, value))
    loop = read_loop(us.written(made, tmp_path / "a.dcm"))
    assert loop.r_source == "curve"
    np.testing.assert_allclose(loop.r_times_ms, R_MS + 20.0, atol=10)


def test_what_is_stated_goes_before_the_header(tmp_path):
    made = us.dataset(FRAMES, RWaveTimeVector=R_MS.tolist())
    loop = read_loop(us.written(made, tmp_path / "a.dcm"), r_times_ms=[40.0])
    np.testing.assert_array_equal(loop.r_times_ms, [40.0])
    assert loop.r_source == "stated"


def test_without_any_source_there_are_no_r_peaks_and_a_rate_of_zero_is_none(tmp_path):
    loop = read_loop(us.written(us.dataset(FRAMES, HeartRate="0"), tmp_path / "a.dcm"))
    assert (loop.r_times_ms, loop.r_source, loop.heart_rate_bpm) == (None, None, None)
