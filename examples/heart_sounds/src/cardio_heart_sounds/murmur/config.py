"""The settings of the task, by hook; unknown ones are refused."""

from pydantic import Field

from cardio_core.api import Block, FitPlan, RunConfig


class PreprocessBlock(Block):
    """Which windows are kept, and what is said of a recording."""

    clipped_share: float = Field(
        0.01, ge=0, le=1, description="share of values at full scale above which a reader is warned"
    )
    quiet_share: float = Field(
        0.5, gt=0, le=1, description="share of a window without contact above which it is left out"
    )


class TrainBlock(Block):
    """How the network is fitted."""

    fit: FitPlan = FitPlan()


class Config(RunConfig):
    """Everything that the task can be told."""

    preprocess: PreprocessBlock = PreprocessBlock()
    train: TrainBlock = TrainBlock()
