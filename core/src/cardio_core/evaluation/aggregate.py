"""From samples upwards: the mean logit of a study's or patient's samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cardio_core.types.features import verdicts_of
from cardio_core.types.info import Target, Unit
from cardio_core.types.predictions import Predictions
from cardio_core.types.targets import KEY_OF_UNIT

Array = np.ndarray[Any, Any]
LEVELS = ("sample", "recording", "study", "patient")
IDS = ["recording_id", "study_id", "patient_id", "subject_id"]  # from the finest to the coarsest


def score_columns(target: Target) -> list[str]:
    """Return the names of a target's score columns in a prediction frame."""
    if target.kind == "continuous":
        return ["score"]
    return [f"score:{name}" for name in target.classes]


def prediction_frame(
    predictions: Predictions, samples: pd.DataFrame, target: Target, unit: Unit
) -> pd.DataFrame:
    """Return one row a unit with its ids and the scores of one target.

    Predictions are at any level at or below `unit`, the level at which the target is tested
    (``"event"`` is tested at its samples); `samples` is the sample table that was predicted, with
    subject_id. Columns are unit_id, sample_id, recording_id, study_id, patient_id, subject_id,
    level, time_s (NA above the sample), and the score columns. Probabilities are averaged as
    logits, which keeps the mean between its members however confident one of them is; numbers as
    they are. Members without a score (NaN), or that cannot be judged where another can, do not
    count; units without any are left out.
    """
    members = scored_members(predictions, samples, target, unit)
    level = predictions.level
    final = "sample" if unit == "event" else unit
    if LEVELS.index(final) <= LEVELS.index(level):
        return members.assign(level=level)
    return _mean(members.drop(columns="unit_id"), target, final)


def scored_members(
    predictions: Predictions, samples: pd.DataFrame, target: Target, unit: Unit
) -> pd.DataFrame:
    """Return what the scores of units are made of, as it was predicted: a row a member.

    Members without a score do not count, nor do those that are flagged as not to be judged where
    another of their unit can be. Parameters are those of `prediction_frame`, columns too.
    """
    ids = list(predictions.ids)
    level = predictions.level
    scores = np.asarray(predictions.scores[target.name], dtype=float)
    if target.kind == "binary":
        scores = np.column_stack([1 - scores, scores])
    frame = _identity(ids, samples, level)
    frame[score_columns(target)] = scores.reshape(len(ids), -1)
    frame = frame.assign(unit_id=ids)
    frame = frame[frame[score_columns(target)[0]].notna()]
    final = "sample" if unit == "event" else unit
    if LEVELS.index(final) > LEVELS.index("recording") and level in ("sample", "recording"):
        frame = frame[_judged(frame, samples, KEY_OF_UNIT[final])]
    return frame.reset_index(drop=True)


def _judged(frame: pd.DataFrame, samples: pd.DataFrame, key: str) -> pd.Series:
    """Tell the members that count: where none of a unit can be judged, all do."""
    withheld = verdicts_of(samples) if len(samples) else {}
    can = ~frame["recording_id"].astype(str).isin(set(withheld))
    return can | ~can.groupby(frame[key].to_numpy()).transform("any")


def _identity(ids: list[str], samples: pd.DataFrame, level: str) -> pd.DataFrame:
    table = samples.reindex(columns=[*IDS, "time_s"]).assign(sample_id=samples.index)
    if level != "sample":
        key = KEY_OF_UNIT[level]
        table = table.drop_duplicates(key).set_index(key, drop=False)
        table[["sample_id", *IDS[: IDS.index(key)], "time_s"]] = None
    return table.loc[ids].reset_index(drop=True)


def _mean(frame: pd.DataFrame, target: Target, unit: str) -> pd.DataFrame:
    key = KEY_OF_UNIT[unit]
    columns = score_columns(target)
    scores = frame[columns].to_numpy()
    if target.kind != "continuous":
        scores = np.log(np.clip(scores, 1e-7, 1.0))
    means = pd.DataFrame(scores, columns=columns).groupby(frame[key].to_numpy(), sort=False).mean()
    if target.kind != "continuous":
        odds = np.exp(means.to_numpy() - means.to_numpy().max(axis=1, keepdims=True))
        means[:] = odds / odds.sum(axis=1, keepdims=True)
    members = frame.drop_duplicates(key).set_index(key, drop=False).loc[means.index]
    out = members.reindex(columns=["sample_id", *IDS, "time_s"]).reset_index(drop=True)
    out[["sample_id", *IDS[: IDS.index(key)], "time_s"]] = None
    out[columns] = means.to_numpy()
    return out.assign(unit_id=list(means.index), level=unit)
