"""The full M-mode on clear flashes over ten seeds: the fits of ``--config cpu``, out of fold.

Cohort, features and pretraining are made once and shared; a seed draws the folds, the last layer
and the order of training. Slow: seeds that are not stored yet are made first, half a minute each
of one quiet core, after the pretraining's four minutes. To make them:
``python plugins/mmode_septal_flash/tests/test_mmode_full_seeds.py [run of phantom_flash]``.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardio_core.api import FeatureSet, Targets
from cardio_core.testing import run_plugin
from cardio_core.testing.driving import Bench, plugin_bench
from cardio_mmode_septal_flash.flash.labels import known_labels
from cardio_mmode_septal_flash.flash.predict import predict
from cardio_mmode_septal_flash.flash.train import train
from cardio_mmode_septal_flash.synthetic import synthesize
from cardio_stats import auc

pytestmark = pytest.mark.slow
STORED = Path(__file__).parent / "stored" / "mmode_full_seeds.json"
N_PATIENTS, N_SEEDS, N_FOLDS = 60, 10, 3
MODEL = "densenet"


def pretrained(folder: Path) -> Path:
    """Run the pretraining of ``--config cpu`` for this model."""
    cohort = folder / "phantoms"
    synthesize(cohort, n_patients=240, task="phantom_flash")
    return run_plugin(
        "mmode_septal_flash", "phantom_flash", cohort, folder / "earlier", config="cpu",
        sets=(f"models=[{MODEL}]",),
    )  # fmt: skip


def prepared(folder: Path) -> tuple[Bench, FeatureSet, Targets]:
    """Make the cohort of clear flashes, and its features as ``--config cpu`` has them."""
    cohort_folder = folder / "clear"
    synthesize(cohort_folder, n_patients=N_PATIENTS, difficulty="clear")
    bench = plugin_bench("mmode_septal_flash", "septal_flash", cohort_folder, config="cpu")
    cohort = bench.load()
    return bench, bench.together(cohort), cohort.targets


def one_seed(
    seed: int, made: tuple[Bench, FeatureSet, Targets], earlier: Path, folder: Path
) -> dict[str, Any]:
    """Fit and score every fold of one seed."""
    begin = time.process_time()
    bench, features, targets = made
    features, y = known_labels(features, targets, bench.ctx)
    patients = features.table["patient_id"].to_numpy(str)
    original = features.table["variant"].to_numpy() == 0
    scores = np.full(len(features), np.nan)
    artifact = earlier / "models" / "final" / MODEL / "artifact"
    for number, tested in enumerate(folds_of(patients, y, seed)):
        out = folder / f"{seed}-{number}"
        out.mkdir()
        ctx = bench.ctx.replace(
            hook="train", model=MODEL, fold=f"r0-f{number}", seed=seed, _out=out,
            _needs={"phantom_flash": {MODEL: artifact}},
        )  # fmt: skip
        fitted = features.view(np.flatnonzero(~tested))
        model = train(fitted, None, targets, bench.config.train, ctx)
        test = np.flatnonzero(tested & original)
        found = predict(model, features.view(test), bench.config.predict, ctx)
        scores[test] = found.scores["septal_flash"]
    area = auc(y[original], scores[original], patient=patients[original])
    return {
        "seed": seed,
        "cpu_s": round(time.process_time() - begin),
        "auc": round(float(area.value), 4),
        "low": round(float(area.low), 4),
        "high": round(float(area.high), 4),
        "n": int(original.sum()),
        "n_patients": N_PATIENTS,
    }


def folds_of(patients: np.ndarray, y: np.ndarray, seed: int) -> list[np.ndarray]:
    """Divide the patients, those with a flash and those without alike; return who is tested."""
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(np.unique(patients))
    drawn = sorted(drawn, key=lambda one: float(y[patients == one].mean()))
    return [np.isin(patients, drawn[number::N_FOLDS]) for number in range(N_FOLDS)]


def make(earlier: Path | None = None) -> None:
    """Run the seeds that are not stored yet, and store each as soon as it is done."""
    rows = runs()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = prepared(folder)
        earlier = pretrained(folder) if earlier is None else earlier
        for seed in sorted(set(range(N_SEEDS)) - {row["seed"] for row in rows}):
            rows.append(one_seed(seed, made, earlier, folder))
            areas = [row["auc"] for row in rows]
            content = {
                "made": datetime.now(UTC).date().isoformat(),
                "command": f"python plugins/mmode_septal_flash/tests/{Path(__file__).name}",
                "cohort": f"{N_PATIENTS} patients of clear flashes, seed 0",
                "pretraining": "phantom_flash --config cpu, seed 0, shared",
                "train": made[0].config.train.model_dump(mode="json"),
                "summary": {"n_seeds": len(rows), "mean": float(np.mean(areas)).__round__(4),
                            "lowest": min(areas)},
                "runs": rows,
            }  # fmt: skip
            STORED.write_text(json.dumps(content, indent=1) + "\n")
            print(rows[-1], flush=True)  # noqa: T201


def runs() -> list[dict[str, Any]]:
    """Return what is stored."""
    found: list[dict[str, Any]] = json.loads(STORED.read_text())["runs"] if STORED.exists() else []
    return found


def test_the_full_mmode_finds_clear_flashes_in_ten_seeds():
    if len(runs()) < N_SEEDS:
        make()
    stored = runs()
    assert [row["seed"] for row in stored] == list(range(N_SEEDS))
    assert np.mean([row["auc"] for row in stored]) >= 0.95
    assert min(row["auc"] for row in stored) >= 0.90


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="two of ten seeds have .942 and .926 with this draw of the pretraining, which they "
    "share; with two other draws none lay below .98",
)
def test_the_full_mmode_finds_clear_flashes_in_every_one_of_ten_seeds():
    assert min(row["auc"] for row in runs()) >= 0.95


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
