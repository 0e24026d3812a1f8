"""The settings of the tasks on single beats."""

from __future__ import annotations

from pydantic import Field

from cardio_core.api import Block, FitPlan, RunConfig
from cardio_toy.parts.settings import LoadBlock


class PreprocessBlock(Block):
    """Where a bump counts as a beat."""

    threshold_mv: float = Field(0.35, gt=0, description="smallest height of a beat")


class TrainBlock(Block):
    """How the network is fitted."""

    fit: FitPlan = FitPlan(epochs=4, batch_size=32, learning_rate=0.02)


class Config(RunConfig):
    """Everything that these tasks can be told."""

    load: LoadBlock = LoadBlock()
    preprocess: PreprocessBlock = PreprocessBlock()
    train: TrainBlock = TrainBlock()
