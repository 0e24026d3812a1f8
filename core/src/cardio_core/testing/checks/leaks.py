"""Checks that what a recording yields depends neither on who else is there nor on what is beside.

A label must not reach `featurize` by any way: not through a table that a hook opens beside the
recording, and not through a number that `load` computed over the whole cohort.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.errors import CardioError
from cardio_core.testing.case import TaskCase
from cardio_core.testing.checks.copies import isolate
from cardio_core.testing.checks.samples import require_equal
from cardio_core.testing.checks.tables import copy_reordered, copy_without, has_cohort_table
from cardio_core.testing.driving import Bench
from cardio_core.testing.verdict import BrokenContractError, require
from cardio_core.types.features import FeatureSet
from cardio_core.types.samples import Cohort

_FEW = 2


def features_do_not_depend_on_who_else_is_there(case: TaskCase) -> None:
    """One patient alone has the features that he has in a cohort."""
    last = dict([*case.features.items()][-1:])
    _require_features(case.bench, case.bench.load(), last, "made alone")


def features_do_not_depend_on_what_lies_beside_a_recording(case: TaskCase) -> None:
    """Made of copies of its own files alone, under other names, with no table anywhere."""
    how = (
        "made of copies of the recordings' files in empty folders, under other names and without "
        "a table; preprocess, featurize and the opener may read what Cohort.files names and "
        "nothing else"
    )
    expected = _settled(case.features)
    copy, nowhere = case.empty("elsewhere"), case.empty("nowhere")
    shutil.copytree(case.data, copy)
    nowhere.mkdir()
    bench = case.bench.over(copy)
    cohort = bench.load()
    everybody = list(case.cohort.samples.table.index)
    _require_same_rows(cohort, case.cohort, everybody, "loaded elsewhere")
    alone = isolate(cohort, copy, case.empty("alone"), case.checked)
    hidden = case.data.rename(case.empty("hidden"))
    try:
        with chdir(nowhere):
            _require_features(bench, alone, expected, how)
    finally:
        hidden.rename(case.data)


def what_a_recording_yields_is_the_same_in_half_of_the_cohort(case: TaskCase) -> None:
    """A mean over everybody, kept by `load`, tells each recording of the labels of the others."""
    samples = case.cohort.samples.table
    patients = list(dict.fromkeys(samples["patient_id"]))
    # Without a table, recordings may be numbered as they come.
    by_table = has_cohort_table(case.data)
    kept = patients[::2] if by_table else patients[: (len(patients) + 1) // 2]
    ours = samples["patient_id"].isin(kept)

    def ids(rows: pd.DataFrame) -> set[str]:
        return {
            str(one) for name in ("patient_id", "study_id", "recording_id") for one in rows[name]
        }

    def files(rows: pd.DataFrame) -> set[Path]:
        return {file for name in rows["recording_id"] for file in case.cohort.files[name]}

    half = case.empty("half")
    copy_without(
        case.data,
        half,
        ids=ids(samples[~ours]) - ids(samples[ours]),
        files=files(samples[~ours]) - files(samples[ours]),
        recordings=files(samples),
    )
    _require_the_same(case, half, kept, "where half of the cohort is absent")


def what_a_recording_yields_is_the_same_in_a_reordered_cohort(case: TaskCase) -> None:
    """Nothing about a recording may come from its place in the cohort table."""
    if has_cohort_table(case.data):
        turned = case.empty("turned")
        copy_reordered(case.data, turned)
        patients = list(case.cohort.samples.table["patient_id"])
        _require_the_same(case, turned, patients, "where the cohort table is in another order")


def _require_the_same(case: TaskCase, data: Path, patients: Sequence[str], how: str) -> None:
    bench = case.bench.over(data)
    try:
        cohort = bench.load()
    except CardioError as error:
        raise BrokenContractError(
            f"load fails {how}: {error}; let it take every recording by itself"
        ) from error
    table = case.cohort.samples.table
    expected = list(table.index[table["patient_id"].isin(patients)])
    _require_same_rows(cohort, case.cohort, expected, how)
    few = dict([one for one in case.features.items() if one[0] in patients][-_FEW:])
    why = f"made {how}; let load and its opener take every recording by itself"
    _require_features(bench, cohort, few, why)


def _require_same_rows(made: Cohort, base: Cohort, recordings: Sequence[str], how: str) -> None:
    """Raise unless these recordings have the same row of the sample table in both cohorts."""
    before, after = base.samples.table, made.samples.table
    lost = [name for name in recordings if name not in after.index]
    require(not lost, f"{len(lost)} recordings, such as {lost[:1]}, are lost or renamed {how}")
    columns = set(before.columns) ^ set(after.columns)
    require(not columns, f"the sample table has other columns {how}: {sorted(columns)[:1]}")
    for column in before.columns:
        for name in recordings:
            require(
                _same(before.loc[name, column], after.loc[name, column]),
                f"column {column!r} of the sample table is another for recording {name!r} {how}; "
                "fit what needs the whole cohort in train",
            )


def _same(one: Any, other: Any) -> bool:
    if np.ndim(one) or np.ndim(other):
        return np.array_equal(np.asarray(one), np.asarray(other))
    return bool(one is other or (pd.isna(one) and pd.isna(other)) or one == other)


def _settled(features: Mapping[str, FeatureSet]) -> dict[str, FeatureSet]:
    """Return features that hold their numbers, and need no file any more."""
    return {
        patient: FeatureSet(
            one.table,
            {name: replace(block, values=np.asarray(block.values)) for name, block in
             one.blocks.items()},
        )
        for patient, one in features.items()
    }  # fmt: skip


def _require_features(
    bench: Bench, cohort: Cohort, expected: Mapping[str, FeatureSet], how: str
) -> None:
    """Raise unless patients have the features that they had, and say what went wrong."""
    try:
        made = bench.features(cohort, expected)
        for patient in sorted(set(expected) - set(made)):
            reasons = [row.reason for row in bench.make(cohort, patient).quarantined]
            require(False, f"patient {patient} has no features ({reasons[:1]}) when {how}")
        require_equal(made, expected, how)
    except CardioError as error:
        raise BrokenContractError(f"{error} when {how}") from error


OF_LEAKS = (
    features_do_not_depend_on_who_else_is_there,
    features_do_not_depend_on_what_lies_beside_a_recording,
    what_a_recording_yields_is_the_same_in_half_of_the_cohort,
    what_a_recording_yields_is_the_same_in_a_reordered_cohort,
)
