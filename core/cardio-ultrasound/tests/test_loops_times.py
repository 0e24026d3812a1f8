"""When frames were acquired, and what says so."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_ultrasound import read_loop, read_r_times, write_us_loop
from cardio_ultrasound.loop import sidecar_of

from . import us_files as us

FRAMES = us.moving_sector()
N = len(FRAMES)


def loop_of(tmp_path, **elements):
    path = us.written(us.dataset(FRAMES, **elements), tmp_path / "a.dcm")
    return path, lambda **stated: read_loop(path, **stated)


def test_frame_time_gives_even_times(tmp_path):
    _, read = loop_of(tmp_path, FrameTime="16.667")
    loop = read()
    np.testing.assert_allclose(loop.frame_times_ms, 16.667 * np.arange(N))
    assert loop.time_source == "FrameTime"
    assert loop.frame_rate_hz == pytest.approx(59.9988, abs=1e-3)
    assert loop.duration_ms == pytest.approx(5 * 16.667)


def test_a_frame_time_vector_gives_the_time_of_every_frame(tmp_path):
    vector = ["0", "20", "20", "25", "20", "20"]
    _, read = loop_of(
        tmp_path, FrameTime=None, FrameTimeVector=vector, FrameIncrementPointer=0x00181065
    )
    loop = read()
    np.testing.assert_allclose(loop.frame_times_ms, [0, 20, 40, 65, 85, 105])
    assert loop.time_source == "FrameTimeVector"
    assert "irregular frame times" in loop.flags


def test_the_frame_increment_pointer_decides_between_time_and_vector(tmp_path):
    vector = ["0", "10", "10", "10", "10", "10"]
    _, read = loop_of(tmp_path, FrameTimeVector=vector, FrameIncrementPointer=0x00181063)
    assert (read().frame_rate_hz, read().time_source) == (50.0, "FrameTime")
    _, read = loop_of(tmp_path, FrameTimeVector=vector, FrameIncrementPointer=0x00181065)
    assert (read().frame_rate_hz, read().time_source) == (100.0, "FrameTimeVector")


@pytest.mark.parametrize("vector", [["0", "20", "20"], ["0"] + ["20"] * N])
def test_a_vector_of_another_length_is_refused(tmp_path, vector):
    _, read = loop_of(tmp_path, FrameTimeVector=vector, FrameIncrementPointer=0x00181065)
    with refuses(DataError, 6, len(vector), code="mismatch"):
        read()


@pytest.mark.parametrize("vector", [["0", "20", "-5", "20", "20", "20"], ["0"] * N])
def test_times_that_do_not_ascend_are_refused(tmp_path, vector):
    _, read = loop_of(tmp_path, FrameTimeVector=vector, FrameIncrementPointer=0x00181065)
    with pytest.raises(DataError, match="ascending order"):
        read()


@pytest.mark.parametrize("without", ["missing", "empty", "zero"])
def test_no_frame_time_is_refused_with_what_to_do(tmp_path, without):
    value = {"missing": None, "empty": "", "zero": "0"}[without]
    _, read = loop_of(tmp_path, FrameTime=value)
    with pytest.raises(DataError) as caught:
        read()
    assert str(caught.value) == (
        "a.dcm: expected the time of every frame, found none; state the rate with frame_rate_hz, "
        "or in the file's JSON"
    )


def test_the_rate_of_display_is_not_taken_for_the_rate_of_acquisition(tmp_path):
    _, read = loop_of(tmp_path, FrameTime=None, CineRate="30", RecommendedDisplayFrameRate="30")
    with refuses(DataError, "CineRate", "frame_rate_hz", code="missing"):
        read()


def test_a_frame_time_in_seconds_is_refused(tmp_path):
    _, read = loop_of(tmp_path, FrameTime="0.0333")
    with refuses(DataError, 2000, 30030, code="out_of_range"):
        read()


def test_a_stated_rate_goes_first_and_a_contradiction_is_flagged(tmp_path):
    _, read = loop_of(tmp_path)
    loop = read(frame_rate_hz=60)
    assert (loop.frame_rate_hz, loop.time_source) == (pytest.approx(60), "stated")
    assert "frame rate stated as 60 Hz, where the file says 50 Hz" in loop.flags
    assert read(frame_rate_hz=50.2).flags == read().flags


@pytest.mark.parametrize("rate", [0, -50, float("nan"), 5000])
def test_an_impossible_stated_rate_is_refused(tmp_path, rate):
    _, read = loop_of(tmp_path)
    with refuses(DataError, 2000, code="out_of_range"):
        read(frame_rate_hz=rate)


def test_the_json_beside_the_file_says_what_the_header_does_not(tmp_path):
    path, read = loop_of(tmp_path, FrameTime=None, SequenceOfUltrasoundRegions=None)
    stated = {"frame_rate_hz": 40, "mm_per_pixel": [0.4, 0.3], "r_times_ms": [30], "other": "x"}
    sidecar_of(path).write_text(json.dumps(stated))
    loop = read()
    assert (loop.frame_rate_hz, loop.time_source) == (40.0, "json")
    assert (loop.mm_per_pixel, loop.r_source) == ((0.4, 0.3), "json")
    np.testing.assert_array_equal(loop.r_times_ms, [30.0])
    assert read(r_times_ms=[10.0, 900.0]).r_source == "stated"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "expected a JSON object, found something else"),
        ("[1]", "expected a JSON object, found another value"),
        ('{"frame_rate_hz": "fast"}', "expected a number as frame_rate_hz"),
        ('{"frame_rate_hz": true}', "expected a number as frame_rate_hz"),
        ('{"r_times_ms": 5}', "expected a list of numbers as r_times_ms"),
        ('{"mm_per_pixel": [0.3]}', "mm_per_pixel as two distances above 0"),
        ('{"r_times_ms": [500, 20]}', "R peaks in ascending order"),
        ('{"frame_times_ms": [0, 20]}', "6 frame times, one a frame, found 2"),
    ],
)
def test_a_wrong_json_is_refused_in_one_line(tmp_path, text, expected):
    path, read = loop_of(tmp_path)
    sidecar_of(path).write_text(text)
    with pytest.raises(DataError, match=expected):
        read()


def test_three_frames_are_a_loop_and_one_is_a_still(tmp_path):
    path = us.written(us.dataset(FRAMES[:3]), tmp_path / "three.dcm")
    assert read_loop(path).stack().shape == (3, 60, 80)
    path = us.written(us.dataset(FRAMES[:1]), tmp_path / "one.dcm")
    with refuses(DataError, "one.dcm", "2", code="too_few"):
        read_loop(path)


def test_r_peaks_of_a_cohort_are_a_json_with_times(tmp_path):
    file = tmp_path / "r.json"
    file.write_text('{"r_times_ms": [80.5, 920]}')
    assert read_r_times(file) == (80.5, 920.0)
    file.write_text('{"times_s": [0.08]}')
    with refuses(DataError, "r.json", "r_times_ms", code="missing"):
        read_r_times(file)


def test_irregular_times_survive_writing_and_reading(tmp_path):
    times = [0.0, 12.5, 25.25, 40.0, 52.0, 64.5]
    path = tmp_path / "a.dcm"
    write_us_loop(path, FRAMES, frame_times_ms=times)
    np.testing.assert_allclose(read_loop(path).frame_times_ms, times, atol=1e-6)
