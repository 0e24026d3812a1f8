"""Evaluate: the default, and which recordings cost it."""

from __future__ import annotations

import pandas as pd

from cardio_core.api import Context, EvaluateBlock, EvaluationReport, Scored, default_evaluate

COSTED = ("N", "S", "V", "F")


def evaluate(predictions: Scored, config: EvaluateBlock, ctx: Context) -> EvaluationReport:
    """Add one table a model: true, found, missed and falsely called beats of each recording."""
    report = default_evaluate(predictions, ctx.task, config, seed=ctx.seed)
    target = ctx.task.targets[0]
    frame = predictions.frames[target.name]
    tables = dict(report.tables)
    for model, rows in frame.groupby("model", sort=False):
        tables[f"by-recording-{model}"] = cost_by_recording(rows)
    return EvaluationReport(report.metrics, tables, report.figures, report.notes)


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
