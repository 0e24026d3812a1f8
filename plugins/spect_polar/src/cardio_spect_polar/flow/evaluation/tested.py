"""Tested patients of one model and factor: one line a patient, with label and probability."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cardio_core.api import Scored, Target


def tested_patients(predictions: Scored, target: Target, model: str) -> pd.DataFrame:
    """Return columns y (1, 0), score, predicted (1, 0) and subject_id, indexed by patient.

    Out-of-fold probabilities are averaged over repeats, so that a patient counts once; decided
    classes by majority, a tie counting as the negative class.
    """
    frame = predictions.frames[target.name]
    rows = frame[(frame["model"] == model) & frame["y_true"].notna()]
    positive = target.classes[1]
    plain = pd.DataFrame(
        {
            "patient_id": rows["patient_id"].astype(str),
            "subject_id": rows["subject_id"].astype(str),
            "y": (rows["y_true"] == positive).astype(int),
            "score": rows[f"score:{positive}"].astype(float),
            "predicted": (rows["predicted"] == positive).astype(float),
        }
    )
    once = plain.groupby("patient_id", sort=True).agg(
        {"subject_id": "first", "y": "first", "score": "mean", "predicted": "mean"}
    )
    return once.assign(predicted=(once["predicted"] > 0.5).astype(int))


def clusters_of(tested: pd.DataFrame) -> np.ndarray | None:
    """Return the person of each patient where one person has several ids, else None."""
    subjects = tested["subject_id"]
    return subjects.to_numpy() if subjects.duplicated().any() else None
