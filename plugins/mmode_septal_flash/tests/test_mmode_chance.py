"""Chance over twenty seeds: whole runs on phantoms without any flash, whose labels mean nothing.

Slow: seeds that are not stored yet are made first, about a minute each on one core. To
make them: ``python plugins/mmode_septal_flash/tests/test_mmode_chance.py [number of seeds]``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from cardio_core.testing import run_plugin
from cardio_mmode_septal_flash.synthetic import patients, synthesize
from cardio_mmode_septal_flash.synthetic.septal_flash import LoopSpec

pytestmark = pytest.mark.slow
STORED = Path(__file__).parent / "stored" / "mmode_chance.json"
N_PATIENTS, N_SEEDS = 100, 20
ROWS = ("densenet_crop", "excursion", "motion")
# Every seed has a cohort of its own. Making loops is most of the cost, so all are baseline loops of
# 50 frames a second at 100 beats a minute, 30 frames each; M-modes have half the usual pixels, and
# the network is thin. It is pretrained once, on phantoms with flashes that no cohort shares.
RATE_HZ, HR_BPM = 50.0, 100.0
SIZES = ("preprocess.n_pixels=250", "preprocess.max_shift=1", "featurize.size=64")
EARLIER = (
    *SIZES,
    "models=[densenet_crop]",
    "train.fit={epochs: 8, batch_size: 16, draw: 128}",
    "explain={n_cases: 0, n_random: 0}",
)
SETTINGS = (
    *SIZES,
    f"models=[{','.join(ROWS)}]",
    "protocols.honest={plan: nested, k: 2, decision: fixed}",
    "inner.k=0",
    "train.fit={epochs: 3, batch_size: 16, draw: 80}",
    "evaluate.n_resamples=200",
    "explain={n_cases: 0, n_random: 0, methods: [layer_cam]}",
)


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


def pretrained(folder: Path) -> Path:
    """Run the earlier task once, as every seed needs it."""
    made = folder / "phantoms"
    write_short_loops(made, n_patients=60, task="phantom_flash")
    return run_plugin("mmode_septal_flash", "phantom_flash", made, folder / "earlier", sets=EARLIER)


def one_seed(seed: int, earlier: Path, folder: Path) -> dict[str, Any]:
    """Make one cohort at zero amplitude, run the honest protocol, and gather the pooled AUCs."""
    begin = time.process_time()
    cohort = folder / "cohort"
    write_short_loops(cohort, n_patients=N_PATIENTS, seed=seed, difficulty="impossible")
    truth = json.loads((cohort / "truth.json").read_text())
    assert truth["bayes_auc"]["septal_flash"] == 0.5
    assert all(one["flash_mm"] == 0 for one in truth["studies"].values())
    run = run_plugin(
        "mmode_septal_flash", "septal_flash", cohort, folder / "run", sets=SETTINGS, seed=seed,
        needs_from={"phantom_flash": earlier},
    )  # fmt: skip
    keys = ("model", "value", "low", "high", "n", "n_patients")
    areas = [
        {key: row[key] for key in keys}
        for row in json.loads((run / "metrics.json").read_text())
        if row["name"] == "auc" and row["fold"] is None and row["subgroup"] is None
        and row["versus"] is None
    ]  # fmt: skip
    return {"seed": seed, "cpu_s": round(time.process_time() - begin), "auc": areas}


def make(n_seeds: int = N_SEEDS) -> None:
    """Run the seeds that are not stored yet, and store each as soon as it is done."""
    rows = runs()
    with tempfile.TemporaryDirectory() as shared:
        os.environ["CARDIO_CACHE"] = f"{shared}/cache"
        earlier = pretrained(Path(shared))
        for seed in range(n_seeds):
            if seed in {row["seed"] for row in rows}:
                continue
            with tempfile.TemporaryDirectory() as folder:
                os.environ["CARDIO_CACHE"] = f"{folder}/cache"
                rows.append(one_seed(seed, earlier, Path(folder)))
            content = {
                "made": datetime.now(UTC).date().isoformat(),
                "command": f"python plugins/mmode_septal_flash/tests/{Path(__file__).name}",
                "n_patients": N_PATIENTS,
                "difficulty": "impossible",
                "loops": {"timepoint": "baseline", "rate_hz": RATE_HZ, "hr_bpm": HR_BPM},
                "settings": ["config=smoke", *SETTINGS],
                "pretraining": ["config=smoke", "60 patients, half with flashes", *EARLIER],
                "summary": {row: summary(rows, row) for row in ROWS},
                "runs": rows,
            }
            STORED.write_text(json.dumps(content, indent=1) + "\n")
            print(seed, rows[-1]["cpu_s"], "s", flush=True)  # noqa: T201


def runs() -> list[dict[str, Any]]:
    """Return what is stored."""
    found: list[dict[str, Any]] = json.loads(STORED.read_text())["runs"] if STORED.exists() else []
    return found


def summary(rows: list[dict[str, Any]], model: str) -> dict[str, float]:
    """Return how many intervals hold one half, their mean half-width and the mean estimate."""
    own = [area for run in rows for area in run["auc"] if area["model"] == model]
    value, low, high = (np.array([area[key] for area in own]) for key in ("value", "low", "high"))
    return {
        "n_runs": len(own),
        "n_covered": int(np.sum((low <= 0.5) & (high >= 0.5))),
        "mean_half_width": round(float(np.mean(high - low) / 2), 4),
        "mean_auc": round(float(value.mean()), 4),
    }


@pytest.fixture(scope="module")
def stored():
    if len(runs()) < N_SEEDS:
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
    make(int(sys.argv[1]) if len(sys.argv) > 1 else N_SEEDS)
