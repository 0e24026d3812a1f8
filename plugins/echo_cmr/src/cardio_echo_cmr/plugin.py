"""The front door: what this plugin is, and its hooks. Nothing heavy is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardio_core.api import PluginInfo, hookimpl
from cardio_echo_cmr.tasks import TASKS

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
    name="echo_cmr",
    title="What an echo loop tells about the CMR: wall motion, scar, T1, T2 and ECV",
    api=(2, 0),
    tasks=TASKS,
    default_task="wma",
    config="cardio_echo_cmr.config:Config",
    configs="cardio_echo_cmr.configs",
    synthesize="cardio_echo_cmr.synthetic:synthesize_task",
    papers=(
        "Sahashi et al. 2024, Using deep learning to predict cardiovascular magnetic resonance "
        "findings from echocardiography videos",
    ),
)


@hookimpl
def load(config: Any, ctx: Context) -> Cohort:
    """Find echo loops, pair their studies with CMRs, and label them."""
    from cardio_echo_cmr.load import load_studies

    return load_studies(config, ctx)


@hookimpl
def preprocess(samples: SampleSet, config: Any, ctx: Context) -> SampleSet:
    """Fit the sector and cut small square videos of it; colour Doppler is left out."""
    from cardio_echo_cmr.preprocess import prepare_videos

    return prepare_videos(samples, config, ctx)


@hookimpl
def featurize(samples: SampleSet, config: Any, ctx: Context) -> FeatureSet:
    """Keep the videos with their times, and what is known of the patient."""
    from cardio_echo_cmr.featurize import video_features

    return video_features(samples, config)


@hookimpl
def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: Any,
    ctx: Context,
) -> ModelArtifact:
    """Fit the network of a view, the view classifier, or a baseline."""
    from cardio_echo_cmr.train import train_row

    return train_row(training, validation, targets, config, ctx)


@hookimpl
def predict(model: ModelArtifact, features: FeatureSet, config: Any, ctx: Context) -> Predictions:
    """Score every video of the view that the row looks at."""
    from cardio_echo_cmr.predict import predict_videos

    return predict_videos(model, features, config, ctx)


@hookimpl
def explain(
    model: ModelArtifact,
    features: FeatureSet,
    predictions: Predictions,
    config: Any,
    ctx: Context,
) -> Explanation:
    """Map what spoke for the finding, over space and time, and by segment."""
    from cardio_echo_cmr.explain import explain_videos

    return explain_videos(model, features, predictions, config, ctx)


@hookimpl
def evaluate(
    predictions: Scored,
    targets: Targets,
    cohort: Cohort,
    explanation: Explanation,
    config: Any,
    ctx: Context,
) -> EvaluationReport:
    """Add the paper's tables and figures, agreement of values, and the segments' scores."""
    from cardio_echo_cmr.evaluate import evaluate_cmr

    return evaluate_cmr(predictions, targets, cohort, explanation, config, ctx)
