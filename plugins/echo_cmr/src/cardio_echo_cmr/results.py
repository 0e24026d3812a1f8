"""What predictions are worth: intervals by what is drawn, and errors of measured numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import cardio_stats as stats
from cardio_core.api import Cohort, DataError, EvaluateBlock, Scored, Target, Targets
from cardio_stats import Estimate

COLUMNS = (
    "target", "model", "rows_are", "drawn", "method", "auc", "low", "high", "width", "n_rows",
    "n_patients", "n_redrawn",
)  # fmt: skip

VIDEO = "video:"
"""Named columns of the predictions which begin so hold the score of a video for a target."""


PERCENTILE = ("auc_study_bootstrap", "auc_video_bootstrap", "auc_patient_bootstrap")
"""Of the estimates of :func:`auc_intervals`, those with a percentile interval."""


def auc_intervals(
    rows: pd.DataFrame, unit: str, config: EvaluateBlock, seed: int
) -> tuple[list[Estimate], list[str]]:
    """Return one AUC with the intervals of rows and of patients, drawn from the same rows.

    Parameters
    ----------
    rows : DataFrame
        Columns y (0, 1), score, subject_id: one model's, as of `Scored.tested`.
    unit : str
        What a row is: ``"study"`` or ``"video"``.
    config : EvaluateBlock
        Level and number of resamples.
    seed : int

    Returns
    -------
    list of Estimate
        ``auc_UNIT_bootstrap`` draws rows as if they were independent. ``auc_patient_bootstrap``
        (2.5th to 97.5th percentile of a 95 % interval) and ``auc_patient_bootstrap_bca`` draw
        whole patients; resamples of one class are drawn again. ``auc_delong`` is DeLong's,
        clustered by patient where patients have several rows (Obuchowski).
    list of str
        What could not be computed, and why.

    References
    ----------
    Obuchowski NA. Biometrics 1997;53:567. Efron B. J Am Stat Assoc 1987;82:171 (BCa).

    Examples
    --------
    >>> from cardio_core.api import EvaluateBlock
    >>> rows = pd.DataFrame({"y": [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1],
    ...                      "score": [.1, .2, .7, .8, .4, .4, .3, .3, .2, .3, .9, .8],
    ...                      "subject_id": list("aabbccddeeff")})
    >>> found, _ = auc_intervals(rows, "video", EvaluateBlock(n_resamples=200), 0)
    >>> [(it.name, it.n, it.unit) for it in found[:2]]
    [('auc_video_bootstrap', 12, 'video'), ('auc_patient_bootstrap', 6, 'patient')]
    """
    drawn: dict[str, Any] = {
        "n_resamples": config.n_resamples, "seed": seed, "level": config.level,
    }  # fmt: skip
    y, score, people = rows["y"], rows["score"], rows["subject_id"]
    clusters = Scored.clusters_of(rows)
    requests: dict[str, Callable[[], Estimate]] = {
        f"auc_{unit}_bootstrap": lambda: stats.bootstrap_auc(y, score, unit=unit, **drawn),
        "auc_patient_bootstrap": lambda: stats.bootstrap_auc(y, score, patient=people, **drawn),
        "auc_patient_bootstrap_bca": lambda: stats.bootstrap_auc(
            y, score, patient=people, interval="bca", **drawn
        ),
        "auc_delong": lambda: stats.auc(
            y,
            score,
            patient=clusters,
            level=config.level,
            interval="delong",
            unit=unit if clusters is None else None,
        ),
    }
    found: list[Estimate] = []
    notes: list[str] = []
    for name, compute in requests.items():
        try:
            found.append(compute().replace(name=name, n_patients=int(people.nunique())))
        except DataError as error:
            notes.append(f"{name}: not computed. {error}")
    return found, notes


def interval_rows(
    found: list[Estimate], rows: pd.DataFrame, target: str, model: str, unit: str
) -> pd.DataFrame:
    """Return the estimates of :func:`auc_intervals` as rows of table ``intervals``."""
    return pd.DataFrame(
        [
            {
                "target": target, "model": model, "rows_are": unit, "drawn": item.unit,
                "method": item.method, "auc": item.value, "low": item.low, "high": item.high,
                "width": width_of(item), "n_rows": len(rows),
                "n_patients": item.n_patients, "n_redrawn": int(item.extra.get("n_redrawn", 0)),
            }
            for item in found
        ],
        columns=list(COLUMNS),
    )  # fmt: skip


def width_of(found: Estimate) -> float:
    """Return the width of an interval, NaN without one."""
    if found.low is None or found.high is None:
        return float("nan")
    return found.high - found.low


def width_sentences(table: pd.DataFrame) -> list[str]:
    """Say how much wider the intervals are when patients are drawn, for videos and for studies.

    Parameters
    ----------
    table : DataFrame
        Table ``intervals``, percentile intervals only.
    """
    lines = []
    for unit, intervals in table.groupby("rows_are", sort=False):
        intervals = intervals[intervals["n_rows"] > intervals["n_patients"]]
        if intervals.empty:
            continue
        width = intervals.pivot_table(
            index=["target", "model"], columns=intervals["drawn"] == "patient", values="width"
        )
        width = width.reindex(columns=[False, True]).dropna()
        if width.empty:
            continue
        rows = {"study": "studies"}.get(str(unit), f"{unit}s")
        lines.append(
            f"Intervals of AUCs over {rows}: drawing {rows} as if they were independent gives a "
            f"width of {width[False].median():.3f} (median of {len(width)}), drawing patients "
            f"{width[True].median():.3f}. The latter counts."
        )
    return lines


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
    lines = []
    for fold in frame["fold"].unique():
        tested = frame[frame["fold"] == fold]
        others = truth[~np.isin(subjects, tested["subject_id"].unique())]
        units = tested["unit_id"].dropna().unique()
        lines.append(pd.Series(others.mean() if len(others) else np.nan, index=units))
    return pd.concat(lines).groupby(level=0, sort=False).mean()


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
    predicted = rows["unit_id"].map(constant).to_numpy(float)
    y = rows["y"].to_numpy(float)
    if np.isnan(predicted).all():
        return found, [*notes, "no constant predictor: the fold tests everybody"]
    errors_of_model, constants = np.abs(rows["score"].to_numpy(float) - y), np.abs(predicted - y)
    table = np.column_stack([np.ones_like(y), errors_of_model, constants])
    try:
        found += stats.bootstrap_sums(
            table, _against_constant, ("mae_training_mean", "mae_difference"), **drawn
        )
    except DataError as error:
        notes.append(f"difference from the constant predictor: not computed. {error}")
    return found, notes


def _against_constant(sums: Any) -> Any:
    n, model, constant = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack([constant / n, (model - constant) / n], axis=-1)


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
