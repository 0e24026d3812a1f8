"""What the explanations are worth: what segments were worth against their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

import cardio_stats as stats
from cardio_core.api import Case, Cohort, DataError, EvaluateBlock, Explanation, Metric, Scope
from cardio_echo_cmr.segments.labels import N_SEGMENTS
from cardio_stats import Estimate

DROP = "drop:"
"""Scores of a drawn case that begin so are of one segment; all tested videos have theirs in its
`tested`, so these are not summed up."""

FEWEST = 5
"""Patients that an interval needs."""


def segment_tables(
    cases: Sequence[Case],
    cohort: Cohort,
    finding: str,
    config: EvaluateBlock,
    seed: int,
    *,
    people: Mapping[str, str] = MappingProxyType({}),
) -> tuple[dict[str, pd.DataFrame], list[Metric], list[str]]:
    """Return what the scores of the explained videos say.

    Parameters
    ----------
    cases : sequence of Case
        Numbers in `scores` are averaged. Their `tested` carries what every segment of
        every tested video was worth, by method.
    cohort : Cohort
        Its table labels the segments: ``FINDING_seg_NN``.
    finding : str
        ``wma``, ``lge``, or another finding, whose segments nobody labelled.
    config : EvaluateBlock
    seed : int
    people : mapping of str to str
        The person behind a patient id, where it is another: intervals are clustered by person.

    Returns
    -------
    dict of str to DataFrame
        ``segments``: of each model and method the area under the curve of all segments of all
        videos against their labels (interval of `auc`, clustered by patient), and the mean of the
        areas within videos that have segments of both kinds. Only the latter shows where a network
        looked: the former is also good where it is surer of sick patients.
        ``explanation-scores``: means of the other scores.
    list of Metric
    list of str
    """
    tables: dict[str, pd.DataFrame] = {}
    metrics: list[Metric] = []
    notes: list[str] = []
    rows = []
    known = _by_person(labelled_segments(cases, cohort, finding), people)
    for (model, method), own in known.groupby(["model", "method"], sort=False):
        row, found, said = _areas(own, f"{method} of {model}", config, seed)
        rows.append({"model": model, "method": method} | row)
        scope = Scope(task=finding, model=str(model), subgroup=f"segments, {method}")
        metrics += [Metric(one, scope) for one in found]
        notes += said
    if rows:
        tables["segments"] = pd.DataFrame(rows)
    scores = _by_person(explained_scores(cases, cohort), people)
    scores = scores[~scores["score"].str.startswith(DROP)]
    table, by_model, said = score_summary(scores, config, seed)
    notes += said
    if len(table):
        tables["explanation-scores"] = table
    metrics += [
        Metric(one, Scope(task=finding, model=model)) for model, own in by_model.items()
        for one in own
    ]  # fmt: skip
    return tables, metrics, notes


def _by_person(rows: pd.DataFrame, people: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows with persons for patient ids: one person's loops are no independent ones."""
    patients = rows["patient_id"].astype(str)
    return rows.assign(patient_id=patients.map(people).fillna(patients))


def explained_scores(cases: Sequence[Case], cohort: Cohort) -> pd.DataFrame:
    """Return the finite scores of all explained loops, one row a model, loop and score.

    Returns
    -------
    DataFrame
        Columns model, sample_id, study_id, patient_id, score, value.
    """
    table = cohort.samples.table
    ids = ["study_id", "patient_id"]
    by_loop = table.drop_duplicates("recording_id").set_index("recording_id")[ids]
    by_study = table.drop_duplicates("study_id").set_index("study_id", drop=False)[ids]
    rows = []
    for case in cases:
        loop = case.sample_id.partition("#")[0]
        known = by_loop if loop in by_loop.index else by_study
        if loop not in known.index:
            continue
        study, patient = known.loc[loop]
        rows += [
            (case.model, case.sample_id, str(study), str(patient), name, float(value))
            for name, value in case.scores.items()
            if np.isfinite(value)
        ]
    return pd.DataFrame(
        rows, columns=["model", "sample_id", "study_id", "patient_id", "score", "value"]
    )


def labelled_segments(cases: Sequence[Case], cohort: Cohort, finding: str) -> pd.DataFrame:
    """Return what every segment of every tested video was worth, where its label is known.

    A segment that several folds or several random networks were asked about has the mean.

    Returns
    -------
    DataFrame
        Columns model, method, sample_id, study_id, patient_id, segment, value, y (0, 1).
    """
    keys = ["model", "method", "sample_id", "study_id", "patient_id", "segment"]
    worth = Explanation(cases).tested()
    if cohort.table is None or worth.empty:
        return pd.DataFrame(columns=[*keys, "value", "y"])
    worth = worth.dropna(subset=["value"]).groupby(keys, sort=False)["value"].mean().reset_index()
    named = {f"{finding}_seg_{number:02d}": number for number in range(1, N_SEGMENTS + 1)}
    labels = cohort.table[~cohort.table.index.duplicated()].reindex(columns=list(named))
    long = labels.rename(columns=named).rename_axis("study_id").reset_index()
    long = long.melt("study_id", var_name="segment", value_name="y").dropna(subset=["y"])
    of = long.astype({"study_id": str, "segment": int, "y": int})
    return worth.merge(of, on=["study_id", "segment"], how="inner")


def _areas(
    own: pd.DataFrame, what: str, config: EvaluateBlock, seed: int
) -> tuple[dict[str, Any], list[Estimate], list[str]]:
    by_video = [
        (video["patient_id"].iloc[0], _share_of_pairs(video))
        for _, video in own.groupby("sample_id", sort=False)
        if video["y"].nunique() == 2
    ]
    row: dict[str, Any] = {
        "n_videos": own["sample_id"].nunique(), "n_patients": own["patient_id"].nunique(),
        "n_segments": len(own), "n_abnormal": int(own["y"].sum()),
    }  # fmt: skip
    found: list[Estimate] = []
    notes: list[str] = []
    try:
        pooled = stats.auc(
            own["y"], own["value"], patient=own["patient_id"], level=config.level
        ).replace(name="segment_auc")
        found.append(pooled)
        row |= {"auc": pooled.value, "low": pooled.low, "high": pooled.high}
    except DataError as error:
        notes.append(f"Segments, {what}: no area over all of them. {error}")
    if by_video:
        areas = pd.DataFrame(by_video, columns=["patient_id", "value"])
        mean = mean_score(areas, "segment_auc_within_videos", config, seed)
        found.append(mean)
        row |= {"within_videos": mean.value, "within_low": mean.low, "within_high": mean.high,
                "n_videos_of_both": len(areas)}  # fmt: skip
    return row, found, notes


def _share_of_pairs(video: pd.DataFrame) -> float:
    """Return the area within one video, which DeLong's variance needs more segments for."""
    value, y = video["value"].to_numpy(float), video["y"].to_numpy(int)
    apart = value[y == 1][:, None] - value[y == 0]
    return float(np.mean((apart > 0) + 0.5 * (apart == 0)))


def score_summary(
    scores: pd.DataFrame, config: EvaluateBlock, seed: int
) -> tuple[pd.DataFrame, dict[str, list[Estimate]], list[str]]:
    """Return the mean of each score over loops, with an interval that draws patients.

    Returns
    -------
    DataFrame
        Columns model, score, n, n_patients, mean, low, high, median; no limits with fewer than
        five patients.
    dict of str to list of Estimate
        By model.
    list of str
    """
    rows: list[dict[str, Any]] = []
    estimates: dict[str, list[Estimate]] = {}
    notes: list[str] = []
    for (model, name), own in scores.groupby(["model", "score"], sort=False):
        try:
            found = mean_score(own, str(name), config, seed)
        except DataError as error:
            notes.append(f"{name} of {model}: not computed. {error}")
            continue
        estimates.setdefault(str(model), []).append(found)
        rows.append(
            {"model": model, "score": name, "n": len(own), "n_patients": found.n_patients,
             "mean": found.value, "low": found.low, "high": found.high,
             "median": float(own["value"].median())}
        )  # fmt: skip
    return pd.DataFrame(rows), estimates, notes


def mean_score(own: pd.DataFrame, name: str, config: EvaluateBlock, seed: int) -> Estimate:
    """Return the mean of column `value`; patients are drawn for its interval, if there are five."""
    values = own["value"].to_numpy(float)
    n_patients = int(own["patient_id"].nunique())
    if n_patients < FEWEST:
        return Estimate(
            name, float(values.mean()), method="mean", n=len(values), unit="recording",
            n_patients=n_patients, note="fewer than five patients: no interval",
        )  # fmt: skip
    drawn: list[Estimate] = stats.bootstrap_sums(
        np.column_stack([np.ones_like(values), values]),
        lambda sums: sums[..., 1:] / sums[..., :1],
        (name,),
        patient=own["patient_id"].to_numpy(str), n_resamples=config.n_resamples, seed=seed,
        level=config.level,
    )  # fmt: skip
    return drawn[0]
