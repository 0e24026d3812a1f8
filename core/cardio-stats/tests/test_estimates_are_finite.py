"""Whatever the columns hold, an estimate is finite and within its limits, or it is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cardio_stats as stats
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

Columns = tuple[list[float | None], list[float | None], list[float | None], list[int | None]]
FEW = {"n_resamples": 20, "seed": 1}

OF_SCORES: dict[str, Callable[..., Any]] = {
    "auc": lambda y, a, b, c: stats.auc(y, a),
    "auc_logit": lambda y, a, b, c: stats.auc(y, a, interval="logit"),
    "auc_clustered": lambda y, a, b, c: stats.auc(y, a, patient=c),
    "paired": lambda y, a, b, c: stats.delong_paired(y, a, b),
    "paired_clustered": lambda y, a, b, c: stats.delong_paired(y, a, b, patient=c),
    "unpaired": lambda y, a, b, c: stats.delong_unpaired(y, a, y, b),
    "rows": lambda y, a, b, c: stats.bootstrap_auc(y, a, **FEW),
    "rows_bca": lambda y, a, b, c: stats.bootstrap_auc(y, a, interval="bca", **FEW),
    "stratified": lambda y, a, b, c: stats.bootstrap_auc(y, a, stratify=True, **FEW),
    "patients": lambda y, a, b, c: stats.bootstrap_auc(y, a, patient=c, **FEW),
    "difference": lambda y, a, b, c: stats.bootstrap_auc_difference(y, a, b, patient=c, **FEW),
    "pr_auc": lambda y, a, b, c: stats.pr_auc(y, a),
    "pr_auc_patients": lambda y, a, b, c: stats.pr_auc(y, a, patient=c, **FEW),
    "at_threshold": lambda y, a, b, c: stats.threshold_metrics(y, a, stats.Threshold(2, "fixed")),
    "at_threshold_patients": lambda y, a, b, c: stats.threshold_metrics(
        y, a, stats.Threshold(2, "fixed"), patient=c, **FEW
    ),
    "table": lambda y, a, b, c: stats.per_class_table(a, b, range(5), **FEW).estimates,
    "table_patients": lambda y, a, b, c: (
        stats.per_class_table(a, b, range(5), record=c, **FEW).estimates
    ),
    "paired_proportions": lambda y, a, b, c: stats.paired_proportions(y, y[::-1]),
    "calibration": lambda y, a, b, c: (
        stats.calibration_metrics(y, share(a), patient=c, **FEW).estimates
    ),
    "net_benefit": lambda y, a, b, c: stats.net_benefit(y, share(a), 0.3, patient=c),
    "reclassification": lambda y, a, b, c: stats.reclassification_index(y, share(a), share(b)),
    "limits": lambda y, a, b, c: stats.limits_of_agreement(a, b).estimates,
    "limits_patients": lambda y, a, b, c: stats.limits_of_agreement(a, b, patient=c).estimates,
    "icc": lambda y, a, b, c: stats.icc(np.array([a, b], dtype=float).T),
    "kappa": lambda y, a, b, c: stats.cohen_kappa(a, b, weights="linear"),
    "pearson": lambda y, a, b, c: stats.correlation(a, b),
    "spearman": lambda y, a, b, c: stats.correlation(a, b, method="spearman"),
    "errors": lambda y, a, b, c: stats.regression_errors(a, b, patient=c, **FEW),
    "general": lambda y, a, b, c: stats.bootstrap(
        np.mean, np.array(a, dtype=float), patient=c, **FEW
    ),
}


def share(score: list[float | None]) -> list[float | None]:
    return [None if value is None else value / 4 for value in score]


@st.composite
def columns(draw: st.DrawFn) -> Columns:
    """A few rows with ties, gaps, and often one class, one value or one patient only."""
    n = draw(st.integers(0, 14))

    def column(most: int) -> Any:
        top = draw(st.integers(0, most))
        one = st.one_of(st.none(), *[st.integers(0, top)] * 9)
        return draw(st.lists(one, min_size=n, max_size=n))

    return column(1), column(4), column(4), column(12)


def estimates_of(found: Any) -> Iterable[Estimate]:
    if isinstance(found, Estimate):
        return [found]
    return found.values() if isinstance(found, dict) else found


@pytest.mark.parametrize("name", OF_SCORES)
@settings(max_examples=12, deadline=None)
@given(rows=columns())
def test_an_estimate_is_finite_and_within_its_limits_or_refused(name: str, rows: Columns) -> None:
    check(name, rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_SCORES)
@settings(max_examples=200, deadline=None)
@given(rows=columns())
def test_that_holds_for_many_more_columns(name: str, rows: Columns) -> None:
    # 29 statistics of 200 tables each: all held on 2026-11-21, hypothesis 6.170, in 45 s
    check(name, rows)


def check(name: str, rows: Columns) -> None:
    try:
        found = estimates_of(OF_SCORES[name](*rows))
    except DataError as refusal:
        assert "\n" not in str(refusal)
        assert 10 < len(str(refusal)) < 300
        return
    for estimate in found:
        assert math.isfinite(estimate.value)
        assert estimate.n > 0 or estimate.method == "count"
        assert all(math.isfinite(number) for number in estimate.extra.values())
        assert estimate.p_value is None or 0 <= estimate.p_value <= 1
        if estimate.low is None or estimate.high is None:
            assert estimate.note or estimate.method == "count"
            continue
        assert math.isfinite(estimate.low)
        assert math.isfinite(estimate.high)
        assert estimate.low <= estimate.high
        if "bootstrap" not in estimate.method and "Agresti" not in estimate.method:
            assert estimate.low - 1e-9 <= estimate.value <= estimate.high + 1e-9
