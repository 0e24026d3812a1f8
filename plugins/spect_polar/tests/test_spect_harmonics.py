"""Phase, amplitude and their errors, against numpy's FFT, closed forms and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_spect_polar.phase.cycle import first_harmonic, phase_uncertainty
from cardio_spect_polar.phase.dyssynchrony import phase_indices


def beat(time_rr, end_systole=0.38, relaxation=0.37):
    """A raised cosine up to end-systole and down again."""
    t = np.mod(time_rr, 1.0)
    up = 0.5 - 0.5 * np.cos(np.pi * t / end_systole)
    down = 0.5 + 0.5 * np.cos(np.pi * np.clip((t - end_systole) / relaxation, 0, 1))
    return np.where(t < end_systole, up, down)


def in_slots(signal, n_slots):
    """Averages over slots of equal length."""
    return signal.reshape(n_slots, -1, *signal.shape[1:]).mean(axis=1)


def middles(n):
    return (np.arange(n) + 0.5) / n


def apart(a_deg, b_deg):
    return np.abs((np.asarray(a_deg) - b_deg + 180) % 360 - 180)


@pytest.mark.parametrize("n_slots", [6, 8, 16])
def test_phase_and_amplitude_are_those_of_the_fft(n_slots):
    curves = np.random.default_rng(1).gamma(5, 20, (n_slots, 7, 40))
    line = np.fft.fft(curves, axis=0)[1]
    # The FFT counts time from the first sample; a slot's middle lies half a slot later.
    expected = -np.degrees(np.angle(line)) + 180 / n_slots
    found = first_harmonic(curves)
    assert apart(found.phase_deg, expected).max() < 1e-9
    np.testing.assert_allclose(found.amplitude, 2 * np.abs(line) / n_slots, rtol=1e-12)
    np.testing.assert_allclose(found.mean, curves.mean(axis=0), rtol=1e-12)


def test_a_healthy_beat_peaks_at_the_published_normal_phase():
    # End-systole at 38 % of the RR interval: 135.8 degrees by hand; normal men have 134.5 +- 14.3
    # and women 140.2 +- 14.9 (J Nucl Cardiol 2017, s12350-017-0863-6).
    curve = in_slots(beat(middles(8 * 2000)), 8)
    found = first_harmonic(curve)
    assert found.phase_deg == pytest.approx(135.8, abs=0.05)
    assert found.onset_deg == pytest.approx(45.8, abs=0.05)


@pytest.mark.parametrize("delay_rr", [-0.05, 0.0, 0.10])
def test_averaging_over_eight_slots_moves_the_phase_by_at_most_012_degrees(delay_rr):
    time = middles(8 * 4000)
    curve = beat(time - delay_rr)
    true = np.degrees(np.angle(np.sum(curve * np.exp(2j * np.pi * time))))
    assert apart(first_harmonic(in_slots(curve, 8)).phase_deg, true) <= 0.012


@settings(deadline=None, max_examples=30)
@given(
    phase=st.floats(0, 359.9), amplitude=st.floats(0.5, 50), n_slots=st.sampled_from([3, 6, 8, 16])
)
def test_a_cosine_gives_back_its_phase_and_amplitude(phase, amplitude, n_slots):
    curve = 100 + amplitude * np.cos(2 * np.pi * middles(n_slots) - np.radians(phase))
    found = first_harmonic(curve)
    assert apart(found.phase_deg, phase) < 1e-6
    assert 0 <= found.phase_deg < 360
    assert found.amplitude == pytest.approx(amplitude)


def test_scaling_and_adding_counts_change_no_phase():
    curves = np.random.default_rng(2).gamma(5, 20, (8, 50))
    one, other = first_harmonic(curves), first_harmonic(3 * curves + 17)
    assert apart(one.phase_deg, other.phase_deg).max() < 1e-9
    np.testing.assert_allclose(other.amplitude, 3 * one.amplitude)


def test_three_harmonics_find_the_onset_of_a_curve_made_of_three():
    time = middles(8 * 5000)
    angle = 2 * np.pi * time[:, None] - np.radians([100.0, 215.0, 350.0])
    curve = 50 + 10 * np.cos(angle) + 4 * np.cos(2 * angle + 0.4) + 1.5 * np.cos(3 * angle - 1)
    top = curve.argmax(axis=0)
    # Walk back from the top to the mean on 40 000 points.
    onset = [
        next(k for k in range(len(time)) if curve[(top[j] - k) % len(time), j] < 50)
        for j in range(3)
    ]
    found = first_harmonic(in_slots(curve, 16), n_harmonics=3)
    # 16 slots alias harmonics 13 and up, of which the curve has none.
    crossings = 360 * time[(top - np.array(onset)) % len(time)]
    assert apart(found.onset_deg, crossings).max() < 0.3
    assert apart(found.phase_deg, [100, 215, 350]).max() < 1e-6


def test_three_harmonics_of_a_plain_cosine_agree_with_one():
    curves = 80 + 9 * np.cos(2 * np.pi * middles(8)[:, None] - np.radians([5.0, 140.0, 300.0]))
    one, three = first_harmonic(curves), first_harmonic(curves, n_harmonics=3)
    assert apart(one.onset_deg, three.onset_deg).max() < 0.05


def test_flat_and_broken_curves_have_no_phase():
    curves = np.random.default_rng(3).gamma(5, 20, (8, 4))
    curves[:, 0], curves[:, 1], curves[2, 2] = 0, 55, np.nan
    for n_harmonics in (1, 3):
        found = first_harmonic(curves, n_harmonics)
        assert np.isnan(found.phase_deg).tolist() == [True, True, True, False]
        assert np.isnan(found.onset_deg).tolist() == [True, True, True, False]


def test_too_few_slots_are_refused():
    with refuses(DataError, 3, 2):
        first_harmonic(np.ones((2, 5)))
    with refuses(DataError, 8, 6):
        first_harmonic(np.ones((6, 5)), n_harmonics=3)
    with pytest.raises(DataError, match="at least 6"):
        phase_uncertainty(np.ones((5, 3, 40)))


def noisy_wall(ratio, n_slots=8, rings=100, seed=4):
    """Synchronous curves of amplitude 20 whose white noise has SD 20 * ratio."""
    rng = np.random.default_rng(seed)
    wave = 200 + 20 * np.cos(2 * np.pi * middles(n_slots) - np.radians(180))
    return wave[:, None, None] + rng.normal(0, 20 * ratio, (n_slots, rings, 40))


def test_the_bound_of_the_phase_error_is_what_simulation_gives():
    # noise = amplitude / 2, 8 slots: the bound is 0.25 rad = 14.3 degrees; phases scatter by 14.9.
    curves = noisy_wall(0.5)
    scatter = np.std(first_harmonic(curves).phase_deg, ddof=1)
    assert np.degrees(0.5 * np.sqrt(2 / 8)) == pytest.approx(14.3, abs=0.05)
    assert scatter == pytest.approx(14.9, abs=0.4)


@pytest.mark.parametrize("n_slots", [6, 8, 16])
def test_the_noise_is_estimated_without_bias(n_slots):
    curves = noisy_wall(0.3, n_slots)
    # A second harmonic of the beat itself is no noise.
    curves += 8 * np.cos(4 * np.pi * middles(n_slots) + 1)[:, None, None]
    found = phase_uncertainty(curves)
    assert np.mean(found.noise**2) == pytest.approx(36, rel=0.06)


@pytest.mark.parametrize("ratio", [0.05, 0.15, 0.3, 0.5, 0.8, 1.2, 2.0])
def test_the_stated_error_is_the_scatter_of_phases(ratio):
    """From samples that are well known to those that are nearly lost, as in a scar."""
    curves = noisy_wall(ratio)
    found = phase_uncertainty(curves)
    scatter = np.std(first_harmonic(curves).phase_deg, ddof=1)
    assert np.sqrt(np.mean(found.sigma_deg**2)) == pytest.approx(scatter, rel=0.04)


def test_errors_are_the_spread_of_a_von_mises_distribution():
    # The amplitude is the same everywhere: 10, noise of it 2 * sqrt(2 / 8) = 1.
    for noise in (1.0, 4.0, 9.0):
        wave = 100 + 10 * np.cos(2 * np.pi * middles(8))
        # The third harmonic alone, of variance noise^2 * 3 degrees of freedom / 8 slots.
        third = noise * np.sqrt(3 / 8 * 2) * np.cos(6 * np.pi * middles(8))
        curves = np.tile((wave + third)[:, None, None], (1, 4, 40))
        ratio = 10 / (noise / 2)
        concentration = ratio * np.sqrt(max(ratio**2 - 2, 0))
        angle = np.linspace(-np.pi, np.pi, 20001)
        density = np.exp(concentration * (np.cos(angle) - 1))
        expected = np.degrees(np.sqrt((density * angle**2).sum() / density.sum()))
        assert phase_uncertainty(curves).sigma_deg == pytest.approx(expected, rel=1e-3)


def test_noise_is_pooled_around_the_circle_but_not_from_base_to_apex():
    curves = np.full((8, 6, 40), 100.0) + 10 * np.cos(2 * np.pi * middles(8))[:, None, None]
    curves[:, 0, 0] += 5 * np.cos(np.pi * np.arange(8))
    noisy = phase_uncertainty(curves).noise > 1e-6
    # Five rings and nine rays.
    assert noisy[0, [36, 37, 38, 39, 0, 1, 2, 3, 4]].all()
    assert not noisy[0, 5:36].any()
    assert noisy[2, 0]
    assert not noisy[3:].any()


def test_doubt_is_how_far_one_percent_of_the_counts_turns_a_phase():
    wave = np.cos(2 * np.pi * middles(8))[:, None, None]
    curves = 200 + np.array([20.0, 2.0, 0.0])[:, None] * wave * np.ones((1, 3, 40))
    doubt = phase_uncertainty(curves).doubt_deg[:, 0]
    assert doubt == pytest.approx([np.degrees(np.arctan(0.1)), 45, 90])


def test_a_flat_curve_has_an_unknown_phase():
    curves = np.full((8, 4, 40), 50.0)
    curves[:, 1] += np.random.default_rng(5).normal(0, 3, (8, 40))
    curves[:, 1, 7] = 50
    # The standard deviation of a phase that may be anything.
    assert phase_uncertainty(curves).sigma_deg[1, 7] == pytest.approx(360 / np.sqrt(12))


def test_samples_below_twice_the_amplitudes_error_are_weak():
    curves = noisy_wall(0.05)
    curves[:, 50:] = np.random.default_rng(6).normal(200, 5, curves[:, 50:].shape)
    weak = phase_uncertainty(curves).weak(first_harmonic(curves).amplitude)
    assert not weak[:48].any()
    # Of pure noise the amplitude exceeds twice its error with probability exp(-2) = .135.
    assert weak[52:].mean() == pytest.approx(1 - np.exp(-2), abs=0.03)


@pytest.mark.parametrize(("counts", "amplitude"), [(60, 0.126), (200, 0.126), (60, 0.2)])
def test_correcting_for_noise_takes_away_most_of_what_it_adds_to_psd(counts, amplitude):
    rng = np.random.default_rng(7)
    rays = np.arange(40) * 9.0
    true = 136 + 20 * np.sin(np.radians(rays - 180)) + np.zeros((26, 1))
    wave = np.cos(2 * np.pi * middles(8)[:, None, None] - np.radians(true))
    truth = phase_indices(true).psd_deg
    raw, corrected = [], []
    for _ in range(10):
        curves = rng.poisson(counts * (1 + amplitude * wave)).astype(float)
        sigma = phase_uncertainty(curves).sigma_deg
        found = phase_indices(first_harmonic(curves).phase_deg, sigma_deg=sigma)
        raw.append(found.psd_deg - truth)
        corrected.append(found.psd_corrected_deg - truth)
    assert np.mean(raw) > 0
    assert abs(np.mean(corrected)) < 0.5 * np.mean(raw)
