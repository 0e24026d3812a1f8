"""Two and more groups compared, against R."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardio_stats.contingency import (
    chi2_2x2,
    chi2_rxc,
    expected_counts,
    fisher_exact,
    odds_ratio_2x2,
)
from cardio_stats.errors import DataError
from cardio_stats.means import (
    GroupSummary,
    anova,
    kruskal_wallis,
    mann_whitney,
    pooled_mean_sd,
    summary_of,
    ttest,
    ttest_codes,
    ttest_from_stats,
)

from .from_r import oracle

# Made by oracles/group_tests.R with R 4.2.2
R: dict[str, Any] = oracle("group_tests")


@pytest.mark.parametrize("case", R["two_samples"])
@pytest.mark.parametrize("test", ["student", "welch"])
def test_the_t_test_agrees_with_r(case: str, test: str) -> None:
    data = R["two_samples"][case]
    found = ttest(data["x"], data["y"], test=test)
    expected = data[test]
    assert found.extra["t"] == pytest.approx(expected["t"], rel=1e-10)
    assert found.extra["df"] == pytest.approx(expected["df"], rel=1e-10)
    assert found.p_value == pytest.approx(expected["p"], rel=1e-9)
    assert (found.low, found.high) == pytest.approx((expected["low"], expected["high"]), rel=1e-9)


@pytest.mark.parametrize("case", R["two_samples"])
@pytest.mark.parametrize("ddof", [0, 1])
def test_the_t_test_from_mean_and_sd_equals_the_one_from_the_values(case: str, ddof: int) -> None:
    data = R["two_samples"][case]
    printed = [
        GroupSummary(float(np.mean(v)), float(np.std(v, ddof=ddof)), len(v))
        for v in (data["x"], data["y"])
    ]
    found = ttest_from_stats(*printed, test="student", sd_ddof=ddof)
    assert found.p_value == pytest.approx(data["student"]["p"], rel=1e-9)


@pytest.mark.parametrize("case", R["two_samples"])
def test_the_mann_whitney_test_agrees_with_r(case: str) -> None:
    data = R["two_samples"][case]
    expected = data["wilcox"]
    found = mann_whitney(data["x"], data["y"])
    assert found.extra["u"] == expected["w"]
    assert found.p_value == pytest.approx(expected["p"], rel=1e-9)
    plain = mann_whitney(data["x"], data["y"], continuity=False)
    assert plain.p_value == pytest.approx(expected["p_uncorrected"], rel=1e-9)


@pytest.mark.parametrize("case", R["k_samples"])
def test_analysis_of_variance_and_kruskal_wallis_agree_with_r(case: str) -> None:
    data = R["k_samples"][case]
    fisher, welch = (anova(data["samples"], test=test) for test in ("student", "welch"))
    rank = kruskal_wallis(data["samples"])
    assert fisher.value == pytest.approx(data["fisher"]["f"], rel=1e-9)
    assert fisher.p_value == pytest.approx(data["fisher"]["p"], rel=1e-9)
    assert welch.value == pytest.approx(data["welch"]["f"], rel=1e-9)
    assert welch.extra["df2"] == pytest.approx(data["welch"]["df2"], rel=1e-9)
    assert welch.p_value == pytest.approx(data["welch"]["p"], rel=1e-9)
    assert rank.value == pytest.approx(data["kruskal"]["h"], rel=1e-9)
    assert rank.p_value == pytest.approx(data["kruskal"]["p"], rel=1e-9)


@pytest.mark.parametrize("data", R["two_by_two"], ids=lambda d: str(d["table"]))
def test_chi_square_and_fisher_of_a_2x2_table_agree_with_r(data: dict[str, Any]) -> None:
    plain, yates = (chi2_2x2(data["table"], yates=yates) for yates in (False, True))
    assert plain.extra["chi2"] == pytest.approx(data["chi2"], rel=1e-10, abs=1e-14)
    assert plain.extra["p_chi2"] == pytest.approx(data["p"], rel=1e-9)
    assert yates.extra["chi2"] == pytest.approx(data["chi2_yates"], rel=1e-10, abs=1e-14)
    assert yates.extra["p_chi2"] == pytest.approx(data["p_yates"], rel=1e-9)
    assert plain.extra["p_fisher"] == pytest.approx(data["p_fisher"], rel=1e-6)
    assert plain.extra["min_expected"] == pytest.approx(data["min_expected"])


@pytest.mark.parametrize("data", R["r_by_c"], ids=lambda d: str(d["table"]))
def test_chi_square_and_fisher_of_a_larger_table_agree_with_r(data: dict[str, Any]) -> None:
    found, exact = chi2_rxc(data["table"]), fisher_exact(data["table"])
    assert found.extra["chi2"] == pytest.approx(data["chi2"], rel=1e-10)
    assert found.extra["p_chi2"] == pytest.approx(data["p"], rel=1e-9)
    # a simulated p has a standard error of 0.0016 at most
    tolerance = {"rel": 1e-6} if exact.seed is None else {"abs": 0.005}
    assert exact.value == pytest.approx(data["p_fisher"], **tolerance)
    # the value and the p are those of one test, the one that is named
    given, p = ("chi2", "p") if data["min_expected"] >= 5 else ("p_fisher", "p_fisher")
    assert found.value == pytest.approx(data[given], **tolerance)
    assert found.p_value == pytest.approx(data[p], **tolerance)
    assert found.name == ("chi2" if given == "chi2" else "fisher_p")


def test_with_a_small_expected_count_the_p_value_is_fishers_and_the_estimate_says_so() -> None:
    found = chi2_2x2([[3, 42], [2, 55]], yates=True)
    assert found.p_value == found.extra["p_fisher"] != found.extra["p_chi2"]
    assert (found.name, found.value) == ("fisher_p", found.p_value)
    assert "Fisher" in found.method
    assert "smallest expected count is 2.21" in found.note
    valid = chi2_2x2([[37, 8], [37, 20]], yates=True)
    assert valid.p_value == valid.extra["p_chi2"]
    assert valid.note == ""


def test_the_n_minus_1_statistic_is_pearsons_times_n_minus_1_over_n() -> None:
    table = [[37, 8], [37, 20]]
    pearson = chi2_2x2(table, yates=False).value
    assert chi2_2x2(table, yates=False, n_minus_1=True).value == pytest.approx(pearson * 101 / 102)


def test_yates_correction_has_no_default() -> None:
    with pytest.raises(TypeError, match="yates"):
        chi2_2x2([[5, 6], [7, 8]])  # type: ignore[call-arg]


@settings(max_examples=40)
@given(st.lists(st.integers(1, 60), min_size=4, max_size=4))
def test_swapping_rows_or_columns_leaves_every_p_value_as_it_is(cells: list[int]) -> None:
    table = np.array(cells).reshape(2, 2)
    first = chi2_2x2(table, yates=True)
    for other in (table[::-1], table[:, ::-1], table.T):
        assert dict(chi2_2x2(other, yates=True).extra) == pytest.approx(dict(first.extra))


@given(st.lists(st.integers(0, 30), min_size=6, max_size=6).filter(lambda v: min(v) > 0))
def test_expected_counts_keep_the_margins(cells: list[int]) -> None:
    counts = np.array(cells, float).reshape(2, 3)
    expected = expected_counts(counts)
    assert expected.sum(axis=0) == pytest.approx(counts.sum(axis=0))
    assert expected.sum(axis=1) == pytest.approx(counts.sum(axis=1))


def test_pooling_group_means_and_sds_gives_those_of_all_values_together() -> None:
    rng = np.random.default_rng(3)
    parts = [rng.normal(10, 2, 30), rng.normal(14, 3, 45), rng.normal(8, 1, 5)]
    everybody = np.concatenate(parts)
    for ddof in (0, 1):
        printed = [GroupSummary(float(p.mean()), float(p.std(ddof=ddof)), p.size) for p in parts]
        found = pooled_mean_sd(printed, sd_ddof=ddof)
        assert found.mean == pytest.approx(everybody.mean())
        assert found.sd == pytest.approx(everybody.std(ddof=ddof))
        assert found.n == 80


def test_a_t_test_on_codes_equals_the_t_test_on_the_zeros_and_ones() -> None:
    codes_1, codes_0 = np.repeat([1, 0], [6, 40]), np.repeat([1, 0], [9, 16])
    expected = ttest(codes_1, codes_0, test="student").p_value
    assert ttest_codes([[6, 40], [9, 16]]).p_value == pytest.approx(expected)


def test_missing_values_are_left_out_and_counted() -> None:
    found = ttest([1.0, 2.0, None, 4.0], [3.0, np.nan, 7.0], test="welch")
    assert (found.n, found.n_dropped) == (5, 2)
    assert mann_whitney([1.0, 2.0, None, 4.0], [3.0, np.nan, 7.0]).n_dropped == 2


@pytest.mark.parametrize(
    ("compute", "words"),
    [
        (lambda: ttest([1.0], [2.0, 3.0], test="welch"), "at least 2 values"),
        (lambda: ttest([2, 2], [3, 3], test="student"), "two constant groups"),
        (lambda: ttest(["a", "b"], [1, 2], test="student"), "expected numbers, found text"),
        (lambda: mann_whitney([], [1, 2]), "empty"),
        (lambda: mann_whitney([1, 1], [1, 1]), "one value only"),
        (lambda: kruskal_wallis([[1, 1], [1, 1]]), "one value only"),
        (lambda: anova([[1, 1], [2, 2]], test="student"), "constant"),
        (lambda: anova([[1, 1], [2, 3]], test="welch"), "constant group"),
        (lambda: anova([[1], [2, 3]], test="student"), "at least 2 values"),
        (lambda: chi2_2x2([[0, 0], [3, 4]], yates=False), "empty one"),
        (lambda: chi2_2x2([[1, 2, 3], [4, 5, 6]], yates=False), "use chi2_rxc"),
        (lambda: chi2_2x2([[1.5, 2], [4, 5]], yates=False), "expected counts"),
        (lambda: odds_ratio_2x2([[0, 5], [4, 5]]), "Firth"),
        (lambda: ttest_from_stats(summary_of(np.ones(3)), GroupSummary(1, -1, 4), test="welch",
                                  sd_ddof=1), "standard deviation of 0 or more"),
    ],
)  # fmt: skip
def test_data_a_method_is_wrong_for_are_refused_in_one_line(compute: Any, words: str) -> None:
    with pytest.raises(DataError, match=words) as refusal:
        compute()
    assert "\n" not in str(refusal.value)
