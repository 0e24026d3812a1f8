"""What is measured of a sound, against formulae, scipy, and the truth of the synthetic cohort."""

import json

import numpy as np
import pytest
from scipy.signal import spectrogram

from cardio_heart_sounds.readers.wav import Sound, read_sound
from cardio_heart_sounds.signal.beats import find_rhythm, measure
from cardio_heart_sounds.signal.mel import FRAME, HIGH_HZ, LOW_HZ, N_BANDS, log_mel, mel, spectra
from cardio_heart_sounds.signal.windows import RATE_HZ, cut_windows, quiet_share
from cardio_heart_sounds.synthetic import synthesize


def tone(hz, rate_hz=RATE_HZ, seconds=5):
    return np.sin(2 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz)


def errors(folder):
    """Return how far rate (1/min) and S1-S2 interval (ms) of recordings lie from the truth."""
    truth = json.loads((folder / "truth.json").read_text())["of"]
    found = []
    for file in sorted(folder.glob("*.wav")):
        windows = [measure(window) for window in cut_windows(read_sound(file))]
        rate, interval = np.median(windows, axis=0)[:2]
        known = truth[file.name]
        found.append((rate - known["rate_per_min"], interval - known["s1_s2_ms"]))
    return np.abs(found)


def test_1000_hz_are_1000_mel():
    assert mel(1000) == pytest.approx(1000, abs=0.1)
    assert mel(0) == 0


def test_spectra_are_those_of_scipy():
    noise = np.random.default_rng(0).normal(size=1000)
    *_, theirs = spectrogram(
        noise, nperseg=FRAME, noverlap=FRAME - 50, nfft=4 * FRAME, window="hann", detrend=False,
        scaling="spectrum", mode="psd",
    )  # fmt: skip
    ours = spectra(noise)
    np.testing.assert_allclose(ours[1:-1] / theirs[1:-1], ours[5, 0] / theirs[5, 0], rtol=1e-6)


@pytest.mark.parametrize("hz", [60, 200, 500])
def test_a_tone_is_loudest_in_its_own_band(hz):
    middles = np.linspace(mel(LOW_HZ), mel(HIGH_HZ), N_BANDS + 2)[1:-1]
    picture = log_mel(tone(hz))
    assert abs(picture[:, 50].argmax() - np.abs(middles - mel(hz)).argmin()) <= 1
    assert picture.max() == 0
    assert picture.min() >= -60


@pytest.mark.parametrize("rate_hz", [2000, 4000, 44100])
def test_windows_are_of_5_s_at_2_khz_whatever_the_stethoscope(rate_hz):
    windows = cut_windows(Sound(tone(100, rate_hz, 12), rate_hz, 0.0))
    assert windows.shape == (2, 10000)
    power = np.abs(np.fft.rfft(windows[1] * np.hanning(10000)))
    assert power.argmax() / 5 == pytest.approx(100, abs=0.2)


def test_beats_are_where_both_of_their_sounds_are():
    times_s = np.arange(5 * RATE_HZ) / RATE_HZ
    sound = 0.01 * np.random.default_rng(0).normal(size=len(times_s))
    first_s = 0.4 + 0.75 * np.arange(7)  # the last one's S2 would come after the window's end
    for at_s, level in [
        *((item, 1.0) for item in first_s),
        *((entry + 0.26, 0.7) for entry in first_s),
    ]:
        since_s = np.maximum(times_s - at_s, 0)
        sound += level * (times_s > at_s) * np.exp(-since_s / 0.03) * np.sin(100 * np.pi * since_s)
    found = find_rhythm(sound)
    assert found.first_s == pytest.approx(first_s[:-1], abs=0.03)
    assert (found.beat_s, found.systole_s) == pytest.approx((0.75, 0.26), abs=0.01)


def test_a_window_without_contact_is_quiet():
    lost = np.where(np.arange(20000) < 9000, tone(100, seconds=10), 0.0)
    assert quiet_share(cut_windows(Sound(lost, RATE_HZ, 0.0))).tolist() == [0.1, 1.0]


def test_rate_and_interval_are_those_that_were_made(tmp_path):
    synthesize(tmp_path, task="murmur", n_patients=3, difficulty="easy")
    rate, interval = errors(tmp_path).T
    assert np.median(rate) < 2
    assert np.median(interval) < 20


@pytest.mark.slow
@pytest.mark.parametrize("difficulty", ["easy", "medium", "hard"])
def test_rate_and_interval_hold_in_noise(tmp_path, difficulty):
    synthesize(tmp_path, task="murmur", n_patients=60, seed=5, difficulty=difficulty)
    rate, interval = errors(tmp_path).T
    assert np.mean((rate < 3) & (interval < 30)) > 0.9


def test_a_murmur_is_louder_in_its_part_of_the_beat(tmp_path):
    synthesize(tmp_path, task="murmur", n_patients=8, difficulty="easy")
    truth = json.loads((tmp_path / "truth.json").read_text())["of"]
    louder = {}
    for file in sorted(tmp_path.glob("*_AV.wav")):
        *_, systole, diastole, _ = np.median(
            [measure(window) for window in cut_windows(read_sound(file))], axis=0
        )
        louder[truth[file.name[:4]]["murmur"]] = systole - diastole
    assert abs(louder.pop("absent")) < 3
    assert louder.pop("early diastolic", -9) < -3
    louder.pop("innocent", None)
    assert louder
    assert all(more > 3 for more in louder.values())
