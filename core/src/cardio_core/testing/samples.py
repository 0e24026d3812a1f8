"""Contract: data, samples and features of one task, before anything is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from cardio_core.registry import Plugin
    from cardio_core.testing.driving import Bench
    from cardio_core.types.features import FeatureSet
    from cardio_core.types.samples import Cohort

ALLOWED = {
    "recording_id", "study_id", "patient_id", "site_id", "subject_link", "scanner_id", "timepoint",
}  # fmt: skip


class SamplesContract:
    """The twin is deterministic; features depend on one patient's recordings and on nothing else.

    Subclasses provide the fixtures `opened` (the plugin), `twin` (a folder of synthetic data) and
    `bench` (the task, set up over it).
    """

    n_checked = 6
    n_patients: int

    @pytest.fixture(scope="class")
    @classmethod
    def cohort(cls, bench: Bench) -> Cohort:
        """The twin, loaded."""
        return bench.load()

    @pytest.fixture(scope="class")
    @classmethod
    def checked(cls, cohort: Cohort) -> list[str]:
        """The patients whose features are made again and again; a few are enough."""
        from cardio_core.testing.driving import patients_of

        return patients_of(cohort)[: cls.n_checked]

    @pytest.fixture(scope="class")
    @classmethod
    def features(cls, bench: Bench, cohort: Cohort, checked: list[str]) -> dict[str, FeatureSet]:
        """Their features, made in the usual order."""
        return bench.features(cohort, checked)

    def test_the_twin_is_the_same_for_the_same_seed_and_another_for_another(
        self, opened: Plugin, task: str, tmp_path: Path
    ) -> None:
        """Whoever repeats a synthetic run must get the same recordings."""
        from cardio_core.io.hashing import directory_digest

        made = []
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            make_twin(opened, task, tmp_path / name, n_patients=4, seed=seed)
            made.append(directory_digest(tmp_path / name))
        assert made[0] == made[1], "the same seed writes other files the second time"
        assert made[0] != made[2], "the seed changes nothing"

    def test_the_twin_has_as_many_patients_as_were_asked_for(self, cohort: Cohort) -> None:
        """Neither the loader nor the twin loses anybody without saying so."""
        n_found = cohort.samples.table["patient_id"].nunique()
        assert not cohort.quarantined, f"quarantined: {cohort.quarantined[0]}"
        said = (cohort.notes or cohort.excluded) and n_found < self.n_patients
        assert n_found == self.n_patients or said, (
            f"asked for {self.n_patients} patients, loaded {n_found}, and no note says why"
        )

    def test_the_twins_of_a_task_and_of_what_it_needs_fit_together(
        self, opened: Plugin, task: str, twin: Path, tmp_path: Path
    ) -> None:
        """Needs of the same patients find them in their own twin; of others, they find none."""
        from cardio_core.runner.request import RunRequest
        from cardio_core.testing.driving import patients_of, set_up_bench

        def patients(of: str, folder: Path) -> set[str]:
            request = RunRequest(opened.info.name, of, (folder,), config="smoke", device="cpu")
            return set(patients_of(set_up_bench(request).load()))

        for need in opened.info.task(task).needs:
            other = tmp_path / need.task
            make_twin(opened, need.task, other, n_patients=self.n_patients, seed=0)
            theirs, ours = patients(need.task, other), patients(task, twin)
            if need.patients == "same":
                # Theirs may be more: a task may leave people out who lack what it predicts.
                assert ours <= theirs, f"the twin of {need.task} lacks {min(ours - theirs)}"
            else:
                assert not theirs & ours, f"the twin of {need.task} shares {min(theirs & ours)}"

    def test_loading_changes_no_file(self, bench: Bench, twin: Path, checked: list[str]) -> None:
        """Inputs are never modified, and nothing is written beside them."""
        from cardio_core.io.hashing import directory_digest

        before = directory_digest(twin)
        bench.features(bench.load(), checked[:1])
        assert directory_digest(twin) == before, "the data folder changed"

    def test_no_column_of_the_samples_tells_the_label(self, bench: Bench, cohort: Cohort) -> None:
        """What stands in the sample table reaches `featurize`, so no label may stand there."""
        table, targets = cohort.samples.table, cohort.targets
        names = {target.name for target in bench.task.targets}
        strange = (set(table.columns) - ALLOWED) & names
        assert not strange, f"the sample table carries the target {sorted(strange)[0]!r}"
        if targets.unit == "event":
            return
        for target in names:
            y = targets.of(table, target)
            for column in sorted(set(table.columns) - ALLOWED):
                assert not _tells(table[column].to_numpy(), y), (
                    f"column {column!r} of the sample table is {target!r} under another name"
                )

    def test_features_are_the_same_when_made_again(
        self, bench: Bench, checked: list[str], features: dict[str, FeatureSet]
    ) -> None:
        """No clock, no global random state, nothing left over from the call before."""
        require_equal(bench.features(bench.load(), checked), features, "made again")

    def test_features_do_not_depend_on_the_order_of_the_patients(
        self, bench: Bench, cohort: Cohort, checked: list[str], features: dict[str, FeatureSet]
    ) -> None:
        """They are fitted on nobody, so it cannot matter who came before."""
        again = bench.features(cohort, reversed(checked))
        require_equal(again, features, "made in reverse order")

    def test_features_do_not_depend_on_who_else_is_there(
        self, bench: Bench, cohort: Cohort, checked: list[str], features: dict[str, FeatureSet]
    ) -> None:
        """One patient alone has the features that he has in a cohort."""
        last = [patient for patient in checked if patient in features][-1:]
        alone = bench.features(bench.load(), last)
        require_equal(alone, {name: features[name] for name in last}, "made alone")

    def test_features_do_not_depend_on_the_order_of_a_patients_recordings(
        self, bench: Bench, cohort: Cohort, checked: list[str], features: dict[str, FeatureSet]
    ) -> None:
        """Files are found in any order."""
        from dataclasses import replace

        backwards = np.arange(len(cohort.samples))[::-1]
        turned = replace(cohort, samples=cohort.samples.take(backwards))
        again = bench.features(turned, checked)
        ordered = {
            name: one.view(one.table.index.get_indexer(features[name].table.index))
            for name, one in again.items()
        }
        require_equal(ordered, features, "made from recordings in reverse order")

    def test_every_feature_has_a_name_an_axis_and_a_unit(
        self, features: dict[str, FeatureSet]
    ) -> None:
        """A number without a unit is no measurement; ``"1"`` is the unit of a pure number."""
        assert features, "no patient of the twin gives features"
        for name, block in next(iter(features.values())).blocks.items():
            n_named = (*block.values.shape, 0)[1]
            assert len(block.names) == n_named, (
                f"block {name!r} has {n_named} along its axis {block.axes[:1]} but the names "
                f"{block.names}"
            )
            assert all(unit.strip() for unit in block.units), f"block {name!r}: an empty unit"
            assert all(axis.strip() for axis in block.axes), f"block {name!r}: an axis without name"

    def test_no_feature_is_infinite(self, features: dict[str, FeatureSet]) -> None:
        """NaN may stand for what could not be measured; infinity means a division by nothing."""
        for patient, one in features.items():
            for name, block in one.blocks.items():
                infinite = np.isinf(block.in_units()).sum()
                assert not infinite, f"patient {patient}, block {name!r}: {infinite} infinite"


def make_twin(
    plugin: Plugin, task: str, folder: Path, *, n_patients: int | None, seed: int
) -> Path:
    """Write a plugin's synthetic twin into a new folder and return it."""
    from cardio_core.registry import resolve

    folder.mkdir(parents=True)
    resolve(plugin.info.synthesize)(folder, task=task, n_patients=n_patients, seed=seed)
    return folder


def require_equal(
    made: Mapping[str, FeatureSet], expected: Mapping[str, FeatureSet], how: str
) -> None:
    """Raise unless two sets of features are equal, number by number."""
    assert sorted(made) == sorted(expected), f"other patients when {how}"
    for patient, one in expected.items():
        again = made[patient]
        same_rows = list(one.table.index) == list(again.table.index)
        assert same_rows, f"patient {patient}: other samples when {how}"
        for name, block in one.blocks.items():
            equal = np.array_equal(
                np.asarray(block.values), np.asarray(again[name].values), equal_nan=True
            )
            assert equal, f"patient {patient}, block {name!r}: other numbers when {how}"


def _tells(column: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> bool:
    """Whether a column and a label determine each other, without naming each row apart."""
    import pandas as pd

    pairs = pd.DataFrame({"column": pd.Series(column).astype(str), "y": pd.Series(y).astype(str)})
    n_column, n_label = pairs["column"].nunique(), pairs["y"].nunique()
    joint = len(pairs.drop_duplicates())
    return 1 < n_label == n_column == joint
