"""The median beat on recordings whose beats are known."""

from __future__ import annotations

import numpy as np
import pytest

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_ecg_transfer.signal.delineation.median_beat import median_beat

RATE_HZ = 500.0
PEAKS = np.arange(400, 4500, 400)


def bump(n_samples, centre, width_ms):
    return np.exp(-0.5 * ((np.arange(n_samples) - centre) * 2.0 / width_ms) ** 2)


def recording(peaks, *, late=0, width_ms=12.0, tail_mv=-0.3):
    """Two leads with one R wave and a smaller wave behind it at each peak, in millivolt."""
    wave = np.zeros((2, 5000))
    for peak in np.asarray(peaks) + late:
        wave[0] += bump(5000, peak, width_ms) + tail_mv * bump(5000, peak + 15, width_ms)
        wave[1] += 0.5 * bump(5000, peak + 5, width_ms)
    return wave


def test_beats_that_are_all_equal_give_that_beat():
    signal = recording(PEAKS)
    beat = median_beat(signal, RATE_HZ, PEAKS, ("II", "V2"))
    np.testing.assert_allclose(beat.signal_mv, signal[:, 1200 - 200 : 1200 + 281], atol=1e-6)
    assert (beat.n_beats, beat.n_dropped, beat.rr_s) == (PEAKS.size, 0, 0.8)
    assert (beat.time_ms[0], beat.time_ms[-1]) == (-400.0, 560.0)
    assert beat.signal_mv.dtype == np.float32


def test_ectopic_beats_are_left_out():
    ectopic = PEAKS[2::4]
    signal = recording(np.setdiff1d(PEAKS, ectopic)) + 2 * recording(ectopic, width_ms=40)[::-1]
    beat = median_beat(signal, RATE_HZ, PEAKS, ("II", "V2"))
    assert (beat.n_beats, beat.n_dropped) == (PEAKS.size - ectopic.size, ectopic.size)
    assert beat.others.tolist() == [*range(2, PEAKS.size, 4)]
    expected = recording(PEAKS)[:, 1200 - 60 : 1200 + 61]
    np.testing.assert_allclose(beat.signal_mv[:, 140:261], expected, atol=0.01)


def test_in_bigeminy_the_kind_with_more_beats_is_not_mixed_with_the_other():
    sinus, ectopic = PEAKS[::2], PEAKS[1::2]
    assert sinus.size == ectopic.size + 1
    signal = recording(sinus) - 1.5 * recording(ectopic, width_ms=30)
    beat = median_beat(signal, RATE_HZ, PEAKS, ("II", "V2"))
    assert beat.n_beats == sinus.size
    assert beat.signal_mv[0, beat.r_index] == pytest.approx(recording(PEAKS)[0, 400], abs=0.01)


def test_r_peaks_placed_unevenly_are_aligned_by_the_beats_shapes():
    rng = np.random.default_rng(3)
    placed = PEAKS + rng.integers(-4, 5, PEAKS.size)
    beat = median_beat(recording(PEAKS), RATE_HZ, placed, ("II", "V2"))
    single = recording([2000])
    at = int(single[0].argmax()) - (int(beat.signal_mv[0].argmax()) - beat.r_index)
    np.testing.assert_allclose(
        beat.signal_mv[:, 100:300], single[:, at - 100 : at + 100], atol=1e-6
    )
    assert abs(beat.time_ms[beat.signal_mv[0].argmax()]) <= 4.0


def test_r_peaks_that_lie_in_two_parts_of_the_qrs_are_of_one_shape():
    # In every third beat the R peak was found 24 ms late: in the S wave.
    placed = PEAKS + 12 * (np.arange(PEAKS.size) % 3 == 2)
    beat = median_beat(recording(PEAKS), RATE_HZ, placed, ("II", "V2"))
    assert (beat.n_beats, beat.n_dropped) == (PEAKS.size, 0)
    np.testing.assert_array_equal(beat.r_samples, PEAKS)


def test_beats_that_just_fit_into_the_recording_are_in_the_median():
    peaks = np.arange(200, 4720, 400)  # 0.40 s behind the begin, 0.56 s before the end
    signal = recording(peaks)[:, : peaks[-1] + 281]
    assert median_beat(signal, RATE_HZ, peaks, ("II", "V2")).members.tolist() == [*range(12)]


def test_a_beat_that_an_end_cuts_once_it_is_aligned_is_left_out_but_of_no_other_shape():
    peaks = np.arange(195, 4720, 400)
    placed = peaks + 10 * (peaks == 195)
    beat = median_beat(recording(peaks), RATE_HZ, placed, ("II", "V2"))
    assert beat.members.tolist() == [*range(1, 12)]
    assert beat.others.tolist() == []


def test_noise_falls_with_the_number_of_beats():
    # The median of n normal values has the standard deviation sqrt(pi / (2 n)) for large n.
    peaks = np.arange(300, 49_500, 400)
    wave = np.zeros((1, 50_000))
    for peak in peaks:
        wave[0] += bump(50_000, peak, 12.0)
    noisy = wave + 0.05 * np.random.default_rng(0).normal(size=wave.shape)
    beat = median_beat(noisy, RATE_HZ, peaks, ("II",))
    # Away from the QRS, where a shift by one sample changes nothing.
    left = (beat.signal_mv[0] - wave[0, 4300 - 200 : 4300 + 281])[260:400]
    assert left.std() == pytest.approx(0.05 * np.sqrt(np.pi / (2 * beat.n_beats)), rel=0.2)


def test_a_beat_with_missing_samples_is_left_out():
    signal = recording(PEAKS)
    signal[1, PEAKS[3] + 20] = np.nan
    beat = median_beat(signal, RATE_HZ, PEAKS, ("II", "V2"))
    assert beat.n_beats == PEAKS.size - 1
    assert np.isfinite(beat.signal_mv).all()


def test_fewer_than_three_beats_are_refused():
    with refuses(DataError, "median beat", "3", "2"):
        median_beat(recording(PEAKS[:2]), RATE_HZ, PEAKS[:2], ("II", "V2"))


def test_beats_that_resemble_no_other_are_refused():
    noise = np.random.default_rng(1).normal(size=(2, 5000))
    with refuses(DataError, "1 of 11"):
        median_beat(noise, RATE_HZ, PEAKS, ("II", "V2"))


def test_a_lead_that_is_not_there_is_named():
    beat = median_beat(recording(PEAKS), RATE_HZ, PEAKS, ("II", "V2"))
    with refuses(DataError, "median beat", "V1", "V2"):
        beat.rows(("V1",))


def test_names_that_do_not_fit_the_rows_are_refused():
    with refuses(DataError, "1 leads", "(2, 5000)"):
        median_beat(recording(PEAKS), RATE_HZ, PEAKS, ("II",))
