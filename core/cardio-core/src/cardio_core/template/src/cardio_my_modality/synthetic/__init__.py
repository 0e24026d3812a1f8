"""The synthetic cohort: pulse traces whose width tells the finding, to a known degree.

Severity is the finding times `EFFECT` plus a normal number of standard deviation 1, so that the
best possible AUC of a binary finding is Phi(EFFECT / sqrt(2)) = 0.92. Pulses are the wider the
severer. Real traces have motion, gain and artefacts that these lack: add what you know.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import synthetic_folder, write_truth

EFFECT = 2.0
RATE_HZ = 50.0
DURATION_S = 10.0


def synthesize(out: Path, *, task: str, n_patients: int | None = None, seed: int = 0) -> None:
    """Write traces, ``cohort.csv`` and ``truth.json``; the same seed writes the same files."""
    folder = synthetic_folder(out, n_patients, task=(task, ("my_task",)))
    rng = np.random.default_rng(seed)
    rows, truth = [], {}
    for number in range(n_patients or 40):
        patient = f"P{number:03d}"
        tops_s = np.arange(0.6, DURATION_S - 0.6, rng.uniform(0.7, 1.1))
        finding, label = _finding(number, rng)
        severity = EFFECT * finding + rng.normal(size=np.shape(finding))
        _write_trace(folder / f"{patient}.csv", tops_s, 0.08 * np.exp(0.12 * severity), rng)
        rows.append({"patient_id": patient, "study_id": f"{patient}-a",
                     "path_my_recording": f"{patient}.csv", "my_target": label})  # fmt: skip
        truth[patient] = severity
    pd.DataFrame(rows).to_csv(folder / "cohort.csv", index=False)
    write_truth(folder / "truth.json", {"kind": "pulses", "seed": seed, "severity": truth})


def _finding(number: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    """Return a finding as the number that severity grows with, and as the table names it."""
    return number % 2, number % 2


def _write_trace(
    path: Path, tops_s: NDArray[Any], widths_s: NDArray[Any], rng: np.random.Generator
) -> None:
    times_s = np.arange(0, DURATION_S, 1 / RATE_HZ)
    pulses = np.exp(-(((times_s - tops_s[:, None]) / np.reshape(widths_s, (-1, 1))) ** 2) / 2)
    wander = 0.2 * np.sin(2 * np.pi * (0.2 * times_s + rng.uniform()))
    values = rng.uniform(0.5, 2.0) * pulses.sum(axis=0) + wander
    values += rng.normal(0, 0.03, len(times_s))
    lines = [f"{time:.3f},{value:.4f}" for time, value in zip(times_s, values, strict=True)]
    path.write_text("\n".join(["time_s,value", *lines]) + "\n", encoding="utf-8")
