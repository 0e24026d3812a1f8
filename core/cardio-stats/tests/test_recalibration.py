"""Recalibration with other patients' coefficients, and differences to other patients.

Reference numbers: R 4.2.2, pROC 1.18.0, on the formulas of `first` and `second`:
``glm(y ~ 1, offset = qlogis(0.05 + 0.6 * s), family = binomial)``,
``glm(y ~ qlogis(0.05 + 0.6 * s), family = binomial)``,
``sqrt(var(r1) + var(r2))`` of ``r1 <- roc(y, s, direction = "<")``, ``r2 <- roc(z, t, ...)``.
"""

from __future__ import annotations

import numpy as np
import pytest

from cardio_core.testing import refuses
from cardio_stats import (
    auc,
    independent_difference,
    proportion,
    recalibrated_numbers,
    recalibrated_probabilities,
)
from cardio_stats.errors import DataError


def first() -> tuple[np.ndarray, np.ndarray]:
    i = np.arange(80)
    y = ((i * 7) % 10 < 4).astype(int)
    return y, ((i * 37) % 80) / 80 * 0.6 + 0.25 * y


def second() -> tuple[np.ndarray, np.ndarray]:
    i = np.arange(60)
    y = ((i * 3) % 7 < 3).astype(int)
    return y, ((i * 17) % 60) / 60 * 0.7 + 0.1 * y


def test_the_coefficients_of_everybody_are_those_of_glm() -> None:
    y, s = first()
    large = recalibrated_probabilities(y, 0.05 + 0.6 * s, how="in the large")
    assert (large.intercept, large.slope) == pytest.approx((0.5439257596, 1.0), abs=1e-7)
    both = recalibrated_probabilities(y, 0.05 + 0.6 * s, how="slope")
    assert (both.intercept, both.slope) == pytest.approx((1.589227525, 2.240700988), abs=1e-6)


def test_a_patient_never_decides_about_the_own_recalibration() -> None:
    y = np.repeat([1, 0], [12, 28])
    found = recalibrated_probabilities(y, np.full(40, 0.3), how="in the large", parts=40)
    np.testing.assert_allclose(found.values, np.where(y == 1, 11 / 39, 12 / 39), atol=1e-9)


def test_all_rows_of_a_patient_are_recalibrated_alike() -> None:
    y, s = first()
    rows = np.repeat(np.arange(80), 3)
    found = recalibrated_probabilities(y[rows], (0.05 + 0.6 * s)[rows], how="slope", patient=rows)
    assert np.ptp(found.values.reshape(80, 3), axis=1).max() == 0
    # three equal rows count for one patient, so the coefficients stay
    assert found.slope == pytest.approx(2.240700988, abs=1e-6)


def test_numbers_take_their_mean_error_or_a_line() -> None:
    truth, said = np.arange(30.0), 5 + 2 * np.arange(30.0)
    large = recalibrated_numbers(truth, said, how="in the large")
    assert large.intercept == pytest.approx((truth - said).mean())
    line = recalibrated_numbers(truth, said, how="slope")
    assert (line.intercept, line.slope) == pytest.approx((-2.5, 0.5))
    np.testing.assert_allclose(line.values, truth, atol=1e-9)


@pytest.mark.parametrize(
    ("y", "p", "how", "said"),
    [
        (np.repeat([1, 0], [9, 30]), np.linspace(0.1, 0.9, 39), "slope", "10 units of each class"),
        (np.repeat([1, 0], 20), np.full(40, 0.5), "slope", "constant predictor"),
        (np.repeat([1, 0], 20), np.linspace(0.9, 0.1, 40), "slope", "separate"),
        (np.repeat([1, 0], 20), np.append(1.0, np.full(39, 0.5)), "in the large", "found 0 or 1"),
    ],
    ids=["few events", "constant", "separated", "certain"],
)
def test_what_cannot_be_refitted_is_refused(y, p, how, said) -> None:
    with pytest.raises(DataError, match=said):
        recalibrated_probabilities(y, p, how=how)


def test_two_proportions_have_newcombes_interval() -> None:
    """Newcombe RG. Stat Med 1998;17:873, table II (a): 56/70 less 48/80, method 10."""
    one = proportion(56, 70, name="share", unit="patient")
    other = proportion(48, 80, name="share", unit="patient")
    found = independent_difference(one, other)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert (found.n, found.note) == (150, "70 and 80 patients.")


def test_two_areas_have_the_error_of_both() -> None:
    one, other = auc(*first(), interval="delong"), auc(*second(), interval="delong")
    found = independent_difference(one, other, name="auc_change")
    assert found.name == "auc_change"
    assert found.value == pytest.approx(-0.0723098133484, abs=1e-9)
    half = 1.959963984540054 * 0.0706349005549
    assert (found.high - found.value, found.value - found.low) == pytest.approx((half, half), 1e-6)


def test_the_interval_covers_at_small_n() -> None:
    """AUCs of 40 and 60 patients, logit limits: 400 draws, 3 standard errors around 95 %."""
    rng, hits, n = np.random.default_rng(0), 0, 400
    for _ in range(n):
        parts = []
        for size in (40, 60):
            y = np.arange(size) % 2
            parts.append(auc(y, rng.normal(size=size) + y))
        found = independent_difference(*parts)
        hits += found.low <= 0 <= found.high
    assert hits / n == pytest.approx(0.95, abs=0.033)


def test_intervals_of_two_coverages_are_refused() -> None:
    one = proportion(56, 70, name="share")
    with refuses(DataError, "share", code="mismatch"):
        independent_difference(one, proportion(5, 9, name="share", level=0.9))
    with refuses(DataError, "share", code="missing"):
        independent_difference(one, one.replace(low=None, high=None))
