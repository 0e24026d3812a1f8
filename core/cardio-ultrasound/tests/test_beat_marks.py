"""Beats that a scanner marked are read where its trace tells nothing, and never invented."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cardio_ultrasound import SCREEN_LAYOUTS, draw_screen, read_drawn_ecg
from cardio_ultrasound.loop import Loop
from cardio_ultrasound.readers.arrays import ArraySource

from . import screens_stored as stored

COLOURS = ((255, 255, 255), (240, 60, 50), (60, 230, 90), (255, 230, 60))
KINDS, MARKS = ("whole", "sweep", "running"), ("over", "under")


def screen(seed: int, *, ecg: str):
    """Draw a screen whose trace is an ECG or a flat line, in one of many ways; and its beats."""
    rng = np.random.default_rng(seed)
    layout = SCREEN_LAYOUTS["abc"[seed % 3]]
    trace = replace(
        layout.ecg,
        kind=KINDS[seed // 3 % 3],
        marks=MARKS[seed // 9 % 2],
        mark_colour=COLOURS[int(rng.integers(len(COLOURS)))],
    )
    times = np.arange(int(rng.integers(50, 100))) * 1000 / rng.choice([25, 30, 40, 50])
    beats = -20_000 + np.cumsum(rng.uniform(600, 1100) * (1 + 0.04 * rng.standard_normal(80)))
    beats = beats[beats < times[-1] + 1500]
    frames = stored.beating(0)[np.arange(len(times)) % 24]
    course = stored.ecg_of_beats(beats) if ecg == "ecg" else (lambda at: np.zeros(np.shape(at)))
    drawn = draw_screen(
        frames, times, stored.SECTOR, replace(layout, ecg=trace, breath=None), ecg=course,
        r_times_ms=beats if ecg != "breath" else (),
    )  # fmt: skip
    return drawn, times, beats


def read(drawn, times):
    loop = Loop("made", ArraySource(drawn.frames), len(times), drawn.frames.shape[1:3], times,
                "stated")  # fmt: skip
    return read_drawn_ecg(loop, ~drawn.mask())


def count(seeds, ecg: str) -> tuple[int, int, int]:
    """Return how many beats were found, missed and invented, within one frame."""
    found = missed = invented = 0
    for seed in seeds:
        drawn, times, beats = screen(seed, ecg=ecg)
        answer = read(drawn, times)
        told = np.zeros(0) if answer is None else answer.r_times_ms
        there = beats[(beats >= times[1]) & (beats <= times[-2])]
        near = np.abs(told[:, None] - beats) <= 1.01 * times[1]
        hit = near.any(axis=0)[np.isin(beats, there)]
        found, missed = found + int(hit.sum()), missed + int((~hit).sum())
        invented += int((~near.any(axis=1)).sum())
    return found, missed, invented


def test_marks_stand_in_for_a_trace_that_tells_nothing():
    drawn, times, beats = screen(8, ecg="flat line")
    answer = read(drawn, times)
    assert answer.marked and answer.kind == "running"
    assert np.abs(answer.r_times_ms[:, None] - beats).min(axis=1).max() <= times[1]


def test_a_marker_of_the_frame_that_moves_and_a_scale_are_no_beats():
    drawn, times, _ = screen(6, ecg="breath")
    shown = drawn.frames.copy()
    for number, frame in enumerate(shown):
        column = 20 + round(300 * number / len(shown))
        frame[-30:-22, column : column + 2] = 255
    shown[:, -45:-38, 30:300:30] = 220  # a scale of time
    assert read(replace(drawn, frames=shown), times) is None


@pytest.mark.slow
def test_on_sixty_screens_marked_beats_are_found_and_right():
    for ecg, least in (("ecg", 0.95), ("flat line", 0.0)):
        found, missed, invented = count(range(60), ecg)
        assert found / (found + missed) >= least
        assert found / (found + invented) >= 0.95


@pytest.mark.slow
def test_no_beat_is_invented_on_sixty_screens_without_marks_or_ecg():
    told = [read(*screen(seed, ecg="breath")[:2]) for seed in range(60)]
    assert told == [None] * 60
