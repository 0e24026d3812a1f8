import numpy as np
import pytest

from cardio_ecg_transfer.signal.segments import residual_segments, segment_beats
from cardio_ecg_transfer.signal.spectrogram.pictures import (
    OwnRecordPictures,
    own_record_pictures,
)
from cardio_ecg_transfer.signal.spectrogram.settings import SpectrogramSettings

RATE_HZ = 360.0
SMALL = SpectrogramSettings(height=32, width=40)
ECTOPIC = 12


@pytest.fixture
def recording() -> tuple[np.ndarray, np.ndarray]:
    """Equal narrow beats in two leads at a changing rate, one of them wide and tall."""
    r_samples = 300 + np.cumsum(np.random.default_rng(0).integers(280, 340, size=30))
    ecg_mv = np.zeros((2, int(r_samples[-1]) + 600), dtype=np.float32)
    t = np.arange(-80, 81)
    for number, r in enumerate(r_samples):
        width, height = (25, 2.0) if number == ECTOPIC else (6, 1.0)
        ecg_mv[:, r - 80 : r + 81] += (height * np.exp(-((t / width) ** 2))).astype(np.float32)
    return ecg_mv, r_samples


def pictures(ecg_mv: np.ndarray, r_samples: np.ndarray) -> OwnRecordPictures:
    cut = segment_beats(ecg_mv, r_samples, RATE_HZ)
    left = residual_segments(cut, ecg_mv, r_samples)
    return own_record_pictures(cut.segments_mv, left, cut.length, RATE_HZ, SMALL)


def test_the_median_beat_leaves_nothing_of_an_equal_beat_and_the_excess_of_another(recording):
    ecg_mv, r_samples = recording
    cut = segment_beats(ecg_mv, r_samples, RATE_HZ)
    left = residual_segments(cut, ecg_mv, r_samples)
    at_r = left[np.arange(len(cut.beat)), 0, r_samples[cut.beat] - cut.start]
    equal = cut.beat != ECTOPIC
    assert np.abs(at_r[equal]).max() < 1e-6
    assert at_r[~equal] == pytest.approx(1.0)  # 2 mV less the median's 1 mV


def test_a_recorder_s_gain_changes_no_picture(recording):
    ecg_mv, r_samples = recording
    made = [pictures(gain * ecg_mv, r_samples) for gain in (1.0, 5.0)]
    one, five = (each.images[:, :4].astype(int) for each in made)  # beat and difference
    assert np.abs(one - five).max() <= 1
    assert np.allclose(made[0].gain_db, made[1].gain_db, atol=1e-3)


def test_the_beat_unlike_its_record_stands_out_in_gain_and_residual(recording):
    ecg_mv, r_samples = recording
    cut = segment_beats(ecg_mv, r_samples, RATE_HZ)
    made = pictures(ecg_mv, r_samples)
    assert cut.beat[made.gain_db[:, 0].argmax()] == ECTOPIC
    assert cut.beat[made.residual_gain_db[:, 1].argmax()] == ECTOPIC
