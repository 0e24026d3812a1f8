"""The configuration of `mfr` and `risk_factor`; each block goes to the hook of its name."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cardio_core.api import Block, CasesBlock, NetworkBlock, RunConfig, ScoringBlock
from cardio_core.api import EvaluateBlock as CoreEvaluateBlock


class LoadBlock(Block):
    """Which flow is believed, and what counts as impaired."""

    min_rest: float = Field(
        0.2,
        ge=0,
        json_schema_extra={"unit": "ml/min/g"},
        description="flow at rest below which reserve is not defined",
    )
    impaired_below: float = Field(
        2.0, gt=0, description="global flow reserve below which it is impaired; dimensionless"
    )
    reference_rate_pressure: float | None = Field(
        None,
        gt=0,
        json_schema_extra={"unit": "mmHg/min"},
        description="heart rate x systolic pressure, to which flow at rest is corrected; "
        "needs the column x_rate_pressure_product; null corrects nothing",
    )


class PreprocessBlock(Block):
    """When a map cannot be used."""

    max_invalid_share: float = Field(
        0.5, ge=0, le=1, description="of the wall without a defined reserve, beyond which a study "
        "is quarantined",
    )  # fmt: skip


class FeaturizeBlock(Block):
    """From maps to pictures."""

    size: int = Field(224, ge=16, description="rows and columns of a picture")
    scaling: Literal["fixed", "per_image"] = Field(
        "fixed",
        description="fixed: rest 0-2, stress 0-5 ml/min/g, reserve 0-5; per_image divides by the "
        "picture's largest value and so takes away absolute flow (an ablation)",
    )


class TrainBlock(NetworkBlock):
    """The networks of both steps, and the regressions."""

    small_stem: bool = Field(False, description="no first pooling, for pictures of 64 and less")
    weights: str | None = Field(
        None, description="mfr: a local safetensors file of ResNet-50 weights to start from"
    )
    huber_delta: float = Field(0.5, gt=0, description="mfr: error where the loss turns linear")
    impaired_weight: float = Field(
        1.0,
        ge=0,
        description="mfr: weight of the log loss of impaired segments, added to the Huber loss",
    )
    body_learning_rate: float | None = Field(
        None, gt=0, description="risk_factor: of layers 3 and 4; null is that of the head"
    )
    global_mean: bool = Field(True, description="risk_factor: logistic models also see the mean")
    logistic_c: float = Field(
        1.0,
        gt=0,
        description="risk_factor: inverse of the L2 penalty of the logistic models: less is "
        "simpler",
    )


class PredictBlock(ScoringBlock):
    """How pictures are scored."""

    gains: tuple[float, ...] = Field(
        (0.85, 1.15), description="risk_factor: maps are also scored with their flow multiplied by "
        "these, as another scanner might read it; the scores are listed next to the others",
    )  # fmt: skip


class ExplainBlock(CasesBlock):
    """Which pictures are explained."""

    targets: tuple[str, ...] = Field(
        (), description="binary targets that are explained; empty is the first of the task"
    )
    layer: Literal[2, 3, 4] = Field(
        3, description="residual layer whose maps Grad-CAM weighs; later ones are coarser"
    )


class EvaluateBlock(CoreEvaluateBlock):
    """The default evaluation, the audit and the simulations."""

    min_per_class: int = Field(10, ge=2, description="patients of either class in an audited group")
    flag_level: float = Field(
        0.05, gt=0, lt=0.5, description="probability that a run flags anything by chance (max-T "
        "over every group, factor and model)",
    )  # fmt: skip
    n_permutations: int = Field(
        2000, ge=99, description="of the groups among the patients, for the audit's p-values"
    )
    n_simulations: int = Field(200, ge=0, description="redraws of each simulation; 0 leaves it out")


class Config(RunConfig):
    """Everything that `mfr` and `risk_factor` can be told."""

    load: LoadBlock = LoadBlock()
    preprocess: PreprocessBlock = PreprocessBlock()
    featurize: FeaturizeBlock = FeaturizeBlock()
    train: TrainBlock = TrainBlock()
    predict: PredictBlock = PredictBlock()
    explain: ExplainBlock = ExplainBlock()
    evaluate: EvaluateBlock = EvaluateBlock()
