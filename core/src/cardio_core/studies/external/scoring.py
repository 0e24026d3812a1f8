"""Answers of the final models beside what really happened, as every evaluation takes them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.evaluation.aggregate import score_columns
from cardio_core.runner.predicting.answering import Answered, Opened
from cardio_core.runner.preparing.features import Prepared
from cardio_core.runner.preparing.truth import (
    Truth,
    bring_to_samples,
    labels_of,
    named_classes,
)
from cardio_core.studies.external.asking import renamed
from cardio_core.types.info import Target
from cardio_core.types.predictions import Scored

FINAL = "final"
"""Stands where a run names its fold: one model, fitted on everybody there."""


@dataclass(frozen=True)
class New:
    """The new patients with their features and their truth.

    `truth` has the targets under the run's names, matched to the samples where they are events.
    """

    prepared: Prepared
    truth: Truth


def truth_of(opened: Opened, answered: Answered) -> New:
    """Return the new patients with their truth.

    Raises
    ------
    DataError
        If the data tell no outcome, or that of nobody.
    """
    prepared = answered.prepared
    targets = prepared.cohort.targets
    names = [target.name for target in opened.task.targets]
    if targets is None:
        raise DataError(
            f"--data: expected {', '.join(names)} of each patient, found no outcome; name its "
            "column with --outcome, or use cardio predict"
        )
    targets = replace(targets, table=renamed(targets.table, opened))
    lacking = [name for name in names if name not in targets.table.columns]
    if len(lacking) == len(names):
        raise DataError(f"--data: expected {', '.join(names)}, found no such outcome")
    table = targets.table.reindex(columns=[*targets.table.columns, *lacking])
    truth = bring_to_samples(replace(targets, table=table), prepared.features.table, opened.task)
    samples = prepared.features.table
    known = [pd.notna(truth.targets.of(samples, name)).any() for name in names]
    if not any(known) and not len(truth.missed):
        raise DataError(
            f"--data: {', '.join(names)} is known of none of the patients whose recordings can be "
            "used; check the ids in the table, or use cardio predict"
        )
    return New(prepared, truth)


def scored_of(opened: Opened, answered: Answered, new: New, apart: Collection[str]) -> Scored:
    """Return every final model's answers beside the truth, `apart` of some recordings' patients.

    Raises
    ------
    DataError
        If nobody is left.
    """
    samples = new.prepared.features.table
    gone = set(samples.loc[samples["recording_id"].astype(str).isin(apart), "patient_id"])
    ignored = set(samples.index[new.truth.ignored])
    frames: dict[str, pd.DataFrame] = {}
    for target in opened.task.targets:
        parts = []
        for model, frame in answered.frames[target.name].items():
            own = frame[~frame["patient_id"].isin(gone)]
            own = own[~own["sample_id"].isin(ignored)] if ignored else own
            parts.append(_one(opened, answered, own.reset_index(drop=True), target, model, new))
            parts.append(_missed(target, model, new, gone))
        kept = [part for part in parts if len(part)]
        if kept:
            frames[target.name] = pd.concat(kept, ignore_index=True)
    if not any(frame["y_true"].notna().any() for frame in frames.values()):
        left = f", {len(gone)} of them left out because they were in training" if gone else ""
        raise DataError(
            f"--data: no patient is left to validate on (of {samples['patient_id'].nunique()} with "
            f"a usable recording{left}); bring patients with a known outcome"
        )
    sources = {
        f"{model}/{name}": decision.source
        for name, by_model in answered.decisions.items()
        for model, decision in by_model.items()
    }
    return Scored(frames, sources)


def _one(
    opened: Opened, answered: Answered, frame: pd.DataFrame, target: Target, model: str, new: New
) -> pd.DataFrame:
    decision = answered.decisions.get(target.name, {}).get(model)
    predicted = decision.apply(frame, target) if decision else frame["score"].to_numpy()
    known = frame.assign(
        y_true=labels_of(frame, target, new.truth.targets),
        predicted=predicted, repeat=0, fold=FINAL, model=model,
    )  # fmt: skip
    # A beat that matches no true one is a false detection; a patient without outcome is nobody.
    return known if opened.task.unit == "event" else known[known["y_true"].notna()]


def _missed(target: Target, model: str, new: New, gone: Collection[str]) -> pd.DataFrame:
    """Return true events that no sample matches: they have a class, and no score."""
    if not len(new.truth.missed):
        return pd.DataFrame()
    who = new.prepared.features.table.drop_duplicates("recording_id")
    ids = ["recording_id", "study_id", "patient_id", "subject_id"]
    here = new.truth.missed.merge(who[ids], on="recording_id")
    here = here[~here["patient_id"].isin(list(gone))]
    kept: pd.DataFrame = here[[*ids, "time_s"]].assign(
        level="event", y_true=named_classes(here[target.name].to_numpy(), target),
        predicted=None, unit_id=None, sample_id=None, repeat=0, fold=FINAL, model=model,
        **dict.fromkeys(score_columns(target), np.nan),
    )  # fmt: skip
    return kept
