"""What a hook may ask its context for, and what it is told where it may not."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from cardio_core.api import Context, Need, Target, Task
from cardio_core.errors import ContractError
from cardio_core.io.store import save_table
from cardio_core.testing import refuses
from cardio_core.types.info import Model

TASK = Task(
    name="findings",
    title="Findings",
    unit="study",
    targets=(Target("scar", "binary", ("no", "yes")),),
    models=(Model("a4c", "Four chambers"),),
    needs=(Need("view", "same", optional=True),),
)


def folds_of(tmp_path, **targets):
    """Two folds of an earlier task, of the studies a and b, with one frame a target."""
    for number, unit in enumerate("ab"):
        folder = tmp_path / f"honest-r0-f{number}" / "row"
        folder.mkdir(parents=True)
        for name, scores in targets.items():
            frame = pd.DataFrame({"unit_id": [unit], "score": [scores[number]]})
            save_table(folder / f"predictions-{name}.npz", frame)
    return {"view": tuple(sorted(tmp_path.glob("*/row")))}


def test_the_only_target_of_the_earlier_task_need_not_be_named(tmp_path):
    ctx = Context(TASK, hook="train", _tested=folds_of(tmp_path, view=(0.25, 0.5)))
    assert ctx.out_of_fold("view")["score"].to_dict() == {"a": 0.25, "b": 0.5}


def test_one_of_several_targets_is_named_and_none_is_taken_by_its_place_in_the_alphabet(tmp_path):
    tested = folds_of(tmp_path, quality=(1.0, 2.0), angle=(3.0, 4.0))
    ctx = Context(TASK, hook="train", _tested=tested)
    assert ctx.out_of_fold("view", "quality")["score"].tolist() == [1.0, 2.0]
    with refuses(ContractError, "view", "angle, quality"):
        ctx.out_of_fold("view")
    with refuses(ContractError, "depth", "view", "angle, quality"):
        ctx.out_of_fold("view", "depth")


def test_new_patients_have_no_out_of_fold_predictions():
    ctx = Context(TASK, hook="predict", mode="predict")
    with refuses(ContractError, "view"):
        ctx.out_of_fold("view")


def test_a_need_that_was_skipped_or_not_kept_is_told_from_one_that_was_not_declared():
    ctx = Context(TASK, hook="predict", mode="predict")
    with refuses(ContractError, "view", "for_new"):
        ctx.need("view")
    with refuses(ContractError, "findings", "beats"):
        ctx.need("beats")
    assert not ctx.has_need("view")
    assert ctx.replace(_needs={"view": {}}).has_need("view")


def test_a_model_gets_no_need_that_was_declared_for_others(tmp_path):
    models = (*TASK.models, Model("age", "Age"), Model("both", "Both", fuses=("a4c", "age")))
    task = replace(TASK, models=models, needs=(Need("view", "same", models=("a4c",)),))
    tested = folds_of(tmp_path, view=(0.25, 0.5))
    ctx = Context(task, hook="train", _tested=tested, _needs={"view": {"resnet": tmp_path}})
    assert ctx.replace(model="a4c").need("view").path == tmp_path
    for ask in (lambda ctx: ctx.need("view"), lambda ctx: ctx.out_of_fold("view")):
        with refuses(ContractError, "age", "view", "models=(...)"):
            ask(ctx.replace(model="age"))
    assert [need.task for need in task.needs_of(["both"])] == ["view"]
    assert not task.needs_of(["both", "age"])  # fused without the member that has the need


@pytest.mark.parametrize("ask", [lambda ctx: ctx.inputs, lambda ctx: ctx.option_file("septum")])
def test_no_hook_but_load_opens_the_input_files(ask):
    with refuses(ContractError, "featurize", "load"):
        ask(Context(TASK, hook="featurize"))
