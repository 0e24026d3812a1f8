"""The synthetic cohort: pictures of a spot whose width tells the finding, to a known degree.

Severity is the finding times `EFFECT` plus a normal number of standard deviation 1, so that the
best possible AUC of a binary finding is Phi(EFFECT / sqrt(2)) = 0.92. Spots are the wider the
severer. Real pictures have motion, gain and artefacts that these lack: add what you know.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.api import synthetic_folder, write_truth

EFFECT = 2.0
N_PIXELS = 48


def synthesize(out: Path, *, task: str, n_patients: int | None = None, seed: int = 0) -> None:
    """Write pictures, ``cohort.csv`` and ``truth.json``; the same seed writes the same files."""
    folder = synthetic_folder(out, n_patients, task=(task, ("my_task",)))
    rng = np.random.default_rng(seed)
    rows, truth = [], {}
    for number in range(n_patients or 40):
        patient = f"P{number:03d}"
        finding, label = _finding(number, rng)
        severity = float(EFFECT * finding + rng.normal())
        _write_picture(folder / f"{patient}.npy", 5 * np.exp(0.12 * severity), rng)
        rows.append({"patient_id": patient, "study_id": f"{patient}-a",
                     "path_my_recording": f"{patient}.npy", "my_target": label})  # fmt: skip
        truth[patient] = severity
    pd.DataFrame(rows).to_csv(folder / "cohort.csv", index=False)
    write_truth(folder / "truth.json", {"kind": "spots", "seed": seed, "severity": truth})


def _finding(number: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    """Return a finding as the number that severity grows with, and as the table names it."""
    return number % 2, number % 2


def _write_picture(path: Path, width: float, rng: np.random.Generator) -> None:
    rows, columns = np.indices((N_PIXELS, N_PIXELS))
    row, column = N_PIXELS / 2 + rng.uniform(-4, 4, size=2)
    spot = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * width**2))
    noise = rng.normal(0, 0.03, spot.shape)
    np.save(path, (rng.uniform(0.5, 2.0) * spot + noise).astype(np.float32), allow_pickle=False)
