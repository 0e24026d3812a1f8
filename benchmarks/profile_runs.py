"""Where the time of each plugin's run goes: stage, seconds, share, floor, gap.

    python benchmarks/profile_runs.py --config smoke

Each plugin runs its default task on its synthetic cohort, in one process of one thread and with an
empty cache: by the clock of speed/stages.py, the run that took the least of `--rounds`, and once
more counting the floating-point operations of its networks. Seconds are the processor's, which
other work on the machine lengthens less than those that pass. Stages exclude each other and add up
to the whole. A floor is what a stage must cost at the very least on this machine, measured in the
same process: its files read or written (from the memory of the system), its networks' operations at
the fastest matrix product, its resamples at the cost of one resampled AUC, its figures at the cost
of the plainest one, its imports at torch's. The gap is seconds over floor.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from speed.origin import ROOT, origin

RESULT = ROOT / "benchmarks" / "results" / "profile.json"
PLUGINS = ("ecg_transfer", "spect_polar", "mmode_septal_flash", "echo_cmr")


def profile(plugin: str, config: str, rounds: int) -> dict[str, Any]:
    """Run a plugin in processes of their own and return its stages with floors and gaps."""
    command = [sys.executable, __file__, "--config", config, "--one", plugin]
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds + 1):
            place = Path(folder) / str(number)
            place.mkdir()
            count = ["--count"] if number == rounds else []
            done = subprocess.run(
                [*command, "--folder", str(place), *count],
                capture_output=True, text=True, check=False,
                env=os.environ | {"CARDIO_CACHE": str(place / "cache"), "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
            if done.returncode:
                sys.exit(f"profile_runs: {plugin} failed: {done.stderr.strip()[-500:]}")
            runs.append(json.loads((place / "stages.json").read_text(encoding="utf-8")))
    counted = runs.pop()
    best = min(runs, key=lambda one: one["seconds"])
    return table(best, counted["flops"]) | {"runs_s": [round(one["seconds"], 1) for one in runs]}


def table(found: dict[str, Any], flops: dict[str, float]) -> dict[str, Any]:
    """Return a row a stage, the longest first."""
    floors = found["floors"] | {
        name: {"seconds": count / found["peak_flops"], "what": f"{count / 1e9:.0f} GFLOP"}
        for name, count in flops.items()
    }
    rows = []
    for name, seconds in sorted(found["processor"].items(), key=lambda item: -item[1]):
        floor = floors.get(name)
        rows.append(
            {
                "stage": name,
                "seconds": round(seconds, 2),
                "passed_s": round(found["passed"][name], 2),
                "share": round(seconds / found["seconds"], 4),
                "calls": found["calls"].get(name, 0),
                "floor_s": floor and float(f"{floor['seconds']:.2g}"),
                "floor_is": floor and floor["what"],
                "gap": floor and floor["seconds"] and float(f"{seconds / floor['seconds']:.2g}"),
            }
        )
    return {
        "seconds": round(found["seconds"], 1),
        "words": found["words"],
        "n_patients": found["n_patients"],
        "peak_gflops": round(found["peak_flops"] / 1e9, 1),
        "stages": rows,
    }


def one(plugin: str, config: str, folder: Path, count: bool) -> None:
    """Run a plugin in this process and write what its stages took."""
    from speed.stages import Clock, watch

    clock, flops = Clock(), dict[str, float]()
    watch(clock, _counting(clock, flops) if count else lambda function: function)
    from cardio_core.cli.main import main as cardio

    words = f"run --plugin {plugin} --config {config} --device cpu --executor local:1"
    sys.argv = ["cardio", *words.split(), "--out", str(folder / "run")]
    try:
        cardio()
    except SystemExit as stop:
        if stop.code:
            raise
    clock.stop()
    seconds = sum(clock.processor.values())
    from speed.least import floors_of, peak_flops

    content = {
        "words": f"cardio {words}",
        "seconds": seconds,
        "passed": dict(clock.passed),
        "processor": dict(clock.processor),
        "calls": dict(clock.calls),
        "flops": flops,
        "peak_flops": peak_flops(),
        "floors": {} if count else floors_of(folder / "run", folder / "cache", clock.calls),
        "n_patients": n_patients(folder / "run"),
    }
    (folder / "stages.json").write_text(json.dumps(content), encoding="utf-8")


def n_patients(run: Path) -> int:
    """Return how many patients a run trained or tested."""
    splits = json.loads((run / "splits.json").read_text(encoding="utf-8"))
    by_patient = [one for one in splits["protocols"].values() if one["unit"] == "patient"]
    folds = [fold for one in by_patient for fold in one["folds"]]
    return len({str(who) for fold in folds for part in ("train", "test") for who in fold[part]})


def _counting(clock: Any, flops: dict[str, float]) -> Callable[..., Callable[..., Any]]:
    """Return what counts the operations of torch within a function, for the stage that holds.

    What is counted within belongs to the inner stage alone.
    """
    within: list[float] = []

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            from torch.utils.flop_counter import FlopCounterMode

            within.append(0.0)
            with FlopCounterMode(display=False) as counter:
                result = function(*arguments, **named)
            total = float(counter.get_total_flops())
            flops[clock.holder] = flops.get(clock.holder, 0.0) + total - within.pop()
            if within:
                within[-1] += total
            return result

        return counted

    return around


def main() -> None:
    """Profile the plugins and store a table of each."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--plugins", nargs="+", choices=PLUGINS, default=list(PLUGINS))
    parser.add_argument("--config", default="smoke", help="its sizes, for every plugin")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path, default=RESULT, help="other plugins' rows are kept")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--count", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(asked.one, asked.config, asked.folder, asked.count)
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
            floor = "" if row["gap"] is None else f"floor {row['floor_s']} s, gap {row['gap']}"
            print(f"  {row['share']:6.1%} {row['seconds']:8.2f} s  {row['stage']:<45} {floor}")


if __name__ == "__main__":
    main()
