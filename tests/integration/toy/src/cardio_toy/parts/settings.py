"""The settings that tasks of both families take."""

from __future__ import annotations

from pydantic import Field

from cardio_core.api import Block


class LoadBlock(Block):
    """What the cohort lacks."""

    without: tuple[str, ...] = Field((), description="models that the cohort is said to lack")
    gain: float = Field(1.0, gt=0, description="factor of every value, where a file is of other mV")
