"""Frames of which only the sector is left, one by one.

Print that lies inside the sector goes as well where it can be told from tissue: coloured lines
(traces) and upright lines of one level (cursors) in every frame of a B-mode loop, and bright thin
marks that never change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_core.ultrasound.deidentify.tissue import brush_px, coloured_print, cursor_lines, disk
from cardio_core.ultrasound.loops.colour import grey_of_rgb, high_and_spread
from cardio_core.ultrasound.loops.loop import Loop

GREY_SPREAD = 3
"""Channels that differ by no more, in levels, are grey: JPEG rounds its colours."""

_STILL, _NEARLY_STILL, _BRIGHT, _INK = 12, 48, 100, 180
_UNLIKE_AROUND = 0.6
_MIN_MOVING, _MIN_FRAMES = 0.5, 8
_MIN_MARK_PX = 6


@dataclass(frozen=True, eq=False)
class Kept:
    """What of a loop's pixels is kept.

    Attributes
    ----------
    mask : ndarray of bool, shape (n_rows, n_columns)
        In every frame: the sector without still print.
    colour : bool
        Whether what is kept has colours.
    traces : bool
        Whether coloured lines and cursors inside are taken away frame by frame.
    n_print_px : int
        Pixels of still print inside the sector.
    flags : tuple of str
        What could not be looked for.
    """

    mask: NDArray[np.bool_]
    colour: bool
    traces: bool
    n_print_px: int
    flags: tuple[str, ...]


def look_inside(loop: Loop, sector: NDArray[np.bool_]) -> Kept:
    """Look at every frame for colours and for print inside the sector.

    The loop is decoded once, frame by frame; nothing outside `sector`, shape (n_rows, n_columns),
    is kept.

    Raises
    ------
    DataError
        A frame that cannot be decoded.
    """
    low = np.full(loop.size, 255, np.uint8)
    high, spread = np.zeros(loop.size, np.uint8), np.zeros(loop.size, np.uint8)
    for rgb in loop.frames(colour=True):
        grey = grey_of_rgb(rgb)
        low, high = np.minimum(low, grey), np.maximum(high, grey)
        _, apart = high_and_spread(rgb)
        if not loop.colour_doppler and int(apart.max()) > GREY_SPREAD:
            apart = np.where(coloured_print(rgb), 0, apart).astype(np.uint8)
        spread = np.maximum(spread, apart)
    still = np.zeros_like(sector)
    flags = ["colour Doppler: print inside the sector was not looked for"] * loop.colour_doppler
    moving = (high.astype(np.int16) - low > _STILL)[sector]
    if loop.n_frames < _MIN_FRAMES or (moving.size and moving.mean() < _MIN_MOVING):
        flags.append("still tissue: print inside the sector could not be told from it")
    elif not loop.colour_doppler:
        still = _still_print(low, high, sector)
    mask = sector & ~still
    colour = bool((spread[mask] > GREY_SPREAD).any())
    return Kept(mask, colour, not loop.colour_doppler, int((still & sector).sum()), tuple(flags))


def kept_frames(loop: Loop, kept: Kept) -> Iterator[NDArray[np.uint8]]:
    """Yield every frame, 0 outside what is kept.

    Frames are uint8, shape (n_rows, n_columns), or (n_rows, n_columns, 3) where `kept` has colours;
    one is in memory at a time.

    Examples
    --------
    >>> from cardio_core.ultrasound.readers.arrays import ArraySource
    >>> from cardio_core.ultrasound.loops.loop import Loop
    >>> frames = np.full((2, 4, 5), 90, np.uint8)
    >>> loop = Loop("made", ArraySource(frames), 2, (4, 5), np.array([0.0, 20.0]), "stated")
    >>> sector = np.zeros((4, 5), np.bool_)
    >>> sector[1:3, 1:4] = True
    >>> [int(frame.sum()) // 90 for frame in kept_frames(loop, look_inside(loop, sector))]
    [6, 6]
    """
    for rgb in loop.frames(colour=True):
        gone = ~kept.mask
        if kept.traces:
            gone |= coloured_print(rgb) | cursor_lines(grey_of_rgb(rgb))
        frame = rgb if kept.colour else grey_of_rgb(rgb)
        frame[gone] = 0
        yield frame


def _still_print(
    low: NDArray[np.uint8], high: NDArray[np.uint8], sector: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return bright thin marks that never change amid tissue that does or is dark.

    An akinetic wall and the near field are still as well, but so is what lies around their
    brightest specks; there nothing is taken away.
    """
    change = high.astype(np.int16) - low
    ink = sector & (low >= _INK) & (change <= _STILL)
    if not ink.any():
        return ink
    # Letters are blurred at their rims, where a share of the tissue's change shines through.
    rims = ndimage.binary_dilation(ink, disk(1)) & sector & (low >= _BRIGHT)
    marks = ink | (rims & (change <= _NEARLY_STILL))
    marks &= ~ndimage.binary_opening(marks, disk(brush_px(marks.shape)))
    labels, n_parts = ndimage.label(marks, np.ones((3, 3)))
    glyphs = np.zeros_like(marks)
    places = ndimage.find_objects(labels)
    for number in range(1, n_parts + 1):
        rows, columns = places[number - 1]
        window = (_wider(rows), _wider(columns))
        mark = labels[window] == number
        around = ndimage.binary_dilation(mark, disk(2)) & (labels[window] == 0) & sector[window]
        unlike = (change[window][around] > _NEARLY_STILL) | (high[window][around] < _BRIGHT)
        if mark.sum() >= _MIN_MARK_PX and unlike.size and unlike.mean() >= _UNLIKE_AROUND:
            glyphs[window] |= mark
    return np.asarray(ndimage.binary_dilation(glyphs, disk(1)))


def _wider(part: slice) -> slice:
    return slice(max(part.start - 3, 0), part.stop + 3)
