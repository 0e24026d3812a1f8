"""AUCs, their variances and tests against pROC, against analytic truth, and what is refused."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cardio_core.testing import refuses
from cardio_stats import (
    auc,
    auc_noninferiority,
    delong_covariance,
    delong_paired,
    delong_unpaired,
    roc_curve,
)
from cardio_stats.errors import DataError

from .from_r import integers, oracle

# Made by oracles/discrimination.R with R 4.2.2 and pROC 1.18.0
R: dict[str, Any] = oracle("discrimination")
SETS: dict[str, Any] = R["sets"]
# Made by oracles/roc.R with R 4.2.2 and pROC 1.18.0 on the same rows
INTERVALS: dict[str, Any] = oracle("roc")["intervals"]


def rows_of(recipe: dict[str, int]) -> pd.DataFrame:
    """Make the rows that discrimination.R made, from integers alone."""
    u = integers(recipe["seed"], recipe["n"], 4)
    y = (u[:, 0] % 1000 < recipe["per_mille"]).astype(int)
    cluster = u[:, 3] % recipe["n_clusters"]
    common = u[:, 1] % recipe["spread"] + recipe["cluster_weight"] * (cluster % 7)
    return pd.DataFrame(
        {
            "y": y,
            "cluster": cluster,
            "a": common + recipe["shift_a"] * y,
            "b": common + u[:, 2] % recipe["spread"] + recipe["shift_b"] * y,
        }
    )


DATA = {name: rows_of(found["recipe"]) for name, found in SETS.items()}


def normal_scores(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    return labels, rng.normal(size=n) + labels, rng.normal(size=n) + labels


@pytest.mark.parametrize("name", SETS)
def test_the_recipe_makes_the_rows_that_r_made(name: str) -> None:
    sums = SETS[name]["n_positive"], SETS[name]["sum_a"], SETS[name]["sum_b"]
    assert (DATA[name].y.sum(), DATA[name].a.sum(), DATA[name].b.sum()) == sums


@pytest.mark.parametrize("name", SETS)
def test_areas_variances_and_covariance_agree_with_proc(name: str) -> None:
    rows, expected = DATA[name], SETS[name]
    found = delong_covariance(rows.y, rows.a, rows.b)
    np.testing.assert_allclose(found.aucs, expected["auc"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.diag(found.covariance), expected["var"], rtol=1e-9)
    np.testing.assert_allclose(found.covariance[0, 1], expected["cov"], rtol=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_the_plain_interval_agrees_with_ci_auc(name: str) -> None:
    rows, expected = DATA[name], SETS[name]
    found, narrow = (auc(rows.y, rows.a, level=x, interval="delong") for x in (0.95, 0.9))
    np.testing.assert_allclose([found.low, found.high], expected["ci_a"], rtol=0, atol=1e-9)
    np.testing.assert_allclose([narrow.low, narrow.high], expected["ci_a_90"], rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_the_paired_test_agrees_with_roc_test(name: str) -> None:
    rows, expected = DATA[name], SETS[name]["paired"]
    found = delong_paired(rows.y, rows.a, rows.b, interval="delong")
    assert found.extra["z"] == pytest.approx(expected["z"], rel=1e-9)
    assert found.p_value == pytest.approx(expected["p"], rel=1e-9, abs=1e-15)
    assert [found.low, found.high] == pytest.approx(expected["ci"], abs=1e-9)


@pytest.mark.parametrize("name", [name for name in SETS if name != "small"])
def test_the_unpaired_test_agrees_with_roc_test(name: str) -> None:
    rows, expected = DATA[name], SETS[name]["unpaired"]
    one, other = rows[rows.cluster % 2 == 0], rows[rows.cluster % 2 == 1]
    found = delong_unpaired(one.y, one.a, other.y, other.b)
    assert found.extra["t"] == pytest.approx(expected["t"], rel=1e-9)
    assert found.extra["df"] == pytest.approx(expected["df"], rel=1e-9)
    assert found.p_value == pytest.approx(expected["p"], rel=1e-9)


@pytest.mark.parametrize("name", [name for name in SETS if name != "large"])
def test_the_clustered_covariance_agrees_with_obuchowski_over_all_pairs(name: str) -> None:
    rows = DATA[name]
    found = delong_covariance(rows.y, rows.a, rows.b, patient=rows.cluster)
    np.testing.assert_allclose(found.covariance, SETS[name]["obuchowski"], rtol=1e-9)


def test_a_cluster_of_one_row_each_gives_delong() -> None:
    rows = DATA["medium"]
    alone = delong_covariance(rows.y, rows.a, rows.b)
    clustered = delong_covariance(rows.y, rows.a, rows.b, patient=np.arange(len(rows)))
    np.testing.assert_allclose(clustered.covariance, alone.covariance, rtol=1e-12)


def test_repeating_every_row_changes_delong_but_not_its_clustered_form() -> None:
    rows = DATA["medium"]
    twice = pd.concat([rows, rows])
    patient = np.tile(np.arange(len(rows)), 2)
    once = auc(rows.y, rows.a)
    assert auc(twice.y, twice.a).extra["se"] == pytest.approx(once.extra["se"] / 2**0.5, rel=0.02)
    clustered = auc(twice.y, twice.a, patient=patient)
    assert clustered.extra["se"] == pytest.approx(once.extra["se"], rel=1e-9)
    assert (clustered.n, clustered.unit, clustered.n_patients) == (200, "patient", 200)


def test_the_logit_interval_is_the_delta_method_and_stays_inside() -> None:
    rows = DATA["rare"]
    found = auc(rows.y, rows.a, interval="logit")
    odds = np.log(found.value / (1 - found.value))
    half = found.extra["se"] / (found.value * (1 - found.value))
    half *= INTERVALS["rare"]["t_975"]
    assert [found.low, found.high] == pytest.approx(
        [1 / (1 + np.exp(-(odds - half))), 1 / (1 + np.exp(-(odds + half)))], abs=1e-12
    )


@pytest.mark.parametrize("name", SETS)
def test_degrees_of_freedom_and_limits_are_those_of_welch_in_r(name: str) -> None:
    rows, expected = DATA[name], INTERVALS[name]
    found = auc(rows.y, rows.a, interval="logit")
    assert found.extra["df"] == pytest.approx(expected["df"], rel=1e-9)
    assert found.extra["t"] == pytest.approx(expected["t"], rel=1e-9)
    assert found.p_value == pytest.approx(expected["p"], rel=1e-8, abs=1e-15)
    assert [found.low, found.high] == pytest.approx(expected["logit"], abs=1e-9)
    paired = delong_paired(rows.y, rows.a, rows.b, interval="t")
    assert paired.extra["df"] == pytest.approx(expected["paired_df"], rel=1e-9)
    assert paired.p_value == pytest.approx(expected["paired_p"], rel=1e-8, abs=1e-15)
    assert [paired.low, paired.high] == pytest.approx(expected["paired"], abs=1e-9)


@pytest.mark.parametrize("name", [name for name in SETS if name != "large"])
def test_degrees_of_freedom_of_clusters_are_satterthwaites_in_r(name: str) -> None:
    rows, expected = DATA[name], INTERVALS[name]["clustered_df"]
    found = auc(rows.y, rows.a, patient=rows.cluster, interval="logit")
    assert found.extra["df"] == pytest.approx(expected, rel=1e-9)


def test_the_interval_is_chosen_by_the_units_of_each_class_and_the_area() -> None:
    def method(n_positive: int, n_negative: int, shift: float, **more: Any) -> str:
        labels = np.repeat([1, 0], [n_positive, n_negative])
        score = np.random.default_rng(1).normal(size=labels.size) + shift * labels
        return auc(labels, score, **more).method

    assert method(200, 200, 1.0) == "DeLong"
    assert method(200, 200, -1.0) == "DeLong"
    assert method(199, 2000, 1.0) == "DeLong, logit interval with t"
    assert method(2000, 199, 1.0) == "DeLong, logit interval with t"
    assert method(200, 200, 2.5) == "DeLong, logit interval with t"  # the area is .96
    of_patients = method(400, 400, 1.0, patient=np.arange(800) // 2)
    assert of_patients == "DeLong clustered (Obuchowski 1997)"
    of_few = method(400, 400, 1.0, patient=np.arange(800) // 4)
    assert of_few == "DeLong clustered (Obuchowski 1997), logit interval with t"


@given(st.integers(0, 10_000), st.sampled_from(["delong", "logit"]))
def test_p_is_below_five_per_cent_just_where_the_interval_leaves_one_half_out(
    seed: int, interval: Any
) -> None:
    labels, score, other = normal_scores(16, seed)
    found = auc(labels, score - 0.7 * labels, interval=interval)
    paired = delong_paired(labels, score, other, interval="t")
    if found.p_value is not None:
        assert (found.p_value < 0.05) == (not found.low <= 0.5 <= found.high)
    if paired.p_value is not None:  # two scores may rank all pairs alike
        assert (paired.p_value < 0.05) == (not paired.low <= 0 <= paired.high)


@given(st.integers(0, 10_000))
def test_a_rising_transform_changes_nothing(seed: int) -> None:
    labels, score, other = normal_scores(30, seed)
    plain = delong_paired(labels, score, other)
    transformed = delong_paired(labels, np.exp(score), other**3)
    assert transformed.value == plain.value
    assert transformed.p_value == pytest.approx(plain.p_value, rel=1e-12)


@given(st.permutations(range(20)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    labels, score, other = normal_scores(20, 4)
    plain = delong_paired(labels, score, other)
    shuffled = delong_paired(labels[order], score[order], other[order])
    assert shuffled.value == plain.value
    assert shuffled.p_value == pytest.approx(plain.p_value, rel=1e-12)


@settings(max_examples=50)
@given(
    arrays(np.int64, 15, elements=st.integers(0, 4)),
    arrays(np.int64, 15, elements=st.integers(0, 1)),
)
def test_the_area_is_the_share_of_pairs_ranked_rightly(
    score: np.ndarray, labels: np.ndarray
) -> None:
    labels[:4] = [0, 0, 1, 1]
    positive, negative = score[labels == 1], score[labels == 0]
    pairs = [(p > q) + 0.5 * (p == q) for p in positive for q in negative]
    assert auc(labels, score).value == pytest.approx(np.mean(pairs), abs=1e-12)


def test_the_roc_curve_encloses_the_area() -> None:
    rows = DATA["ties"]
    curve = roc_curve(rows.y, rows.a)
    assert np.trapezoid(curve.tpr, curve.fpr) == pytest.approx(auc(rows.y, rows.a).value, abs=1e-12)
    at = 3
    called = rows.a >= curve.thresholds[at]
    assert curve.tpr[at] == pytest.approx(called[rows.y == 1].mean())
    assert curve.fpr[at] == pytest.approx(called[rows.y == 0].mean())


def test_perfect_separation_gets_newcombes_interval_and_says_so() -> None:
    found = auc([0] * 18 + [1] * 11, np.arange(29.0))
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.8 < found.low < 0.9
    assert "Newcombe" in found.method
    assert "variance is 0" in found.note


def test_rows_with_missing_values_are_dropped_and_counted() -> None:
    labels = [0, 0, 1, 1, None, 1, 0]
    score = [1.0, 3.0, 2.0, 4.0, 5.0, np.nan, 0.0]
    found = auc(labels, score)
    assert (found.n, found.n_dropped) == (5, 2)
    assert found.value == auc([0, 0, 1, 1, 0], [1.0, 3, 2, 4, 0]).value
    by_patient = auc(
        pd.Series([0, 1] * 10, dtype="Int64"), np.arange(20), patient=[*range(19), None]
    )
    assert (by_patient.n, by_patient.n_dropped) == (19, 1)


def test_equal_scores_differ_by_nothing_with_p_one() -> None:
    labels, score, _ = normal_scores(20, 1)
    found = delong_paired(labels, score, 2 * score)
    assert (found.value, found.p_value, found.low, found.high) == (0.0, 1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("labels", "score", "says"),
    [
        ([0, 0, 0], [1, 2, 3], "both classes"),
        ([0, 1, 2], [1, 2, 3], "labels 0 and 1"),
        ([0, 1, 1], ["a", "b", "c"], "found text"),
        ([0, 1], [1, 2, 3], "one length"),
        ([0, 1, 1], [np.nan] * 3, "found none"),
        ([0, 1, 1], [1, 2, np.inf], "infinite"),
        ([], [], "found none"),
        ([0, 1, 1], [1, 2, 3], "at least 2 rows of each class"),
    ],
)
def test_unusable_columns_are_refused_in_one_line(labels: list, score: list, says: str) -> None:
    with pytest.raises(DataError, match=says) as refusal:
        auc(labels, score)
    assert "\n" not in str(refusal.value)


def test_a_handful_of_patients_is_refused() -> None:
    with refuses(DataError, "patients", "5", "2", code="too_few"):
        auc([0, 1, 0, 1], [1, 2, 3, 4], patient=["a", "a", "b", "b"])


def test_different_perfect_areas_are_refused() -> None:
    with refuses(DataError, code="degenerate"):
        delong_paired([0, 0, 1, 1], [1, 2, 3, 4], [4, 3, 2, 1])


def test_two_perfect_scores_that_rank_differently_get_no_interval_of_width_zero() -> None:
    found = delong_paired([0, 0, 0, 1, 1, 1], [1, 2, 3, 4, 5, 6], [3, 2, 1, 6, 5, 4])
    assert (found.value, found.p_value, found.low, found.high) == (0.0, 1.0, None, None)
    assert "variance is 0" in found.note


@pytest.mark.parametrize("name", ["medium", "large", "ties"])
def test_noninferiority_takes_its_error_from_proc(name: str) -> None:
    rows, oracle = DATA[name], SETS[name]
    gap = oracle["auc"][0] - oracle["auc"][1]
    se = np.sqrt(sum(oracle["var"]) - 2 * oracle["cov"])
    found = auc_noninferiority(rows["y"], rows["a"], rows["b"], margin=0.03, interval="delong")
    assert found.p_value == pytest.approx(NormalDist().cdf(-(gap + 0.03) / se), rel=1e-6)
    assert found.low == pytest.approx(gap - 1.959963984540054 * se, abs=1e-9)
    assert (found.high, found.level) == (None, 0.975)
    assert found.extra["noninferior"] == (found.low > -0.03) == (found.p_value < 0.025)


def test_a_loss_of_the_margin_is_called_noninferior_as_often_as_alpha_allows() -> None:
    rng, n, called = np.random.default_rng(21), 600, 0
    labels = np.arange(120) % 2
    # AUCs of normal scores that lie 1.0 and 0.8 apart: .760 and .714
    margin = NormalDist().cdf(1.0 / np.sqrt(2)) - NormalDist().cdf(0.8 / np.sqrt(2))
    for _ in range(n):
        shared = rng.normal(size=120)
        better, worse = (
            (shared + rng.normal(size=120)) / np.sqrt(2) + apart * labels for apart in (1.0, 0.8)
        )
        found = auc_noninferiority(labels, worse, better, margin=margin)
        called += bool(found.extra["noninferior"])
    assert 0.01 <= called / n <= 0.045


@pytest.mark.parametrize(
    ("scores", "margin", "says"),
    [(([1, 2, 3, 4], [2, 1, 4, 3]), 0.0, "loss of AUC above 0"),
     (([1, 2, 3, 4], [1, 2, 3, 4]), 0.1, "scores that differ")],
)  # fmt: skip
def test_noninferiority_that_cannot_be_asked(scores: Any, margin: float, says: str) -> None:
    with pytest.raises(DataError, match=says):
        auc_noninferiority([0, 0, 1, 1], *scores, margin=margin)
