"""The configuration of the toy."""

from __future__ import annotations

from pydantic import Field

from cardio_core.api import Block, FitPlan, RunConfig


class LoadBlock(Block):
    """What the cohort lacks."""

    without: tuple[str, ...] = Field((), description="rows that the cohort is said not to support")


class PreprocessBlock(Block):
    """Where a bump counts as a beat."""

    threshold_mv: float = Field(0.35, gt=0, description="smallest height of a beat")


class TrainBlock(Block):
    """How rows are fitted."""

    strength: float = Field(1.0, gt=0, description="inverse of the penalty of linear models")
    fit: FitPlan = FitPlan(epochs=4, batch_size=32, learning_rate=0.02)


class Config(RunConfig):
    """Everything that the toy can be told."""

    load: LoadBlock = LoadBlock()
    preprocess: PreprocessBlock = PreprocessBlock()
    train: TrainBlock = TrainBlock()
