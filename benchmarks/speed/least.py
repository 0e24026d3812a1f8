"""What the stages of a run must cost at least on this machine: processor time, measured now."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from speed.stages import HOOKS, IMPORTS, READING, STAGES


def peak_flops() -> float:
    """Return the most floating-point operations a second that torch's matrix products reach."""
    import torch

    best = 0.0
    for n in (512, 1024, 2048):
        a, b = torch.randn(n, n), torch.randn(n, n)
        best = max(best, 2.0 * n**3 / _least(lambda a=a, b=b: a @ b, 5))
    return best


def floors_of(run: Path, cache: Path, calls: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """Return the floor of each stage that has one: seconds, and what they are of.

    Parameters
    ----------
    run, cache : Path
        Of the run that was profiled.
    calls : mapping of str to int
        How often each stage was entered.
    """
    cohort = _files(cache / "synthetic")
    features = _files(cache / "features")
    making, figures, page, _ = STAGES
    reading_s = _least(lambda: [file.read_bytes() for file in cohort], 3)
    intervals, resamples, n = _intervals(run)
    return {
        IMPORTS: _floor(_import_torch(), "importing torch alone"),
        making: _floor(_writing(cohort, run), f"writing {_size(cohort)}"),
        HOOKS["load"]: _floor(reading_s, f"reading {_size(cohort)}"),
        HOOKS["preprocess"]: _floor(reading_s, f"reading {_size(cohort)}"),
        HOOKS["featurize"]: _floor(_writing(features, run), f"writing {_size(features)}"),
        READING: _floor(
            _least(lambda: [file.read_bytes() for file in features], 3),
            f"reading {_size(features)} once",
        ),
        HOOKS["evaluate"]: _floor(
            intervals * resamples * _one_statistic(n),
            f"{intervals} intervals of {resamples} AUCs of {n} patients",
        ),
        figures: _floor(
            calls.get(figures, 0) * _plainest_figure(), f"{calls.get(figures, 0)} plain figures"
        ),
        page: _floor(
            _writing([run / "report.html"], run), f"writing {_size([run / 'report.html'])}"
        ),
    }


def _floor(seconds: float, what: str) -> dict[str, Any]:
    return {"seconds": seconds, "what": what}


def _least(action: Callable[[], object], repeats: int) -> float:
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        action()
        taken.append(time.process_time() - begun)
    return min(taken)


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def _size(files: list[Path]) -> str:
    return f"{sum(file.stat().st_size for file in files) / 1e6:.3g} MB"


def _writing(files: list[Path], folder: Path) -> float:
    contents = [file.read_bytes() for file in files]
    target = folder / ".written"

    def write() -> None:
        for content in contents:
            target.write_bytes(content)

    seconds = _least(write, 3)
    target.unlink(missing_ok=True)
    return seconds


def _import_torch() -> float:
    code = "import time; t = time.process_time(); import torch; print(time.process_time() - t)"
    said = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    return min(float(one.stdout) for one in said)


def _intervals(run: Path) -> tuple[int, int, int]:
    """Return how many intervals were resampled, how often each, and of how many patients."""
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    counts = [re.search(r"(\d+) resamples", row["method"]) for row in metrics]
    resampled = [int(found[1]) for found in counts if found]
    n = max((row["n_patients"] or 0 for row in metrics), default=0)
    return len(resampled), max(resampled, default=0), n


def _one_statistic(n: int) -> float:
    """Return the seconds of one resampled AUC of n patients, of ten thousand together."""
    from cardio_stats import bootstrap_auc

    rng = np.random.default_rng(0)
    labels, score = np.arange(max(n, 4)) % 2, rng.normal(size=max(n, 4))
    return _least(lambda: bootstrap_auc(labels, score, n_resamples=10_000), 3) / 10_000


def _plainest_figure() -> float:
    """Return the seconds of a figure of one line."""
    from cardio_stats.figures.canvas import svg_text

    return _least(lambda: svg_text(lambda figure: figure.subplots().plot([0, 1])), 5)
