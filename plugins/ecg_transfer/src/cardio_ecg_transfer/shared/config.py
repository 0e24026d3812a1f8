"""Settings that mean the same in both families; each family adds its own."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cardio_core.api import Block, FitPlan
from cardio_ecg_transfer.signal.spectrogram.settings import SpectrogramSettings


class RecordingsBlock(Block):
    """Which recordings, and how much of each."""

    records: tuple[str, ...] = Field((), description="only these recordings; empty means all")
    exclude: tuple[str, ...] = Field((), description="recordings left out by design")
    max_s: float | None = Field(None, gt=10, description="only the first seconds of a recording")
    min_s: float = Field(8.0, gt=0, description="a shorter recording is quarantined")


class BeatsBlock(Block):
    """From a recording to segments of beats."""

    high_pass_hz: float | None = Field(0.5, gt=0, description="None leaves the baseline")
    notch_hz: float | None = Field(None, description="50 or 60; None is off")
    anchor: Literal["paper", "honest", "window_10s"] = "honest"


class PicturesBlock(Block):
    """From segments to pictures."""

    mode: Literal["M1", "M2", "M3", "M4"] = "M2"
    window: Literal["hann", "hamming"] = "hann"
    height: int = Field(224, ge=8)
    width: int = Field(224, ge=8)
    max_hz: float = Field(60.0, gt=5)

    def settings(self) -> SpectrogramSettings:
        """Return the settings of the pictures."""
        return SpectrogramSettings(**self.model_dump(include=set(PicturesBlock.model_fields)))


class AugmentationBlock(Block):
    """How far training pictures are changed at random; see `networks.augment`."""

    time_shift: float = Field(0.0, ge=0, description="share of the width")
    time_stretch: float = Field(0.0, ge=0, description="relative")
    frequency_stretch: float = Field(0.0, ge=0, description="relative")
    mask: float = Field(0.0, ge=0, le=1, description="longest masked share of an axis")
    contrast: float = Field(0.0, ge=0, description="relative")
    lead_dropout: float = Field(0.0, ge=0, le=1, description="probability to lose a lead")


class NetworkBlock(Block):
    """The network and how it is fitted."""

    depth: Literal[18, 50, 101] = 18
    width_mult: float = Field(1.0, gt=0, le=1)
    small_stem: bool = False
    dropout: float = Field(0.0, ge=0, lt=1)
    augmentation: AugmentationBlock = AugmentationBlock()
    fit: FitPlan = FitPlan()


class PredictBlock(Block):
    """How pictures are scored."""

    batch_size: int = Field(256, ge=1)
