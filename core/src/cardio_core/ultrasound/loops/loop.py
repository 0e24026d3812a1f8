"""The type of an ultrasound loop: what is known about it, and its frames one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

TimeSource = Literal["FrameTime", "FrameTimeVector", "file", "json", "stated", "container"]
RSource = Literal["stated", "json", "file", "RWaveTimeVector", "waveform", "curve", "picture"]


class FrameSource(Protocol):
    """Where frames come from; holds a path and offsets, never frames or an open file.

    The path is private: a loop reaches `preprocess`, which must not find the folder by it.
    """

    @property
    def backend(self) -> str:
        """What decodes the frames: ``cv2``, ``Pillow``, ``pydicom``, ``numpy`` ..."""

    def frames(self, indices: range, *, colour: bool) -> Iterator[NDArray[np.uint8]]:
        """Yield frames in ascending order: grey (rows, columns) or RGB (rows, columns, 3)."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels; `bottom` and `right` lie one past the last pixel.

    Examples
    --------
    >>> box = Box(top=10, bottom=200, left=20, right=300)
    >>> box.height, box.width, np.zeros((240, 320))[box.window].shape
    (190, 280, (190, 280))
    """

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def window(self) -> tuple[slice, slice]:
        """Slices of rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True, slots=True)
class BeamSector:
    """The sector of a scan-converted loop, as its beams say.

    Attributes
    ----------
    apex_row, apex_column : float
        Where the beams meet, in pixels from the centre of pixel (0, 0); may lie outside.
    low_rad, high_rad : float
        First and last beam, from straight down, positive to the right.
    near_mm, far_mm : float
        First and last depth from the apex.
    """

    apex_row: float
    apex_column: float
    low_rad: float
    high_rad: float
    near_mm: float
    far_mm: float


@dataclass(frozen=True, eq=False)
class Loop:
    """One ultrasound loop. Nothing is decoded before `frames` is asked.

    Attributes
    ----------
    name : str
        The file's name, for messages to the person who runs it; never for outputs.
    source : FrameSource
        What decodes the frames.
    n_frames : int
        At least 2.
    size : tuple of int
        Rows and columns.
    frame_times_ms : ndarray, shape (n_frames,)
        Of every frame from the first, ascending from 0.
    time_source : str
        ``FrameTime`` or ``FrameTimeVector`` of the header, ``file`` (a polar array's own),
        ``json`` beside the file, ``stated`` by the caller, or ``container`` (of a video).
    mm_per_pixel : tuple of float or None
        Distance of neighbouring rows, and of neighbouring columns; None where nothing says it.
    region : Box or None
        The two-dimensional tissue region, inside the image.
    r_times_ms : ndarray or None
        R peaks from the first frame, ascending; None where nothing tells them.
    r_source : str or None
        Where they come from.
    heart_rate_bpm : float or None
        As the header says.
    colour_doppler : bool
        Whether colours cover the tissue: not a B-mode loop.
    sector : BeamSector or None
        Known for polar arrays only.
    flags : tuple of str
        What a reader of the results should know.

    Examples
    --------
    >>> from cardio_core.ultrasound.readers.arrays import ArraySource
    >>> frames = np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((3, 4, 5), np.uint8)
    >>> loop = Loop("made", ArraySource(frames), 3, (4, 5), np.array([0.0, 20.0, 40.0]), "stated")
    >>> loop.frame_rate_hz, [int(frame.max()) for frame in loop.frames(step=2)]
    (50.0, [0, 2])
    >>> loop.stack(1, 3).shape, loop.frame(1, colour=True).shape
    ((2, 4, 5), (4, 5, 3))
    """

    name: str
    source: FrameSource = field(repr=False)
    n_frames: int
    size: tuple[int, int]
    frame_times_ms: NDArray[np.float64] = field(repr=False)
    time_source: TimeSource
    mm_per_pixel: tuple[float, float] | None = None
    region: Box | None = None
    r_times_ms: NDArray[np.float64] | None = field(default=None, repr=False)
    r_source: RSource | None = None
    heart_rate_bpm: float | None = None
    colour_doppler: bool = False
    sector: BeamSector | None = None
    flags: tuple[str, ...] = ()

    @property
    def frame_rate_hz(self) -> float:
        """Frames a second: 1 / the median distance of two frames."""
        return 1000.0 / float(np.median(np.diff(self.frame_times_ms)))

    @property
    def duration_ms(self) -> float:
        """Time from the first frame to the last."""
        return float(self.frame_times_ms[-1])

    @property
    def backend(self) -> str:
        """What decodes the frames."""
        return self.source.backend

    def frames(
        self, start: int = 0, stop: int | None = None, step: int = 1, *, colour: bool = False
    ) -> Iterator[NDArray[np.uint8]]:
        """Yield frames one by one, so that memory stays that of one frame.

        Parameters
        ----------
        start, stop, step : int
            As of a slice; `step` at least 1.
        colour : bool
            RGB instead of grey. Grey is the luma Y of ITU-R BT.601.

        Yields
        ------
        ndarray of uint8, shape (rows, columns) or (rows, columns, 3)
            The caller may change it.

        Raises
        ------
        ValueError
            A step below 1.
        DataError
            A frame that cannot be decoded, or that is not of the claimed size.
        """
        if step < 1:
            raise ValueError(f"step must be at least 1, not {step}")
        return self.source.frames(range(self.n_frames)[start:stop:step], colour=colour)

    def frame(self, index: int, *, colour: bool = False) -> NDArray[np.uint8]:
        """Return one frame, counted from 0."""
        if not 0 <= index < self.n_frames:
            raise IndexError(f"frame {index} of a loop of {self.n_frames}")
        return next(iter(self.frames(index, index + 1, colour=colour)))

    def stack(
        self, start: int = 0, stop: int | None = None, step: int = 1, *, colour: bool = False
    ) -> NDArray[np.uint8]:
        """Return frames as one array, shape (n, rows, columns) or (n, rows, columns, 3)."""
        chosen = range(self.n_frames)[start:stop:step]
        array = np.empty((len(chosen), *self.size, *((3,) if colour else ())), dtype=np.uint8)
        for place, frame in zip(array, self.frames(start, stop, step, colour=colour), strict=True):
            place[...] = frame
        return array
