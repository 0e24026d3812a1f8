"""What a plugin says of itself: plain data that costs nothing to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cardio_core.types.plans import Plan

Unit = Literal["event", "sample", "recording", "study", "patient"]
Kind = Literal["binary", "multiclass", "continuous"]


@dataclass(frozen=True)
class Target:
    """One quantity that a task predicts.

    Attributes
    ----------
    name : str
        Column of the target table and key of the predicted scores.
    kind : {"binary", "multiclass", "continuous"}
        Decides which scores are expected and which metrics are reported.
    classes : tuple of str
        Class names in the order of the score columns; for a binary target (negative, positive).
    unit : str
        Unit of a continuous target, ``"ms"`` say; empty otherwise.
    unscored : tuple of str
        Classes that are tabulated but left out of averages (AAMI's Q).
    """

    name: str
    kind: Kind
    classes: tuple[str, ...] = ()
    unit: str = ""
    unscored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Model:
    """One row of the comparison: fitted on the same folds as every other row.

    Attributes
    ----------
    name, title : str
        Name in configurations and files; title in the report.
    baseline : bool
        Whether it is there to be beaten.
    rule : bool
        A published rule that nothing is chosen for: inner folds are skipped, and its own threshold
        of one half holds under every protocol.
    """

    name: str
    title: str
    baseline: bool = False
    rule: bool = False


@dataclass(frozen=True)
class Need:
    """An earlier task whose artifact this task starts from.

    `patients` says whose: ``"other"`` patients (pretraining; none may be shared) or the ``"same"``
    patients (then fold k receives the earlier task's model of fold k).
    """

    task: str
    patients: Literal["other", "same"]


@dataclass(frozen=True)
class Task:
    """One thing that a plugin can predict.

    Attributes
    ----------
    name, title : str
        Name on the command line; title in the report.
    unit : {"event", "sample", "recording", "study", "patient"}
        What carries the target. Events are matched in time to the samples that a plugin mints.
    targets : tuple of Target
        What is predicted.
    models : tuple of Model
        The rows to compare, in the order of the report.
    needs : tuple of Need
        Earlier tasks, resolved by the core.
    uses_unlabelled : bool
        Whether patients without a label reach `train` (an autoencoder); they are never tested.
    event_tolerance_s : float
        How far in time a minted sample may lie from its event.
    plans : mapping of str to Plan
        Split plans of this task beyond ``nested`` and ``holdout``, by name.
    config : str
        ``"package.module:Class"`` of a configuration of its own, where tasks of one plugin have
        little in common: a setting of one is then refused by the other. Empty is the plugin's.
    """

    name: str
    title: str
    unit: Unit
    targets: tuple[Target, ...]
    models: tuple[Model, ...]
    needs: tuple[Need, ...] = ()
    uses_unlabelled: bool = False
    event_tolerance_s: float = 0.15
    plans: Mapping[str, Plan] = field(default_factory=dict)
    config: str = ""

    def target(self, name: str) -> Target:
        """Return the target of that name."""
        return next(target for target in self.targets if target.name == name)

    def model(self, name: str) -> Model:
        """Return the row of that name."""
        return next(model for model in self.models if model.name == name)


@dataclass(frozen=True)
class Tool:
    """A function that a plugin lends to a `cardio data` command, ``"package.module:function"``."""

    name: str
    function: str


@dataclass(frozen=True)
class PluginInfo:
    """The front door of a plugin, constant `INFO` of its entry-point module.

    Attributes
    ----------
    name, title : str
        Entry-point name, and one line for lists.
    api : tuple of int
        The (major, minor) of `cardio_core.hookspecs.API_VERSION` that it was written for.
    tasks : tuple of Task
        Everything it can predict.
    default_task : str
        The task that runs without ``--task``.
    config : str
        ``"package.module:Class"`` of its configuration, a subclass of `cardio_core.api.RunConfig`;
        of every task that names none of its own.
    configs : str
        Package that holds ``default.yaml``, ``cpu.yaml``, ``full.yaml`` and ``smoke.yaml``.
    synthesize : str
        ``"package.module:function"`` that writes the synthetic twin:
        ``function(out, *, task, n_patients=None, seed=0)``.
    papers : tuple of str
        What to cite.
    tools : tuple of Tool
        What it lends to `cardio data`.
    """

    name: str
    title: str
    api: tuple[int, int]
    tasks: tuple[Task, ...]
    default_task: str
    config: str
    configs: str
    synthesize: str
    papers: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()

    def task(self, name: str) -> Task:
        """Return the task of that name; KeyError if there is none."""
        for task in self.tasks:
            if task.name == name:
                return task
        raise KeyError(name)

    def config_of(self, task: Task) -> str:
        """Return where the configuration of a task is defined."""
        return task.config or self.config
