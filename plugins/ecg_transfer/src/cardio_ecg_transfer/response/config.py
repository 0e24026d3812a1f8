"""The configuration of `crt_response`; each block goes to the hook of its name."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cardio_core.api import Block, CasesBlock, FollowUpBlock, RunConfig, ScoringBlock
from cardio_ecg_transfer.shared.config import (
    BeatsBlock,
    NetworkBlock,
    PicturesBlock,
    RecordingsBlock,
)


class LoadBlock(RecordingsBlock, FollowUpBlock):
    """Which recordings, and what response is."""

    label: str | None = Field(
        None, description="on PTB-XL: the diagnostic superclass that stands in"
    )
    sites: Literal["date", "device", "site"] | None = Field(
        None,
        description="on PTB-XL: what stands in for hospitals where one is left out (plan sites): "
        "five parts in the order of recording, the make of the cart, or the recording site",
    )
    draw: str | None = Field(
        None, description="only so many patients with and without, as in 46+25"
    )


class PreprocessBlock(BeatsBlock):
    """From a recording to segments of beats."""

    n_beats: int = Field(8, ge=1, description="most beats kept of a recording")


class ResponseBlock(Block):
    """The network of a patient; see `networks.patient_net`."""

    stem: Literal["shared", "twelve"] = Field(
        "shared", description="one encoder for every lead, or a picture of twelve channels"
    )
    pooling: Literal["attention", "mean"] = Field(
        "attention", description="how the beats and leads of a patient become one vector"
    )
    n_beats: int = Field(2, ge=1, description="beats of a patient in a training example")
    n_beats_scored: int = Field(6, ge=1, description="beats of a patient when he is scored")
    side: bool = Field(
        True,
        description="show the network gain and polarity of each lead as well as pictures",
    )
    freeze: Literal["none", "stem+layer1", "all"] = Field(
        "none", description="part of a pretrained encoder that is not trained on"
    )
    body_learning_rate: float | None = Field(
        1e-4, gt=0, description="of a pretrained encoder; null is that of the rest"
    )
    positive_share: float = Field(
        0.5, gt=0, lt=1, description="share of responders in an epoch's draw (fit.draw)"
    )
    choose_epochs: bool = Field(
        False, description="take the number of epochs from the inner folds, or keep it as set"
    )


class ClassicalBlock(Block):
    """Classifiers on features that are not learnt with them."""

    n_trees: int = Field(500, ge=1, description="how many trees, of each kind of forest")
    min_leaf: int = Field(2, ge=1, description="fewest patients in a leaf")
    svm_c: float = Field(1.0, gt=0, description="inverse of the support vector machine's penalty")
    logistic_c: float = Field(
        1.0, gt=0, description="inverse of the L2 penalty of the logistic models: less is simpler"
    )
    trees: tuple[Literal["forest", "extra", "boosting"], ...] = Field(
        ("forest", "extra", "boosting"),
        min_length=1,
        description="kinds of trees on all measurements; folds inside the training patients choose",
    )
    n_kernels: int = Field(2000, ge=10, description="random convolution kernels")


class BeatNetworkBlock(Block):
    """The network on the median beat."""

    pretrain_epochs: int = Field(
        0,
        ge=0,
        description="passes over the training patients' beats without their outcomes, in which the "
        "encoder learns to fill in masked leads and stretches; 0 leaves this out",
    )


class TrainBlock(NetworkBlock):
    """The models and how they are fitted."""

    response: ResponseBlock = ResponseBlock()
    beat_network: BeatNetworkBlock = BeatNetworkBlock()
    classical: ClassicalBlock = ClassicalBlock()


class ExplainBlock(CasesBlock):
    """Which patients are explained, and from which maps."""

    layer: Literal[1, 2, 3, 4] = Field(
        3, description="residual layer whose maps Grad-CAM++ weights"
    )


class Config(RunConfig):
    """Everything that this task can be told."""

    load: LoadBlock = LoadBlock()
    preprocess: PreprocessBlock = PreprocessBlock()
    featurize: PicturesBlock = PicturesBlock()
    train: TrainBlock = TrainBlock()
    predict: ScoringBlock = ScoringBlock()
    explain: ExplainBlock = ExplainBlock()
