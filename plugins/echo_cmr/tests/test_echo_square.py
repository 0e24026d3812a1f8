"""The square around a sector, and what is left of a frame in the small picture."""

from __future__ import annotations

import numpy as np
import pytest

from cardio_core.api import DataError
from cardio_echo_cmr.clips import SectorCutter, square_around
from cardio_ultrasound import Sector

SECTOR = Sector(depth_mm=120.0, n_rows=256, n_columns=288)


def cutter(mask, side=112, mm_per_pixel=None):
    return SectorCutter(mask, square_around(mask, mm_per_pixel), side)


def test_the_square_of_a_sector_is_as_wide_as_the_sector_or_as_high():
    square = square_around(SECTOR.mask(), (0.6, 0.6))
    chord_mm = 2 * 120.0 * np.sin(np.radians(36.0))  # 141 mm wide, 120 mm high
    assert square.mm == pytest.approx(chord_mm, abs=1.2)  # a pixel on each side
    assert square.n_rows == square.n_columns == pytest.approx(chord_mm / 0.6, abs=2)
    assert square.mm_per_px(112) == pytest.approx(chord_mm / 112, abs=0.011)
    r0, c0, r1, c1 = SECTOR.box_px()
    assert square.top + square.n_rows / 2 == pytest.approx((r0 + r1 + 1) / 2, abs=0.5)
    assert square.left + square.n_columns / 2 == pytest.approx((c0 + c1 + 1) / 2, abs=0.5)


def test_pixels_of_an_unknown_size_count_as_square_and_give_no_mm():
    square = square_around(SECTOR.mask())
    assert square.n_rows == square.n_columns
    assert np.isnan(square.mm) and np.isnan(square.mm_per_px(112))


def test_no_sector_is_refused_in_one_line():
    with pytest.raises(DataError, match="expected a sector") as caught:
        square_around(np.zeros((20, 30), bool))
    assert "\n" not in str(caught.value)


def test_cubic_interpolation_keeps_a_ramp_at_the_centres_of_the_small_pixels():
    """A cubic kernel reproduces straight lines; centres of pixels lie at half of them."""
    mask = np.zeros((150, 200), bool)
    mask[10:122, 40:152] = True
    ramp = np.tile(np.arange(200, dtype=np.uint8), (150, 1))
    small = cutter(mask, side=28)(ramp)  # one small pixel is 4 × 4
    expected = 40 + 4 * (np.arange(28) + 0.5) - 0.5
    np.testing.assert_allclose(small[14, 2:-2], expected[2:-2], atol=0.51)


@pytest.mark.parametrize("mm_per_pixel", [(0.4, 0.4), (0.4, 0.8), (0.9, 0.3)])
def test_a_round_ventricle_stays_round_where_pixels_are_not_square(mm_per_pixel):
    rows_mm, columns_mm = (
        (np.arange(n) + 0.5) * mm for n, mm in zip((300, 300), mm_per_pixel, strict=True)
    )
    centre = rows_mm.mean(), columns_mm.mean()
    distance = np.hypot(rows_mm[:, None] - centre[0], columns_mm[None] - centre[1])
    frame = np.where(distance < 20, 200, 20).astype(np.uint8)
    small = cutter(distance < 40, 112, mm_per_pixel)(frame) > 110
    height, width = (np.count_nonzero(small.any(axis=axis)) for axis in (1, 0))
    assert height == pytest.approx(56, abs=1) and width == pytest.approx(56, abs=1)  # 40 of 80 mm
    assert np.argwhere(small).mean(axis=0) == pytest.approx([55.5, 55.5], abs=0.7)  # half a pixel


def test_nothing_outside_the_sector_is_left_and_none_of_it_bleeds_in():
    mask = SECTOR.mask()
    rng = np.random.default_rng(0)
    speckle = rng.integers(0, 256, mask.shape).astype(np.uint8)
    printed = np.where(mask, speckle, 255).astype(np.uint8)
    black = np.where(mask, speckle, 0).astype(np.uint8)
    cut = cutter(mask)
    small = cut(printed)
    np.testing.assert_array_equal(small, cut(black))
    assert small[~cut.mask].max() == 0 and small[cut.mask].mean() > 80
    assert np.count_nonzero(cut.mask) / 112**2 == pytest.approx(
        np.count_nonzero(mask) / square_around(mask).n_rows ** 2, abs=0.01
    )


def test_a_square_that_reaches_beyond_the_frame_is_black_there_and_keeps_its_centre():
    mask = np.zeros((40, 120), bool)
    mask[:, 10:110] = True  # 40 high, 100 wide, at the top edge and the bottom edge
    cut = cutter(mask, side=50)
    small = cut(np.full((40, 120), 77, np.uint8))
    assert set(np.unique(small[17:33])) == {77}  # further out, cubic interpolation overshoots
    assert small[:15].max() == 0 and small[35:].max() == 0
    assert small[15:35].min() > 50


def test_one_frame_leaves_no_trace_in_the_next():
    cut = cutter(SECTOR.mask())
    bright, dark = np.full(SECTOR.mask().shape, 250, np.uint8), np.zeros((256, 288), np.uint8)
    first = cut(bright)
    assert cut(dark).max() == 0
    np.testing.assert_array_equal(cut(bright), first)
