"""What predictions are worth: intervals by what is drawn, measured numbers, the learning curve."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

import cardio_stats as stats
from cardio_core.api import Cohort, DataError, EvaluateBlock, Scored, Target, Targets
from cardio_stats import Estimate

COLUMNS = (
    "target", "model", "rows_are", "drawn", "method", "auc", "low", "high", "width", "n_rows",
    "n_patients", "n_redrawn",
)  # fmt: skip

VIDEO = "video:"
"""Named columns of the predictions which begin so hold the score of a video for a target."""


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
    >>> [(one.name, one.n, one.unit) for one in found[:2]]
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
        Table ``intervals``.
    """
    lines = []
    bootstraps = table[table["method"].str.contains("percentile")]
    for unit, own in bootstraps.groupby("rows_are", sort=False):
        own = own[own["n_rows"] > own["n_patients"]]
        if own.empty:
            continue
        width = own.pivot_table(
            index=["target", "model"], columns=own["drawn"] == "patient", values="width"
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
        own = frame[frame["fold"] == fold]
        others = truth[~np.isin(subjects, own["subject_id"].unique())]
        units = own["unit_id"].dropna().unique()
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
    own, constants = np.abs(rows["score"].to_numpy(float) - y), np.abs(predicted - y)
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


FUSED = ("fused", "fused_value")
METRIC = "auc_patient_bootstrap"


def curve_table(runs: Sequence[Path], target: str, *, protocol: str = "honest") -> pd.DataFrame:
    """Return one point a run and model, by the number of patients that it was trained on.

    Parameters
    ----------
    runs : sequence of Path
        Finished run directories of one task which differ in ``train.max_patients``.
    target : str
        Whose `METRIC`, pooled over folds.
    protocol : str

    Returns
    -------
    DataFrame
        Columns n_trained (patients a fold), model, value, low, high, n_tested, in this order.
        Fused models are left out of runs that the limit binds: their weights come from the inner
        predictions of all training patients.

    Raises
    ------
    DataError
        No runs, one that has no such estimate, or one of other tested patients than the first.
    """
    if not runs:
        raise DataError("a learning curve: expected finished runs, found none")
    rows: list[dict[str, Any]] = []
    first: set[str] | None = None
    for run in runs:
        tested, n_training = _split(run, protocol)
        first = tested if first is None else first
        if tested != first:
            raise DataError(
                f"{run}: expected the tested patients of {runs[0]}, found others; give runs of one "
                "cohort, plan and seed"
            )
        settings = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
        limit = settings["train"]["max_patients"]
        found = [
            row for row in json.loads((run / "metrics.json").read_text(encoding="utf-8"))
            if (row["name"], row["target"], row["protocol"]) == (METRIC, target, protocol)
            and row["fold"] is None and row["subgroup"] is None and row["versus"] is None
        ]  # fmt: skip
        if not found:
            raise DataError(f"{run}: expected {METRIC} of {target}, found none; finish the run")
        if limit is not None and int(limit) < n_training:
            found = [entry for entry in found if entry["model"] not in FUSED]
        n_trained = n_training if limit is None else min(int(limit), n_training)
        rows += [
            {"n_trained": n_trained, "model": item["model"], "value": item["value"],
             "low": item["low"], "high": item["high"], "n_tested": len(tested)}
            for item in found
        ]  # fmt: skip
    table = pd.DataFrame(rows)
    return table.sort_values(["model", "n_trained"], kind="stable").reset_index(drop=True)


def gains(
    runs: Sequence[Path],
    target: str,
    *,
    protocol: str = "honest",
    n_resamples: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what each step to more patients gains in AUC, on the same tested patients.

    Parameters
    ----------
    runs : sequence of Path
        From few patients to many.
    target : str
        Binary.
    protocol : str
    n_resamples, seed : int
        Of the bootstrap, which draws patients and scores both runs on the same draw.

    Returns
    -------
    DataFrame
        Columns model, fewer, more (run names), gain, low, high, p. Fused models are left out, as in
        `curve_table`.
    """
    frames = [_scores(run, target, protocol) for run in runs]
    rows = []
    for (one, fewer), (other, more) in zip(
        zip(runs, frames, strict=True), zip(runs[1:], frames[1:], strict=True), strict=False
    ):
        both = fewer.merge(more, on=["model", "study_id"], suffixes=("", ":more"))
        for model, own in both.groupby("model", sort=False):
            if own["y"].nunique() < 2 or model in FUSED:
                continue
            found = stats.bootstrap_auc_difference(
                own["y"], own["score:more"], own["score"], patient=own["patient_id"],
                n_resamples=n_resamples, seed=seed,
            )  # fmt: skip
            rows.append(
                {"model": model, "fewer": one.name, "more": other.name, "gain": found.value,
                 "low": found.low, "high": found.high, "p": found.p_value}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _split(run: Path, protocol: str) -> tuple[set[str], int]:
    """Return the tested patients of a run, and the median number in training over folds."""
    plans = json.loads((run / "splits.json").read_text(encoding="utf-8"))["protocols"]
    folds = plans[protocol]["folds"]
    tested = {str(patient) for fold in folds for patient in fold["test"]}
    return tested, int(np.median([len(fold["train"]) for fold in folds]))


def _scores(run: Path, target: str, protocol: str) -> pd.DataFrame:
    """Return the positive class's scores of every study, averaged over repeats."""
    table = pd.read_csv(run / "predictions.csv", dtype={"study_id": str, "patient_id": str})
    own = table[(table["target"] == target) & (table["protocol"] == protocol)]
    own = own[(own["event"] == "yes") & own["y_true"].notna()]
    own = own.assign(y=(own["y_true"] == "yes").astype(int))
    keys = ["model", "study_id"]
    by = own.groupby(keys, sort=False)
    return by.agg({"patient_id": "first", "y": "first", "score": "mean"}).reset_index()
