"""Resampled and exact AUC intervals: ours beside sklearn loops, confidenceinterval and pROC.

    python benchmarks/stats.py --loop-resamples 200

Times are processor seconds of one thread, for 10,000 resamples; loops are timed on fewer and
scaled up, as the output says. Every pair of competitors makes the same kind of interval on the same
rows, and the limits stand beside the times. pROC runs where Rscript and the package are found.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from sklearn.metrics import roc_auc_score
from speed.ratios import add_ratios, keep_ratios

from cardio_stats import auc, bootstrap_auc

N_RESAMPLES = 10_000
PROC_SCRIPT = """
suppressWarnings(suppressMessages(library(pROC)))
d <- read.csv(commandArgs(TRUE)[1]); r <- roc(d$y, d$score, direction = "<", quiet = TRUE)
whole <- function() for (i in 1:10) ci.auc(roc(d$y, d$score, direction = "<", quiet = TRUE))
delong <- min(replicate(3, system.time(whole())[["user.self"]])) / 10
boot <- system.time(ci.auc(r, method = "bootstrap", boot.n = 50, progress = "none",
                           boot.stratified = FALSE))[["user.self"]]
cat(delong, boot / 50)
"""


def rows_of(n: int, n_patients: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores without ties and patients whose rows resemble each other."""
    rng = np.random.default_rng(n)
    patient = rng.integers(0, n_patients, n)
    labels = (rng.random(n) < 0.4).astype(int)
    score = labels + rng.normal(size=n_patients)[patient] + rng.normal(size=n)
    return labels, score, patient


def timed(call: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    """Return the least processor time of several calls, and the last result."""
    best, result = float("inf"), None
    for _ in range(repeats):
        start = time.process_time()
        result = call()
        best = min(best, time.process_time() - start)
    return best, result


def sklearn_loop(labels: np.ndarray, score: np.ndarray, n_resamples: int) -> np.ndarray:
    """Draw rows and call sklearn, as most scripts do."""
    rng = np.random.default_rng(0)
    areas = []
    while len(areas) < n_resamples:
        drawn = rng.integers(0, labels.size, labels.size)
        if 0 < labels[drawn].sum() < labels.size:
            areas.append(roc_auc_score(labels[drawn], score[drawn]))
    return np.quantile(areas, [0.025, 0.975])


def patient_loop(
    labels: np.ndarray, score: np.ndarray, patient: np.ndarray, n_resamples: int
) -> np.ndarray:
    """Draw patients, gather their rows and call sklearn."""
    rng = np.random.default_rng(0)
    order = np.argsort(patient, kind="stable")
    rows_of_patient = np.split(order, np.flatnonzero(np.diff(patient[order])) + 1)
    areas = []
    for _ in range(n_resamples):
        drawn = rng.integers(0, len(rows_of_patient), len(rows_of_patient))
        rows = np.concatenate([rows_of_patient[one] for one in drawn])
        areas.append(roc_auc_score(labels[rows], score[rows]))
    return np.quantile(areas, [0.025, 0.975])


def confidenceinterval_package(
    labels: np.ndarray, score: np.ndarray, n_resamples: int
) -> tuple[float, float] | None:
    """Return that package's percentile interval, or None where it is not installed."""
    try:
        from confidenceinterval.bootstrap import bootstrap_ci
    except ImportError:
        return None
    _, interval = bootstrap_ci(
        labels, score, roc_auc_score, n_resamples=n_resamples, method="bootstrap_percentile"
    )
    return interval


def limits(found: Any) -> list[float] | None:
    """Return two limits rounded for print."""
    return None if found is None else [round(float(limit), 4) for limit in found]


def compare_bootstraps(n: int, n_patients: int, n_loop: int) -> dict[str, Any]:
    """Time ours and the loops on the same rows."""
    labels, score, patient = rows_of(n, n_patients)
    scale = N_RESAMPLES / n_loop
    ours, estimate = timed(lambda: bootstrap_auc(labels, score, n_resamples=N_RESAMPLES), 2)
    loop, by_loop = timed(lambda: sklearn_loop(labels, score, n_loop))
    package, by_package = timed(lambda: confidenceinterval_package(labels, score, n_loop))
    clustered, of_patients = timed(
        lambda: bootstrap_auc(labels, score, patient=patient, n_resamples=N_RESAMPLES), 2
    )
    by_patient, in_loop = timed(lambda: patient_loop(labels, score, patient, n_loop))
    return {
        "n": n,
        "n_patients": n_patients,
        "rows_s": round(ours, 3),
        "sklearn_loop_s": round(loop * scale, 1),
        "rows_ratio": round(loop * scale / ours),
        "confidenceinterval_s": round(package * scale, 1) if by_package else None,
        "confidenceinterval_ratio": round(package * scale / ours) if by_package else None,
        "patients_s": round(clustered, 3),
        "patient_loop_s": round(by_patient * scale, 1),
        "patients_ratio": round(by_patient * scale / clustered),
        "limits": {
            "rows": limits((estimate.low, estimate.high)),
            "sklearn_loop": limits(by_loop),
            "confidenceinterval": limits(by_package),
            "patients": limits((of_patients.low, of_patients.high)),
            "patient_loop": limits(in_loop),
        },
    }


def in_proc(n: int) -> tuple[float, float] | None:
    """Return pROC's seconds from columns to DeLong's interval, and for one bootstrap resample."""
    if shutil.which("Rscript") is None:
        return None
    labels, score, _ = rows_of(n, 1000)
    with tempfile.TemporaryDirectory() as folder:
        table, script = Path(folder) / "rows.csv", Path(folder) / "delong.R"
        np.savetxt(
            table, np.column_stack([labels, score]), "%.17g", ",", header="y,score", comments=""
        )
        script.write_text(PROC_SCRIPT)
        done = subprocess.run(
            ["Rscript", str(script), str(table)], capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        return None
    delong, resample = done.stdout.split()
    return float(delong), float(resample)


def exact_times(n: int) -> float:
    """Return our seconds from columns to DeLong's interval."""
    labels, score, _ = rows_of(n, 1000)
    return timed(lambda: auc(labels, score), 5)[0]


def peak_mib(n: int) -> float:
    """Return the memory that 20 resamples of n rows need beyond the rows, in MiB."""
    labels, score, _ = rows_of(n, 1000)
    tracemalloc.start()
    bootstrap_auc(labels, score, n_resamples=20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def ratios_of(report: dict[str, Any]) -> dict[str, float | None]:
    """Return how many times faster ours is than each peer, by what was compared."""
    ratios: dict[str, float | None] = {}
    for one in report["bootstraps"]:
        n = one["n"]
        ratios[f"bootstrap of {n} rows beside a loop over sklearn"] = one["rows_ratio"]
        ratios[f"bootstrap of {n} rows beside confidenceinterval"] = one["confidenceinterval_ratio"]
        name = f"bootstrap of the patients of {n} rows beside a loop over sklearn"
        ratios[name] = one["patients_ratio"]
        of_proc = report["proc_bootstrap_s"][str(n)]
        ratios[f"bootstrap of {n} rows beside pROC"] = of_proc and of_proc / one["rows_s"]
        exact = report["proc_delong_s"][str(n)]
        ratios[f"DeLong of {n} rows beside pROC"] = exact and exact / report["delong_s"][str(n)]
    return ratios


def main() -> None:
    """Run everything and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop-resamples", type=int, default=100)
    add_ratios(parser)
    asked = parser.parse_args()
    auc(*rows_of(1000, 50)[:2])
    r_small, r_large = in_proc(1000), in_proc(20_000)
    report = {
        "loops_timed_on": asked.loop_resamples,
        "resamples": N_RESAMPLES,
        "bootstraps": [
            compare_bootstraps(1_000, 100, asked.loop_resamples),
            compare_bootstraps(20_000, 1_000, asked.loop_resamples),
        ],
        "delong_s": {str(n): round(exact_times(n), 4) for n in (1_000, 20_000, 1_000_000)},
        "proc_delong_s": {"1000": r_small and r_small[0], "20000": r_large and r_large[0]},
        "proc_bootstrap_s": {
            "1000": r_small and round(r_small[1] * N_RESAMPLES, 1),
            "20000": r_large and round(r_large[1] * N_RESAMPLES, 1),
        },
        "peak_mib_of_20_resamples": {str(n): round(peak_mib(n), 1) for n in (20_000, 1_000_000)},
    }
    keep_ratios(asked.ratios, ratios_of(report))
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
