"""Checks of data, samples and features of one task, before anything is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.io.cohort_rows import find_cohort_table
from cardio_core.io.cohort_schema import COLUMNS
from cardio_core.io.hashing import directory_digest
from cardio_core.report.measured.values import is_listed
from cardio_core.runner.request import RunRequest
from cardio_core.testing.case import TaskCase
from cardio_core.testing.driving import patients_of, set_up_bench
from cardio_core.testing.verdict import advise, require
from cardio_core.types.features import FeatureSet

ALLOWED = {
    "recording_id", "study_id", "patient_id", "site_id", "subject_link", "scanner_id", "timepoint",
}  # fmt: skip


def the_synthetic_cohort_is_the_same_for_the_same_seed_and_another_for_another(
    case: TaskCase,
) -> None:
    """Whoever repeats a synthetic run must get the same recordings."""
    first, again, other = (
        directory_digest(case.synthesize(case.task_name, n_patients=4, seed=seed))
        for seed in (1, 1, 2)
    )
    require(first == again, "the same seed writes other files; draw everything from `seed`")
    require(first != other, "the seed changes nothing; draw everything from it")


def the_synthetic_cohort_has_as_many_patients_as_were_asked_for(case: TaskCase) -> None:
    """Neither `load` nor `synthesize` loses anybody without saying so."""
    cohort, asked = case.cohort, case.sizes.n_patients
    for one in cohort.quarantined:
        require(False, f"load quarantines its own recording {one.recording_id}: {one.reason}")
    n_found = cohort.samples.table["patient_id"].nunique()
    said = (cohort.notes or cohort.excluded) and n_found < asked
    require(
        n_found == asked or said,
        f"asked for {asked} patients, loaded {n_found}, and no note of load says why",
    )


def synthetic_cohorts_of_a_task_and_of_what_it_needs_fit_together(case: TaskCase) -> None:
    """Needs of the same patients find them in their own cohort; of others, they find none."""
    for need in case.task.needs:
        folder = case.synthesize(need.task, n_patients=case.sizes.n_patients, seed=0)
        request = RunRequest(case.name, need.task, (folder,), config="smoke", device="cpu")
        theirs = set(patients_of(set_up_bench(request).load()))
        ours = set(patients_of(case.cohort))
        lacking, shared = sorted(ours - theirs), sorted(theirs & ours)
        if need.patients == "same":
            # Theirs may be more: a task may leave people out who lack what it predicts.
            require(not lacking, f"the cohort of {need.task} lacks {lacking[:1]}; draw the same")
        else:
            require(not shared, f"the cohort of {need.task} shares {shared[:1]}; name others")


def every_column_of_recordings_is_declared(case: TaskCase) -> None:
    """The core tells a column of files by `PluginInfo.paths`; a forgotten one is warned of."""
    table = find_cohort_table(case.data)
    if table is None:
        return
    files = {file.resolve() for own in case.cohort.files.values() for file in own}
    places = {one for file in files for one in (file, *file.parents)} - {*table.resolve().parents}
    declared = {*case.info.paths, *(option.column for option in case.task.options)}
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    # A known column such as `vol_method` may say "spect", which is the name of a folder, too.
    for column in sorted(set(rows.columns) - declared - set(COLUMNS)):
        cells = [part.strip() for cell in rows[column] for part in cell.split(";")]
        if any((table.parent / cell).resolve() in places for cell in cells if cell):
            advise(
                f"load reads the files of the column {column!r}, which PluginInfo.paths does not "
                "name; add it there"
            )


def loading_changes_no_file(case: TaskCase) -> None:
    """Inputs are never modified, and nothing is written beside them."""
    before = directory_digest(case.data)
    case.bench.features(case.bench.load(), case.checked[:1])
    require(directory_digest(case.data) == before, "the data folder changed; write nothing into it")


def no_column_of_the_samples_tells_the_label(case: TaskCase) -> None:
    """What stands in the sample table reaches `featurize`, so no label may stand there."""
    table, targets = case.cohort.samples.table, case.cohort.targets
    names = {target.name for target in case.task.targets}
    own = sorted(set(table.columns) - ALLOWED)
    strange = [column for column in own if column in names]
    require(
        not strange,
        f"the sample table carries the target {strange[:1]}; hand it over in Cohort.targets alone",
    )
    for target in () if targets.unit == "event" else sorted(names):
        y = targets.of(table, target)
        for column in own:
            require(
                not _tells(table[column].to_numpy(), y),
                f"column {column!r} of the sample table is {target!r} under another name; leave it "
                "out",
            )


def features_are_the_same_when_made_again(case: TaskCase) -> None:
    """No clock, no global random state, nothing left over from the call before."""
    again = case.bench.features(case.bench.load(), case.checked)
    require_equal(again, case.features, "made again")


def features_do_not_depend_on_the_order_of_the_patients(case: TaskCase) -> None:
    """They are fitted on nobody, so it cannot matter who came before."""
    again = case.bench.features(case.cohort, reversed(case.checked))
    require_equal(again, case.features, "made in reverse order")


def features_do_not_depend_on_the_order_of_a_patients_recordings(case: TaskCase) -> None:
    """Files are found in any order."""
    backwards = np.arange(len(case.cohort.samples))[::-1]
    turned = replace(case.cohort, samples=case.cohort.samples.take(backwards))
    again = case.bench.features(turned, case.checked)
    ordered = {
        name: one.view(one.table.index.get_indexer(case.features[name].table.index))
        for name, one in again.items()
        if name in case.features and len(one.table) == len(case.features[name].table)
    }
    require_equal(ordered, case.features, "made from recordings in reverse order")


def every_feature_has_a_name_an_axis_and_a_unit(case: TaskCase) -> None:
    """A number without a unit is no measurement; ``"1"`` is the unit of a pure number."""
    require(
        case.features, "no patient of the synthetic cohort gives features; see cardio data check"
    )
    for name, block in next(iter(case.features.values())).blocks.items():
        n_named = (*block.values.shape, 0)[1]
        require(
            len(block.names) == n_named,
            f"block {name!r} has {n_named} along its axis {block.axes[:1]} but the names "
            f"{block.names}; give one a column",
        )
        require(all(u.strip() for u in block.units), f"block {name!r}: an empty unit; '1' is none")
        require(all(a.strip() for a in block.axes), f"block {name!r}: an axis without a name")


def no_feature_is_infinite(case: TaskCase) -> None:
    """NaN may stand for what could not be measured; infinity means a division by nothing."""
    for patient, one in case.features.items():
        for name, block in one.blocks.items():
            n = int(np.isinf(block.in_units()).sum())
            require(not n, f"patient {patient}, block {name!r}: {n} infinite; NaN means unknown")


def some_patient_has_each_measurement(case: TaskCase) -> None:
    """One that nobody has may be a slip of `featurize`; the check warns of it and does not fail."""
    found: dict[tuple[str, str], bool] = {}
    for one in case.features.values():
        for name, block in one.blocks.items():
            if not is_listed(block):
                continue
            has = np.atleast_1d(np.isfinite(block.in_units()).any(axis=0)).tolist()
            titles = block.titles or block.names
            for column, title, known in zip(block.names, titles, has, strict=True):
                if title:  # an empty one is no measurement
                    found[name, column] = known or found.get((name, column), False)
    absent = [f"{block}.{column}" for (block, column), known in found.items() if not known]
    if absent:
        more = f" and {len(absent) - 6} more" if len(absent) > 6 else ""
        advise(
            f"NaN in all {len(case.features)} patients: {', '.join(absent[:6])}{more}; mend "
            'featurize, let the synthetic cohort have it, or title it "" if it is no measurement'
        )


def require_equal(
    made: Mapping[str, FeatureSet], expected: Mapping[str, FeatureSet], how: str
) -> None:
    """Raise unless two sets of features are equal, number by number."""
    other = sorted(set(made) ^ set(expected))
    require(not other, f"other patients when {how}: {other[:1]} has features only once")
    for patient, one in expected.items():
        again = made[patient]
        require(
            list(one.table.index) == list(again.table.index),
            f"patient {patient}: other samples when {how}",
        )
        for name, block in one.blocks.items():
            values, others = np.asarray(block.values), np.asarray(again[name].values)
            require(
                np.array_equal(values, others, equal_nan=True),
                f"patient {patient}, block {name!r}: other numbers when {how}",
            )


def _tells(column: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> bool:
    """Whether a column and a label determine each other, without naming each sample apart."""
    pairs = pd.DataFrame({"column": pd.Series(column).astype(str), "y": pd.Series(y).astype(str)})
    return 1 < pairs["y"].nunique() == pairs["column"].nunique() == len(pairs.drop_duplicates())


OF_SAMPLES = (
    the_synthetic_cohort_is_the_same_for_the_same_seed_and_another_for_another,
    the_synthetic_cohort_has_as_many_patients_as_were_asked_for,
    synthetic_cohorts_of_a_task_and_of_what_it_needs_fit_together,
    every_column_of_recordings_is_declared,
    loading_changes_no_file,
    no_column_of_the_samples_tells_the_label,
    every_feature_has_a_name_an_axis_and_a_unit,
    no_feature_is_infinite,
    some_patient_has_each_measurement,
    features_are_the_same_when_made_again,
    features_do_not_depend_on_the_order_of_the_patients,
    features_do_not_depend_on_the_order_of_a_patients_recordings,
)
