"""The overlay: what lies where in its pictures, and a WebM that plays back as it was made."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cardio_core.api import ConfigError
from cardio_core.testing import refuses
from cardio_echo_cmr.drawing import overlay
from cardio_echo_cmr.drawing.overlay import SIDE, outlines, overlay_frames, webm_bytes, webm_codec

N, SMALL = 10, 112


@pytest.fixture(scope="module")
def pictures():
    """Grey frames with a patch of heat in the lower right corner of the second half."""
    rng = np.random.default_rng(0)
    noise = rng.integers(40, 160, (N, SMALL, SMALL)).astype(np.uint8)
    frames = np.stack([cv2.GaussianBlur(frame, (0, 0), 2) for frame in noise])
    heat = np.zeros((N, SMALL, SMALL), np.float32)
    heat[N // 2 :, 80:, 80:] = 1.0
    return frames, heat


def play(content, path):
    path.write_bytes(content)
    film = cv2.VideoCapture(str(path))
    rate_hz, seen = film.get(cv2.CAP_PROP_FPS), []
    while True:
        there, frame = film.read()
        if not there:
            return np.array(seen), rate_hz
        seen.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))


def test_where_nothing_is_hot_the_picture_is_grey_and_as_it_was(pictures):
    frames, heat = pictures
    made = overlay_frames(frames, heat, np.full(N, np.nan))
    cold = made[0]
    assert (cold[..., 0] == cold[..., 1]).all()
    assert (cold[..., 0] == cold[..., 2]).all()
    expected = cv2.resize(frames[0], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(cold[..., 0].astype(int), expected, atol=1)


def test_the_hottest_pixels_carry_the_top_colour_and_still_show_the_picture(pictures):
    frames, heat = pictures
    made = overlay_frames(frames, heat, np.full(N, np.nan))
    # The top of matplotlib's inferno, whose table OpenCV has, is (252, 255, 164).
    grey = cv2.resize(frames[-1], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    expected = 0.4 * grey[300, 300] + 0.6 * np.array([252, 255, 164])
    np.testing.assert_allclose(made[-1, 300, 300], expected, atol=2)
    assert made[-1, 100, 100].std() == 0


def test_the_time_of_each_frame_is_printed_and_nothing_else_is_added(pictures):
    frames, heat = pictures
    times = np.append(np.arange(N - 1) * 33.3, np.nan)
    bare = overlay_frames(frames, heat, np.full(N, np.nan))
    made = overlay_frames(frames, heat, times)
    differs = (bare != made).any(axis=-1)
    assert differs[:-1].any(axis=(1, 2)).all()
    assert not differs[-1].any()
    assert not differs[:, 24:].any()
    assert not differs[:, :, 100:].any()


def test_outlines_run_along_the_border_of_a_segment_and_nowhere_else():
    labels = np.zeros((112, 112), np.uint8)
    labels[40:60, 30:50] = 9
    edge = outlines(labels, 336)
    places = np.argwhere(edge)
    assert places.min(axis=0).tolist() == [3 * 40 - 1, 3 * 30 - 1]
    assert places.max(axis=0).tolist() == [3 * 60 - 1, 3 * 50 - 1]
    # A line one pixel wide around a square of 60, whose lower right corner belongs to two sides.
    assert edge.sum() == 4 * 60 - 1


def test_the_video_plays_back_with_its_frames_size_rate_and_pictures(pictures, tmp_path):
    frames, heat = pictures
    made = overlay_frames(frames, heat, np.arange(N) * 33.3)
    seen, rate_hz = play(webm_bytes(made, 30.0), tmp_path / "film.webm")
    assert seen.shape == (N, SIDE, SIDE, 3)
    assert rate_hz == pytest.approx(30.0, abs=0.1)
    # Lossy and with halved colours, but the same pictures in the same order.
    lost = np.abs(seen.astype(float) - made).mean()
    assert lost < 4
    assert np.abs(seen.astype(float) - np.roll(made, 1, axis=0)).mean() > 2 * lost


def test_equal_pictures_give_equal_bytes_and_others_do_not(pictures):
    frames, heat = pictures
    made = overlay_frames(frames, heat, np.arange(N) * 33.3)
    once = webm_bytes(made, 30.0)
    assert once == webm_bytes(made.copy(), 30.0)
    assert once != webm_bytes(made[::-1].copy(), 30.0)


def test_a_clip_of_thirty_two_frames_of_speckle_fits_into_the_report():

    rng = np.random.default_rng(1)
    speckle = np.clip(rng.rayleigh(45, (32, SMALL, SMALL)), 0, 255).astype(np.float32)
    frames = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.0) for frame in speckle]).astype(np.uint8)
    made = overlay_frames(frames, np.zeros_like(frames, np.float32), np.arange(32) * 33.3)
    assert len(webm_bytes(made, 30.0)) < 300_000  # what the report embeds


def test_encoding_prints_nothing_on_the_users_terminal(pictures, capfd):
    frames, heat = pictures
    webm_codec.cache_clear()
    webm_bytes(overlay_frames(frames, heat, np.arange(N) * 33.3), 30.0)
    found = capfd.readouterr()
    assert (found.out, found.err) == ("", "")


def test_an_opencv_without_the_codecs_says_what_to_do(pictures, monkeypatch):
    monkeypatch.setattr(overlay, "CODECS", ("ZZZZ",))
    webm_codec.cache_clear()
    try:
        with refuses(ConfigError, "explain.video"):
            webm_bytes(overlay_frames(*pictures, np.zeros(N)), 30.0)
    finally:
        webm_codec.cache_clear()
