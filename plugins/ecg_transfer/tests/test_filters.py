"""Filters against analytic sines and the definitions of the method page."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal as sps

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_ecg_transfer.signal.filters import (
    band_pass,
    fill_gaps,
    high_pass,
    notch,
    qrs_band,
    resample,
)


def sine(frequency_hz, rate_hz, duration_s=20.0):
    time_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    return np.sin(2 * np.pi * frequency_hz * time_s)


def gain(filtered, original, rate_hz, margin_s=4.0):
    """Ratio of root mean squares away from the ends."""
    inner = slice(round(margin_s * rate_hz), -round(margin_s * rate_hz))
    return np.std(filtered[..., inner]) / np.std(original[..., inner])


@pytest.mark.parametrize("rate_hz", [100.0, 128.0, 250.0, 257.0, 333.33, 360.0, 500.0, 1000.0])
def test_a_sine_keeps_its_shape_and_its_time_at_any_rate(rate_hz):
    resampled, valid = resample(sine(7.0, rate_hz), rate_hz)
    time_s = np.arange(resampled.size) / 360.0
    inner = (time_s > 1) & (time_s < 19)
    assert np.abs(resampled - np.sin(2 * np.pi * 7.0 * time_s))[inner].max() < 0.01
    assert abs(resampled.size - 20 * 360) <= 1
    assert valid.all()


def test_an_offset_does_not_ring_at_the_ends():
    resampled, _ = resample(np.full((2, 500), 3.0), 500)
    assert np.abs(resampled - 3.0).max() < 1e-6


def test_the_target_rate_itself_is_left_alone():
    signal = np.random.default_rng(0).normal(size=(3, 400))
    resampled, valid = resample(signal, 360)
    np.testing.assert_array_equal(resampled, signal)
    assert resampled is not signal
    assert valid.shape == signal.shape


def test_a_gap_is_bridged_marked_and_stays_in_its_lead():
    signal = np.vstack([sine(2.0, 500), sine(2.0, 500)])
    signal[0, 2000:2500] = np.nan
    resampled, valid = resample(signal, 500)
    assert np.isfinite(resampled).all()
    marked_s = np.flatnonzero(~valid[0]) / 360.0
    assert marked_s.min() == pytest.approx(4.0, abs=0.005)
    assert marked_s.max() == pytest.approx(5.0, abs=0.005)
    assert valid[1].all()


def test_gaps_at_the_ends_continue_the_nearest_sample_and_an_empty_lead_becomes_zero():
    filled, valid = fill_gaps([[np.nan, 1.0, 2.0, np.inf], [np.nan] * 4])
    assert filled.tolist() == [[1.0, 1.0, 2.0, 2.0], [0.0] * 4]
    assert valid.tolist() == [[False, True, True, False], [False] * 4]


def test_filling_does_not_touch_the_callers_array():
    signal = np.array([1.0, np.nan, 3.0])
    fill_gaps(signal)
    assert np.isnan(signal[1])


@pytest.mark.parametrize("rate", [0.0, -1.0, np.nan, np.inf])
def test_a_rate_that_is_no_rate_is_refused(rate):
    with pytest.raises(DataError, match="sampling rate"):
        resample(np.zeros(100), rate)


@pytest.mark.parametrize("signal", [np.zeros(1), np.zeros((2, 0)), np.float64(1.0)])
def test_a_signal_without_two_samples_is_refused(signal):
    with pytest.raises(DataError, match="two samples"):
        resample(signal, 360)


def test_the_high_pass_halves_its_cutoff_and_spares_the_qrs():
    # A Butterworth passes 1/sqrt(2) at the cutoff; forwards and backwards that is one half.
    assert gain(high_pass(sine(0.5, 360, 60), 360), sine(0.5, 360, 60), 360) == pytest.approx(
        0.5, abs=0.01
    )
    assert gain(high_pass(sine(10, 360), 360), sine(10, 360), 360) == pytest.approx(1, abs=1e-3)
    assert gain(high_pass(sine(0.05, 360, 60), 360), sine(0.05, 360, 60), 360) < 0.01


def test_the_diagnostic_high_pass_keeps_half_a_hertz():
    kept = high_pass(sine(0.5, 360, 60), 360, 0.05)
    assert gain(kept, sine(0.5, 360, 60), 360) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_the_notch_removes_the_mains_and_little_else(mains_hz):
    assert gain(notch(sine(mains_hz, 360), 360, mains_hz), sine(mains_hz, 360), 360) < 0.01
    for kept_hz in (15.0, mains_hz - 8, mains_hz + 8):
        kept = notch(sine(kept_hz, 360), 360, mains_hz)
        assert gain(kept, sine(kept_hz, 360), 360) > 0.95


def test_the_chebyshev_band_is_the_one_of_the_method_page():
    signal = np.random.default_rng(3).normal(size=3600)
    design = sps.cheby1(2, 0.5, [6, 18], "bandpass", fs=360, output="sos")
    expected = sps.sosfiltfilt(design, signal)
    np.testing.assert_allclose(qrs_band(signal, 360)[720:-720], expected[720:-720], atol=1e-3)


def test_the_chebyshev_band_passes_the_qrs_and_stops_the_t_wave():
    assert gain(qrs_band(sine(11, 360), 360), sine(11, 360), 360) > 0.88  # twice 0.5 dB of ripple
    assert gain(qrs_band(sine(2, 360), 360), sine(2, 360), 360) < 0.01
    assert gain(qrs_band(sine(50, 360), 360), sine(50, 360), 360) < 0.02


def test_filters_shift_nothing_in_time():
    pulse = np.zeros(3600)
    pulse[1800] = 1.0
    for filtered in (
        high_pass(pulse, 360),
        qrs_band(pulse, 360),
        band_pass(pulse, 360, (0.5, 40)),
        notch(pulse, 360, 50),
    ):
        assert np.abs(filtered).argmax() == 1800
        np.testing.assert_allclose(filtered[1400:2201], filtered[1400:2201][::-1], atol=1e-6)


def test_a_signal_shorter_than_the_padding_is_still_filtered():
    assert np.isfinite(high_pass(np.arange(50.0), 360)).all()


def test_leads_are_filtered_one_by_one():
    signal = np.random.default_rng(1).normal(size=(3, 2000))
    together = qrs_band(signal, 360)
    for lead, alone in zip(together, signal, strict=True):
        np.testing.assert_allclose(lead, qrs_band(alone, 360))


def test_an_edge_beyond_half_the_rate_is_refused():
    with refuses(DataError, "50 Hz"):
        notch(np.zeros(100), 100, 50)
    with refuses(DataError, "18 Hz"):
        qrs_band(np.zeros(100), 30)
