"""Networks beside regressions, by map and risk factor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import cardio_stats as stats
from cardio_core.api import DataError, Scored, Task
from cardio_spect_polar.flow.evaluation.tested import clusters_of, tested_patients
from cardio_spect_polar.flow.models import MAPS, RISK_FACTORS
from cardio_stats import Estimate


def network_versus_logistic(predictions: Scored, task: Task, level: float) -> pd.DataFrame:
    """Return one line a factor and map: both AUCs on the same patients, and their difference.

    The network is compared with the regression on the same map by the paired test of DeLong; a
    model that was not run leaves its cells empty. Beside each number stands what one who says the
    more common answer for everybody reaches.
    """
    rows = []
    for trait in RISK_FACTORS:
        target = task.target(trait)
        for name in MAPS:
            found = {
                kind: tested_patients(predictions, target, f"{kind}_{name}")
                for kind in ("resnet", "logistic")
            }
            there = {kind: table for kind, table in found.items() if len(table)}
            if there:
                rows.append({"factor": trait, "map": name} | _line(there, level))
    return pd.DataFrame(rows)


def more_metrics(tested: pd.DataFrame, level: float) -> tuple[list[Estimate], list[str]]:
    """Return PR-AUC, accuracy of the majority and calibration of one model, with what failed."""
    clusters, unit = clusters_of(tested), "patient"
    about: dict[str, Any] = {"patient": clusters, "level": level}
    if clusters is None:
        about["unit"] = unit
    y, score = tested["y"], tested["score"].clip(1e-6, 1 - 1e-6)
    base = float(y.mean())
    found = [
        Estimate(
            "accuracy_of_majority", max(base, 1 - base), n=len(tested), unit=unit,
            method="the more common answer for everybody",
        )
    ]  # fmt: skip
    notes = []
    for make in (stats.pr_auc, stats.calibration_slope, stats.calibration_in_the_large):
        try:
            found.append(make(y, score, **about))
        except DataError as error:
            notes.append(str(error))
    return found, notes


def _line(found: dict[str, pd.DataFrame], level: float) -> dict[str, object]:
    any_of = next(iter(found.values()))
    base = float(any_of["y"].mean())
    line: dict[str, object] = {
        "n": len(any_of),
        "base rate": f"{base:.3f}",
        "majority accuracy": f"{max(base, 1 - base):.3f}",
    }
    for kind in ("resnet", "logistic"):
        line |= {f"AUC {kind}": "", f"accuracy {kind}": "", f"PR-AUC {kind}": ""}
        if kind in found:
            line |= _of_one(found[kind], kind, level)
    line |= {"AUC resnet - logistic": "", "p (DeLong)": ""}
    if len(found) == 2:
        both = found["resnet"].join(found["logistic"][["score"]], rsuffix="_l", how="inner")
        try:
            made = stats.delong_paired(
                both["y"], both["score"], both["score_l"], patient=clusters_of(both), level=level
            )
        except DataError:
            return line
        line["AUC resnet - logistic"] = _with_limits(made)
        line["p (DeLong)"] = "" if made.p_value is None else f"{made.p_value:.3f}"
    return line


def _of_one(table: pd.DataFrame, kind: str, level: float) -> dict[str, str]:
    """Return one model's cells; a holdout with one patient of a class has no AUC with limits."""
    about: dict[str, Any] = {"patient": clusters_of(table), "level": level}
    cells = {f"accuracy {kind}": f"{float(np.mean(table['y'] == table['predicted'])):.3f}"}
    try:
        cells[f"AUC {kind}"] = _with_limits(stats.auc(table["y"], table["score"], **about))
        average = stats.pr_auc(table["y"], table["score"], **about)
    except DataError:
        return cells
    return cells | {f"PR-AUC {kind}": f"{average.value:.3f}"}


def _with_limits(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
