"""R peaks of long and cut loops with traces in six styles, and none of other lines."""

from __future__ import annotations

import numpy as np
import pytest

from cardio_ultrasound import Loop, read_drawn_ecg
from cardio_ultrasound.readers.arrays import ArraySource

from .drawn_traces import OTHERS, STYLES, Traced, traced, untraced


def peaks(shown: Traced) -> np.ndarray:
    size = shown.rgb.shape[1:3]
    loop = Loop("made", ArraySource(shown.rgb), len(shown.rgb), size, shown.times_ms, "stated")
    found = read_drawn_ecg(loop, shown.outside)
    return np.zeros(0) if found is None else found.r_times_ms


def counts(shown: Traced) -> np.ndarray:
    """Return peaks that were found, missed and invented, within a frame."""
    step_ms, found = shown.times_ms[1], peaks(shown)
    rim = (shown.r_ms < 1.5 * step_ms) | (shown.r_ms > shown.times_ms[-1] - 1.5 * step_ms)
    near = np.abs(found[:, None] - shown.r_ms) <= 1.01 * step_ms
    hit = near.any(axis=0)[~rim]
    return np.array([hit.sum(), (~hit).sum(), (~near.any(axis=1)).sum()])


@pytest.mark.parametrize(
    ("seed", "style"),
    [
        (0, "growing"),
        (22, "whole"),
        pytest.param(13, "erase bar", marks=pytest.mark.slow),  # the longest loops
        pytest.param(2, "running", marks=pytest.mark.slow),
        pytest.param(5, "over tissue", marks=pytest.mark.slow),
    ],
)
def test_a_long_loop_has_the_peaks_that_its_first_second_has(seed, style):
    whole = traced(seed, style)
    cut = whole.cut(0, 60)
    found, missed, invented = counts(whole)
    assert found >= 2 and missed + invented == 0
    assert counts(cut)[1:].sum() == 0


@pytest.mark.parametrize(
    ("seed", "what"),
    [
        *enumerate(OTHERS),
        *(pytest.param(seed, "graph that grows", marks=pytest.mark.slow) for seed in (2001, 2006)),
    ],
)
def test_no_peak_is_read_from_other_lines(seed, what):
    assert peaks(untraced(seed, what)).size == 0


@pytest.mark.slow
def test_of_two_hundred_screens_whole_and_cut_the_peaks_are_found_and_right():
    total = np.zeros(3)
    for seed in range(1000, 1200):  # those below were looked at when limits were chosen
        screen = traced(seed, STYLES[seed % len(STYLES)])
        total += counts(screen) + counts(screen.cut(0, 60))
    found, missed, invented = total
    assert found / (found + missed) >= 0.95
    assert found / (found + invented) >= 0.95
