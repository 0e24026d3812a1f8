"""One prediction a unit: out-of-fold predictions pooled over folds and repeats."""

from __future__ import annotations

import pandas as pd

from cardio_core.evaluation.aggregate import score_columns
from cardio_core.types.info import Target


def pooled(frame: pd.DataFrame, target: Target, model: str) -> pd.DataFrame:
    """Return one row a unit of one model.

    With one repeat that is every row as it is. With several, scores are averaged over the repeats
    and the decided class is the one decided most often (the first in the target's order on a tie),
    so that a unit counts once however often the folds were drawn.
    """
    rows = frame[frame["model"] == model]
    if len(set(rows["repeat"])) <= 1:
        return rows.reset_index(drop=True)
    columns = score_columns(target)
    # A missed event has no unit of its own; its recording and time name it.
    key = rows["unit_id"].where(
        rows["unit_id"].notna(), rows["recording_id"].astype(str) + "@" + rows["time_s"].astype(str)
    )
    groups = rows.groupby(key.to_numpy(), sort=False)
    first = groups.first()
    first[columns] = groups[columns].mean()
    if target.kind == "continuous":
        first["predicted"] = first["score"]
    else:
        first["predicted"] = [_most_voted(votes, target) for _, votes in groups["predicted"]]
    return first.reset_index(drop=True)


def _most_voted(votes: pd.Series[str], target: Target) -> str | None:
    counts = votes.value_counts()
    return next((name for name in target.classes if counts.get(name, 0) == counts.max()), None)


def unit_of(frame: pd.DataFrame, task_unit: str) -> str:
    """Return what a row of the frame is, in words."""
    return {"event": "beat"}.get(task_unit, task_unit)
