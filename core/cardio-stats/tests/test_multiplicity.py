"""Many tests: adjustments against R, the max-T screen against theory, permuted pipelines."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardio_stats.auc_covariance import midrank_auc
from cardio_stats.errors import DataError
from cardio_stats.multiplicity import (
    adjust_p_values,
    benjamini_hochberg,
    bonferroni,
    holm,
    multiplicity_null,
)
from cardio_stats.screening import max_t_screen, permute_pipeline

from .from_r import oracle

# p.adjust of R 4.2.2, made by oracles/association.R
R: list[dict[str, Any]] = oracle("association")["adjusted"]
probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@pytest.mark.parametrize("case", R, ids=lambda c: f"{np.size(c['p'])} p-values")
def test_adjusted_p_values_agree_with_p_adjust(case: dict[str, Any]) -> None:
    p = np.atleast_1d(case["p"])
    assert holm(p) == pytest.approx(np.atleast_1d(case["holm"]), rel=1e-12)
    assert benjamini_hochberg(p) == pytest.approx(np.atleast_1d(case["bh"]), rel=1e-12)
    assert bonferroni(p) == pytest.approx(np.atleast_1d(case["bonferroni"]), rel=1e-12)


@settings(max_examples=40)
@given(probabilities)
def test_holm_lies_between_the_raw_and_bonferronis_p(p: list[float]) -> None:
    raw = np.array(p)
    assert (holm(raw) <= bonferroni(raw) + 1e-12).all()
    assert (holm(raw) >= benjamini_hochberg(raw) - 1e-12).all()
    assert (benjamini_hochberg(raw) >= raw * (1 - 1e-12)).all()


@settings(max_examples=40)
@given(probabilities, st.randoms(use_true_random=False))
def test_the_order_of_the_tests_does_not_matter(p: list[float], random: Any) -> None:
    order = list(range(len(p)))
    random.shuffle(order)
    raw = np.array(p)
    for adjust in (holm, benjamini_hochberg, bonferroni):
        assert adjust(raw[order]) == pytest.approx(adjust(raw)[order])


def test_named_p_values_keep_their_names_and_their_raw_value() -> None:
    found = adjust_p_values({"qrs": 0.01, "age": 0.4, "sex": 0.02}, method="holm")
    assert [e.name for e in found] == ["p_adjusted[qrs]", "p_adjusted[age]", "p_adjusted[sex]"]
    assert [e.extra["p_unadjusted"] for e in found] == [0.01, 0.4, 0.02]


def test_the_null_of_many_tests_is_that_of_simulated_p_values() -> None:
    rng = np.random.default_rng(0)
    p = rng.random((40_000, 64))
    found = multiplicity_null(64, alpha=0.05, k=3, p_min=0.006)
    assert found.value == pytest.approx(((p < 0.05).sum(axis=1) >= 3).mean(), abs=0.01)
    assert found.extra["p_min_or_smaller"] == pytest.approx(
        (p.min(axis=1) <= 0.006).mean(), abs=0.01
    )


def test_max_t_of_a_small_table_equals_the_enumeration_of_all_permutations() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(7, 3)), np.array([1.0, 0, 0, 1, 0, 1, 0])
    centred = x - x.mean(axis=0)
    unit = centred / np.sqrt((centred**2).sum(axis=0))
    every = np.array([list(p) for p in set(itertools.permutations(y))])
    statistics = np.abs(every @ unit) / np.sqrt(((y - y.mean()) ** 2).sum())
    observed = np.abs(y @ unit) / np.sqrt(((y - y.mean()) ** 2).sum())
    alone = (statistics >= observed - 1e-10).mean(axis=0)
    best = int(np.argmax(observed))
    together = (statistics.max(axis=1) >= observed[best] - 1e-10).mean()
    found = max_t_screen(x, y, n_permutations=40_000, seed=2)
    assert [e.extra["p_unadjusted"] for e in found] == pytest.approx(alone, abs=0.01)
    assert found[best].p_value == pytest.approx(together, abs=0.01)


def test_max_t_finds_what_was_planted_and_nothing_else() -> None:
    rng = np.random.default_rng(11)
    y = np.repeat([0, 1], 30)
    x = rng.normal(size=(60, 64))
    x[:, 17] += 1.4 * y
    found = max_t_screen(x, y, n_permutations=2000, seed=1, names=[f"ae{i}" for i in range(64)])
    significant = [e.name for e in found if e.p_value is not None and e.p_value < 0.05]
    assert significant == ["correlation[ae17]"]


def test_no_permutation_p_is_zero() -> None:
    # Phipson and Smyth 2010: the observed order is one of the permutations.
    y = np.repeat([0, 1], 30)
    [found] = max_t_screen(y[:, None] + np.linspace(0, 0.01, 60)[:, None], y, n_permutations=199)
    assert [found.p_value, found.extra["p_unadjusted"]] == pytest.approx([1 / 200] * 2)


def test_max_t_by_ranks_does_not_see_a_monotone_transformation() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(30, 5)), rng.normal(size=30)
    plain = max_t_screen(x, y, ranks=True, n_permutations=499)
    bent = max_t_screen(np.exp(x), y**3, ranks=True, n_permutations=499)
    assert [e.p_value for e in plain] == [e.p_value for e in bent]


def test_the_seed_fixes_max_t_and_blocks_do_not_change_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(30, 5)), rng.integers(0, 2, 30)
    first = max_t_screen(x, y, n_permutations=500, seed=9)
    monkeypatch.setattr("cardio_stats.screening.CELLS_PER_BLOCK", 600)
    assert max_t_screen(x, y, n_permutations=500, seed=9) == first
    assert max_t_screen(x, y, n_permutations=500, seed=10) != first


def test_incomplete_rows_of_a_screen_are_dropped_and_counted() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(30, 4)), rng.integers(0, 2, 30).astype(float)
    x[4, 1], y[9] = np.nan, np.nan
    found = max_t_screen(x, y, n_permutations=99)
    assert {(e.n, e.n_dropped) for e in found} == {(28, 2)}


def test_a_permuted_pipeline_never_has_a_p_of_zero_and_finds_a_real_effect() -> None:
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1], 25)
    score = rng.normal(size=50) + 2 * labels
    found = permute_pipeline(lambda y: midrank_auc(y == 1, score), labels, n_permutations=99)
    assert found.p_value == pytest.approx(0.01)
    assert found.extra["null_mean"] == pytest.approx(0.5, abs=0.03)


def test_labels_are_permuted_between_patients_not_between_rows() -> None:
    patients = np.repeat(np.arange(12), 5)
    labels = (patients < 6).astype(int)
    seen: list[Any] = []

    def pipeline(y: Any) -> float:
        seen.append(y)
        return 0.0

    permute_pipeline(pipeline, labels, patient=patients, n_permutations=19)
    for y in seen:
        assert y.sum() == 30
        assert all(len(set(y[patients == p])) == 1 for p in range(12))


@pytest.mark.parametrize(
    ("compute", "words"),
    [
        (lambda: holm([0.5, np.nan]), "expected one or more numbers from 0 to 1"),
        (lambda: bonferroni([]), "expected one or more"),
        (lambda: multiplicity_null(5, alpha=0.05, k=6, p_min=0.1), "k = 6"),
        (lambda: max_t_screen(np.ones((9, 1)), np.arange(9)), "column '1' is constant"),
        (lambda: max_t_screen(np.arange(9.0)[:, None], np.ones(9)), "'outcome' is constant"),
        (lambda: max_t_screen(np.ones((2, 1)), [0, 1]), "at least 4 complete rows"),
        (lambda: max_t_screen(np.ones((9, 1)), np.arange(9), n_permutations=10), "at least 99"),
        (lambda: permute_pipeline(lambda y: 0.0, [0, 1, 0], patient=[1, 1, 2]),
         "one label a patient"),
        (lambda: permute_pipeline(lambda y: np.nan, [0, 1, 0]), "found NaN"),
    ],
)  # fmt: skip
def test_what_cannot_be_adjusted_is_refused_in_one_line(compute: Any, words: str) -> None:
    with pytest.raises(DataError, match=words) as refusal:
        compute()
    assert "\n" not in str(refusal.value)
