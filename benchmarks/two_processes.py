"""One process beside two: how much faster a run's features and fits get by a second core.

    python benchmarks/two_processes.py --rounds 5

Runs two plugins, each on its own synthetic cohort, made once, with `--executor local:1` and
`local:2` in turn, each time with an empty cache. Seconds are what passed, of the stages "features"
and "training" as the manifest tells them; the start of the workers and their imports are within.
The first of a pair takes turns, too, so that a machine that slows down favours neither. The results
must be the same to the last digit: predictions.csv of all runs is compared.

Beside each pair stands what two processes that share nothing reach on this machine in the same
minute: matrix products of a plain loop, alone and side by side. Cores that share a clock, a cache
or a host give less than twice one, and a run cannot give more than they do.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from speed.origin import ROOT, origin
from speed.ratios import add_ratios, keep_ratios

STAGES = ("features", "training")
RESULT = ROOT / "benchmarks" / "results" / "two_processes.json"
CARDIO = [sys.executable, "-c", "from cardio_core.cli.main import main; main()"]
_SPECT = (
    "--task crt_response --config cpu --protocol honest --set explain.n_cases=0 "
    "--set explain.n_studies=0 --set evaluate.n_resamples=200 --set evaluate.n_optimism=0"
)
_MMODE = (
    "--task septal_flash --config smoke --protocol honest --set models=[densenet_scratch,motion] "
    "--set protocols.honest.k=5 --set explain.n_cases=0"
)


@dataclass(frozen=True)
class Size:
    """What is run: a plugin on so many synthetic patients, with these settings."""

    plugin: str
    n_patients: int
    words: str


RUNS = {
    "spect_short": Size("spect_polar", 96, f"{_SPECT} --set train.autoencoder.max_epochs=10"),
    "spect_long": Size("spect_polar", 192, _SPECT),
    "mmode_short": Size("mmode_septal_flash", 40, f"{_MMODE} --set train.fit.epochs=6"),
    "mmode_long": Size("mmode_septal_flash", 120, f"{_MMODE} --set train.fit.epochs=16"),
}
"""Short runs take half a minute of one core; to start the workers takes three seconds of it. In
long ones the features and fits decide."""


ALONE = """
import time, numpy as np
a = np.random.default_rng(0).random((700, 700))
a @ a
begun = time.perf_counter()
for _ in range(150):
    a @ a
print(time.perf_counter() - begun)
"""


def ceiling() -> float:
    """Return how much more two processes do that share nothing, in the time of one alone."""

    def taken(n: int) -> float:
        some = [
            subprocess.Popen([sys.executable, "-c", ALONE], stdout=subprocess.PIPE, text=True)
            for _ in range(n)
        ]
        return statistics.mean(float(one.communicate()[0]) for one in some)

    return 2 * statistics.mean([taken(1), taken(1)]) / taken(2)


def call(folder: Path, cache: Path, *words: str) -> None:
    """Run the command line in a process of its own, with a cache of its own.

    Raises
    ------
    SystemExit
        Where it fails, with its last line.
    """
    done = subprocess.run(
        [*CARDIO, *words], cwd=folder, capture_output=True, text=True, check=False,
        env=os.environ | {"CARDIO_CACHE": str(cache)},
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"cardio {' '.join(words)}: {(done.stderr or done.stdout).strip()[-400:]}")


def seconds(folder: Path, size: Size, data: Path, n_processes: int) -> tuple[dict[str, float], str]:
    """Run once and return the seconds of each stage, and the digest of the predictions."""
    words = f"run --plugin {size.plugin} {size.words} --device cpu --executor local:{n_processes}"
    with tempfile.TemporaryDirectory(dir=folder) as place:
        out = Path(place) / "run"
        call(folder, Path(place) / "cache", *words.split(), "--data", str(data), "--out", str(out))
        stages = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["stages"]
        said = hashlib.sha256((out / "predictions.csv").read_bytes()).hexdigest()
    return {name: stages[name] for name in STAGES}, said


def compare(name: str, rounds: int) -> dict[str, Any]:
    """Run both ways in turn and return the seconds and the ratios of every round."""
    size = RUNS[name]
    found: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    digests, ceilings = set(), list[float]()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        data = folder / "data"
        task = size.words.split()[1]
        words = f"data synth {size.plugin} --task {task} --patients {size.n_patients}"
        call(folder, folder / "cache", *words.split(), "--out", str(data))
        for number in range(rounds):
            ceilings.append(ceiling())
            for n_processes in (1, 2) if number % 2 == 0 else (2, 1):
                stages, digest = seconds(folder, size, data, n_processes)
                found[n_processes].append(stages)
                digests.add(digest)
    if len(digests) > 1:
        sys.exit(f"two_processes: {name}: predictions differ between one process and two")
    ratios = {
        stage: [one[stage] / two[stage] for one, two in zip(found[1], found[2], strict=True)]
        for stage in STAGES
    }
    ratios["features and training"] = [
        sum(one.values()) / sum(two.values()) for one, two in zip(found[1], found[2], strict=True)
    ]
    whole = ratios["features and training"]
    ratios["two processes that share nothing"] = ceilings
    ratios["features and training, of what two processes that share nothing reach"] = [
        ratio / most for ratio, most in zip(whole, ceilings, strict=True)
    ]
    return {**asdict(size), "one": found[1], "two": found[2], "ratios": ratios}


def main() -> None:
    """Compare, store, and print a line a ratio."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--runs", nargs="+", choices=RUNS, default=list(RUNS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help=f"as {RESULT.relative_to(ROOT)}; others are kept")
    add_ratios(parser)
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    ratios: dict[str, float | None] = {}
    for name in asked.runs:
        came_from = origin(f"python benchmarks/two_processes.py --rounds {asked.rounds}")
        made = came_from | compare(name, asked.rounds)
        for stage, values in made["ratios"].items():
            median = statistics.median(values)
            print(
                f"{name}, {stage}: {median:.2f} x ({min(values):.2f} to {max(values):.2f}, "
                f"{len(values)} rounds)",
                flush=True,
            )
            if stage.startswith("features and training"):
                ratios[f"{name}: {stage}"] = median
        if asked.json is not None:
            keep(asked.json, name, made)
    keep_ratios(asked.ratios, ratios)


def keep(file: Path, name: str, made: dict[str, Any]) -> None:
    """Put what one run gave beside that of the others."""
    file.parent.mkdir(parents=True, exist_ok=True)
    stored = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    stored = {one: stored.get(one) if one != name else made for one in RUNS}
    kept = {one: found for one, found in stored.items() if found}
    file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
