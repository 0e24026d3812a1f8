"""Configuration in layers, with errors that name the key."""

import pytest
from pydantic import Field

from cardio_core.config import (
    Block,
    RunConfig,
    dump_yaml,
    merge,
    parse_sets,
    resolve_config,
    validated,
)
from cardio_core.io.settings_schema import read_yaml
from cardio_core.testing import refuses
from cardio_stats.errors import ConfigError


class Train(Block):
    epochs: int = Field(3, ge=1)
    rate: float = 0.1


class Config(RunConfig):
    train: Train = Train()


def test_a_task_overlays_its_own_layer_and_set_overlays_everything():
    stack = [
        (
            "default",
            {"train": {"epochs": 5, "rate": 0.5}, "tasks": {"t": {"train": {"epochs": 7}}}},
        ),
        ("cpu", {"train": {"rate": 0.2}}),
    ]
    made = resolve_config(Config, stack, task="t", sets=parse_sets(["inner.k=2"]))
    assert (made.train.epochs, made.train.rate, made.inner.k) == (7, 0.2, 2)
    other = resolve_config(Config, stack, task="u", sets={})
    assert other.train.epochs == 5


@pytest.mark.parametrize(
    ("sets", "named"),
    [
        (["train.epoch=3"], ["--set", "train.epoch", "epochs"]),
        (["trian.epochs=3"], ["trian", "train"]),
        (["train.epochs=0"], ["train.epochs", 1, 0]),
        (["train.epochs"], ["--set", "key=value"]),
        (["train.epochs=[1"], ["[1", "YAML"]),
    ],
)
def test_a_wrong_setting_is_refused_with_the_key_and_the_nearest_one(sets, named):
    with refuses(ConfigError, *named):
        resolve_config(Config, [], task="t", sets=parse_sets(sets))


def test_an_error_names_the_layer_that_it_is_in():
    with refuses(ConfigError, "x", "my.yaml"):
        resolve_config(Config, [("my.yaml", {"x": 1})], task="t", sets={})


def test_a_protocol_sees_its_overrides_and_the_other_does_not():
    sets = {"protocols": {"honest": {}, "paper": {"overrides": {"train": {"epochs": 9}}}}}
    made = resolve_config(Config, [], task="t", sets=sets)
    assert made.for_protocol("paper").train.epochs == 9
    assert made.for_protocol("honest").train.epochs == 3


def test_the_dumped_configuration_reads_back_equal():
    made = resolve_config(Config, [], task="t", sets=parse_sets(["train.rate=0.25", "models=[a]"]))
    assert validated(Config, read_yaml(dump_yaml(made), "x"), "x") == made


def test_values_cannot_be_changed_after_validation():
    with pytest.raises(ValueError, match="frozen"):
        Config().train.epochs = 4


def test_merging_replaces_lists_and_keeps_what_is_not_named():
    assert merge({"a": [1, 2], "b": {"c": 1}}, {"a": [3]}) == {"a": [3], "b": {"c": 1}}
