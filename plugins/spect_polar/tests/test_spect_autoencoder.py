"""The autoencoder as published and as it is used honestly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from spect_convergence import fit_to_convergence
from spect_phase_maps import Planted, cells_of, example_patients, smooth_maps

from cardio_core.api import Context, DataError
from cardio_core.testing import refuses
from cardio_spect_polar.codes import (
    canonical,
    correlations,
    known_cells,
    means_deg,
    peaks_deg,
    phases_of,
    principal_components,
    stability_of,
    vectors_of,
)
from cardio_spect_polar.networks.autoencoders import (
    CHECK_EVERY,
    PaperAutoencoder,
    fit_as_published,
    fit_seeds,
    rank_limit_mse,
)
from cardio_spect_polar.plugin import CRT_RESPONSE
from cardio_spect_polar.response.config import AutoencoderBlock
from cardio_spect_polar.response.fitting import FittedCodes, fit_codes

N, RINGS, ANGLES = 40, 8, 24
QUICK = AutoencoderBlock(hidden=24, n_features=6, n_seeds=3, max_epochs=8, learning_rate=3e-3,
                         cells_per_step=None)  # fmt: skip


@pytest.fixture(scope="module")
def maps() -> np.ndarray:
    return smooth_maps(N, np.random.default_rng(3), rings=RINGS, angles=ANGLES)


@pytest.fixture(scope="module")
def cells(maps) -> np.ndarray:
    return known_cells(maps)


def circle(maps, cells) -> np.ndarray:
    return vectors_of(maps, cells, "circle")


def context(**changes) -> Context:
    return Context(CRT_RESPONSE, hook="train", protocol="honest", fold="r0-f0", **changes)


# --- maps as vectors


def test_turning_a_patients_whole_map_changes_no_vector(maps, cells):
    turned = (maps + np.linspace(0, 300, N)[:, None, None]) % 360
    np.testing.assert_allclose(circle(turned, cells), circle(maps, cells), atol=1e-9)
    whole = (maps + 70.0) % 360  # whole degrees, since peaks are bins of one degree
    np.testing.assert_allclose(
        vectors_of(whole, cells, "degrees"), vectors_of(maps, cells, "degrees"), atol=1e-9
    )


def test_the_mean_of_350_and_20_degrees_is_5():
    assert means_deg([[350.0, 20.0]]) == pytest.approx([5.0])


def test_the_peak_of_a_map_whose_histogram_straddles_zero_lies_at_zero():
    rng = np.random.default_rng(0)
    phases = rng.normal(0, 6, (1, 4000)) % 360
    assert abs((peaks_deg(phases)[0] + 180) % 360 - 180) < 3


def test_phases_come_back_from_either_kind_of_vector(maps, cells):
    aligned = (maps[:, cells] - means_deg(maps)[:, None] + 180) % 360 - 180
    np.testing.assert_allclose(phases_of(circle(maps, cells), "circle"), aligned, atol=1e-9)


def test_a_cell_that_one_patient_lacks_is_used_for_nobody(maps):
    raster = maps.copy()
    raster[5, 0, 0] = np.nan
    assert known_cells(raster).sum() == RINGS * ANGLES - 1


def test_maps_without_a_common_cell_are_refused():
    with refuses(DataError, "1 maps"):
        known_cells(np.array([[np.nan, np.nan], [1.0, 2.0]]))


# --- as published


def test_four_linear_layers_of_1728_512_64_512_1728_have_their_number_of_weights():
    network = PaperAutoencoder(1728, 512, 64)
    # 1728*512+512 + 512*64+64 + 64*512+512 + 512*1728+1728
    assert sum(p.numel() for p in network.parameters()) == 1_837_824


def test_the_published_network_is_linear_and_its_relu_variant_is_not():
    x, y = torch.randn(2, 20), torch.randn(2, 20)
    for relu, additive in ((False, True), (True, False)):
        network = PaperAutoencoder(20, 16, 4, relu)
        zero = network(torch.zeros(2, 20))
        gap = network(x + y) + zero - network(x) - network(y)
        assert bool(gap.abs().max() < 1e-5) is additive


def test_at_convergence_four_linear_layers_reach_the_rank_64_svd_within_two_per_cent():
    deg = smooth_maps(80, np.random.default_rng(8), rings=8, angles=24, noise_deg=25.0)
    vectors = vectors_of(deg, known_cells(deg), "degrees")
    oracle = PCA(64, svd_solver="full").fit(vectors)
    rest = vectors - oracle.inverse_transform(oracle.transform(vectors))
    found = fit_to_convergence(vectors, hidden=96, max_steps=200)
    assert found.best_mse == pytest.approx((rest**2).mean(), rel=1e-6)
    assert 1 - 1e-9 <= found.mse / (rest**2).mean() <= 1.02


def test_few_steps_of_adam_leave_a_gap_to_the_svd_that_is_said(maps, cells):
    vectors = vectors_of(maps, cells, "degrees")
    _, early = fit_as_published(vectors, hidden=32, n_features=6, n_steps=20)
    _, later = fit_as_published(vectors, hidden=32, n_features=6, n_steps=400)
    assert early.gap > later.gap > 0
    assert f"{100 * early.gap:.0f} % above" in early.sentence()


def test_the_same_seed_gives_the_same_published_codes_and_another_gives_others(maps, cells):
    vectors = vectors_of(maps, cells, "degrees")
    torch.manual_seed(123)
    codes = [
        fit_as_published(vectors, hidden=16, n_features=4, n_steps=60, seed=seed)[0]
        for seed in (1, 1, 2)
    ]
    first, again, other = (
        network.encoder(torch.tensor(vectors, dtype=torch.float32)).detach().numpy()
        for network in codes
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(np.diag(np.corrcoef(first.T, other.T)[:4, 4:])).min() < 0.9


# --- codes in the axes that any equal fit has


def test_mixing_the_codes_of_a_linear_autoencoder_changes_no_canonical_code(maps, cells):
    vectors = circle(maps, cells)
    rng = np.random.default_rng(0)
    axes = np.linalg.svd(vectors - vectors.mean(0), full_matrices=False)[2][:5]
    mix = rng.normal(size=(5, 5))
    plain = canonical(vectors, axes.T, axes, 5, cells, "circle")
    mixed = canonical(vectors, axes.T @ mix, np.linalg.inv(mix) @ axes, 5, cells, "circle")
    np.testing.assert_allclose(mixed.encode(maps), plain.encode(maps), atol=1e-8)
    np.testing.assert_allclose(mixed.decoder, plain.decoder, atol=1e-8)


def test_canonical_codes_are_uncorrelated_of_unit_variance_largest_share_first(maps, cells):
    codes = principal_components(circle(maps, cells), 6, cells, "circle")
    values = codes.encode(maps)
    np.testing.assert_allclose(np.cov(values.T), np.eye(6), atol=1e-8)
    size = (codes.decoder**2).sum(axis=1)
    assert (np.diff(size) < 0).all()


def test_the_largest_loading_of_every_code_is_positive(maps, cells):
    decoder = principal_components(circle(maps, cells), 6, cells, "circle").decoder
    assert (decoder[np.arange(6), np.abs(decoder).argmax(axis=1)] > 0).all()


def test_principal_components_reconstruct_as_scikit_learns_do(maps, cells):
    vectors = circle(maps, cells)
    oracle = PCA(6, svd_solver="full").fit(vectors)
    codes = principal_components(vectors, 6, cells, "circle")
    expected = oracle.inverse_transform(oracle.transform(vectors))
    np.testing.assert_allclose(codes.decode(codes.encode(maps)), expected, atol=1e-8)
    assert rank_limit_mse(vectors, 6) == pytest.approx(((vectors - expected) ** 2).mean())


# --- honest fits


def test_every_seed_ends_near_the_principal_subspace(maps, cells):
    vectors = circle(maps, cells)
    fits = fit_seeds(vectors, hidden=32, n_features=4, n_seeds=3, max_epochs=40,
                     learning_rate=1e-2)  # fmt: skip
    oracle = PCA(4).fit_transform(vectors)
    for encoder in fits.encoders:
        codes = (vectors - vectors.mean(0)) @ encoder
        joint = np.linalg.lstsq(codes, oracle, rcond=None)
        left = ((oracle - codes @ joint[0]) ** 2).sum() / (oracle**2).sum()
        assert left < 0.05


def test_seeds_are_fitted_alike_when_repeated_and_differ_among_themselves(maps, cells):
    vectors = circle(maps, cells)
    several = fit_seeds(vectors, hidden=16, n_features=4, n_seeds=3, max_epochs=3)
    again = fit_seeds(vectors, hidden=16, n_features=4, n_seeds=3, max_epochs=3)
    np.testing.assert_array_equal(several.encoders, again.encoders)
    assert np.abs(several.encoders[0] - several.encoders[1]).max() > 1e-3


def test_fitting_stops_where_validation_maps_are_decoded_best(maps, cells):
    vectors = circle(maps, cells)
    stopped = fit_seeds(vectors[:25], vectors[25:], hidden=24, n_features=12, n_seeds=2,
                        max_epochs=60, patience=3, learning_rate=2e-2)  # fmt: skip
    assert 1 <= stopped.best_epoch < 60
    again = fit_seeds(vectors[:25], hidden=24, n_features=12, n_seeds=2,
                      max_epochs=stopped.best_epoch, learning_rate=2e-2)  # fmt: skip
    np.testing.assert_allclose(again.encoders, stopped.encoders, rtol=1e-4, atol=1e-6)
    assert CHECK_EVERY == 10


def test_codes_of_a_strong_pattern_are_stable_and_codes_of_noise_are_not():
    rng = np.random.default_rng(0)
    pattern = rng.normal(size=(60, 1)) * 8
    same = [np.hstack([pattern, rng.normal(size=(60, 3))]) for _ in range(4)]
    found = stability_of(same)
    assert found.mean_r[0] > 0.99
    assert found.mean_r[1:].max() < 0.9


def test_a_code_that_another_fit_lacks_counts_as_not_found():
    x = np.random.default_rng(0).normal(size=(30, 3))
    found = stability_of([x, x[:, :2]])
    np.testing.assert_allclose(np.sort(found.mean_r), [0, 1, 1], atol=1e-9)


def test_correlations_agree_with_numpy():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    np.testing.assert_allclose(correlations(a, b), np.corrcoef(a.T, b.T)[:3, 3:], atol=1e-12)


# --- in a fold


def test_codes_know_nobody_but_the_training_patients(maps):
    changed = maps.copy()
    changed[30:] = smooth_maps(10, np.random.default_rng(9), rings=RINGS, angles=ANGLES)
    before = fit_codes("autoencoder", maps[:30], None, QUICK, context())
    after = fit_codes("autoencoder", changed[:30], None, QUICK, context())
    np.testing.assert_array_equal(before.codes.encoder, after.codes.encoder)


@pytest.mark.parametrize("kind", ["rotated", "paper", "paper_relu"])
def test_codes_come_back_from_their_files(maps, tmp_path, kind):
    settings = QUICK.model_copy(update={"kind": kind, "n_steps": 20})
    fitted = fit_codes("autoencoder", maps, None, settings, context())
    fitted.save(tmp_path)
    opened = FittedCodes.open(tmp_path)
    np.testing.assert_allclose(
        opened.codes.encode(maps), fitted.codes.encode(maps), rtol=1e-4, atol=1e-4
    )
    assert (opened.stable, opened.mean_r, opened.notes) == (
        fitted.stable, fitted.mean_r, fitted.notes,
    )  # fmt: skip
    assert {file.suffix for file in tmp_path.iterdir()} == {".safetensors", ".json"}


def test_two_rows_of_a_fold_stand_on_the_same_codes(maps, tmp_path):
    first, second = (
        fit_codes("autoencoder", maps, None, QUICK, context(model=row, cache=tmp_path))
        for row in ("autoencoder", "clinical_autoencoder")
    )
    np.testing.assert_array_equal(first.codes.encoder, second.codes.encoder)
    assert len(list((tmp_path / "spect_polar_codes").iterdir())) == 1


def test_other_maps_settings_or_folds_make_other_codes_in_the_cache(maps, tmp_path):
    cached = context(cache=tmp_path)
    fit_codes("autoencoder", maps, None, QUICK, cached)
    fit_codes("autoencoder", maps[:30], None, QUICK, cached)
    fit_codes("autoencoder", maps, None, QUICK.model_copy(update={"max_epochs": 2}), cached)
    fit_codes("autoencoder", maps, None, QUICK, cached.replace(fold="r0-f1"))
    fit_codes("autoencoder", maps[:30], maps[30:], QUICK, cached)
    assert len(list((tmp_path / "spect_polar_codes").iterdir())) == 5


def test_the_first_code_of_a_planted_delay_delays_the_right_segments():
    features, _ = example_patients(
        np.repeat([1.0, 0.0], 25), planted=Planted(mean_deg=60.0), rings=RINGS, angles=ANGLES
    )
    maps = features["phase"].in_units()
    fitted = fit_codes("autoencoder", maps, None, QUICK, context())
    low, _, high = fitted.codes.along(0)
    change = (high - low + 180) % 360 - 180
    late = np.isin(cells_of(RINGS, ANGLES), Planted().segments)
    sign = np.sign(change[late].mean())
    assert (sign * change[late]).mean() > 45
    assert abs(change[~late].mean()) < 35
