"""The settings of the tasks on whole recordings."""

from __future__ import annotations

from pydantic import Field

from cardio_core.api import Block, RunConfig
from cardio_toy.parts.settings import LoadBlock


class TrainBlock(Block):
    """How models are fitted."""

    strength: float = Field(1.0, gt=0, description="inverse of the penalty of linear models")


class Config(RunConfig):
    """Everything that these tasks can be told."""

    load: LoadBlock = LoadBlock()
    train: TrainBlock = TrainBlock()
