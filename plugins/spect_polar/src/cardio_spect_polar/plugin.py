"""The front door: what this plugin is, and its hooks. Nothing heavy is imported here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cardio_core.api import PluginInfo, hookimpl
from cardio_spect_polar.flow.tasks import MFR, RISK_FACTOR
from cardio_spect_polar.response.task import CRT_RESPONSE

if TYPE_CHECKING:
    from cardio_core.api import (
        Cohort,
        Context,
        EvaluationReport,
        Explanation,
        FeatureSet,
        ModelArtifact,
        Predictions,
        SampleSet,
        Scored,
        Targets,
    )

INFO = PluginInfo(
    name="spect_polar",
    title="Phase polar maps from gated SPECT, and transfer on perfusion polar maps",
    api=(2, 0),
    tasks=(CRT_RESPONSE, MFR, RISK_FACTOR),
    default_task="crt_response",
    config="cardio_spect_polar.response.config:ResponseConfig",
    configs="cardio_spect_polar.configs",
    synthesize="cardio_spect_polar.synthetic:synthesize_task",
    papers=(
        "He et al. 2022, A method using deep learning to discover new predictors of CRT response "
        "from mechanical dyssynchrony on gated SPECT MPI",
        "Yeung et al. 2022, Interpretation of positron emission tomography polar maps by deep "
        "learning, with the editorial of Hagio and Murthy 2022",
        "Chen et al. 2005, Onset of left ventricular mechanical contraction as determined by phase "
        "analysis of ECG-gated myocardial perfusion SPECT imaging",
    ),
)

ROOMS = {"crt_response": "response", "mfr": "flow", "risk_factor": "flow"}
"""The package of this plugin where each task is at home; its modules carry the hooks' names."""


def _call(stage: str, ctx: Context, **arguments: Any) -> Any:
    module = import_module(f"cardio_spect_polar.{ROOMS[ctx.task.name]}.{stage}")
    return getattr(module, stage)(**arguments, ctx=ctx)


@hookimpl
def load(config: Any, ctx: Context) -> Cohort:
    """Find gated studies or flow maps, and what is known of their patients."""
    found: Cohort = _call("load", ctx, config=config)
    return found


@hookimpl
def preprocess(samples: SampleSet, config: Any, ctx: Context) -> SampleSet:
    """Find the wall and sample it over the cycle, or check the flow maps."""
    made: SampleSet = _call("preprocess", ctx, samples=samples, config=config)
    return made


@hookimpl
def featurize(samples: SampleSet, config: Any, ctx: Context) -> FeatureSet:
    """Turn curves into phase maps and indices, or flow maps into pictures and segments."""
    made: FeatureSet = _call("featurize", ctx, samples=samples, config=config)
    return made


@hookimpl
def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: Any,
    ctx: Context,
) -> ModelArtifact:
    """Fit one row."""
    fitted: ModelArtifact = _call(
        "train", ctx, training=training, validation=validation, targets=targets, config=config
    )
    return fitted


@hookimpl
def predict(model: ModelArtifact, features: FeatureSet, config: Any, ctx: Context) -> Predictions:
    """Score the patients with one row's model."""
    scored: Predictions = _call("predict", ctx, model=model, features=features, config=config)
    return scored


@hookimpl
def explain(
    model: ModelArtifact,
    features: FeatureSet,
    predictions: Predictions,
    config: Any,
    ctx: Context,
) -> Explanation:
    """Show what a row looked at: maps of deep features, or of the network's attention."""
    shown: Explanation = _call(
        "explain", ctx, model=model, features=features, predictions=predictions, config=config
    )
    return shown


@hookimpl
def evaluate(
    predictions: Scored,
    targets: Targets,
    cohort: Cohort,
    explanation: Explanation,
    config: Any,
    ctx: Context,
) -> EvaluationReport:
    """Add the papers' tables and figures to the default evaluation."""
    report: EvaluationReport = _call(
        "evaluate",
        ctx,
        predictions=predictions,
        targets=targets,
        cohort=cohort,
        explanation=explanation,
        config=config,
    )
    return report
