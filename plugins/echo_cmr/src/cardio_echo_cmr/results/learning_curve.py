"""How much a finding gains from more patients: runs that differ in nothing else, side by side.

``train.max_patients`` limits every fit to some of the fold's training patients, fewer always among
more. Folds and tested patients stay the same, so that points of the curve can be compared in pairs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

import cardio_stats as stats
from cardio_core.api import DataError

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
            one for one in json.loads((run / "metrics.json").read_text(encoding="utf-8"))
            if (one["name"], one["target"], one["protocol"]) == (METRIC, target, protocol)
            and one["fold"] is None and one["subgroup"] is None and one["versus"] is None
        ]  # fmt: skip
        if not found:
            raise DataError(f"{run}: expected {METRIC} of {target}, found none; finish the run")
        if limit is not None and int(limit) < n_training:
            found = [one for one in found if one["model"] not in FUSED]
        n_trained = n_training if limit is None else min(int(limit), n_training)
        rows += [
            {"n_trained": n_trained, "model": one["model"], "value": one["value"],
             "low": one["low"], "high": one["high"], "n_tested": len(tested)}
            for one in found
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
