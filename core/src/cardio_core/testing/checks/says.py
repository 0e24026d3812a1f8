"""Checks of what a plugin says of itself, without running anything."""

from __future__ import annotations

import inspect
import re
from typing import Any

from cardio_core.config import RunConfig, layers, named_configs, resolve_config
from cardio_core.errors import ConfigError
from cardio_core.hookspecs import HOOKS
from cardio_core.io.kept.settings import read_yaml
from cardio_core.registry import require_installed, resolve
from cardio_core.registry.settings import settings_of
from cardio_core.runner.plugin_options import lacks_setting
from cardio_core.splits import find_plan
from cardio_core.testing.case import PluginCase
from cardio_core.testing.heavy import heavy_modules_after
from cardio_core.testing.verdict import BrokenContractError, require
from cardio_core.types.info import Target, Task


def the_plugin_module_imports_nothing_heavy(case: PluginCase) -> None:
    """`cardio plugins list` opens every plugin module, so each must be cheap."""
    module = require_installed(case.name).value.partition(":")[0]
    heavy = heavy_modules_after(f"import {module}")
    require(
        not heavy, f"importing {module} loads {', '.join(heavy)}; move these imports into functions"
    )


def info_carries_the_name_of_the_entry_point(case: PluginCase) -> None:
    """Messages and caches use the one name for the other."""
    found = case.info.name
    require(found == case.name, f"INFO.name is {found!r}; call it {case.name!r}")
    require(case.info.title.strip(), "INFO.title is empty; say in one line what the plugin does")


def every_hook_says_what_it_does(case: PluginCase) -> None:
    """A docstring on each hook is what an author of the next plugin reads first."""
    bare = {
        f"{hook} of task {task.name}"
        for task in case.info.tasks
        for hook in HOOKS
        if (function := case.opened.function(hook, task)) and not inspect.getdoc(function)
    }
    require(not bare, f"no docstring: {', '.join(sorted(bare))}; write a line for each")


def tasks_are_complete_and_their_names_unique(case: PluginCase) -> None:
    """Each task has targets with classes or a unit, and models with names of their own."""
    info = case.info
    names = [task.name for task in info.tasks]
    require(len(set(names)) == len(names), f"two tasks share a name; rename one of {names}")
    require(info.default_task in names, f"default_task {info.default_task!r} is none of {names}")
    for task in info.tasks:
        require(task.title.strip(), f"task {task.name}: no title; add one")
        require(task.targets, f"task {task.name}: no target; say what is predicted")
        require(task.models, f"task {task.name}: no model; say what is compared")
        models = [model.name for model in task.models]
        require(len(set(models)) == len(models), f"task {task.name}: two models share a name")
        for target in task.targets:
            _require_complete(target, f"task {task.name}, target {target.name}")
        _require_models(task)


def _require_complete(target: Target, where: str) -> None:
    least = {"binary": 2, "multiclass": 3, "continuous": 0}[target.kind]
    require(
        len(set(target.classes)) == len(target.classes) >= least,
        f"{where}: a {target.kind} target cannot have the classes {target.classes}",
    )
    binary = target.kind == "binary"
    require(not binary or len(target.classes) == 2, f"{where}: a binary target has two classes")
    require(target.kind != "continuous" or target.unit, f"{where}: no unit; add one, or '1'")
    require(
        set(target.unscored) <= set(target.classes), f"{where}: unscored names a class of no target"
    )


def _require_models(task: Task) -> None:
    known = {target.name for target in task.targets}
    single = {model.name for model in task.models if not model.fuses}
    for model in task.models:
        where = f"task {task.name}, model {model.name}"
        require(set(model.targets) <= known, f"{where}: predicts a target of no name")
        strange = set(model.fuses) - single
        require(not strange, f"{where}: cannot fuse {sorted(strange)}")
        for fused in model.fuses:
            require(not task.model(fused).rule, f"{where}: {fused} has no inner folds")
            lacks = set(task.targets_of(model.name)) - set(task.targets_of(fused))
            require(not lacks, f"{where}: {fused} does not predict what it fuses")


def needs_name_tasks_and_run_in_no_circle(case: PluginCase) -> None:
    """A task can be reached from tasks that need nothing, and models that use them are its own."""
    tasks = case.info.tasks
    known = {task.name for task in tasks}
    ready: set[str] = set()
    for task in tasks:
        strange = {need.task for need in task.needs} - known
        require(not strange, f"task {task.name} needs {sorted(strange)}, which is no task")
        fitted = {model.name for model in task.models if not model.fuses}
        for need in task.needs:
            unknown = sorted(set(need.models) - fitted)
            require(
                not unknown,
                f"task {task.name}: the need {need.task} names {unknown[:1]}, which is no model "
                "that the plugin fits; a fused one uses what its members use",
            )
    for _ in tasks:
        ready |= {t.name for t in tasks if {need.task for need in t.needs} <= ready}
    require(ready == known, f"these tasks need each other in a circle: {sorted(known - ready)}")


def what_info_names_can_be_imported(case: PluginCase) -> None:
    """The configuration, the synthetic cohort and the tools are found only when they are used."""
    info = case.info
    for named in {info.config_of(task) for task in info.tasks}:
        require(issubclass(resolve(named), RunConfig), f"{named} is no RunConfig; derive it")
    parameters = inspect.signature(resolve(info.synthesize)).parameters
    missing = {"task", "n_patients", "seed"} - set(parameters)
    require(not missing, f"{info.synthesize} lacks the keyword(s) {sorted(missing)}; add them")
    for name, function in info.tools.items():
        require(callable(resolve(function)), f"tool {name}: {function} cannot be called")


def every_option_stands_for_a_setting_or_a_file(case: PluginCase) -> None:
    """A user types an option without knowing the configuration, so it has to lead somewhere."""
    for task in case.info.tasks:
        model: Any = resolve(case.info.config_of(task))
        names = [option.name for option in task.options]
        require(len(set(names)) == len(names), f"task {task.name}: two options share a name")
        for option in task.options:
            where = f"task {task.name}, option --{option.name}"
            require(
                re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", option.name),
                f"{where}: name it in small letters, digits and single hyphens, without its dashes",
            )
            require(option.title.strip(), f"{where}: no title; say in one line what it is")
            require(
                bool(option.setting) != bool(option.column),
                f"{where}: expected a setting that it stands for or, for a file of a recording, a "
                "column of the cohort table",
            )
            require(
                not option.setting or not lacks_setting(model(), option.setting),
                f"{where}: {model.__name__} has no setting {option.setting!r}; correct the path",
            )
            require(
                not option.for_new or option.setting.startswith("load."),
                f"{where}: new patients are read by settings of the load block alone, and "
                f"{option.setting or option.column!r} is none; take for_new away",
            )


def every_setting_says_what_it_does(case: PluginCase) -> None:
    """`cardio plugins info --settings` and the reference of the documentation are made of it."""
    for task in case.info.tasks:
        silent = [one.path for one in settings_of(case.info, task) if not one.meaning.strip()]
        require(
            not silent,
            f"task {task.name}: {', '.join(silent[:3])} says nothing of itself; write "
            'Field(..., description="what it does, its unit")',
        )


def every_named_configuration_is_valid_for_every_task(case: PluginCase) -> None:
    """A file that only one task can read stops whoever runs another."""
    info = case.info
    names = set(named_configs(info.configs))
    require("default" in names, f"{info.configs} lacks default.yaml; write it, empty if need be")
    for task in info.tasks:
        model: Any = resolve(info.config_of(task))
        for name in sorted(names):
            stack = layers(info.configs, dict.fromkeys(("default", name)))
            config = resolve_config(model, stack, task=task.name, sets={})
            for protocol in config.protocols:
                seen = config.for_protocol(protocol)
                _, plan = find_plan(seen.protocols[protocol], task.plans, ())
                require(
                    protocol == "paper" or plan.overlap is None,
                    f"{name}.yaml, task {task.name}: honest uses a plan with an overlap "
                    f"({plan.overlap}); choose nested, holdout or sites",
                )
                for candidate in seen.search:
                    seen.with_train(candidate)


def configurations_name_no_task_that_does_not_exist(case: PluginCase) -> None:
    """A misspelt task in a file would be passed over silently."""
    known = {task.name for task in case.info.tasks}
    for name, text in named_configs(case.info.configs).items():
        strange = set(read_yaml(text, name).get("tasks") or {}) - known
        require(not strange, f"{name}.yaml speaks of {sorted(strange)}, which is no task")


def an_unknown_setting_is_refused(case: PluginCase) -> None:
    """A misspelt setting must not be ignored, at the top or in the block of any hook."""
    stranger: dict[str, Any] = {"no_such_setting": 1}
    stack = layers(case.info.configs, ["default"])
    for task in case.info.tasks:
        model: Any = resolve(case.info.config_of(task))
        for block in ("", *HOOKS):
            sets = {block: stranger} if block else stranger
            try:
                resolve_config(model, stack, task=task.name, sets=sets)
            except ConfigError as error:
                require("no_such_setting" in str(error), f"refused for another reason: {error}")
            else:
                raise BrokenContractError(
                    f"task {task.name}: {block or 'the configuration'} takes a key that it does "
                    "not know; derive the block from Block and leave extra='forbid' as it is"
                )


def every_setting_says_what_it_is(case: PluginCase) -> None:
    """A docstring on every block of the configuration is its documentation."""
    for task in case.info.tasks:
        config: Any = resolve(case.info.config_of(task))
        for hook in HOOKS:
            block = type(getattr(config(), hook))
            require(inspect.getdoc(block), f"{block.__name__} has no docstring; write a line")


OF_INFO = (
    the_plugin_module_imports_nothing_heavy,
    info_carries_the_name_of_the_entry_point,
    every_hook_says_what_it_does,
    tasks_are_complete_and_their_names_unique,
    needs_name_tasks_and_run_in_no_circle,
    what_info_names_can_be_imported,
    every_option_stands_for_a_setting_or_a_file,
    every_setting_says_what_it_does,
    every_named_configuration_is_valid_for_every_task,
    configurations_name_no_task_that_does_not_exist,
    an_unknown_setting_is_refused,
    every_setting_says_what_it_is,
)
