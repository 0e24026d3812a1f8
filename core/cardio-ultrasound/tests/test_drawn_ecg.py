"""R peaks read from the ECG that a scanner drew are those that it was drawn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from cardio_ultrasound import (
    EcgLayout,
    Loop,
    burn_in,
    draw_ecg,
    read_drawn_ecg,
    read_loop,
    with_drawn_r_peaks,
    write_us_loop,
)
from cardio_ultrasound.deidentify.files import deidentify_folder
from cardio_ultrasound.ecg_trace import FROM_THE_PICTURE
from cardio_ultrasound.readers.arrays import ArraySource

from . import printed_loops as made

COLOURS = ((60, 230, 90), (255, 255, 255), (90, 200, 255), (255, 220, 60), (200, 200, 200))
KINDS = ("whole", "sweep", "running")
OUTSIDE = np.ones((310, 288), np.bool_)
OUTSIDE[:256] = ~ndimage.binary_dilation(made.SECTOR.mask(), iterations=3)


def beats(rng, until_ms):
    """R peaks from long before the first frame, as a trace also shows what was."""
    rr_ms = rng.uniform(600, 1150)
    gaps = rr_ms * (1 + 0.04 * rng.standard_normal(80))
    r_ms = -20_000 + np.cumsum(gaps)
    return r_ms[r_ms < until_ms + 2000]


def ecg_of(r_ms, rng):
    """P, Q, R, S and T waves at each R peak, on a baseline that wanders."""
    begins, tall_t, deep_s = rng.uniform(0, 6), rng.uniform(0.1, 0.4), rng.uniform(-0.4, -0.1)
    waves = ((0.15, -160, 22), (-0.1, -26, 8), (1.0, 0, 11), (deep_s, 26, 10), (tall_t, 260, 45))

    def ecg(at_ms):
        at_ms = np.asarray(at_ms, float)
        since = at_ms[..., None] - r_ms
        own = sum(a * np.exp(-(((since - t) / w) ** 2) / 2).sum(axis=-1) for a, t, w in waves)
        return own + 0.05 * np.sin(at_ms / 1500 * 2 * np.pi + begins)

    return ecg


def screen(seed, kind):
    """A sector over a strip, in which an ECG is drawn in one of many ways."""
    rng = np.random.default_rng(seed)
    times_ms = np.arange(int(rng.integers(40, 110))) * 1000.0 / rng.choice([25, 30, 40, 50, 60])
    r_ms = beats(rng, times_ms[-1])
    pictures = np.zeros((len(times_ms), 310, 288, 3), np.uint8)
    pictures[:, :256] = made.speckle()[np.arange(len(times_ms)) % 8][..., None]
    layout = EcgLayout(
        kind,
        rows=(258, int(rng.integers(285, 306))),
        columns=(int(rng.integers(2, 30)), int(rng.integers(240, 286))),
        px_per_s=float(rng.choice([50, 75, 100, 140])),
        colour=COLOURS[int(rng.integers(len(COLOURS)))],
        thickness_px=int(rng.integers(1, 4)),
        mv_share=rng.uniform(0.4, 0.7),
        grid=bool(rng.random() < 0.4),
    )
    return pictures, times_ms, r_ms, ecg_of(r_ms, rng), layout


def looped(pictures, times_ms, **facts):
    size = pictures.shape[1:3]
    source = ArraySource(pictures)
    return Loop("made", source, len(pictures), size, times_ms, "stated", **facts)


def count(seeds):
    """Return how many peaks were found, missed and invented, within one frame."""
    found = missed = invented = 0
    for seed in seeds:
        pictures, times_ms, r_ms, ecg, layout = screen(seed, KINDS[seed % 3])
        drawn = draw_ecg(pictures, times_ms, ecg, layout)
        answer = read_drawn_ecg(looped(drawn, times_ms), OUTSIDE)
        step_ms = times_ms[1]
        # Of a beat at the very rim of the loop half a QRS is seen.
        there = r_ms[(r_ms >= step_ms) & (r_ms <= times_ms[-1] - step_ms)]
        told = np.zeros(0) if answer is None else answer.r_times_ms
        near = np.abs(told[:, None] - r_ms) <= 1.01 * step_ms
        hit = near.any(axis=0)[np.isin(r_ms, there)]
        found, missed = found + int(hit.sum()), missed + int((~hit).sum())
        invented += int((~near.any(axis=1)).sum())
    return found, missed, invented


def test_drawn_r_peaks_are_found_within_a_frame():
    found, missed, invented = count((27, 142, 77))  # short loops, one of each kind
    assert found == 4
    assert missed + invented == 0


@pytest.mark.slow
def test_of_two_hundred_screens_nineteen_peaks_in_twenty_are_found_and_right():
    found, missed, invented = count(range(200))
    assert found / (found + missed) >= 0.95
    assert found / (found + invented) >= 0.95


WORDS = ("DOE^JANE 1961-02-03  HR 72 bpm", "TIS 0.8 MI 1.2 DR 60 FR 55Hz 14cm")


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("breath", "sweep"),
        ("progress bar", "sweep"),
        *(
            pytest.param(*one, marks=pytest.mark.slow)
            for one in (("words", "sweep"), ("breath", "running"), ("flat line", "whole"))
        ),
    ],
)
def test_no_peak_is_invented_where_there_is_no_ecg(what, kind):
    pictures, times_ms, _, _, layout = screen(7, kind)
    shown = burn_in(pictures, WORDS, text_at=(262, 4), font_px=12).frames
    layout = replace(layout, rows=(268, 300))
    if what == "breath":
        shown = draw_ecg(shown, times_ms, lambda at: 0.4 * np.sin(np.asarray(at) / 557), layout)
    if what == "flat line":
        shown = draw_ecg(shown, times_ms, lambda at: np.zeros(np.shape(at)), layout)
    if what == "progress bar":
        for number, frame in enumerate(shown):
            frame[280:290, 20 : 20 + int(240 * number / len(shown))] = 200
    assert read_drawn_ecg(looped(shown, times_ms), OUTSIDE) is None


def test_the_peaks_outlive_the_trace_when_a_loop_is_deidentified(tmp_path):
    pictures, times_ms, r_ms, ecg, layout = screen(49, "sweep")
    drawn = draw_ecg(pictures, times_ms, ecg, layout)
    source = tmp_path / "a.dcm"
    write_us_loop(source, drawn, frame_times_ms=times_ms.tolist(), photometric="RGB")
    answer = deidentify_folder(source, tmp_path / "out")
    after = read_loop(tmp_path / "out" / "p0001_01.dcm")
    assert FROM_THE_PICTURE in answer["loops"][0]["flags"]
    assert not after.stack()[:, 258:].any()
    assert np.abs(after.r_times_ms[:, None] - r_ms).min(axis=1).max() <= times_ms[1]


def test_a_loop_gains_peaks_and_says_where_from_unless_it_has_its_own():
    pictures, times_ms, r_ms, ecg, layout = screen(3, "sweep")
    drawn = draw_ecg(pictures, times_ms, ecg, layout)
    gained = with_drawn_r_peaks(looped(drawn, times_ms))
    assert gained.r_source == "picture"
    assert FROM_THE_PICTURE in gained.flags
    assert np.abs(gained.r_times_ms[:, None] - r_ms).min(axis=1).max() <= times_ms[1]
    stated = looped(drawn, times_ms, r_times_ms=np.array([5.0]), r_source="stated")
    assert with_drawn_r_peaks(stated) is stated
    bare = looped(pictures, times_ms)
    assert with_drawn_r_peaks(bare) is bare
