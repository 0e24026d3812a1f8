"""What is known of the patients of a cohort: their clinical table and their outcome."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.evaluation.aggregate import match_events
from cardio_core.evaluation.clinical_model import (
    by_patient,
    check_covariates,
    clinical_features,
    of_samples,
    tells_the_outcome,
)
from cardio_core.io.cohort import CohortTable, at_baseline
from cardio_core.runner.setup import Setup
from cardio_core.types.features import FeatureSet
from cardio_core.types.info import Target, Task
from cardio_core.types.samples import Cohort
from cardio_core.types.targets import Targets
from cardio_stats.errors import ConfigError


def clinical_table(cohort: Cohort) -> pd.DataFrame:
    """Return the clinical table; without one what `load` knows of the recordings, age and sex."""
    if cohort.table is not None and "patient_id" in cohort.table.columns:
        return cohort.table
    return cohort.samples.table.drop_duplicates("study_id").set_index("study_id")


def patient_labels(
    cohort: Cohort, samples: pd.DataFrame, targets: Targets, target: Target
) -> pd.Series | None:
    """Return the outcome of each patient of a sample table whose outcome is known.

    Of a patient with several studies it is that of the first at baseline. None where the units of
    a patient, beats or views, have different outcomes by their nature.
    """
    if targets.unit in ("event", "sample", "recording") or target.name not in targets.table.columns:
        return None

    table = clinical_table(cohort)
    before = set(table.index[at_baseline(table)])
    later = ~samples["study_id"].isin(before).to_numpy()
    samples = samples.iloc[np.argsort(later, kind="stable")]
    frame = samples.assign(sample_id=samples.index).reset_index(drop=True)
    labels = pd.Series(
        labels_of(frame, target, targets), index=samples["patient_id"].astype(str)
    ).dropna()
    return labels[~labels.index.duplicated()]


def guard_covariates(cohort: Cohort, names: Sequence[str], targets: Sequence[Target]) -> None:
    """Refuse a covariate that says the outcome itself.

    Raises
    ------
    ConfigError
        Naming the covariate and what it says.
    """
    if not names or cohort.targets is None:
        return
    samples = cohort.samples.table
    values = by_patient(clinical_table(cohort), names)
    for target in targets:
        labels = patient_labels(cohort, samples, cohort.targets, target)
        if labels is None:
            continue
        for name in values.columns:
            if tells_the_outcome(values[name], labels):
                raise ConfigError(
                    f"--covariates {name}: it says {target.name}, the outcome, of every patient in "
                    "whom both are known; leave it out"
                )


# The truth, brought to the samples: events matched in time, missed and false ones kept.

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
    """Match event targets to samples cut from recordings, one to one, within the task's tolerance.

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
    numeric = series.map(lambda item: isinstance(item, int | float | np.number) and item == item)
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


# The covariates that the user named: checked before anything slow, then handed to their model.


def checked_covariates(setup: Setup, inputs: Sequence[Path]) -> None:
    """Refuse what is no covariate of the cohort tables among some inputs.

    Raises
    ------
    ConfigError
        If no input is a cohort table, or a column is none, the outcome, or known only later.
    """
    names = setup.config.covariates
    if not names:
        return
    tables = CohortTable.find_all(inputs, setup.plugin.info.paths)
    if not tables:
        raise ConfigError(
            f"--covariates {names[0]}: expected a cohort table, or a folder with cohort.csv, found "
            f"none in {', '.join(path.name for path in inputs)}; see docs/cohort.md"
        )
    rows = pd.concat([table.rows for table in tables])
    outcome = setup.config.outcome.column
    check_covariates(names, rows, tables[0].name, outcome=outcome, task=setup.task)


def clinical_of(
    names: Sequence[str], cohort: Cohort, features: FeatureSet, inputs: Iterable[Path]
) -> FeatureSet | None:
    """Return the named covariates in the place of features; None where none is named.

    New patients without a cohort table have none of them: every value is missing.
    """
    if not names:
        return None
    table = table_of(cohort, inputs)
    if table is None:
        table = pd.DataFrame({"patient_id": []})
    values = of_samples(table, features.table, names)
    return clinical_features(features.table, values.reindex(columns=list(names)))


def table_of(cohort: Cohort, inputs: Iterable[Path]) -> pd.DataFrame | None:
    """Return the cohort table behind some inputs, whether `load` of the plugin keeps it or not."""
    if cohort.table is not None:
        return cohort.table
    return table_rows(inputs, ())


def table_rows(inputs: Iterable[Path], paths: Collection[str]) -> pd.DataFrame | None:
    """Return the rows of the inputs' cohort tables; None where there is no table."""
    found = [table.rows for table in CohortTable.find_all(inputs, paths)]
    return pd.concat(found) if found else None
