"""Cohorts with no signal: what a published protocol that leaks makes of them, and the honest one.

Every plugin's synthetic cohort gets a column ``coin``: half of the patients, drawn by lot, have it,
all rows of a patient alike. Nothing recorded goes with it, so the best possible AUC is 0.5. Both
protocols then predict it, from the same recordings, for several draws of the lot.

``python tests/integration/no_signal.py`` makes what is not stored yet (a few minutes of one core a
plugin; with names of plugins theirs only). With ``page`` it writes the page of what is stored.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from cardio_core.testing import run_plugin

HERE = Path(__file__).parent
STORED = HERE / "stored" / "no_signal.json"
PAGE = HERE.parents[1] / "docs" / "results" / "no_signal.md"
SEEDS = range(5)
COMMAND = "python tests/integration/no_signal.py"


@dataclass(frozen=True)
class Study:
    """One plugin's task whose published protocol leaks.

    Attributes
    ----------
    plugin, task : str
    n_patients : int
        Of the synthetic cohort.
    settings : tuple of str
        On top of the configuration ``smoke``.
    model : str
        The one that the leak flatters most.
    made : str
        What is special about the cohort, in words.
    """

    plugin: str
    task: str
    n_patients: int
    settings: tuple[str, ...]
    model: str
    made: str = ""

    def synthesize(self, folder: Path) -> None:
        """Write the cohort, without its own outcome wherever the plugin can."""
        make: Callable[..., None] = import_module(f"cardio_{self.plugin}.synthetic").synthesize
        if self.plugin == "mmode_septal_flash":
            patients = import_module("cardio_mmode_septal_flash.synthetic.patients")
            with mock.patch.object(patients, "FOLLOW_UP_SHARE", 1.0):
                make(folder, n_patients=self.n_patients, difficulty="impossible")
            return
        make(folder, task=self.task, n_patients=self.n_patients)


STUDIES = {
    one.plugin: one
    for one in (
        Study(
            "ecg_transfer", "crt_response", 40,
            ("models=[scratch,forest,qrs_duration]", "explain.n_cases=0",
             "train.response={n_beats: 4, n_beats_scored: 4}",
             "protocols.paper={overrides: {train: {fit: {epochs: 10, draw: null}}}}"),
            "scratch",
        ),
        Study(
            "spect_polar", "crt_response", 60,
            ("models=[clinical_autoencoder,autoencoder,clinical]", "explain.n_cases=0",
             "protocols.paper={overrides: {train: {autoencoder: {hidden: 64, n_features: 64, "
             "n_steps: 1000}}}}"),
            "clinical_autoencoder",
        ),
        Study(
            "mmode_septal_flash", "septal_flash", 40,
            ("models=[densenet_scratch,motion]",
             "explain={n_cases: 0, n_random: 0, methods: [layer_cam]}",
             "protocols.paper={overrides: {train: {fit: {epochs: 12, draw: 160}}}}"),
            "densenet_scratch", "everybody has a baseline and a follow-up",
        ),
        Study(
            "echo_cmr", "outcome", 60,
            ("needs.view.skip=true", "explain={n_cases: 0}"), "fused",
        ),
    )
}  # fmt: skip


def toss(table: Path, seed: int) -> None:
    """Deal a coin to every patient of a cohort table: half of them have it, by lot."""
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    patients = sorted(set(rows["patient_id"]))
    order = np.random.default_rng([20, seed]).permutation(patients)
    has_it = {str(one): number % 2 for number, one in enumerate(order)}
    rows["coin"] = rows["patient_id"].map(has_it)
    rows.to_csv(table, index=False)


def one_draw(study: Study, cohort: Path, out: Path, seed: int) -> tuple[str, list[dict[str, Any]]]:
    """Run both protocols on one draw; return what the published one declares, and all areas."""
    toss(cohort / "cohort.csv", seed)
    run = run_plugin(
        study.plugin, study.task, cohort, out, protocol="both", seed=seed,
        sets=("outcome.column=coin", *study.settings),
    )  # fmt: skip
    splits = json.loads((run / "splits.json").read_text())["protocols"]
    manifest = json.loads((run / "manifest.json").read_text())
    keys = ("protocol", "model", "value", "low", "high", "n")
    areas = [
        {"seed": seed} | {key: row[key] for key in keys} | {"title": titles_of(manifest, row)}
        for row in json.loads((run / "metrics.json").read_text())
        if row["name"] == "auc" and row["fold"] is None and not row["versus"]
        and not row["subgroup"]
    ]  # fmt: skip
    return str(splits["paper"].get("declared_overlap") or ""), areas


def titles_of(manifest: dict[str, Any], row: dict[str, Any]) -> str:
    return str(manifest["model_titles"].get(row["model"], row["model"]))


def make(plugins: list[str]) -> None:
    """Run the draws that are not stored yet, and store each as soon as it is done."""
    for plugin in plugins:
        study = STUDIES[plugin]
        if set(SEEDS) <= draws_of(plugin):
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            os.environ["CARDIO_CACHE"] = str(folder / "cache")
            (folder / "cohort").mkdir()
            study.synthesize(folder / "cohort")
            for seed in SEEDS:
                if seed in draws_of(plugin):
                    continue
                begin = time.process_time()
                declared, found = one_draw(study, folder / "cohort", folder / f"run{seed}", seed)
                store(study, declared, found, time.process_time() - begin)
                print(plugin, seed, round(time.process_time() - begin), "s", flush=True)  # noqa: T201


def store(study: Study, declared: str, found: list[dict[str, Any]], cpu_s: float) -> None:
    """Add the areas of one draw to what is stored."""
    kept = stored()
    before = kept.get(study.plugin, {"areas": [], "cpu_s": 0})
    kept[study.plugin] = {
        "made": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "command": f"{COMMAND} {study.plugin}",
        "task": study.task,
        "n_patients": study.n_patients,
        "cohort": study.made,
        "settings": ["config=smoke", "outcome.column=coin", *study.settings],
        "declared": declared,
        "model": study.model,
        "cpu_s": round(before["cpu_s"] + cpu_s),
        "areas": [*before["areas"], *found],
    }
    STORED.write_text(json.dumps({p: kept[p] for p in STUDIES if p in kept}, indent=1) + "\n")


def commit() -> str:
    """Return the commit that is checked out."""
    said = subprocess.run(
        ["git", "rev-parse", "--short=10", "HEAD"],
        cwd=HERE, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return said.stdout.strip()


def draws_of(plugin: str) -> set[int]:
    """Return the draws that are stored."""
    return {one["seed"] for one in stored().get(plugin, {}).get("areas", [])}


def stored() -> dict[str, Any]:
    """Return what is stored, by plugin."""
    return dict(json.loads(STORED.read_text())) if STORED.exists() else {}


if __name__ == "__main__":
    if sys.argv[1:] == ["page"]:
        from no_signal_page import page

        PAGE.write_text(page(stored()), encoding="utf-8")
    else:
        make(sys.argv[1:] or list(STUDIES))
