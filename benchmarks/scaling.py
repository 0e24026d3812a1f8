"""From 1,000 to 20,000 ECGs: how memory and processor time grow with the number of patients.

    python benchmarks/scaling.py --out scaling --sizes 1000 5000 20000
    python benchmarks/scaling.py --out scaling --sizes 1000 --only cohort measure

Writes cohorts of 12-lead ECGs of 10 s as WFDB records, each file its own, and gives them to
`cardio measure`, `cardio run` and `cardio predict` as a user would. A sampler sums the memory of
the command and of all processes that it starts, and their processor time: that of the clock would
say more about who else uses the machine. What was measured is not measured again, so a study that
was cut off goes on; `scaling_page.py` makes a page of what `--store` keeps (none is kept yet).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
STORED = ROOT / "docs" / "results" / "scaling.json"
SIZES = (1000, 5000, 20_000)
N_BASE = 200
"""Simulated patients; the recordings of the others are theirs with a gain and a noise of their own.

To simulate a patient takes longer than to measure him."""

MODELS = "forest,qrs_duration,qrs_area"
LARGE, MODELS_OF_LARGE = 20_000, "qrs_duration,qrs_area"
"""So large a cohort is fitted without the forest, whose trees grow with it."""

EVERY_S = 0.2
_MICROVOLT = 10.0
_STEPS_PER_MV = 200


def write_cohort(folder: Path, n: int, base: Path) -> None:
    """Write n patients: ``cohort.csv`` and a WFDB record each, no two of them the same file.

    Parameters
    ----------
    folder : Path
        Made; nothing is done where its table is there.
    n : int
        Patients.
    base : Path
        Where the simulated patients lie, or are written.
    """
    from cardio_ecg_transfer.readers import read_ecg
    from cardio_ecg_transfer.synthetic import synthesize

    if (folder / "cohort.csv").exists():
        return
    if not base.exists():
        synthesize(base, task="crt_response", n_patients=min(n, N_BASE), seed=0)
    with (base / "cohort.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ecgs = [read_ecg(base / row["path_ecg"]) for row in rows]
    (folder / "ecg").mkdir(parents=True, exist_ok=True)
    table = []
    for number in range(n):
        rng = np.random.default_rng([7, number])
        ecg, row = ecgs[number % len(ecgs)], rows[number % len(rows)]
        name = f"p{number:05d}"
        gain = rng.uniform(0.85, 1.15)
        noise = rng.normal(0.0, _MICROVOLT / 1000.0, ecg.signal_mv.shape)
        write_record(folder / "ecg", name, gain * ecg.signal_mv + noise, ecg.leads, ecg.rate_hz)
        about = {"patient_id": name, "study_id": f"{name}-bl", "path_ecg": f"ecg/{name}.hea"}
        table.append(row | about)
    with (folder / "cohort.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


def write_record(
    folder: Path, name: str, signal_mv: np.ndarray, leads: Sequence[str], rate_hz: float
) -> None:
    """Write a WFDB record of 16 bits, five times as fast as the package wfdb does."""
    steps = np.clip(np.rint(signal_mv * _STEPS_PER_MV), -32767, 32767).astype("<i2")
    sums = steps.astype(np.int64).sum(axis=1) % 65536
    lines = [f"{name} {len(leads)} {rate_hz:g} {steps.shape[1]}"]
    lines += [
        f"{name}.dat 16 {_STEPS_PER_MV}.0(0)/mV 16 0 {own[0]} {total} 0 {lead}"
        for lead, own, total in zip(leads, steps, sums, strict=True)
    ]
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / f"{name}.dat").write_bytes(np.ascontiguousarray(steps.T).tobytes())


class Sampler:
    """Follows a process and all that it starts: memory now, processor time so far.

    Memory is the sum of what each process holds (resident set); pages that two share count twice.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.peak = self.peak_of_one = self.peak_before = 0
        self.processor_s = 0.0

    def look(self) -> None:
        """Take one sample."""
        every = _processes()
        tree, todo = set(), [self.pid]
        while todo:
            one = todo.pop()
            if one in every and one not in tree:
                tree.add(one)
                todo += [pid for pid, (parent, _, _) in every.items() if parent == one]
        held = [every[pid][1] for pid in tree]
        self.peak = max(self.peak, sum(held))
        self.peak_of_one = max(self.peak_of_one, *held, 0)
        # Who has ended is in the time of whoever waited for him.
        self.processor_s = max(self.processor_s, sum(every[pid][2] for pid in tree))

    def since(self, before_s: float) -> dict[str, float]:
        """Return processor seconds and memory of the stage that ends now, and begin another."""
        took = {
            "processor_s": round(self.processor_s - before_s, 1),
            "peak_mb": round(self.peak / 1e6),
        }
        self.peak_before, self.peak = max(self.peak_before, self.peak), 0
        return took


def _processes() -> dict[int, tuple[int, int, float]]:
    """Return, of each process, its parent, the bytes it holds, and processor seconds."""
    page, tick = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            cells = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        spent = sum(map(int, cells[11:15])) / tick  # its own and of its children that ended
        found[int(entry.name)] = (int(cells[1]), int(cells[21]) * page, spent)
    return found


def follow(command: str, folder: Path, out: Path | None = None) -> dict[str, Any]:
    """Run a command in a folder; return what it took, of a run by stage.

    Raises
    ------
    SystemExit
        If it fails.
    """
    print(f"$ {command}", flush=True)
    log = folder / "said.txt"
    started = time.perf_counter()
    words = [sys.executable, "-c", "from cardio_core.cli.main import main; main()"]
    environment = os.environ | {"CARDIO_CACHE": str(folder / "cache")}
    stages: dict[str, dict[str, float]] = {}
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(
            [*words, *shlex.split(command)[1:]],
            cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT,
        )  # fmt: skip
        sampler, before = Sampler(process.pid), ("", 0.0)
        while process.poll() is None:
            sampler.look()
            if out is not None and (stage := _stage(folder / out)) != before[0]:
                stages[before[0]] = sampler.since(before[1])
                before = (stage, sampler.processor_s)
            time.sleep(EVERY_S)
    if process.returncode:
        raise SystemExit(f"{command}: exit code {process.returncode}; {log} holds what was said")
    stages[before[0]] = sampler.since(before[1])
    return {
        "command": command,
        "processor_s": round(sampler.processor_s, 1),
        "clock_s": round(time.perf_counter() - started, 1),
        "peak_mb": round(max(sampler.peak, sampler.peak_before) / 1e6),
        "peak_of_one_mb": round(sampler.peak_of_one / 1e6),
        "stages": {name: one for name, one in stages.items() if name} if out is not None else {},
        **about(),
    }


def _stage(out: Path) -> str:
    """Return which stage a run is in; of what stands between two, the one before."""
    try:
        status = json.loads((out / "manifest.json").read_text(encoding="utf-8")).get("status", "")
    except (OSError, ValueError):
        return "starting"
    return "report" if status == "done" else str(status).removeprefix("running: ")


def about() -> dict[str, Any]:
    """Return when, of which code and where a measurement is made."""
    asked = ["git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD"]
    with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip(),
        "machine": f"{platform.system()}, {os.cpu_count()} cores, {names[0] if names else '?'}",
        "load_before": round(os.getloadavg()[0], 1),
    }


class Study:
    """A folder with a cohort of each size, the runs on it, and what they took.

    Parameters
    ----------
    folder : Path
        Where everything lies.
    n : int
        Patients of the cohort.
    workers : str
        What the commands get as ``--executor``.
    """

    def __init__(self, folder: Path, n: int, workers: str) -> None:
        self.folder, self.n, self.workers = folder / str(n), n, workers
        self.base, self.kept = folder / "base", folder / "took"
        self.kept.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(exist_ok=True)

    def cohort(self) -> None:
        """Write the recordings; this is no step of a researcher's, and not measured."""
        write_cohort(self.folder / "cohort", self.n, self.base)

    def measure(self) -> None:
        """Measure every recording."""
        self._take(
            "measure",
            f"cardio measure --plugin ecg_transfer cohort --no-sheets --out measured "
            f"--executor {self.workers}",
        )

    def run(self) -> None:
        """Make the features, fit the models, and build the report."""
        models = MODELS if self.n < LARGE else MODELS_OF_LARGE
        self._take(
            "run",
            f"cardio run --plugin ecg_transfer --data cohort --config smoke --protocol honest "
            f"--set models=[{models}] --set explain.n_cases=0 --out run --executor {self.workers}",
            Path("run"),
        )

    def predict(self) -> None:
        """Ask the final models of a small run for each patient."""
        small = self.folder.parent / "small"
        if not (small / "run").exists():
            small.mkdir(exist_ok=True)
            write_cohort(small / "cohort", 60, self.base)
            follow(
                "cardio run --plugin ecg_transfer --data cohort --config smoke --protocol honest "
                f"--set models=[{MODELS}] --out run --executor local:1",
                small,
            )
        self._take("predict", "cardio predict ../small/run cohort --out predicted.json")

    def page(self) -> None:
        """Build the report again: what the page alone takes."""
        self._take("page", "cardio report run")

    def join(self) -> None:
        """Join and read features that are there: what the core alone takes."""
        script = ROOT / "benchmarks" / "scaling_features.py"
        kept = self.kept / f"join-{self.n}.json"
        if kept.exists():
            return
        folder = self.folder.parent / "features"
        command = [sys.executable, str(script), str(self.n), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        peak = found.pop("peak_mb")
        took = {
            "step": "join", "n": self.n, "processor_s": round(sum(found.values()), 1),
            "peak_mb": peak, "parts": found, **about(),
            "command": f"python benchmarks/{script.name} {self.n} features",
        }  # fmt: skip
        kept.write_text(json.dumps(took, indent=1) + "\n", encoding="utf-8")

    def judge(self) -> None:
        """Judge predictions of that many patients; open the page."""
        file = self.folder / "predictions.csv"
        if not file.exists():
            write_predictions(file, self.n)
        self._take(
            "judge",
            "cardio judge predictions.csv --outcome outcome --score ecg --score echo "
            "--site site_id --subgroup sex --out judged",
        )

    def _take(self, step: str, command: str, out: Path | None = None) -> None:
        kept = self.kept / f"{step}-{self.n}.json"
        if kept.exists():
            return
        took = {"step": step, "n": self.n, **follow(command, self.folder, out)}
        report = self.folder / {"judge": "judged", "page": "run"}.get(step, "-") / "report.html"
        if report.exists():
            took |= {"page_kb": report.stat().st_size // 1000, "opened_s": open_page(report)}
        kept.write_text(json.dumps(took, indent=1) + "\n", encoding="utf-8")
        print(f"  processor {took['processor_s']} s, peak {took['peak_mb']} MB", flush=True)


STEPS = ("cohort", "measure", "run", "predict", "page", "judge", "join")


def write_predictions(file: Path, n: int) -> None:
    """Write what two models say of n patients, who have an outcome, a site and a sex."""
    rng = np.random.default_rng(3)
    outcome = rng.integers(0, 2, n)
    scores = [1 / (1 + np.exp(-rng.normal(shift * (outcome - 0.5)))) for shift in (1.0, 1.3)]
    site, sex = rng.choice(["north", "south"], n), rng.choice(["M", "F"], n)
    with file.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["patient_id", "outcome", "site_id", "sex", "ecg", "echo"])
        for number in range(n):
            own = [f"{one[number]:.6f}" for one in scores]
            table.writerow([f"p{number:05d}", outcome[number], site[number], sex[number], *own])


def open_page(page: Path) -> float | None:
    """Return the seconds until Chromium has loaded a page; None where there is none."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        began = time.perf_counter()
        browser.new_page().goto(page.as_uri(), wait_until="load", timeout=300_000)
        took = time.perf_counter() - began
        browser.close()
    return round(took, 1)


def collect(folder: Path) -> dict[str, Any]:
    """Return everything that was measured, the smallest cohort first."""
    took = [json.loads(one.read_text(encoding="utf-8")) for one in (folder / "took").glob("*.json")]
    order = {name: place for place, name in enumerate(STEPS)}
    return {"sizes": SIZES, "took": sorted(took, key=lambda one: (order[one["step"]], one["n"]))}


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--only", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument("--executor", default="local:1")
    parser.add_argument("--store", action="store_true", help="Keep it for docs/scaling.md.")
    asked = parser.parse_args()
    for n in asked.sizes:
        study = Study(asked.out.resolve(), n, asked.executor)
        for step in asked.only:
            getattr(study, step)()
    if asked.store:
        STORED.write_text(json.dumps(collect(asked.out), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
