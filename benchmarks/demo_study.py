"""One study from patients to page: three modalities of the same people, compared, fused, validated.

    python benchmarks/demo_study.py --out study
    python benchmarks/demo_study.py --out study --only compare fuse page

Writes tables of synthetic patients (who they are, their outcome, and a latent effect for each
modality), lets three plugins record and learn them, and judges what comes out beside the optimum,
which follows from the effects. Every step is a function that runs commands as they stand in
docs/demo_study.md, and prints its time; what was done is not done again, so a study that was cut
off goes on. Times are of the clock, and of the processor, which other programs change less.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

PLUGINS = {"ecg": "ecg_transfer", "spect": "spect_polar", "echo": "echo_cmr"}
TITLES = {"ecg": "ECG", "spect": "SPECT", "echo": "Echo"}
EFFECTS = {"ecg": "z_electrical", "spect": "z_mechanical", "echo": "z_motion"}
SITES = ("north", "south", "south_as_north")
"""Where patients are recorded; the last are those of the second site under the first one's usual
acquisition, so that the shift alone makes the difference."""

SHARED, SLOPE, OF_AGE = 0.3, 1.0, -0.3
"""Correlation of two modalities' effects; log odds of response for one standard deviation of an
effect, and for ten years of age."""

LACKED, LACKING = ("spect", "echo"), 0.1
"""Modalities that some patients lack, and how large a share of them."""

FILES = {"ecg": "path_ecg", "spect": "path_spect", "echo": "path_echo_a4c"}
"""The column of the recording whose sheet is drawn."""

MORE = {
    "ecg": "--config cpu --primary trees --set models=[trees,qrs_duration,qrs_area,guideline]",
    "spect": "--config cpu --primary delay --set models=[delay,indices,psd,pca]",
    "echo": "--task outcome --config cpu --primary lvef --set models=[lvef,a4c]"
    " --set load.views=table --set needs.view.skip=true --set explain.occlusion=false"
    " --set explain.video=false --set inner.k=1 --set train.width_mult=0.0625"
    " --set train.n_frames=8 --set train.period=4 --set train.fit.epochs=8"
    " --set train.fit.learning_rate=0.003 --set train.fit.warmup_epochs=1",
}
"""What each run is told beside its data; the primary model is declared before anything is known."""


def draw_patients(site: str, n: int, seed: int = 0) -> pd.DataFrame:
    """Draw who is seen at a site: effects that share a part, an outcome, and what is missing.

    Parameters
    ----------
    site : str
        One of `SITES`.
    n : int
        How many.
    seed : int
        The same people for the same seed and number.

    Returns
    -------
    DataFrame
        A table as `cardio data synth --patients` takes it.
    """
    first = site == SITES[0]
    rng = np.random.default_rng([seed, first, n])
    effects, age_y, chance = draw_effects(rng, n)
    table = {
        "patient_id": [f"{'N' if first else 'S'}{number:03d}" for number in range(1, n + 1)],
        "outcome": (rng.uniform(size=n) < chance).astype(int),
        **{EFFECTS[name]: effects[:, place].round(4) for place, name in enumerate(PLUGINS)},
        "site_id": "north" if first else "south",
        "age_y": age_y.round(1),
        "sex": np.where(rng.uniform(size=n) < 0.7, "M", "F"),
        "shift": float(site == "south"),
    }
    for name in LACKED:
        lacks = rng.uniform(size=n) < LACKING
        table[f"has_{PLUGINS[name]}"] = np.where(lacks, "no", "yes")
    return pd.DataFrame(table)


def draw_effects(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw effects, shape (n, 3), ages, and each patient's probability of response."""
    common = rng.normal(size=(n, 1))
    effects = np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * rng.normal(size=(n, len(PLUGINS)))
    age_y = np.clip(rng.normal(66.0, 10.0, n), 30.0, 95.0)
    logit = SLOPE * effects.sum(axis=1) + OF_AGE * (age_y - 66.0) / 10.0
    return effects, age_y, 1.0 / (1.0 + np.exp(-logit))


def optimum(n: int = 400_000, seed: int = 1) -> dict[str, float]:
    """Return the best possible AUC of each modality, of all, and of the age, by Monte Carlo.

    A recording depends on the outcome through its effect alone, and the chance of response rises
    with the effect: no model of the recording ranks better than the effect does.
    """
    rng = np.random.default_rng(seed)
    effects, age_y, chance = draw_effects(rng, n)
    outcome = rng.uniform(size=n) < chance
    scores = {name: effects[:, place] for place, name in enumerate(PLUGINS)}
    scores |= {"clinical": -age_y, "recordings": effects.sum(axis=1), "all": chance}
    return {name: round(concordance(outcome, score), 4) for name, score in scores.items()}


def concordance(outcome: np.ndarray, score: np.ndarray) -> float:
    """Return the area under the curve of a score without ties, by its ranks."""
    ranks, n_with = np.argsort(np.argsort(score)) + 1, int(outcome.sum())
    n_pairs = n_with * (len(outcome) - n_with)
    return float((ranks[outcome].sum() - n_with * (n_with + 1) / 2) / n_pairs)


class Study:
    """A folder, what was done in it, and how long that took.

    Parameters
    ----------
    folder : Path
        Where tables, recordings, runs and pages lie.
    n_first, n_second : int
        Patients of the first and of the second site.
    names : sequence of str
        Modalities that are recorded, run and validated now.
    """

    def __init__(
        self, folder: Path, n_first: int, n_second: int, names: Sequence[str] = tuple(PLUGINS)
    ) -> None:
        self.folder, self.n, self.names = folder, {"north": n_first, "south": n_second}, names
        (folder / "times").mkdir(parents=True, exist_ok=True)

    def cardio(self, step: str, made: str, words: str) -> None:
        """Run a command that makes a folder, unless that is done, and keep its times."""
        kept_in = self.folder / "times" / f"{made.replace('/', '-')}.json"
        if kept_in.exists():
            return
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        load = os.getloadavg()[0]
        command = f"cardio {words} --out {made}"
        print(f"$ {command}", flush=True)
        log = kept_in.with_suffix(".txt")
        with log.open("w", encoding="utf-8") as said:
            done = subprocess.run(
                shlex.split(command), cwd=self.folder, stdout=said, stderr=subprocess.STDOUT
            )
        if done.returncode:
            raise SystemExit(f"{command}: exit code {done.returncode}; {log} holds what was said")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        passed = time.perf_counter() - started
        kept = {
            "step": step,
            "command": command,
            "clock_s": round(passed, 1),
            "processor_s": round(spent, 1),
            "load_before": round(load, 1),
            "date": datetime.now(UTC).date().isoformat(),
            "commit": _commit(),
        }
        kept_in.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        print(f"  {passed:.0f} s, of which the processor {spent:.0f} s", flush=True)

    def patients(self) -> None:
        """Write the tables of patients: who, with what outcome and effects, at which site."""
        (self.folder / "patients").mkdir(exist_ok=True)
        for site in SITES:
            file = self.folder / "patients" / f"{site}.csv"
            if not file.exists():
                draw_patients(site, self.n[site.partition("_")[0]]).to_csv(file, index=False)

    def record(self) -> None:
        """Let each plugin record the patients of each table."""
        (self.folder / "recordings").mkdir(exist_ok=True)
        for name in self.names:
            plugin = PLUGINS[name]
            for site in SITES:
                self.cardio(
                    "record",
                    f"recordings/{name}_{site}",
                    f"data synth {plugin} {OF_SYNTH.get(name, '')}--patients patients/{site}.csv "
                    f"--effect {EFFECTS[name]}",
                )

    def run(self) -> None:
        """Learn and test each modality at the first site: nested folds, the honest protocol."""
        for name in self.names:
            plugin = PLUGINS[name]
            self.cardio(
                "run",
                f"runs/{name}",
                f"run --plugin {plugin} {MORE[name]} --data recordings/{name}_north "
                "--outcome outcome --protocol honest",
            )

    def compare(self) -> None:
        """Compare the modalities in pairs, on the patients who have all of them."""
        self.cardio("compare", "compared", f"compare {self._runs()}")

    def fuse(self) -> None:
        """Fuse the modalities, and hold the fusion against age and sex."""
        clinical = "--clinical patients/north.csv --covariates age_y,sex"
        self.cardio("fuse", "fused", f"fuse {self._runs()} {clinical}")

    def external(self) -> None:
        """Validate each run at the second site, with the shift and without it."""
        (self.folder / "external").mkdir(exist_ok=True)
        for name in self.names:
            for site in SITES[1:]:
                self.cardio(
                    "external",
                    f"external/{name}_{site}",
                    f"evaluate runs/{name} --data recordings/{name}_{site}",
                )

    def predict(self) -> None:
        """Say of each patient of the second site what runs and fusion answer, and how like."""
        (self.folder / "predicted").mkdir(exist_ok=True)
        for site in SITES[1:]:
            for name in self.names:
                words = f"predict runs/{name} recordings/{name}_{site}"
                self.cardio("predict", f"predicted/{name}_{site}.json", words)
            inputs = " ".join(f"{TITLES[name]}=recordings/{name}_{site}" for name in PLUGINS)
            if len(self.names) == len(PLUGINS):
                self.cardio("predict", f"predicted/fused_{site}.json", f"predict fused {inputs}")

    def sheets(self) -> None:
        """Draw the sheet of one recording of each modality, of the same person."""
        (self.folder / "sheets").mkdir(exist_ok=True)
        shown = pd.read_csv(self.folder / "patients" / "north.csv")
        shown = shown[(shown[[f"has_{PLUGINS[name]}" for name in LACKED]] == "yes").all(axis=1)]
        person = shown.loc[shown[[*EFFECTS.values()]].min(axis=1).idxmax(), "patient_id"]
        for name in self.names:
            cohort = self.folder / "recordings" / f"{name}_north"
            table = pd.read_csv(cohort / "cohort.csv").set_index("patient_id")
            paths = table.loc[[person], FILES[name]].dropna()
            file = str(paths.iloc[0]).partition(";")[0]
            words = f"measure --plugin {PLUGINS[name]} recordings/{name}_north/{file}"
            self.cardio("sheets", f"sheets/{name}", words)

    def _runs(self) -> str:
        return " ".join(f"{TITLES[name]}=runs/{name}" for name in PLUGINS)

    def collect(self) -> dict[str, Any]:
        """Return the numbers of the page: the optimum, every area under the curve, and times."""
        folders = {
            **{f"run {name}": f"runs/{name}" for name in PLUGINS},
            "compared": "compared",
            "fused": "fused",
            **{f"{site} {name}": f"external/{name}_{site}" for name in PLUGINS
               for site in SITES[1:]},
        }  # fmt: skip
        made = {key: self.folder / place for key, place in folders.items()}
        tables = {site: pd.read_csv(self.folder / "patients" / f"{site}.csv") for site in SITES}
        return {
            "date": datetime.now(UTC).date().isoformat(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
            "patients": {site: _described(table) for site, table in tables.items()},
            "effect_in_these_patients": {
                site: _effects_of(table) for site, table in tables.items() if site in self.n
            },
            "optimum": optimum(),
            "found": {key: _found(place) for key, place in made.items() if _done(place)},
            "answered": {
                f"{site} {name}": _answered(file, tables[site])
                for site in SITES[1:]
                for name in ("fused", *PLUGINS)
                for file in [self.folder / "predicted" / f"{name}_{site}.json"]
                if file.is_file()
            },
            "times": [
                json.loads(file.read_text(encoding="utf-8"))
                for file in sorted((self.folder / "times").glob("*.json"))
            ],
        }


OF_SYNTH = {"echo": "--task outcome --difficulty clear "}
"""What is told beside the table: of echo, recordings under good conditions."""


def _described(table: pd.DataFrame) -> dict[str, int]:
    lacking = {name: int((table[f"has_{PLUGINS[name]}"] == "no").sum()) for name in LACKED}
    return {"n": len(table), "responders": int(table["outcome"].sum()), **lacking}


def _effects_of(table: pd.DataFrame) -> dict[str, float]:
    """Return how well the effects rank those who were drawn, and have the modality."""
    outcome = table["outcome"].to_numpy(bool)
    effects = {name: table[column].to_numpy(float) for name, column in EFFECTS.items()}
    effects["recordings"] = np.sum([*effects.values()], axis=0)
    effects["clinical"] = -table["age_y"].to_numpy(float)
    effects["all"] = SLOPE * effects["recordings"] - OF_AGE * effects["clinical"] / 10.0
    has = {name: (table[f"has_{PLUGINS[name]}"] == "yes").to_numpy() for name in LACKED}
    everybody = np.ones(len(table), dtype=bool)
    return {
        name: round(concordance(outcome[here], values[here]), 4)
        for name, values in effects.items()
        for here in [has.get(name, everybody)]
    }


def _answered(file: Path, table: pd.DataFrame) -> dict[str, Any]:
    """Return how the answers to new patients rank them, and how many are unlike the training's."""
    import cardio_stats as stats

    said = json.loads(file.read_text(encoding="utf-8"))
    told = [
        (one["patient_id"], one["scores"]["yes"])
        for one in said["predictions"]
        if one["model"] == said["primary"] and one["scores"]
    ]
    scores = pd.DataFrame(told, columns=["patient", "yes"]).groupby("patient")["yes"].mean()
    outcome = table.set_index("patient_id").loc[scores.index, "outcome"].to_numpy(int)
    found = stats.auc(outcome, scores.to_numpy(), unit="patient")
    verdicts = [one["verdict"] for one in said.get("applicability") or []]
    return {
        "auc": {"value": round(found.value, 5), "low": round(found.low, 5),
                "high": round(found.high, 5), "n": found.n},
        "applicability": {word: verdicts.count(word) for word in sorted(set(verdicts))},
    }  # fmt: skip


def _done(folder: Path) -> bool:
    file = folder / "manifest.json"
    return file.is_file() and json.loads(file.read_text(encoding="utf-8"))["status"] == "done"


def _found(folder: Path) -> dict[str, Any]:
    """Return the primary model of a folder, its models' names, and its measures by model."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    kept: dict[str, dict[str, Any]] = {}
    for one in json.loads((folder / "metrics.json").read_text(encoding="utf-8")):
        parts = ("subgroup", "class_name", "fold", "repeat")
        if one["name"] not in MEASURES or any(one.get(key) is not None for key in parts):
            continue
        versus = f" - {one['versus']}" if one.get("versus") else ""
        # Of an external validation the new patients' come first, then those of the first site.
        kept.setdefault(
            f"{one['name']} {one['model']}{versus}",
            {
                name: round(one[name], 5) if isinstance(one[name], float) else one[name]
                for name in ("value", "low", "high", "n", "p_value")
                if one.get(name) is not None
            },
        )
    titles = manifest.get("model_titles") or {}
    return {"primary": manifest.get("primary"), "titles": titles, "measures": kept}


MEASURES = (
    "auc", "auc_difference", "auc_change", "calibration_slope", "brier", "conformal_coverage",
    "likelihood_ratio_added",
)  # fmt: skip


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
        cwd=Path(__file__).parent,
    )  # fmt: skip
    return done.stdout.strip()


STEPS = ("patients", "record", "sheets", "run", "compare", "fuse", "external", "predict")


def main() -> None:
    """Do the steps that are asked for, and write the numbers of the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("study"))
    parser.add_argument("--patients", type=int, default=80, help="of the first site")
    parser.add_argument("--second", type=int, default=40, help="patients of the second site")
    parser.add_argument("--modalities", nargs="+", choices=list(PLUGINS), default=list(PLUGINS))
    parser.add_argument("--only", nargs="+", choices=STEPS, default=STEPS, metavar="STEP")
    parser.add_argument(
        "--json", type=Path, help="numbers of the page; OUT/demo_study.json without"
    )
    asked = parser.parse_args()
    study = Study(asked.out, asked.patients, asked.second, asked.modalities)
    for name in STEPS:
        if name in asked.only:
            step: Callable[[], None] = getattr(study, name)
            step()
    file = asked.json or asked.out / "demo_study.json"
    file.write_text(json.dumps(study.collect(), indent=1) + "\n", encoding="utf-8")
    print(f"Numbers: {file}")


if __name__ == "__main__":
    main()
