"""Checks of what a plugin says of itself, without running anything."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.config import RunConfig, layers, named_configs, resolve_config
from cardio_core.fold_assignment import find_plan
from cardio_core.hookspecs import HOOKS
from cardio_core.io.cohort import find_cohort_table
from cardio_core.io.cohort_columns import COLUMNS
from cardio_core.io.hashing import directory_digest
from cardio_core.io.settings_schema import read_yaml
from cardio_core.registry import require_installed, resolve
from cardio_core.registry.settings import settings_of
from cardio_core.report.measurements import is_listed
from cardio_core.runner.request import RunRequest, lacks_setting
from cardio_core.testing.case import BrokenContractError, PluginCase, TaskCase, advise, require
from cardio_core.testing.driving import patients_of, set_up_bench
from cardio_core.types.features import FeatureSet
from cardio_core.types.info import Target, Task
from cardio_stats.errors import ConfigError

# Checks of data, samples and features of one task, before anything is fitted.

ALLOWED = {
    "recording_id", "study_id", "patient_id", "site_id", "subject_link", "scanner_id", "timepoint",
}  # fmt: skip


def the_synthetic_cohort_is_the_same_for_the_same_seed_and_another_for_another(
    case: TaskCase,
) -> None:
    """Whoever repeats a synthetic run must get the same recordings."""
    n = min(4, case.sizes.n_checked)
    first, again, other = (
        directory_digest(case.synthesize(case.task_name, n_patients=n, seed=seed))
        for seed in (1, 1, 2)
    )
    require(first == again, "the same seed writes other files; draw everything from `seed`")
    require(first != other, "the seed changes nothing; draw everything from it")


def the_synthetic_cohort_has_as_many_patients_as_were_asked_for(case: TaskCase) -> None:
    """Neither `load` nor `synthesize` loses anybody without saying so."""
    cohort, n_requested = case.cohort, case.sizes.n_patients
    for entry in cohort.quarantined:
        require(False, f"load quarantines its own recording {entry.recording_id}: {entry.reason}")
    n_found = cohort.samples.table["patient_id"].nunique()
    explained = (cohort.notes or cohort.excluded) and n_found < n_requested
    require(
        n_found == n_requested or explained,
        f"asked for {n_requested} patients, loaded {n_found}, and no note of load says why",
    )


def synthetic_cohorts_of_a_task_and_of_what_it_needs_fit_together(case: TaskCase) -> None:
    """Needs of the same patients find them in their own cohort; of others, they find none."""
    for need in case.task.needs:
        folder = case.synthesize(need.task, n_patients=case.sizes.n_patients, seed=0)
        request = RunRequest(case.name, need.task, (folder,), config="smoke", device="cpu")
        theirs = set(patients_of(set_up_bench(request).load()))
        ours = set(patients_of(case.cohort))
        missing, shared = sorted(ours - theirs), sorted(theirs & ours)
        if need.patients == "same":
            # Theirs may be more: a task may leave people out who lack what it predicts.
            require(not missing, f"the cohort of {need.task} lacks {missing[:1]}; draw the same")
        else:
            require(not shared, f"the cohort of {need.task} shares {shared[:1]}; name others")


def every_column_of_recordings_is_declared(case: TaskCase) -> None:
    """The core tells a column of files by `PluginInfo.paths`; a forgotten one is warned of."""
    table = find_cohort_table(case.data)
    if table is None:
        return
    files = {file.resolve() for recording in case.cohort.files.values() for file in recording}
    places = {value for file in files for value in (file, *file.parents)} - {
        *table.resolve().parents
    }
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
    columns = sorted(set(table.columns) - ALLOWED)
    strange = [column for column in columns if column in names]
    require(
        not strange,
        f"the sample table carries the target {strange[:1]}; hand it over in Cohort.targets alone",
    )
    for target in () if targets.unit == "event" else sorted(names):
        y = targets.of(table, target)
        for column in columns:
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
        name: value.view(value.table.index.get_indexer(case.features[name].table.index))
        for name, value in again.items()
        if name in case.features and len(value.table) == len(case.features[name].table)
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
    for patient, value in case.features.items():
        for name, block in value.blocks.items():
            n = int(np.isinf(block.in_units()).sum())
            require(not n, f"patient {patient}, block {name!r}: {n} infinite; NaN means unknown")


def some_patient_has_each_measurement(case: TaskCase) -> None:
    """One that nobody has may be a slip of `featurize`; the check warns of it and does not fail."""
    found: dict[tuple[str, str], bool] = {}
    for item in case.features.values():
        for name, block in item.blocks.items():
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
    for patient, value in expected.items():
        again = made[patient]
        require(
            list(value.table.index) == list(again.table.index),
            f"patient {patient}: other samples when {how}",
        )
        for name, block in value.blocks.items():
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

# What a plugin module must not import.

HEAVY = (
    "torch", "numpy", "pandas", "scipy", "sklearn", "matplotlib", "pydantic", "lightning", "monai",
)  # fmt: skip
"""Packages that cost a second or more; help texts and plugin modules do without them."""

_REPORT = """
import atexit, sys
heavy = {heavy!r}
atexit.register(lambda: print("LOADED", *(name for name in heavy if name in sys.modules)))
{code}
"""


def heavy_modules_after(code: str, *arguments: str) -> list[str]:
    """Return the heavy packages that a fresh interpreter has imported after running some code.

    Parameters
    ----------
    code : str
        Python source; it may exit.
    *arguments : str
        What follows the program's name in ``sys.argv``.

    Returns
    -------
    list of str
        Names out of `HEAVY`.

    Raises
    ------
    BrokenContractError
        If the code fails; carries what it wrote to standard error.

    Examples
    --------
    >>> heavy_modules_after("import json")
    []
    >>> heavy_modules_after("import numpy")
    ['numpy']
    """
    done = subprocess.run(
        [sys.executable, "-c", _REPORT.format(heavy=HEAVY, code=code), *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    require(done.returncode == 0, f"it exits with {done.returncode}: {done.stderr.strip()}")
    return done.stdout.splitlines()[-1].split()[1:]


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
        strange = sorted(set(task.outcome_columns) - task.columns.keys())
        require(not strange, f"task {task.name}: outcome_columns {strange} are none of columns")
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
        silent = [item.path for item in settings_of(case.info, task) if not item.meaning.strip()]
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
