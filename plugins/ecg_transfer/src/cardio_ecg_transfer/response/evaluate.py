"""Evaluate `crt_response`: the default, the paper's tables, and what explanations say together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import cardio_stats as stats
from cardio_core.api import (
    DataError,
    EvaluationReport,
    Metric,
    Note,
    Scope,
    canvas,
    default_evaluate,
)
from cardio_ecg_transfer.drawing.spectrograms import twelve_leads
from cardio_ecg_transfer.published.table_2 import table_2
from cardio_ecg_transfer.response.models import RECIPES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure

    from cardio_core.api import Case, Context, EvaluateBlock, Explanation, Scored


def evaluate(
    predictions: Scored,
    explanation: Explanation,
    config: EvaluateBlock,
    ctx: Context,
) -> EvaluationReport:
    """Add calibration, Table 2 and the importance of leads and parts of the beat."""
    report = default_evaluate(predictions, ctx.task, config, seed=ctx.seed)
    tables, notes = dict(report.tables), list(report.notes)
    calibrated: list[Metric] = []
    if ctx.protocol == "honest":
        calibrated, refused = calibration(predictions, config, ctx)
        notes += Note.each("evaluation", refused)
    if ctx.outcome is None:
        tables["table-2"] = table_2(report.metrics, ctx.task)
    tables |= importance_tables(explanation.cases, config.level)
    figures = {**report.figures, **figure_2(explanation.cases)}
    if ctx.outcome is None:
        text = (
            "Table 2: accuracy = prevalence × sensitivity + (1 - prevalence) × specificity was "
            "checked for every model; for the published ones, which are means over folds, the "
            "table says how far chance alone moves them from it."
        )
        notes.append(Note("table_2", text))
    return EvaluationReport([*report.metrics, *calibrated], tables, figures, notes)


def calibration(
    predictions: Scored, config: EvaluateBlock, ctx: Context
) -> tuple[list[Metric], list[str]]:
    """Return intercept and slope of every model that gives probabilities, and why not of others.

    Logits of repeats are averaged; intervals take the person as the unit.
    """
    metrics, refused = [], []
    for target in ctx.task.targets:
        if target.kind != "binary" or target.name not in predictions.frames:
            continue
        column = f"score:{target.classes[1]}"
        known = predictions.frames[target.name].dropna(subset=["y_true", column])
        for model, rows in known.groupby("model", sort=False):
            if model in RECIPES and RECIPES[str(model)].kind == "rule":
                continue  # yes or no, and no probability
            score = rows[column].clip(1e-6, 1 - 1e-6)
            units = rows.assign(logit=np.log(score / (1 - score))).groupby("unit_id", sort=False)
            probability = 1 / (1 + np.exp(-units["logit"].mean()))
            truth = (units["y_true"].first() == target.classes[1]).astype(int)
            scope = Scope(task=ctx.task.name, target=target.name, model=str(model))
            for make in (stats.calibration_in_the_large, stats.calibration_slope):
                try:
                    found = make(
                        truth, probability, patient=units["subject_id"].first(), level=config.level
                    )
                except DataError as error:
                    refused.append(f"Calibration of {model} is left out: {error}")
                else:
                    metrics.append(Metric(found, scope))
    return metrics, refused


def figure_2(cases: Sequence[Case]) -> dict[str, Callable[[Figure], None]]:
    """Draw the twelve leads' spectrograms of one beat, surest for response and surest against."""
    found: dict[str, Callable[[Figure], None]] = {}
    for case in cases:
        direction = "for" if case.scores["sign_of_evidence"] > 0 else "against"
        begin, end, low, high = (float(edge) for edge in case.arrays["extent"])
        found.setdefault(
            f"figure-2-surest-{direction}-response",
            canvas.described(
                twelve_leads(case.arrays["pictures"], None, (begin, end, low, high)),
                f"Spectrograms of the patient whom a network is surest of, {direction}",
                "One beat in twelve leads, aligned at the R peak (dotted); dark where there is "
                "power. It shows what the networks are given.",
            ),
        )
    return found


def importance_tables(cases: Sequence[Case], level: float) -> dict[str, pd.DataFrame]:
    """Average what the explained cases say, one table for each kind of score.

    Parameters
    ----------
    cases : sequence of Case
        With scores named ``KIND:WHERE``.
    level : float
        Of the bootstrap intervals, which resample the cases.

    Returns
    -------
    dict of str to DataFrame
        ``importance-by-KIND`` with a row a model and WHERE: mean, low, high, number of cases.
    """
    rows = [
        {"model": case.model, "kind": kind, "where": where, "value": value}
        for case in cases
        for kind, _, where in (name.partition(":") for name in case.scores)
        if where
        for value in (case.scores[f"{kind}:{where}"],)
    ]
    if not rows:
        return {}
    made: dict[str, list[dict[str, object]]] = {}
    for (model, kind, where), group in pd.DataFrame(rows).groupby(
        ["model", "kind", "where"], sort=False
    ):
        values = group["value"].to_numpy(float)
        low, high = _interval(values, level)
        made.setdefault(f"importance-by-{kind}", []).append(
            {"model": model, "where": where, "mean": values.mean(), "low": low, "high": high,
             "n_cases": len(values)}
        )  # fmt: skip
    return {name: pd.DataFrame(found) for name, found in made.items()}


def _interval(values: np.ndarray, level: float) -> tuple[float | None, float | None]:
    if len(values) < 5:
        return None, None
    found = stats.bootstrap(
        lambda x: float(np.mean(x)), (values,), level=level, n_resamples=1000, name="mean"
    )
    return found.low, found.high
