"""Two-by-two tables, thresholds, McNemar's test and average precision against other libraries."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats
from sklearn.metrics import average_precision_score, balanced_accuracy_score, f1_score
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep

from cardio_core.testing import refuses
from cardio_stats import (
    Threshold,
    confusion_metrics,
    mcnemar,
    paired_proportions,
    pr_auc,
    proportion,
    threshold_metrics,
    youden_threshold,
)
from cardio_stats.errors import DataError


def scored(n: int = 300, seed: int = 0, *, n_patients: int = 60) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.35).astype(int)
    patient = np.arange(n) % n_patients
    score = np.round(labels + rng.normal(size=n_patients)[patient] + rng.normal(size=n), 1)
    return labels, score, patient


def test_rates_of_a_table_are_its_fractions_with_wilsons_limits() -> None:
    found = confusion_metrics(tp=44, fn=2, tn=12, fp=13, unit="patient")
    for name, k, n in [
        ("sensitivity", 44, 46),
        ("specificity", 12, 25),
        ("ppv", 44, 57),
        ("npv", 12, 14),
        ("accuracy", 56, 71),
    ]:
        expected = proportion(k, n)
        assert (found[name].value, found[name].low, found[name].high, found[name].n) == (
            k / n, expected.low, expected.high, n,
        )  # fmt: skip
    assert found["f1"].value == pytest.approx(88 / 103)
    assert found["balanced_accuracy"].value == pytest.approx((44 / 46 + 12 / 25) / 2)
    assert {each.threshold_source for each in found.values()} == {"as published"}


def test_youdens_interval_is_newcombes_for_a_difference_of_proportions() -> None:
    found = confusion_metrics(tp=44, fn=2, tn=12, fp=13)["youden"]
    expected = confint_proportions_2indep(44, 46, 13, 25, method="newcomb")
    assert [found.low, found.high] == pytest.approx(expected, abs=1e-12)


def test_f1_limits_cover_and_hold_at_the_edge() -> None:
    rng = np.random.default_rng(1)
    shares = np.array([0.25, 0.1, 0.5, 0.15])
    true_f1 = 2 * 0.25 / (2 * 0.25 + 0.25)
    hits = 0
    for tp, fn, tn, fp in rng.multinomial(80, shares, size=1000):
        f1 = confusion_metrics(tp=tp, fn=fn, tn=tn, fp=fp)["f1"]
        hits += f1.low <= true_f1 <= f1.high
    assert 0.93 <= hits / 1000 <= 0.97
    perfect = confusion_metrics(tp=10, fn=0, tn=5, fp=0)["f1"]
    assert perfect.high == 1.0
    assert 0.7 < perfect.low < 1


def test_a_rate_without_a_denominator_is_left_out() -> None:
    found = confusion_metrics(tp=0, fn=5, tn=7, fp=0)
    assert "ppv" not in found
    assert found["sensitivity"].value == 0.0
    assert set(confusion_metrics(tp=0, fn=0, tn=7, fp=0)) == {"specificity", "npv", "accuracy"}


def test_a_score_at_the_threshold_is_called_positive() -> None:
    found = threshold_metrics([0, 0, 1, 1], [1, 2, 2, 3], Threshold(2, "fixed"))
    assert (found["sensitivity"].value, found["specificity"].value) == (1.0, 0.5)
    assert found["ppv"].threshold_source == "fixed"
    assert found["ppv"].extra["threshold"] == 2


def test_rates_at_a_threshold_agree_with_sklearn_with_and_without_patients() -> None:
    labels, score, patient = scored()
    called = score >= 0.5
    for clusters in (None, patient):
        found = threshold_metrics(labels, score, Threshold(0.5, "fixed"), patient=clusters)
        assert found["f1"].value == pytest.approx(f1_score(labels, called))
        assert found["balanced_accuracy"].value == pytest.approx(
            balanced_accuracy_score(labels, called)
        )
        assert found["accuracy"].low < found["accuracy"].value < found["accuracy"].high
    assert (found["f1"].n, found["f1"].unit, found["f1"].extra["n_rows"]) == (60, "patient", 300)


def test_patients_that_repeat_widen_the_interval() -> None:
    labels, score, _ = scored(n=80, n_patients=80)
    repeated = [np.repeat(column, 10) for column in (labels, score, np.arange(80))]
    cut = Threshold(0.5, "fixed")
    by_row = threshold_metrics(repeated[0], repeated[1], cut)["accuracy"]
    by_patient = threshold_metrics(repeated[0], repeated[1], cut, patient=repeated[2])["accuracy"]
    once = threshold_metrics(labels, score, cut)["accuracy"]
    assert by_patient.high - by_patient.low > 2.5 * (by_row.high - by_row.low)
    assert by_patient.high - by_patient.low == pytest.approx(once.high - once.low, rel=0.1)


def test_the_youden_threshold_is_the_best_of_all_cuts() -> None:
    labels, score, _ = scored()
    chosen = youden_threshold(labels, score, source="inner folds")

    def youden(cut: float) -> float:
        called = score >= cut
        return called[labels == 1].mean() - called[labels == 0].mean()

    assert youden(chosen.value) == pytest.approx(max(youden(cut) for cut in np.unique(score)))
    assert chosen.value not in score
    assert chosen.source == "Youden on inner folds"


def test_the_youden_threshold_of_a_tie_calls_most_positive() -> None:
    assert youden_threshold([0, 1, 0, 1], [1, 2, 3, 4], source="x").value == 1.5


@pytest.mark.parametrize(("b", "c"), [(5, 0), (3, 9), (4, 4), (1, 0), (20, 35)])
def test_mcnemar_agrees_with_statsmodels(b: int, c: int) -> None:
    expected = statsmodels_mcnemar([[10, b], [c, 20]], exact=True).pvalue
    assert mcnemar(b, c).p_value == pytest.approx(expected, abs=1e-12)


def test_mid_p_takes_off_the_chance_of_the_observed_table() -> None:
    exact, mid = mcnemar(3, 9), mcnemar(3, 9, tail="mid-p")
    observed = scipy_stats.binom.pmf(3, 12, 0.5)
    assert mid.p_value == pytest.approx(exact.p_value - observed, abs=1e-12)


def test_paired_proportions_count_their_discordant_pairs() -> None:
    first = [1, 1, 1, 0, 0, 1, None, 1]
    second = [1, 0, 0, 1, 0, 0, 1, None]
    found = paired_proportions(first, second, unit="patient")
    assert found.value == pytest.approx((3 - 1) / 6)
    assert (found.n, found.n_patients, found.n_dropped) == (6, 6, 2)
    assert found.p_value == mcnemar(3, 1).p_value
    # Agresti and Min: the table plus one half a cell, here 3.5 and 1.5 of 8
    centre, se = 2 / 8, np.sqrt((5 / 8 - (2 / 8) ** 2) / 8)
    assert [found.low, found.high] == pytest.approx(
        [centre - 1.959964 * se, centre + 1.959964 * se]
    )
    assert paired_proportions([1, 0], [1, 0]).p_value == 1.0


@pytest.mark.parametrize("seed", range(4))
def test_average_precision_agrees_with_sklearn(seed: int) -> None:
    labels, score, patient = scored(seed=seed)
    expected = average_precision_score(labels, score)
    found = pr_auc(labels, score)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.extra["prevalence"] == labels.mean()
    assert pr_auc(labels, score, patient=patient, n_resamples=50).value == found.value


def test_average_precision_of_weighted_rows_agrees_with_sklearn() -> None:
    labels, score, _ = scored(seed=3)
    both = pr_auc(labels, score, method="bootstrap", seed=5, n_resamples=3)
    counts = [
        np.bincount(drawn, minlength=300)
        for drawn in np.random.default_rng(5).integers(0, 300, size=(3, 300))
    ]
    areas = [average_precision_score(labels, score, sample_weight=row) for row in counts]
    assert both.extra["se"] == pytest.approx(np.std(areas, ddof=1), rel=1e-9)


def test_both_intervals_of_average_precision_agree_on_many_rows() -> None:
    labels, score, _ = scored(2000, n_patients=2000)
    by_logit = pr_auc(labels, score)
    by_bootstrap = pr_auc(labels, score, method="bootstrap", n_resamples=1000)
    width = by_bootstrap.high - by_bootstrap.low
    assert by_logit.high - by_logit.low == pytest.approx(width, rel=0.25)


def test_what_has_no_answer_is_refused() -> None:
    labels, score, patient = scored()
    with refuses(DataError, "method", "bootstrap", code="unsupported"):
        pr_auc(labels, score, patient=patient, method="logit")
    with refuses(DataError, "mcnemar", code="too_few"):
        mcnemar(0, 0)
    with refuses(DataError, code="out_of_range"):
        confusion_metrics(tp=0, fn=0, tn=0, fp=0)
    with refuses(DataError, "threshold", code="not_a_number"):
        threshold_metrics(labels, score, Threshold(float("nan"), "fixed"))
    with refuses(DataError, "patients", "5", code="too_few"):
        threshold_metrics([0, 1], [1, 2], Threshold(1, "fixed"), patient=[1, 2])
