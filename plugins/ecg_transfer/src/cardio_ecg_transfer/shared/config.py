"""Settings that mean the same in both families; each family adds its own."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cardio_core.api import Block
from cardio_core.api import NetworkBlock as CoreNetworkBlock
from cardio_ecg_transfer.signal.spectrogram.settings import SpectrogramSettings


class RecordingsBlock(Block):
    """Which recordings, and how much of each."""

    records: tuple[str, ...] = Field((), description="only these recordings; empty means all")
    exclude: tuple[str, ...] = Field((), description="recordings left out by design")
    max_s: float | None = Field(None, gt=10, description="only the first seconds of a recording")
    min_s: float = Field(8.0, gt=0, description="a shorter recording is quarantined")
    rate_hz: float | None = Field(
        None, ge=50, le=50_000, description="sampling rate of text tables that do not state it"
    )
    unit: Literal["mV", "uV", "V", "nV"] | None = Field(
        None, description="unit of text tables that do not state it"
    )


class BeatsBlock(Block):
    """From a recording to segments of beats."""

    high_pass_hz: float | None = Field(
        0.5, gt=0, description="corner of the high-pass filter; null leaves the baseline"
    )
    notch_hz: float | None = Field(
        None, description="mains frequency to take out, 50 or 60; null takes none"
    )
    anchor: Literal["paper", "honest", "window_10s"] = Field(
        "honest",
        description="where a beat's segment begins: honest .35 RR before R (P wave and QRS whole), "
        "paper at R, or one window of 10 seconds",
    )


class PicturesBlock(Block):
    """From segments to pictures."""

    mode: Literal["M1", "M2", "M3", "M4"] = Field(
        "M2",
        description="M1 one window as long as the beat's segment, which is the paper's call of "
        "scipy taken literally; M2 windows of 64 samples within it; M3 windows of 512 samples over "
        "the recording, then cut to it; M4 windows of 512 samples over a segment of 10 s",
    )
    window: Literal["hann", "hamming"] = Field(
        "hann", description="window function of the short-time Fourier transform"
    )
    height: int = Field(224, ge=8, description="rows of a picture (frequency)")
    width: int = Field(224, ge=8, description="columns of a picture (time)")
    max_hz: float = Field(60.0, gt=5, description="highest frequency in a picture")

    def settings(self) -> SpectrogramSettings:
        """Return the settings of the pictures."""
        return SpectrogramSettings(**self.model_dump(include=set(PicturesBlock.model_fields)))


class AugmentationBlock(Block):
    """How far training pictures are changed at random; see `networks.augment`."""

    time_shift: float = Field(0.0, ge=0, description="largest shift, as a share of the width")
    time_stretch: float = Field(0.0, ge=0, description="largest change of length, as a share")
    frequency_stretch: float = Field(
        0.0, ge=0, description="largest stretch of the frequencies, as a share"
    )
    mask: float = Field(0.0, ge=0, le=1, description="longest masked share of an axis")
    contrast: float = Field(0.0, ge=0, description="largest change of contrast, as a share")
    lead_dropout: float = Field(0.0, ge=0, le=1, description="probability to lose a lead")


class NetworkBlock(CoreNetworkBlock):
    """The network and how it is fitted."""

    depth: Literal[18, 50, 101] = Field(18, description="layers of the residual network")
    small_stem: bool = Field(
        False, description="no first pooling, for pictures of 64 pixels and less"
    )
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of the features that are dropped before the last layer in training",
    )
    augmentation: AugmentationBlock = AugmentationBlock()
