"""What models of `crt_response` lose on a make of cart that was left out of training.

Takes two finished runs on the same patients, one on random folds and one on sites.

python benchmarks/ecg_carts.py INSIDE OUTSIDE
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from cardio_ecg_transfer.response.models import CRT_RESPONSE
from cardio_stats.auc_covariance import delong_paired
from cardio_stats.roc_curves import auc

POSITIVE = CRT_RESPONSE.targets[0].classes[1]
KEYS = ["patient_id", "fold", "y_true"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs=2, help="random folds, then sites left out")
    inside, outside = map(scores_of, parser.parse_args().runs)
    both = inside.merge(outside, on=["patient_id", "y_true"], suffixes=(" in", " out"))
    y = _truth(both)
    print("| model | inside | outside | loss, paired DeLong | each site, inside → left out |")
    print("|---|---:|---:|---|---|")
    for name in sorted(set(inside) & set(outside) - set(KEYS)):
        d = delong_paired(y, both[f"{name} in"], both[f"{name} out"])
        areas = ", ".join(
            " → ".join(f"{auc(_truth(part), part[f'{name} {side}']).value:.2f}"
                       for side in ("in", "out"))
            for _, part in both.groupby("fold out")
        )  # fmt: skip
        print(
            f"| `{name}` | {d.extra['auc_a']:.3f} | {d.extra['auc_b']:.3f} |"
            f" {d.value:+.3f} ({d.low:+.3f} to {d.high:+.3f}) | {areas} |"
        )


def scores_of(run: Path) -> pd.DataFrame:
    """Return one row a patient: identity, fold, truth, and the score of each model."""
    rows = pd.read_csv(run / "predictions.csv", dtype={"patient_id": str})
    rows = rows[(rows["protocol"] == "honest") & (rows["event"] == POSITIVE)]
    rows = rows.drop_duplicates(["model", "patient_id"])
    return rows.pivot_table(index=KEYS, columns="model", values="score").dropna().reset_index()


def _truth(table: pd.DataFrame) -> np.ndarray:
    return (table["y_true"] == POSITIVE).to_numpy(int)


if __name__ == "__main__":
    main()
