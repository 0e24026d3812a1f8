"""The configuration of `aami_beats`; each block goes to the hook of its name."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cardio_core.api import Block, RunConfig, ScoringBlock
from cardio_ecg_transfer.shared.config import (
    AugmentationBlock,
    BeatsBlock,
    NetworkBlock,
    PicturesBlock,
    RecordingsBlock,
)


class PreprocessBlock(BeatsBlock):
    """From a recording to segments of beats."""

    leads: Literal["first", "two", "all"] = Field(
        "two", description="for the pictures, not for R peaks; see preprocess.picture_leads"
    )


class FeaturizeBlock(PicturesBlock):
    """From segments to pictures and numbers."""

    kinds: tuple[Literal["own", "beat", "difference", "residual"], ...] = Field(
        ("own",),
        min_length=1,
        description="pictures of a beat, each a channel for every lead: own (scaled by itself) "
        "alone, or any of the three relative to its recording",
    )


class BeatAugmentationBlock(AugmentationBlock):
    """How far training beats are changed at random."""

    side_noise: float = Field(
        0.0, ge=0, description="spread of the normal noise added to the side features (ratios)"
    )


class EvidenceBlock(Block):
    """The model `evidence`: boosted trees on rhythm, P wave, shape and noise."""

    n_trees: int = Field(100, ge=1, description="trees of each expert")
    n_leaves: int = Field(8, ge=2, description="most leaves of a tree")
    learning_rate: float = Field(
        0.1, gt=0, le=1, description="step of the boosted trees: less learns more slowly"
    )
    min_leaf: int = Field(30, ge=1, description="fewest beats in a leaf")
    penalty: float = Field(1.0, ge=0, description="L2 penalty on what each leaf of the trees adds")
    normal_share: float = Field(
        0.15, gt=0, le=1, description="share of the normal beats (N) that the trees learn from"
    )
    n_planted: int = Field(
        150, ge=0, description="simulated rhythms that S is learnt from, in addition to real ones"
    )
    planted_share: float = Field(
        0.6,
        ge=0,
        lt=1,
        description="share of the weight that rhythms made by code have where S is learnt",
    )
    shift_s: float = Field(
        0.85, description="how much is taken off the log odds of S against N: more finds fewer S"
    )
    shift_v: float = Field(
        0.0,
        description="how much is taken off the log odds of V against N and S: more finds fewer V",
    )
    reject_noise: bool = Field(
        True, description="call detections in noise unclassifiable (Q), by fixed limits"
    )


class TrainBlock(NetworkBlock):
    """The network and how it is fitted; `evidence` is of the model of that name."""

    evidence: EvidenceBlock = EvidenceBlock()

    rhythm: bool = Field(
        True, description="let the network see the ratios of RR intervals as well as the picture"
    )
    loudness: bool = Field(
        True,
        description="show the network how loud a beat is relative to the recording's median",
    )
    n_side_hidden: int = Field(64, ge=1, description="width of the layers for side features")
    picture_classes: tuple[int, ...] = Field(
        (),
        description="for each class, the class whose evidence from the picture it takes; empty is "
        "its own (see networks.resnet)",
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
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of every label spread over all classes"
    )
    augmentation: BeatAugmentationBlock = BeatAugmentationBlock()


class ExplainBlock(Block):
    """Which beats are explained."""

    n_cases: int = Field(
        2,
        ge=0,
        description="how many beats of each class are explained, the surest and as many of the "
        "least sure",
    )


class Config(RunConfig):
    """Everything that this task can be told."""

    load: RecordingsBlock = RecordingsBlock()
    preprocess: PreprocessBlock = PreprocessBlock()
    featurize: FeaturizeBlock = FeaturizeBlock()
    train: TrainBlock = TrainBlock()
    predict: ScoringBlock = ScoringBlock()
    explain: ExplainBlock = ExplainBlock()
