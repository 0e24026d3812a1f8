"""Scores of heat maps, by maps whose answers can be worked out on paper."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.stats import spearmanr

from cardio_mmode_septal_flash.localisation.measures import (
    THRESHOLDS,
    Window,
    best_threshold,
    centre_prior,
    centroid_mm,
    correlation,
    energy_in_window,
    enrichment,
    entropy,
    gini,
    iou_bound,
    peak_ms,
    points_into,
    temporal_iou,
    temporal_profile,
    upsampled,
)

CYCLE = Window(50.0, 150.0, 1000.0)


def gaussian(middle_ms, sd_ms, n=1000, duration_ms=1000.0):
    at = (np.arange(n) + 0.5) / n * duration_ms
    return np.exp(-0.5 * ((at - middle_ms) / sd_ms) ** 2)


def test_the_energy_of_a_gaussian_in_the_window_is_that_of_the_normal_distribution():
    # R 4.2.2: pnorm(1) - pnorm(-1), and pnorm(2)
    share = energy_in_window(gaussian(100.0, 50.0, 4000), Window(50.0, 150.0, 1000.0))
    # The profile begins at the R peak, two SDs before its middle: divided by pnorm(2).
    assert share == pytest.approx(0.6826895 / 0.9772499, abs=1e-4)


def test_energy_counts_the_part_of_a_column_that_lies_in_the_window():
    assert energy_in_window(np.ones(10), Window(50.0, 130.0, 1000.0)) == pytest.approx(0.08)
    hot = np.eye(10)[0]  # 0 to 100 ms
    assert energy_in_window(hot, Window(75.0, 130.0, 1000.0)) == pytest.approx(0.25)


def test_enrichment_is_one_for_a_flat_map_of_any_window_and_size():
    for begin, end, n in ((20.0, 120.0, 7), (333.0, 401.0, 256), (0.0, 1000.0, 8)):
        assert enrichment(np.full(n, 3.7), Window(begin, end, 1000.0)) == pytest.approx(1.0)


def test_enrichment_of_all_energy_in_the_window_is_one_over_its_share():
    assert enrichment(np.eye(20)[1], Window(50.0, 100.0, 1000.0)) == pytest.approx(20.0)


def test_scores_do_not_depend_on_the_maps_scale():
    profile = gaussian(130.0, 60.0)
    for score in (energy_in_window, enrichment, points_into):
        assert score(profile, CYCLE) == pytest.approx(score(1e-6 * profile, CYCLE))
    heat = np.random.default_rng(0).uniform(size=(8, 8))
    for score in (entropy, gini):
        assert score(heat) == pytest.approx(score(1e4 * heat))


def test_half_of_the_cycle_doubles_the_share_of_the_same_window():
    assert Window(20.0, 120.0, 500.0).share == pytest.approx(2 * Window(20.0, 120.0, 1000.0).share)


def test_a_window_that_leaves_the_picture_counts_with_its_inner_part():
    window = Window(450.0, 550.0, 500.0)
    assert window.share == pytest.approx(0.1)
    assert energy_in_window(np.ones(10), window) == pytest.approx(0.1)


@pytest.mark.parametrize("window", [Window(np.nan, np.nan, 900.0), Window(20.0, np.nan, 900.0),
                                    Window(600.0, 700.0, 500.0)])  # fmt: skip
def test_where_no_window_is_known_every_score_beside_it_is_unknown(window):
    profile = np.ones(8)
    assert not window.known
    for value in (
        energy_in_window(profile, window), enrichment(profile, window),
        points_into(profile, window), temporal_iou(profile, window, 0.5), iou_bound(window, 8),
    ):  # fmt: skip
        assert np.isnan(value)


def test_an_empty_map_has_no_scores_and_raises_nothing():
    empty = np.zeros((8, 8))
    profile = temporal_profile(empty)
    assert all(
        np.isnan(value)
        for value in (
            energy_in_window(profile, CYCLE), enrichment(profile, CYCLE), peak_ms(profile, 1000.0),
            points_into(profile, CYCLE), temporal_iou(profile, CYCLE, 0.5), entropy(empty),
            gini(empty), centroid_mm(empty, -30, 60),
        )
    )  # fmt: skip


@pytest.mark.parametrize(("peak", "hit"), [(29.0, 0.0), (31.0, 1.0), (100.0, 1.0), (169.0, 1.0),
                                           (171.0, 0.0)])  # fmt: skip
def test_the_pointing_game_forgives_20_ms_on_both_sides(peak, hit):
    assert points_into(gaussian(peak, 30.0), CYCLE) == hit


def test_the_temporal_iou_of_a_triangle_falls_with_its_threshold_as_geometry_says():
    at = (np.arange(2000) + 0.5) / 2
    triangle = np.clip(1 - np.abs(at - 100.0) / 100.0, 0, None)  # 0 to 200 ms
    # At a share s it is 200 (1 - s) ms wide around the window's middle; the window is 100 ms.
    for s, expected in ((0.25, 100 / 150), (0.5, 1.0), (0.75, 0.5)):
        assert temporal_iou(triangle, CYCLE, s) == pytest.approx(expected, abs=0.01)
    assert best_threshold([triangle], [CYCLE]) == pytest.approx(0.5)


def test_the_threshold_is_the_one_that_a_search_over_all_finds():
    rng = np.random.default_rng(3)
    profiles = [gaussian(rng.uniform(60, 140), rng.uniform(30, 90), 256) for _ in range(9)]
    means = [np.mean([temporal_iou(p, CYCLE, s) for p in profiles]) for s in THRESHOLDS]
    chosen = best_threshold(profiles, [CYCLE] * 9)
    assert chosen == pytest.approx(THRESHOLDS[int(np.argmax(means))])


def test_studies_without_valve_times_have_no_say_in_the_threshold():
    triangle = np.clip(1 - np.abs((np.arange(2000) + 0.5) / 2 - 100.0) / 100.0, 0, None)
    unknown = Window(np.nan, np.nan, 1000.0)
    alone = best_threshold([triangle], [CYCLE])
    assert best_threshold([triangle, np.ones(2000)], [CYCLE, unknown]) == alone
    assert best_threshold([np.ones(8)], [unknown]) == 0.5


def test_the_bound_of_8_columns_is_the_published_one():
    # methods/mmode_septal_flash, 2.5: windows of 7 to 14 % RR, mean .66, least .38.
    rng = np.random.default_rng(0)
    widths = rng.uniform(70, 140, 300)
    bounds = [iou_bound(Window(b, b + w, 1000.0), 8)
              for w, b in zip(widths, rng.uniform(0, 860, 300), strict=True)]  # fmt: skip
    assert np.mean(bounds) == pytest.approx(0.66, abs=0.02)
    assert min(bounds) == pytest.approx(0.38, abs=0.03)


def test_finer_maps_have_a_higher_bound_and_no_single_cell_beats_it():
    window = Window(60.0, 150.0, 1000.0)
    assert iou_bound(window, 8) < iou_bound(window, 32) <= 1
    for cell in range(8):
        profile = upsampled(np.eye(8)[[cell]], 1, 512)[0]
        assert max(temporal_iou(profile, window, s) for s in THRESHOLDS) <= iou_bound(window, 8) + (
            1e-9
        )


def test_a_map_is_enlarged_as_torch_does_it():
    import torch

    heat = np.random.default_rng(2).uniform(size=(8, 8))
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(heat)[None, None], size=[40, 64], mode="bilinear", align_corners=False
    )[0, 0]
    np.testing.assert_allclose(upsampled(heat, 40, 64), expected.numpy(), atol=1e-12)


def test_the_centre_of_the_energy_is_scipys_centre_of_mass_in_mm():
    heat = np.random.default_rng(4).uniform(size=(20, 12))
    row, _ = ndimage.center_of_mass(heat)
    assert centroid_mm(heat, -30.0, 70.0) == pytest.approx(-30 + (row + 0.5) * 5.0)


@pytest.mark.parametrize("n_hot", [1, 4, 16])
def test_dispersion_of_equal_hot_cells_is_as_by_hand(n_hot):
    heat = np.zeros(64)
    heat[:n_hot] = 0.3
    assert entropy(heat.reshape(8, 8)) == pytest.approx(np.log(n_hot) / np.log(64))
    assert gini(heat.reshape(8, 8)) == pytest.approx(1 - n_hot / 64)


def test_gini_is_half_the_relative_mean_difference():
    x = np.random.default_rng(5).exponential(size=30)
    differences = np.abs(x[:, None] - x[None]).mean()
    assert gini(x.reshape(5, 6)) == pytest.approx(differences / (2 * x.mean()))


def test_maps_are_correlated_by_rank():
    rng = np.random.default_rng(6)
    one, other = rng.uniform(size=(8, 8)), rng.uniform(size=(8, 8))
    assert correlation(one, other) == pytest.approx(spearmanr(one.ravel(), other.ravel())[0])
    assert correlation(one, np.exp(5 * one)) == pytest.approx(1.0)
    assert np.isnan(correlation(one, np.ones((8, 8))))


def test_the_centre_prior_lies_in_the_middle_and_misses_the_flash():
    bump = centre_prior(8, 8)
    assert ndimage.center_of_mass(bump) == pytest.approx((3.5, 3.5))
    profile = temporal_profile(upsampled(bump, 256, 256))
    assert enrichment(profile, Window(30.0, 120.0, 850.0)) < 0.5
