"""From samples upwards: the mean logit of a study's or patient's samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cardio_core.types.features import verdicts_of
from cardio_core.types.info import Target, Task, Unit
from cardio_core.types.predictions import Predictions
from cardio_core.types.targets import KEY_OF_UNIT
from cardio_stats.errors import DataError

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


# One prediction a unit: out-of-fold predictions pooled over folds and repeats.


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


def unit_of(task: Task) -> str:
    """Return what the rows of a task's predictions are called."""
    return task.event_name if task.unit == "event" else task.unit


# One-to-one matching of found events to reference events in time.

# A distance that equals the tolerance counts as a match although t = n / rate is rounded.
_ROUNDING_S = 1e-9


def match_events(
    reference_s: ArrayLike, found_s: ArrayLike, tolerance_s: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair reference events with found events, each used at most once.

    Among all pairings whose members lie no further apart than the tolerance, the one with the most
    pairs is taken; among those, the one with the smallest sum of distances. Pairs never cross in
    time: on a line, uncrossing two pairs never lengthens them.

    Parameters
    ----------
    reference_s : array_like, shape (n_reference,)
        Times of the reference events in seconds, ascending. May be empty. No NaN.
    found_s : array_like, shape (n_found,)
        Times of the found events in seconds, ascending. May be empty. No NaN.
    tolerance_s : float
        Largest distance of a pair in seconds, inclusive; 0 or more.

    Returns
    -------
    reference_index, found_index : ndarray of int64, shape (n_pairs,)
        ``reference_s[reference_index[k]]`` is paired with ``found_s[found_index[k]]``. Both ascend.
        References that are not listed are missed; found events that are not listed are false.

    Raises
    ------
    DataError
        If times are not one-dimensional, not finite or not ascending, or the tolerance is negative.

    Notes
    -----
    ANSI/AAMI EC57 compares beats one to one within 150 ms; its ``bxb`` pairs greedily from left to
    right. The optimum taken here pairs at least as many.

    Examples
    --------
    >>> reference, found = match_events([1.0, 2.0, 3.0], [1.1, 2.9, 3.05, 7.0], 0.15)
    >>> reference.tolist(), found.tolist()
    ([0, 2], [0, 2])
    """
    reference = _ascending(reference_s, "reference_s")
    found = _ascending(found_s, "found_s")
    if not tolerance_s >= 0:
        raise DataError(
            f"match_events: expected tolerance_s of 0 or more, found {tolerance_s}",
            code="out_of_range",
        )
    reach_s = tolerance_s + _ROUNDING_S
    first = np.searchsorted(found, reference - reach_s, side="left")
    last = np.searchsorted(found, reference + reach_s, side="right")
    n_rivals = np.searchsorted(reference, found + reach_s, side="right") - np.searchsorted(
        reference, found - reach_s, side="left"
    )

    partner = np.full(reference.size, -1, dtype=np.int64)
    lonely = last - first == 1
    lonely[lonely] = n_rivals[first[lonely]] == 1
    partner[lonely] = first[lonely]
    contested = np.flatnonzero(~lonely & (last > first))
    if contested.size:
        # Each pair is worth one, less a share so small that no sum of shares reaches one.
        share = 1.0 / (reach_s * (contested.size + 1))
        partner[contested] = _best_chain(
            reference[contested], found, first[contested], last[contested], share
        )
    matched = np.flatnonzero(partner >= 0)
    return matched, partner[matched]


def _ascending(times_s: ArrayLike, name: str) -> NDArray[np.float64]:
    times = np.asarray(times_s, dtype=np.float64)
    if times.ndim != 1 or not np.isfinite(times).all() or (np.diff(times) < 0).any():
        raise DataError(
            f"match_events: expected {name} as finite ascending times in one dimension, "
            f"found shape {times.shape}; sort them and drop NaN"
        )
    return times


def _best_chain(
    reference: NDArray[np.float64],
    found: NDArray[np.float64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    share: float,
) -> NDArray[np.int64]:
    """Heaviest non-crossing pairing, by dynamic programming over the references.

    ``value[j]`` is the best worth of the references so far with the found events before ``j``. The
    windows from ``first`` to ``last`` only move to the right, so entries beyond ``reached`` have
    not been written yet and all equal ``value[reached]``.
    """
    value = np.zeros(found.size + 1)
    reached = 0
    choices: list[NDArray[np.int64]] = []
    for time, low, high in zip(reference, first, last, strict=True):
        value[reached + 1 : high + 1] = value[reached]
        reached = high
        worth = value[low:high] + 1.0 - share * np.abs(found[low:high] - time)
        paired = np.maximum.accumulate(worth)
        partner = np.maximum.accumulate(np.where(worth == paired, np.arange(low, high), -1))
        unpaired = value[low + 1 : high + 1]
        choices.append(np.where(paired > unpaired, partner, -1))
        np.maximum(paired, unpaired, out=unpaired)

    chain = np.full(reference.size, -1, dtype=np.int64)
    end = found.size
    for k in range(reference.size - 1, -1, -1):
        if end > first[k]:
            chain[k] = choices[k][min(last[k], end) - 1 - first[k]]
            end = end if chain[k] < 0 else chain[k]
    return chain
