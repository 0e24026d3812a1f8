"""Where the time of each plugin's run goes: stage, seconds, share.

    python benchmarks/profile_runs.py --config smoke

Each plugin runs its default task on its synthetic cohort, in one process of one thread and with an
empty cache, by the clock of speed/stages.py; of `--rounds` runs the one that took the least counts.
Seconds are the processor's, which other work on the machine lengthens less than those that pass.
Stages exclude each other and add up to the whole.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from speed.origin import ROOT, origin

RESULT = ROOT / "benchmarks" / "results" / "profile.json"
PLUGINS = ("ecg_transfer", "spect_polar", "mmode_septal_flash", "echo_cmr")


def profile(plugin: str, config: str, rounds: int) -> dict[str, Any]:
    """Run a plugin in separate processes and return its stages."""
    command = [sys.executable, __file__, "--config", config, "--one", plugin]
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            place = Path(folder) / str(number)
            place.mkdir()
            done = subprocess.run(
                [*command, "--folder", str(place)], capture_output=True, text=True, check=False,
                env=os.environ | {"CARDIO_CACHE": str(place / "cache"), "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
            if done.returncode:
                sys.exit(f"profile_runs: {plugin} failed: {done.stderr.strip()[-500:]}")
            runs.append(json.loads((place / "stages.json").read_text(encoding="utf-8")))
    best = min(runs, key=lambda one: one["seconds"])
    return table(best) | {"runs_s": [round(one["seconds"], 1) for one in runs]}


def table(found: dict[str, Any]) -> dict[str, Any]:
    """Return a row a stage, the longest first."""
    rows = [
        {
            "stage": name,
            "seconds": round(seconds, 2),
            "passed_s": round(found["passed"][name], 2),
            "share": round(seconds / found["seconds"], 4),
            "calls": found["calls"].get(name, 0),
        }
        for name, seconds in sorted(found["processor"].items(), key=lambda item: -item[1])
    ]
    return {
        "seconds": round(found["seconds"], 1),
        "words": found["words"],
        "n_patients": found["n_patients"],
        "stages": rows,
    }


def one(plugin: str, config: str, folder: Path) -> None:
    """Run a plugin in this process and write what its stages took."""
    from speed.stages import Clock, watch

    clock = Clock()
    watch(clock)
    from cardio_core.cli.main import main as cardio

    words = f"run --plugin {plugin} --config {config} --device cpu --executor local:1"
    sys.argv = ["cardio", *words.split(), "--out", str(folder / "run")]
    try:
        cardio()
    except SystemExit as stop:
        if stop.code:
            raise
    clock.stop()
    content = {
        "words": f"cardio {words}",
        "seconds": sum(clock.processor.values()),
        "passed": dict(clock.passed),
        "processor": dict(clock.processor),
        "calls": dict(clock.calls),
        "n_patients": n_patients(folder / "run"),
    }
    (folder / "stages.json").write_text(json.dumps(content), encoding="utf-8")


def n_patients(run: Path) -> int:
    """Return how many patients a run trained or tested."""
    splits = json.loads((run / "splits.json").read_text(encoding="utf-8"))
    by_patient = [one for one in splits["protocols"].values() if one["unit"] == "patient"]
    folds = [fold for one in by_patient for fold in one["folds"]]
    return len({str(who) for fold in folds for part in ("train", "test") for who in fold[part]})


def main() -> None:
    """Profile the plugins and store a table of each."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--plugins", nargs="+", choices=PLUGINS, default=list(PLUGINS))
    parser.add_argument("--config", default="smoke", help="its sizes, for every plugin")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path, default=RESULT, help="other plugins' rows are kept")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(asked.one, asked.config, asked.folder)
        return
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    for plugin in asked.plugins:
        command = f"python benchmarks/profile_runs.py --plugins {plugin} --config {asked.config}"
        came_from = origin(f"{command} --rounds {asked.rounds}")
        found = came_from | profile(plugin, asked.config, asked.rounds)
        kept = json.loads(asked.json.read_text(encoding="utf-8")) if asked.json.is_file() else {}
        kept[f"{plugin} {asked.config}"] = found
        text = json.dumps(kept, indent=1, ensure_ascii=False)
        asked.json.write_text(text + "\n", encoding="utf-8")
        print(f"{found['words']}: {found['seconds']} s")
        for row in found["stages"]:
            print(f"  {row['share']:6.1%} {row['seconds']:8.2f} s  {row['stage']}")


if __name__ == "__main__":
    main()
