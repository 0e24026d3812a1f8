"""The truth, brought to the samples: events matched in time, missed and false ones kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.evaluation.events import match_events
from cardio_core.types.info import Target, Task
from cardio_core.types.targets import Targets

Array = np.ndarray[Any, Any]
Bools = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True)
class Truth:
    """Targets as the folds need them: by sample where the task's unit is the event, else as loaded.

    `missed` are the events that no sample matches (recording_id, time_s and the target columns),
    `ignored` says of each sample whether it lies in a stretch in which nothing is scored.
    """

    targets: Targets
    missed: pd.DataFrame
    ignored: Bools


def bring_to_samples(targets: Targets, samples: pd.DataFrame, task: Task) -> Truth:
    """Match event targets to minted samples, one to one, within the task's tolerance.

    `samples` is the sample table after `featurize`. An unmatched event is missed; an unmatched
    sample has no label and is a false detection.
    """
    names = [target.name for target in task.targets]
    if targets.unit != "event":
        return Truth(targets, pd.DataFrame(), np.zeros(len(samples), bool))
    labels = pd.DataFrame(index=samples.index, columns=names, dtype=object)
    missed = []
    ignored = _inside(samples, targets.excluded)
    events = targets.table[~_inside(targets.table, targets.excluded)]
    positions = pd.Series(np.arange(len(samples)), index=samples["recording_id"].astype(str))
    rows_of = {name: rows.to_numpy() for name, rows in positions.groupby(level=0)}
    for recording_id, here in events.groupby("recording_id", sort=False):
        rows = rows_of.get(str(recording_id), np.empty(0, int))
        rows = rows[~ignored[rows]]
        times = samples["time_s"].to_numpy(float)[rows]
        order = np.argsort(times, kind="stable")
        here = here.sort_values("time_s", kind="stable")
        of_event, of_sample = match_events(
            here["time_s"].to_numpy(float), times[order], task.event_tolerance_s
        )
        matched = here.iloc[of_event]
        labels.iloc[rows[order][of_sample]] = matched[names].to_numpy()
        missed.append(here.drop(index=matched.index))
    rest = pd.concat(missed) if missed else events.iloc[:0]
    return Truth(Targets("sample", labels), rest.reset_index(drop=True), ignored)


def labels_of(frame: pd.DataFrame, target: Target, targets: Targets) -> Array:
    """Return the true values of a prediction frame's rows; classes by name, NA unlabelled."""
    table = frame.set_index("sample_id") if targets.unit == "sample" else frame
    return named_classes(targets.of(table, target.name), target)


def named_classes(y: Array, target: Target) -> Array:
    """Return classes by name where a binary target was given as 0 and 1."""
    if target.kind == "continuous":
        return np.asarray(y, dtype=float)
    series = pd.Series(y, dtype=object)
    numeric = series.map(lambda one: isinstance(one, int | float | np.number) and one == one)
    if target.kind == "binary" and numeric.any():
        series[numeric] = series[numeric].map(lambda value: target.classes[int(value)])
    return np.asarray(series)


def _inside(table: pd.DataFrame, stretches: pd.DataFrame | None) -> Bools:
    inside = np.zeros(len(table), bool)
    for stretch in () if stretches is None else stretches.itertuples():
        inside |= (
            (table["recording_id"] == stretch.recording_id)
            & (table["time_s"] >= stretch.start_s)
            & (table["time_s"] <= stretch.end_s)
        ).to_numpy()
    return inside
