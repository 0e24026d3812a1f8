"""Runs that are killed, told to stop, or left by their terminal, and what they end with afterwards.

    python benchmarks/kill_study.py toy --kills 50
    nice -n 10 python benchmarks/kill_study.py spect_polar --kills 5

Each kill is a run of its own, with two workers and an empty cache. Its moment is drawn from a fixed
seed: the stage in turn, then either a share of the stage's time or one of the files that it writes
(the process then stands still between two calls of the system until it is killed). Afterwards the
run is gone on with and compared with one that nobody disturbed. What was found is added to
docs/results/kills.json; ``python benchmarks/kill_study_page.py`` writes the page.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import kill_study_watch as watch
import numpy as np
from kill_study_run import Run, asked_to_end, disturb

ROOT = Path(__file__).parents[1]
STORED = ROOT / "docs" / "results" / "kills.json"
KINDS = (
    "run killed", "worker killed", "SIGTERM", "SIGHUP", "Ctrl-C", "terminal lost",
    "two at once", "killed while resuming",
)  # fmt: skip
SIZES = {
    "toy": (
        *9 * ("--task mean_class --smoke --protocol honest",),
        "--task third --smoke --protocol honest",
    ),
    "ecg_transfer": (
        "--task aami_beats --smoke --protocol honest --set n_synthetic=14"
        " --set train.fit.epochs=2 --set evaluate.n_resamples=100 --set explain.n_cases=0",
    ),
    "spect_polar": (
        "--smoke --protocol honest --set explain.n_cases=0 --set evaluate.n_optimism=2"
        " --set evaluate.n_resamples=100",
    ),
    "mmode_septal_flash": (
        "--task phantom_flash --smoke --protocol honest --set explain.n_cases=0"
        " --set evaluate.n_resamples=100",
    ),
    "echo_cmr": ("--smoke --protocol honest --set explain.n_cases=0",),
}
"""What is run, at the smallest sizes; a list takes turns."""

LOOKS_S = 0.02
TRIES = 6
ENDS_S = 900.0


@dataclass
class Kill:
    """One disturbed run, and what was found."""

    plugin: str
    number: int
    asked: str
    kind: str
    aimed: str
    how: str
    hit: str = ""
    file: str = ""
    exit_code: int | None = None
    said: str = ""
    ended_s: float | None = None
    processes_left: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    lock_free: bool = True
    resumed: int | None = None
    unfinished: list[str] = field(default_factory=list)
    shared_memory: list[str] = field(default_factory=list)
    temporary: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    tries: int = 1

    def bad(self) -> bool:
        """Whether anything is not as it should be."""
        return bool(
            self.processes_left or self.torn or not self.lock_free or self.unfinished
            or self.shared_memory or self.differences or self.problems
        )  # fmt: skip


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody disturbed: its files, how long each stage took, and what each wrote."""

    contents: dict[str, str]
    stages: dict[str, float]
    writes: dict[str, list[int]]
    temporary: set[str]


class Study:
    """The kills of one plugin, in a folder for everything that they make."""

    def __init__(self, plugin: str, place: Path, seed: int) -> None:
        self.plugin, self.place, self.seed = plugin, place, seed
        self.path = install_toy(place) if plugin == "toy" else ()
        self.undisturbed: dict[str, Undisturbed] = {}
        self.cohort = place / "synthetic"
        self.alone = threading.Lock()

    def run(self, place: Path, asked: str, **more: Any) -> Run:
        """Start a run in the folder of a case; a plugin's synthetic cohort is there already."""
        if self.cohort.exists() and not (place / "cache").exists():
            shutil.copytree(self.cohort, place / "cache" / "synthetic")
        return Run(place, self.plugin, asked, path=self.path, **more)

    def reference(self, asked: str) -> Undisturbed:
        """Run what is asked for undisturbed, once."""
        with self.alone:
            return self._reference(asked)

    def _reference(self, asked: str) -> Undisturbed:
        if asked not in self.undisturbed:
            place = fresh(self.place / f"undisturbed-{len(self.undisturbed)}")
            run = self.run(place, asked)
            seen = [(time.time(), watch.stage_of(run.out))]
            while run.process.poll() is None:
                if (stage := watch.stage_of(run.out)) != seen[-1][1]:
                    seen.append((time.time(), stage))
                time.sleep(LOOKS_S)
            if run.process.returncode:
                raise SystemExit(f"{asked}: ended with {run.process.returncode}: {run.said()}")
            ends = [at for at, _ in seen[1:]] + [time.time()]
            stages: dict[str, float] = {}
            writes: dict[str, list[int]] = {}
            for (at, stage), end in zip(seen, ends, strict=True):
                stages[stage] = stages.get(stage, 0.0) + end - at
            for number, (when, _, _) in enumerate(watch.told_writes(run.told), 1):
                stage = next(name for at, name in reversed(seen) if at <= when + 0.02)
                writes.setdefault(stage, []).append(number)
            self.undisturbed[asked] = Undisturbed(
                watch.contents(run.out), stages, writes, {one.name for one in below(place / "tmp")}
            )
            if self.plugin != "toy" and not self.cohort.exists():
                shutil.copytree(place / "cache" / "synthetic", self.cohort)
            shutil.rmtree(place)
        return self.undisturbed[asked]

    def kill(self, number: int, offset: int) -> Kill:
        """Disturb one run, go on with it, and compare."""
        kind = KINDS[(number + offset) % len(KINDS)]
        asked = SIZES[self.plugin][number % len(SIZES[self.plugin])]
        known = self.reference(asked)
        # Kinds come in turn, so stages move on by one more each time that all were there.
        stages = list(watch.STAGES)
        aimed = stages[(number + number // len(KINDS)) % len(stages)]
        if kind == "worker killed" and aimed in ("starting", "report"):
            aimed = "training"  # there are no workers
        by_write = bool((number // 2 + number // len(KINDS)) % 2) and aimed in known.writes
        how = "at a write" if by_write else "by the clock"
        rng = np.random.default_rng([self.seed, number, *self.plugin.encode()])
        share = float(rng.uniform(0.02, 0.9))
        place = self.place / f"kill-{number}"
        for tries in range(1, TRIES + 1):
            made = Kill(self.plugin, number, asked, kind, aimed, how, tries=tries)
            run = self.run(
                fresh(place), asked, terminal=kind == "terminal lost",
                stop_at=chosen(known.writes[aimed], share) if by_write else 0,
            )  # fmt: skip
            if not self._meet(run, made, known, share / 2 ** (tries - 1)):
                made.problems.append("the run was over before it could be disturbed")
                run.end()
                continue
            self._look(run, made, known, rng)
            if run.hit != "done":  # else it ended between the drawn moment and the disturbance
                break
        if not made.bad():
            shutil.rmtree(place)
        return made

    def _meet(self, run: Run, made: Kill, known: Undisturbed, share: float) -> bool:
        """Wait for the drawn moment; whether it came before the run was over."""
        stands = Path(f"{run.told}.here")
        if made.how == "at a write":
            while not stands.exists():
                if run.over():
                    return False
                time.sleep(LOOKS_S)
        else:
            wanted = watch.STAGES.index(made.aimed)
            while (stage := watch.stage_of(run.out)) == "starting" or (
                stage in watch.STAGES and watch.STAGES.index(stage) < wanted
            ):
                if wanted == 0 or run.over():
                    break
                time.sleep(LOOKS_S)
            time.sleep(share * known.stages.get(made.aimed, 0.5))
        if made.kind == "worker killed":
            while not run.workers():
                if run.over():
                    return False
                time.sleep(LOOKS_S)
        made.hit = watch.stage_of(run.out)
        if stands.exists():
            _, what, file = watch.told_writes(run.told)[-1]
            made.file = f"{'renamed' if what == 'os.rename' else 'opened'}: {Path(file).name}"
        return not run.over()

    def _look(self, run: Run, made: Kill, known: Undisturbed, rng: np.random.Generator) -> None:
        disturb(run, made, rng, lambda **more: self.run(run.place, made.asked, **more))
        folders = [run.out, run.place / "cache"]
        if made.kind != "two at once":
            after(run, made)
            made.torn = watch.torn_files(folders)
            seen = set(run.seen)
            again = self._resume(run, made, known, rng)
            run.seen = seen | set(again.seen)
        made.unfinished = watch.unfinished(folders)
        made.shared_memory = watch.shared_memory(run.seen)
        made.temporary = sorted({one.name for one in below(run.place / "tmp")} - known.temporary)
        made.differences = watch.differences(watch.contents(run.out), known.contents)

    def _resume(self, run: Run, made: Kill, known: Undisturbed, rng: np.random.Generator) -> Run:
        if made.kind == "killed while resuming":
            again = self.run(run.place, made.asked, terminal=False)
            time.sleep(float(rng.uniform(0.1, 0.7)) * sum(known.stages.values()))
            if again.over():
                made.problems.append("resumed before it could be killed again")
            made.hit += f", then {watch.stage_of(again.out)}"
            asked_to_end(again, "run killed")
            took, left = again.quiet()
            made.ended_s = max(took, made.ended_s or 0.0)
            made.processes_left += left
            after(again, made)
            made.torn += watch.torn_files([run.out, run.place / "cache"])
            run.seen |= again.seen
        again = self.run(run.place, made.asked, terminal=False)
        again.wait(ENDS_S)
        again.seen |= run.seen
        made.resumed = again.process.returncode
        if made.resumed:
            made.problems.append(f"resuming ended with {made.resumed}: {again.said()[-300:]}")
        return again


def after(run: Run, made: Kill) -> None:
    """End what is left of a run; note whether its folder is free again."""
    from cardio_core.runner.lock import guard_free
    from cardio_stats.errors import CardioError

    if made.processes_left:
        run.end()
    try:
        guard_free(run.out)
    except CardioError:
        made.lock_free = False


def below(folder: Path) -> list[Path]:
    """Return what lies in a folder."""
    return sorted(folder.iterdir())


def chosen(writes: list[int], share: float) -> int:
    """Return one of the writes of a stage, by its share of them."""
    return writes[int(share * len(writes))]


def fresh(place: Path) -> Path:
    """Return an empty folder."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place


def install_toy(place: Path) -> tuple[str, ...]:
    """Install the tests' toy plugin into a folder of its own."""
    target = place / "installed"
    if not target.exists():
        with tempfile.TemporaryDirectory() as sources:
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / "tests/integration/toy", Path(sources) / "toy", ignore=ignored)
            subprocess.run(
                [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
                 "--no-build-isolation", "--disable-pip-version-check",
                 "--target", str(target), f"{sources}/toy"],
                check=True,
            )  # fmt: skip
    return (str(target),)


def about() -> dict[str, Any]:
    """Return when, of which code and on which machine."""
    commit = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True
    ).stdout.strip()
    processor = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")), platform.processor(),
    )  # fmt: skip
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit,
        "machine": f"{os.cpu_count()} cores, {processor}, {platform.system()}",
    }


def stored() -> dict[str, Any]:
    """Return what earlier studies found, by plugin."""
    return json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}


def keep(plugin: str, seed: int, n: int, made: Kill) -> None:
    """Put a kill in the place of the one of its number."""
    everything = stored()
    others = everything.get(plugin, {}).get("kills", [])
    kills = [one for one in others if one["number"] != made.number] + [{**asdict(made), **about()}]
    command = f"python benchmarks/kill_study.py {plugin} --kills {n}"
    kills.sort(key=lambda one: one["number"])
    everything[plugin] = {"command": command, "seed": seed, "kills": kills}
    STORED.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Run the study of one plugin."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("plugin", choices=SIZES)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=1, help="runs that are disturbed beside")
    parser.add_argument("--missing", action="store_true", help="only those that are not stored")
    parser.add_argument("--only", type=int, nargs="+", help="these alone; nothing is stored")
    parser.add_argument("--study", type=Path, help="where runs are made, and kept where one is bad")
    options = parser.parse_args()
    place = options.study or Path(tempfile.mkdtemp(prefix="kills-"))
    study = Study(options.plugin, place, options.seed)
    offset = list(SIZES).index(options.plugin) * 5 - 5 if options.plugin != "toy" else 0
    known = stored().get(options.plugin, {}).get("kills", []) if options.missing else []
    there = {one["number"] for one in known}
    numbers = options.only or [one for one in range(options.kills) if one not in there]
    with ThreadPoolExecutor(options.at_once) as pool:
        waiting = [pool.submit(study.kill, number, offset) for number in numbers]
        for future in as_completed(waiting):
            made = future.result()
            bad = "BAD " if made.bad() else ""
            print(f"{bad}{made.number} {json.dumps(asdict(made))}", flush=True)
            if options.only is None:
                keep(options.plugin, options.seed, options.kills, made)


if __name__ == "__main__":
    main()
