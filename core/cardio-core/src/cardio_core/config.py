"""Configuration: YAML by name, `--set`, and one frozen object that knows every key."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cardio_core.io.settings_schema import Tree, of_task, read_settings, read_yaml
from cardio_core.training.plan import FitPlan
from cardio_stats.errors import ConfigError
from cardio_stats.serialization import MalformedError, parse_yaml, shown

_LONGEST = 120
Protocol = Literal["honest", "paper"]

OPTIONAL = ("cpu", "full", "smoke")
"""Configurations that every plugin answers to; where it has no such file, its default is meant."""


class Block(BaseModel):
    """A block of configuration: unknown keys are refused, values never change.

    A plugin subclasses it for the settings of one hook. Each setting is a field with a type, a
    default and a description, which ``cardio plugins info NAME --settings`` prints.

    Examples
    --------
    >>> class TrainBlock(Block):
    ...     depth: int = Field(3, ge=1, description="layers of the network")
    >>> TrainBlock(depth=5).depth
    5
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProtocolBlock(Block):
    """How one protocol splits the patients, decides, and differs in its hooks."""

    plan: str = Field(
        "nested",
        description="nested, holdout, sites (leave one site out), or a plan that the task declares",
    )
    otherwise: str | None = Field(
        None, description="plan where none of the patients that a fixed plan lists is in the cohort"
    )
    k: int = Field(5, ge=2, description="folds of a nested plan")
    repeats: int = Field(1, ge=1, description="repetitions of a nested plan")
    test_share: float = Field(0.2, gt=0, lt=1, description="tested share of a holdout plan")
    decision: Literal["inner", "fixed"] = Field(
        "inner", description="thresholds from inner folds, or 0.5 and the largest score"
    )
    fusion: Literal["inner", "tested"] = Field(
        "inner",
        description="predictions that fused models are fitted on: those of inner folds or, as "
        "some papers did, those of the tested patients themselves",
    )
    overrides: Tree = Field(default_factory=dict, description="settings of this protocol, by hook")


class InnerBlock(Block):
    """The inner folds, which choose epochs, candidates and thresholds."""

    k: int = Field(1, ge=0, description="inner folds; 1 is one validation split, 0 chooses nothing")
    validation_share: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="share of the training patients that are kept apart to validate, where k is 1",
    )
    patients_for_epochs: int = Field(
        50,
        ge=0,
        description="validation patients, ten of either class among them, that it takes to choose "
        "the number of epochs; with fewer all of the schedule are trained; 0 asks for none",
    )


class LimitsBlock(Block):
    """When a cohort is too broken to go on with."""

    bad_share: float = Field(0.5, ge=0, le=1, description="quarantined share that stops the run")


class NeedBlock(Block):
    """Where a needed earlier task finds its data."""

    data: str | None = Field(
        None, description="a folder or cohort table; null is the synthetic cohort"
    )
    instead: str | None = Field(
        None, description="a local file of weights that stands in for the task's artifact"
    )
    skip: bool = Field(False, description="go without the earlier task, where the task allows that")
    other_people: bool = Field(
        False, description="patients of that task with ids of this cohort are different people"
    )
    settings: Tree = Field(
        default_factory=dict,
        description="laid over the configuration of that task where this run makes it first",
    )


class OutcomeBlock(Block):
    """A column of the cohort table that is predicted in place of the task's own target.

    `column`, `event`, `negative` and `missing` are asked for; the rest is settled when the table is
    read, and kept with the run, so that new patients need no table.
    """

    column: str | None = Field(None, description="column of the table; null is the task's")
    event: str | None = Field(None, description="the value that is predicted")
    negative: tuple[str, ...] = Field(
        (), description="values without the event, where there are several"
    )
    missing: tuple[str, ...] = Field((), description="further values that mean missing")
    kind: Literal["binary", "multiclass", "continuous"] | None = Field(
        None, description="what the column is; null lets its values say"
    )
    classes: tuple[str, ...] = Field((), description="classes, a binary outcome's event last")


class EvaluateBlock(Block):
    """Settings of the default evaluation.

    Examples
    --------
    >>> EvaluateBlock(level=0.9).n_resamples
    2000
    """

    level: float = Field(0.95, gt=0.5, lt=1, description="coverage of every interval")
    n_resamples: int = Field(2000, ge=100, description="bootstrap resamples")


class FollowUpBlock(Block):
    """What response to treatment is: settings of `load` for `CohortTable.outcome`.

    Examples
    --------
    >>> FollowUpBlock(window_days=(90, 270)).outcome
    'LVESV15'
    """

    outcome: Literal["LVESV15", "LVEF5", "LVEF5ge", "NYHA1", "composite_VISION"] = Field(
        "LVESV15", description="how response is computed from the cohort table"
    )
    died_or_transplanted: Literal["na", "nonresponder"] = Field(
        "na",
        description="what death or transplantation before follow-up counts as: na, not tested, or "
        "nonresponder",
    )
    window_days: tuple[float, float] | None = Field(
        None,
        description="first and last day from implantation on which a follow-up counts, in days, as "
        "[90, 270]; the outcome is unknown outside it, and null is no window",
    )


class NetworkBlock(Block):
    """A network and how it is fitted: settings of `train`.

    Examples
    --------
    >>> NetworkBlock(fit={"epochs": 5}).fit.epochs
    5
    """

    width_mult: float = Field(
        1.0, gt=0, le=1, description="share of the network's usual number of channels"
    )
    fit: FitPlan = Field(FitPlan(), description="epochs, batches and steps of the optimizer")


class ScoringBlock(Block):
    """How a network scores: settings of `predict`.

    Examples
    --------
    >>> ScoringBlock().batch_size
    64
    """

    batch_size: int = Field(64, ge=1, description="examples scored at once")


class CasesBlock(Block):
    """How many cases are explained: settings of `explain`.

    Examples
    --------
    >>> CasesBlock(n_cases=0).n_cases
    0
    """

    n_cases: int = Field(
        2,
        ge=0,
        description="cases explained by each fold's model: the surest for the finding, and as many "
        "against it",
    )


class RunConfig(Block):
    """The whole configuration of a run; a plugin subclasses it and types its own blocks.

    The first seven keys carry the names of the hooks; each hook receives its own block.

    Examples
    --------
    >>> config = RunConfig(protocols={"honest": {"overrides": {"evaluate": {"level": 0.9}}}})
    >>> config.for_protocol("honest").evaluate.level
    0.9
    """

    load: Block = Field(Block(), description="what is read, and how outcomes are made of it")
    preprocess: Block = Field(Block(), description="cleaning, and which samples are made")
    featurize: Block = Field(Block(), description="what is computed of each sample")
    train: Block = Field(Block(), description="networks, and how they are fitted")
    predict: Block = Field(Block(), description="how a fitted model scores")
    explain: Block = Field(Block(), description="which predictions are explained, and how")
    evaluate: EvaluateBlock = Field(EvaluateBlock(), description="intervals and resamples")
    models: tuple[str, ...] = Field((), description="models to fit; empty means all of the task")
    primary: str | None = Field(
        None, description="model whose result is the answer; null is the task's own choice"
    )
    outcome: OutcomeBlock = Field(
        OutcomeBlock(), description="a column of the cohort table to predict instead"
    )
    stratify: str | None = Field(
        None,
        description="column of the cohort table that outer folds are stratified by, in place of "
        "the first target",
    )
    covariates: tuple[str, ...] = Field(
        (), description="columns of the cohort table for subgroups and the clinical model"
    )
    protocols: dict[Protocol, ProtocolBlock] = Field(
        {"honest": ProtocolBlock()},
        description="honest, and paper where there is a published evaluation to repeat",
    )
    inner: InnerBlock = Field(
        InnerBlock(), description="inner folds, which choose epochs, candidates and thresholds"
    )
    search: tuple[Tree, ...] = Field(
        (), description="candidates for the inner folds: settings of the train block"
    )
    limits: LimitsBlock = Field(LimitsBlock(), description="when a cohort is too broken to go on")
    needs: dict[str, NeedBlock] = Field(
        default_factory=dict, description="by earlier task, where it finds its data"
    )
    n_synthetic: int | None = Field(None, ge=2, description="patients of the synthetic cohort")
    difficulty: str | None = Field(
        None, description="difficulty of the synthetic cohort; null is the plugin's own choice"
    )

    def for_protocol(self, protocol: Protocol) -> RunConfig:
        """Return the configuration as one protocol sees it: its overrides laid over the blocks."""
        overrides = self.protocols[protocol].overrides
        tree = merge(self.model_dump(mode="json"), overrides)
        return validated(type(self), tree, f"protocols.{protocol}.overrides")

    def with_train(self, candidate: Mapping[str, Any]) -> RunConfig:
        """Return the configuration with some settings of the train block replaced."""
        tree = merge(self.model_dump(mode="json"), {"train": dict(candidate)})
        return validated(type(self), tree, "search")


Model = TypeVar("Model", bound=BaseModel)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> Tree:
    """Return `base` with `over` laid on it, key by key; lists and values replace.

    Examples
    --------
    >>> merge({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}})
    {'a': {'b': 3, 'c': 2}}
    """
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def parse_sets(settings: Iterable[str]) -> Tree:
    """Read ``a.b=value`` settings; values are YAML scalars or lists.

    Examples
    --------
    >>> parse_sets(["train.epochs=3", "models=[scratch]"])
    {'train': {'epochs': 3}, 'models': ['scratch']}
    """
    tree: Tree = {}
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals or not path:
            raise ConfigError(f"--set takes key=value, for example train.epochs=3; got {setting!r}")
        try:
            value = parse_yaml(text)
        except MalformedError as error:
            raise ConfigError(
                f"--set {path}: {shown(text)} is no YAML value ({error}); quote what is text"
            ) from None
        for key in reversed(path.split(".")):
            value = {key: value}
        tree = merge(tree, value)
    return tree


def sets_of(tree: Mapping[str, Any], above: str = "") -> tuple[str, ...]:
    """Write a tree of settings as `parse_sets` reads them.

    Examples
    --------
    >>> sets_of({"train": {"depth": 50, "shares": [0.5, 0.5]}, "models": ["resnet"]})
    ('train.depth=50', 'train.shares=[0.5, 0.5]', 'models=["resnet"]')
    """
    found: list[str] = []
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            found += sets_of(value, f"{above}{key}.")
        else:
            found.append(f"{above}{key}={json.dumps(value)}")
    return tuple(found)


def named_configs(package: str) -> dict[str, str]:
    """Return the texts of a plugin's configurations by name."""
    folder = resources.files(package)
    files = sorted(folder.iterdir(), key=lambda item: item.name)
    return {
        item.name.removesuffix(".yaml"): item.read_text(encoding="utf-8")
        for item in files
        if item.name.endswith(".yaml")
    }


def layers(package: str, names: Iterable[str]) -> list[tuple[str, Tree]]:
    """Return (source, tree) of configurations by name or path, in the order of laying.

    A plugin needs ``default`` alone: of `OPTIONAL`, those that it lacks lay nothing over it.
    """
    stored = named_configs(package)
    found = []
    for name in names:
        if name in stored:
            found.append((f"configuration {name!r}", read_yaml(stored[name], f"{name}.yaml")))
        elif name in OPTIONAL:
            continue
        elif Path(name).is_file():
            found.append((name, read_settings(Path(name))))
        else:
            near = difflib.get_close_matches(name, stored, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigError(
                f"no configuration {name!r}: expected a file or one of {', '.join(stored)}{hint}"
            )
    return found


def resolve_config(
    model: type[RunConfig],
    stack: Iterable[tuple[str, Tree]],
    *,
    task: str,
    sets: Tree,
) -> RunConfig:
    """Lay configurations over one another and validate the result.

    Parameters
    ----------
    model : type
        The plugin's `RunConfig` subclass.
    stack : iterable of (source, tree)
        From the lowest layer to the highest. A layer's ``tasks.TASK`` is laid over the rest of
        that layer; the blocks of other tasks are dropped.
    task : str
        Name of the task that runs.
    sets : dict
        Settings of the command line, laid over everything.

    Raises
    ------
    ConfigError
        Naming the layer and the key.
    """
    tree: Tree = {}
    for source, layer in stack:
        rest = {key: value for key, value in layer.items() if key != "tasks"}
        tree = merge(merge(tree, rest), of_task(layer, task, source))
        validated(model, tree, source)
    return validated(model, merge(tree, sets), "--set")


def validated(model: type[Model], tree: Tree, source: str) -> Model:
    """Validate a tree; the error names the key, what was found and the nearest known key."""
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(_explain(model, error, source)) from error


def _explain(model: type[BaseModel], error: ValidationError, source: str) -> str:
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    key = ".".join(path)
    if first["type"] == "extra_forbidden":
        known = _fields_at(model, path[:-1])
        near = difflib.get_close_matches(path[-1], known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known) or 'none'}"
        problem = f"unknown key {key!r}; {hint}"
    elif first["type"] == "value_error":  # of a validator, which says all of it
        problem = ": ".join(filter(None, [key, str(first["ctx"]["error"])]))
    else:
        message = first["msg"].lower().replace("input should be", "expected")
        problem = f"{key}: {message}, found {_found(first['input'])}"
    more = error.error_count() - 1
    return f"{source}: {problem}" + (f" (and {more} more)" if more else "")


def _found(value: Any) -> str:
    """Return what was found, on one line; text in YAML that reads as a date is no text."""
    if isinstance(value, date):
        return f"the date {value} (quote it, if text is meant)"
    return repr(value) if len(repr(value)) <= _LONGEST else f"{repr(value)[:_LONGEST]}..."


def _fields_at(model: type[BaseModel], path: list[str]) -> list[str]:
    here: Any = model
    for part in path:
        field = here.model_fields.get(part) if hasattr(here, "model_fields") else None
        if field is None:
            return []
        here = field.annotation if field.default is None else type(field.default)
    return list(getattr(here, "model_fields", {}))


def dump_yaml(config: RunConfig) -> str:
    """Return the complete configuration as YAML, in the order of the class."""
    text: str = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)
    return text
