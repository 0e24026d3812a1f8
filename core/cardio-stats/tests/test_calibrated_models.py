"""How often ECE and ICI of a calibrated model stay below their limit by chance; results stored.

Run ``python core/cardio-stats/tests/test_calibrated_models.py`` to make the stored result anew.
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
from scipy.special import ndtr

from cardio_stats import expected_calibration_error, smooth_calibration_errors
from cardio_stats.estimate import Estimate

STORED = Path(__file__).parent / "stored/calibrated_models.json"
N_RUNS = 1000
Rows = tuple[np.ndarray, np.ndarray, np.ndarray | None]
Cell = Callable[[np.random.Generator], Rows]


def wide(n: int) -> Cell:
    def rows(rng: np.random.Generator) -> Rows:
        p = rng.uniform(0.05, 0.95, n)
        return (rng.random(n) < p).astype(int), p, None

    return rows


def rare(n: int) -> Cell:
    """One event in ten, and most predictions close to none."""

    def rows(rng: np.random.Generator) -> Rows:
        p = rng.beta(1, 9, n).clip(1e-4, 0.999)
        y = (rng.random(n) < p).astype(int)
        return rows(rng) if y.sum() < 2 else (y, p, None)

    return rows


def of_patients(n_patients: int) -> Cell:
    """Eight rows a patient, calibrated, whose outcomes share half of what no probability says."""

    def rows(rng: np.random.Generator) -> Rows:
        patient = np.repeat(np.arange(n_patients), 8)
        p = rng.uniform(0.05, 0.95, patient.size)
        chance = rng.normal(size=n_patients)[patient] + rng.normal(size=patient.size)
        return (ndtr(chance / np.sqrt(2)) < p).astype(int), p, patient

    return rows


CLAIMED: dict[str, Cell] = {
    **{f"{n} rows, p .05 to .95": wide(n) for n in (100, 300, 1000)},
    **{f"{n} rows, one event in ten": rare(n) for n in (100, 300, 1000)},
    "100 patients of 8 rows": of_patients(100),
    "11,000 rows, p .05 to .95": wide(11_000),  # sums are drawn instead of labels
}
REPORTED: dict[str, Cell] = {"40 patients of 8 rows": of_patients(40)}
MEASURES = ("ece", "ici", "e50", "e90", "emax")


def measured(rows: Rows, n_draws: int = 500) -> list[Estimate]:
    y, p, patient = rows
    about: dict[str, Any] = {"patient": patient, "n_draws": n_draws}
    return [expected_calibration_error(y, p, **about), *smooth_calibration_errors(y, p, **about)]


def share_below(cell: Cell, n_runs: int, seed: int) -> dict[str, dict[str, float]]:
    """Return the share below the limit, and the mean beside what chance is expected to make it."""
    runs = [measured(cell(np.random.default_rng([seed, run]))) for run in range(n_runs)]
    return {
        name: {
            "below": float(np.mean([e.value <= e.extra["if_calibrated_high"] for e in found])),
            "mean": float(np.mean([e.value for e in found])),
            "mean_expected": float(np.mean([e.extra["if_calibrated"] for e in found])),
        }
        for name, found in zip(MEASURES, zip(*runs, strict=True), strict=True)
    }


def make_stored() -> dict[str, Any]:
    start = time.perf_counter()
    made = {
        group: {
            name: share_below(cell, N_RUNS if "11,000" not in name else N_RUNS // 4, 1)
            for name, cell in cells.items()
        }
        for group, cells in {"claimed": CLAIMED, "reported": REPORTED}.items()
    }
    return {
        "made_by": "python core/cardio-stats/tests/test_calibrated_models.py",
        "date": datetime.now(UTC).date().isoformat(),
        "n_runs": N_RUNS,
        "n_runs_of_11000_rows": N_RUNS // 4,
        "seed": 1,
        "numpy": np.__version__,
        **made,
        "seconds": round(time.perf_counter() - start),
    }


def stored() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(STORED.read_text())
    return found


@pytest.mark.parametrize("name", CLAIMED)
def test_a_calibrated_model_was_found_below_its_limit_as_often_as_claimed(name: str) -> None:
    for measure, found in stored()["claimed"][name].items():
        assert found["below"] >= 0.92, measure
        assert found["mean"] == pytest.approx(found["mean_expected"], rel=0.1), measure


def test_the_stored_shares_are_reproduced_by_their_first_runs() -> None:
    name = "300 rows, p .05 to .95"
    found = share_below(CLAIMED[name], 60, 1)
    for measure, expected in stored()["claimed"][name].items():
        assert found[measure]["below"] == pytest.approx(expected["below"], abs=0.12)


def test_a_model_that_is_not_calibrated_is_found_out() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.95, 1000)
    y = (rng.random(1000) < 0.5 + 0.5 * (p - 0.5)).astype(int)
    for found in measured((y, p, None)):
        assert found.p_value is not None and found.p_value < 0.01
        assert found.low is None
        assert found.value > found.extra["if_calibrated_high"] > found.extra["if_calibrated"]


@pytest.mark.slow
@pytest.mark.parametrize("name", CLAIMED)
def test_a_calibrated_model_is_below_its_limit_as_often_as_claimed(name: str) -> None:
    n_runs = 250 if "11,000" in name else N_RUNS
    for measure, found in share_below(CLAIMED[name], n_runs, 1).items():
        assert found["below"] >= 0.92, measure


if __name__ == "__main__":
    STORED.write_text(json.dumps(make_stored(), indent=1) + "\n")
    sys.stdout.write(STORED.read_text())
