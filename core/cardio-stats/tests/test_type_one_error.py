"""How often the tests find what is not there: 10,000 simulated studies, result stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_stats._numerics.intervals import maximise
from cardio_stats.logistic import fit_logistic
from cardio_stats.regression_tables import likelihood_ratio_test
from cardio_stats.screening import max_t_screen

STORED = Path(__file__).parent / "stored/type_one_error.json"
SEPARATION = 0.7416
"""Distance of two normal groups, in SD, whose AUC is 0.70: sqrt(2) times the quantile of 0.70."""
CORRELATION = 0.5
CRITICAL_CHI2 = 3.841458820694124


def study(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    """One marker of AUC .70, and one that correlates with it and adds nothing."""
    outcome = np.repeat([0.0, 1.0], n // 2)
    marker = rng.normal(size=n) + SEPARATION * outcome
    useless = CORRELATION * marker + np.sqrt(1 - CORRELATION**2) * rng.normal(size=n)
    return outcome, marker, useless


def gain(outcome: Any, marker: Any, useless: Any) -> float:
    """Twice the log-likelihood that the useless marker adds."""
    base = np.column_stack([np.ones(outcome.size), marker])
    reduced = maximise(base, outcome)[1]
    return 2 * (maximise(np.column_stack([base, useless]), outcome)[1] - reduced)


def likelihood_ratio_error(n: int, n_runs: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    return float(np.mean([gain(*study(rng, n)) > CRITICAL_CHI2 for _ in range(n_runs)]))


def max_t_error(n: int, n_runs: int, seed: int, n_columns: int = 20) -> float:
    """Twenty columns that correlate with each other and not with the outcome."""
    rng = np.random.default_rng(seed)
    outcome = np.repeat([0.0, 1.0], n // 2)
    shared, own = np.sqrt(CORRELATION), np.sqrt(1 - CORRELATION)
    wrong = 0
    for run in range(n_runs):
        columns = shared * rng.normal(size=(n, 1)) + own * rng.normal(size=(n, n_columns))
        found = max_t_screen(columns, outcome, n_permutations=199, seed=run)
        wrong += any(e.p_value is not None and e.p_value <= 0.05 for e in found)
    return wrong / n_runs


def test_the_simulated_statistic_is_the_one_of_the_public_test() -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        outcome, marker, useless = study(rng, 60)
        table = pd.DataFrame({"y": outcome, "marker": marker, "useless": useless})
        public = likelihood_ratio_test(
            fit_logistic(table, "y", ["marker"]), fit_logistic(table, "y", ["marker", "useless"])
        )
        assert gain(outcome, marker, useless) == pytest.approx(public.value, abs=1e-8)


def test_the_marker_of_the_simulation_has_an_auc_of_point_seven() -> None:
    rng = np.random.default_rng(2)
    outcome, marker, useless = study(rng, 200_000)
    event = outcome == 1
    half = event.size // 2
    assert (marker[event] > marker[~event]).mean() == pytest.approx(0.70, abs=0.005)
    assert np.corrcoef(marker[:half], useless[:half])[0, 1] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("test", ["likelihood_ratio", "max_t"])
def test_the_stored_type_one_error_lies_within_four_and_six_per_cent(test: str) -> None:
    stored = json.loads(STORED.read_text())
    assert stored["n_runs"] == 10_000
    assert 0.04 <= stored["error"][test]["200"] <= 0.06
    assert 0.0 < stored["error"][test]["50"] < 0.10


@pytest.mark.slow
def test_the_likelihood_ratio_test_keeps_its_level() -> None:
    stored = json.loads(STORED.read_text())
    assert likelihood_ratio_error(200, 10_000, seed=200) == pytest.approx(
        stored["error"]["likelihood_ratio"]["200"], abs=1e-4
    )


@pytest.mark.slow
def test_the_max_t_screen_keeps_its_level() -> None:
    stored = json.loads(STORED.read_text())
    assert max_t_error(200, 10_000, seed=200) == pytest.approx(
        stored["error"]["max_t"]["200"], abs=1e-4
    )


if __name__ == "__main__":
    errors = {"likelihood_ratio": likelihood_ratio_error, "max_t": max_t_error}
    stored = json.loads(STORED.read_text())
    stored["date"] = datetime.now(UTC).date().isoformat()
    stored["error"] = {
        name: {str(n): round(error(n, 10_000, seed=n), 4) for n in (50, 200)}
        for name, error in errors.items()
    }
    STORED.write_text(json.dumps(stored, indent=1) + "\n")
