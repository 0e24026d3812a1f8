"""How often intervals cover the truth, and how often paired DeLong errs; results stored.

What `roc` and `compare` choose by themselves is in ``test_roc_coverage.py``.

Run ``python core/cardio-stats/tests/test_interval_coverage.py`` to make the stored result anew.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from cardio_stats import (
    auc,
    bootstrap_auc,
    calibration_slope,
    delong_paired,
    per_class_table,
    pr_auc,
    proportion,
)
from cardio_stats.estimate import Estimate

STORED = Path(__file__).parent / "stored/interval_coverage.json"
N_RUNS = 2000
Study = Callable[[np.random.Generator], tuple[Estimate, float]]


def separation(area: float) -> float:
    """Return the distance in SD of two normal groups with this AUC."""
    return float(np.sqrt(2) * ndtri(area))


def independent_rows(
    rng: np.random.Generator, n: int, area: float
) -> tuple[np.ndarray, np.ndarray]:
    labels = np.repeat([0, 1], n // 2)
    return labels, rng.normal(size=n) + separation(area) * labels


def clustered_rows(
    rng: np.random.Generator, n_patients: int, area: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eight rows a patient that share half of their variance, one class a patient."""
    patient = np.repeat(np.arange(n_patients), 8)
    labels = patient % 2
    own = rng.normal(size=n_patients)[patient]
    noise = (own + rng.normal(size=patient.size)) / np.sqrt(2)
    return labels, noise + separation(area) * labels, patient


def delong_of(n: int, **options: Any) -> Study:
    def study(rng: np.random.Generator) -> tuple[Estimate, float]:
        return auc(*independent_rows(rng, n, 0.8), **options), 0.8

    return study


def delong_difference(rng: np.random.Generator) -> tuple[Estimate, float]:
    labels, shared = np.repeat([0, 1], 100), rng.normal(size=200)
    a, b = (np.sqrt(0.5) * shared + np.sqrt(0.5) * rng.normal(size=200) for _ in range(2))
    better, worse = separation(0.8), separation(0.7)
    found = delong_paired(labels, a + better * labels, b + worse * labels, interval="delong")
    return found, 0.1


def wilson(rng: np.random.Generator) -> tuple[Estimate, float]:
    truth = rng.uniform(0.05, 0.95)
    return proportion(int(rng.binomial(50, truth)), 50), truth


def row_percentile(rng: np.random.Generator) -> tuple[Estimate, float]:
    return bootstrap_auc(*independent_rows(rng, 100, 0.8), n_resamples=1000), 0.8


def row_bca(rng: np.random.Generator) -> tuple[Estimate, float]:
    rows = independent_rows(rng, 100, 0.8)
    return bootstrap_auc(*rows, n_resamples=1000, interval="bca"), 0.8


def of_patients(n_patients: int, **options: Any) -> Study:
    def study(rng: np.random.Generator) -> tuple[Estimate, float]:
        labels, score, patient = clustered_rows(rng, n_patients, 0.75)
        return bootstrap_auc(labels, score, patient=patient, n_resamples=1000, **options), 0.75

    return study


def rows_of_patients(rng: np.random.Generator) -> tuple[Estimate, float]:
    labels, score, _ = clustered_rows(rng, 60, 0.75)
    return bootstrap_auc(labels, score, n_resamples=1000), 0.75


def clustered_delong(rng: np.random.Generator) -> tuple[Estimate, float]:
    labels, score, patient = clustered_rows(rng, 60, 0.75)
    return auc(labels, score, patient=patient, interval="delong"), 0.75


def beats_of_records(n_records: int, *, by_record: bool) -> Study:
    """Sensitivity of V, which differs between records as a beta(4, 1) variable."""

    def study(rng: np.random.Generator) -> tuple[Estimate, float]:
        record = np.repeat(np.arange(n_records), 30)
        right = rng.random(record.size) < rng.beta(4, 1, n_records)[record]
        called = np.where(right, "V", "N")
        table = per_class_table(
            np.full(record.size, "V"),
            called,
            ["N", "V"],
            record=record if by_record else None,
            n_resamples=1000,
        )
        return table.by_class["V"]["sensitivity"], 0.8

    return study


def average_precision(rng: np.random.Generator) -> tuple[Estimate, float]:
    labels = (np.arange(200) < 60).astype(int)
    cuts = np.linspace(-8, 10, 20_001)
    tpr, fpr = ndtr(separation(0.8) - cuts), ndtr(-cuts)
    precision = 0.3 * tpr / (0.3 * tpr + 0.7 * fpr)
    truth = float(-np.trapezoid(precision, tpr))
    return pr_auc(labels, rng.normal(size=200) + separation(0.8) * labels), truth


def slope(rng: np.random.Generator) -> tuple[Estimate, float]:
    log_odds = rng.normal(size=300)
    labels = rng.random(300) < 1 / (1 + np.exp(-0.7 * log_odds))
    return calibration_slope(labels, 1 / (1 + np.exp(-log_odds))), 0.7


CLAIMED: dict[str, Study] = {
    "DeLong, 100 + 100 rows, AUC .80": delong_of(200, interval="delong"),
    "DeLong paired difference, 100 + 100 rows, .80 - .70, r .5": delong_difference,
    "Wilson, n 50, p uniform on .05 to .95": wilson,
    "row bootstrap percentile, 50 + 50 rows, AUC .80": row_percentile,
    "row bootstrap BCa, 50 + 50 rows, AUC .80": row_bca,
    "patient bootstrap percentile, 60 patients of 8 rows, AUC .75": of_patients(60),
    "patient bootstrap BCa, 60 patients of 8 rows, AUC .75": of_patients(60, interval="bca"),
    "DeLong clustered, 60 patients of 8 rows, AUC .75": clustered_delong,
    "record bootstrap of sensitivity, 60 records of 30 beats": beats_of_records(60, by_record=True),
    "calibration slope, Wald, n 300": slope,
}
"""Settings in which 95 % are claimed."""

REPORTED: dict[str, Study] = {
    "DeLong, 50 + 50 rows, AUC .80": delong_of(100, interval="delong"),
    "DeLong, 20 + 20 rows, AUC .80": delong_of(40, interval="delong"),
    "average precision, logit, 60 of 200 positive": average_precision,
    "patient bootstrap percentile, 20 patients of 8 rows, AUC .75": of_patients(20),
    "patient bootstrap percentile, 10 patients of 8 rows, AUC .75": of_patients(10),
    "record bootstrap of sensitivity, 22 records of 30 beats": beats_of_records(22, by_record=True),
}
"""Settings at the edge, whose coverage is reported and not claimed."""

WRONG: dict[str, Study] = {
    "row bootstrap on 60 patients of 8 rows, AUC .75": rows_of_patients,
    "Wilson on 60 records of 30 beats": beats_of_records(60, by_record=False),
}
"""What ignores clusters."""


def coverage(study: Study, n_runs: int, seed: int) -> float:
    hits = 0
    for run in range(n_runs):
        estimate, truth = study(np.random.default_rng([seed, run]))
        assert estimate.low is not None and estimate.high is not None
        hits += estimate.low <= truth <= estimate.high
    return hits / n_runs


def paired_delong_error(n: int, n_runs: int, seed: int) -> float:
    """Share of studies that find a difference between two AUCs of .70 whose scores correlate .5."""
    rng = np.random.default_rng(seed)
    labels, found = np.repeat([0, 1], n // 2), 0
    for _ in range(n_runs):
        shared = np.sqrt(0.5) * rng.normal(size=n) + separation(0.7) * labels
        a, b = (shared + np.sqrt(0.5) * rng.normal(size=n) for _ in range(2))
        p_value = delong_paired(labels, a, b, interval="delong").p_value
        found += p_value is not None and p_value < 0.05
    return found / n_runs


def make_stored() -> dict[str, Any]:
    start = time.perf_counter()
    groups = {"claimed": CLAIMED, "reported": REPORTED, "wrong": WRONG}
    return {
        "made_by": "python core/cardio-stats/tests/test_interval_coverage.py",
        "date": datetime.now(UTC).date().isoformat(),
        "n_runs": N_RUNS,
        "seed": 1,
        "numpy": np.__version__,
        "coverage": {
            group: {name: coverage(study, N_RUNS, 1) for name, study in studies.items()}
            for group, studies in groups.items()
        },
        "paired_delong_error": {str(n): paired_delong_error(n, 10_000, n) for n in (200, 50)},
        "paired_delong_setting": "10,000 runs, both AUCs .70, r .5, level .05, equal groups",
        "seconds": round(time.perf_counter() - start),
    }


def stored() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(STORED.read_text())
    return found


@pytest.mark.parametrize("name", CLAIMED)
def test_stored_coverage_is_what_is_claimed(name: str) -> None:
    assert 0.93 <= stored()["coverage"]["claimed"][name] <= 0.97


@pytest.mark.parametrize("name", WRONG)
def test_ignoring_clusters_was_found_to_fail(name: str) -> None:
    assert stored()["coverage"]["wrong"][name] < 0.80


def test_the_paired_test_was_found_to_err_as_often_as_it_says() -> None:
    assert 0.04 <= stored()["paired_delong_error"]["200"] <= 0.06


@pytest.mark.parametrize("name", [name for name in CLAIMED if "bootstrap" not in name])
def test_the_stored_coverage_is_reproduced_by_its_first_runs(name: str) -> None:
    expected = stored()["coverage"]["claimed"][name]
    error = np.sqrt(expected * (1 - expected) / 200)
    assert coverage(CLAIMED[name], 200, 1) == pytest.approx(expected, abs=4 * error)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLAIMED)
def test_coverage_is_what_is_claimed(name: str) -> None:
    found = coverage(CLAIMED[name], N_RUNS, 1)
    assert 0.93 <= found <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_ignoring_clusters_fails(name: str) -> None:
    assert coverage(WRONG[name], N_RUNS, 1) < 0.80


@pytest.mark.slow
def test_the_paired_test_errs_as_often_as_it_says() -> None:
    assert 0.04 <= paired_delong_error(200, 10_000, 200) <= 0.06


if __name__ == "__main__":
    STORED.write_text(json.dumps(make_stored(), indent=1) + "\n")
    sys.stdout.write(STORED.read_text())
