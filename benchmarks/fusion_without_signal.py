"""What stacking makes of pure noise: the mean AUC of fusions of two members, over many cohorts.

Members are penalised logistic regressions, cross-validated; a fusion is a logistic regression on
their out-of-fold log odds: with weights of either sign or none negative, on the members' own folds
or on ten that cut across them (as `cardio fuse`), or on members that are fitted again inside each
fold (nested). Plain code of the principle, without missing modalities; a table of docs/fuse.md.

    python benchmarks/fusion_without_signal.py [--seeds 150] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.special import expit

N_PATIENTS, NEW_FOLDS = 100, 10
CASES = ((2, 3, 0.0), (2, 5, 0.0), (20, 5, 0.0), (2, 5, 0.8))
"""Features of each member, the members' folds, log odds by one of a feature of each."""
WAYS = (
    "each member alone", "weights of either sign, the members' folds",
    "no weight negative, the members' folds", "weights of either sign, folds across",
    "no weight negative, folds across (`cardio fuse`)", "no weight negative, nested",
    "unweighted mean of the log odds",
)  # fmt: skip


def area(score: np.ndarray, y: np.ndarray) -> float:
    """Return the area under the ROC curve."""
    cases, controls = score[y == 1], score[y == 0]
    return float((np.sign(cases[:, None] - controls[None, :]) + 1).mean() / 2)


def fit(x: np.ndarray, y: np.ndarray, ridge: float, *, non_negative: bool = False) -> np.ndarray:
    """Return coefficients, the intercept last; negative ones are left out, the worst first."""
    kept = list(range(x.shape[1]))
    while True:
        design = np.column_stack([x[:, kept], np.ones(len(y))])
        penalty = np.append(np.full(len(kept), ridge), 1e-9)
        beta = np.zeros(design.shape[1])
        for _ in range(25):
            p = expit(design @ beta)
            information = (design * (p * (1 - p) + 1e-9)[:, None]).T @ design + np.diag(penalty)
            step = np.linalg.solve(information, design.T @ (y - p) - penalty * beta)
            beta += np.clip(step, -5, 5)
            if np.abs(step).max() < 1e-6:
                break
        if not non_negative or not kept or beta[:-1].min() >= 0:
            found = np.zeros(x.shape[1] + 1)
            found[[*kept, -1]] = beta
            return found
        kept.pop(int(np.argmin(beta[:-1])))


def folds_of(y: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Return each patient's fold, balanced in the outcome."""
    made = np.empty(len(y), dtype=int)
    for outcome in (0, 1):
        who = rng.permutation(np.flatnonzero(y == outcome))
        made[who] = (np.arange(len(who)) + rng.integers(k)) % k
    return made


def out_of_fold(
    x: np.ndarray, y: np.ndarray, folds: np.ndarray, ridge: float, *, non_negative: bool = False
) -> np.ndarray:
    """Return the log odds of each patient by a model of the other folds."""
    found = np.empty(len(y))
    for fold in np.unique(folds):
        test = folds == fold
        beta = fit(x[~test], y[~test], ridge, non_negative=non_negative)
        found[test] = x[test] @ beta[:-1] + beta[-1]
    return found


def nested(parts: list[np.ndarray], y: np.ndarray, own: np.ndarray, rng: np.random.Generator,
           outer: np.ndarray) -> np.ndarray:  # fmt: skip
    """Return fused log odds whose weights never met a model that knew a tested patient."""
    found = np.empty(len(y))
    for fold in np.unique(own):
        train = own != fold
        inner = folds_of(y[train], len(np.unique(own)), rng)
        scores = np.column_stack([out_of_fold(x[train], y[train], inner, 1.0) for x in parts])
        beta = fit(scores, y[train], 1e-6, non_negative=True)
        found[~train] = outer[~train] @ beta[:-1] + beta[-1]
    return found


def areas(seed: int, n_features: int, k: int, effect: float) -> list[float]:
    """Return the AUC of every way."""
    rng = np.random.default_rng(seed)
    parts = [rng.normal(size=(N_PATIENTS, n_features)) for _ in range(2)]
    share = expit(effect * sum(x[:, 0] for x in parts))
    y = (rng.random(N_PATIENTS) < share).astype(float)
    own, across = folds_of(y, k, rng), folds_of(y, NEW_FOLDS, rng)
    scores = np.column_stack([out_of_fold(x, y, own, 1.0) for x in parts])
    fused = [
        out_of_fold(scores, y, folds, 1e-6, non_negative=sign)
        for folds in (own, across) for sign in (False, True)
    ]  # fmt: skip
    alone = float(np.mean([area(one, y) for one in scores.T]))
    last = [nested(parts, y, own, rng, scores), scores.sum(axis=1)]
    return [alone, *(area(one, y) for one in (*fused, *last))]


def main() -> None:
    """Print the table and store it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=150)
    parser.add_argument("--json", type=Path)
    request = parser.parse_args()
    seeds = range(request.seeds)
    found = [np.array([areas(seed, *case) for seed in seeds]) for case in CASES]
    error = max(float((one.std(axis=0, ddof=1) / np.sqrt(len(one))).max()) for one in found)
    head = [f"{n} features, {k} folds{', signal' if b else ''}" for n, k, b in CASES]
    means = {name: [float(one[:, row].mean()) for one in found] for row, name in enumerate(WAYS)}
    print(f"| mean AUC | {' | '.join(head)} |\n|{'---|' * (len(CASES) + 1)}")
    for name, areas_of in means.items():
        print(f"| {name} | {' | '.join(f'{mean:.3f}' for mean in areas_of)} |")
    print(f"\n{N_PATIENTS} patients, {len(seeds)} seeds; largest standard error {error:.4f}.")
    if request.json is not None:
        stored = {"cohorts": len(seeds), "patients": N_PATIENTS, "error": error, "mean_auc": means}
        request.json.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
