"""What the reader takes, and how it refuses the rest in one line."""

import numpy as np
import pytest
from scipy.io import wavfile

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_heart_sounds.readers.wav import check_sound, read_sound

TONE = np.sin(2 * np.pi * 50 * np.arange(6 * 4000) / 4000)


@pytest.mark.parametrize(
    ("kind", "full"), [("int16", 32767), ("int32", 2**31 - 1), ("float32", 1.0), ("uint8", 127)]
)
def test_every_kind_of_number_becomes_minus_1_to_1(tmp_path, kind, full):
    shift = 128 if kind == "uint8" else 0
    wavfile.write(tmp_path / "a.wav", 4000, (0.5 * full * TONE + shift).astype(kind))
    sound = read_sound(tmp_path / "a.wav")
    assert (sound.rate_hz, sound.clipped) == (4000, 0.0)
    np.testing.assert_allclose(sound.values, 0.5 * TONE, atol=0.01)


def test_clipped_values_are_counted(tmp_path):
    values = np.clip(2 * TONE, -1, 1)  # a sine of amplitude 2 is beyond 1 two thirds of the time
    wavfile.write(tmp_path / "a.wav", 4000, (32767 * values).astype(np.int16))
    assert read_sound(tmp_path / "a.wav").clipped == pytest.approx(2 / 3, abs=0.03)


@pytest.mark.parametrize(
    ("values", "rate_hz", "message"),
    [
        (np.stack([TONE, TONE], 1), 4000, "one channel, found 2; keep that of the stethoscope"),
        (TONE, 1000, "2000 to 96000 Hz, found 1000 Hz; export it at its own rate"),
        (TONE[:8000], 4000, "5 to 600 s, found 2.0 s; record longer, or cut it"),
        (0 * TONE, 4000, "a sound, found silence; record it again"),
        (np.where(TONE > 0.99, np.nan, TONE), 4000, "numbers, found values that are none; "
         "export it again"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_one_line(tmp_path, values, rate_hz, message):
    wavfile.write(tmp_path / "a.wav", rate_hz, values.astype(np.float32))
    with pytest.raises(DataError) as refused:
        read_sound(tmp_path / "a.wav")
    assert str(refused.value) == f"a.wav: expected {message}"


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\x00\x00\x00\x00WAVEfmt ", b"x" * 5000])
def test_what_is_no_wav_is_refused_by_its_header(tmp_path, content):
    (tmp_path / "a.wav").write_bytes(content)
    with refuses(DataError, "a.wav"):
        check_sound(tmp_path / "a.wav")


def test_another_ending_is_refused_unopened(tmp_path):
    with refuses(DataError, "a.mp3", "ending"):
        check_sound(tmp_path / "a.mp3")
