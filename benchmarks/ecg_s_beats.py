"""Supraventricular and ventricular beats by record, with and without one, of a kept run.

    python benchmarks/ecg_s_beats.py docs/results/runs/mitdb_evidence.json --without 232

The counts are those of the run's table by recording; intervals resample records (percentiles of
10,000 draws), so that one record's beats stay together.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

TABLE = "honest-by-recording-evidence"
N_DRAWS, SEED = 10_000, 0


def rate(found: np.ndarray, of: np.ndarray) -> str:
    """Return a ratio of sums with its interval of 95 % over records."""
    rng = np.random.default_rng(SEED)
    drawn = rng.integers(len(of), size=(N_DRAWS, len(of)))
    sums = of[drawn].sum(axis=1)
    ratios = found[drawn].sum(axis=1)[sums > 0] / sums[sums > 0]
    low, high = np.quantile(ratios, (0.025, 0.975))
    return f"{found.sum() / of.sum():.3f} ({low:.3f} to {high:.3f})"


def rates(rows: list[dict[str, str]], name: str, records: list[str]) -> dict[str, str]:
    """Return how many beats of a class there are, and which share is found and right."""
    counts = {row["recording_id"]: row for row in rows if row["class"] == name}
    true, right, false = (
        np.array([int(counts[r][key]) if r in counts else 0 for r in records])
        for key in ("n_true", "n_right", "n_false")
    )
    return {
        "beats": f"{true.sum():,}", "found": f"{right.sum():,}", "false": f"{false.sum():,}",
        "Se": rate(right, true), "+P": rate(right, right + false),
    }  # fmt: skip


def main() -> None:
    """Print, or write, the rates with and without a record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="JSON that benchmarks/keep_run.py wrote")
    parser.add_argument("--without", required=True, help="record to leave out")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = json.loads(given.run.read_text(encoding="utf-8"))["tables"][TABLE]
    records = sorted({row["recording_id"] for row in rows})
    others = [record for record in records if record != given.without]
    made = {
        name: {
            "all": rates(rows, name, records),
            f"without {given.without}": rates(rows, name, others),
            "by record": {
                row["recording_id"]: [row["n_true"], row["n_right"], row["n_false"]]
                for row in sorted(rows, key=lambda row: -int(row["n_true"]))
                if row["class"] == name
            },
        }
        for name in ("S", "V")
    }
    text = json.dumps(made, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
