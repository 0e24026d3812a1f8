"""Flow maps: reserve, segments, and the pictures that networks see."""

from __future__ import annotations

import numpy as np
import pytest

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_spect_polar.polar.flow_maps import (
    FlowFiles,
    ReserveRules,
    make_maps,
    open_maps,
    segments_of_map,
)
from cardio_spect_polar.polar.maps import LARGEST, disc, segment_picture, to_bytes

REST = np.full((12, 36), 0.8)


def test_reserve_is_stress_over_rest_clipped_at_six_and_undefined_where_rest_is_below_a_fifth():
    rest = [0.8] * 14 + [0.19, 0.2, 0.3]
    stress = [2.0] * 14 + [2.0, 2.0, 2.4]
    reserve = make_maps(rest, stress).reserve
    assert reserve[:14] == pytest.approx(2.5)
    assert np.isnan(reserve[14])
    assert reserve[15:].tolist() == [6.0, 6.0]


def test_a_given_reserve_is_taken_and_only_clipped():
    maps = make_maps(REST, 2 * REST, np.full(REST.shape, 7.0))
    assert np.all(maps.reserve == 6.0)


def test_the_global_reserve_is_the_ratio_of_mean_flows_where_reserve_is_defined():
    maps = make_maps([1.0] * 8 + [2.0] * 8 + [0.1], [3.0] * 8 + [4.0] * 8 + [9.0])
    assert maps.global_reserve == pytest.approx(56 / 24)


def test_correction_by_the_rate_pressure_product_scales_reserve_inversely():
    rules = ReserveRules(reference_rate_pressure=9000)
    # At a product of 13500 flow at rest is 1.5 times what it is at 9000.
    maps = make_maps(1.5 * REST, 2.4 * REST, rules=rules, rate_pressure=13500)
    assert maps.rest == pytest.approx(REST)
    assert maps.reserve == pytest.approx(2.4)
    with refuses(DataError, "flow maps", "x_rate_pressure_product"):
        make_maps(REST, REST, rules=rules)


@pytest.mark.parametrize(
    ("rest", "stress", "reserve", "says"),
    [
        (REST, REST[:6], None, "one shape"),
        (80 * REST, 200 * REST, None, "ml/min/100 g"),
        (-REST, REST, None, "0 to 15 ml/min/g"),
        (REST[0], REST[0], None, "17 segments or a grid"),
        (REST, REST, REST[:3], "leave it out"),
        (np.nan * REST, REST, None, "no number"),
    ],
)
def test_maps_that_do_not_fit_are_refused_in_one_line(rest, stress, reserve, says):
    with pytest.raises(DataError, match=says) as raised:
        make_maps(rest, stress, reserve)
    assert "\n" not in str(raised.value)


def test_a_file_that_names_another_unit_is_refused(tmp_path):
    row = ",".join(["0.9"] * 17)
    (tmp_path / "rest.csv").write_text(f"# unit=ml/min/g\n{row}\n")
    (tmp_path / "stress.csv").write_text(f"# unit=%\n{row}\n")
    with refuses(DataError, "stress.csv", "ml/min/g"):
        open_maps(FlowFiles(tmp_path / "rest.csv", tmp_path / "stress.csv"), ReserveRules())


def test_segments_of_a_grid_lie_where_the_heart_association_puts_them():
    # Cerqueira et al. 2002: 4 is basal inferior, 8 mid anteroseptal, 16 apical lateral, 17 apex.
    for segment, ring, angle_deg in ((4, 11, 180), (8, 6, 60), (16, 3, 270), (17, 0, 0)):
        grid = np.zeros((12, 36))
        grid[ring, angle_deg // 10] = 1.0
        found = segments_of_map(grid)
        assert found[segment - 1] > 0
        assert np.delete(found, segment - 1).max() == 0


def test_in_a_picture_the_anterior_wall_is_up_the_septum_left_and_the_apex_in_the_middle():
    angle_deg = np.arange(72) * 5.0
    septum = np.tile(np.clip(np.sin(np.radians(angle_deg)), 0, None), (24, 1))
    anterior = np.tile(np.clip(np.cos(np.radians(angle_deg)), 0, None), (24, 1))
    apex = np.where(np.arange(24) < 3, 1.0, 0.0)[:, None] * np.ones(72)
    rows, columns = np.indices((64, 64)) - 31.5

    def centre(grid):
        picture = np.nan_to_num(disc(grid, 64))
        total = picture.sum()
        return (picture * rows).sum() / total, (picture * columns).sum() / total

    assert centre(septum)[1] < -10 and abs(centre(septum)[0]) < 0.5
    assert centre(anterior)[0] < -10 and abs(centre(anterior)[1]) < 0.5
    assert np.nan_to_num(disc(apex, 64))[np.hypot(rows, columns) > 8].max() == 0


def test_a_bilinear_disc_gives_back_a_map_that_is_linear_in_radius():
    grid = np.tile((np.arange(24) + 0.5)[:, None] / 24, (1, 72))
    rows, columns = np.indices((80, 80)) - 39.5
    radius = np.hypot(rows, columns) / 40
    inside = (radius > 1 / 48) & (radius < 1 - 1 / 48)
    assert disc(grid, 80)[inside] == pytest.approx(radius[inside], abs=1e-9)


def test_seventeen_segments_are_drawn_as_areas():
    picture = disc(np.arange(1.0, 18.0), 96)
    assert np.array_equal(np.nan_to_num(picture), segment_picture(96))


def test_fixed_scaling_keeps_the_level_of_flow_and_scaling_by_picture_takes_it_away():
    low, high = (disc(np.full((12, 36), flow), 32) for flow in (0.5, 1.0))
    fixed = [int(to_bytes(p, LARGEST["rest"]).max()) for p in (low, high)]
    assert fixed == [64, 128]  # 0.5 and 1.0 of 2 ml/min/g
    assert np.array_equal(to_bytes(low, None), to_bytes(high, None))


def test_what_is_unknown_is_black_in_a_picture_and_does_not_spread_over_segments():
    values = np.full(17, 1.0)
    values[3] = np.nan
    stored = to_bytes(disc(values, 64), 2.0)
    where = segment_picture(64)
    assert stored[where == 4].max() == 0
    assert stored[(where > 0) & (where != 4)].min() == 128
