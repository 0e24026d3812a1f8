"""Clips of videos whose grey level is a known function of time."""

from __future__ import annotations

import numpy as np
import pytest

from cardio_echo_cmr.clips import (
    STEP_MS,
    ClipForm,
    cut_clips,
    is_usable,
    latest_starts,
    middle_starts,
    random_crop,
    random_starts,
    scored_starts,
)

PAPER = ClipForm("paper", 16, 2)
ECHONET = ClipForm("echonet", 32, 2, 12)
HONEST = ClipForm("honest", 32, 1)
MAX = 128
N_MS_PER_GREY = 20.0


def video(n_frames, rate_hz, max_frames=MAX, jitter=0.0):
    """A video whose grey level is its time in units of 20 ms, and the times of its frames."""
    times = np.arange(n_frames) * 1000 / rate_hz
    if jitter:
        times[1:-1] += np.random.default_rng(0).uniform(-jitter, jitter, n_frames - 2)
    all_times = np.full((1, max_frames), np.nan, np.float32)
    all_times[0, :n_frames] = times
    frames = np.zeros((1, max_frames, 4, 4), np.uint8)
    frames[0, :n_frames] = np.round(times / N_MS_PER_GREY)[:, None, None]
    return frames, all_times


def numbered(n_frames, max_frames=MAX):
    """A video whose grey level is the number of its frame, from 1."""
    frames, times = video(n_frames, 50.0, max_frames)
    frames[0, :n_frames] = np.arange(1, n_frames + 1)[:, None, None]
    return frames, times


def test_paper_takes_every_second_frame_from_the_first():
    clips, n_there = cut_clips(PAPER, *numbered(60), starts=np.zeros(1))
    assert clips.shape == (1, 16, 4, 4)
    np.testing.assert_array_equal(clips[0, :, 0, 0], np.arange(1, 32, 2))
    assert n_there.tolist() == [16]


@pytest.mark.parametrize(("n_frames", "used"), [(7, False), (31, False), (32, True)])
def test_paper_drops_videos_of_31_frames_and_fewer_and_the_other_forms_do_not(n_frames, used):
    _, times = numbered(n_frames)
    assert is_usable(PAPER, times).tolist() == [used]
    assert is_usable(ECHONET, times).tolist() == is_usable(HONEST, times).tolist() == [True]


def test_paper_has_one_clip_in_training_and_in_the_test():
    _, times = numbered(100)
    assert scored_starts(PAPER, times, 4)[0].tolist() == [0]
    assert random_starts(PAPER, times, np.random.default_rng(0)).tolist() == [0]


def test_echonet_tests_every_clip_that_ends_within_the_video():
    videos, times = numbered(70)
    (starts,) = scored_starts(ECHONET, times, 4)
    # EchoNet-Dynamic: arange(70 - 31 * 2).
    assert starts.tolist() == list(range(8))
    many = np.repeat(videos, 8, axis=0), np.repeat(times, 8, axis=0)
    clips, n_there = cut_clips(ECHONET, *many, starts=starts)
    np.testing.assert_array_equal(clips[7, :, 0, 0], 8 + 2 * np.arange(32))
    assert set(n_there) == {32}


@pytest.mark.parametrize("n_frames", [7, 8])  # of 8, the next frame would be the one after the last
def test_echonet_fills_a_short_video_with_empty_frames(n_frames):
    videos, times = numbered(n_frames)
    clips, n_there = cut_clips(ECHONET, videos, times, np.zeros(1))
    np.testing.assert_array_equal(clips[0, :5, 0, 0], [1, 3, 5, 7, 0])
    assert n_there.tolist() == [4]
    # Filled to 64 frames, clips of 63 frames' reach start at the first or the second.
    assert scored_starts(ECHONET, times, 4)[0].tolist() == [0, 1]


def test_random_starts_of_echonet_reach_the_first_and_the_last_possible_one():
    _, times = numbered(70)
    rng = np.random.default_rng(0)
    drawn = {int(random_starts(ECHONET, times, rng)[0]) for _ in range(200)}
    assert drawn == set(range(8))


@pytest.mark.parametrize("rate_hz", [18.0, 30.0, 47.3, 72.0])
@pytest.mark.parametrize("jitter", [0.0, 4.0])
def test_honest_frames_are_30_a_second_whatever_the_frame_rate(rate_hz, jitter):
    videos, times = video(90, rate_hz, jitter=jitter)
    start = 123.4 if rate_hz < 72 else 80.0
    clips, n_there = cut_clips(HONEST, videos, times, np.array([start]))
    wanted = start + np.arange(32) * STEP_MS
    assert n_there.tolist() == [32]
    # The grey level is rounded to a level, which is 20 ms; between frames it is linear.
    assert np.abs(clips[0, :, 0, 0] - wanted / N_MS_PER_GREY).max() <= 0.5 + 1e-3


def test_honest_keeps_the_frames_of_a_loop_of_30_a_second_as_they_are():
    videos, times = video(40, 30.0)
    clips, _ = cut_clips(HONEST, videos, times, np.zeros(1))
    np.testing.assert_allclose(clips[0], videos[0, :32], atol=1e-2)


def test_honest_masks_what_is_after_the_end_of_a_short_loop():
    videos, times = video(7, 10.0)
    videos[videos == 0] = 200
    clips, n_there = cut_clips(HONEST, videos, times, np.zeros(1))
    # 600 ms hold the frames at 0, 33.3, ..., 600 ms.
    assert n_there.tolist() == [19]
    assert (clips[0, 19:] == 0).all()
    assert (clips[0, :19] > 0).all()
    assert len(scored_starts(HONEST, times, 4)[0]) == 1


def test_honest_test_clips_are_four_equally_spaced_from_the_beginning_to_the_end():
    _, times = video(100, 50.0)
    (starts,) = scored_starts(HONEST, times, 4)
    latest = 99 * 20 - 31 * STEP_MS
    np.testing.assert_allclose(starts, [0, latest / 3, 2 * latest / 3, latest], atol=1e-2)
    assert middle_starts(HONEST, times)[0] == pytest.approx(latest / 2)
    videos, times = video(100, 50.0)
    _, n_there = cut_clips(HONEST, videos, times, starts[-1:])
    assert n_there.tolist() == [32]


def test_random_starts_of_honest_cover_the_loop_evenly():
    _, times = video(100, 50.0)
    rng = np.random.default_rng(1)
    drawn = random_starts(HONEST, np.repeat(times, 4000, axis=0), rng)
    latest = latest_starts(HONEST, times)[0]
    assert drawn.min() >= 0
    assert drawn.max() <= latest
    np.testing.assert_allclose(np.histogram(drawn, 4, (0, latest))[0], 1000, atol=110)


def test_videos_of_one_batch_do_not_depend_on_each_other():
    short, long = video(20, 25.0), video(80, 60.0)
    both = [np.concatenate(pair) for pair in zip(short, long, strict=True)]
    starts = np.array([0.0, 50.0])
    together, n_together = cut_clips(HONEST, *both, starts=starts)
    for place, (videos, times) in enumerate((short, long)):
        alone, n_alone = cut_clips(HONEST, videos, times, starts[place : place + 1])
        np.testing.assert_array_equal(together[place], alone[0])
        assert n_together[place] == n_alone[0]


def test_a_video_of_one_frame_is_that_frame():
    videos, times = numbered(1)
    clips, n_there = cut_clips(HONEST, videos, times, np.zeros(1))
    assert (clips[0, 0] == 1).all()
    assert n_there.tolist() == [1]


def test_a_random_crop_shifts_all_frames_of_a_clip_alike_by_at_most_the_pad():
    clips = np.zeros((200, 3, 9, 9), np.float32)
    clips[:, :, 4, 4] = 1
    moved = random_crop(clips, 2, np.random.default_rng(0))
    where = np.array([np.argwhere(one[0]).ravel() for one in moved])
    assert set(map(tuple, where)) == {(r, c) for r in range(2, 7) for c in range(2, 7)}
    assert (moved == moved[:, :1]).all()
    assert random_crop(clips, 0, np.random.default_rng(0)) is clips
