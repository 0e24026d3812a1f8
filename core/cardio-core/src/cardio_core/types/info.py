"""What a plugin says of itself: plain data that costs nothing to import."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
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

    @property
    def outcome(self) -> str:
        """What is predicted, in a sentence: the positive class, or the target itself.

        Examples
        --------
        >>> Target("septal_flash", "binary", ("no", "yes")).outcome
        'septal flash'
        >>> Target("course", "binary", ("stable", "much_worse")).outcome
        'much worse'
        """
        positive = self.classes[1] if self.kind == "binary" else "yes"
        named = positive.lower() not in ("yes", "y", "true", "1", "positive")
        return (positive if named else self.name.removeprefix("x_")).replace("_", " ")


@dataclass(frozen=True)
class Model:
    """What is compared: fitted on the same folds as every other model.

    Attributes
    ----------
    name, title : str
        Name in configurations and files; title in the report.
    baseline : bool
        Whether it is there to be beaten.
    rule : bool
        A published rule that nothing is chosen for: inner folds are skipped, and its own threshold
        of one half holds under every protocol.
    targets : tuple of str
        Which of the task's targets this model predicts, in its own order: inner folds score the
        first. Empty means all.
    partial : bool
        Whether some units lack what the model works on (a view, a measurement). It scores their
        samples NaN; such units are left out of its predictions and of every comparison with it.
    fuses : tuple of str
        Models whose predictions this one fuses. The core fits it, on predictions of inner folds; a
        model that is fused but not run is left out of the fusion. Where a fold has too few to
        settle the weights, this one is left out of that protocol, and the report says so.
    covariates : tuple of str
        Columns of the cohort table that this model is fitted on: the core's own, which the user
        asks for with ``--covariates``. No plugin declares one.
    estimator : str
        ``"sklearn.ensemble:RandomForestClassifier"``, or a function of the plugin's own without
        arguments that returns an estimator: the core fits it and scores with it (missing values
        take the training median, columns are standardised), and `train` and `predict` are not
        called. Settings of ``train`` do not reach it.
    columns : tuple of str
        What the estimator is fitted on: ``("measures.width", "measures.rate")``, block and name;
        every measurement where none is named.
    kinds : tuple of {"binary", "multiclass", "continuous"}
        Kinds of an outcome of the user's own (a column of the cohort table) on which this model can
        be trained; empty for one that only makes sense for the task's own target.

    Examples
    --------
    >>> Model("qrs", "QRS duration", baseline=True, rule=True).core_owned
    False
    >>> Model("both", "Network and QRS duration", fuses=("network", "qrs")).core_owned
    True
    """

    name: str
    title: str
    baseline: bool = False
    rule: bool = False
    targets: tuple[str, ...] = ()
    partial: bool = False
    fuses: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ("binary",)
    covariates: tuple[str, ...] = ()
    estimator: str = ""
    columns: tuple[str, ...] = ()

    @property
    def core_owned(self) -> bool:
        """Whether the core fits it by itself: a fusion, or clinical variables."""
        return bool(self.fuses or self.covariates)


@dataclass(frozen=True)
class Need:
    """An earlier task whose artifact this task starts from.

    Attributes
    ----------
    task : str
        The earlier task.
    patients : {"other", "same"}
        Whose: ``"other"`` patients (pretraining; none may be shared) or the ``"same"`` patients
        (then fold k receives the earlier task's model of fold k).
    for_new : bool
        Whether new patients are put through the earlier task's final models, too; the run then
        keeps a copy of them.
    optional : bool
        Whether ``needs.TASK.skip`` may do without it.
    models : tuple of str
        The models that use it; empty means all. Where none of them is run, the earlier task is not
        run either, and the others do not get its artifact.

    Examples
    --------
    >>> Need("beats", "other", models=("pretrained",)).optional
    False
    """

    task: str
    patients: Literal["other", "same"]
    for_new: bool = False
    optional: bool = False
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Option:
    """A short option of the command line that a task brings: one setting, or a file of a recording.

    `cardio run`, `measure`, `predict` and `data check` take it as ``--NAME VALUE``.

    Attributes
    ----------
    name : str
        Without its dashes: ``"voxel-mm"``.
    title : str
        What it is, for the help.
    setting : str
        The setting that it stands for, ``"load.voxel_mm"``; empty for a file.
    form : str
        How the value is written, ``"SLICE,ROW,COLUMN"`` or ``"rest|stress"``; a value with commas
        is a list.
    unit : str
        Unit of the value, ``"mm"``; empty for none.
    for_new : bool
        Whether the setting says how to read the recording at hand, so that `cardio predict` takes
        it, too, and it may differ from what the run was trained with.
    column : str
        For a file that belongs to one recording, in place of `setting`: the cohort table's column
        of such files. `load` finds it with ``ctx.option_file(name)``; a run takes it from the
        table.

    Examples
    --------
    >>> Option("base", "The base", setting="load.base_mm", form="MM", for_new=True).metavar
    '--base MM'
    """

    name: str
    title: str
    setting: str = ""
    form: str = "VALUE"
    unit: str = ""
    for_new: bool = False
    column: str = ""

    @property
    def metavar(self) -> str:
        """How it is typed."""
        return f"--{self.name} {'FILE' if self.column else self.form}"

    @property
    def help(self) -> str:
        """What it is, in which unit, and what it stands for."""
        unit = f" ({self.unit})" if self.unit else ""
        stands = f"Column {self.column}" if self.column else f"Setting {self.setting}"
        return f"{self.title}{unit}. {stands}."


@dataclass(frozen=True)
class Task:
    """One thing that a plugin can predict.

    Attributes
    ----------
    name, title : str
        Name on the command line; title in the report.
    unit : {"event", "sample", "recording", "study", "patient"}
        What carries the target. Events are matched in time to the samples that a plugin cuts.
    targets : tuple of Target
        What is predicted.
    models : tuple of Model
        What to compare, in the order of the report.
    needs : tuple of Need
        Earlier tasks, resolved by the core.
    uses_unlabelled : bool
        Whether patients without a label reach `train` (an autoencoder); they are never tested.
    event_tolerance_s : float
        How far in time a sample may lie from its event.
    event_name : str
        What one event is called, where `unit` is ``"event"``: ``"beat"``.
    plans : mapping of str to Plan
        Split plans of this task beyond ``nested`` and ``holdout``, by name.
    config : str
        ``"package.module:Class"`` of a configuration of its own, where tasks of one plugin have
        little in common: a setting of one is then refused by the other. Empty is `Config` in
        ``config.py`` of the folder, or the plugin's.
    family : str
        Tasks of one family load the same recordings, make the same features and have one synthetic
        cohort; they differ in targets and models. Empty is a family of its own.
    folder : str
        The package in which this task's hooks live, ``"cardio_ppg.rhythm"``: a file a hook, named
        after it, with a function of that name. Several tasks may share one. A hook that the plugin
        module itself implements comes before a file.
    primary : str
        The model whose result is the answer unless the user declares another. Empty is the first
        that fuses others, else the first that is no baseline.
    any_outcome : bool
        Whether a column of the cohort table may be predicted in place of the one target, with
        ``--outcome COLUMN``. The core then makes the targets; `load` returns none (see
        `Context.outcome`) but the table.
    columns : mapping of str to str
        Columns of a cohort table that this task reads beyond `patient_id`, each with what it is
        read for, in the order of the table that `cardio data template` writes.
    outcome_columns : tuple of str
        Those of `columns` that its own outcomes are made of: they are no covariates.
    options : tuple of Option
        Short options of the command line: for settings that a user gives with a recording, and for
        files that belong to one.
    """

    name: str
    title: str
    unit: Unit
    targets: tuple[Target, ...]
    models: tuple[Model, ...]
    needs: tuple[Need, ...] = ()
    uses_unlabelled: bool = False
    event_tolerance_s: float = 0.15
    event_name: str = "event"
    plans: Mapping[str, Plan] = field(default_factory=dict)
    config: str = ""
    family: str = ""
    folder: str = ""
    primary: str = ""
    any_outcome: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    outcome_columns: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()

    @property
    def source(self) -> str:
        """Name of the recordings and features that this task shares with its family."""
        return self.family or self.name

    def targets_of(self, model: str | None) -> tuple[Target, ...]:
        """Return the targets that a model predicts, in its own order; all of them for None."""
        named = next((item.targets for item in self.models if item.name == model), ())
        return tuple(self.target(name) for name in named) or self.targets

    def needs_of(self, models: Iterable[str]) -> tuple[Need, ...]:
        """Return the needs that any of the models uses.

        A fused one uses what its members use: those among the models, or alone all that it fuses.

        Examples
        --------
        >>> task = Task("t", "T", "patient", (), (Model("net", "Network"), Model("age", "Age")),
        ...             needs=(Need("pretraining", "other", models=("net",)),))
        >>> task.needs_of(["age"])
        ()
        """
        named = [self.model(name) for name in models]
        fitted = {item.name for item in named if not item.core_owned}
        users = fitted.union(*(fitted & set(item.fuses) or item.fuses for item in named))
        return tuple(need for need in self.needs if users & set(need.models or users))

    def target(self, name: str) -> Target:
        """Return the target of that name."""
        return next(target for target in self.targets if target.name == name)

    def model(self, name: str) -> Model:
        """Return the model of that name."""
        return next(model for model in self.models if model.name == name)

    def predicting(self, target: Target) -> Task:
        """Return this task with another target in place of its own, and in its title.

        Examples
        --------
        >>> task = Task("t", "Response from an ECG", "patient", (Target("r", "binary"),), ())
        >>> task.predicting(Target("death", "binary", ("no", "yes"))).title
        'Death from an ECG'
        """
        models = tuple(replace(model, targets=()) for model in self.models)
        words = target.name.removeprefix("x_").replace("_", " ")
        source = re.split(r" (?:from|in) ", self.title)[-1]
        title = f"{words[:1].upper()}{words[1:]} from {source}"
        return replace(self, title=title, targets=(target,), models=models)


@dataclass(frozen=True)
class PluginInfo:
    """What a plugin says of itself: constant `INFO` of its plugin module.

    What is left empty has its usual place in the plugin's package, and the registry fills it in.

    Attributes
    ----------
    name, title : str
        Entry-point name, and one line for lists.
    tasks : tuple of Task
        Everything it can predict.
    default_task : str
        The task that runs without ``--task``; usually the first.
    config : str
        ``"package.module:Class"`` of its configuration, a subclass of `cardio_core.api.RunConfig`,
        for every task that has none of its own; usually `RunConfig` itself.
    configs : str
        Package that holds ``default.yaml`` and, laid over it, ``cpu.yaml``, ``full.yaml`` and
        ``smoke.yaml``; usually ``configs``.
    synthesize : str
        ``"package.module:function"`` that writes the synthetic cohort:
        ``function(out, *, task, n_patients=None, seed=0)``; usually ``synthetic:synthesize``.
    papers : tuple of str
        What to cite.
    paths : mapping of str to str
        Columns of a cohort table that name this plugin's recordings, each with what it holds:
        ``{"path_ppg": "Pulse wave."}``. A cell names files or folders, several with ``;`` between.
    unsorted : str
        The one of `paths` in which `cardio data template --from` writes the recordings of a
        folder, where a task reads several; empty where no file says which column it belongs in.
    recording : str
        What one of its recordings is called when files are counted: ``"loop"``.
    shows : str
        Where the answers of `measure` and `predict` find what a recording shows: a column of the
        table of features. Where that says nothing, the likeliest of the columns of predictions
        that begin with this name and a colon (``"view"``: ``view:a4c``, ``view:a2c``) is named.
    tools : mapping of str to str
        What it lends to `cardio data`: ``{"datasets": "package.module:function"}`` for public data
        sets (`cardio_core.io.datasets`), ``"weight_layouts"`` for names of tensors in weights of
        others. The function takes nothing and returns mappings in a list.
    words : mapping of str to str
        What a reader is shown in place of an identifier (a feature, a column of a table, a metric):
        ``{"psd_deg": "Phase SD (°)"}``. Columns of the cohort table and the core's own metrics have
        their words already.

    Examples
    --------
    >>> rhythm = Target("rhythm", "binary", ("sinus", "fibrillation"))
    >>> models = (Model("network", "Network"), Model("rate", "Heart rate", baseline=True))
    >>> task = Task("rhythm", "Rhythm from a pulse wave", "recording", (rhythm,), models,
    ...             folder="cardio_ppg.rhythm", columns={"path_ppg": "the recordings"})
    >>> INFO = PluginInfo("ppg", "Pulse waves", (task,), paths={"path_ppg": "Pulse wave."})
    >>> INFO.task("rhythm").target("rhythm").outcome
    'fibrillation'
    """

    name: str
    title: str
    tasks: tuple[Task, ...]
    default_task: str = ""
    config: str = ""
    configs: str = ""
    synthesize: str = ""
    papers: tuple[str, ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    unsorted: str = ""
    recording: str = "recording"
    shows: str = ""
    tools: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    def task(self, name: str) -> Task:
        """Return the task of that name; KeyError if there is none."""
        for task in self.tasks:
            if task.name == name:
                return task
        raise KeyError(name)

    def config_of(self, task: Task) -> str:
        """Return where the configuration of a task is defined."""
        return task.config or self.config
