"""How often what `cardio stats roc` and `compare` print by default covers the truth.

Run ``python core/cardio-stats/tests/test_roc_coverage.py`` to make the stored result
anew (7 minutes).
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
import pandas as pd
import pytest
from scipy.special import ndtri

from cardio_core.testing import call_cardio
from cardio_stats import auc, delong_paired
from cardio_stats.estimate import Estimate

STORED = Path(__file__).parent / "stored/roc_coverage.json"
N_RUNS = 4000
AREAS = (0.7, 0.8, 0.9)
Rows = tuple[np.ndarray, np.ndarray, np.ndarray | None]
Draw = Callable[[np.random.Generator, float], Rows]


def distance(area: float, sd: float = 1.0) -> float:
    """Return how far the cases' mean lies above the controls', whose SD is 1."""
    return float(np.hypot(1, sd) * ndtri(area))


def rows(n: int, n_events: int, sd: float = 1.0) -> Draw:
    def draw(rng: np.random.Generator, area: float) -> Rows:
        labels = (np.arange(n) < n_events).astype(int)
        noise = rng.normal(size=n) * np.where(labels, sd, 1.0)
        return labels, noise + distance(area, sd) * labels, None

    return draw


def three_rows(n_patients: int, n_events: int, *, within: bool = False) -> Draw:
    """Rows of a patient share half of their variance; `within`, not the outcome."""

    def draw(rng: np.random.Generator, area: float) -> Rows:
        patient = np.repeat(np.arange(n_patients), 3)
        share = n_events / n_patients
        labels = rng.random(patient.size) < share if within else patient < n_events
        own = rng.normal(size=n_patients)[patient]
        score = (own + rng.normal(size=patient.size)) / np.sqrt(2) + distance(area) * labels
        return labels.astype(int), score, patient

    return draw


CLAIMED: dict[str, Draw] = {
    "40 rows, 8 events": rows(40, 8),
    "40 rows, 20 events": rows(40, 20),
    "60 rows, 30 events": rows(60, 30),
    "100 rows, 50 events": rows(100, 50),
    "200 rows, 20 events": rows(200, 20),
    "400 rows, 200 events": rows(400, 200),
    "40 patients of 3 rows, 8 with the event": three_rows(40, 8),
    "60 patients of 3 rows, 30 with the event": three_rows(60, 30),
    "200 patients of 3 rows, 20 with the event": three_rows(200, 20),
    "40 patients of 3 rows, event differs within patients, 20 %": three_rows(40, 8, within=True),
}
"""Two normal groups of equal spread: here `roc` is said to cover 93 to 97 %."""

REPORTED: dict[str, Draw] = {
    "40 rows, 8 events, SD of cases 2": rows(40, 8, 2.0),
    "200 rows, 20 events, SD of cases 2": rows(200, 20, 2.0),
    "200 rows, 20 events, SD of cases 0.5": rows(200, 20, 0.5),
    "200 rows, 10 events": rows(200, 10),
}
"""Unequal spread and fewer events: reported, not claimed."""

PAIRS = {"0.80 - 0.70": (0.8, 0.7), "0.90 - 0.80": (0.9, 0.8), "0.90 - 0.90": (0.9, 0.9)}
SIZES = {
    "40 rows, 8 events": (40, 8),
    "60 rows, 30 events": (60, 30),
    "200 rows, 20 events": (200, 20),
}
CORRELATION = 0.5


def area_of(draw: Draw, area: float, rng: np.random.Generator, interval: Any) -> Estimate:
    labels, score, patient = draw(rng, area)
    return auc(labels, score, patient=patient, interval=interval)


def two_scores(
    rng: np.random.Generator, n: int, n_events: int, areas: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels = (np.arange(n) < n_events).astype(int)
    shared = np.sqrt(CORRELATION) * rng.normal(size=n)
    a, b = (
        shared + np.sqrt(1 - CORRELATION) * rng.normal(size=n) + distance(area) * labels
        for area in areas
    )
    return labels, a, b


def covered(estimate: Estimate, truth: float) -> bool:
    """Say whether the interval covers the truth; where there is none, it does not."""
    if estimate.low is None or estimate.high is None:
        return False
    return estimate.low <= truth <= estimate.high


def coverage(draw: Draw, area: float, n_runs: int, interval: str = "auto") -> float:
    hits = (
        covered(area_of(draw, area, np.random.default_rng([1, run]), interval), area)
        for run in range(n_runs)
    )
    return sum(hits) / n_runs


def difference_coverage(size: str, pair: str, n_runs: int, interval: Any = "auto") -> float:
    areas, hits = PAIRS[pair], 0
    for run in range(n_runs):
        labels, a, b = two_scores(np.random.default_rng([2, run]), *SIZES[size], areas)
        hits += covered(delong_paired(labels, a, b, interval=interval), areas[0] - areas[1])
    return hits / n_runs


def make_stored() -> dict[str, Any]:
    start = time.perf_counter()
    groups = {"claimed": CLAIMED, "reported": REPORTED}
    return {
        "made_by": "python core/cardio-stats/tests/test_roc_coverage.py",
        "date": datetime.now(UTC).date().isoformat(),
        "n_runs": N_RUNS,
        "numpy": np.__version__,
        "roc": {
            group: {
                name: {
                    f"{area}": {
                        kind: coverage(draw, area, N_RUNS, kind) for kind in ("auto", "delong")
                    }
                    for area in AREAS
                }
                for name, draw in draws.items()
            }
            for group, draws in groups.items()
        },
        "compare": {
            size: {
                pair: {
                    kind: difference_coverage(size, pair, N_RUNS, kind)
                    for kind in ("auto", "delong")
                }
                for pair in PAIRS
            }
            for size in SIZES
        },
        "seconds": round(time.perf_counter() - start),
    }


def stored() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(STORED.read_text())
    return found


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("name", CLAIMED)
def test_what_roc_prints_was_found_to_cover_what_it_says(name: str, area: float) -> None:
    assert 0.93 <= stored()["roc"]["claimed"][name][f"{area}"]["auto"] <= 0.97


def test_the_plain_interval_was_found_to_fall_short_where_it_is_not_taken() -> None:
    of_forty = stored()["roc"]["claimed"]["40 rows, 8 events"]
    assert of_forty["0.9"]["delong"] < 0.90


@pytest.mark.parametrize("name", [name for name in CLAIMED if "400" not in name])
def test_the_first_runs_reproduce_the_stored_coverage(name: str) -> None:
    expected = stored()["roc"]["claimed"][name]["0.9"]["auto"]
    error = np.sqrt(expected * (1 - expected) / 60)
    assert coverage(CLAIMED[name], 0.9, 60) == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize("name", ["40 rows, 8 events", "40 patients of 3 rows, 8 with the event"])
def test_what_is_simulated_is_what_the_command_prints(name: str, tmp_path: Path) -> None:
    labels, score, patient = CLAIMED[name](np.random.default_rng([1, 0]), 0.8)
    table = pd.DataFrame({"event": labels, "score": score})
    asked = ["--outcome", "event", "--score", "score", "--json"]
    if patient is not None:
        table["patient"] = patient
        asked += ["--patient", "patient"]
    table.to_csv(tmp_path / "rows.csv", index=False)
    done = call_cardio("stats", "roc", str(tmp_path / "rows.csv"), *asked)
    printed = json.loads(done.stdout)[0]
    simulated = area_of(CLAIMED[name], 0.8, np.random.default_rng([1, 0]), "auto")
    assert [printed["low"], printed["high"]] == pytest.approx(
        [simulated.low, simulated.high], abs=1e-12
    )


@pytest.mark.slow
@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("name", CLAIMED)
def test_what_roc_prints_covers_what_it_says(name: str, area: float) -> None:
    assert 0.93 <= coverage(CLAIMED[name], area, N_RUNS) <= 0.97


if __name__ == "__main__":
    STORED.write_text(json.dumps(make_stored(), indent=1) + "\n")
    sys.stdout.write(STORED.read_text())
