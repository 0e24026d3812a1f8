"""The settings of the task, by hook; unknown ones are refused."""

from pydantic import Field

from cardio_core.api import Block, FitPlan, RunConfig


class PreprocessBlock(Block):
    """How pulses are found."""

    refractory_s: float = Field(0.4, gt=0, description="least time between two pulses, in seconds")


class TrainBlock(Block):
    """How models are fitted."""

    strength: float = Field(1.0, gt=0, description="inverse of the penalty of a regression")
    fit: FitPlan = FitPlan()


class Config(RunConfig):
    """Everything that the task can be told."""

    preprocess: PreprocessBlock = PreprocessBlock()
    train: TrainBlock = TrainBlock()
