"""Screens of scanners: all print is known, and the tissue under it is untouched."""

from __future__ import annotations

import numpy as np
import pytest

from cardio_ultrasound import SCREEN_LAYOUTS, draw_screen

from . import printed_loops as made
from .screens_stored import ecg_of_beats

BEATS = np.arange(-5000.0, 2000.0, 90.0)


def screen(name, **options):
    frames = made.speckle()
    times = np.arange(len(frames)) * 20.0
    options = {"ecg": ecg_of_beats(BEATS), "r_times_ms": BEATS} | options
    return draw_screen(frames, times, made.SECTOR, SCREEN_LAYOUTS[name], **options)


@pytest.mark.parametrize("name", SCREEN_LAYOUTS)
def test_print_stands_around_the_picture_and_the_picture_is_what_it_was(name):
    shown = screen(name)
    rows, columns = np.nonzero(shown.tissue.any(axis=0))
    window = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
    was = made.speckle()
    down, across = np.nonzero(was.any(axis=0))
    assert np.array_equal(
        shown.tissue[:, window[0], window[1]],
        was[:, down.min() : down.max() + 1, across.min() : across.max() + 1],
    )
    assert not shown.tissue[:, ~shown.mask()].any()
    # Words above, and print on either side and at the foot.
    ink = shown.ink.any(axis=0)
    assert ink[: rows.min()].any() and ink[rows.max() + 1 :].any()
    assert ink[:, : columns.min()].any() and ink[:, columns.max() + 1 :].any()
    assert (shown.ink.any(axis=0) & shown.mask()).any()
    assert not [size for size in shown.frames.shape[1:3] if size % 2]


@pytest.mark.parametrize("name", SCREEN_LAYOUTS)
def test_the_clock_changes_and_the_words_of_the_patient_do_not(name):
    one, two = screen(name), screen(name, texts={"name": "ROE^RICHARD", "id": "7", "hospital": "H"})
    assert (one.frames[1] != one.frames[0])[~one.mask()].any()
    differ = (one.frames != two.frames).any(axis=-1)
    assert differ.any() and not differ[:, one.mask()].any()
    assert np.array_equal(differ[0], differ[-1])


@pytest.mark.parametrize("name", ["b", "c"])
def test_marks_of_beats_are_drawn_where_the_layout_has_them(name):
    plain, marked = screen(name, r_times_ms=()), screen(name)
    differ = (plain.frames != marked.frames).any(axis=-1)
    assert differ.any(axis=(1, 2)).all()
    colour = SCREEN_LAYOUTS[name].ecg.mark_colour
    assert (marked.frames[differ] == colour).all()
