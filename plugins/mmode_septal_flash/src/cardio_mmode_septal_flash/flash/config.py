"""The configuration of this plugin; each block goes to the hook of its name."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from pydantic import Field, field_validator

from cardio_core.api import Block, NetworkBlock, RunConfig, ScoringBlock
from cardio_core.api import EvaluateBlock as EvaluateBlock
from cardio_ultrasound import LoopFactsBlock


class LoadBlock(LoopFactsBlock):
    """Which loops."""

    timepoint: Literal["any", "baseline", "follow-up"] = Field(
        "any", description="studies of one timepoint only"
    )
    view: Literal["look", "a4c"] = Field(
        "look",
        description="look at each loop whether it is an apical four-chamber view, or take a "
        "person's word (a4c) that all are",
    )


class PreprocessBlock(Block):
    """From a loop to M-modes."""

    first_point: int = Field(10, ge=1, le=61, description="tangent from this point of 62 (1-based)")
    last_point: int = Field(20, ge=2, le=62, description="last point of the tangent (of 62)")
    rv_mm: float = Field(30.0, gt=0, description="reach from the septum towards the RV")
    n_pixels: int = Field(
        500,
        ge=32,
        json_schema_extra={"unit": "pixels"},
        description="rows and columns of an M-mode",
    )
    interpolation: Literal["linear", "cubic"] = Field(
        "linear", description="between pixels, where a loop is cut along a line"
    )
    engine: Literal["torch", "vtk"] = Field(
        "torch", description="batched on the device, or vtkImageReslice; within a grey level alike"
    )
    max_shift: int = Field(5, ge=0, description="shifted copies for training, points each way")
    find_septum: bool = Field(True, description="find the septum where no file names it")

    @field_validator("engine")
    @classmethod
    def _is_here(cls, engine: str) -> str:
        if engine == "vtk" and find_spec("vtkmodules") is None:
            raise ValueError(
                "vtk is not installed; take torch, which cuts the same lines, or pip install "
                '"./plugins/mmode_septal_flash[vtk]" in the cardio checkout'
            )
        return engine


class FeaturizeBlock(Block):
    """From M-modes to pictures and measurements."""

    size: int = Field(
        256,
        ge=32,
        json_schema_extra={"unit": "pixels"},
        description="rows and columns of a picture",
    )


class TrainBlock(NetworkBlock):
    """The network and how it is fitted, and the regressions beside it."""

    stem: Literal["repeated", "one"] = Field(
        "repeated", description="the grey picture three times, as colour weights expect, or once"
    )
    contrast: float = Field(
        2.0, ge=1, description="training contrast between 1/x and x, log-uniform; 1 is off"
    )
    even_gain: bool = Field(
        False,
        description="bring each picture to the mean picture's mean and spread before that is "
        "subtracted, so that no gain or contrast leaves the anatomy in",
    )
    shifts: bool = Field(True, description="train on the shifted copies, too")
    choose_epochs: bool = Field(True, description="let the inner folds choose how many")
    validation_share: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of the training studies set aside to choose the epoch, shifted copies "
        "and all: the published procedure; 0 leaves that to the inner folds",
    )
    draws: int = Field(
        1,
        ge=1,
        description="fits that differ in weights and order; the one with the least loss on a fifth "
        "of the training patients, held back from all of them, is kept",
    )
    logistic_c: float = Field(
        1.0, gt=0, description="inverse penalty of the regressions on measured motion"
    )


class ExplainBlock(Block):
    """Which maps are scored and drawn."""

    n_cases: int = Field(
        2,
        ge=0,
        description="drawn of every kind: surest for and against in each fold, and true "
        "and false positives and negatives",
    )
    methods: tuple[Literal["grad_cam_pp", "layer_cam", "occlusion"], ...] = Field(
        ("grad_cam_pp", "layer_cam"),
        min_length=1,
        description="which explanations are scored and drawn",
    )
    n_random: int = Field(1, ge=0, description="networks with random weights to compare with")


class Config(RunConfig):
    """Everything that this plugin can be told."""

    load: LoadBlock = LoadBlock()
    preprocess: PreprocessBlock = PreprocessBlock()
    featurize: FeaturizeBlock = FeaturizeBlock()
    train: TrainBlock = TrainBlock()
    predict: ScoringBlock = ScoringBlock()
    explain: ExplainBlock = ExplainBlock()
    evaluate: EvaluateBlock = EvaluateBlock()
