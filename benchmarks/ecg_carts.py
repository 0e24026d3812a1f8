"""What models of `crt_response` lose on a make of cart that was left out of training.

    python benchmarks/ecg_carts.py INSIDE OUTSIDE --json ecg_carts.json

Takes two finished runs on the same patients, one on random folds and one on sites: AUC of both, the
loss by paired DeLong, AUC on each make, and the calibration of the predictions (slope of the log
odds; intercept at slope 1), all on predictions out of fold.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

import cardio_stats as stats
from cardio_ecg_transfer.response.models import CRT_RESPONSE
from cardio_stats.auc_covariance import delong_paired

POSITIVE = CRT_RESPONSE.targets[0].classes[1]
KEYS = ["patient_id", "fold", "y_true"]


def main() -> None:
    """Print or write what each model reaches inside and outside."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs=2, help="random folds, then sites left out")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    inside, outside = map(scores_of, given.runs)
    both = inside.merge(outside, on=["patient_id", "y_true"], suffixes=(" in", " out"))
    y = truth(both)
    made: dict[str, object] = {"patients": len(both), "with it": int(y.sum())}
    for name in sorted(set(inside) & set(outside) - set(KEYS)):
        scores = {side: both[f"{name} {side}"].to_numpy() for side in ("in", "out")}
        loss = delong_paired(y, scores["in"], scores["out"])
        made[name] = {
            "AUC inside": worded(stats.auc(y, scores["in"])),
            "AUC outside": worded(stats.auc(y, scores["out"])),
            "loss": worded(loss, "+.3f"),
            "by make": {
                str(make): f"{stats.auc(truth(part), part[f'{name} out']).value:.2f}"
                for make, part in both.groupby("fold out")
            },
            "calibration": {
                side: {
                    "slope": worded(stats.calibration_slope(y, values), ".2f"),
                    "intercept": worded(stats.calibration_in_the_large(y, values), "+.2f"),
                }
                for side, values in scores.items()
            },
        }
    text = json.dumps(made, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")


def scores_of(run: Path) -> pd.DataFrame:
    """Return one row a patient: identity, fold, truth, and the score of each model."""
    rows = pd.read_csv(run / "predictions.csv", dtype={"patient_id": str})
    rows = rows[(rows["protocol"] == "honest") & (rows["event"] == POSITIVE)]
    rows = rows.drop_duplicates(["model", "patient_id"])
    return rows.pivot_table(index=KEYS, columns="model", values="score").dropna().reset_index()


def truth(table: pd.DataFrame) -> np.ndarray:
    """Return 1 for patients with the outcome, else 0."""
    return (table["y_true"] == POSITIVE).to_numpy(int)


def worded(estimate: stats.Estimate, form: str = ".3f") -> str:
    """Return an estimate with its interval of 95 %."""
    return f"{estimate.value:{form}} ({estimate.low:{form}} to {estimate.high:{form}})"


if __name__ == "__main__":
    main()
