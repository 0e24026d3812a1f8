"""What networks and the audit find where the truth is known, over seeds: whole runs, stored.

Study ``biased`` has both injected biases and all factors, study ``unbiased`` all factors and no
bias; study ``clean`` has none and records sex alone, so that it can afford to train longer. Slow:
seeds that are not stored yet are made first.
To make them: ``python plugins/spect_polar/tests/test_spect_flow_truth.py [number of seeds]``.
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
import pandas as pd
import pytest

from cardio_core.testing import run_plugin
from cardio_spect_polar.synthetic.flow import Injected, write_flow_cohort

pytestmark = pytest.mark.slow
STORED = Path(__file__).parent / "stored" / "flow_truth"
N_PATIENTS = 300
N_SEEDS = {"biased": 20, "unbiased": 20, "clean": 20}
ROWS = ("resnet_rest", "logistic_rest", "logistic_reserve")
FIT = "{epochs: %d, batch_size: 32, learning_rate: %s}"
COMMON = (
    "needs.mfr.settings={train: {fit: %s}}" % (FIT % (6, "3.0e-3")),
    "evaluate.n_resamples=500", "evaluate.n_simulations=0", "explain.n_cases=0",
    "predict.gains=[]",
)  # fmt: skip
SETTINGS = {
    "biased": (f"models=[{','.join(ROWS)}]", f"train.fit={FIT % (4, '2.0e-3')}", *COMMON),
    "unbiased": (f"models=[{','.join(ROWS)}]", f"train.fit={FIT % (4, '2.0e-3')}", *COMMON),
    "clean": (f"models=[{','.join(ROWS[:2])}]", f"train.fit={FIT % (10, '2.0e-3')}", *COMMON),
}


def write_cohort(study: str, folder: Path, seed: int) -> None:
    """Write the cohort of one seed; a clean one records no factor but sex."""
    folder.mkdir()
    write_flow_cohort(
        folder, N_PATIENTS, seed, injected=Injected() if study == "biased" else Injected.none()
    )
    if study == "clean":
        table = pd.read_csv(folder / "cohort.csv")
        table.drop(columns=["smoking", "htn", "dyslipidaemia", "dm"]).to_csv(
            folder / "cohort.csv", index=False
        )


def one_seed(study: str, seed: int, folder: Path) -> dict[str, Any]:
    """Synthesize one cohort, run the honest protocol, and gather what came out."""
    written = folder / "cohort"
    write_cohort(study, written, seed)
    begin = time.process_time()
    run = run_plugin(
        "spect_polar", "risk_factor", written, folder / "run", sets=SETTINGS[study], seed=seed
    )
    bayes = json.loads((written / "truth.json").read_text())["bayes_auc"]
    found = [
        {key: row[key] for key in ("target", "model", "value", "low", "high")}
        | {"bayes_auc": bayes[row["target"]]}
        for row in json.loads((run / "metrics.json").read_text())
        if row["name"] == "auc" and row["fold"] is None and row["subgroup"] is None
    ]
    with (run / "tables" / "honest-audit-flags.csv").open() as file:
        flags = [] if study == "clean" else list(csv.DictReader(file))
    return {
        "seed": seed,
        "cpu_s": round(time.process_time() - begin),
        "auc": found,
        "flags": [
            {key: flag[key] for key in ("factor", "model", "column", "group", "question")}
            | {key: round(float(flag[key]), 4) for key in ("effect", "p_adjusted")}
            for flag in flags
        ],
    }


def make(study: str, n_seeds: int) -> None:
    """Run the seeds that are not stored yet, and store each as soon as it is done."""
    rows = runs(study)
    for seed in range(n_seeds):
        if seed in {row["seed"] for row in rows}:
            continue
        with tempfile.TemporaryDirectory() as folder:
            os.environ["CARDIO_CACHE"] = f"{folder}/cache"
            rows.append(one_seed(study, seed, Path(folder)))
        STORED.mkdir(parents=True, exist_ok=True)
        content = {
            "made": datetime.now(UTC).date().isoformat(),
            "command": f"python plugins/spect_polar/tests/{Path(__file__).name} {n_seeds}",
            "n_patients": N_PATIENTS,
            "settings": ["config=smoke", *SETTINGS[study]],
            "runs": rows,
        }
        (STORED / f"{study}.json").write_text(json.dumps(content, indent=1) + "\n")
        print(study, seed, rows[-1]["cpu_s"], "s", flush=True)  # noqa: T201


def runs(study: str) -> list[dict[str, Any]]:
    """Return what is stored."""
    file = STORED / f"{study}.json"
    found: list[dict[str, Any]] = json.loads(file.read_text())["runs"] if file.exists() else []
    return found


def _stored(study: str) -> list[dict[str, Any]]:
    if len(runs(study)) < N_SEEDS[study]:
        make(study, N_SEEDS[study])
    return runs(study)


@pytest.fixture(scope="module")
def biased():
    return _stored("biased")


@pytest.fixture(scope="module")
def unbiased():
    return _stored("unbiased")


@pytest.fixture(scope="module")
def clean():
    return _stored("clean")


def areas(stored, target: str, model: str) -> dict[str, np.ndarray]:
    rows = [one for run in stored for one in run["auc"]
            if (one["target"], one["model"]) == (target, model)]  # fmt: skip
    assert len(rows) == len(stored)
    return {key: np.array([row[key] for row in rows]) for key in ("value", "low", "high",
                                                                  "bayes_auc")}  # fmt: skip


@pytest.mark.parametrize("model", ["resnet_rest", "logistic_rest"])
def test_sex_is_recovered_from_flow_at_rest(clean, model):
    found = areas(clean, "sex", model)
    # Analytic: two normals .15 apart with SD .2 are told apart with an AUC of .702.
    assert found["bayes_auc"].mean() == pytest.approx(0.702, abs=0.02)
    assert (found["low"] > 0.5).mean() >= 0.8
    assert found["value"].mean() > 0.62


def test_a_scanner_that_reads_too_high_costs_what_rest_says_of_sex(clean, biased):
    both = [areas(study, "sex", "logistic_rest")["value"].mean() for study in (clean, biased)]
    assert both[0] > both[1]


PESSIMIST = pytest.mark.xfail(
    strict=True,
    reason="covers .5 in 15 of 20 seeds (mean .485): scores of two folds that found nothing are "
    "pooled, and vary more than the interval of either knows",
)


@pytest.mark.parametrize(
    "model",
    [pytest.param(row, marks=PESSIMIST) if row == "logistic_rest" else row for row in ROWS],
)
def test_the_null_trait_stays_at_one_half(biased, model):
    found = areas(biased, "dyslipidaemia", model)
    missed = (found["low"] > 0.5) | (found["high"] < 0.5)
    # 17 of 20 intervals of 95 %, and as strict a share of fewer.
    assert missed.sum() <= np.ceil(0.15 * len(biased))
    assert found["value"].mean() == pytest.approx(0.5, abs=0.03 * np.sqrt(20 / len(biased)))
    assert (found["high"] - found["low"]).mean() / 2 <= 0.12


@pytest.mark.parametrize("model", ROWS)
def test_no_estimate_lies_far_above_the_bayes_auc(biased, model):
    n_over = n = 0
    for target in ("sex", "smoking", "hypertension", "dyslipidaemia", "diabetes"):
        found = areas(biased, target, model)
        error = (found["high"] - found["low"]) / (2 * 1.96)
        n_over += int(np.sum(found["value"] > found["bayes_auc"] + 2 * error))
        n += len(biased)
    # Two standard errors are exceeded by chance in 2.3 % of estimates.
    assert n_over <= max(1, 0.05 * n)


def is_wrong_labels(flag) -> bool:
    return (flag["factor"], flag["column"]) == ("diabetes", "race_ethnicity")


def test_wrong_labels_of_one_group_are_flagged_by_the_audit_of_diabetes(biased):
    where = [any(is_wrong_labels(f) and f["group"] == "B" for f in run["flags"]) for run in biased]
    assert np.mean(where) >= 0.8


def test_the_shifted_scanner_is_flagged_by_the_audit_of_sex_from_rest(biased):
    where = [
        any(f["factor"] == "sex" and f["column"] == "scanner_id" and f["model"].endswith("_rest")
            for f in run["flags"])
        for run in biased
    ]  # fmt: skip
    assert np.mean(where) >= 0.8


CHANCE = pytest.mark.xfail(
    strict=True,
    reason="2 of 20 runs flag something that is not there, 1 was asked for; a level of 5 % for a "
    "whole run gives 2 or more in 26 % of such studies",
)


@CHANCE
def test_a_run_without_an_injected_bias_flags_nothing(unbiased):
    assert sum(bool(run["flags"]) for run in unbiased) <= 1


@CHANCE
def test_a_run_with_injected_biases_flags_nothing_else(biased):
    """Whatever is foretold from rest or stress differs between the scanners, and by right."""
    assert sum(map(bool, _others(biased))) <= 1


def test_false_flags_are_as_rare_as_the_level_of_a_run_allows(biased, unbiased):
    """Of twenty runs at 5 % each; four or more have a probability of 1.6 %."""
    for found in (_others(biased), [run["flags"] for run in unbiased]):
        assert sum(map(bool, found)) <= 3


def _others(stored):
    """Return of every run the flags that nothing injected explains."""
    return [
        [f for f in run["flags"] if f["column"] != "scanner_id" and not is_wrong_labels(f)]
        for run in stored
    ]


if __name__ == "__main__":
    for name in SETTINGS:
        make(name, int(sys.argv[1]) if len(sys.argv) > 1 else N_SEEDS[name])
