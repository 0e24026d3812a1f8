"""Quality measures against signals whose size is known."""

from __future__ import annotations

import numpy as np
import pytest

from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.recording_checks import assess_quality

N_SAMPLES = 5000


def beats(rate_hz: float = 500.0) -> np.ndarray:
    t = np.arange(N_SAMPLES) / rate_hz
    qrs = np.exp(-0.5 * ((t % 1 - 0.5) / 0.012) ** 2)
    t_wave = 0.25 * np.exp(-0.5 * ((t % 1 - 0.8) / 0.05) ** 2)
    return qrs + t_wave


def lead(signal: np.ndarray, rate_hz: float = 500.0) -> Ecg:
    return Ecg(np.float32([signal]), rate_hz, ("V1",))


@pytest.mark.parametrize("rate_hz", [100.0, 250.0, 360.0, 500.0, 1000.0])
def test_a_clean_lead_has_no_flag_at_any_rate(rate_hz: float) -> None:
    (state,) = assess_quality(lead(beats(rate_hz), rate_hz))
    assert state.flags() == ()


def test_a_lead_without_signal_is_flat_whatever_its_level() -> None:
    for signal in (np.zeros(N_SAMPLES), np.full(N_SAMPLES, 3.3), np.full(N_SAMPLES, np.nan)):
        (state,) = assess_quality(lead(signal))
        assert state.is_flat
        assert state.flags() == ("V1 flat",)


def test_a_disconnected_stretch_is_measured_as_its_share_of_time() -> None:
    signal = beats()
    signal[1000:3000] = 0.4
    (state,) = assess_quality(lead(signal))
    assert state.flat_share == pytest.approx(0.4, abs=0.05)
    assert not state.is_flat
    assert state.flags()[0].startswith("V1 flat for ")


def test_missing_samples_are_counted() -> None:
    signal = beats()
    signal[:500] = np.nan
    (state,) = assess_quality(lead(signal))
    assert state.missing_share == pytest.approx(0.1)
    assert state.flags() == ("V1 missing for 10.0% of the time",)


def test_clipping_is_the_time_spent_at_the_rail_and_a_single_peak_is_none() -> None:
    assert assess_quality(lead(beats()))[0].clipped_share == 0.0
    signal = np.minimum(beats(), 0.2)  # the T wave of 0.25 mV and the QRS touch the rail
    (state,) = assess_quality(lead(signal))
    assert state.clipped_share == pytest.approx(np.mean(signal == 0.2), abs=0.002)
    assert "V1 clipped for " in state.flags()[0]


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
@pytest.mark.parametrize("rate_hz", [250.0, 360.0, 500.0])
def test_mains_are_measured_as_their_root_mean_square(mains_hz: float, rate_hz: float) -> None:
    t = np.arange(N_SAMPLES) / rate_hz
    signal = beats(rate_hz) + 0.1 * np.sin(2 * np.pi * mains_hz * t + 1)
    (state,) = assess_quality(lead(signal, rate_hz))
    assert state.mains_mv == pytest.approx(0.1 / np.sqrt(2), rel=0.05)
    assert state.noise_mv < 0.01  # the mains are not counted twice


def test_muscle_noise_is_measured_above_40_hz() -> None:
    """White noise of σ has a share (250 - 40) / 250 of its variance above 40 Hz at 500 Hz."""
    sigma_mv = 0.05
    noise = np.random.default_rng(3).normal(0, sigma_mv, N_SAMPLES)
    (state,) = assess_quality(lead(beats() + noise))
    assert state.noise_mv == pytest.approx(sigma_mv * np.sqrt(210 / 250), rel=0.06)


def test_wander_is_measured_as_its_root_mean_square() -> None:
    t = np.arange(N_SAMPLES) / 500.0
    (state,) = assess_quality(lead(beats() + 0.6 * np.sin(2 * np.pi * 0.2 * t)))
    assert state.wander_mv == pytest.approx(0.6 / np.sqrt(2), rel=0.1)
    assert state.flags() == (f"V1 wanders by {state.wander_mv:.3f} mV",)
