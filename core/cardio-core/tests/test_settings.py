"""What a plugin's settings are said to take, to be and to mean."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field

from cardio_core.api import Block, Need, PluginInfo, RunConfig, Task
from cardio_core.registry.settings import other_lines, setting_words, settings_of, usual_lines

Share = Annotated[float, Field(ge=0, le=1)]


class TrainBlock(Block):
    depth: Literal[18, 50] = 18
    rate_hz: float | None = Field(None, gt=5, description="of the signal; null is the file's")
    corner_mm: tuple[Share, int] | None = Field(None, description="two of them")
    names: tuple[str, ...] = ()
    side: int = Field(8, json_schema_extra={"unit": "pixels"})


class Config(RunConfig):
    train: TrainBlock = TrainBlock()


@pytest.fixture
def found(tmp_path, monkeypatch):
    package = tmp_path / "planted_settings"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "default.yaml").write_text(
        "train: {depth: 50}\n"
        "protocols: {honest: {}, paper: {overrides: {train: {depth: 18, names: []}}}}\n"
        "tasks: {other: {n_synthetic: 9}}\n"
    )
    (package / "smoke.yaml").write_text(
        "n_synthetic: 24\nprotocols: {paper: {overrides: {train: {names: [a]}}}}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("cardio_core.registry.settings.resolve", lambda reference: Config)
    task = Task("one", "One", "patient", (), (), needs=(Need("earlier", "other"),))
    info = PluginInfo("planted", "Planted", (task,), configs="planted_settings")
    return {one.path: one for one in settings_of(info, task)}


@pytest.mark.parametrize(
    ("path", "takes", "unit", "default"),
    [
        ("train.depth", "18 or 50", "", 50),
        ("train.rate_hz", "number above 5 or null", "Hz", None),
        ("train.names", "list of texts", "", []),
        ("train.side", "whole number", "pixels", 8),
        (
            "train.corner_mm",
            "list of 2: number from 0 to 1; whole number or null",
            "mm",
            None,
        ),
        ("inner.k", "whole number of 0 or more", "", 1),
        ("needs.earlier.skip", "true or false", "", False),
        ("protocols.honest.k", "whole number of 2 or more", "", 5),
        ("search", "list of settings", "", []),
    ],
)
def test_a_setting_says_what_it_takes_and_is(found, path, takes, unit, default):
    one = found[path]
    assert (one.takes, one.unit, one.default) == (takes, unit, default)


def test_another_value_in_another_configuration_is_named(found):
    assert found["n_synthetic"].default is None  # that of task `other` is not this task's
    assert found["n_synthetic"].elsewhere == {"smoke": 24}
    assert found["train.depth"].elsewhere == {}


def test_a_setting_without_a_description_says_nothing(found):
    assert found["train.depth"].meaning == ""
    assert found["train.rate_hz"].meaning == "of the signal; null is the file's"


def test_only_the_tasks_that_are_needed_have_settings(found):
    needed = {path.split(".")[1] for path in found if path.startswith("needs.")}
    assert needed == {"earlier"}


def test_the_words_of_an_author_stay_as_they_are(found):
    said = setting_words(found["train.rate_hz"])
    assert said == "of the signal; null is the file's. Takes: number above 5 or null, in Hz."
    assert setting_words(found["train.depth"]) == "Takes: 18 or 50."


def test_a_default_that_holds_settings_is_a_line_each(found):
    overrides = found["protocols.paper.overrides"]
    assert usual_lines(overrides) == [
        "protocols.paper.overrides.train.depth=18",
        "protocols.paper.overrides.train.names=[]",
    ]
    assert other_lines(overrides, "smoke") == ['protocols.paper.overrides.train.names=["a"]']
    assert usual_lines(found["protocols.honest.overrides"]) == []
