"""The front door: what this plugin is, and its hooks. Nothing heavy is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardio_core.api import PluginInfo, Sidecar, hookimpl
from cardio_mmode_septal_flash.tasks import PHANTOM_FLASH, SEPTAL_FLASH

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
    name="mmode_septal_flash",
    title="Anatomical M-modes from apical echo loops, septal flash and where it is",
    api=(2, 0),
    tasks=(SEPTAL_FLASH, PHANTOM_FLASH),
    default_task="septal_flash",
    config="cardio_mmode_septal_flash.config:Config",
    configs="cardio_mmode_septal_flash.configs",
    synthesize="cardio_mmode_septal_flash.synthetic:synthesize_task",
    sidecars=(
        Sidecar("septum", "path_septum", "JSON of the septum, instead of one that is found"),
        Sidecar("rpeaks", "path_rpeaks", "JSON of the R peaks, instead of the loop's own"),
    ),
    papers=(
        "Saiz-Vivo et al. 2023, Localizing cardiac dyssynchrony in M-mode echocardiography with "
        "attention maps",
    ),
)


@hookimpl
def load(config: Any, ctx: Context) -> Cohort:
    """Find apical loops with their septum, R peaks and labels."""
    from cardio_mmode_septal_flash.load import load_loops

    return load_loops(config, ctx)


@hookimpl
def preprocess(samples: SampleSet, config: Any, ctx: Context) -> SampleSet:
    """Find the cycle and the septum, and reslice the M-modes."""
    from cardio_mmode_septal_flash.preprocess import mint_mmodes

    return mint_mmodes(samples, config, ctx)


@hookimpl
def featurize(samples: SampleSet, config: Any, ctx: Context) -> FeatureSet:
    """Keep the pictures, and measure how far and when the septum moves inward."""
    from cardio_mmode_septal_flash.featurize import mmode_features

    return mmode_features(samples, config)


@hookimpl
def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: Any,
    ctx: Context,
) -> ModelArtifact:
    """Fit the network, or the baseline it is compared with."""
    from cardio_mmode_septal_flash.train import train_row

    return train_row(training, validation, targets, config, ctx)


@hookimpl
def predict(model: ModelArtifact, features: FeatureSet, config: Any, ctx: Context) -> Predictions:
    """Score every study."""
    from cardio_mmode_septal_flash.predict import predict_studies

    return predict_studies(model, features, config, ctx)


@hookimpl
def explain(
    model: ModelArtifact,
    features: FeatureSet,
    predictions: Predictions,
    config: Any,
    ctx: Context,
) -> Explanation:
    """Map what spoke for septal flash, and score where it lies."""
    from cardio_mmode_septal_flash.explain import explain_studies

    return explain_studies(model, features, predictions, config, ctx)


@hookimpl
def evaluate(
    predictions: Scored,
    targets: Targets,
    cohort: Cohort,
    explanation: Explanation,
    config: Any,
    ctx: Context,
) -> EvaluationReport:
    """Add localisation, the paper's tables and the check within timepoints."""
    from cardio_mmode_septal_flash.evaluate import evaluate_flash

    return evaluate_flash(predictions, targets, cohort, explanation, config, ctx)
