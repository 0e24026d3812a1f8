"""Ridge and lasso beside glmnet and scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from cardio_core.testing import refuses
from cardio_stats import fit_logistic, fit_penalised
from cardio_stats.errors import DataError
from cardio_stats.penalised import chosen_coefficients

from .from_r import integers, oracle

# Made by oracles/penalised.R with R 4.2.2 and glmnet 4.1.6
R: dict[str, Any] = oracle("penalised")
NAMES = list("abcdef")


def rows_of(seed: int, n: int) -> pd.DataFrame:
    u = integers(seed, n, 7)
    a, c = u[:, 0] % 1000, u[:, 2] % 2
    made = {"a": a / 100, "b": u[:, 1] % 500 / 10, "c": c, "d": (a + u[:, 3] % 600) / 50,
            "e": u[:, 4] % 90, "f": u[:, 5] % 7,
            "y": (u[:, 6] % 1000 < 150 + a / 3 + 200 * c) * 1}  # fmt: skip
    return pd.DataFrame(made)


CASES = [
    pytest.param(case, rows_of(case["seed"], case["n"]), id=f"{case['penalty']}-{case['n']}")
    for case in R["cases"]
]
EACH = pytest.mark.parametrize(("case", "rows"), CASES)


@EACH
def test_coefficients_at_a_weight_are_those_of_glmnet(
    case: dict[str, Any], rows: pd.DataFrame
) -> None:
    assert (rows["y"].sum(), rows[NAMES].to_numpy().sum()) == pytest.approx(
        (case["events"], case["sum_x"])
    )
    model = fit_penalised(rows, "y", NAMES, penalty=case["penalty"], weight=case["weight"])
    assert model.coef.to_numpy() == pytest.approx(case["coef_30"], rel=1e-5, abs=1e-7)
    assert model.seed is None


@EACH
def test_the_weight_that_is_chosen_is_that_of_cv_glmnet(
    case: dict[str, Any], rows: pd.DataFrame
) -> None:
    matrix = rows[NAMES].to_numpy(float)
    centre, spread = matrix.mean(axis=0), matrix.std(axis=0)
    full = np.column_stack([(matrix - centre) / spread, np.ones(len(rows))])
    folds = np.arange(len(rows)) % 10
    (beta,), (weight,) = chosen_coefficients(
        full, rows["y"].to_numpy(float), np.ones((1, len(rows))), case["penalty"], folds
    )
    assert weight == pytest.approx(case["chosen"], rel=1e-9)
    assert beta[:-1] / spread == pytest.approx(case["coef"][1:], rel=1e-5, abs=1e-7)


@EACH
def test_coefficients_are_those_of_scikit_learn(case: dict[str, Any], rows: pd.DataFrame) -> None:
    matrix = rows[NAMES].to_numpy(float)
    standard = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    peer = LogisticRegression(
        C=1 / (case["weight"] * len(rows)), l1_ratio=float(case["penalty"] == "lasso"),
        solver="saga", tol=1e-10, max_iter=100_000,
    ).fit(standard, rows["y"])  # fmt: skip
    model = fit_penalised(rows, "y", NAMES, penalty=case["penalty"], weight=case["weight"])
    assert model.coefficients * matrix.std(axis=0) == pytest.approx(peer.coef_[0], abs=1e-6)


def test_a_resample_is_the_same_rows_counted_as_often() -> None:
    rows = rows_of(5, 200)
    matrix = rows[NAMES].to_numpy(float)
    full = np.column_stack([(matrix - matrix.mean(axis=0)) / matrix.std(axis=0), np.ones(200)])
    drawn = np.random.default_rng(1).integers(200, size=200)
    folds, y = np.arange(200) % 10, rows["y"].to_numpy(float)
    times = np.bincount(drawn, minlength=200)[np.newaxis].astype(float)
    for penalty in ("ridge", "lasso"):
        (once,), _ = chosen_coefficients(full, y, times, penalty, folds)  # type: ignore[arg-type]
        (again,), _ = chosen_coefficients(
            full[drawn], y[drawn], np.ones((1, 200)), penalty, folds[drawn]  # type: ignore[arg-type]
        )  # fmt: skip
        assert once == pytest.approx(again, abs=1e-6)


def test_little_penalty_is_maximum_likelihood_and_much_leaves_the_intercept() -> None:
    rows = rows_of(9, 90)
    plain = fit_logistic(rows, "y", NAMES, method="ml")
    for penalty in ("ridge", "lasso"):
        nearly: Any = fit_penalised(rows, "y", NAMES, penalty=penalty, weight=1e-9)  # type: ignore[arg-type]
        assert nearly.coefficients == pytest.approx(plain.coefficients, abs=1e-5)
        assert nearly.predict(rows) == pytest.approx(plain.fitted, abs=1e-5)
    held = fit_penalised(rows, "y", NAMES, penalty="lasso", weight=10.0)
    assert not held.coefficients.any()
    assert held.predict(rows) == pytest.approx(rows["y"].mean())
    assert held.summary().rows[1] == ("a", "0", "–")


def test_few_events_choose_no_weight() -> None:
    rows = rows_of(9, 90).assign(y=lambda t: (t.index < 8) * 1)
    with refuses(DataError, "penalised regression", "10", "8", code="too_few"):
        fit_penalised(rows, "y", NAMES)
