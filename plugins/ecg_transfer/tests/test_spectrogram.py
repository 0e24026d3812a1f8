import cv2
import numpy as np
import pytest
from scipy import signal

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_ecg_transfer.signal.segments import segment_beats
from cardio_ecg_transfer.signal.spectrogram.pictures import beat_spectrograms
from cardio_ecg_transfer.signal.spectrogram.settings import SpectrogramSettings

RATE_HZ = 360.0
HALF_A_CODE_DB = 80 / 255 / 2
# Single precision at 80 dB below the maximum: 1e-7 of the amplitude against 1e-4 of it.
TOLERANCE_DB = HALF_A_CODE_DB + 0.02


@pytest.fixture(scope="module")
def recording() -> tuple[np.ndarray, np.ndarray]:
    """Two leads of something with sharp and slow parts, and R peaks at a changing rate."""
    rng = np.random.default_rng(7)
    r_samples = np.cumsum(rng.integers(250, 420, size=40))
    ecg_mv = 0.02 * rng.standard_normal((2, int(r_samples[-1]) + 600))
    t = np.arange(-60, 61)
    for k, r in enumerate(r_samples):
        ecg_mv[:, r - 60 : r + 61] += np.exp(-((t / (4 + k % 5)) ** 2))
        ecg_mv[1, r - 60 : r + 61] -= 0.5 * np.exp(-(((t - 20) / 15) ** 2))
    return ecg_mv.astype(np.float32), r_samples


def scipy_and_cv2(segment: np.ndarray, size: tuple[int, int], **stft) -> np.ndarray:
    """The same picture by scipy.signal.stft and cv2.resize."""
    hz, _, x = signal.stft(segment.astype(np.float64), RATE_HZ, **stft)
    db = 10 * np.log10(np.abs(x[hz <= 60]) ** 2)
    return cv2.resize(np.maximum(db, db.max() - 80), size[::-1], interpolation=cv2.INTER_LINEAR)


M2 = {"nperseg": 64, "noverlap": 60, "nfft": 512}


@pytest.mark.parametrize("window", ["hann", "hamming"])
@pytest.mark.parametrize("size", [(224, 224), (32, 40), (86, 88)])
def test_m2_equals_scipy_and_cv2_within_half_a_code(recording, window, size):
    cut = segment_beats(*recording, RATE_HZ)
    settings = SpectrogramSettings(window=window, height=size[0], width=size[1])
    decibels = beat_spectrograms(cut.segments_mv, cut.length, RATE_HZ, settings).decibels()
    for beat in range(0, len(cut.beat), 3):
        for lead in range(2):
            segment = cut.segments_mv[beat, lead, : cut.length[beat]]
            expected = scipy_and_cv2(segment, size, window=window, **M2)
            assert np.abs(decibels[beat, lead] - expected).max() < TOLERANCE_DB


def test_m1_is_scipy_s_literal_call_with_its_shrunken_window(recording):
    cut = segment_beats(*recording, RATE_HZ, anchor="paper")
    settings = SpectrogramSettings(mode="M1", height=64, width=64)
    decibels = beat_spectrograms(cut.segments_mv, cut.length, RATE_HZ, settings).decibels()
    for beat in range(0, len(cut.beat), 5):
        segment = cut.segments_mv[beat, 1, : cut.length[beat]]
        with pytest.warns(UserWarning, match="nperseg = 512 is greater than input length"):
            expected = scipy_and_cv2(segment, (64, 64), window="hann", nperseg=512)
        assert np.abs(decibels[beat, 1] - expected).max() < TOLERANCE_DB


def test_m1_of_a_beat_at_75_bpm_is_the_174_by_3_of_scipy_1_17():
    plan = SpectrogramSettings(mode="M1").plan(346)
    assert (plan.n_fft // 2 + 1, plan.n_frames) == (174, 3)


def test_m2_of_a_beat_is_257_by_about_102():
    plan = SpectrogramSettings(mode="M2").plan(round(1.2 * 0.94 * RATE_HZ))
    assert plan.n_fft // 2 + 1 == 257
    assert abs(plan.n_frames - 102) <= 1


def test_m3_is_the_recording_s_own_spectrogram_cropped_to_the_beat(recording):
    ecg_mv, r_samples = recording
    settings = SpectrogramSettings(mode="M3", height=64, width=48)
    cut = segment_beats(ecg_mv, r_samples, RATE_HZ, context=settings.context_samples)
    decibels = beat_spectrograms(cut.segments_mv, cut.length, RATE_HZ, settings).decibels()
    hz, _, x = signal.stft(
        ecg_mv[0].astype(np.float64), RATE_HZ, nperseg=512, noverlap=511, nfft=512
    )
    db = 10 * np.log10(np.abs(x[hz <= 60]) ** 2)
    for beat in range(0, len(cut.beat), 7):
        frames = cut.start[beat] + 4 * np.arange(settings.plan(int(cut.length[beat])).n_frames)
        own = np.maximum(db[:, frames], db[:, frames].max() - 80)
        expected = cv2.resize(own, (48, 64), interpolation=cv2.INTER_LINEAR)
        assert np.abs(decibels[beat, 0] - expected).max() < TOLERANCE_DB


def test_m4_is_the_spectrogram_of_ten_seconds_around_the_beat(recording):
    cut = segment_beats(*recording, RATE_HZ, anchor="window_10s")
    settings = SpectrogramSettings(mode="M4", height=64, width=64)
    decibels = beat_spectrograms(cut.segments_mv, cut.length, RATE_HZ, settings).decibels()
    expected = scipy_and_cv2(cut.segments_mv[3, 0], (64, 64), nperseg=512, noverlap=480)
    assert np.abs(decibels[3, 0] - expected).max() < TOLERANCE_DB


def test_amplifying_a_lead_changes_its_gain_and_not_its_picture(recording):
    ecg_mv, r_samples = recording
    once = segment_beats(ecg_mv, r_samples, RATE_HZ)
    settings = SpectrogramSettings(height=32, width=32)
    one = beat_spectrograms(once.segments_mv, once.length, RATE_HZ, settings)
    ten = beat_spectrograms(10 * once.segments_mv, once.length, RATE_HZ, settings)
    assert np.abs(one.images.astype(int) - ten.images.astype(int)).max() <= 1
    assert np.allclose(ten.gain_db - one.gain_db, 20, atol=1e-3)


@pytest.mark.parametrize("block", [1, 7, 64])
def test_a_picture_does_not_depend_on_its_block_or_its_neighbours(recording, block):
    cut = segment_beats(*recording, RATE_HZ)
    settings = SpectrogramSettings(height=32, width=32)
    together = beat_spectrograms(cut.segments_mv, cut.length, RATE_HZ, settings, block=block)
    some = np.array([20, 3, 11])
    alone = beat_spectrograms(cut.segments_mv[some], cut.length[some], RATE_HZ, settings)
    # Matrix products of another size may round a tie the other way.
    assert np.abs(together.images[some].astype(int) - alone.images).max() <= 1
    assert np.allclose(together.gain_db[some], alone.gain_db, atol=1e-4)


def test_a_sine_shows_at_its_frequency_with_a_quarter_of_its_squared_amplitude():
    t = np.arange(400) / RATE_HZ
    sine = (2.0 * np.sin(2 * np.pi * 25.3125 * t)).astype(np.float32)[None, None]
    settings = SpectrogramSettings(height=86, width=101)  # as many rows and columns as there are
    made = beat_spectrograms(sine, np.array([400]), RATE_HZ, settings)
    codes = made.images[0, 0, :, 50]
    assert 36 in np.flatnonzero(codes == codes.max())  # 36 x 360 / 512 = 25.3125 Hz
    assert made.decibels()[0, 0, 36, 50] == pytest.approx(0.0, abs=TOLERANCE_DB)  # (2 / 2)^2


def test_a_flat_lead_gives_a_finite_gain():
    made = beat_spectrograms(np.zeros((1, 1, 400), np.float32), np.array([400]), RATE_HZ)
    assert made.gain_db.item() == pytest.approx(-160.0)


def test_m3_without_context_and_samples_that_are_not_finite_are_refused():
    segments = np.zeros((1, 1, 400), np.float32)
    with pytest.raises(DataError, match="256 samples of context"):
        beat_spectrograms(segments, np.array([400]), RATE_HZ, SpectrogramSettings(mode="M3"))
    segments[0, 0, 5] = np.nan
    with refuses(DataError, "segment 0"):
        beat_spectrograms(segments, np.array([400]), RATE_HZ)
