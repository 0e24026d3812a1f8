"""Parts of ROC curves, likelihood ratios, thresholds, power and several classes, against R."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri

from cardio_stats import (
    auc,
    binormal_power,
    closest_topleft_threshold,
    likelihood_ratios,
    multiclass_auc,
    partial_auc,
    pilot_power,
    rate_at,
    threshold_metrics,
    youden_threshold,
)
from cardio_stats.errors import DataError

from .from_r import integers, oracle

# Made by oracles/roc.R with R 4.2.2, pROC 1.18.0 and Hmisc 4.8.0, on the rows of discrimination.R
R: dict[str, Any] = oracle("roc")
ORACLE_SETS: dict[str, Any] = oracle("discrimination")["sets"]
RECIPES: dict[str, Any] = {name: made["recipe"] for name, made in ORACLE_SETS.items()}
PARTS: dict[str, Any] = R["parts"]


def made(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outcome and both scores as discrimination.R made them."""
    recipe = RECIPES[name]
    u = integers(recipe["seed"], recipe["n"], 4)
    y = (u[:, 0] % 1000 < recipe["per_mille"]).astype(int)
    effect = recipe["cluster_weight"] * (u[:, 3] % recipe["n_clusters"] % 7)
    common = u[:, 1] % recipe["spread"] + effect
    other = u[:, 2] % recipe["spread"]
    return y, common + recipe["shift_a"] * y, common + other + recipe["shift_b"] * y


DATA = {name: made(name) for name in PARTS}
FEW: dict[str, Any] = {"n_resamples": 20}


@pytest.mark.parametrize("name", PARTS)
def test_partial_areas_agree_with_proc(name: str) -> None:
    y, score, _ = DATA[name]
    expected = PARTS[name]
    assert partial_auc(y, score, **FEW).value == pytest.approx(
        expected["specificity_9_1"], abs=1e-12
    )
    by_sensitivity = partial_auc(y, score, between=(0.8, 1), of="sensitivity", **FEW)
    assert by_sensitivity.value == pytest.approx(expected["sensitivity_8_1"], abs=1e-12)
    corrected = partial_auc(y, score, between=(0.6, 0.8), of="sensitivity", corrected=True, **FEW)
    assert corrected.value == pytest.approx(expected["sensitivity_6_8_corrected"], abs=1e-12)
    whole = partial_auc(y, score, corrected=True, **FEW)
    if expected["specificity_9_1_corrected"] is None:  # pROC gives none below the diagonal
        assert whole.value < 0.5
        assert "below chance" in whole.note
    else:
        assert whole.value == pytest.approx(expected["specificity_9_1_corrected"], abs=1e-12)


@pytest.mark.parametrize("name", PARTS)
def test_the_interval_of_a_partial_area_is_procs_within_bootstrap_error(name: str) -> None:
    y, score, _ = DATA[name]
    found = partial_auc(y, score, between=(0.8, 1), n_resamples=4000)
    low, high = PARTS[name]["ci_specificity_8_1"]
    assert [found.low, found.high] == pytest.approx([low, high], abs=0.06 * (high - low))


@pytest.mark.parametrize("name", PARTS)
def test_rates_at_a_fixed_rate_agree_with_coords(name: str) -> None:
    y, score, _ = DATA[name]
    sensitivity = [rate_at(y, score, specificity=x, **FEW).value for x in (0.9, 0.8, 0.5)]
    specificity = [rate_at(y, score, sensitivity=x, **FEW).value for x in (0.9, 0.8, 0.5)]
    assert sensitivity == pytest.approx(PARTS[name]["sensitivity_at"], abs=1e-12)
    assert specificity == pytest.approx(PARTS[name]["specificity_at"], abs=1e-12)


@pytest.mark.parametrize("name", PARTS)
def test_their_percentile_intervals_are_those_of_ci_se_and_ci_sp(name: str) -> None:
    y, score, _ = DATA[name]
    drawn: dict[str, Any] = {"n_resamples": 2000, "interval": "percentile"}
    for fixed, of in (("specificity", "ci_se"), ("sensitivity", "ci_sp")):
        for value, (low, high) in zip((0.9, 0.5), PARTS[name][of], strict=True):
            found = rate_at(y, score, **{fixed: value}, **drawn)
            # one case or control may be the difference, where rates come in steps
            step = 1 / min(int(y.sum()), int((1 - y).sum())) if name == "rare" else 0.0
            near = max(0.06 * (high - low), step)
            assert [found.low, found.high] == pytest.approx([low, high], abs=near)


def test_the_whole_curve_is_the_area_and_a_transform_changes_nothing() -> None:
    y, score, _ = DATA["medium"]
    whole = partial_auc(y, score, between=(0, 1), **FEW)
    assert whole.value == pytest.approx(auc(y, score).value, abs=1e-12)
    part = partial_auc(y, score, **FEW)
    assert partial_auc(y, np.log(score + 1.0), **FEW).value == part.value
    by_patient = partial_auc(y, score, patient=np.arange(200) // 2, n_resamples=200)
    assert (by_patient.value, by_patient.unit, by_patient.n) == (part.value, "patient", 100)


def test_a_rate_of_0_or_1_says_that_its_interval_is_too_narrow() -> None:
    score = np.arange(40.0)
    found = rate_at(np.arange(40) % 4 == 0, -score, specificity=0.99, n_resamples=200)
    apart = rate_at((score > 25).astype(int), score + 9 * np.sin(score), specificity=0.3)
    assert (found.value, apart.value) == (pytest.approx(0.1), 1.0)
    assert "too narrow" not in found.note
    assert "too narrow" in apart.note or "no interval" in apart.note


def test_bca_covers_a_sensitivity_at_a_fixed_specificity() -> None:
    rng, hits, n_runs = np.random.default_rng(3), 0, 100
    shift = np.sqrt(2) * ndtri(0.8)
    truth = 0.4636  # normal scores: Φ(1.1902 − 1.2816), from tables
    y = np.repeat([1, 0], [50, 50])
    for _ in range(n_runs):
        found = rate_at(y, rng.normal(size=100) + shift * y, specificity=0.9, n_resamples=300)
        assert found.low is not None and found.high is not None
        hits += found.low <= truth <= found.high
    assert 0.88 <= hits / n_runs <= 0.99


@pytest.mark.parametrize("name", PARTS)
def test_thresholds_are_those_of_coords(name: str) -> None:
    y, score, _ = DATA[name]
    for choose, way in ((closest_topleft_threshold, "topleft"), (youden_threshold, "youden")):
        chosen = choose(y, score, source="these rows")
        assert chosen.value == PARTS[name][way][0]
        rates = threshold_metrics(y, score, chosen)
        found = [rates["specificity"].value, rates["sensitivity"].value]
        assert found == pytest.approx(PARTS[name][way][1:], abs=1e-12)


@pytest.mark.parametrize(("row", "cells"), [(1, (670, 74, 640, 202)), (2, (72, 25, 137, 9))])
def test_likelihood_ratios_are_what_hmisc_prints(
    row: int, cells: tuple[int, int, int, int]
) -> None:
    tp, fn, tn, fp = cells
    truth = np.repeat([1, 1, 0, 0], [tp, fn, tn, fp])
    called = np.repeat([1, 0, 0, 1], [tp, fn, tn, fp])
    found = likelihood_ratios(truth, called, source="fixed")
    for place, name in ((0, "likelihood_ratio_positive"), (4, "likelihood_ratio_negative")):
        printed = R["likelihood_ratios"][place + row].split()[:3]
        one = found[name]
        assert [f"{x:.3f}" for x in (one.value, one.low, one.high)] == printed


def test_an_infinite_likelihood_ratio_is_left_out_and_one_of_zero_has_no_interval() -> None:
    found = likelihood_ratios([1, 1, 0, 0], [1, 1, 0, 0], source="fixed")
    assert list(found) == ["likelihood_ratio_negative"]
    assert (found["likelihood_ratio_negative"].value, found["likelihood_ratio_negative"].low) == (
        0.0,
        None,
    )
    patients = np.arange(40) // 2
    rng = np.random.default_rng(0)
    labels, called = rng.integers(0, 2, 40), rng.integers(0, 2, 40)
    by_patient = likelihood_ratios(labels, called, source="fixed", patient=patients)
    assert by_patient["likelihood_ratio_positive"].n == 20
    assert "patient bootstrap" in by_patient["likelihood_ratio_positive"].method


def test_power_of_two_binormal_curves_is_procs() -> None:
    expected = R["power"]
    found = binormal_power(0.80, 0.72, correlation=0.5, prevalence=0.4, n=200)
    assert found.value == pytest.approx(expected["binormal_power"]["power"], rel=1e-9)
    needed = binormal_power(0.80, 0.72, correlation=0.5, prevalence=0.4)
    assert needed.extra["n_positive"] == pytest.approx(expected["binormal_n"]["ncases"], rel=1e-9)
    unequal = binormal_power(
        0.85, 0.75, correlation=0.3, prevalence=0.2, power=0.9, alpha=0.01, sd_ratio=0.7
    )
    assert unequal.extra["n_positive"] == pytest.approx(
        expected["unequal_spread_n"]["ncases"], rel=1e-9
    )


def test_power_of_a_pilots_curves_is_procs() -> None:
    y, a, b = DATA["rare"]
    expected = R["power"]["curves"]
    found = pilot_power(y, a, b, n=500, null_variance="first")
    assert found.value == pytest.approx(expected["power"]["power"], rel=1e-9)
    needed = pilot_power(y, a, b, power=0.9, null_variance="first")
    assert needed.extra["n_positive"] == pytest.approx(expected["n"]["ncases"], rel=1e-9)
    assert needed.value == np.ceil(expected["n"]["ncases"] + expected["n"]["ncontrols"])


def test_a_pilots_power_is_that_of_its_paired_test_whichever_score_comes_first() -> None:
    y, a, b = DATA["rare"]
    # The test statistic of pROC's paired test grows with the root of n; 1.645, 1.2816 and 1.96
    # are the 95, 90 and 97.5 % points of the normal distribution.
    z = ORACLE_SETS["rare"]["paired"]["z"]
    for scores in ((a, b), (b, a)):
        power = pilot_power(y, *scores, n=4 * len(y)).value
        assert power == pytest.approx(NormalDist().cdf(2 * z - 1.959964), abs=1e-6)
        needed = pilot_power(y, *scores, power=0.9, alpha=0.1)
        exact = len(y) * ((1.644854 + 1.281552) / z) ** 2
        assert needed.value == pytest.approx(exact, abs=1.01)
    assert pilot_power(y, a, b).value == pilot_power(y, b, a).value


def test_the_area_of_several_classes_is_procs() -> None:
    u = integers(97, 90, 5)
    several, own = u[:, 0] % 3, u[:, 1:4] % 10
    own[np.arange(90), several] += 3
    names = ["I", "II", "III"]
    labels = np.array(names)[several]
    found = multiclass_auc(labels, own, names, n_resamples=300)
    assert found["all"].value == pytest.approx(R["multiclass"]["all"], abs=1e-12)
    pairs = [found[pair].value for pair in ("I/II", "I/III", "II/III")]
    assert pairs == pytest.approx(R["multiclass"]["two"], abs=1e-12)
    assert found["all"].low < found["all"].value < found["all"].high
    patients = multiclass_auc(labels, own, names, n_resamples=300, patient=np.arange(90) // 3)
    assert (patients["all"].n, patients["all"].unit) == (30, "patient")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: partial_auc([0, 1] * 5, range(10), between=(1, 0.9)), "the lower first"),
        (lambda: rate_at([0, 1] * 5, range(10)), "one specificity or one sensitivity"),
        (lambda: rate_at([0, 1] * 5, range(10), specificity=90), "from 0 to 1"),
        (lambda: multiclass_auc(["a", "b"], [[1, 2], [2, 1]], ["a", "b"]), "three or more"),
        (
            lambda: multiclass_auc(list("abcd"), np.eye(4)[:, :3], list("abc")),
            "a score column for every class",
        ),
        (lambda: multiclass_auc(list("aab"), np.eye(3), list("abc")), "found none of c"),
        (lambda: binormal_power(0.8, 0.8, correlation=0.5, prevalence=0.4), "two different"),
        (lambda: pilot_power([0, 0, 1, 1], [1, 2, 2, 3], [1, 2, 2, 3]), "two different AUCs"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_one_line(call: Any, says: str) -> None:
    with pytest.raises(DataError, match=says) as refusal:
        call()
    assert "\n" not in str(refusal.value)
