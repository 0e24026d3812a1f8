"""What published AUCs imply, against printed values, the data themselves and simulation."""

from __future__ import annotations

import numpy as np
import pytest

from cardio_core.testing import refuses
from cardio_stats import auc, auc_binormal, hanley_mcneil, hanley_mcneil_effective_n, newcombe_auc
from cardio_stats.errors import DataError


def test_the_error_is_delongs_on_average_for_exponential_scores() -> None:
    rng = np.random.default_rng(1)
    area = 0.8
    errors = []
    for _ in range(300):
        labels = np.repeat([0, 1], 40)
        # two exponentials whose rates stand as 1 to 4 have an AUC of 4/5
        score = rng.exponential(np.where(labels == 1, area / (1 - area), 1.0))
        errors.append(auc(labels, score).extra["se"] ** 2)
    assert hanley_mcneil(area, 40, 40).extra["se"] == pytest.approx(
        np.sqrt(np.mean(errors)), rel=0.03
    )


def test_the_effective_n_gives_its_interval_back() -> None:
    found = hanley_mcneil_effective_n(0.8, 0.75, 0.85, 0.4)
    again = hanley_mcneil(0.8, round(0.4 * found.value), round(0.6 * found.value))
    assert [again.low, again.high] == pytest.approx([0.75, 0.85], abs=0.0005)


@pytest.mark.parametrize(("area", "n_positive", "n_negative"), [(0.8, 20, 30), (0.97, 11, 18)])
def test_newcombes_limits_solve_their_own_score_equation(
    area: float, n_positive: int, n_negative: int
) -> None:
    found = newcombe_auc(area, n_positive, n_negative)
    mean = (n_positive + n_negative) / 2 - 1
    for limit in (found.low, found.high):
        variance = (
            limit
            * (1 - limit)
            * (1 + mean * (1 - limit) / (2 - limit) + mean * limit / (1 + limit))
            / (n_positive * n_negative)
        )
        assert abs(limit - area) == pytest.approx(1.959964 * np.sqrt(variance), rel=1e-6)
    assert found.low < area < found.high


def test_newcombes_interval_covers_a_high_area_in_few_rows() -> None:
    rng = np.random.default_rng(5)
    hits, labels = 0, np.repeat([0, 1], [18, 11])
    for _ in range(1000):
        score = rng.normal(size=29) + 2.326 * labels  # sqrt(2) times the quantile of .95
        value = auc(labels, score).value
        found = newcombe_auc(value, 11, 18)
        hits += found.low <= 0.95 <= found.high
    assert 0.93 <= hits / 1000 <= 0.99


def test_newcombes_interval_mirrors_the_complement() -> None:
    high, low = newcombe_auc(0.9, 12, 30), newcombe_auc(0.1, 12, 30)
    assert [low.low, low.high] == pytest.approx([1 - high.high, 1 - high.low], abs=1e-9)
    assert newcombe_auc(1.0, 5, 5).high == 1.0
    assert newcombe_auc(0.0, 5, 5).low == 0.0


def test_the_binormal_area_is_that_of_many_normal_rows() -> None:
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1], 50_000)
    score = np.where(labels == 1, rng.normal(5, 3, labels.size), rng.normal(2, 2, labels.size))
    assert auc_binormal(5, 3, 2, 2).value == pytest.approx(auc(labels, score).value, abs=0.005)


def test_impossible_numbers_are_refused() -> None:
    with refuses(DataError, "newcombe_auc", code="degenerate"):
        hanley_mcneil(1.0, 10, 10)
    with refuses(DataError, "auc", code="out_of_range"):
        hanley_mcneil(1.2, 10, 10)
    with refuses(DataError, "1", code="too_few"):
        newcombe_auc(0.8, 0, 10)
    with refuses(DataError, code="contradiction"):
        hanley_mcneil_effective_n(0.8, 0.85, 0.9, 0.4)
    with refuses(DataError, "SDs", "0", code="out_of_range"):
        auc_binormal(1, 0, 0, 0)
