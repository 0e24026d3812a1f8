"""A task on the same patients is split by the outcome of the task that needs it."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest

from cardio_core.config import OutcomeBlock, RunConfig
from cardio_core.runner.needs import resolve_needs
from cardio_core.runner.prepare import stratified
from cardio_core.runner.request import RunRequest
from cardio_core.runner.setup import Setup
from cardio_core.testing import refuses
from cardio_core.types.info import Model, Need, Target, Task
from cardio_core.types.samples import Cohort, SampleSet
from cardio_core.types.targets import Targets
from cardio_stats.errors import ConfigError

TASK = Task(
    "own", "An outcome", "study", (Target("x", "binary", ("no", "yes")),), (Model("m", "A model"),),
    needs=(Need("view", "same"), Need("pretraining", "other")), any_outcome=True,
)  # fmt: skip


def test_a_needed_task_is_asked_for_its_own_outcome_and_split_by_this_ones(tmp_path: Path) -> None:
    made: dict[str, RunRequest] = {}

    def run(request: RunRequest) -> Path:
        made[str(request.task)] = request
        folder = tmp_path / str(request.task)
        folder.mkdir()
        (folder / "manifest.json").write_text(json.dumps({"status": "done"}))
        return folder

    request = RunRequest(
        "p", "own", (tmp_path,), outcome="x", event="2", primary="m", covariates=("age_y",)
    )
    config = RunConfig(outcome=OutcomeBlock(column="x", kind="binary", classes=("no", "yes")))
    setup = Setup(Mock(), TASK, config, (), ("honest",), ("m",), "m", ())
    resolve_needs(request, setup, tmp_path / "run", run)
    for own in made.values():
        assert (own.outcome, own.event, own.primary, own.covariates) == (None, None, None, ())
    assert [text.partition("=")[0] for text in made["view"].sets] == ["stratify"]
    assert "x" in made["view"].sets[0] and made["pretraining"].sets == ()


def cohort(unit: str, values: list[object]) -> Cohort:
    """Two studies a patient with one recording each."""
    n = len(values)
    ids = {"recording_id": [f"r{i}" for i in range(n)], "study_id": [f"s{i}" for i in range(n)],
           "patient_id": [f"p{i // 2}" for i in range(n)]}  # fmt: skip
    rows = pd.DataFrame(ids)
    table = pd.DataFrame({"x": values}, index=ids["study_id"])
    keys = list(dict.fromkeys(ids[f"{unit}_id"]))
    targets = Targets(unit, pd.DataFrame({"t": range(len(keys))}, index=keys))
    return Cohort(SampleSet(rows, np.zeros(n)), {}, targets, table)


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("recording", {"r0": "a", "r1": None, "r2": "b", "r3": "b"}),
        ("study", {"s0": "a", "s1": None, "s2": "b", "s3": "b"}),
        ("patient", {"p0": "a", "p1": "b"}),
    ],
)
def test_strata_are_by_the_unit_of_the_targets(unit: str, expected: dict[str, object]) -> None:
    targets = stratified(cohort(unit, ["a", None, "b", "b"]), "x").targets
    assert targets is not None and targets.strata is not None
    assert targets.strata.to_dict() == expected


def test_many_numbers_are_parted_at_their_median_and_an_absent_column_is_named() -> None:
    made = cohort("study", [*range(20), None])
    targets = stratified(made, "x").targets
    assert targets is not None and targets.strata is not None
    assert targets.strata.value_counts().to_dict() == {"high": 10, "low": 10}
    with refuses(ConfigError, "stratify", code="missing"):
        stratified(made, "y")
