"""What networks and the audit find on twins whose truth is known, over seeds: whole runs, stored.

Slow: seeds that are not stored yet are made first. To make them:
``python plugins/spect_polar/tests/test_spect_flow_truth.py [number of seeds]``.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardio_core.testing import run_plugin
from cardio_spect_polar.synthetic.flow import write_flow_cohort

pytestmark = pytest.mark.slow
STORED = Path(__file__).parent / "stored" / "flow_truth.json"
N_PATIENTS, N_SEEDS = 300, 5
ROWS = ("resnet_rest", "logistic_rest", "logistic_reserve")
FIT = "{epochs: %d, batch_size: 32, learning_rate: %s}"
SETTINGS = (
    f"models=[{','.join(ROWS)}]", f"train.fit={FIT % (4, '2.0e-3')}", "predict.gains=[]",
    "needs.mfr.settings={train: {fit: %s}}" % (FIT % (6, "3.0e-3")),
    "evaluate.n_resamples=500", "evaluate.n_simulations=0", "explain.n_cases=0",
)  # fmt: skip


def one_seed(seed: int, folder: Path) -> dict[str, Any]:
    """Synthesize one twin with both biases, run the honest protocol, and gather what came out."""
    twin = folder / "twin"
    twin.mkdir()
    write_flow_cohort(twin, N_PATIENTS, seed)
    begin = time.process_time()
    run = run_plugin("spect_polar", "risk_factor", twin, folder / "run", sets=SETTINGS, seed=seed)
    bayes = json.loads((twin / "truth.json").read_text())["bayes_auc"]
    found = [
        {key: row[key] for key in ("target", "model", "value", "low", "high")}
        | {"bayes_auc": bayes[row["target"]]}
        for row in json.loads((run / "metrics.json").read_text())
        if row["name"] == "auc" and row["fold"] is None and row["subgroup"] is None
    ]
    with (run / "tables" / "honest-audit-flags.csv").open() as file:
        flags = list(csv.DictReader(file))
    return {
        "seed": seed,
        "cpu_s": round(time.process_time() - begin),
        "auc": found,
        "flags": [
            {key: flag[key] for key in ("factor", "model", "column", "group", "metric")}
            | {"gap": float(flag["gap"]), "p_holm": float(flag["p_holm"])}
            for flag in flags
        ],
    }


def make(n_seeds: int = N_SEEDS) -> None:
    """Run the seeds that are not stored yet, and store each as soon as it is done."""
    rows = runs()
    for seed in range(n_seeds):
        if seed in {row["seed"] for row in rows}:
            continue
        with tempfile.TemporaryDirectory() as folder:
            os.environ["CARDIO_CACHE"] = f"{folder}/cache"
            rows.append(one_seed(seed, Path(folder)))
        STORED.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "made": datetime.now(UTC).date().isoformat(),
            "command": f"python plugins/spect_polar/tests/{Path(__file__).name} {n_seeds}",
            "n_patients": N_PATIENTS,
            "settings": ["config=smoke", *SETTINGS],
            "runs": rows,
        }
        STORED.write_text(json.dumps(content, indent=1) + "\n")
        print(seed, rows[-1]["cpu_s"], "s", flush=True)  # noqa: T201


def runs() -> list[dict[str, Any]]:
    """Return what is stored."""
    found: list[dict[str, Any]] = json.loads(STORED.read_text())["runs"] if STORED.exists() else []
    return found


@pytest.fixture(scope="module")
def stored():
    if len(runs()) < N_SEEDS:
        make()
    return runs()


def areas(stored, target: str, model: str) -> dict[str, np.ndarray]:
    rows = [one for run in stored for one in run["auc"]
            if (one["target"], one["model"]) == (target, model)]  # fmt: skip
    assert len(rows) == len(stored)
    return {key: np.array([row[key] for row in rows]) for key in ("value", "low", "high",
                                                                  "bayes_auc")}  # fmt: skip


def test_sex_is_recovered_from_flow_at_rest_by_the_network(stored):
    found = areas(stored, "sex", "resnet_rest")
    # Analytic: two normals .15 apart with SD .2, .702; the scanner's gain costs some of it.
    assert found["bayes_auc"].mean() == pytest.approx(0.702, abs=0.02)
    assert found["value"].mean() > 0.62
    assert (found["low"] > 0.5).mean() >= 0.8


@pytest.mark.parametrize("model", ROWS)
def test_the_null_trait_stays_at_one_half(stored, model):
    found = areas(stored, "dyslipidaemia", model)
    missed = (found["low"] > 0.5) | (found["high"] < 0.5)
    # 17 of 20 intervals of 95 %, and as strict a share of fewer.
    assert missed.sum() <= np.ceil(0.15 * len(stored))
    assert found["value"].mean() == pytest.approx(0.5, abs=0.03 * np.sqrt(20 / len(stored)))
    assert (found["high"] - found["low"]).mean() / 2 <= 0.12


@pytest.mark.parametrize("model", ROWS)
def test_no_estimate_lies_far_above_the_bayes_auc(stored, model):
    n_over = n = 0
    for target in ("sex", "smoking", "hypertension", "dyslipidaemia", "diabetes"):
        found = areas(stored, target, model)
        error = (found["high"] - found["low"]) / (2 * 1.96)
        n_over += int(np.sum(found["value"] > found["bayes_auc"] + 2 * error))
        n += len(stored)
    # Two standard errors are exceeded by chance in 2.3 % of estimates.
    assert n_over <= max(1, 0.05 * n)


def test_wrong_labels_of_one_group_are_flagged_by_the_audit_of_diabetes(stored):
    where = [
        any(f["factor"] == "diabetes" and f["column"] == "race_ethnicity" and f["group"] == "B"
            for f in run["flags"])
        for run in stored
    ]  # fmt: skip
    assert np.mean(where) >= 0.8


def test_the_shifted_scanner_is_flagged_by_the_audit_of_sex_from_rest(stored):
    where = [
        any(f["factor"] == "sex" and f["column"] == "scanner_id" and f["model"].endswith("_rest")
            for f in run["flags"])
        for run in stored
    ]  # fmt: skip
    assert np.mean(where) >= 0.8


if __name__ == "__main__":
    make(int(sys.argv[1]) if len(sys.argv) > 1 else N_SEEDS)
