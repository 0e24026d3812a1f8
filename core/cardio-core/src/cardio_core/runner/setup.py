"""Before anything runs: the plugin, the task, the configuration, the devices, the data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardio_core.compute.devices import Device, device_list
from cardio_core.config import (
    OPTIONAL,
    Protocol,
    RunConfig,
    layers,
    merge,
    named_configs,
    parse_sets,
    resolve_config,
)
from cardio_core.evaluation.clinical_model import with_clinical_model
from cardio_core.fold_assignment import find_plan
from cardio_core.io.cohort_template import EFFECT, lay_over, read_planned
from cardio_core.io.hashing import digest, package_digest
from cardio_core.registry import Plugin, open_plugin, resolve
from cardio_core.runner import default_hooks
from cardio_core.runner.manifest import now
from cardio_core.runner.request import RunRequest, check_data, find_task, with_given
from cardio_core.types.info import PluginInfo, Task
from cardio_stats.errors import ConfigError

# A plugin's synthetic cohort: what is asked for, and how it is written.


@dataclass(frozen=True)
class CohortRequest:
    """Which synthetic cohort; None leaves the choice to the plugin.

    Attributes
    ----------
    task : str
    n_patients : int, optional
    seed : int
    difficulty : str, optional
    patients : Path, optional
        A table of the patients to be recorded, in place of a number.
    effect : str
        Its column of the effect.
    """

    task: str
    n_patients: int | None = None
    seed: int = 0
    difficulty: str | None = None
    patients: Path | None = None
    effect: str = EFFECT


def writer_of(info: PluginInfo, cohort_request: CohortRequest) -> Callable[[Path], None]:
    """Return what writes the cohort into a folder.

    Raises
    ------
    ConfigError
        A difficulty, or a table of patients, is asked of a plugin whose cohort takes none.
    DataError
        The table of patients cannot be used.
    """
    make = resolve(info.synthesize)
    takes = inspect.signature(make).parameters
    more: dict[str, Any] = {}
    if cohort_request.difficulty is not None:
        more["difficulty"] = cohort_request.difficulty
        if "difficulty" not in takes:
            raise ConfigError(
                f"difficulty {cohort_request.difficulty!r}: the synthetic cohort of {info.name} "
                "has no difficulties; leave it out"
            )
    if cohort_request.patients is None:
        more["n_patients"] = cohort_request.n_patients
        return lambda out: make(out, task=cohort_request.task, seed=cohort_request.seed, **more)
    if "patients" not in takes:
        raise ConfigError(
            f"--patients {cohort_request.patients}: the synthetic cohort of {info.name} takes no "
            "table of patients; give a number"
        )
    planned = read_planned(cohort_request.patients, info.name, cohort_request.effect)
    more["patients"] = planned.requested.copy()

    def write(out: Path) -> None:
        make(out, task=cohort_request.task, seed=cohort_request.seed, **more)
        lay_over(out, planned, info.name)

    return write


@dataclass(frozen=True)
class Setup:
    """A request made definite.

    Attributes
    ----------
    primary : str
        The model whose result is the answer: declared before anything is known of the results.
    said : tuple of str
        What the user is told before the run starts: device, configuration, data.
    """

    plugin: Plugin
    task: Task
    config: RunConfig
    devices: tuple[Device, ...]
    protocols: tuple[Protocol, ...]
    models: tuple[str, ...]
    primary: str
    messages: tuple[str, ...]


def set_up(request: RunRequest, *, imports: bool = True) -> Setup:
    """Resolve a request, touching no data; `imports` as of `open_plugin`.

    Raises
    ------
    ConfigError, PluginError
        In one line, before anything starts.
    """
    plugin = open_with_defaults(request.plugin, imports=imports)
    task = find_task(plugin, request.task)
    devices = device_list(request.device, request.n_devices, request.precision)
    config, texts = _configure(plugin, task, request, devices)
    task = with_clinical_model(task, config.covariates)
    models, left_out = _models(task, config)
    protocols, alone = _protocols(request, config)
    for name in protocols:
        find_plan(config.protocols[name], task.plans, ())  # a misspelt plan stops here, not later
    if "honest" in protocols and config.protocols["honest"].fusion == "tested":
        raise ConfigError(
            "protocols.honest.fusion: weights fitted on the tested patients are no honest "
            "evaluation; leave it at inner"
        )
    texts = (f"Device: {devices[0].name}; {devices[0].reason}.", *texts, *alone, *left_out)
    primary = primary_of(task, config, models)
    return Setup(plugin, task, config, devices, protocols, models, primary, texts)


_opened: dict[str, Plugin] = {}


def open_with_defaults(name: str, *, imports: bool = True) -> Plugin:
    """Open one plugin; `preprocess`, `explain` and `evaluate` fall back to the core's."""
    _opened[name] = open_plugin(name, defaults=default_hooks, imports=imports)
    return _opened[name]


def opened(name: str) -> Plugin:
    """Return what this process opened last under a name: a job a patient searches for nothing."""
    return _opened.get(name) or open_with_defaults(name, imports=False)


def find_data(setup: Setup, request: RunRequest, cache: Path) -> tuple[Path, ...]:
    """Return the data to load: what was given, or the synthetic cohort, made once and kept."""
    if request.data:
        check_data(request.data)
        return tuple(path.resolve() for path in request.data)
    config = setup.config
    cohort_request = CohortRequest(
        setup.task.name, config.n_synthetic, request.seed, config.difficulty
    )
    return (synthesize(setup.plugin, setup.task, cache, cohort_request),)


def synthesize(plugin: Plugin, task: Task, cache: Path, cohort_request: CohortRequest) -> Path:
    """Write a plugin's synthetic cohort into the cache, unless it is there; return its folder."""
    from cardio_stats.files import whole_directory

    what = [cohort_request.n_patients, cohort_request.seed, cohort_request.difficulty]
    key = digest([plugin.info.name, package_digest(plugin.package), task.source, *what])
    folder = cache / "synthetic" / f"{plugin.info.name}-{task.source}-{key[:12]}"
    if not folder.exists():
        write = writer_of(plugin.info, cohort_request)
        folder.parent.mkdir(parents=True, exist_ok=True)
        whole_directory(folder, write, keep_others=True)
    return folder


def _configure(
    plugin: Plugin, task: Task, request: RunRequest, devices: tuple[Device, ...]
) -> tuple[RunConfig, tuple[str, ...]]:
    model: Any = resolve(plugin.info.config_of(task))
    chosen = "smoke" if request.smoke else request.config
    known = named_configs(plugin.info.configs)
    names, text = ["default"], []
    if chosen in (None, "default"):
        if devices[0].kind == "cpu" and "cpu" in known:
            names.append("cpu")
            text.append("Configuration: default with the sizes of cpu, because no GPU is used.")
    else:
        names.append(str(chosen))
        lacks = chosen in OPTIONAL and chosen not in known
        text.append(f"Configuration: {f'default; there is no {chosen}' if lacks else chosen}.")
    stack = layers(plugin.info.configs, names)
    if request.for_need and chosen is not None and Path(chosen).is_file():
        source, tree = stack[-1]
        stack[-1] = (source, {"tasks": tree.get("tasks") or {}})
    sets = merge(parse_sets(request.sets), request.settings())
    config = resolve_config(model, stack, task=task.name, sets=sets)
    return with_given(config, request.given, request.sets), tuple(text)


def _protocols(
    request: RunRequest, config: RunConfig
) -> tuple[tuple[Protocol, ...], tuple[str, ...]]:
    """Return the protocols to run, and a sentence where `both` is honest alone."""
    chosen: tuple[Protocol, ...] = ("honest", "paper")
    texts: tuple[str, ...] = ()
    if request.protocol != "both":
        chosen = (request.protocol,)
    elif "paper" not in config.protocols:
        chosen, texts = ("honest",), ("Protocol: honest alone; protocols.paper is not configured.",)
    for name in chosen:
        if name not in config.protocols:
            known = ", ".join(config.protocols) or "none"
            raise ConfigError(
                f"--protocol {request.protocol}: expected protocols.{name} in the configuration, "
                f"found {known}; describe {name} there, or run another"
            )
    return chosen, texts


def _models(task: Task, config: RunConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the models, and a sentence for each that has too few to fuse."""
    known = tuple(model.name for model in task.models)
    strangers = [name for name in config.models if name not in known]
    if strangers:
        raise ConfigError(
            f"models: task {task.name!r} has no model {strangers[0]!r}; it has {', '.join(known)}"
        )
    own = {model.name for model in task.models if model.covariates}  # asked for by its covariates
    requested = {*config.models, *own} if config.models else set(known)
    chosen = tuple(name for name in known if name in requested)
    models = without_hollow_fusions(task, chosen)
    return models, why_hollow(task, chosen, models)


def default_out(setup: Setup, parent: str = "runs") -> Path:
    """Return a folder named after plugin, task and time."""
    stamp = now().replace(":", "").replace("-", "")[:15]
    return Path(parent) / f"{setup.plugin.info.name}-{setup.task.name}-{stamp}"


def primary_of(task: Task, config: RunConfig, models: tuple[str, ...]) -> str:
    """Return the model whose result is the answer: the declared one, else the task's own choice.

    Without either it is the first model that fuses others, else the first that is no baseline.

    Raises
    ------
    ConfigError
        If the declared model is not among those that are run.
    """
    if config.primary is not None:
        if config.primary not in models:
            raise ConfigError(
                f"--primary {config.primary}: expected one of the models that are run, "
                f"{', '.join(models)}"
            )
        return config.primary
    fused = [name for name in models if task.model(name).fuses]
    others = [name for name in models if not task.model(name).baseline]
    own = [task.primary] if task.primary in models else []
    return (*own, *fused, *others, *models)[0]


def why_hollow(task: Task, chosen: Iterable[str], retained: Iterable[str]) -> tuple[str, ...]:
    """Say of each model that `without_hollow_fusions` took away why it is not there."""
    return tuple(
        f"Model {task.model(name).title} is left out: of the models that it fuses "
        f"({', '.join(task.model(name).fuses)}) fewer than two are run."
        for name in chosen
        if name not in set(retained)
    )


def members_first(task: Task, models: Iterable[str]) -> tuple[str, ...]:
    """Return the models with those that fuse others behind the others."""
    return tuple(sorted(models, key=lambda name: bool(task.model(name).fuses)))


def without_hollow_fusions(task: Task, chosen: tuple[str, ...]) -> tuple[str, ...]:
    """Return the models without those that would fuse fewer than two of them.

    Raises
    ------
    ConfigError
        If nothing is left.
    """
    retained = tuple(
        name
        for name in chosen
        if not task.model(name).fuses or len(set(task.model(name).fuses) & set(chosen)) > 1
    )
    if not retained:
        fused = task.model(chosen[0]).fuses
        raise ConfigError(
            f"models: {chosen[0]} fuses {', '.join(fused)}; run at least two of them with it"
        )
    return retained
