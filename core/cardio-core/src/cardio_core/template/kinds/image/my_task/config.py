"""The settings of the task, by hook; unknown ones are refused."""

from cardio_core.api import Block, CasesBlock, FitPlan, RunConfig


class TrainBlock(Block):
    """How the network is fitted."""

    fit: FitPlan = FitPlan()


class Config(RunConfig):
    """Every setting of the task."""

    train: TrainBlock = TrainBlock()
    explain: CasesBlock = CasesBlock()
