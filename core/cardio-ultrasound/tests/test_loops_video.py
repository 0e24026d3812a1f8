"""Videos and NPY files: their rate is stated, their frames are counted."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_ultrasound import UNCONFIRMED, read_loop
from cardio_ultrasound.readers.containers import look_at_container

from . import us_files as us

FRAMES = us.moving_texture(30, 64, 80)


def write_avi(path, frames, fps=30.0, code="MJPG"):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), fps, frames.shape[2:0:-1])
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=-1))
    writer.release()
    return path


def test_a_video_with_a_stated_rate_gives_its_frames(tmp_path):
    loop = read_loop(write_avi(tmp_path / "a.avi", FRAMES), frame_rate_hz=55)
    assert (loop.n_frames, loop.size, loop.time_source) == (30, (64, 80), "stated")
    assert loop.frame_rate_hz == pytest.approx(55)
    assert np.abs(loop.stack().astype(int) - FRAMES).max() <= 8  # MJPG is lossy
    assert np.abs(loop.stack(3, 29, 5).astype(int) - FRAMES[3:29:5]).max() <= 8
    assert (loop.mm_per_pixel, loop.region) == (None, None)


def test_an_mp4_is_read_in_colour_in_the_right_order(tmp_path):
    red_in_bgr = np.zeros((10, 64, 80, 3), np.uint8)
    red_in_bgr[..., 2] = 200
    loop = read_loop(write_avi(tmp_path / "a.mp4", red_in_bgr, code="mp4v"), frame_rate_hz=40)
    frame = loop.frame(4, colour=True)[30, 40].astype(int)
    assert np.abs(frame - [200, 0, 0]).max() <= 15
    assert loop.colour_doppler


def test_the_rate_of_the_container_is_not_trusted_unless_said_so(tmp_path):
    path = write_avi(tmp_path / "a.avi", FRAMES, fps=30.0)
    with refuses(DataError, "a.avi", code="missing"):
        read_loop(path)
    loop = read_loop(path, frame_rate_hz="container")
    assert (loop.frame_rate_hz, loop.time_source) == (pytest.approx(30.0), "container")
    path.with_suffix(".json").write_text('{"frame_rate_hz": "container"}')
    assert read_loop(path).time_source == "container"


def test_a_broken_video_is_refused(tmp_path):
    path = tmp_path / "a.avi"
    path.write_bytes(b"RIFF" + bytes(4) + b"AVI " + bytes(400))
    with refuses(DataError, "a.avi", "OpenCV", code="damaged"):
        read_loop(path, frame_rate_hz=50)


def test_a_playlist_that_calls_itself_a_video_is_not_followed(tmp_path):
    path = tmp_path / "a.avi"
    path.write_text("#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n")
    with refuses(DataError, "a.avi", code="unsupported"):
        read_loop(path, frame_rate_hz=50)


def test_a_cut_video_is_refused_when_it_is_opened(tmp_path):
    path = write_avi(tmp_path / "a.avi", FRAMES)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with refuses(DataError, "a.avi", "14170", "28340", code="damaged"):
        read_loop(path, frame_rate_hz=50)


def test_the_limit_holds_for_videos(tmp_path):
    path = write_avi(tmp_path / "a.avi", FRAMES)
    with refuses(DataError, "a.avi", code="too_large"):
        read_loop(path, frame_rate_hz=50, max_bytes=100_000)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_an_npy_gives_its_frames(tmp_path, channels):
    rng = np.random.default_rng(3)
    frames = rng.integers(80, 100, (5, 20, 30, *channels), dtype=np.uint8)
    np.save(tmp_path / "a.npy", frames)
    loop = read_loop(tmp_path / "a.npy", frame_rate_hz=50)
    np.testing.assert_array_equal(loop.stack(colour=bool(channels)), frames)
    assert not loop.colour_doppler


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.zeros((5, 20), np.uint8), "in 2 dimensions"),
        (np.zeros((5, 20, 30), np.float32), "found float32"),
        (np.zeros((5, 20, 30, 4), np.uint8), "uint8 of shape"),
        (np.zeros((1, 20, 30), np.uint8), "a still image"),
        (np.asfortranarray(np.zeros((5, 20, 30), np.uint8)), "in C order"),
    ],
)
def test_another_array_is_refused(tmp_path, array, match):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DataError, match=match):
        read_loop(tmp_path / "a.npy", frame_rate_hz=50)


def test_objects_and_cut_arrays_are_refused(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    with refuses(DataError, "a.npy", code="unsupported"):
        read_loop(path, frame_rate_hz=50)
    np.save(path, FRAMES)
    path.write_bytes(path.read_bytes()[:-10])
    with refuses(DataError, "a.npy", "30", code="damaged"):
        read_loop(path, frame_rate_hz=50)
    path.write_bytes(b"no array")
    with refuses(DataError, "a.npy", "NumPy", code="damaged"):
        read_loop(path, frame_rate_hz=50)


def write_ffv1(path, frames, fps=25.0):
    """Write frames without loss; of 16 bits where they have as many."""
    deep = frames.dtype == np.uint16
    how = [cv2.VIDEOWRITER_PROP_IS_COLOR, int(frames.ndim == 4)]
    how += [cv2.VIDEOWRITER_PROP_DEPTH, cv2.CV_16U if deep else cv2.CV_8U]
    code, size = cv2.VideoWriter_fourcc(*"FFV1"), (frames.shape[2], frames.shape[1])
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, fps, size, how)
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def test_a_video_that_nobody_vouches_for_has_its_own_times_and_is_flagged(tmp_path):
    path = write_avi(tmp_path / "a.avi", FRAMES, fps=25.0)
    loop = read_loop(path, frame_rate_hz="unconfirmed")
    assert (loop.frame_rate_hz, loop.time_source) == (pytest.approx(25.0), "unconfirmed")
    assert UNCONFIRMED in loop.flags
    path.with_suffix(".json").write_text('{"frame_rate_hz": 60}')
    stated = read_loop(path, frame_rate_hz="unconfirmed")
    assert (stated.frame_rate_hz, stated.time_source) == (pytest.approx(60.0), "json")


def test_a_variable_rate_stays_one(tmp_path):
    path = write_ffv1(tmp_path / "a.mkv", FRAMES[:8])
    data = path.read_bytes()
    for number in (5, 6, 7):  # the time of a block, in ms: these come 60 ms later
        block = re.compile(re.escape(b"\x81" + (40 * number).to_bytes(2, "big")) + b"([\x00\x80])")
        later = b"\x81" + (40 * number + 60).to_bytes(2, "big") + rb"\1"
        data, n_found = block.subn(later, data)
        assert n_found == 1
    path.write_bytes(data)
    loop = read_loop(path, frame_rate_hz="unconfirmed")
    assert loop.frame_times_ms == pytest.approx([0, 40, 80, 120, 160, 260, 300, 340])
    assert "irregular frame times" in loop.flags


def test_a_video_is_turned_as_its_container_says(tmp_path):
    path = write_avi(tmp_path / "a.mp4", FRAMES, code="mp4v")
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44  # ISO/IEC 14496-12, 8.3.2: nine numbers, 16.16 and 2.30
    quarter = [0, 1 << 16, 0, 0xFFFF0000, 0, 0, 64 << 16, 0, 1 << 30]
    data[matrix : matrix + 36] = b"".join(one.to_bytes(4, "big") for one in quarter)
    path.write_bytes(data)
    loop = read_loop(path, frame_rate_hz=50)
    assert loop.size == (80, 64)
    turned = np.rot90(FRAMES[3], -1).astype(int)
    assert np.abs(loop.frame(3).astype(int) - turned).mean() < 6


def test_deeper_pixels_become_eight_bits(tmp_path):
    deep = (FRAMES.astype(np.uint16) << 8) | 0x80
    loop = read_loop(write_ffv1(tmp_path / "a.mkv", deep), frame_rate_hz=50)
    assert np.abs(loop.stack().astype(int) - FRAMES).max() <= 1


@pytest.mark.parametrize(
    ("name", "code"), [("a.avi", "MJPG"), ("a.mp4", "mp4v"), ("a.mkv", "MJPG")]
)
def test_a_cut_and_an_empty_video_are_called_so(tmp_path, name, code):
    path = write_avi(tmp_path / name, FRAMES, code=code)
    assert look_at_container(path).damage == ""
    n_bytes = path.stat().st_size
    path.write_bytes(path.read_bytes()[: n_bytes // 2])
    assert look_at_container(path).damage.startswith("cut short: ")
    with refuses(DataError, code="damaged"):
        read_loop(path, frame_rate_hz=50)
    path.write_bytes(b"")
    with refuses(DataError, code="damaged"):
        read_loop(path, frame_rate_hz=50)


def test_what_describes_a_video_is_counted(tmp_path):
    # INFO with a title and an author, as the AVI RIFF reference has it.
    path = write_avi(tmp_path / "a.avi", FRAMES)
    before = look_at_container(path).n_metadata
    info = b"INFOINAM\x04\0\0\0DOE\0IART\x02\0\0\0X\0"
    extra = b"LIST" + len(info).to_bytes(4, "little") + info
    data = path.read_bytes()
    size = int.from_bytes(data[4:8], "little") + len(extra)
    path.write_bytes(data[:4] + size.to_bytes(4, "little") + data[8:] + extra)
    assert look_at_container(path).n_metadata == before + 2
