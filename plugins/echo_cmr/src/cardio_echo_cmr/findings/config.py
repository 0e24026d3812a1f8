"""The configuration of this plugin; each block goes to the hook of its name."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from cardio_core.api import Block, CasesBlock, NetworkBlock, RunConfig, ScoringBlock
from cardio_core.api import EvaluateBlock as CoreEvaluateBlock
from cardio_ultrasound import LoopFactsBlock


class CutoffsBlock(Block):
    """From which value on a measurement of the CMR counts as raised."""

    t1_ms: float = Field(1060.0, gt=0, description="a native T1 at or above it is abnormal")
    t2_ms: float = Field(58.0, gt=0, description="a T2 at or above it is abnormal")
    ecv_pct: float = Field(
        33.0, gt=0, lt=100, description="an extracellular volume at or above it is abnormal"
    )


class ScannerCutoffsBlock(Block):
    """Cut-offs of one kind of scanner; where a value is null, the general one holds."""

    field_T: float | None = Field(None, gt=0, description="field strength in T; null is any")  # noqa: N815
    vendor: str | None = Field(None, description="its maker, as in scanner_vendor; null is any")
    t1_ms: float | None = Field(
        None, gt=0, description="its native T1 at or above which it is abnormal"
    )
    t2_ms: float | None = Field(None, gt=0, description="its T2 at or above which it is abnormal")
    ecv_pct: float | None = Field(
        None, gt=0, lt=100, description="its extracellular volume at or above which it is abnormal"
    )


class LoadBlock(LoopFactsBlock):
    """Which loops, which CMR belongs to them, and what counts as a finding."""

    timepoint: Literal["any", "baseline", "follow-up"] = Field(
        "any", description="studies of one timepoint only"
    )
    views: Literal["predicted", "table"] = Field(
        "predicted",
        description="views out of the fold by the task `view`, or as the cohort table names them "
        "(with needs.view.skip=true)",
    )
    min_studies: int = Field(
        10,
        ge=1,
        description="studies with a finding, and as many without it, or with a value, that a model "
        "needs; one with fewer is left out",
    )
    max_days_to_cmr: int = Field(
        30,
        ge=0,
        json_schema_extra={"unit": "days"},
        description="most time between echocardiogram and CMR, either way",
    )
    cutoffs: CutoffsBlock = CutoffsBlock()
    scanner_cutoffs: tuple[ScannerCutoffsBlock, ...] = Field(
        (), description="cut-offs by field strength and maker; the first that matches counts"
    )


class PreprocessBlock(Block):
    """From a loop to a small square video; only this is kept of the loop."""

    side: int = Field(
        112, ge=16, json_schema_extra={"unit": "pixels"}, description="rows and columns of a frame"
    )
    max_frames: int = Field(128, ge=8, description="frames kept of a loop, from its first one")
    min_frames: int = Field(8, ge=2, description="a loop with fewer frames is not used")
    triangle: bool = Field(
        False,
        description="where no sector is found, or its fit is poor, keep the fixed triangle of "
        "EchoNet-Dynamic instead of setting the loop aside; no de-identification",
    )


class FeaturizeBlock(Block):
    """Nothing to choose: the size of the videos is `preprocess`'s, which decodes them once."""


class TrainBlock(NetworkBlock):
    """The networks, their clips, and how they are fitted."""

    clip: Literal["paper", "echonet", "honest"] = Field(
        "honest",
        description="as the paper's code cut them, as EchoNet-Dynamic does, or resampled by time",
    )
    n_frames: int = Field(32, ge=1, description="frames of a clip")
    period: int = Field(
        1, ge=1, description="every which frame: of 30 a second, native in paper and echonet"
    )
    pad: int = Field(
        12,
        ge=0,
        json_schema_extra={"unit": "pixels"},
        description="what is added on each side of a frame before its random crop",
    )
    weights: str | None = Field(
        None,
        description="local safetensors file that the network starts from (Kinetics, "
        "EchoNet-Dynamic, the released ones), as `cardio data convert-weights` makes it",
    )
    choose_epochs: bool = Field(
        True, description="let the inner folds choose how many epochs are trained"
    )
    view_frames: int = Field(8, ge=1, description="frames of a loop that the view is seen in")
    view_width_mult: float = Field(
        1.0,
        gt=0,
        le=1,
        description="share of the published channels of the ResNet that sees the views",
    )
    logistic_c: float = Field(
        1.0, gt=0, description="inverse penalty of the baselines: less is simpler"
    )
    min_view_probability: float = Field(
        0.8,
        gt=0,
        le=1,
        description="below it a view is unknown: its video teaches nothing, and is not scored",
    )
    max_patients: int | None = Field(
        None, ge=2, description="train on so many patients only, for a learning curve; null is all"
    )


class PredictBlock(ScoringBlock):
    """How videos are scored: a batch is of clips."""

    n_clips: int = Field(4, ge=1, description="clips of a video whose logits are averaged (honest)")


class ExplainBlock(CasesBlock):
    """Which videos are drawn, and how segments are occluded."""

    occlusion: bool = Field(True, description="score the occlusion of AHA segments")
    n_random: int = Field(
        0, ge=0, description="networks of random weights whose occlusion is a control"
    )
    video: bool = Field(True, description="write overlays of the drawn ones (WebM)")


class EvaluateBlock(CoreEvaluateBlock):
    """Intervals, and when a view counts as known."""

    n_resamples: int = Field(10_000, ge=100, description="bootstrap resamples of patients")
    min_view_probability: float = Field(
        0.8, gt=0, le=1, description="below it the task view counts a view as unknown"
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

    @model_validator(mode="after")
    def _views_are_predicted(self) -> Self:
        need = self.needs.get("view")
        if need is not None and need.skip and self.load.views == "predicted":
            raise ValueError(
                "load.views=predicted needs the task view, which needs.view.skip=true leaves out; "
                "take the table's views (load.views=table), or needs.view.skip=false"
            )
        return self
