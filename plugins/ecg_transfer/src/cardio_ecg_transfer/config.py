"""The configuration of this plugin; each block goes to the hook of its name."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cardio_core.api import Block, FitPlan, RunConfig
from cardio_core.api import EvaluateBlock as EvaluateBlock


class LoadBlock(Block):
    """Which recordings, and how much of each."""

    records: tuple[str, ...] = Field((), description="only these recordings; empty means all")
    exclude: tuple[str, ...] = Field((), description="recordings left out by design")
    max_s: float | None = Field(None, gt=10, description="only the first seconds of a recording")
    min_s: float = Field(8.0, gt=0, description="a shorter recording is quarantined")
    outcome: Literal["LVESV15", "LVEF5", "LVEF5ge", "NYHA1", "composite_VISION"] = Field(
        "LVESV15", description="crt_response: how response is computed from a cohort table"
    )
    died_or_transplanted: Literal["na", "nonresponder"] = Field(
        "na", description="crt_response: what death or transplantation before follow-up counts as"
    )
    label: str | None = Field(
        None, description="crt_response on PTB-XL: the diagnostic superclass that stands in"
    )
    draw: str | None = Field(
        None, description="crt_response: only so many patients with and without, as in 46+25"
    )


class PreprocessBlock(Block):
    """From a recording to segments of beats."""

    high_pass_hz: float | None = Field(0.5, gt=0, description="None leaves the baseline")
    notch_hz: float | None = Field(None, description="50 or 60; None is off")
    leads: Literal["first", "two", "all"] = Field(
        "two", description="for the pictures, not for R peaks; see preprocess.picture_leads"
    )
    anchor: Literal["paper", "honest", "window_10s"] = "honest"
    n_beats: int = Field(8, ge=1, description="crt_response: most beats kept of a recording")


class FeaturizeBlock(Block):
    """From segments to pictures and numbers."""

    mode: Literal["M1", "M2", "M3", "M4"] = "M2"
    window: Literal["hann", "hamming"] = "hann"
    height: int = Field(224, ge=8)
    width: int = Field(224, ge=8)
    max_hz: float = Field(60.0, gt=5)
    kinds: tuple[Literal["own", "beat", "difference", "residual"], ...] = Field(
        ("own",),
        min_length=1,
        description="pictures of a beat, each a channel for every lead: own (scaled by itself) "
        "alone, or any of the three beside its recording",
    )


class AugmentationBlock(Block):
    """How far training pictures are changed at random; see `models.augment`."""

    time_shift: float = Field(0.0, ge=0, description="share of the width")
    time_stretch: float = Field(0.0, ge=0, description="relative")
    frequency_stretch: float = Field(0.0, ge=0, description="relative")
    mask: float = Field(0.0, ge=0, le=1, description="longest masked share of an axis")
    contrast: float = Field(0.0, ge=0, description="relative")
    lead_dropout: float = Field(0.0, ge=0, le=1, description="probability to lose a lead")
    side_noise: float = Field(0.0, ge=0, description="SD of noise on the side features")


class ResponseBlock(Block):
    """The network of `crt_response`; see `response.network`."""

    stem: Literal["shared", "twelve"] = Field(
        "shared", description="one encoder for every lead, or a picture of twelve channels"
    )
    pooling: Literal["attention", "mean"] = "attention"
    n_beats: int = Field(2, ge=1, description="beats of a patient in a training example")
    n_beats_scored: int = Field(6, ge=1, description="beats of a patient when he is scored")
    side: bool = Field(True, description="join gain and polarity of each lead")
    freeze: Literal["none", "stem+layer1", "all"] = Field(
        "none", description="part of a pretrained encoder that is not trained on"
    )
    body_learning_rate: float | None = Field(
        1e-4, gt=0, description="of a pretrained encoder; None is that of the rest"
    )
    positive_share: float = Field(
        0.5, gt=0, lt=1, description="share of responders in an epoch's draw (fit.draw)"
    )
    choose_epochs: bool = Field(
        False, description="take the number of epochs from the inner folds, or keep it as set"
    )


class ClassicalBlock(Block):
    """Classifiers of `crt_response` on features that are not learnt with them."""

    n_trees: int = Field(500, ge=1)
    min_leaf: int = Field(2, ge=1)
    svm_c: float = Field(1.0, gt=0)
    logistic_c: float = Field(1.0, gt=0, description="inverse of the L2 penalty")


class TrainBlock(Block):
    """The network and how it is fitted."""

    depth: Literal[18, 50, 101] = 18
    width_mult: float = Field(1.0, gt=0, le=1)
    small_stem: bool = False
    dropout: float = Field(0.0, ge=0, lt=1)
    rhythm: bool = Field(True, description="join the RR ratios to the pooled picture")
    loudness: bool = Field(True, description="join the loudness beside the recording's median")
    n_side_hidden: int = Field(64, ge=1, description="width of the layers for side features")
    picture_classes: tuple[int, ...] = Field(
        (),
        description="for each class, the class whose evidence from the picture it takes; empty is "
        "its own (see models.resnet)",
    )
    picture_dropout: float = Field(
        0.0, ge=0, lt=1, description="probability that training hides a beat's picture altogether"
    )
    shares: tuple[float, ...] = Field(
        (), description="share of each class in an epoch's draw; empty weights the loss instead"
    )
    prior: tuple[float, ...] = Field(
        (0.86, 0.06, 0.07, 0.01, 0.0001), description="prior of the classes that logits shall have"
    )
    patient_power: float = Field(
        0.5, ge=0, le=1, description="1 draws beats alike within a class, 0 patients alike"
    )
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    augmentation: AugmentationBlock = AugmentationBlock()
    response: ResponseBlock = ResponseBlock()
    classical: ClassicalBlock = ClassicalBlock()
    fit: FitPlan = FitPlan()


class PredictBlock(Block):
    """How beats are scored."""

    batch_size: int = Field(256, ge=1)


class ExplainBlock(Block):
    """Which beats are explained."""

    n_cases: int = Field(
        2, ge=0, description="of each class, surest and least sure; of crt_response, surest alone"
    )
    layer: Literal[1, 2, 3, 4] = Field(
        3, description="crt_response: residual layer whose maps Grad-CAM++ weights"
    )


class Config(RunConfig):
    """Everything that this plugin can be told."""

    load: LoadBlock = LoadBlock()
    preprocess: PreprocessBlock = PreprocessBlock()
    featurize: FeaturizeBlock = FeaturizeBlock()
    train: TrainBlock = TrainBlock()
    predict: PredictBlock = PredictBlock()
    explain: ExplainBlock = ExplainBlock()
    evaluate: EvaluateBlock = EvaluateBlock()
