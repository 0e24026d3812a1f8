"""Contract: what a plugin says of itself, without running anything."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from cardio_core.errors import ConfigError
from cardio_core.testing.heavy import heavy_modules_after

if TYPE_CHECKING:
    from cardio_core.registry import Plugin
    from cardio_core.types.info import PluginInfo

STAGES = ("load", "preprocess", "featurize", "train", "predict", "explain", "evaluate")


class FrontDoorContract:
    """The front door is light, complete, and everything that it names exists.

    Subclasses provide the fixture `opened`: the plugin.
    """

    plugin: str

    @pytest.fixture(scope="class")
    @classmethod
    def info(cls, opened: Plugin) -> PluginInfo:
        """Its constant INFO."""
        return opened.info

    def test_the_front_door_imports_nothing_heavy(self) -> None:
        """`cardio plugins list` opens every front door, so each must be cheap."""
        from cardio_core.registry import require_installed

        module = require_installed(self.plugin).value.partition(":")[0]
        heavy = heavy_modules_after(f"import {module}")
        assert not heavy, (
            f"importing {module} loads {', '.join(heavy)}; move these imports into functions"
        )

    def test_info_carries_the_name_of_the_entry_point(self, info: PluginInfo) -> None:
        """Messages and caches use the one name for the other."""
        assert info.name == self.plugin, f"INFO.name is {info.name!r}"
        assert info.title.strip(), "INFO.title is empty"

    def test_every_hook_says_what_it_does(self, opened: Plugin) -> None:
        """A docstring on each hook of the front door."""
        bare = {
            f"{hook} of task {task.name}"
            for task in opened.info.tasks
            for hook in STAGES
            if (function := opened.function(hook, task)) and not inspect.getdoc(function)
        }
        assert not bare, f"no docstring: {', '.join(sorted(bare))}"

    def test_tasks_are_complete_and_their_names_unique(self, info: PluginInfo) -> None:
        """Each task has targets with classes or a unit, and rows with names of their own."""
        names = [task.name for task in info.tasks]
        assert len(set(names)) == len(names), f"two tasks share a name: {names}"
        assert info.default_task in names, f"default_task {info.default_task!r} is no task"
        for task in info.tasks:
            assert task.title.strip(), f"task {task.name}: no title"
            assert task.targets, f"task {task.name}: no target"
            rows = [model.name for model in task.models]
            assert rows, f"task {task.name}: no row"
            assert len(set(rows)) == len(rows), f"task {task.name}: two rows share a name"
            for target in task.targets:
                least = {"binary": 2, "multiclass": 3, "continuous": 0}[target.kind]
                where = f"task {task.name}, target {target.name}"
                assert len(set(target.classes)) == len(target.classes) >= least, (
                    f"{where}: a {target.kind} target cannot have the classes {target.classes}"
                )
                assert target.kind != "binary" or len(target.classes) == 2, (
                    f"{where}: a binary target has two classes"
                )
                assert target.kind != "continuous" or target.unit, f"{where}: no unit"
                assert set(target.unscored) <= set(target.classes), f"{where}: unscored"
            known = {target.name for target in task.targets}
            for model in task.models:
                where = f"task {task.name}, row {model.name}"
                assert set(model.targets) <= known, f"{where}: predicts a target of no name"
                strange = set(model.fuses) - {row.name for row in task.models if not row.fuses}
                assert not strange, f"{where}: cannot fuse {sorted(strange)}"
                for fused in model.fuses:
                    assert not task.model(fused).rule, f"{where}: {fused} has no inner folds"
                    lacks = set(task.targets_of(model.name)) - set(task.targets_of(fused))
                    assert not lacks, f"{where}: {fused} does not predict what it fuses"

    def test_needs_name_tasks_and_run_in_no_circle(self, info: PluginInfo) -> None:
        """A task can be reached from tasks that need nothing."""
        known = {task.name for task in info.tasks}
        ready: set[str] = set()
        for task in info.tasks:
            strange = {need.task for need in task.needs} - known
            assert not strange, f"task {task.name} needs {sorted(strange)}, which is no task"
        for _ in info.tasks:
            ready |= {t.name for t in info.tasks if {need.task for need in t.needs} <= ready}
        assert ready == known, f"these tasks need each other in a circle: {sorted(known - ready)}"

    def test_what_info_names_can_be_imported(self, info: PluginInfo) -> None:
        """The configuration, the synthetic twin, and the tools."""
        from cardio_core.config import RunConfig
        from cardio_core.registry import resolve

        for named in {info.config_of(task) for task in info.tasks}:
            config = resolve(named)
            assert issubclass(config, RunConfig), f"{named} is no RunConfig"
        parameters = inspect.signature(resolve(info.synthesize)).parameters
        missing = {"task", "n_patients", "seed"} - set(parameters)
        assert not missing, f"{info.synthesize} lacks the keyword(s) {sorted(missing)}"
        for name, function in info.tools.items():
            assert callable(resolve(function)), f"tool {name}: {function}"

    def test_every_named_configuration_is_valid_for_every_task(self, info: PluginInfo) -> None:
        """`default` exists; what lies beside it is valid alone and over it, per protocol."""
        from cardio_core.config import layers, named_configs, resolve_config
        from cardio_core.registry import resolve
        from cardio_core.splits import find_plan

        names = set(named_configs(info.configs))
        assert "default" in names, f"{info.configs} lacks default"
        for task in info.tasks:
            model: Any = resolve(info.config_of(task))
            for name in sorted(names):
                stack = layers(info.configs, dict.fromkeys(("default", name)))
                config = resolve_config(model, stack, task=task.name, sets={})
                for protocol in config.protocols:
                    seen = config.for_protocol(protocol)
                    _, plan = find_plan(seen.protocols[protocol], task.plans, ())
                    where = f"{name}.yaml, task {task.name}"
                    assert protocol == "paper" or plan.overlap is None, (
                        f"{where}: honest uses a plan with an overlap: {plan.overlap}"
                    )
                    for candidate in seen.search:
                        seen.with_train(candidate)

    def test_configurations_name_no_task_that_does_not_exist(self, info: PluginInfo) -> None:
        """A misspelt task in a file would be passed over silently."""
        from cardio_core.config import named_configs, read_yaml

        known = {task.name for task in info.tasks}
        for name, text in named_configs(info.configs).items():
            strange = set(read_yaml(text, name).get("tasks") or {}) - known
            assert not strange, f"{name}.yaml speaks of {sorted(strange)}, which is no task"

    @pytest.mark.parametrize("block", ["", *STAGES])
    def test_an_unknown_key_is_refused(self, info: PluginInfo, block: str) -> None:
        """A misspelt setting must not be ignored."""
        from cardio_core.config import layers, resolve_config
        from cardio_core.registry import resolve

        stranger: dict[str, Any] = {"no_such_setting": 1}
        for task in info.tasks:
            with pytest.raises(ConfigError, match="no_such_setting"):
                resolve_config(
                    resolve(info.config_of(task)),
                    layers(info.configs, ["default"]),
                    task=task.name,
                    sets={block: stranger} if block else stranger,
                )

    def test_every_setting_says_what_it_is(self, info: PluginInfo) -> None:
        """A docstring on every block of the configuration."""
        from cardio_core.registry import resolve

        for task in info.tasks:
            config: Any = resolve(info.config_of(task))
            for stage in STAGES:
                block = type(getattr(config(), stage))
                assert inspect.getdoc(block), f"{block.__name__} has no docstring"
