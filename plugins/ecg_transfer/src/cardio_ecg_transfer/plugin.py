"""The front door: what this plugin is, and its hooks. Nothing heavy is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_core.api import (
    Fixed,
    Model,
    Need,
    PluginInfo,
    RandomSamples,
    Target,
    Task,
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
    models=(
        Model("resnet", "ResNet on spectrograms"),
        Model("resnet_50", "ResNet-50 on spectrograms"),
        Model("resnet_101", "ResNet-101 on spectrograms"),
    ),
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

CRT_RESPONSE = Task(
    name="crt_response",
    title="Response to cardiac resynchronization therapy from a twelve-lead ECG",
    unit="patient",
    targets=(Target("response", "binary", ("no", "yes")),),
    models=(
        Model("pretrained", "ResNet pretrained on beats, fine-tuned"),
        Model("scratch", "ResNet from scratch"),
        Model("pretrained_50", "ResNet-50 pretrained on beats, fine-tuned"),
        Model("scratch_50", "ResNet-50 from scratch"),
        Model("pretrained_101", "ResNet-101 pretrained on beats, fine-tuned"),
        Model("scratch_101", "ResNet-101 from scratch"),
        Model("deep_logistic", "Logistic regression on pretrained features"),
        Model("deep_svm", "SVM on pretrained features"),
        Model("deep_forest", "Random forest on pretrained features"),
        Model("svm", "SVM on the median beat", baseline=True),
        Model("forest", "Random forest on the median beat", baseline=True),
        Model("qrs_duration", "QRS duration", baseline=True),
        Model("lbbb", "LBBB", baseline=True, rule=True),
        Model("guideline", "Class I guideline: LBBB and QRS ≥ 150 ms", baseline=True, rule=True),
        Model("qrs_lbbb", "Logistic regression on QRS duration and LBBB", baseline=True),
        Model("qrs_area", "QRS area of the vectorcardiogram", baseline=True),
    ),
    needs=(Need("aami_beats", "other"),),
    plans={
        "random_beats": RandomSamples(
            overlap="beats are split at random, so beats of every patient are in training and test",
            k=5,
        ),
    },
)

INFO = PluginInfo(
    name="ecg_transfer",
    title="ECG spectrograms and residual networks, pretrained on MIT-BIH (He et al. 2023)",
    api=(2, 0),
    tasks=(CRT_RESPONSE, AAMI_BEATS),
    default_task="crt_response",
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
    tools={"rpeaks": "cardio_ecg_transfer.tools:rpeaks"},
)


@hookimpl
def load(config: LoadBlock, ctx: Context) -> Cohort:
    """Find recordings, and their beat annotations or their patients' outcome."""
    if ctx.task.name == CRT_RESPONSE.name:
        from cardio_ecg_transfer.response.cohort import load_response

        return load_response(config, ctx)
    from cardio_ecg_transfer.load import load_recordings

    return load_recordings(config, ctx)


@hookimpl
def preprocess(samples: SampleSet, config: PreprocessBlock, ctx: Context) -> SampleSet:
    """Filter, find R peaks, and cut one segment a beat."""
    if ctx.task.name == CRT_RESPONSE.name:
        from cardio_ecg_transfer.response.preprocess import mint_heart_beats

        return mint_heart_beats(samples, config, ctx)
    from cardio_ecg_transfer.preprocess import mint_beats

    return mint_beats(samples, config, ctx)


@hookimpl
def featurize(samples: SampleSet, config: FeaturizeBlock, ctx: Context) -> FeatureSet:
    """Turn each beat into spectrograms and its timing, or its recording, into numbers."""
    if ctx.task.name == CRT_RESPONSE.name:
        from cardio_ecg_transfer.response.featurize import heart_features

        return heart_features(samples, config)
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
    """Fit a residual network, or one of the rows that it is compared with."""
    if ctx.task.name == CRT_RESPONSE.name:
        from cardio_ecg_transfer.response.train import train_row

        return train_row(training, validation, targets, config, ctx)
    from cardio_ecg_transfer.train import train_resnet

    return train_resnet(training, validation, targets, config, ctx)


@hookimpl
def predict(
    model: ModelArtifact, features: FeatureSet, config: PredictBlock, ctx: Context
) -> Predictions:
    """Score every beat, or every patient."""
    if ctx.task.name == CRT_RESPONSE.name:
        from cardio_ecg_transfer.response.predict import predict_patients

        return predict_patients(model, features, config, ctx)
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
    if ctx.task.name == CRT_RESPONSE.name:
        from cardio_ecg_transfer.response.explain import explain_patients

        return explain_patients(model, features, predictions, config, ctx)
    from cardio_ecg_transfer.explain import explain_beats

    return explain_beats(model, features, predictions, config, ctx)


@hookimpl
def evaluate(
    predictions: Scored,
    cohort: Cohort,
    explanation: Explanation,
    config: EvaluateBlock,
    ctx: Context,
) -> EvaluationReport:
    """Add the paper's tables, or what each record costs, to the default evaluation."""
    if ctx.task.name == CRT_RESPONSE.name:
        from cardio_ecg_transfer.response.evaluate import evaluate_response

        return evaluate_response(predictions, cohort, explanation, config, ctx)
    from cardio_ecg_transfer.evaluate import evaluate_beats

    return evaluate_beats(predictions, config, ctx)
