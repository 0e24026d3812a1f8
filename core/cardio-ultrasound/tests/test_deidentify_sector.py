"""The sector of a loop is found where it was made, whatever is printed around it."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from scipy import ndimage

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_ultrasound import (
    FIXED_TRIANGLE,
    Box,
    Look,
    Loop,
    Sector,
    fit_sector,
    read_loop,
    sector_hull,
    sector_mask,
)
from cardio_ultrasound.deidentify.tissue import coloured_print
from cardio_ultrasound.loop import BeamSector
from cardio_ultrasound.readers.arrays import ArraySource

from . import printed_loops as made

HARD = Look(n_dropouts=3, dropout_db=30, contrast=0.7, noise_db=-40)


def assert_found(fitted, sector: Sector, pixel_width: float = 1.0) -> None:
    assert abs(fitted.apex_row - sector.apex_row) < 2
    assert abs(fitted.apex_column - sector.apex_column / pixel_width) < 2
    assert abs(fitted.left_deg + sector.half_angle_deg) < 1
    assert abs(fitted.right_deg - sector.half_angle_deg) < 1
    assert abs(fitted.outer_px - sector.depth_mm / sector.spacing_mm) < 2
    assert not fitted.poor


@pytest.mark.parametrize("colour", [True, False], ids=["rgb", "grey"])
@pytest.mark.parametrize(("half_angle_deg", "seed"), [(30.0, 0), (36.0, 1), (42.0, 2)])
def test_apex_edges_and_arc_are_those_the_phantom_was_made_with(half_angle_deg, seed, colour):
    sector = Sector(half_angle_deg=half_angle_deg, n_columns=340, apex_row=4.0 + 5 * seed)
    frames = made.printed(made.speckle(sector, seed), colour=colour).frames
    assert_found(fit_sector(frames), sector)


def test_shadows_and_text_that_reaches_into_the_sector_do_not_move_it():
    sector = Sector(half_angle_deg=36.0, n_columns=360)
    frames = made.speckle(sector, 1, look=HARD)
    assert_found(fit_sector(made.printed(frames, text_at=(60, 40)).frames), sector)


def side_by_side(half_angle_deg: float, gap_px: int) -> np.ndarray:
    """Two sectors on one screen; with a negative gap their lower corners overlap."""
    sector = Sector(half_angle_deg=half_angle_deg, n_columns=340)
    frames, columns = made.speckle(sector), np.flatnonzero(sector.mask().any(axis=0))
    one = frames[:, :, columns[0] : columns[-1] + 1]
    screen = np.zeros((*frames.shape[:2], 2 * one.shape[2] + gap_px + 20), np.uint8)
    for left, part in ((10, one), (10 + one.shape[2] + gap_px, one[::-1])):
        place = screen[:, :, left : left + one.shape[2]]
        np.maximum(place, part, out=place)
    return screen


@pytest.mark.parametrize("half_angle_deg", [25.0, 32.0, 40.0])
@pytest.mark.parametrize("gap_px", [-60, -30, 0, 20])
def test_two_fans_never_pass_as_one(half_angle_deg, gap_px):
    with refuses(DataError, "loop", code="ambiguous"):
        fit_sector(side_by_side(half_angle_deg, gap_px))


@pytest.mark.parametrize("seed", range(8))
def test_one_fan_with_shadows_never_counts_as_two(seed):
    sector = Sector(half_angle_deg=36.0, n_columns=340)
    look = Look(n_dropouts=1 + seed % 4, dropout_db=40, contrast=0.7, noise_db=-40)
    assert not fit_sector(made.speckle(sector, seed, look=look)).poor


def test_pixels_that_are_not_square_are_honoured():
    frames = np.stack([ndimage.zoom(frame, (1, 0.8), order=1) for frame in made.speckle()])
    fitted = fit_sector(frames, pixel_width=1 / 0.8)
    assert_found(fitted, made.SECTOR, 1 / 0.8)
    assert abs(fit_sector(frames).right_deg - 36.0) > 3


@pytest.mark.parametrize("cut", [30, 45])
def test_a_sector_whose_tip_is_cut_off_keeps_its_apex_outside_the_picture(cut):
    fitted = fit_sector(made.speckle()[:, cut:])
    assert abs(fitted.apex_row - (made.SECTOR.apex_row - cut)) < 2
    assert not fitted.poor


def test_a_loop_of_a_depth_beyond_its_picture_ends_at_the_border():
    fitted = fit_sector(made.speckle()[:, :190])
    assert fitted.mask()[188, 100:180].all()
    assert not fitted.poor


def test_the_mask_stays_a_pixel_inside_the_truth_and_loses_little():
    mask, truth = fit_sector(made.printed(made.speckle()).frames).mask(), made.SECTOR.mask()
    assert not (mask & ~truth).any()
    assert mask.sum() > 0.96 * truth.sum()


def test_the_same_seed_gives_the_same_sector_and_another_seed_nearly_the_same():
    frames = made.printed(made.speckle()).frames
    first, again, other = fit_sector(frames), fit_sector(frames), fit_sector(frames, seed=5)
    assert first == again
    assert abs(first.apex_row - other.apex_row) < 0.5


def test_frames_may_come_one_by_one():
    frames = made.printed(made.speckle()).frames
    assert fit_sector(iter(frames)) == fit_sector(frames)


def test_nothing_outside_the_region_is_in_the_sector():
    region = Box(top=0, bottom=220, left=60, right=288)
    mask = fit_sector(made.speckle(), region).mask()
    assert mask[100, 100]
    assert not mask[:, :60].any()
    assert not mask[220:].any()


def test_the_real_apical_loop_of_pydicom_has_the_sector_that_the_eye_sees():
    loop = read_loop(get_testdata_file("examples_ybr_color.dcm"))
    fitted = fit_sector(loop)
    # Read by eye off the picture, brightened 20-fold and enlarged under a grid: the edges cross row
    # 40 at columns 140 and 199, row 75 at 107 and 232; the arc's lowest row is 201.
    for row, left, right in ((40, 140, 199), (75, 107, 232)):
        down = row - fitted.apex_row
        assert abs(fitted.apex_column + down * np.tan(np.radians(fitted.left_deg)) - left) < 3
        assert abs(fitted.apex_column + down * np.tan(np.radians(fitted.right_deg)) - right) < 3
    assert abs(fitted.apex_row + fitted.outer_px - 201) < 3
    assert not fitted.poor
    mask = fitted.mask()
    assert not mask[:, :42].any()  # names and settings stand left of the region
    assert not mask[:, 298:].any()
    assert not mask[:20].any()


def test_a_loop_of_beams_has_the_sector_its_beams_say():
    known = BeamSector(2.0, 49.5, -0.5, 0.6, 5.0, 90.0)
    times = np.array([0.0, 20.0])
    source = ArraySource(np.zeros((2, 100, 100), np.uint8))
    loop = Loop("made", source, 2, (100, 100), times, "file", (0.5, 0.5), sector=known)
    fitted = fit_sector(loop)
    assert (fitted.inner_px, fitted.outer_px) == (10.0, 180.0)
    assert fitted.right_deg == pytest.approx(np.degrees(0.6))


def test_coloured_lines_are_print_and_coloured_areas_are_not():
    frame = np.repeat(made.speckle()[0][..., None], 3, axis=-1)
    frame[120:170, 110:180] = (220, 40, 30)  # flow
    frame[200, :] = (60, 230, 90)
    frame[190:240, 33] = (255, 210, 60)
    found = coloured_print(frame)
    assert found[200].all()
    assert found[190:240, 33].all()
    assert not found[110:185, 100:190].any()


def test_flow_inside_the_sector_does_not_move_it():
    frames = np.repeat(made.speckle()[..., None], 3, axis=-1)
    rows, columns = np.indices(frames.shape[1:3])
    box = made.SECTOR.mask() & (rows > 100) & (rows < 200) & (columns > 60) & (columns < 180)
    frames[:, box] = (30, 60, 220)
    assert_found(fit_sector(frames), made.SECTOR)


def rectangle() -> np.ndarray:
    frames = np.zeros((4, 120, 120), np.uint8)
    frames[:, 20:100, 30:90] = np.random.default_rng(0).integers(20, 255, (4, 80, 60))
    return frames


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((4, 100, 100), np.uint8),
        np.zeros((0, 100, 100), np.uint8),
        np.random.default_rng(0).integers(20, 255, (4, 100, 100), dtype=np.uint8),
        rectangle(),
        made.printed(np.zeros((4, 256, 288), np.uint8)).frames,
    ],
    ids=["black", "no frames", "full", "rectangle", "print alone"],
)
def test_a_loop_without_a_sector_is_refused_in_one_line(frames):
    with refuses(DataError, "loop"):
        fit_sector(frames)


def test_a_blob_is_refused_or_called_poor():
    rows, columns = np.indices((200, 200))
    noise = np.random.default_rng(0).integers(20, 255, (4, 200, 200), dtype=np.uint8)
    blob = noise * (np.hypot((rows - 90) / 1.2, columns - 100) < 60)
    try:
        fitted = fit_sector(blob)
    except DataError:
        return
    assert fitted.poor


def looped(frames):
    times = 20.0 * np.arange(len(frames))
    return Loop("made", ArraySource(frames), len(frames), frames.shape[1:], times, "stated")


def test_a_loop_without_a_clear_sector_is_refused_or_cut_by_the_fixed_triangle():
    mask, flags = sector_mask(looped(made.speckle()))
    assert flags == () and not (mask & ~made.SECTOR.mask()).any()
    two = looped(np.concatenate([made.speckle(), made.speckle()], axis=2))
    with refuses(DataError, "made", code="ambiguous"):
        sector_mask(two)
    strip = np.random.default_rng(0).integers(20, 255, (8, 120, 288), dtype=np.uint8)
    below = looped(np.concatenate([made.speckle(), strip], axis=1))
    with refuses(DataError, "made"):
        sector_mask(below, otherwise="leave it to me")
    mask, flags = sector_mask(two, triangle=True)
    assert flags == (FIXED_TRIANGLE,)
    # Its tip lies a tenth right of the middle of 256 pixels, which begin at column 160 of 576.
    assert np.flatnonzero(mask[1]).tolist() == [160 + 128 + 25]
    assert mask[-1, 160:416].all() and not mask[:, 416:].any()


def test_the_hull_is_the_true_sector_but_for_its_rim_and_knows_its_region():
    frames, truth = made.speckle(), made.SECTOR.mask()
    hull = sector_hull(frames)
    assert (hull & truth).sum() > 0.97 * truth.sum()
    assert (hull & ~truth).sum() < 0.03 * truth.sum()
    assert not sector_hull(frames, Box(top=0, bottom=220, left=60, right=288))[:, :60].any()
