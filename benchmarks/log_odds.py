"""A run's predictions as a table for `cardio stats`: a row a patient, log odds by model.

Out of fold and under the honest protocol; of a patient with several studies the first is taken.
``python benchmarks/log_odds.py RUN TABLE.csv``
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd


def log_odds(run: Path, positive: str) -> pd.DataFrame:
    """Return a row a patient: the outcome as 0 or 1, and every model's log odds of it."""
    rows = pd.read_csv(run / "predictions.csv", dtype={"patient_id": str, "study_id": str})
    rows = rows[(rows["protocol"] == "honest") & (rows["event"] == positive)]
    first = rows.groupby("patient_id")["study_id"].transform("min")
    rows = rows[rows["study_id"] == first]
    scores = rows.pivot_table(index="patient_id", columns="model", values="score")
    share = scores.clip(1e-9, 1 - 1e-9)
    outcome = rows.groupby("patient_id")["y_true"].first() == positive
    return np.log(share / (1 - share)).assign(outcome=outcome.astype(int))


if __name__ == "__main__":
    log_odds(Path(sys.argv[1]), "yes").to_csv(sys.argv[2])
