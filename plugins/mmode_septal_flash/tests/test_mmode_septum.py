"""The septum: from a file, found in phantoms and in a real loop, and refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from scipy.spatial import cKDTree

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_mmode_septal_flash.readers.loop import read_septum
from cardio_mmode_septal_flash.synthetic.septal_flash import SECTOR
from cardio_ultrasound import (
    MIRRORED,
    SURE,
    cut_cycle,
    find_beats,
    find_septum,
    read_loop,
    require_inside,
    resample,
    scan_line,
    sector_hull,
    side_of_lv,
)

from .mmode_phantoms import SPACING, phantom

NUMBERS = range(1, 6)


def curve_distance_mm(one_px: np.ndarray, other_px: np.ndarray) -> float:
    """Return the mean distance of two curves, looked at from both of them."""
    one, other = (resample(points, (1.0, 1.0), 400) * SPACING for points in (one_px, other_px))
    there, back = cKDTree(one).query(other)[0], cKDTree(other).query(one)[0]
    return float(0.5 * (there.mean() + back.mean()))


def write(folder, points, **others):
    file = folder / "septum.json"
    file.write_text(json.dumps({"points_px": points, **others}))
    return file


def test_a_septum_of_any_points_becomes_62_at_equal_distances_in_mm(tmp_path):
    angle = np.linspace(0, 1.2, 40) ** 2  # uneven
    drawn = np.stack([150 - 90 * np.sin(angle), 60 + 40 * (1 - np.cos(angle))], axis=1)
    septum = read_septum(write(tmp_path, drawn.tolist(), frame=3), (0.4, 0.7))
    steps = np.hypot(*(np.diff(septum.points_px, axis=0) * (0.4, 0.7)).T)
    assert septum.points_px.shape == (62, 2) and septum.frame == 3
    assert septum.confidence is None and septum.flags == ()
    assert np.ptp(steps) < 0.01 * steps.mean()
    np.testing.assert_allclose(septum.points_px[[0, -1]], drawn[[0, -1]])


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([[90 - 8 * i, 40] for i in range(10)], "at least 20 points .* found 10, too few"),
        ([[1, 2, 3]] * 62, "pairs of finite numbers"),
        ([[float(i), None] for i in range(62)], "pairs of finite numbers"),
        ([[5.0, 5.0]] * 62, "expected a line, found one place"),
        ("somewhere", "pairs of finite numbers"),
    ],
)
def test_a_septum_of_ten_points_or_of_something_else_is_refused_in_one_line(tmp_path, points, said):
    with pytest.raises(DataError, match=said) as refused:
        read_septum(write(tmp_path, points), (0.5, 0.5))
    assert "\n" not in str(refused.value) and str(refused.value).startswith("septum.json: ")


@pytest.mark.parametrize("content", ["", "[1, 2]", '{"frame": 3}', "{" * 5000, '{"points_px"'])
def test_a_file_that_is_no_septum_is_refused_in_one_line(tmp_path, content):
    file = tmp_path / "septum.json"
    file.write_text(content)
    with refuses(DataError, "septum.json", "points_px") as refused:
        read_septum(file, (0.5, 0.5))
    assert "\n" not in str(refused.value)
    with pytest.raises(DataError, match="no such file"):
        read_septum(tmp_path / "none.json", (0.5, 0.5))


def test_a_septum_drawn_from_the_apex_is_flagged(tmp_path):
    drawn = [[20 + 2 * i, 40] for i in range(40)]
    assert read_septum(write(tmp_path, drawn), (0.5, 0.5)).flags == (
        "septum runs downwards: is its first point at the base?",
    )


def test_a_septum_outside_the_sector_is_refused_and_one_that_sticks_out_a_little_is_not(tmp_path):
    drawn = read_septum(write(tmp_path, [[120 - i, 50] for i in range(80)]), (0.5, 0.5))
    sector = np.zeros((200, 200), bool)
    sector[50:, :] = True
    require_inside(drawn, sector, "septum.json")
    sector[:, :60] = False
    with refuses(DataError, "septum.json", "100"):
        require_inside(drawn, sector, "septum.json")


def test_the_sector_found_in_a_phantom_is_the_one_it_was_drawn_in():
    found, drawn = phantom(1).sector, SECTOR.mask()
    assert (found & drawn).sum() / (found | drawn).sum() > 0.97


def test_black_pictures_hold_no_sector():
    with refuses(DataError, "sector"):
        sector_hull(np.zeros((5, 100, 100), np.uint8))


def test_the_found_septum_lies_within_4_mm_of_the_truth_in_clear_phantoms():
    distances, at_line = [], []
    for number in NUMBERS:
        one = phantom(number)
        found = find_septum(one.frames, SPACING, one.sector, one.spec.ed_frame)
        distances.append(curve_distance_mm(one.truth.polyline_px, found.points_px))
        at_line.append(np.hypot(*(found.points_px[14] - one.truth.centre_px)) * SPACING[0])
        assert found.confidence > SURE
        assert found.points_px[0, 0] > found.points_px[-1, 0]  # base below apex
    assert (np.array(distances) <= 4.0).mean() >= 0.9
    assert max(at_line) < 6.0  # the point on which the M-mode stands, along the septum as well


def test_the_finder_says_that_it_is_unsure_where_nothing_moves_or_there_is_no_septum():
    one = phantom(1)
    still = np.repeat(one.frames[:1], 30, axis=0)
    assert find_septum(still, SPACING, one.sector, 0).confidence < SURE
    rng = np.random.default_rng(0)
    noise = np.where(one.sector, rng.gamma(2.0, 30.0, one.frames.shape), 0).clip(0, 255)
    turned = np.ascontiguousarray(one.frames[:, ::-1])  # the apex at the bottom
    sideways = np.ascontiguousarray(np.rot90(one.frames, 1, (1, 2)))
    for frames in (noise.astype(np.uint8), turned, sideways):
        found = find_septum(frames, SPACING, sector_hull(frames), 0)
        assert found.confidence < SURE


def test_the_septum_found_in_the_real_loop_lies_on_the_bright_wall_above_the_mitral_valve():
    """The wall's place was read off the pictures: columns 143 to 157 at rows 85 to 125."""
    loop = read_loop(get_testdata_file("examples_ybr_color.dcm", download=False))
    volume = cut_cycle(loop, find_beats(loop).cycle, loop.mm_per_pixel)
    found = find_septum(
        volume.frames, loop.mm_per_pixel, sector_hull(volume.frames, loop.region), 0
    )
    row, column = found.points_px.T
    wall = (row > 85) & (row < 125)
    assert wall.sum() > 25
    assert column[wall].min() > 143 and column[wall].max() < 157
    assert 122 < row[0] < 140  # the leaflet's hinge
    assert found.confidence > SURE
    mean = volume.frames.mean(axis=0)
    on = mean[row[wall].round().astype(int), column[wall].round().astype(int)].mean()
    beside = mean[row[wall].round().astype(int), column[wall].round().astype(int) + 15].mean()
    assert on > 3 * beside


def test_a_mirrored_view_is_recognised_by_its_shape_and_widths_and_the_standard_one_is_not():
    one = phantom(2)
    mean, septum = one.frames.mean(axis=0), one.truth.polyline_px
    line = scan_line(septum, SPACING, one.sector)
    assert side_of_lv(mean, septum, line, SPACING) == (False, ())
    flipped = septum * (1, -1) + (0, mean.shape[1] - 1)
    line = scan_line(flipped, SPACING, one.sector[:, ::-1])
    assert side_of_lv(mean[:, ::-1], flipped, line, SPACING) == (True, (MIRRORED,))


def test_the_line_on_a_phantom_stands_where_its_truth_says_and_points_the_same_way():
    one = phantom(3)
    line = scan_line(one.truth.polyline_px, SPACING, one.sector)
    np.testing.assert_allclose(line.centre_px, one.truth.centre_px, atol=1e-6)
    np.testing.assert_allclose(line.normal, one.truth.normal_px, atol=1e-6)
