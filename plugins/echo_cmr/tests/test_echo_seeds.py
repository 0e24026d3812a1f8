"""What the apical four-chamber view tells: wall motion of its segments, and nothing of T1.

T1 depends on nothing that is recorded: twenty seeds draw it anew for the same loops, as the phantom
draws it, and folds and what is drawn in training too. Wall motion is told by the loops; one seed of
it is run at the sizes of ``--config cpu``. Slow: runs that are not stored yet are made first,
half an hour of one quiet core in all. To make them:
``python plugins/echo_cmr/tests/test_echo_seeds.py``.
"""

from __future__ import annotations

import csv
import json
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from cardio_core.testing import run_plugin
from cardio_echo_cmr.synthetic import cohort, findings, patients, synthesize

pytestmark = pytest.mark.slow
STORED = Path(__file__).parent / "stored" / "echo_seeds.json"
N_PATIENTS = 150
LOOPS_SEED = 20_000
# One study and one view a patient, named by the table.
SHARED = (
    "load={views: table, min_studies: 20}",
    "needs.view.skip=true",
    "inner.k=0",
    "evaluate.n_resamples=1000",
    "explain={n_cases: 0, occlusion: false}",
)
# Where nothing can be learnt: two folds, and videos of half the size that `cpu` has.
SMALL = (
    "preprocess.side=32",
    "train={n_frames: 8, period: 4}",
    "protocols.honest={k: 2}",
    "train.fit={epochs: 8, warmup_epochs: 1}",
)


@dataclass(frozen=True)
class Study:
    """Models of a task with the target that each is judged by."""

    targets: dict[str, str]
    n_seeds: int
    sets: tuple[str, ...] = ()


STUDIES = {
    "wma": Study({"a4c": "wma_a4c", "lvef": "wma", "age_sex": "wma"}, 1),
    "t1": Study({"a4c": "t1_high", "age_sex": "t1_high"}, 20, SMALL),
}


def write_loops(folder: Path) -> None:
    """Write a cohort with one apical four-chamber loop a patient."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        mock.patch.object(patients, "VIEWS", ("a4c",)),
        mock.patch.object(patients, "SECOND_STUDY_SHARE", 0.0),
        mock.patch.object(patients, "LACKS_A_VIEW_SHARE", 0.0),
        # Processes of their own would not know of these changes.
        mock.patch.object(cohort, "PATIENTS_A_PROCESS", N_PATIENTS),
    ):
        synthesize(folder, n_patients=N_PATIENTS, seed=LOOPS_SEED, difficulty="medium")


def areas_of(run: Path, targets: dict[str, str]) -> list[dict[str, Any]]:
    """Return the pooled AUC of every model for its target."""
    keys = ("model", "value", "low", "high", "n")
    return [
        {key: row[key] for key in keys}
        for row in json.loads((run / "metrics.json").read_text())
        if row["name"] == "auc" and row["target"] == targets.get(row["model"])
        and (row["fold"], row["subgroup"], row["versus"]) == (None, None, None)
    ]  # fmt: skip


def redraw(whole: Path, folder: Path, seed: int) -> None:
    """Write the cohort with T1, T2 and ECV drawn anew."""
    folder.mkdir(parents=True)
    (folder / "loops").symlink_to(whole / "loops")
    with (whole / "cohort.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for number, row in enumerate(rows):
        drawn = findings._draw_tissue(np.random.default_rng([seed, number])).items()
        row |= {name: "" if value is None else value for name, value in drawn}
    with (folder / "cohort.csv").open("w", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def one_seed(task: str, seed: int, whole: Path, folder: Path) -> list[dict[str, Any]]:
    """Run the honest protocol of a task, and return the pooled AUCs."""
    study = STUDIES[task]
    redraw(whole, folder / "cohort", seed)
    models = f"models=[{','.join(study.targets)}]"
    run = run_plugin(
        "echo_cmr", task, folder / "cohort", folder / "run",
        config="cpu", sets=(*SHARED, *study.sets, models), seed=seed,
    )  # fmt: skip
    return [{"task": task, "seed": seed} | area for area in areas_of(run, study.targets)]


def make() -> None:
    """Make the runs that are not stored yet, and store each as soon as it is done."""
    rows = areas()
    done = {(row["task"], row["seed"]) for row in rows}
    with tempfile.TemporaryDirectory() as shared:
        os.environ["CARDIO_CACHE"] = f"{shared}/cache"
        whole = Path(shared) / "whole"
        write_loops(whole)
        for task, study in STUDIES.items():
            for seed in range(study.n_seeds):
                if (task, seed) in done:
                    continue
                with tempfile.TemporaryDirectory() as folder:
                    rows += one_seed(task, seed, whole, Path(folder))
                store(rows)


def store(rows: list[dict[str, Any]]) -> None:
    """Store what is done."""
    content = {
        "made": datetime.now(UTC).date().isoformat(),
        "command": f"python plugins/echo_cmr/tests/{Path(__file__).name}",
        "n_patients": N_PATIENTS,
        "difficulty": "medium",
        "loops": {"seed": LOOPS_SEED, "views": ["a4c"], "studies_a_patient": 1},
        "settings": {task: ["config=cpu", *SHARED, *one.sets] for task, one in STUDIES.items()},
        "summary": {
            f"{task} {model}": summary(rows, task, model)
            for task, study in STUDIES.items()
            for model in study.targets
        },
        "areas": rows,
    }
    STORED.write_text(json.dumps(content, indent=1) + "\n")
    print(rows[-1], flush=True)  # noqa: T201


def areas() -> list[dict[str, Any]]:
    """Return what is stored."""
    found: list[dict[str, Any]] = json.loads(STORED.read_text())["areas"] if STORED.exists() else []
    return found


def summary(rows: list[dict[str, Any]], task: str, model: str) -> dict[str, Any]:
    """Return the first estimate, how often the interval holds one half, and means over seeds."""
    chosen = [row for row in rows if (row["task"], row["model"]) == (task, model)]
    if not chosen:
        return {"n_seeds": 0}
    value, low, high = (np.array([row[key] for row in chosen]) for key in ("value", "low", "high"))
    return {
        "n_seeds": len(chosen),
        "n_covered": int(np.sum((low <= 0.5) & (high >= 0.5))),
        "mean_half_width": round(float(np.mean(high - low) / 2), 4),
        "mean_auc": round(float(value.mean()), 4),
        "first": chosen[0],
    }


@pytest.fixture(scope="module")
def stored():
    make()
    return areas()


@pytest.mark.parametrize("model", STUDIES["t1"].targets)
def test_t1_is_at_chance_over_twenty_seeds(stored, model):
    found = summary(stored, "t1", model)
    assert found["n_seeds"] == STUDIES["t1"].n_seeds
    assert found["n_covered"] >= 17
    assert round(found["mean_half_width"], 2) <= 0.12
    assert found["mean_auc"] == pytest.approx(0.5, abs=0.03)


def test_wall_motion_of_its_segments_is_found_in_the_apical_four_chamber_view(stored):
    assert summary(stored, "wma", "a4c")["first"]["low"] > 0.75


if __name__ == "__main__":
    make()
