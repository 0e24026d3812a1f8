"""What was mended, before beside after: both ways in turn in one process, processor time.

    python benchmarks/mended.py --pairs 7

Optimism: Harrell's bootstrap of a ridge regression, 200 resamples of 76 patients and 6 columns, as
it was (a table and a solver of scikit-learn for each resample) and as it is (all resamples at once
by Newton's method); and of the published procedure, which chooses the best of 64 codes anew in
every resample.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from speed.origin import ROOT, origin

from cardio_spect_polar.response.config import RegressionBlock
from cardio_spect_polar.response.fitting import fit_regression
from cardio_spect_polar.response.paper_tables import NEARLY_UNPENALISED, best_code_model
from cardio_stats import optimism_bootstrap

RESULT = ROOT / "benchmarks" / "results" / "mends.json"
N_FIXED = 6
Fit = Callable[[Any, Any], Callable[[Any], Any]]


def one_by_one(strength: float, choose: Callable[[Any, Any], list[int]]) -> Fit:
    """Return the fit as it was: a table of the chosen columns, and scikit-learn's solver."""

    def fit(features: np.ndarray, outcome: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        chosen = choose(features, outcome)
        names = [str(i) for i in chosen]
        settings = RegressionBlock(method="ridge", ridge_c=strength)
        model = fit_regression(pd.DataFrame(features[:, chosen], columns=names), outcome, settings)
        return lambda new: model.probabilities(pd.DataFrame(new[:, chosen], columns=names))

    return fit


def best_code(features: np.ndarray, outcome: np.ndarray) -> list[int]:
    """Return the fixed columns and the code with the largest correlation."""
    centred = features[:, N_FIXED:] - features[:, N_FIXED:].mean(axis=0)
    r = np.abs((outcome - outcome.mean()) @ centred) / np.sqrt((centred**2).sum(axis=0))
    return [*range(N_FIXED), N_FIXED + int(r.argmax())]


def pair(
    what: str, before: Callable[[], Any], after: Callable[[], Any], pairs: int
) -> dict[str, Any]:
    """Time both in turn and return seconds, ratios, and how far the corrected AUCs lie apart."""
    found = {"before": before(), "after": after()}
    taken: dict[str, list[float]] = {"before": [], "after": []}
    for _ in range(pairs):
        for name, way in (("before", before), ("after", after)):
            begun = time.process_time()
            way()
            taken[name].append(time.process_time() - begun)
    ratios = [a / b for a, b in zip(taken["before"], taken["after"], strict=True)]
    return {
        "what": what,
        "pairs": pairs,
        "before_s": round(statistics.median(taken["before"]), 3),
        "after_s": round(statistics.median(taken["after"]), 4),
        "ratio": {
            "median": round(statistics.median(ratios), 2),
            "low": round(min(ratios), 2),
            "high": round(max(ratios), 2),
        },
        "difference": float(f"{abs(found['before'].value - found['after'].value):.2g}"),
    }


def main() -> None:
    """Time all pairs and store them."""
    from cardio_stats import RidgeLogistic

    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--json", type=Path, default=RESULT)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(76, N_FIXED + 64))
    y = (x[:, 0] + 1.5 * rng.normal(size=76) > 0) * 1.0
    strength = RegressionBlock().ridge_c

    def bootstrap(features: np.ndarray, fit: Any) -> Callable[[], Any]:
        return lambda: optimism_bootstrap(features, y, fit, n_resamples=200, seed=1)

    fixed = x[:, :N_FIXED]
    found = [
        pair(
            "optimism bootstrap of a ridge regression",
            bootstrap(fixed, one_by_one(strength, lambda features, _: [*range(N_FIXED)])),
            bootstrap(fixed, RidgeLogistic(strength)),
            asked.pairs,
        ),
        pair(
            "optimism bootstrap with the choice of a code",
            bootstrap(x, one_by_one(NEARLY_UNPENALISED, best_code)),
            bootstrap(x, best_code_model(N_FIXED)),
            asked.pairs,
        ),
    ]
    content = origin(f"python benchmarks/mended.py {' '.join(sys.argv[1:])}") | {"mends": found}
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    for one in found:
        print(f"{one['what']}: {one['before_s']} s, now {one['after_s']} s, {one['ratio']}")


if __name__ == "__main__":
    main()
