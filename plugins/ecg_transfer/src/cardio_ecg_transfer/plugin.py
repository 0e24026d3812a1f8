"""The front door: what this plugin is, and its hooks. Nothing heavy is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_core.api import (
    Fixed,
    Model,
    PluginInfo,
    RandomSamples,
    Target,
    Task,
    Tool,
    hookimpl,
)
from cardio_ecg_transfer.mitbih import AAMI_CLASSES, DS1, DS2, DS2_STRICT, SAME_MAN

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
    from cardio_ecg_transfer.config import (
        EvaluateBlock,
        ExplainBlock,
        FeaturizeBlock,
        LoadBlock,
        PredictBlock,
        PreprocessBlock,
        TrainBlock,
    )

AAMI_BEATS = Task(
    name="aami_beats",
    title="AAMI beat classes from single beats",
    unit="event",
    targets=(Target("aami_class", "multiclass", AAMI_CLASSES, unscored=("Q",)),),
    models=(Model("resnet", "ResNet on spectrograms"),),
    event_tolerance_s=0.15,
    plans={
        "dechazal_strict": Fixed(DS1, DS2_STRICT),
        "dechazal": Fixed(DS1, DS2, overlap=SAME_MAN),
        "random_beats": RandomSamples(
            overlap="beats are split at random, so beats of every patient are in training and test",
            test_share=0.2,
        ),
    },
)

INFO = PluginInfo(
    name="ecg_transfer",
    title="ECG spectrograms and residual networks, pretrained on MIT-BIH (He et al. 2023)",
    api=(1, 0),
    tasks=(AAMI_BEATS,),
    default_task="aami_beats",
    config="cardio_ecg_transfer.config:Config",
    configs="cardio_ecg_transfer.configs",
    synthesize="cardio_ecg_transfer.synthetic:synthesize_task",
    papers=(
        "He et al. 2023, A new method using deep transfer learning on ECG to predict the response "
        "to cardiac resynchronization therapy",
        "Moody and Mark 2001, The impact of the MIT-BIH Arrhythmia Database",
        "de Chazal et al. 2004, Automatic classification of heartbeats using ECG morphology and "
        "heartbeat interval features",
    ),
    tools=(Tool("rpeaks", "cardio_ecg_transfer.tools:rpeaks"),),
)


@hookimpl
def load(config: LoadBlock, ctx: Context) -> Cohort:
    """Find WFDB, DICOM and CSV recordings, and their beat annotations."""
    from cardio_ecg_transfer.load import load_recordings

    return load_recordings(config, ctx)


@hookimpl
def preprocess(samples: SampleSet, config: PreprocessBlock, ctx: Context) -> SampleSet:
    """Filter, find R peaks, and cut one segment a beat."""
    from cardio_ecg_transfer.preprocess import mint_beats

    return mint_beats(samples, config, ctx)


@hookimpl
def featurize(samples: SampleSet, config: FeaturizeBlock, ctx: Context) -> FeatureSet:
    """Turn each beat into a spectrogram and its timing into numbers."""
    from cardio_ecg_transfer.featurize import beat_features

    return beat_features(samples, config)


@hookimpl
def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit a residual network."""
    from cardio_ecg_transfer.train import train_resnet

    return train_resnet(training, validation, targets, config, ctx)


@hookimpl
def predict(
    model: ModelArtifact, features: FeatureSet, config: PredictBlock, ctx: Context
) -> Predictions:
    """Score every beat."""
    from cardio_ecg_transfer.predict import predict_beats

    return predict_beats(model, features, config, ctx)


@hookimpl
def explain(
    model: ModelArtifact,
    features: FeatureSet,
    predictions: Predictions,
    config: ExplainBlock,
    ctx: Context,
) -> Explanation:
    """Draw Grad-CAM++ over the spectrograms of a few beats."""
    from cardio_ecg_transfer.explain import explain_beats

    return explain_beats(model, features, predictions, config, ctx)


@hookimpl
def evaluate(
    predictions: Scored, cohort: Cohort, config: EvaluateBlock, ctx: Context
) -> EvaluationReport:
    """Add what each record costs to the default evaluation."""
    from cardio_ecg_transfer.evaluate import evaluate_beats

    return evaluate_beats(predictions, config, ctx)
