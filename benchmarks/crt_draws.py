"""What pretraining is worth in a small cohort: pretrained beside scratch, over draws of patients.

Draws cohorts of a published size (46 patients with the outcome and 25 without) from a PTB-XL
folder, runs the honest protocol on each, and reports the difference of the areas out of fold.

    python benchmarks/crt_draws.py --data PTBXL --from RUN --draws 10 --json draws.json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.runner.request import RunRequest
from cardio_core.runner.run import run

ROWS = ("pretrained", "scratch")
LEVEL = 0.95


def main() -> None:
    """Run the draws and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a PTB-XL folder")
    parser.add_argument("--label", default="CD", help="diagnostic superclass that stands in")
    parser.add_argument("--draw", default="46+25", help="patients with and without the outcome")
    parser.add_argument("--draws", type=int, default=10, help="how many")
    parser.add_argument("--from", dest="earlier", type=Path, help="a finished run of aami_beats")
    parser.add_argument("--config", default="cpu")
    parser.add_argument("--set", dest="sets", action="append", default=[])
    parser.add_argument("--executor", default="local")
    parser.add_argument("--json", type=Path, help="where to keep every score")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scores = [one_draw(asked, seed, Path(folder)) for seed in range(asked.draws)]
    result = summary(scores)
    for row in result["draws"]:
        print(f"draw {row['draw']}: " + ", ".join(f"{k} {row[k]:.3f}" for k in (*ROWS, "gain")))
    print(
        f"pretrained - scratch: {result['gain']:+.3f} "
        f"({result['low']:+.3f} to {result['high']:+.3f}; {LEVEL:.0%} interval, bootstrap of draws "
        "and patients)"
    )
    if asked.json:
        kept = {"arguments": {k: str(v) for k, v in vars(asked).items()}, **result}
        asked.json.write_text(json.dumps(kept, indent=1) + "\n")


def one_draw(asked: argparse.Namespace, seed: int, folder: Path) -> pd.DataFrame:
    """Run one draw and return its patients with truth and both scores."""
    out = run(
        RunRequest(
            plugin="ecg_transfer",
            task="crt_response",
            data=(asked.data,),
            config=asked.config,
            sets=(
                f"load.label={asked.label}", f"load.draw={asked.draw}",
                f"models=[{','.join(ROWS)}]", "inner.k=0", "protocols.honest.decision=fixed",
                "explain.n_cases=0", "evaluate.n_resamples=200", *asked.sets,
            ),
            needs_from={"aami_beats": asked.earlier} if asked.earlier else {},
            protocol="honest",
            seed=seed,
            device="cpu",
            executor=asked.executor,
            out=folder / f"draw-{seed}",
        ),
        lambda line: print(f"  {line.strip()}", file=sys.stderr),
    )  # fmt: skip
    table = pd.read_csv(out / "predictions.csv", dtype={"patient_id": str})
    scores = table.pivot_table(index="patient_id", columns="model", values="score")[list(ROWS)]
    truth = table.drop_duplicates("patient_id").set_index("patient_id")["y_true"]
    return scores.assign(draw=seed, y=(truth == "yes").astype(int))


def summary(scores: list[pd.DataFrame], n_resamples: int = 2000, seed: int = 0) -> dict[str, Any]:
    """Return the gain of each draw, its mean, and an interval over draws and patients.

    The draws overlap in patients, so patients are resampled once for all draws (a patient counts as
    often in every draw that holds him), and the draws are resampled beside them.
    """
    everyone = sorted({name for table in scores for name in table.index})
    weights_of_all = np.ones(len(everyone))
    places = [pd.Index(everyone).get_indexer(table.index) for table in scores]

    def gain(table: pd.DataFrame, weights: np.ndarray) -> float:
        first, second = (weighted_auc(table["y"], table[row], weights) for row in ROWS)
        return first - second

    rng = np.random.default_rng(seed)
    replicates = []
    while len(replicates) < n_resamples:
        weights = rng.multinomial(len(everyone), np.full(len(everyone), 1 / len(everyone)))
        chosen = rng.integers(len(scores), size=len(scores))
        gains = [gain(scores[i], weights[places[i]].astype(float)) for i in chosen]
        # A replicate without a case or without a control in some draw is drawn again.
        if np.isfinite(gains).all():
            replicates.append(float(np.mean(gains)))
    low, high = np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    draws = [
        {
            "draw": number,
            "n": len(table),
            **{row: weighted_auc(table["y"], table[row], weights_of_all[p]) for row in ROWS},
            "gain": gain(table, weights_of_all[p]),
        }
        for number, (table, p) in enumerate(zip(scores, places, strict=True))
    ]
    mean = float(np.mean([row["gain"] for row in draws]))
    return {"gain": mean, "low": float(low), "high": float(high), "draws": draws}


def weighted_auc(y: pd.Series, score: pd.Series, weights: np.ndarray) -> float:
    """Return the area where each patient counts `weights` times."""
    case, control = (y == 1).to_numpy(), (y == 0).to_numpy()
    values = score.to_numpy(float)
    above = values[case, None] - values[None, control]
    wins = np.where(above > 0, 1.0, np.where(above == 0, 0.5, 0.0))
    pairs = weights[case, None] * weights[None, control]
    total = pairs.sum()
    return float((wins * pairs).sum() / total) if total > 0 else float("nan")


if __name__ == "__main__":
    main()
