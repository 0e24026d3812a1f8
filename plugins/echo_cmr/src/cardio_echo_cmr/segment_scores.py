"""What the explanations are worth: occlusion by segment against the segments that are labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardio_core.api import DataError, Estimate, Metric, Scope, stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardio_core.api import Case, Cohort, EvaluateBlock

DROP = "drop:"
"""Scores of a case that begin so: how far the output falls when that AHA segment is occluded."""

FEWEST = 5
"""Patients that an interval needs."""


def segment_tables(
    cases: Sequence[Case], cohort: Cohort, finding: str, config: EvaluateBlock, seed: int
) -> tuple[dict[str, pd.DataFrame], list[Metric], list[str]]:
    """Return what the scores of the explained loops say.

    Parameters
    ----------
    cases : sequence of Case
        Scores ``drop:NN`` are occlusions of AHA segment NN; others are numbers to be averaged.
    cohort : Cohort
        Its table labels the segments: ``FINDING_seg_NN``.
    finding : str
        ``wma``, ``lge``, or another finding, whose segments nobody labelled.
    config : EvaluateBlock
    seed : int

    Returns
    -------
    dict of str to DataFrame
        ``occlusion``: by model, the area under the curve of the drops of all segments and loops
        against their labels (pooled, with DeLong's interval clustered by patient), and the mean
        over loops that have segments of both kinds. ``explanation-scores``: means of the others.
    list of Metric
    list of str
    """
    scores = explained_scores(cases, cohort)
    if scores.empty:
        return {}, [], []
    tables: dict[str, pd.DataFrame] = {}
    metrics: list[Metric] = []
    notes: list[str] = []
    occluded = scores["score"].str.startswith(DROP)
    drops = labelled_drops(scores[occluded], cohort, finding)
    rows = []
    for model, own in drops.groupby("model", sort=False):
        row, found, said = _occlusion(own, str(model), config, seed)
        rows.append(row)
        scope = Scope(task=finding, model=str(model), subgroup="segments")
        metrics += [Metric(one, scope) for one in found]
        notes += said
    if rows:
        tables["occlusion"] = pd.DataFrame(rows)
    table, by_model, said = score_summary(scores[~occluded], config, seed)
    notes += said
    if len(table):
        tables["explanation-scores"] = table
    metrics += [
        Metric(one, Scope(task=finding, model=model)) for model, own in by_model.items()
        for one in own
    ]  # fmt: skip
    return tables, metrics, notes


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


def labelled_drops(drops: pd.DataFrame, cohort: Cohort, finding: str) -> pd.DataFrame:
    """Return the drops of segments whose label is known, with y, 0 or 1."""
    if cohort.table is None or drops.empty:
        return drops.iloc[:0].assign(y=pd.Series(dtype=int))
    labels = cohort.table[~cohort.table.index.duplicated()]
    labels.index = labels.index.astype(str)
    numbers = drops["score"].str.removeprefix(DROP).astype(int)
    y = [
        labels.loc[study, name]
        if (name := f"{finding}_seg_{number:02d}") in labels.columns and study in labels.index
        else None
        for study, number in zip(drops["study_id"], numbers, strict=True)
    ]
    made = drops.assign(y=pd.to_numeric(pd.Series(y, index=drops.index), errors="coerce"))
    return made.dropna(subset=["y"]).astype({"y": int})


def _occlusion(
    own: pd.DataFrame, model: str, config: EvaluateBlock, seed: int
) -> tuple[dict[str, Any], list[Estimate], list[str]]:
    by_loop = [
        (loop["patient_id"].iloc[0], stats.auc(loop["y"], loop["value"]).value)
        for _, loop in own.groupby("sample_id", sort=False)
        if loop["y"].nunique() == 2
    ]
    row: dict[str, Any] = {
        "model": model, "n_loops": own["sample_id"].nunique(), "n_segments": len(own),
        "n_abnormal": int(own["y"].sum()), "n_patients": own["patient_id"].nunique(),
    }  # fmt: skip
    found: list[Estimate] = []
    notes: list[str] = []
    try:
        pooled = stats.auc(
            own["y"], own["value"], clusters=own["patient_id"], level=config.level
        ).but(name="segment_auc")
        found.append(pooled)
        row |= {"auc": pooled.value, "low": pooled.low, "high": pooled.high}
    except DataError as error:
        notes.append(f"Occlusion of {model}: no area over all segments. {error}")
    if by_loop:
        areas = pd.DataFrame(by_loop, columns=["patient_id", "value"])
        mean = mean_score(areas, "segment_auc_by_loop", config, seed)
        found.append(mean)
        row |= {"by_loop": mean.value, "by_loop_low": mean.low, "by_loop_high": mean.high,
                "n_loops_of_both": len(areas)}  # fmt: skip
    return row, found, notes


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
        clusters=own["patient_id"].to_numpy(str), n_resamples=config.n_resamples, seed=seed,
        level=config.level,
    )  # fmt: skip
    return drawn[0]
