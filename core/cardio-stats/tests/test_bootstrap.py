"""Bootstrap resamples, their fast paths and intervals, against sklearn, scipy and arithmetic."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats
from sklearn.metrics import f1_score, roc_auc_score

from cardio_stats import (
    auc,
    bootstrap,
    bootstrap_auc,
    bootstrap_auc_difference,
    bootstrap_sums,
    delong_paired,
)
from cardio_stats._numerics.options import Sampling
from cardio_stats.auc_covariance import ClusterPairs, RankedRows, cluster_jackknife
from cardio_stats.errors import DataError
from cardio_stats.resampling import Units, resample


def clustered_rows(
    n_clusters: int = 60, size: int = 6, *, seed: int = 0, decimals: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores with ties, and patients whose rows resemble each other."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_clusters), size)
    own = rng.normal(size=n_clusters)[patient]
    labels = (rng.random(patient.size) < 0.4).astype(int)
    score = np.round(labels + own + rng.normal(size=patient.size), decimals)
    return labels, score, patient


@pytest.mark.parametrize("decimals", [0, 8])
def test_weighted_rows_have_the_area_that_sklearn_finds(decimals: int) -> None:
    labels, score, _ = clustered_rows(decimals=decimals)
    counts = Units(labels.size).draw(np.random.default_rng(1), 30)
    found = RankedRows.of(labels == 1, score, None).aucs(counts)
    expected = [roc_auc_score(labels, score, sample_weight=row) for row in counts]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("decimals", [0, 8])
def test_both_forms_of_weighted_clusters_have_the_area_that_sklearn_finds(decimals: int) -> None:
    labels, score, patient = clustered_rows(decimals=decimals)
    counts = Units(60).draw(np.random.default_rng(1), 30)
    expected = [roc_auc_score(labels, score, sample_weight=row[patient]) for row in counts]
    by_row = RankedRows.of(labels == 1, score, patient).aucs(counts)
    by_pair = ClusterPairs.of(labels == 1, score, patient, 60).aucs(counts)
    np.testing.assert_allclose(by_row, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(by_pair, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("by_patient", [False, True])
def test_the_jackknife_leaves_each_unit_out_once(by_patient: bool) -> None:
    labels, score, patient = clustered_rows(12, 5)
    units = patient if by_patient else np.arange(labels.size)
    found = cluster_jackknife(labels == 1, score, units if by_patient else None)
    expected = [
        roc_auc_score(labels[units != unit], score[units != unit]) for unit in np.unique(units)
    ]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_counts_follow_the_multinomial_distribution() -> None:
    counts = Units(3).draw(np.random.default_rng(5), 27_000)
    outcomes = list(product(range(3), repeat=3))
    expected: dict[tuple[int, ...], int] = {}
    for outcome in outcomes:
        key = tuple(np.bincount(outcome, minlength=3))
        expected[key] = expected.get(key, 0) + 1000
    observed = [int((counts == key).all(axis=1).sum()) for key in expected]
    assert sum(observed) == 27_000
    assert scipy_stats.chisquare(observed, list(expected.values())).pvalue > 0.001


def test_strata_keep_their_sizes() -> None:
    strata = (np.array([0, 3, 4]), np.array([1, 2]))
    counts = Units(5, strata).draw(np.random.default_rng(0), 200)
    assert set(counts[:, [0, 3, 4]].sum(axis=1)) == {3.0}
    assert set(counts[:, [1, 2]].sum(axis=1)) == {2.0}


def test_resamples_do_not_depend_on_the_size_of_a_block() -> None:
    def first_unit(counts: np.ndarray) -> np.ndarray:
        return counts[:, :1]

    whole = resample(first_unit, Units(50), Sampling(n_resamples=300, seed=7))
    in_blocks = resample(
        first_unit, Units(50), Sampling(n_resamples=300, seed=7), cells_per_block=350
    )
    np.testing.assert_array_equal(whole.values, in_blocks.values)


def test_the_spread_of_row_resamples_is_delongs_error() -> None:
    labels, score, _ = clustered_rows(300, 1)
    found = bootstrap_auc(labels, score, n_resamples=10_000, seed=2)
    assert found.extra["se"] == pytest.approx(auc(labels, score).extra["se"], rel=0.03)
    assert found.value == auc(labels, score).value


def test_the_spread_of_patient_resamples_is_obuchowskis_error() -> None:
    labels, score, patient = clustered_rows(300, 5)
    found = bootstrap_auc(labels, score, patient=patient, n_resamples=5_000, seed=2)
    expected = auc(labels, score, patient=patient).extra["se"]
    assert found.extra["se"] == pytest.approx(expected, rel=0.04)
    assert (found.n, found.unit, found.n_patients, found.extra["n_rows"]) == (
        300, "patient", 300, 1500,
    )  # fmt: skip


def test_both_forms_of_a_patient_bootstrap_give_the_same_interval() -> None:
    labels, score, patient = clustered_rows(60, 6)
    few = bootstrap_auc(labels, score, patient=patient, n_resamples=10, seed=3)
    many = bootstrap_auc(labels, score, patient=patient, n_resamples=400, seed=3)
    repeated = [bootstrap_auc(labels, score, patient=patient, n_resamples=400, seed=3)]
    assert repeated == [many]
    assert few.value == many.value


def test_the_paired_difference_agrees_with_delong() -> None:
    labels, score, _ = clustered_rows(400, 1)
    other = score + np.random.default_rng(9).normal(size=400)
    found = bootstrap_auc_difference(labels, score, other, n_resamples=10_000, seed=4)
    expected = delong_paired(labels, score, other)
    assert found.value == pytest.approx(expected.value, abs=1e-12)
    assert [found.low, found.high] == pytest.approx([expected.low, expected.high], abs=0.006)
    assert found.p_value == pytest.approx(expected.p_value, abs=0.01)


def test_one_class_resamples_are_drawn_again_and_counted() -> None:
    labels, score = [0] * 8 + [1] * 2, [1, 2, 3, 4, 5, 6, 7, 10, 8, 9]
    found = bootstrap_auc(labels, score, n_resamples=10_000, seed=5)
    one_class = 0.8**10 + 0.2**10
    expected = 10_000 * one_class / (1 - one_class)
    assert found.extra["n_redrawn"] == pytest.approx(expected, abs=4 * expected**0.5)
    stratified = bootstrap_auc(labels, score, stratify=True, seed=5)
    assert stratified.extra["n_redrawn"] == 0


def test_the_order_of_rows_does_not_change_a_row_bootstrap() -> None:
    labels, score, _ = clustered_rows(50, 1)
    order = np.random.default_rng(0).permutation(50)
    assert bootstrap_auc(labels, score, seed=1) == bootstrap_auc(
        labels[order], score[order], seed=1
    )


def test_the_seed_decides_the_interval() -> None:
    labels, score, patient = clustered_rows()
    one, same, other = (
        bootstrap_auc(labels, score, patient=patient, seed=seed) for seed in (1, 1, 2)
    )
    assert one == same
    assert (one.low, one.high) != (other.low, other.high)


def test_bca_agrees_with_scipy_on_a_skewed_mean() -> None:
    sample = np.random.default_rng(3).lognormal(size=40)
    found = bootstrap(np.mean, sample, interval="bca", n_resamples=20_000, seed=1)
    expected = scipy_stats.bootstrap(
        (sample,), np.mean, method="BCa", n_resamples=20_000, rng=np.random.default_rng(1)
    ).confidence_interval
    tolerance = 0.05 * found.extra["se"]
    assert [found.low, found.high] == pytest.approx([*expected], abs=tolerance)
    plain = bootstrap(np.mean, sample, n_resamples=20_000, seed=1)
    assert found.high > plain.high + tolerance


def test_bca_of_an_area_agrees_with_the_general_bootstrap() -> None:
    labels, score, patient = clustered_rows(40, 4)
    fast = bootstrap_auc(labels, score, patient=patient, interval="bca", seed=6, n_resamples=100)
    slow = bootstrap(
        roc_auc_score, (labels, score), patient=patient, interval="bca", seed=6, n_resamples=100
    )
    assert [fast.low, fast.high] == pytest.approx([slow.low, slow.high], abs=1e-9)


def test_f1_from_cluster_sums_agrees_with_resampling_the_rows() -> None:
    labels, score, patient = clustered_rows(30, 8)
    called = (score > 0.5).astype(int)
    rows = np.stack([labels * called, labels, called], axis=1)

    def f1(sums: np.ndarray) -> np.ndarray:
        return (2 * sums[..., :1]) / (sums[..., 1:2] + sums[..., 2:])

    [fast] = bootstrap_sums(
        rows, f1, ["f1"], patient=patient, interval="bca", seed=8, n_resamples=100
    )
    slow = bootstrap(
        f1_score, (labels, called), patient=patient, interval="bca", seed=8, n_resamples=100
    )
    assert fast.value == pytest.approx(slow.value)
    assert [fast.low, fast.high] == pytest.approx([slow.low, slow.high], abs=1e-9)


def test_a_table_is_resampled_by_patient_with_its_rows_complete() -> None:
    frame = pd.DataFrame(
        {"patient": np.repeat(list("abcdefgh"), 2), "ef": np.arange(16.0), "sex": ["M", "F"] * 8}
    )
    frame.loc[3, "ef"] = np.nan
    found = bootstrap(
        lambda rows: rows.ef.mean(), frame, patient=frame.patient, name="mean_ef", seed=1
    )
    assert found.value == frame.ef.mean()
    assert (found.n, found.n_dropped, found.extra["n_rows"]) == (8, 1, 15)


def test_memory_is_bounded_by_the_rows_not_the_resamples() -> None:
    n = 200_000
    labels, score = np.arange(n) % 2, np.random.default_rng(0).normal(size=n)
    tracemalloc.start()
    bootstrap_auc(labels, score, n_resamples=12)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 12 * n * 8


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: bootstrap_auc([0, 1] * 2, range(4), patient=[1, 1, 2, 2]), "at least 5"),
        (lambda: bootstrap_auc([0, 1] * 9, range(18), n_resamples=1), "at least 2"),
        (
            lambda: bootstrap_auc(
                [0, 1] * 9, range(18), patient=np.repeat(range(9), 2), stratify=True
            ),
            "9 clusters in two or more",
        ),
        (lambda: bootstrap(np.mean, np.full(5, np.nan)), "found none of 5"),
        (lambda: bootstrap(lambda x: np.nan, np.arange(5.0)), "undefined"),
        (
            lambda: bootstrap(
                lambda x: 1.0 if np.unique(x).size == 20 else np.nan, np.arange(20.0)
            ),
            "too few units",
        ),
        (
            lambda: bootstrap(lambda x: np.unique(x).size, np.arange(30), interval="bca"),
            "percentile",
        ),
    ],
)
def test_what_cannot_be_resampled_is_refused(call: Callable[[], object], says: str) -> None:
    with pytest.raises(DataError, match=says):
        call()


def test_a_constant_statistic_says_that_it_is_constant() -> None:
    found = bootstrap(np.mean, np.ones(9), interval="bca")
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
    assert found.note == "every resample gives the same value"


def test_perfect_separation_by_patient_gets_newcombes_interval() -> None:
    labels = np.repeat([0, 1], 20)
    found = bootstrap_auc(labels, labels + 0.0, patient=np.repeat(range(20), 2))
    assert found.value == found.high == 1.0
    assert found.low == pytest.approx(auc(labels, labels, patient=np.repeat(range(20), 2)).low)
    assert "Newcombe" in found.note
