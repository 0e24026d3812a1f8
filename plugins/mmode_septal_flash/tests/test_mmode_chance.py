"""Chance over twenty seeds: phantoms without any flash, whose labels mean nothing.

Loops and features are made once. A seed draws the labels, the folds, the last layer and the order
of training. Slow: what is not stored yet is made first, three minutes of one quiet core. To make
it: ``python -m plugins.mmode_septal_flash.tests.test_mmode_chance``.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing.driving import plugin_bench
from cardio_mmode_septal_flash.synthetic import patients, synthesize
from cardio_mmode_septal_flash.synthetic.septal_flash import LoopSpec
from cardio_stats import auc

from .mmode_fits import Made, folds_of

pytestmark = pytest.mark.slow
STORED = Path(__file__).parent / "stored" / "mmode_chance.json"
N_PATIENTS, N_SEEDS, N_FOLDS = 100, 20, 2
NETWORK = "densenet_crop"
ROWS = (NETWORK, "excursion", "motion")
# Making loops is most of the cost, so all are baseline loops of 50 frames a second at 100 beats a
# minute, 30 frames each; M-modes have half the usual pixels, and the network is thin. It is
# pretrained once, on phantoms with flashes that the cohort does not share.
RATE_HZ, HR_BPM = 50.0, 100.0
SIZES = ("preprocess.n_pixels=250", "preprocess.max_shift=1", "featurize.size=64")
EARLIER = (*SIZES, "train.fit={epochs: 8, batch_size: 16, draw: 128}")
SETTINGS = (*SIZES, "train.fit={epochs: 3, batch_size: 16, draw: 80}")


def write_short_loops(folder: Path, **settings: Any) -> None:
    """Write a cohort of baseline studies whose loops are as short as can be judged."""
    draw = patients._draw_loop

    def short(*arguments: Any) -> LoopSpec:
        spec = draw(*arguments)
        return replace(spec, rate_hz=RATE_HZ, beat=replace(spec.beat, hr_bpm=HR_BPM))

    with (
        mock.patch.object(patients, "_draw_loop", short),
        mock.patch.object(patients, "FOLLOW_UP_SHARE", 0.0),
    ):
        synthesize(folder, **settings)
    # Hearts of one rate may share their R peaks; one file under two patients would be refused.
    for number, file in enumerate(sorted((folder / "rpeaks").glob("*.json"))):
        file.write_text(file.read_text() + " " * number)


def made_of(task: str, folder: Path, sets: tuple[str, ...], **cohort: Any) -> Made:
    write_short_loops(folder, task=task, **cohort)
    return Made.of(plugin_bench("mmode_septal_flash", task, folder, sets=sets))


def one_seed(seed: int, made: Made, earlier: Path, folder: Path) -> dict[str, Any]:
    """Draw labels by the toss of a coin, fit and score both folds, and return the AUCs."""
    studies = made.features.table["study_id"].unique()
    tossed = np.random.default_rng([seed, 5]).permutation(np.arange(len(studies)) % 2)
    made = made.with_labels(pd.Series(tossed, index=studies))
    folds = folds_of(made, seed, N_FOLDS)
    needs = {"phantom_flash": {NETWORK: earlier}}
    areas = []
    for model in ROWS:
        scores = made.out_of_fold(model, folds, seed, folder, _needs=needs)
        found = auc(made.y[made.original], scores)
        areas.append(
            {"model": model, "value": found.value, "low": found.low, "high": found.high,
             "n": len(scores)}
        )  # fmt: skip
    return {"seed": seed, "auc": areas}


def make() -> None:
    """Run the seeds and store them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        phantoms = made_of("phantom_flash", folder / "phantoms", EARLIER, n_patients=60)
        everybody = np.ones(len(phantoms.features), bool)
        earlier = phantoms.fit(NETWORK, everybody, 0, folder / "earlier", fold="final").model.path
        made = made_of(
            "septal_flash", folder / "cohort", SETTINGS,
            n_patients=N_PATIENTS, seed=0, difficulty="impossible",
        )  # fmt: skip
        truth = json.loads((folder / "cohort" / "truth.json").read_text())
        assert all(study["flash_mm"] == 0 for study in truth["studies"].values())
        rows = [one_seed(seed, made, earlier, folder / "fits") for seed in range(N_SEEDS)]
    content = {
        "made": datetime.now(UTC).date().isoformat(),
        "command": f"python -m plugins.mmode_septal_flash.tests.{Path(__file__).stem}",
        "n_patients": N_PATIENTS,
        "difficulty": "impossible",
        "loops": {"timepoint": "baseline", "rate_hz": RATE_HZ, "hr_bpm": HR_BPM},
        "settings": ["config=smoke", *SETTINGS],
        "pretraining": ["config=smoke", "60 patients, half with flashes", *EARLIER],
        "summary": {row: summary(rows, row) for row in ROWS},
        "runs": rows,
    }
    STORED.write_text(json.dumps(content, indent=1) + "\n")


def runs() -> list[dict[str, Any]]:
    """Return what is stored."""
    found: list[dict[str, Any]] = json.loads(STORED.read_text())["runs"] if STORED.exists() else []
    return found


def summary(rows: list[dict[str, Any]], model: str) -> dict[str, float]:
    """Return how many intervals hold one half, their mean half-width and the mean estimate."""
    areas = [area for run in rows for area in run["auc"] if area["model"] == model]
    value, low, high = (np.array([area[key] for area in areas]) for key in ("value", "low", "high"))
    return {
        "n_runs": len(areas),
        "n_covered": int(np.sum((low <= 0.5) & (high >= 0.5))),
        "mean_half_width": round(float(np.mean(high - low) / 2), 4),
        "mean_auc": round(float(value.mean()), 4),
    }


@pytest.fixture(scope="module")
def stored():
    if not STORED.exists():
        make()
    return runs()


@pytest.mark.parametrize("model", ROWS)
def test_without_any_flash_every_row_is_at_chance_over_twenty_seeds(stored, model):
    found = summary(stored, model)
    assert found["n_runs"] == N_SEEDS
    assert found["n_covered"] >= 17
    assert found["mean_half_width"] <= 0.12
    assert found["mean_auc"] == pytest.approx(0.5, abs=0.03)


if __name__ == "__main__":
    make()
