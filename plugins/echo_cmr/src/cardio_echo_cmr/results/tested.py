"""Tested videos: one row each and model, beside the truth of their study."""

from __future__ import annotations

import pandas as pd

from cardio_core.api import Cohort, Scored, Target

VIDEO = "video:"
"""Named columns of the predictions which begin so hold the score of a video for a target."""


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
        As of `Scored.tested`; videos of other studies are left out.

    Returns
    -------
    DataFrame
        The same columns, less what was decided; empty where the predictions carry no scores of
        videos.
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
    kept = [column for column in studies.columns if column != "decided"]
    rows["score"] = rows.groupby(["model", "unit_id"], sort=False)["score"].transform("mean")
    return rows.drop_duplicates(["model", "unit_id"])[kept].reset_index(drop=True)
