"""Every benchmark against peers, several rounds of each, held against the floors of the ratios.

    python benchmarks/bench.py
    python benchmarks/bench.py --only stats phase --rounds 5

Writes benchmarks/results/bench.json: of each benchmark its command, day, commit, machine, and of
each ratio the value of every round. Exits 1 where a ratio's median is below its floor
(benchmarks/speed/floors.py), and says which. A round is a process of its own; within it ours and
the peers take turns on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from speed.gates import Verdict, judge
from speed.origin import ROOT, origin

RESULT = ROOT / "benchmarks" / "results" / "bench.json"
BENCHES = {
    "stats": "stats.py --loop-resamples 100",
    "phase": "phase.py --volumes 20",
    "mmode": "mmode.py",
    "spectrograms": "spectrograms.py --beats 1000",
    "r_peaks": "r_peaks.py --data $CARDIO_DATA/mitdb --records 100 114 207",
    "echo_loader": "echo_loader.py",
    "echo_train": "echo_train.py --width 0.25 --batch 2 --steps 4 --rounds 1",
    "startup": "startup.py",
    "startup_stats": "startup.py --stats",
    "two_processes": "two_processes.py --rounds 1 --runs spect_long mmode_long",
}
"""What is run, by name; what a shell would put in the place of $CARDIO_DATA is put there."""


def measure(command: str, rounds: int) -> tuple[list[dict[str, float]], float]:
    """Run a benchmark several times and return its ratios of every round, and the seconds.

    Raises
    ------
    SystemExit
        Where it fails; with what it said.
    """
    found, begun = [], time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            file = Path(folder) / f"{number}.json"
            words = os.path.expandvars(command).split()
            done = subprocess.run(
                [sys.executable, f"benchmarks/{words[0]}", *words[1:], "--ratios", str(file)],
                cwd=ROOT, capture_output=True, text=True, check=False,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )  # fmt: skip
            if done.returncode or not file.is_file():
                said = (done.stderr or done.stdout).strip().splitlines()
                sys.exit(f"bench: {command} failed: {said[-1] if said else done.returncode}")
            found.append(json.loads(file.read_text(encoding="utf-8")))
    return found, time.perf_counter() - begun


def stored(verdicts: list[Verdict]) -> dict[str, Any]:
    """Return of each ratio what is kept: median, lowest, highest, every round, floor."""
    return {
        one.name: {
            "median": one.median and round(one.median, 3),
            "low": round(min(one.values), 3) if one.values else None,
            "high": round(max(one.values), 3) if one.values else None,
            "rounds": [round(value, 3) for value in one.values],
            "floor": one.floor,
            "holds": one.holds,
        }
        for one in verdicts
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure, store, and judge what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--only", nargs="+", choices=BENCHES, default=list(BENCHES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULT, help="others' entries in it are kept")
    asked = parser.parse_args(arguments)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    below: list[str] = []
    for name in asked.only:
        command = BENCHES[name]
        if "$CARDIO_DATA" in command and "CARDIO_DATA" not in os.environ:
            print(f"{name}: skipped, CARDIO_DATA names no folder")
            continue
        print(f"{name}: {asked.rounds} rounds of python benchmarks/{command}", flush=True)
        came_from = origin(f"python benchmarks/bench.py --only {name} --rounds {asked.rounds}")
        rounds, seconds = measure(command, asked.rounds)
        verdicts = judge(name, rounds)
        entry = came_from | {
            "script": f"python benchmarks/{command}",
            "seconds": round(seconds, 1),
            "ratios": stored(verdicts),
        }
        kept = json.loads(asked.out.read_text(encoding="utf-8")) if asked.out.is_file() else {}
        text = json.dumps(kept | {name: entry}, indent=1, ensure_ascii=False)
        asked.out.write_text(text + "\n", encoding="utf-8")
        for one in verdicts:
            print(f"  {one.told}", flush=True)
        below += [one.told for one in verdicts if not one.holds]
    print(f"Written: {asked.out}")
    if below:
        sys.exit("bench: these ratios are not what they are promised to be:\n" + "\n".join(below))


if __name__ == "__main__":
    main()
