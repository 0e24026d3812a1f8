"""Fit the weights of the QRS limits to the human marks of one half of LUDB.

    python benchmarks/ecg_limits_fit.py --data $CARDIO_DATA/ludb > limits.json

Logistic regressions of "within the QRS" on the features of `delineation/qrs.py`, for the
onset and the end, all leads together and lead by lead, on the records with an odd number. The other
half is only ever looked at by `benchmarks/ecg_limits.py`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from ecg_ludb import LEADS, beat_and_marks
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cardio_ecg_transfer.signal.delineation.qrs import features, lead_slopes

REACH_MS = {"ONSET": -200.0, "END": 230.0}
STEP_MS = 4.0
STRENGTH = 0.1  # of the regressions; chosen by ten-fold cross-validation within the odd records


def examples(
    folder: Path, side: str, rate_hz: float
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Features and labels of the tuning half: of all leads together, and of each lead."""
    column = {"ONSET": 0, "END": 2}[side]
    at_ms = np.arange(0.0, REACH_MS[side], np.sign(REACH_MS[side]) * STEP_MS)
    rows, inside, lead_rows, lead_inside = [], [], [], []
    for record in range(1, 101, 2):
        beat, marks = beat_and_marks(folder, record, rate_hz)
        slopes = lead_slopes(beat)
        common = lead_slopes(beat, from_st=side == "END")
        limit = np.nanmedian(np.nanmedian(marks[:, :, column], axis=1))
        rows.append(features(common, beat.time_ms, at_ms))
        inside.append(np.abs(at_ms) <= abs(limit))
        own = np.nanmedian(marks[:, :, column], axis=0)
        for lead in range(len(LEADS)):
            if np.isfinite(own[lead]) and own[lead] * REACH_MS[side] > 0:
                lead_rows.append(features(slopes[:, [lead]], beat.time_ms, at_ms))
                lead_inside.append(np.abs(at_ms) <= abs(own[lead]))
    return rows, inside, lead_rows, lead_inside


def weights(rows: list[np.ndarray], inside: list[np.ndarray]) -> np.ndarray:
    """Intercept and weights in the features' own units."""
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=2000)).fit(
        np.concatenate(rows), np.concatenate(inside)
    )
    scaler, last = fitted[0], fitted[1]
    slope = last.coef_[0] / scaler.scale_
    return np.concatenate([[last.intercept_[0] - (slope * scaler.mean_).sum()], slope])


def main() -> None:
    """Print the weights, the intercept first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of LUDB")
    chosen = parser.parse_args()
    made: dict[str, list[float]] = {}
    for side in REACH_MS:
        drawn = [examples(chosen.data, side, rate_hz) for rate_hz in (360.0, 500.0)]
        for name, place in (("all leads", 0), ("one lead", 2)):
            rows = [one for part in drawn for one in part[place]]
            inside = [one for part in drawn for one in part[place + 1]]
            made[f"{name}, {side.lower()}"] = [round(float(w), 4) for w in weights(rows, inside)]
    print(json.dumps(made))


if __name__ == "__main__":
    main()
