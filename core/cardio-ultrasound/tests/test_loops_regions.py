"""Where the tissue is, how large its pixels are, and whether it is colour Doppler."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_ultrasound import Box, read_loop, write_us_loop

from . import us_files as us

FRAMES = us.moving_sector()


def loop_of(tmp_path, frames=FRAMES, photometric="MONOCHROME2", **elements):
    return read_loop(us.written(us.dataset(frames, photometric, **elements), tmp_path / "a.dcm"))


def test_pixel_sizes_of_rows_and_columns_come_from_the_tissue_region_in_cm(tmp_path):
    regions = [us.region(10, 5, 69, 54, delta_cm=0.03, delta_x_cm=0.05)]
    loop = loop_of(tmp_path, SequenceOfUltrasoundRegions=regions)
    assert loop.mm_per_pixel == pytest.approx((0.3, 0.5))
    assert loop.region == Box(top=5, bottom=55, left=10, right=70)


def test_traces_and_spectra_are_no_tissue(tmp_path):
    regions = [
        us.region(0, 50, 79, 59, spatial_format=4, data_type=10),  # ECG
        us.region(0, 0, 79, 29, spatial_format=3, data_type=3),  # pulsed Doppler
        us.region(0, 30, 39, 49),
    ]
    loop = loop_of(tmp_path, SequenceOfUltrasoundRegions=regions)
    assert loop.region == Box(top=30, bottom=50, left=0, right=40)


def test_of_two_tissue_regions_the_larger_is_taken_and_flagged(tmp_path):
    regions = [us.region(0, 0, 19, 59), us.region(20, 0, 79, 59)]
    loop = loop_of(tmp_path, SequenceOfUltrasoundRegions=regions)
    assert loop.region == Box(top=0, bottom=60, left=20, right=80)
    assert "the largest of 2 tissue regions" in loop.flags


def test_a_negative_delta_is_a_direction(tmp_path):
    loop = loop_of(tmp_path, SequenceOfUltrasoundRegions=[us.region(0, 0, 79, 59, -0.05)])
    assert loop.mm_per_pixel == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize("change", [{"units": 4}, {"delta_cm": 0.0}, {"delta_cm": float("nan")}])
def test_other_units_or_no_delta_leave_the_pixel_size_unknown(tmp_path, change):
    loop = loop_of(tmp_path, SequenceOfUltrasoundRegions=[us.region(0, 0, 79, 59, **change)])
    assert loop.mm_per_pixel is None
    assert loop.region == Box(top=0, bottom=60, left=0, right=80)
    assert any(flag.startswith("pixel size unknown") for flag in loop.flags)


def test_without_a_region_the_loop_is_read_and_says_so(tmp_path):
    loop = loop_of(tmp_path, SequenceOfUltrasoundRegions=None)
    assert (loop.region, loop.mm_per_pixel) == (None, None)
    assert "no tissue region: pixel size unknown" in loop.flags


def test_a_region_that_ends_at_the_number_of_columns_is_forgiven(tmp_path):
    loop = loop_of(tmp_path, SequenceOfUltrasoundRegions=[us.region(0, 0, 80, 60)])
    assert loop.region == Box(top=0, bottom=60, left=0, right=80)
    assert not any("rescaled" in flag for flag in loop.flags)


def test_the_real_loop_whose_region_is_of_a_larger_image_is_rescaled_by_one_half():
    loop = read_loop(get_testdata_file("examples_ybr_color.dcm"))
    # Header: 84 to 595, 31 to 414, 0.0510497 cm; image 320 x 240.
    assert loop.region == Box(top=16, bottom=208, left=42, right=298)
    assert loop.mm_per_pixel == pytest.approx((1.020994, 1.020994), abs=1e-6)
    assert "region rescaled by 0.5: it reached outside the image" in loop.flags
    # The depth then is the 19 cm that the scanner printed beside the sector.
    assert loop.region.height * loop.mm_per_pixel[0] == pytest.approx(196, abs=2)


@pytest.mark.parametrize("factor", [3 / 4, 2 / 3, 1 / 2, 1 / 3])
def test_the_factor_by_which_an_image_was_shrunk_is_found(tmp_path, factor):
    frames = us.moving_sector(n_rows=120, n_columns=180)
    rows, columns = np.nonzero(np.ptp(frames, axis=0))
    x0, x1 = (round(edge / factor) for edge in (columns.min(), columns.max()))
    y0, y1 = (round(edge / factor) for edge in (rows.min(), rows.max()))
    loop = loop_of(tmp_path, frames, SequenceOfUltrasoundRegions=[us.region(x0, y0, x1, y1, 0.02)])
    assert loop.mm_per_pixel == pytest.approx((0.2 / factor, 0.2 / factor))
    assert abs(loop.region.bottom - rows.max() - 1) <= 1


def test_a_region_that_no_one_factor_makes_fit_is_refused(tmp_path):
    with refuses(DataError, "2000 × 59", "80 × 60"):
        loop_of(tmp_path, SequenceOfUltrasoundRegions=[us.region(0, 0, 2000, 59)])


def test_an_empty_region_is_refused(tmp_path):
    with refuses(DataError, "a.dcm", "empty"):
        loop_of(tmp_path, SequenceOfUltrasoundRegions=[us.region(50, 10, 40, 20)])


def coloured(share: float, colour=(220, 40, 20)) -> np.ndarray:
    """Grey frames, one of which has a coloured block over a share of the image."""
    frames = np.repeat(us.moving_texture()[..., None], 3, axis=-1)
    n_rows = max(6, round(share * 60))
    frames[3, :n_rows, : round(share * 60 * 80 / n_rows)] = colour
    return frames


@pytest.mark.parametrize("colour", [(220, 40, 20), (20, 60, 230), (240, 230, 10)])
def test_colours_over_the_tissue_are_colour_doppler(tmp_path, colour):
    loop = loop_of(tmp_path, coloured(0.05, colour), "RGB", UltrasoundColorDataPresent=0)
    assert loop.colour_doppler
    assert "colour Doppler" in loop.flags


def test_fewer_colours_need_the_headers_word(tmp_path):
    frames = coloured(0.01)
    assert loop_of(tmp_path, frames, "RGB", UltrasoundColorDataPresent=1).colour_doppler
    assert not loop_of(tmp_path, frames, "RGB", UltrasoundColorDataPresent=0).colour_doppler


def test_lines_in_colour_are_no_flow_however_many(tmp_path):
    """An ECG, a breath and words in amber made a B-mode loop colour Doppler."""
    frames = coloured(0.0)
    frames[:, 5:60:10] = (255, 190, 50)
    frames[:, :, 10:14:3] = (90, 200, 255)
    assert not loop_of(tmp_path, frames, "RGB", UltrasoundColorDataPresent=1).colour_doppler


def test_the_headers_word_alone_is_not_enough(tmp_path):
    grey = coloured(0.0)
    assert not loop_of(tmp_path, grey, "RGB", UltrasoundColorDataPresent=1).colour_doppler


def test_a_sepia_map_is_not_colour_doppler(tmp_path):
    sepia = (us.moving_texture()[..., None] * np.array([1.0, 0.78, 0.55])).astype(np.uint8)
    assert not loop_of(tmp_path, sepia, "RGB", UltrasoundColorDataPresent=1).colour_doppler


def test_colours_outside_the_region_do_not_count(tmp_path):
    regions = [us.region(0, 20, 79, 59)]
    loop = loop_of(
        tmp_path, coloured(0.2), "RGB", SequenceOfUltrasoundRegions=regions,
        UltrasoundColorDataPresent=1,
    )  # fmt: skip
    assert not loop.colour_doppler


def test_a_declared_region_of_colour_flow_is_colour_doppler(tmp_path):
    regions = [us.region(0, 0, 79, 59), us.region(20, 20, 50, 50, data_type=2)]
    loop = loop_of(tmp_path, coloured(0.0), "RGB", SequenceOfUltrasoundRegions=regions)
    assert loop.colour_doppler


def test_the_real_power_doppler_image_that_pydicom_ships_is_recognised(tmp_path):
    image = pydicom.dcmread(get_testdata_file("examples_rgb_color.dcm")).pixel_array
    write_us_loop(tmp_path / "a.dcm", np.stack([image] * 2), frame_rate_hz=30, photometric="RGB")
    assert read_loop(tmp_path / "a.dcm").colour_doppler
