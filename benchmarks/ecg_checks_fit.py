"""Fit what tells exchanged leads from leads in their places, on one half of PTB-XL's patients.

    python benchmarks/ecg_checks_fit.py --data $CARDIO_DATA/ptbxl > exchanges.json

Every ECG of the tuning half is exchanged in every way; a conditional logistic regression learns the
score by which the true order stands out. Five-fold cross-validation within the half (printed on the
error stream) chose its penalty and the thresholds of `exchanges.py`. The other half is looked at by
`benchmarks/ecg_checks.py` alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat, median_beat
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.filters import high_pass
from cardio_ecg_transfer.signal.leads.exchanges import Shown, features, mistakes, shown
from cardio_ecg_transfer.signal.leads.names import derive_limb_leads
from cardio_ecg_transfer.signal.rpeaks import detect_r_peaks
from cardio_ecg_transfer.synthetic.patient import PatientSpec, draw_anatomy
from cardio_ecg_transfer.synthetic.simulation import simulate

PENALTY = 3.0
EXCHANGED = (272, 328, 392)
"""ECGs of the tuning half that are exchanged in the database itself, by a reader's eye: S waves
that are gone in V4 and there in V6 (272), gone in V5 and there in V6 (328, 392)."""

N_PACED = 20
"""Synthetic paced ECGs beside them: the half has no paced one, whose axis is no exchange."""


def halves(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the recordings of the tuning and of the reporting half, split by patient."""
    table = pd.read_csv(folder / "ptbxl_database.csv").sort_values("ecg_id")
    tuning = set(sorted(table["patient_id"].unique())[::2])
    of_tuning = table["patient_id"].isin(tuning)
    return table[of_tuning], table[~of_tuning]


def beat_of(ecg: Ecg) -> MedianBeat:
    """Return the median beat of a recording, as it is measured."""
    peaks = detect_r_peaks(ecg.signal_mv, ecg.rate_hz)
    filtered = high_pass(ecg.signal_mv, ecg.rate_hz)
    return median_beat(filtered, ecg.rate_hz, peaks.samples, ecg.leads)


def paced(seed: int) -> MedianBeat:
    """Return the median beat of a synthetic paced patient."""
    anatomy = draw_anatomy(np.random.default_rng(seed))
    ecg, _ = simulate(PatientSpec("paced", anatomy=anatomy), 10.0, 500.0, seed)
    return beat_of(derive_limb_leads(ecg))


def ready(beat: MedianBeat) -> Shown:
    """Return the eight leads on their grid."""
    return shown(beat)


def foretelling(ready_ones: list[Shown]) -> np.ndarray:
    """Fit each lead from others, wave by wave: a limb lead from the chest's alone."""
    fitted = []
    for wave in range(3):
        together = np.zeros((8, 8))
        for one in ready_ones:
            part = one.leads_mv[:, one.waves[wave]]
            together += part @ part.T / part.shape[1] / ((part**2).mean() + 1e-6)
        together /= len(ready_ones)
        together += 0.01 * np.trace(together) / 8 * np.eye(8)
        weights = np.zeros((8, 8))
        for lead in range(8):
            others = [i for i in range(8) if i != lead] if lead > 1 else list(range(2, 8))
            within = together[np.ix_(others, others)]
            weights[lead, others] = np.linalg.solve(within, together[others, lead])
        fitted.append(weights)
    return np.round(np.stack(fitted), 4)


def described(one: Shown, foretold: np.ndarray) -> np.ndarray:
    """Features of a beat as it is and exchanged in every way, shape (n_ways, n_features)."""
    ways = np.stack([np.eye(8), *(mistake.made for mistake in mistakes())])
    return features(ways @ one.leads_mv, one, foretold)


def score_weights(rows: np.ndarray) -> np.ndarray:
    """Fit the score: of shape (n_beats, n_ways, n_features) the first way is the true one."""
    spread = rows.std((0, 1)) + 1e-6
    scaled = rows / spread

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        score = scaled @ weights
        score -= score.max(axis=1, keepdims=True)
        share = np.exp(score)
        total = share.sum(axis=1, keepdims=True)
        slope = np.einsum("bw,bwf->f", share / total, scaled) - scaled[:, 0].sum(axis=0)
        value = -(score[:, 0] - np.log(total[:, 0])).sum() + PENALTY * (weights @ weights)
        return float(value), slope + 2 * PENALTY * weights

    start = np.zeros(rows.shape[2])
    return minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000}).x / spread


def cross_validated(real: list[Shown], people: np.ndarray, more: list[Shown]) -> None:
    """Print what five folds by patient find and accuse, at several thresholds."""
    scores = np.zeros((len(real), 1 + len(mistakes())))
    for fold in range(5):
        training = [one for one, who in zip(real, people, strict=True) if who % 5 != fold] + more
        foretold = foretelling(training)
        weights = score_weights(np.stack([described(one, foretold) for one in training]))
        for i in np.flatnonzero(people % 5 == fold):
            scores[i] = described(real[i], foretold) @ weights
    best = scores.max(axis=1, keepdims=True)
    for least in (1.0, 2.0, 2.2, 3.0, 4.0, 5.0):
        over = best - scores > least
        print(f"log odds of {least}: accused {over[:, 0].sum()} of {len(real)}", file=sys.stderr)
        for mistake, found in zip(mistakes(), over[:, 1:].mean(axis=0), strict=True):
            print(f"    {found:.3f} {mistake.text}", file=sys.stderr)


def main() -> None:
    """Fit, and print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    folder = parser.parse_args().data
    tuning, _ = halves(folder)
    tuning = tuning[~tuning["ecg_id"].isin(EXCHANGED)]
    real = []
    for name in tuning["filename_hr"]:
        ecg = read_ecg(folder / f"{name}.hea")
        real.append(ready(beat_of(replace(ecg, flags=()))))
    more = [ready(paced(1000 + seed)) for seed in range(N_PACED)]
    people = pd.factorize(tuning["patient_id"])[0]
    cross_validated(real, people, more)
    foretold = foretelling(real)
    weights = score_weights(np.stack([described(one, foretold) for one in [*real, *more]]))
    print(json.dumps({"foretold": foretold.tolist(), "weights": np.round(weights, 4).tolist()}))


if __name__ == "__main__":
    main()
