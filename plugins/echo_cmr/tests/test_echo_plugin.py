"""What the plugin says of itself: tasks, targets, models, and the paper's settings."""

from __future__ import annotations

from importlib import resources

import pytest
import yaml
from pydantic import ValidationError

from cardio_echo_cmr.findings.config import Config
from cardio_echo_cmr.findings.tasks import MAPPED, SEGMENTAL, VIEW
from cardio_echo_cmr.findings.train import unlike_the_paper
from cardio_echo_cmr.plugin import INFO
from cardio_echo_cmr.views.names import VIEWS

FINDINGS = [task for task in INFO.tasks if task.name != "view"]


def test_every_finding_starts_from_the_view_of_the_same_patients_and_may_do_without():
    for task in FINDINGS:
        (need,) = task.needs
        assert (need.task, need.patients, need.for_new, need.optional) == (
            "view",
            "same",
            True,
            True,
        )
    assert VIEW.needs == ()


def test_all_tasks_look_at_the_same_loops():
    assert len({task.source for task in INFO.tasks}) == 1


@pytest.mark.parametrize("name", SEGMENTAL)
def test_a_view_is_fitted_on_its_own_segments_and_speaks_for_all_seventeen(name):
    task = INFO.task(name)
    for view in VIEWS:
        targets = [target.name for target in task.targets_of(view)]
        assert targets == [f"{name}_{view}", name]
        assert task.model(view).partial
    assert [target.name for target in task.targets_of("fused")] == [name]
    assert task.model("fused").fuses == VIEWS


@pytest.mark.parametrize("name", MAPPED)
def test_a_measured_finding_has_models_for_raised_or_not_and_models_for_its_value(name):
    task, (value, unit) = INFO.task(name), MAPPED[name]
    assert task.target(value).unit == unit
    for view in (*VIEWS, "fused"):
        assert [target.name for target in task.targets_of(view)] == [f"{name}_high"]
        assert [target.name for target in task.targets_of(f"{view}_value")] == [value]
    assert task.model("fused_value").fuses == tuple(f"{view}_value" for view in VIEWS)


@pytest.mark.parametrize("task", FINDINGS, ids=lambda task: task.name)
def test_lvef_alone_and_age_with_sex_are_there_to_be_beaten(task):
    assert [model.name for model in task.models if model.baseline] == ["lvef", "age_sex"]
    aims = {target.name for model in ("lvef", "age_sex") for target in task.targets_of(model)}
    assert aims == ({task.name} if task.name in SEGMENTAL else {t.name for t in task.targets})


def settings(task: str, protocol: str, *others: str):
    """Return the settings of default.yaml, others laid over, as one protocol sees them."""
    tree: dict = {}
    for name in ("default", *others):
        text = resources.files("cardio_echo_cmr.configs").joinpath(f"{name}.yaml").read_text()
        tree = merged(tree, yaml.safe_load(text))
    own = tree.pop("tasks").get(task, {})
    whole = Config.model_validate(merged(tree, own))
    return whole.for_protocol(protocol), whole.protocols[protocol]


def merged(base, over):
    both = dict(base)
    for key, value in over.items():
        both[key] = merged(base[key], value) if isinstance(base.get(key), dict) else value
    return both


@pytest.mark.parametrize("task", FINDINGS, ids=lambda task: task.name)
def test_the_papers_protocol_has_the_published_settings_and_its_flaw(task):
    """16 frames, every second, from 0; AdamW 1e-3, batch 10, at most 50 epochs, patience 10."""
    config, protocol = settings(task.name, "paper")
    train, fit = config.train, config.train.fit
    assert (train.clip, train.n_frames, train.period, train.pad) == ("paper", 16, 2, 0)
    assert (fit.optimizer, fit.learning_rate, fit.weight_decay) == ("adamw", 1e-3, 0.01)
    assert (fit.batch_size, fit.epochs, fit.patience, fit.schedule) == (10, 50, 10, "none")
    assert config.preprocess.side == 112 and train.width_mult == 1
    assert (protocol.plan, protocol.fusion) == ("holdout", "tested")
    tested = protocol.test_share
    validated = (1 - tested) * config.inner.validation_share
    assert (tested, validated) == pytest.approx((0.1, 0.1), abs=1e-4)
    assert config.inner.k == 1


@pytest.mark.parametrize("task", INFO.tasks, ids=lambda task: task.name)
def test_the_honest_protocol_fuses_on_inner_predictions_and_resamples_by_time(task):
    config, protocol = settings(task.name, "honest")
    assert (protocol.plan, protocol.k, protocol.fusion) == ("nested", 5, "inner")
    assert (config.train.clip, config.train.n_frames) == ("honest", 32)
    assert (config.load.views, config.train.min_view_probability) == ("predicted", 0.8)
    assert config.evaluate.n_resamples == 10_000


def test_the_paper_protocol_trains_as_the_paper_did_or_says_what_differs():
    for task in INFO.tasks:
        if task.name != "view":
            assert unlike_the_paper(settings(task.name, "paper")[0].train) == ()
    [said] = unlike_the_paper(settings("wma", "paper", "cpu")[0].train)
    assert "width_mult 0.125 (1.0)" in said and "epochs 60 (50)" in said


def test_the_view_and_the_findings_are_split_alike():
    for protocol in ("honest", "paper"):
        plans = {
            (block.plan, block.k, block.repeats, block.test_share)
            for task in INFO.tasks
            for _, block in [settings(task.name, protocol)]
        }
        assert len(plans) == 1


def test_views_are_not_predicted_by_a_task_that_is_left_out():
    tree = {"needs": {"view": {"skip": True}}, "load": {"views": "predicted"}}
    with pytest.raises(ValidationError, match=r"load\.views=table"):
        Config.model_validate(tree)
    Config.model_validate(tree | {"load": {"views": "table"}})
