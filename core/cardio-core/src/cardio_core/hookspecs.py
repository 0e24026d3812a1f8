"""The seven hooks that a plugin implements. This file is the contract.

A plugin is a module with a constant `INFO` and functions of these names, marked with `hookimpl`;
or each task names its folder, where a file a hook holds the function of that name.
An implementation may leave out arguments that it does not use; it may not add any. `config` is the
block of the plugin's configuration that carries the hook's name.

What sees what: `preprocess` and `featurize` are called with one patient at a time and are fitted on
nobody. Whatever is fitted across patients lives in `train`. Targets reach `train` (of the patients
it trains and validates on) and `evaluate`, and no other hook.

Beside the hooks a task's folder may hold ``sheet.py``, found and checked in the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cardio_core.context import Context
    from cardio_core.types.artifact import ModelArtifact
    from cardio_core.types.features import FeatureSet
    from cardio_core.types.predictions import Predictions, Scored
    from cardio_core.types.report import EvaluationReport, Explanation
    from cardio_core.types.samples import Cohort, SampleSet
    from cardio_core.types.targets import Targets

PROJECT = "cardio"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a hook that stands in the plugin module itself, not in a task's folder.

Examples
--------
>>> @hookimpl
... def load(config, ctx):
...     return cohort_from_table(ctx, path="path_ppg", opener=np.load)
>>> load.__name__
'load'
"""


@hookspec(firstresult=True)
def load(config: Any, ctx: Context) -> Cohort | None:
    """Find the recordings under `ctx.inputs` and, in fit mode, their targets.

    Check headers, not contents: a recording's values are opened later, one patient at a time.
    What cannot be used is set aside with `ctx.quarantine(recording_id, reason)`. In predict mode
    (`ctx.mode == "predict"`) return no targets.
    """


@hookspec(firstresult=True)
def preprocess(samples: SampleSet, config: Any, ctx: Context) -> SampleSet | None:
    """Clean one patient's recordings and, where the task asks for it, cut samples from them.

    Call `ctx.quarantine(recording_id, reason)` for a recording that turns out to be unusable, or
    raise `DataError` if none of the patient's is usable. Without it, each recording that can be
    opened is a sample.
    """


@hookspec(firstresult=True)
def featurize(samples: SampleSet, config: Any, ctx: Context) -> FeatureSet | None:
    """Compute one patient's features: named blocks with axes and units, one row a sample.

    Under `cardio measure` (`ctx.measuring`) blocks that only a model works on may be left out.
    """


@hookspec(firstresult=True)
def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: Any,
    ctx: Context,
) -> ModelArtifact | None:
    """Fit the model `ctx.model` and leave it in the directory `ctx.out`.

    With `validation`, choose the epoch on it and report it in `ModelArtifact.best_epoch`; `ctx.fit`
    trains to the end where its patients are too few (`ctx.choose_epochs` is False). Without,
    train for `ctx.epochs`, which inner folds chose, or as the configuration says if it is None.
    """


@hookspec(firstresult=True)
def predict(
    model: ModelArtifact, features: FeatureSet, config: Any, ctx: Context
) -> Predictions | None:
    """Score these samples (or their studies, or patients) with a fitted model."""


@hookspec(firstresult=True)
def explain(
    model: ModelArtifact,
    features: FeatureSet,
    predictions: Predictions,
    config: Any,
    ctx: Context,
) -> Explanation | None:
    """Explain a few predictions of one fold's model. Optional: the default explains nothing."""


@hookspec(firstresult=True)
def evaluate(
    predictions: Scored,
    targets: Targets | None,
    cohort: Cohort,
    explanation: Explanation,
    config: Any,
    ctx: Context,
) -> EvaluationReport | None:
    """Judge the out-of-fold predictions of one protocol.

    Optional: the default reports every target with the metrics of its kind. A plugin that adds its
    own tables calls `cardio_core.api.default_evaluate` first.
    """


def sheet(
    figure: Figure,
    recording: Any,
    samples: SampleSet,
    features: FeatureSet,
    patient: FeatureSet,
) -> None:
    """Draw one recording as a person checks it by eye: `cardio measure` writes the sheet.

    No hook of a run, and optional: without ``sheet.py`` in the task's folder the core draws what
    the recording holds, and its measurements. `figure` is empty, with constrained layout, and may
    be resized; the core adds the recording's id and its flags. `recording` is what the opener of
    `load` returns; `samples` is what `preprocess` made of it and `features` what `featurize` made
    of those: the rows of this one recording. `patient` has those of all recordings of the patient
    that are measured together, such as rest and stress. What is raised here costs the sheet alone.
    """


HOOKS = ("load", "preprocess", "featurize", "train", "predict", "explain", "evaluate")
REQUIRED = ("load", "featurize", "train", "predict")
BY_ESTIMATOR = ("train", "predict")
"""Hooks that a model with an estimator does without."""
SHEET = "sheet"
