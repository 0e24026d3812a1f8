"""Frames of which only the sector is left, one by one.

Print that lies inside the sector goes as well where it can be told from tissue: coloured lines
(traces) and upright lines of one level (cursors) of a B-mode loop, where many frames have them, and
bright thin marks that never change. What lies around them takes their place, and is counted: a
black line that flickers would be seen as motion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_ultrasound.colour import grey_of_rgb, high_and_spread
from cardio_ultrasound.deidentify.burned_in import (
    CROSSED,
    Cursors,
    CursorSurvey,
    Inks,
    InkSurvey,
    StillSurvey,
    TintSurvey,
    print_crosses,
)
from cardio_ultrasound.deidentify.tissue import coloured_print
from cardio_ultrasound.loop import Loop

GREY_SPREAD = 3
"""Channels that differ by no more, in levels, are grey: JPEG rounds its colours."""

_STILL = 12
_MIN_MOVING, _MIN_FRAMES = 0.5, 8
_FILLS_FROM_PX = 2.0


@dataclass(frozen=True, eq=False)
class Inside:
    """What of a loop's pixels is kept.

    Attributes
    ----------
    sector, still : ndarray of bool, shape (n_rows, n_columns)
        The sector, and in it print that never changes.
    colour : bool
        Whether what is kept has colours of its own.
    inks, cursors : Inks or None, Cursors or None
        Print that is looked for frame by frame; None in colour Doppler.
    flags : tuple of str
        What could not be looked for, or may be left.
    """

    sector: NDArray[np.bool_]
    still: NDArray[np.bool_]
    colour: bool
    inks: Inks | None
    cursors: Cursors | None
    flags: tuple[str, ...]

    @property
    def n_still_px(self) -> int:
        """Pixels of print that never changes."""
        return int(self.still.sum())

    def print_in(self, rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return the print of one frame inside the sector."""
        found = self.still.copy()
        if self.inks is not None:
            found |= self.inks.print_in(rgb)
        if self.cursors is not None:
            found |= self.cursors.lines_in(grey_of_rgb(rgb))
        return np.asarray(found & self.sector)


def look_inside(loop: Loop, sector: NDArray[np.bool_]) -> Inside:
    """Look at every frame for colours and for print inside the sector.

    The loop is decoded once, frame by frame; nothing outside `sector`, shape (n_rows, n_columns),
    is kept.

    Raises
    ------
    DataError
        A frame that cannot be decoded.
    """
    low, high = np.full(loop.size, 255, np.uint8), np.zeros(loop.size, np.uint8)
    inks, cursors, tint = InkSurvey(), CursorSurvey(), TintSurvey(sector)
    marks = StillSurvey()
    nothing = np.zeros(loop.size, np.bool_)
    for rgb in loop.frames(colour=True):
        grey = grey_of_rgb(rgb)
        low, high = np.minimum(low, grey), np.maximum(high, grey)
        if not loop.colour_doppler:
            inks.look_at(rgb)
            cursors.look_at(grey)
            marks.look_at(grey)
        if int(high_and_spread(rgb)[1].max()) > GREY_SPREAD:
            tint.look_at(rgb, nothing if loop.colour_doppler else coloured_print(rgb))
    still = np.zeros_like(sector)
    flags = ["colour Doppler: print inside the sector was not looked for"] * loop.colour_doppler
    moving = (high.astype(np.int16) - low > _STILL)[sector]
    if loop.n_frames < _MIN_FRAMES or (moving.size and moving.mean() < _MIN_MOVING):
        flags.append("still tissue: print inside the sector could not be distinguished from it")
    elif not loop.colour_doppler:
        still = marks.marks(sector)
    if not loop.colour_doppler and print_crosses(high, sector):
        flags.append(CROSSED)
    return Inside(
        sector,
        still,
        tint.has_colour,
        None if loop.colour_doppler else inks.inks(),
        None if loop.colour_doppler else cursors.cursors(),
        tuple(flags),
    )


def cleaned_frames(
    loop: Loop, retained: Inside, on_filled: Callable[[int], object] = lambda n_px: None
) -> Iterator[NDArray[np.uint8]]:
    """Yield every frame, 0 outside the sector; print inside it gives way to what lies around.

    Frames are uint8, shape (n_rows, n_columns), or (n_rows, n_columns, 3) where `retained` has
    colours; one is in memory at a time. `on_filled` is told how many pixels of each were replaced.

    Examples
    --------
    >>> from cardio_ultrasound.readers.arrays import ArraySource
    >>> from cardio_ultrasound.loop import Loop
    >>> frames = np.full((2, 4, 5), 90, np.uint8)
    >>> loop = Loop("made", ArraySource(frames), 2, (4, 5), np.array([0.0, 20.0]), "stated")
    >>> sector = np.zeros((4, 5), np.bool_)
    >>> sector[1:3, 1:4] = True
    >>> [int(frame.sum()) // 90 for frame in cleaned_frames(loop, look_inside(loop, sector))]
    [6, 6]
    """
    for rgb in loop.frames(colour=True):
        printed = retained.print_in(rgb)
        frame = rgb if retained.colour else grey_of_rgb(rgb)
        if printed.any():
            frame = filled(frame, printed, retained.sector)
        frame[~retained.sector] = 0
        on_filled(int(printed.sum()))
        yield frame


def filled(
    frame: NDArray[np.uint8], gone: NDArray[np.bool_], sector: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Return a frame in which the nearest pixels around take the place of those that are gone.

    Each gets the mean of the sector's other pixels, weighted by a Gaussian that widens until it
    meets some. Nothing of what was there, or lies outside the sector, enters.

    Examples
    --------
    >>> frame = np.full((9, 9), 80, np.uint8)
    >>> frame[4] = 255
    >>> line = np.zeros((9, 9), np.bool_)
    >>> line[4] = True
    >>> np.unique(filled(frame, line, np.ones((9, 9), np.bool_))).tolist()
    [80]
    """
    made = frame.copy()
    known = (sector & ~gone).astype(np.float32)
    left = gone & sector
    made[left] = 0
    width = _FILLS_FROM_PX
    while left.any() and width < max(frame.shape):
        weight = ndimage.gaussian_filter(known, width)
        reached = left & (weight > 0.02)
        for channel in range(1 if frame.ndim == 2 else frame.shape[2]):
            place = reached if frame.ndim == 2 else (reached, channel)
            values = (frame if frame.ndim == 2 else frame[..., channel]) * known
            mean = ndimage.gaussian_filter(values, width)[reached] / weight[reached]
            made[place] = np.rint(np.clip(mean, 0, 255)).astype(np.uint8)
        left &= ~reached
        width *= 2
    return made
