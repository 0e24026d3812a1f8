"""The settings of the task, by hook; unknown ones are refused."""

from pydantic import Field

from cardio_core.api import Block, FitPlan, RunConfig


class PreprocessBlock(Block):
    """How pulses are found."""

    refractory_s: float = Field(0.4, gt=0, description="least time between two pulses, in seconds")


class TrainBlock(Block):
    """How the network is fitted."""

    fit: FitPlan = FitPlan()


class Config(RunConfig):
    """Every setting of the task."""

    preprocess: PreprocessBlock = PreprocessBlock()
    train: TrainBlock = TrainBlock()
