"""The synthetic cohort: measurements of which strain tells the finding, to a known degree.

Severity is the finding times `EFFECT` plus a normal number of standard deviation 1, so that the
best possible AUC of a binary finding is Phi(EFFECT / sqrt(2)) = 0.92. Strain is the weaker the
severer. Real exports have gaps, units and typing errors that these lack: add what you know.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.api import synthetic_folder, write_truth

EFFECT = 2.0


def synthesize(out: Path, *, task: str, n_patients: int | None = None, seed: int = 0) -> None:
    """Write measurements, ``cohort.csv`` and ``truth.json``; the same for the same seed."""
    folder = synthetic_folder(out, n_patients, task=(task, ("my_task",)))
    rng = np.random.default_rng(seed)
    rows, truth = [], {}
    for number in range(n_patients or 40):
        patient = f"P{number:03d}"
        finding, label = _finding(number, rng)
        severity = float(EFFECT * finding + rng.normal())
        values = {"volume_ml": rng.normal(120, 25), "strain_pct": 2 * severity - 20}
        pd.Series(values, name="value").round(2).to_csv(
            folder / f"{patient}.csv", index_label="name"
        )
        rows.append({"patient_id": patient, "study_id": f"{patient}-a",
                     "path_my_recording": f"{patient}.csv", "my_target": label})  # fmt: skip
        truth[patient] = severity
    pd.DataFrame(rows).to_csv(folder / "cohort.csv", index=False)
    write_truth(folder / "truth.json", {"kind": "measurements", "seed": seed, "severity": truth})


def _finding(number: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    """Return a finding as the number that severity grows with, and as the table names it."""
    return number % 2, number % 2
