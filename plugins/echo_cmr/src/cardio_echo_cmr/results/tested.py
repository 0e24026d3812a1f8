"""Tested studies and tested videos: one row each and model, beside the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from cardio_core.api import Cohort, Scored, Target

VIDEO = "video:"
"""Named columns of the predictions which begin so hold the score of a video for a target."""


def study_rows(predictions: Scored, target: Target) -> pd.DataFrame:
    """Return one row a model and tested unit whose truth is known and which the model scored.

    Parameters
    ----------
    predictions : Scored
        Out-of-fold predictions.
    target : Target
        Binary or continuous.

    Returns
    -------
    DataFrame
        Columns model, unit_id, study_id, patient_id, subject_id, y and score: 0 or 1 and a
        probability, or two numbers in the target's unit. Scores are averaged over repeats.
    """
    frame = predictions.frames[target.name]
    known = frame[frame["y_true"].notna() & frame["unit_id"].notna()]
    binary = target.kind == "binary"
    truth = known["y_true"]
    ids = ["model", "unit_id", "study_id", "patient_id", "subject_id"]
    rows = known[ids].astype(str).assign(
        y=(truth == target.classes[1]).astype(int) if binary else truth.astype(float),
        score=known[f"score:{target.classes[1]}" if binary else "score"].astype(float),
    )  # fmt: skip
    return _averaged(rows.dropna(subset=["score"]))


def video_rows(
    predictions: Scored, target: Target, cohort: Cohort, studies: pd.DataFrame
) -> pd.DataFrame:
    """Return one row a model and video, with the truth of the video's study.

    This is how per-view areas were published: every clip counts, and clips of one patient share a
    label.

    Parameters
    ----------
    predictions : Scored
        Whose columns may hold ``video:TARGET``, the probability of every video.
    target : Target
        Binary.
    cohort : Cohort
        Names the study of every recording.
    studies : DataFrame
        As of :func:`study_rows`; videos of other studies are left out.

    Returns
    -------
    DataFrame
        The same columns; empty where the predictions carry no scores of videos.
    """
    columns, name = predictions.columns, VIDEO + target.name
    if columns is None or name not in columns.columns:
        return studies.iloc[:0]
    given = columns[["unit_id", "model", name]].dropna(subset=[name])
    of = cohort.samples.table.set_index("recording_id")["study_id"].astype(str)
    videos = given.assign(
        study_id=given["unit_id"].astype(str).str.partition("#")[0].map(of),
        score=given[name].astype(float),
    )
    truth = studies.drop(columns=["unit_id", "score"])
    rows = videos[["model", "unit_id", "study_id", "score"]].merge(
        truth, on=["model", "study_id"], how="inner"
    )
    return _averaged(rows[list(studies.columns)])


def _averaged(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each unit once a model, its scores averaged over repeats."""
    by = rows.groupby(["model", "unit_id"], sort=False)
    rest = {name: "first" for name in rows.columns if name not in ("model", "unit_id", "score")}
    found = by.agg({**rest, "score": "mean"}).reset_index()
    return found[list(rows.columns)]


def clusters_of(rows: pd.DataFrame) -> pd.Series[str] | None:
    """Return the person behind each row where somebody has several rows, else None."""
    return rows["subject_id"] if rows["subject_id"].duplicated().any() else None
