"""The four ways to read the paper's "STFT with a 512-sample window", as settings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from cardio_core.api import DataError

M3_CONTEXT = 256
"""Samples kept on both sides of a segment, for windows that reach over its edges (mode M3)."""


@dataclass(frozen=True)
class StftPlan:
    """Numbers of one short-time Fourier transform.

    Attributes
    ----------
    window_samples, hop, n_fft : int
        Samples per window, between windows, and of the transform (zeros fill the rest).
    n_frames : int
        Windows that cover the segment.
    """

    window_samples: int
    hop: int
    n_fft: int
    n_frames: int


@dataclass(frozen=True)
class SpectrogramSettings:
    """What a beat's picture is made of.

    Attributes
    ----------
    mode : {"M1", "M2", "M3", "M4"}
        ``M1``: the paper's call taken literally. ``scipy.signal.stft(x, 360, nperseg=512)`` on a
        segment shorter than 512 samples shrinks the window to the segment (with a warning that is
        easily lost): 346 samples give 174 frequencies and 3 time points. Here it is a mode with a
        name, and `plan` tells its shape.
        ``M2``: 64-sample window (178 ms at 360 Hz), hop 4, transform 512.
        ``M3``: 512-sample window, hop 4, over the recording, cropped to the segment: the segment
        must have been cut with `context_samples` on both sides.
        ``M4``: 512-sample window, hop 32, over a segment of 10 s (anchor ``window_10s``), as in
        Huang et al., IEEE Access 2019.
    window : {"hann", "hamming"}
        The paper names both.
    max_hz : float
        Frequencies above are cropped.
    floor_db : float
        Everything this far below the beat's maximum is clipped.
    height, width : int
        Size of the picture after bilinear resizing: frequency (row 0 is 0 Hz), time.

    Examples
    --------
    >>> SpectrogramSettings(mode="M1").plan(346)
    StftPlan(window_samples=346, hop=173, n_fft=346, n_frames=3)
    >>> SpectrogramSettings().plan(400).n_frames
    101
    """

    mode: Literal["M1", "M2", "M3", "M4"] = "M2"
    window: Literal["hann", "hamming"] = "hann"
    max_hz: float = 60.0
    floor_db: float = 80.0
    height: int = 224
    width: int = 224

    @property
    def context_samples(self) -> int:
        """Samples of the recording that the mode needs on both sides of a segment."""
        return M3_CONTEXT if self.mode == "M3" else 0

    @property
    def room(self) -> slice:
        """What the mode needs of a segment that was kept with `M3_CONTEXT` on both sides."""
        return slice(None) if self.context_samples else slice(M3_CONTEXT, -M3_CONTEXT)

    def plan(self, n_samples: int) -> StftPlan:
        """Return the transform for a segment of `n_samples`.

        Half a window of zeros (in ``M3``: of the recording) precedes and follows the segment, as
        ``scipy.signal.stft`` does with ``boundary="zeros", padded=True``.

        Raises
        ------
        DataError
            If the segment is empty.
        """
        if n_samples < 1:
            msg = f"spectrogram: expected a segment of at least 1 sample, found {n_samples}"
            raise DataError(msg)
        if self.mode == "M1":
            window = min(512, n_samples)
            hop, n_fft = window - window // 2, window
        else:
            window, hop = {"M2": (64, 4), "M3": (512, 4), "M4": (512, 32)}[self.mode]
            n_fft = 512
        covered = n_samples + 2 * (window // 2) - window
        return StftPlan(window, hop, n_fft, math.ceil(covered / hop) + 1)

    def n_bins(self, n_fft: int, rate_hz: float) -> int:
        """Return how many frequencies of the transform lie within 0 to `max_hz`."""
        return min(n_fft // 2, math.floor(self.max_hz * n_fft / rate_hz + 1e-9)) + 1
