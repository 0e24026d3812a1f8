"""Whole screens of three layouts, stored as clinics store them, and what is left of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from cardio_core.api import DataError
from cardio_ultrasound import Loop, fit_sector
from cardio_ultrasound.deidentify.pixels import look_inside
from cardio_ultrasound.readers.arrays import ArraySource

from . import screens_stored as stored
from .drawn_screens import POINTERS, beside, draw_pointer, m_mode_strip

LEFT_AT_MOST = {"a": 0.1, "b": 0.0, "c": 0.1}
"""Share of strong ink in the sector that may stay; `a` has a trace of tissue's own level, `c` a
line whose dots are smaller than a pixel."""


@pytest.mark.parametrize(
    ("layout", "how"),
    [pytest.param("a", "raw RGB", marks=pytest.mark.slow), ("c", "JPEG YBR_FULL_422")],
)
def test_no_print_is_left_of_a_screen_and_the_tissue_moves_as_before(tmp_path, layout, how):
    found = stored.what_is_left(tmp_path, stored.screen(layout, n_frames=16), how)
    assert found["ink_px"] > 50
    assert found["ink_left_px"] <= LEFT_AT_MOST[layout] * found["ink_px"]
    assert found["lit_outside_px"] == 0
    assert found["lost_px"] <= 5
    assert found["excursion_mm"]["after"] <= 0.2
    assert not found["name_in_file"]
    assert not found["colour"]


def looped(frames: np.ndarray) -> Loop:
    times = stored.STEP_MS * np.arange(len(frames))
    return Loop("made", ArraySource(frames), len(frames), frames.shape[1:3], times, "stated")


@pytest.mark.parametrize("kind", POINTERS)
@pytest.mark.parametrize("at", [(190, 90), (120, 135)], ids=["tissue", "cavity"])
def test_a_mark_that_stands_still_goes_and_is_counted(kind, at):
    plain = np.repeat(stored.beating()[..., None], 3, axis=-1)
    drawn, ink = draw_pointer(plain, kind, at)
    sector = ndimage.binary_erosion(stored.SECTOR.mask())
    kept = look_inside(looped(drawn), sector)
    assert kept.still[ink & sector].mean() >= 0.8
    near = ndimage.binary_dilation(ink, iterations=4)
    assert (kept.still & ~near).sum() <= 5
    assert kept.n_still_px == kept.still.sum()


def test_nothing_is_taken_for_a_mark_where_there_is_none():
    kept = look_inside(looped(stored.beating()), ndimage.binary_erosion(stored.SECTOR.mask()))
    assert kept.n_still_px == 0


def test_a_trace_that_runs_beside_the_sector_does_not_move_it():
    """Its strip is as large as a tenth of the sector, and each pixel is lit now and then."""
    shown = stored.screen("c")
    fitted = fit_sector(shown.frames)
    assert not fitted.poor
    assert abs(fitted.apex_row - shown.apex[0]) < 2
    assert not (fitted.mask() & ~shown.mask()).any()


@pytest.mark.parametrize("gap_px", [0, 8, 40])
def test_a_fan_beside_a_strip_of_m_mode_never_holds_both(gap_px):
    loop = stored.beating(n_frames=24)
    strip = m_mode_strip(loop, 180, 200, np.random.default_rng(0))
    frames, fan, other = beside(loop, strip, gap_px=gap_px)
    try:
        fitted = fit_sector(frames)
    except DataError:
        return
    assert fitted.poor or not (fitted.mask() & other).any()
    assert (fitted.mask() & fan).any()


def test_the_flat_blocks_of_a_codec_at_a_low_rate_are_no_cursors():
    """H.264 at crf 34: lines of nine heights, 500 pixels of tissue in every frame."""
    frames, rng = stored.beating().copy(), np.random.default_rng(0)
    for top in (60, 85, 110, 135, 160):
        for frame in frames:
            column = int(rng.integers(135, 150))
            frame[top : top + 14 + top // 20, column] = 200
    kept = look_inside(looped(frames), ndimage.binary_erosion(stored.SECTOR.mask()))
    assert not kept.cursors.rows
