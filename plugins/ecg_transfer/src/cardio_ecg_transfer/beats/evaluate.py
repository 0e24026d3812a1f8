"""Evaluate: the default, and which recordings cost it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import pandas as pd

import cardio_stats as stats
from cardio_core.api import Context, EvaluateBlock, EvaluationReport, Scored, default_evaluate

COSTED = ("N", "S", "V", "F")
FORGIVEN_IN = ("S", "V")
EC57_FORGIVEN: Mapping[Hashable, Sequence[Hashable]] = {"V": ("F", "Q"), "S": ("Q",)}
"""AAMI EC57: fusion and unclassifiable beats called V, and unclassifiable ones called S."""


def evaluate(predictions: Scored, config: EvaluateBlock, ctx: Context) -> EvaluationReport:
    """Add two tables a model: what each recording costs, and the rates by EC57's rule."""
    report = default_evaluate(predictions, ctx.task, config, seed=ctx.seed)
    target = ctx.task.targets[0]
    frame = predictions.frames[target.name]
    tables = dict(report.tables)
    for model, rows in frame.groupby("model", sort=False):
        tables[f"by-recording-{model}"] = cost_by_recording(rows)
        tables[f"counted-by-EC57-{model}"] = by_the_standard(rows, target.classes, config, ctx.seed)
    return EvaluationReport(report.metrics, tables, report.figures, report.notes)


def by_the_standard(
    rows: pd.DataFrame, classes: Sequence[str], config: EvaluateBlock, seed: int
) -> pd.DataFrame:
    """Return sensitivity and predictivity of S and V as EC57 counts them.

    A fusion beat called V and an unclassifiable one called V or S are no false positives: this is
    how most published figures of V were counted. The default tables forgive nothing.

    Parameters
    ----------
    rows : DataFrame
        Prediction frame of one model: y_true, predicted, subject_id.
    classes : sequence of str
    config : EvaluateBlock
        Of the intervals.
    seed : int

    Returns
    -------
    DataFrame
        Columns class, sensitivity and ppv with ``_low`` and ``_high``; intervals by bootstrap of
        patients, missing where fewer than five have the class.
    """
    table = stats.per_class_table(
        rows["y_true"],
        rows["predicted"],
        classes,
        patient=rows["subject_id"],
        n_resamples=config.n_resamples,
        seed=seed,
        level=config.level,
        forgiven=EC57_FORGIVEN,
        cluster_unit="patient",
    )
    found = []
    for name in FORGIVEN_IN:
        row: dict[str, object] = {"class": name}
        for rate in ("sensitivity", "ppv"):
            estimate = table.by_class.get(name, {}).get(rate)
            if estimate is not None:
                row |= {rate: estimate.value, f"{rate}_low": estimate.low,
                        f"{rate}_high": estimate.high}  # fmt: skip
        found.append(row)
    return pd.DataFrame(found)


def cost_by_recording(rows: pd.DataFrame) -> pd.DataFrame:
    """Count, for each recording and class, what was right and what was not.

    Parameters
    ----------
    rows : DataFrame
        Prediction frame of one model: recording_id, y_true (NA: no such beat), predicted (NA: not
        detected).

    Returns
    -------
    DataFrame
        Columns recording_id, class, n_true, n_right, n_missed (true, called otherwise or not
        detected), n_false (called so, but something else); the costliest first.
    """
    found = []
    for recording, here in rows.groupby("recording_id", sort=True):
        for name in COSTED:
            true, called = here["y_true"] == name, here["predicted"] == name
            if not true.any() and not called.any():
                continue
            found.append(
                {
                    "recording_id": recording,
                    "class": name,
                    "n_true": int(true.sum()),
                    "n_right": int((true & called).sum()),
                    "n_missed": int((true & ~called).sum()),
                    "n_false": int((called & ~true).sum()),
                }
            )
    table = pd.DataFrame(found)
    if table.empty:
        return table
    cost = table["n_missed"] + table["n_false"]
    return table.iloc[cost.argsort(kind="stable")[::-1]].reset_index(drop=True)
