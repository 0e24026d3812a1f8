"""Chance and truth over twenty seeds: whole runs, on synthetic cohorts of known Bayes AUC.

Slow: a study that is not stored yet is made first (20 runs each). To make all of them, or some:
``python plugins/ecg_transfer/tests/test_chance_and_truth.py [beats-null crt-medium ...]``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardio_core.testing import run_plugin
from cardio_ecg_transfer.synthetic import synthesize

pytestmark = pytest.mark.slow
STORED = Path(__file__).parent / "stored" / "chance_and_truth"
N_PATIENTS, SEEDS = 100, range(20)
DIFFICULTIES: dict[str, dict[str, Any]] = {
    "null": {"difficulty": "easy", "null": True},
    "easy": {"difficulty": "easy"},
    "medium": {"difficulty": "medium"},
    "impossible": {"difficulty": "impossible"},
}
COMMON = (
    "protocols.honest.plan=nested", "protocols.honest.decision=fixed", "inner.k=0",
    "explain.n_cases=0", "evaluate.n_resamples=200",
)  # fmt: skip


@dataclass(frozen=True)
class Study:
    """A task on its synthetic cohort: which models, and whose AUC."""

    task: str
    models: tuple[str, ...]
    class_name: str | None
    bayes_of: str
    settings: tuple[str, ...]
    more: dict[str, Any]


TASKS = {
    "beats": Study(
        "aami_beats", ("resnet",), "V", "V against the rest",
        (*COMMON, "protocols.honest.k=2", "train.fit.epochs=6", "load.exclude=[]",
         "models=[resnet]"),
        {"duration_s": 20.0},
    ),
    "crt": Study(
        "crt_response", ("pretrained", "forest", "qrs_duration", "qrs_area"), None,
        "response",
        (*COMMON, "protocols.honest.k=3", "train.fit.epochs=4", "train.fit.draw=100",
         "models=[pretrained,forest,qrs_duration,qrs_area]"),
        {},
    ),
}  # fmt: skip
STUDIES = [f"{task}-{difficulty}" for task in TASKS for difficulty in DIFFICULTIES]


def areas_of_one(study: str, seed: int, folder: Path, earlier: Path | None) -> list[dict[str, Any]]:
    """Run the honest protocol on one synthetic cohort, and return the AUC of each model."""
    name, _, difficulty = study.partition("-")
    about = TASKS[name]
    synthetic = folder / "made"
    synthesize(
        synthetic, task=about.task, n_patients=N_PATIENTS, seed=seed,
        **(DIFFICULTIES[difficulty] | about.more),
    )  # fmt: skip
    needs = {} if earlier is None else {"aami_beats": earlier}
    done = run_plugin(
        "ecg_transfer", about.task, synthetic, folder / "run", sets=about.settings, seed=seed,
        needs_from=needs,
    )  # fmt: skip
    bayes = json.loads((synthetic / "truth.json").read_text())["bayes_auc"][about.bayes_of]
    found = {
        one["model"]: one
        for one in json.loads((done / "metrics.json").read_text())
        if one["name"] == "auc" and one["class_name"] == about.class_name and one["fold"] is None
    }
    keys = ("value", "low", "high", "n", "n_patients")
    return [
        {"seed": seed, "model": model, "bayes_auc": bayes}
        | {key: found[model][key] for key in keys}
        for model in about.models
    ]


def earlier_run(folder: Path) -> Path:
    """Pretrain once, on beats of other synthetic people, as `crt_response` asks for it."""
    synthetic = folder / "beats"
    synthesize(synthetic, task="aami_beats", n_patients=24, seed=1000)
    sets = (
        "inner.k=0", "preprocess.leads=first", "featurize.kinds=[own]", "train.rhythm=false",
        "train.loudness=false", "train.picture_dropout=0", "train.picture_classes=[]",
        "explain.n_cases=0",
    )  # fmt: skip
    return run_plugin("ecg_transfer", "aami_beats", synthetic, folder / "earlier", sets=sets)


def summary(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Return coverage of the Bayes AUC, mean half-width, mean estimate and largest excess."""
    value, low, high, bayes = (
        np.array([run[key] for run in runs]) for key in ("value", "low", "high", "bayes_auc")
    )
    standard_error = (high - low) / (2 * 1.96)
    return {
        "n_runs": len(runs),
        "n_covered": int(np.sum((low <= bayes) & (bayes <= high))),
        "mean_half_width": round(float(np.mean(high - low) / 2), 4),
        "mean_auc": round(float(value.mean()), 4),
        "mean_bayes_auc": round(float(bayes.mean()), 4),
        "largest_excess_in_se": round(float(np.max((value - bayes) / standard_error)), 2),
    }


def make(studies: list[str], seeds: range = SEEDS) -> None:
    """Run some studies and store what came of it; seeds that are stored are kept."""
    STORED.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as shared:
        earlier = None
        for study in studies:
            if study.startswith("crt") and earlier is None:
                os.environ["CARDIO_CACHE"] = f"{shared}/cache"
                earlier = earlier_run(Path(shared))
            runs = runs_of(study)
            done = {run["seed"] for run in runs}
            for seed in (seed for seed in seeds if seed not in done):
                start = time.monotonic()
                with tempfile.TemporaryDirectory() as folder:
                    os.environ["CARDIO_CACHE"] = f"{folder}/cache"
                    needed = earlier if study.startswith("crt") else None
                    runs += areas_of_one(study, seed, Path(folder), needed)
                print(study, seed, f"{time.monotonic() - start:.0f} s", flush=True)  # noqa: T201
                store(study, runs)


def store(study: str, runs: list[dict[str, Any]]) -> None:
    """Write the runs of a study with what came of them."""
    about = TASKS[study.partition("-")[0]]
    by_model = {name: [run for run in runs if run["model"] == name] for name in about.models}
    content = {
        "made": datetime.now(UTC).date().isoformat(),
        "command": f"python plugins/ecg_transfer/tests/test_chance_and_truth.py {study}",
        "n_patients": N_PATIENTS,
        "cohort": DIFFICULTIES[study.partition("-")[2]] | about.more,
        "settings": ["config=smoke", *about.settings],
        "summary": {name: summary(own) for name, own in by_model.items()},
        "runs": runs,
    }
    (STORED / f"{study}.json").write_text(json.dumps(content, indent=1) + "\n")


def runs_of(study: str) -> list[dict[str, Any]]:
    """Return the stored runs of a study."""
    file = STORED / f"{study}.json"
    found: list[dict[str, Any]] = json.loads(file.read_text())["runs"] if file.exists() else []
    return found


LEARNS_ITS_SIGN = pytest.mark.xfail(
    strict=True,
    reason="16 of 20 intervals cover .5 and two estimates lie above it by more than two standard "
    "errors: a model of one measurement learns only its sign, the same in every fold where chance "
    "favours one, and DeLong's variance takes the scores as given",
)


def cases(*difficulties: str) -> list[Any]:
    """Return every model of every study of these difficulties."""
    known = {("crt-null", "qrs_area"): [LEARNS_ITS_SIGN]}
    named = [(f"{t}-{d}", model) for t, about in TASKS.items() for d in difficulties
             for model in about.models]  # fmt: skip
    return [pytest.param(*case, marks=known.get(case, [])) for case in named]


@pytest.fixture(scope="module")
def stored():
    missing = [s for s in STUDIES if len({run["seed"] for run in runs_of(s)}) < len(SEEDS)]
    if missing:
        make(missing)
    return {study: runs_of(study) for study in STUDIES}


def of_model(stored, study: str, model: str) -> list[dict[str, Any]]:
    return [run for run in stored[study] if run["model"] == model]


@pytest.mark.parametrize(("study", "model"), cases("null"))
def test_labels_drawn_by_chance_give_chance_over_twenty_seeds(stored, study, model):
    found = summary(of_model(stored, study, model))
    assert found["n_runs"] == 20
    assert found["n_covered"] >= 17
    assert found["mean_half_width"] <= 0.12
    assert found["mean_auc"] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("study", "model"), cases(*DIFFICULTIES))
def test_no_estimate_lies_two_standard_errors_above_the_bayes_auc(stored, study, model):
    over = [
        one["seed"]
        for one in of_model(stored, study, model)
        if one["value"] > one["bayes_auc"] + 2 * (one["high"] - one["low"]) / (2 * 1.96)
    ]
    # Two standard errors are exceeded by chance in 2.3 % of runs: one in twenty is allowed.
    assert len(over) <= 1


@pytest.mark.parametrize(
    ("study", "model", "floor"), [("beats", "resnet", 0.95), ("crt", "qrs_duration", 0.8)]
)
def test_an_easy_cohort_is_learned_and_an_impossible_one_is_not(stored, study, model, floor):
    assert summary(of_model(stored, f"{study}-easy", model))["mean_auc"] >= floor
    assert summary(of_model(stored, f"{study}-impossible", model))["mean_auc"] <= 0.58


def test_one_seed_of_a_study_still_gives_what_is_stored(stored, tmp_path, monkeypatch):
    for study in ("beats-null", "beats-easy"):
        monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / study))
        (tmp_path / study).mkdir()
        (again,) = areas_of_one(study, 0, tmp_path / study, None)
        kept = stored[study][0]
        assert again["value"] == pytest.approx(kept["value"], abs=0.05)
        assert again["bayes_auc"] == pytest.approx(kept["bayes_auc"], abs=1e-6)


if __name__ == "__main__":
    make(sys.argv[1:] or STUDIES)
