"""How often the audit flags something, with injected biases and without: regressions, over seeds.

The maps and labels of the synthetic cohort, 300 patients, regressions on segments of the rest, the
stress and the reserve map out of two folds, audited as a run is. Without networks, so that
many seeds are affordable.
To make it: ``python plugins/spect_polar/tests/test_spect_flow_audit.py [number of seeds]``.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cardio_spect_polar.audit import OUTCOME, SCORE, flag_groups, groups_of
from cardio_spect_polar.flow.featurize import segments_and_mean
from cardio_spect_polar.flow.models import MAPS
from cardio_spect_polar.polar.flow_maps import make_maps
from cardio_spect_polar.synthetic.flow import (
    TRAITS,
    Injected,
    Scanner,
    _person,
    draw_flow,
    measured,
    true_maps,
)

STORED = Path(__file__).parent / "stored" / "flow_audit"
N_PATIENTS, N_SEEDS = 300, 40
LEVELS = (0.01, 0.05, 0.1, 0.5)
FLAG = ["factor", "model", "column", "group", "question"]
BIASES = {"biased": Injected(), "unbiased": Injected.none()}


def audited(injected: Injected, seed: int) -> pd.DataFrame:
    """Return every test of one cohort."""
    rng = np.random.default_rng([seed, N_PATIENTS])
    flow = draw_flow(N_PATIENTS, rng)
    people = pd.DataFrame([_person(i, flow.traits[i], rng) for i in range(N_PATIENTS)])
    people.index = pd.Index(people["patient_id"])
    wrong = (people["race_ethnicity"] == "B").to_numpy()
    wrong &= rng.uniform(size=N_PATIENTS) < injected.label_noise
    y = flow.traits.copy()
    y[wrong, TRAITS.index("diabetes")] ^= 1
    found: dict[str, list[Any]] = {name: [] for name in MAPS}
    for i, scanner in enumerate(people["scanner_id"]):
        camera = Scanner(injected.scanner_gain if scanner == "two" else 1.0)
        own = np.random.default_rng([seed, N_PATIENTS, i])
        maps = make_maps(*(measured(part, camera, own) for part in true_maps(flow, i, own)))
        for name in MAPS:
            found[name].append(segments_and_mean(maps, name))
    folds = list(StratifiedKFold(2, shuffle=True, random_state=seed).split(y, y[:, 0]))
    tested = {}
    for place, factor in enumerate(TRAITS):
        for name in MAPS:
            x, score = np.stack(found[name]), np.empty(N_PATIENTS)
            for train, test in folds:
                fitted = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
                score[test] = fitted.fit(x[train], y[train, place]).predict_proba(x[test])[:, 1]
            tested[factor, f"logistic_{name}"] = pd.DataFrame(
                {"y": y[:, place], "score": score}, people.index
            )
    return flag_groups(tested, groups_of(people), seed=seed)


def make(study: str, n_seeds: int) -> None:
    """Audit the cohorts that are not stored yet, and store flags and p-values of each."""
    runs = stored_runs(study)
    for seed in range(len(runs), n_seeds):
        tests = audited(BIASES[study], seed)
        flags = tests.loc[tests["flagged"], FLAG]
        below = {
            str(question): [int((own["p"] <= level).sum()) for level in LEVELS] + [len(own)]
            for question, own in tests.groupby("question")
        }
        runs.append({"seed": seed, "flags": flags.to_dict("records"), "p_at_or_below": below})
        STORED.mkdir(parents=True, exist_ok=True)
        content = {
            "made": datetime.now(UTC).date().isoformat(),
            "command": f"python plugins/spect_polar/tests/{Path(__file__).name} {n_seeds}",
            "n_patients": N_PATIENTS,
            "levels": [*LEVELS, "all"],
            "runs": runs,
        }
        (STORED / f"{study}.json").write_text(json.dumps(content, indent=1) + "\n")


def stored_runs(study: str) -> list[dict[str, Any]]:
    """Return what is stored."""
    file = STORED / f"{study}.json"
    found: list[dict[str, Any]] = json.loads(file.read_text())["runs"] if file.exists() else []
    return found


def shares(runs: list[dict[str, Any]], question: str) -> list[float]:
    """Return the share of all p-values at or below each level."""
    found = np.sum([run["p_at_or_below"][question] for run in runs], axis=0)
    return [round(float(n / found[-1]), 4) for n in found[:-1]]


def counted(runs: list[dict[str, Any]]) -> dict[str, int]:
    """Return in how many runs anything is flagged, either bias, and something else."""
    kinds = {"any": 0, "labels": 0, "scanner": 0, "else": 0}
    for run in runs:
        labels = [(f["factor"], f["column"], f["group"]) == ("diabetes", "race_ethnicity", "B")
                  for f in run["flags"]]  # fmt: skip
        scanner = [(f["factor"], f["column"], f["model"]) == ("sex", "scanner_id", "logistic_rest")
                   for f in run["flags"]]  # fmt: skip
        rest = [f["column"] != "scanner_id" and
                (f["factor"], f["column"]) != ("diabetes", "race_ethnicity")
                for f in run["flags"]]  # fmt: skip
        kinds["any"] += bool(run["flags"])
        kinds["labels"] += any(labels)
        kinds["scanner"] += any(scanner)
        kinds["else"] += any(rest)
    return kinds


@pytest.fixture(scope="module")
def biased() -> list[dict[str, Any]]:
    return stored_runs("biased")


@pytest.fixture(scope="module")
def unbiased() -> list[dict[str, Any]]:
    return stored_runs("unbiased")


def test_without_a_bias_one_run_in_twenty_flags_anything(unbiased):
    assert len(unbiased) >= 20
    # At an exact 5 % more than an eighth of forty has a chance of 1 %.
    assert counted(unbiased)["any"] <= len(unbiased) / 8


@pytest.mark.parametrize("question", [OUTCOME, SCORE])
def test_every_p_value_is_uniform_or_larger_without_a_bias(unbiased, question):
    for level, share in zip(LEVELS, shares(unbiased, question), strict=True):
        assert share <= level * 1.25 + 0.004


def test_wrong_labels_and_the_shifted_scanner_are_flagged_and_little_else(biased):
    found = counted(biased)
    assert found["labels"] >= 0.8 * len(biased)
    assert found["scanner"] >= 0.95 * len(biased)
    assert found["else"] <= len(biased) / 8


@pytest.mark.slow
def test_what_is_stored_is_what_the_code_gives(biased):
    tests = audited(BIASES["biased"], 0)
    assert tests.loc[tests["flagged"], FLAG].to_dict("records") == biased[0]["flags"]


if __name__ == "__main__":
    for name in sys.argv[2:] or BIASES:
        make(name, int(sys.argv[1]) if len(sys.argv) > 1 else N_SEEDS)
        print(name, counted(stored_runs(name)))  # noqa: T201
        print(*(shares(stored_runs(name), question) for question in (OUTCOME, SCORE)))  # noqa: T201
