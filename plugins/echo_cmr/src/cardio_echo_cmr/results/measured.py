"""Measured numbers: errors beside the constant predictor's, and the limits of agreement."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import cardio_stats as stats
from cardio_core.api import Cohort, DataError, EvaluateBlock, Scored, Target, Targets
from cardio_stats import Estimate

KNOWN = ("mae", "r2", "pearson_r2", "rmse")
"""Errors that are reported of a model, beside those of the constant predictor."""


def training_means(
    predictions: Scored, target: Target, targets: Targets, cohort: Cohort
) -> pd.Series[float]:
    """Return what the constant predictor of each unit's fold says, by unit_id.

    It is the mean over the studies of everybody whom the fold did not test, averaged over repeats.
    Where a protocol tests everybody at once there is nobody else, and the unit has no constant.

    Parameters
    ----------
    predictions : Scored
        Out-of-fold predictions of a continuous target.
    target : Target
    targets : Targets
        Of all studies, indexed by study_id.
    cohort : Cohort
        Names the patient of every study.
    """
    frame = predictions.frames[target.name]
    truth = pd.to_numeric(targets.table[target.name], errors="coerce").dropna()
    owner = cohort.samples.table.drop_duplicates("study_id").set_index("study_id")["patient_id"]
    person = frame.drop_duplicates("patient_id").set_index("patient_id")["subject_id"]
    patients = owner.reindex(truth.index)
    subjects = patients.map(person).fillna(patients).to_numpy()
    said = []
    for fold in frame["fold"].unique():
        own = frame[frame["fold"] == fold]
        others = truth[~np.isin(subjects, own["subject_id"].unique())]
        units = own["unit_id"].dropna().unique()
        said.append(pd.Series(others.mean() if len(others) else np.nan, index=units))
    return pd.concat(said).groupby(level=0, sort=False).mean()


def number_errors(
    rows: pd.DataFrame, constant: pd.Series[float], config: EvaluateBlock, seed: int
) -> tuple[list[Estimate], list[str]]:
    """Return the errors of one model, and their paired difference from the constant's.

    Parameters
    ----------
    rows : DataFrame
        Columns unit_id, subject_id, y and score: one model's, as of `Scored.tested`.
    constant : Series
        As of :func:`training_means`.
    config : EvaluateBlock
    seed : int

    Returns
    -------
    list of Estimate
        ``mae``, ``r2`` (1 - SSE/SST, which may be negative), ``pearson_r2`` (which forgives any
        bias and scale), ``rmse``, ``mae_training_mean`` and ``mae_difference``, the model's error
        less the constant's: below 0 the model is better. Whole patients are drawn where they have
        several studies, the same for both.
    list of str
        What could not be computed, and why.
    """
    clusters = Scored.clusters_of(rows)
    drawn: dict[str, Any] = {
        "patient": clusters, "n_resamples": config.n_resamples, "seed": seed,
        "level": config.level, "unit": "study" if clusters is None else "patient",
    }  # fmt: skip
    notes: list[str] = []
    found: list[Estimate] = []
    try:
        errors = stats.regression_errors(rows["y"], rows["score"], **drawn)
        found += [errors[name] for name in KNOWN if name in errors]
        if "pearson_r2" not in errors:
            notes.append("r² is left out: every prediction is the same")
    except DataError as error:
        notes.append(f"errors: not computed. {error}")
    said = rows["unit_id"].map(constant).to_numpy(float)
    y = rows["y"].to_numpy(float)
    if np.isnan(said).all():
        return found, [*notes, "no constant predictor: the fold tests everybody"]
    own, constants = np.abs(rows["score"].to_numpy(float) - y), np.abs(said - y)
    table = np.column_stack([np.ones_like(y), own, constants])
    try:
        found += stats.bootstrap_sums(
            table, _beside_constant, ("mae_training_mean", "mae_difference"), **drawn
        )
    except DataError as error:
        notes.append(f"difference from the constant predictor: not computed. {error}")
    return found, notes


def _beside_constant(sums: Any) -> Any:
    n, own, constant = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack([constant / n, (own - constant) / n], axis=-1)


def agreement(rows: pd.DataFrame, level: float) -> Any:
    """Return Bland and Altman's limits, for repeated measures where patients have several studies.

    Returns
    -------
    cardio_stats.Agreement
        Predicted less measured.

    Raises
    ------
    DataError
        Too few studies or patients, or differences that are all equal.
    """
    several = Scored.clusters_of(rows)
    return stats.limits_of_agreement(
        rows["y"], rows["score"], patient=several, level=level,
        unit="study" if several is None else "patient",
    )  # fmt: skip
