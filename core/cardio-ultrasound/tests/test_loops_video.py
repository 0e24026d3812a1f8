"""Videos and NPY files: their rate is stated, their frames are counted."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cardio_core.api import DataError
from cardio_ultrasound import read_loop

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
    with pytest.raises(DataError, match="expected the time of every frame, found none"):
        read_loop(path)
    loop = read_loop(path, frame_rate_hz="container")
    assert (loop.frame_rate_hz, loop.time_source) == (pytest.approx(30.0), "container")
    assert "frame rate taken from the video's container" in loop.flags
    path.with_suffix(".json").write_text('{"frame_rate_hz": "container"}')
    assert read_loop(path).time_source == "container"


def test_a_broken_video_is_refused(tmp_path):
    path = tmp_path / "a.avi"
    path.write_bytes(b"RIFF" + bytes(4) + b"AVI " + bytes(400))
    with pytest.raises(DataError, match="a video that OpenCV opens"):
        read_loop(path, frame_rate_hz=50)


def test_a_playlist_that_calls_itself_a_video_is_not_followed(tmp_path):
    path = tmp_path / "a.avi"
    path.write_text("#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(DataError, match="an AVI, MP4 or Matroska file, found another kind"):
        read_loop(path, frame_rate_hz=50)


def test_a_cut_video_is_refused_when_it_is_opened(tmp_path):
    path = write_avi(tmp_path / "a.avi", FRAMES)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"expected 30 frames, found \d+ that can be decoded"):
        read_loop(path, frame_rate_hz=50)


def test_the_limit_holds_for_videos(tmp_path):
    path = write_avi(tmp_path / "a.avi", FRAMES)
    with pytest.raises(DataError, match="GB of frames"):
        read_loop(path, frame_rate_hz=50, max_bytes=100_000)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_an_npy_gives_its_frames(tmp_path, channels):
    rng = np.random.default_rng(3)
    frames = rng.integers(80, 100, (5, 20, 30, *channels), dtype=np.uint8)
    np.save(tmp_path / "a.npy", frames)
    loop = read_loop(tmp_path / "a.npy", frame_rate_hz=50)
    np.testing.assert_array_equal(loop.stack(colour=bool(channels)), frames)
    assert (loop.backend, loop.colour_doppler) == ("numpy", False)


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
    with pytest.raises(DataError, match="numbers in C order"):
        read_loop(path, frame_rate_hz=50)
    np.save(path, FRAMES)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError, match="expected 30 frames, found fewer"):
        read_loop(path, frame_rate_hz=50)
    path.write_bytes(b"no array")
    with pytest.raises(DataError, match="a NumPy array file"):
        read_loop(path, frame_rate_hz=50)
