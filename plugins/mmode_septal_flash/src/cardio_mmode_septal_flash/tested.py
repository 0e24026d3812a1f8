"""Tested studies: one row a study and model, with what was decided and what was true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardio_core.api import Case, Cohort, Scored, Target

OUTCOMES = ("true positive", "false positive", "true negative", "false negative")
NOT_JUDGED = "not judged"


def judged_studies(predictions: Scored, target: Target) -> pd.DataFrame:
    """Return one row a model and study whose label is known.

    Over repeats the probability is averaged, and decided is what was decided most often.

    Returns
    -------
    DataFrame
        Columns model, study_id, subject_id, y (0, 1), score, decided (0, 1) and outcome, one of
        `OUTCOMES`.
    """
    frame = predictions.frames[target.name]
    positive = target.classes[1]
    known = frame[frame["y_true"].notna() & frame["unit_id"].notna()]
    rows = pd.DataFrame(
        {
            "model": known["model"].astype(str),
            "study_id": known["unit_id"].astype(str),
            "subject_id": known["subject_id"].astype(str),
            "y": (known["y_true"] == positive).astype(int),
            "score": known[f"score:{positive}"].astype(float),
            "decided": (known["predicted"] == positive).astype(float),
        }
    )
    by = rows.groupby(["model", "study_id"], sort=False)
    pooled = by.agg({"subject_id": "first", "y": "first", "score": "mean", "decided": "mean"})
    pooled["decided"] = (pooled["decided"] > 0.5).astype(int)
    pooled["outcome"] = [
        f"{'true' if y == decided else 'false'} {'positive' if decided else 'negative'}"
        for y, decided in zip(pooled["y"], pooled["decided"], strict=True)
    ]
    return pooled.reset_index()


def unjudged_studies(cases: Sequence[Case]) -> set[str]:
    """Return the studies of explained folds that carry a flag of no verdict."""
    rows = (row for case in cases for row in getattr(case, "studies", ()))
    return {str(row["study_id"]) for row in rows if not row["judged"]}


def timepoints_of(cohort: Cohort) -> pd.Series[str]:
    """Return the timepoint of every study that has one, by study_id."""
    table = cohort.samples.table
    if "timepoint" not in table.columns:
        return pd.Series(dtype=str)
    by_study = table.drop_duplicates("study_id").set_index("study_id")["timepoint"].dropna()
    return by_study.astype(str)
