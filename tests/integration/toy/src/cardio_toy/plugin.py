"""The front door of the toy: five tasks that use every contract between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_core.api import (
    Fixed,
    Model,
    Need,
    PluginInfo,
    RandomSamples,
    Resubstitution,
    Target,
    Task,
    hookimpl,
)

if TYPE_CHECKING:
    from cardio_core.api import (
        Block,
        Cohort,
        Context,
        Explanation,
        FeatureSet,
        ModelArtifact,
        Predictions,
        SampleSet,
        Targets,
    )
    from cardio_toy.config import LoadBlock, PreprocessBlock, TrainBlock

ILL = Target("ill", "binary", ("healthy", "ill"))
APPARENT = Resubstitution(overlap="everybody is trained on and tested")
EVEN = tuple(f"B{n:02d}" for n in range(0, 24, 2))
ODD = tuple(f"B{n:02d}" for n in range(1, 24, 2))
CONSTANT = Model("constant", "Prevalence, whoever it is", baseline=True)

MEAN_CLASS = Task(
    name="mean_class",
    title="Illness from the height of the beats",
    unit="patient",
    targets=(ILL,),
    models=(Model("ridge", "Penalised logistic regression"), CONSTANT),
    plans={"apparent": APPARENT},
    family="clinic",
)
BEATS = Task(
    name="beats",
    title="Shape of every beat",
    unit="event",
    targets=(Target("shape", "multiclass", ("narrow", "wide", "inverted")),),
    models=(Model("network", "Small network"),),
    event_tolerance_s=0.1,
    plans={
        "listed": Fixed(EVEN[1:], ODD),
        "listed_twice": Fixed(EVEN, ODD, overlap="B00 and B23 are one person"),
        "random_beats": RandomSamples(overlap="beats of every patient are on both sides"),
    },
)
SECOND = Task(
    name="second",
    title="Illness and severity of a study, from the first task's model and its features",
    unit="study",
    targets=(ILL, Target("severity", "continuous", unit="SD")),
    models=(Model("ridge", "Ridge regression"),),
    needs=(Need("mean_class", "same"),),
    plans={"apparent": APPARENT},
)
THIRD = Task(
    name="third",
    title="Illness from single beats, with a network that knows beats of other patients",
    unit="patient",
    targets=(ILL,),
    models=(Model("network", "Small network, pretrained"),),
    needs=(Need("beats", "other"),),
)
JOINED = Task(
    name="joined",
    title="Illness and severity from one feature each, and fused",
    unit="study",
    targets=(ILL, Target("severity", "continuous", unit="SD")),
    models=(
        Model("both", "Height and spread, fused", targets=("ill",), fuses=("height", "spread")),
        Model("height", "Height", targets=("ill",), partial=True),
        Model("spread", "Spread", targets=("ill",), partial=True),
        Model("height_value", "Severity from height", targets=("severity",), partial=True),
        Model("spread_value", "Severity from spread", targets=("severity",), partial=True),
        Model(
            "both_value",
            "Severity from both",
            targets=("severity",),
            fuses=("height_value", "spread_value"),
        ),
    ),
    needs=(Need("mean_class", "same", for_new=True, optional=True),),
    family="clinic",
)

INFO = PluginInfo(
    name="toy",
    title="Bumps on a line, for testing the core",
    api=(2, 0),
    tasks=(MEAN_CLASS, BEATS, SECOND, THIRD, JOINED),
    default_task="mean_class",
    config="cardio_toy.config:Config",
    configs="cardio_toy.configs",
    synthesize="cardio_toy.synthetic:synthesize",
    papers=("None. The toy is made up.",),
    tools={"rpeaks": "cardio_toy.bumps:rpeaks"},
)


@hookimpl
def load(config: LoadBlock, ctx: Context) -> Cohort:
    """Find the recordings of a cohort table, or single recordings."""
    from cardio_toy.recordings import load_recordings

    return load_recordings(config, ctx)


@hookimpl
def preprocess(samples: SampleSet, config: PreprocessBlock, ctx: Context) -> SampleSet:
    """Open the recordings; for the tasks on beats, mint a sample at every bump."""
    from cardio_toy.bumps import mint_bumps, open_all

    minted = ctx.task.name in ("beats", "third")
    return mint_bumps(samples, config, ctx) if minted else open_all(samples, ctx)


@hookimpl
def featurize(samples: SampleSet, ctx: Context) -> FeatureSet:
    """Describe a recording in two numbers, or cut a beat out."""
    from cardio_toy.features import beat_features, recording_features

    minted = ctx.task.name in ("beats", "third")
    return beat_features(samples) if minted else recording_features(samples)


@hookimpl
def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the row that is asked for."""
    from cardio_toy.rows import fit_row

    return fit_row(training, validation, targets, config, ctx)


@hookimpl
def predict(model: ModelArtifact, features: FeatureSet, config: Block, ctx: Context) -> Predictions:
    """Score recordings or beats."""
    from cardio_toy.rows import score_row

    return score_row(model, features, ctx)


@hookimpl
def explain(
    model: ModelArtifact, features: FeatureSet, predictions: Predictions, ctx: Context
) -> Explanation:
    """Show the features of one sample."""
    from cardio_toy.features import show_one

    return show_one(features, ctx)
