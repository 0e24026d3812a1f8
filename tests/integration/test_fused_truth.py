"""Fusions of toy runs whose truth is known: no signal, and two effects of which each run sees one.

The log odds are ``a z1 + b z2``, so ranking by them is the best that can be done (the Bayes AUC).
With ``CARDIO_STORE=1`` the slow test of this file makes the stored result anew.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardio_stats import auc, bayes_auc
from cardio_studies.fusion_members import Folds, join, open_members, shared_folds, split_alike
from cardio_studies.fusion_weights import Fitted, fit

from .latent_toys import people_of, two_runs

STORED = Path(__file__).parent / "stored" / "fused_truth.json"
N_PATIENTS, SEEDS = 100, range(24)
CASES: dict[str, dict[str, float]] = {
    "no signal": {"a": 0.0, "b": 0.0},
    "two effects": {"a": 1.2, "b": 1.0},
}


def area(fitted: Fitted, model: str) -> list[float]:
    rows = fitted.frame[fitted.frame["model"] == model]
    made = auc((rows["y_true"] == "ill").astype(int), rows["score:ill"], unit="patient")
    return [round(float(one), 4) for one in (made.value, made.low or 0, made.high or 1)]


def one(run_toy: Any, folder: Path, case: str, seed: int) -> dict[str, Any]:
    about = CASES[case]
    people = people_of(N_PATIENTS, seed, about["a"], about["b"])
    joined = join(open_members(two_runs(run_toy, folder, people, seed)))
    folds = shared_folds(joined, seed=seed)
    fitted = fit(joined, folds, None, folder / "fused")
    own = split_alike(joined)
    same = folds if own is None else Folds(own, True, "nested", "")
    free = fit(joined, same, None, folder / "free", non_negative=False)
    return {
        "seed": seed, "optimum": round(bayes_auc(people["p"]).value, 4),
        "fusion": area(fitted, "fusion"), "naive": area(free, "fusion"),
        "mean_log_odds": area(fitted, "mean_log_odds"), "z1": area(fitted, "z1"),
        "z2": area(fitted, "z2"),
    }  # fmt: skip


def mean(rows: list[dict[str, Any]], name: str) -> float:
    return float(np.mean([row[name][0] for row in rows]))


def require_no_signal(rows: list[dict[str, Any]]) -> None:
    """A fusion of noise ranks like chance."""
    error = 0.06 / np.sqrt(len(rows))  # of the mean: one AUC of 100 patients has 0.058
    assert abs(mean(rows, "fusion") - 0.5) <= 2 * error
    assert sum(row["fusion"][1] > 0.5 for row in rows) <= 2


def require_two_effects(rows: list[dict[str, Any]]) -> None:
    """More than either run alone, and below what is possible: 100 patients settle no model."""
    optimum = float(np.mean([row["optimum"] for row in rows]))
    assert mean(rows, "fusion") > max(mean(rows, "z1"), mean(rows, "z2")) + 0.03
    assert optimum - 0.08 < mean(rows, "fusion") < optimum
    assert optimum - 0.06 < mean(rows, "mean_log_odds") < optimum


def require(case: str, rows: list[dict[str, Any]]) -> None:
    assert len(rows) == len(SEEDS)
    (require_two_effects if CASES[case]["a"] else require_no_signal)(rows)


@pytest.mark.parametrize("case", CASES)
def test_stored_fusions_tell_the_truth(case: str) -> None:
    require(case, json.loads(STORED.read_text())["runs"][case])


def test_naive_stacking_would_see_what_is_not_there() -> None:
    """Weights of either sign on the members' own folds: noise that knows the outcome ranks."""
    stored = json.loads(STORED.read_text())["runs"]["no signal"]
    assert mean(stored, "naive") > 0.53 > 0.52 > mean(stored, "fusion")


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_fusions_of_many_seeds_tell_the_truth(
    run_toy: Any, tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody looks at their figures and pages, which take most of the time.
    monkeypatch.setattr("cardio_core.runner.evaluate.draw_figure", lambda figure: [])
    monkeypatch.setattr("cardio_core.report.page.build_report", lambda run: run / "report.html")
    rows = [one(run_toy, tmp_path / str(seed), case, seed) for seed in SEEDS]
    if os.environ.get("CARDIO_STORE"):
        kept = json.loads(STORED.read_text()) if STORED.exists() else {"runs": {}}
        kept |= {
            "made": datetime.now(UTC).date().isoformat(), "n_patients": N_PATIENTS,
            "runs": kept["runs"] | {case: rows},
        }  # fmt: skip
        STORED.write_text(json.dumps(kept, indent=1) + "\n")
    require(case, rows)
