"""Which coloured lines of a loop are print: those of an ink that the whole loop knows.

A codec leaves colour where there was none: blocks and short strokes that come and go in any hue. A
scanner draws with few inks: a trace is one line of one hue, long, in many frames; letters and marks
stay where they are. So one frame decides nothing. All frames are looked at first, and what has the
ink of a line or mark that was found is print.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_core.ultrasound.deidentify.tissue import brush_px, coloured_print, disk
from cardio_core.ultrasound.loops.colour import BRIGHT, coloured, high_and_spread

_LONG_SHARE, _LONG_PX = 0.12, 28
"""A line of a trace is as long as this share of the picture's shorter side, and this many pixels:
longer than a codec's block of 16 and what two of them make."""

_PIECE_PX = 8
_SEEN_SHARE, _STAYS_SHARE = 0.2, 0.8
_MIN_FRAMES = 3
_COHERENT = 0.85
_N_HUES = 36
_TINTED = 32
_LIKE = 3
"""Hues of 10 degrees that may lie between two pixels of one ink."""


@dataclass(frozen=True)
class Inks:
    """The inks of a loop, and where their print was.

    Attributes
    ----------
    hues : ndarray of bool, shape (36,)
        Hues, 10 degrees each, that lines or lasting marks were drawn with.
    stays : ndarray of bool, shape (n_rows, n_columns)
        Coloured at one place, in one hue, in four frames of five.
    """

    hues: NDArray[np.bool_]
    stays: NDArray[np.bool_]

    def print_in(self, rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return the coloured print of one frame, shape (n_rows, n_columns), with its rims."""
        found = coloured_print(rgb)
        if not found.any() or not (self.hues.any() or self.stays.any()):
            return np.zeros_like(found)
        hue, strong = hues_of(rgb), coloured(rgb)
        ours = found & strong & self.hues[hue]
        kept = np.zeros_like(found)
        for window, part in _pieces(ours):
            if max(part.shape) >= _PIECE_PX or (self.stays[window] & part).any():
                kept[window] |= part
        # The rims of a line have lost its colour; of a thin one a codec leaves a tint that goes on.
        line = ndimage.binary_propagation(kept, np.ones((3, 3)), kept | self._tinted(rgb, hue))
        rims = ndimage.binary_dilation(kept, disk(2)) & found
        return np.asarray(line | rims | (self.stays & found))

    def _tinted(self, rgb: NDArray[np.uint8], hue: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return thin parts that have a little of an ink's colour."""
        high, spread = high_and_spread(rgb)
        tinted = (spread >= _TINTED) & (high >= BRIGHT) & self.hues[hue]
        return np.asarray(tinted & ~ndimage.binary_opening(tinted, disk(brush_px(tinted.shape))))


class InkSurvey:
    """Looks at every frame of a loop for lines and marks of one ink.

    Examples
    --------
    >>> survey = InkSurvey()
    >>> for n in range(6):
    ...     frame = np.full((60, 90, 3), 90, np.uint8)
    ...     frame[40, :] = (60, 230, 90)  # a trace
    ...     frame[10 + n, 5 * n : 5 * n + 8] = (200, 40, 40)  # a codec's stroke
    ...     survey.look_at(frame)
    >>> found = survey.inks().print_in(frame)
    >>> bool(found[40].all()), bool(found[:30].any())
    (True, False)
    """

    def __init__(self) -> None:
        self.n_frames = 0
        self._times: NDArray[np.uint16] | None = None
        self._sum: NDArray[np.complex64] | None = None
        self._lines = np.zeros(_N_HUES, np.int64)

    def look_at(self, rgb: NDArray[np.uint8]) -> None:
        """Add one RGB frame, shape (n_rows, n_columns, 3)."""
        self.n_frames += 1
        found = coloured_print(rgb)
        if self._times is None or self._sum is None:
            self._times = np.zeros(found.shape, np.uint16)
            self._sum = np.zeros(found.shape, np.complex64)
        ink = found & coloured(rgb)
        if not ink.any():
            return
        hue = hues_of(rgb)
        self._times[ink] += 1
        self._sum[ink] += np.exp(2j * np.pi * (hue[ink] + 0.5) / _N_HUES).astype(np.complex64)
        long = max(_LONG_SHARE * min(found.shape), _LONG_PX)
        seen = np.zeros(_N_HUES, np.bool_)
        # One hue after another: a cursor crosses its trace in another ink.
        counts = np.bincount(hue[ink], minlength=_N_HUES)
        for middle in range(0, _N_HUES, _LIKE):
            near = np.arange(middle - _LIKE, middle + _LIKE + 1) % _N_HUES
            if counts[near].sum() < long:
                continue
            like = np.zeros(_N_HUES, np.bool_)
            like[near] = True
            for window, part in _pieces(ink & like[hue]):
                if max(part.shape) < long:
                    continue
                direction = np.exp(2j * np.pi * (hue[window][part] + 0.5) / _N_HUES).mean()
                if abs(direction) >= _COHERENT:
                    seen[_place(np.angle(direction))] = True
        self._lines += seen

    def inks(self) -> Inks:
        """Return what was found in enough frames."""
        if self._times is None or self._sum is None:
            return Inks(np.zeros(_N_HUES, np.bool_), np.zeros((0, 0), np.bool_))
        enough = max(min(_MIN_FRAMES, self.n_frames), _SEEN_SHARE * self.n_frames)
        around = ndimage.uniform_filter1d(self._lines.astype(float), 3, mode="wrap") * 3
        hues = around >= enough
        often = self._times >= max(_STAYS_SHARE * self.n_frames, min(_MIN_FRAMES, self.n_frames))
        one_hue = np.abs(self._sum) >= _COHERENT * np.maximum(self._times, 1)
        stays = np.zeros_like(often)
        for window, part in _pieces(often & one_hue):
            if max(part.shape) >= _PIECE_PX:
                stays[window] |= part
        for direction in np.angle(self._sum[stays]) if stays.any() else ():
            hues[_place(direction)] = True
        return Inks(_widened(hues), np.asarray(ndimage.binary_dilation(stays, disk(2))))


def hues_of(rgb: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the hue of every pixel in steps of 10 degrees, 0 to 35.

    Examples
    --------
    >>> hues_of(np.array([[[200, 20, 20], [20, 200, 20], [20, 20, 200]]], np.uint8)).tolist()
    [[0, 12, 24]]
    """
    red, green, blue = (rgb[..., channel].astype(np.float32) for channel in range(3))
    angle = np.arctan2(np.sqrt(np.float32(3)) * (green - blue), 2 * red - green - blue)
    return np.asarray(np.floor(angle / (2 * np.pi) * _N_HUES).astype(np.intp) % _N_HUES)


def _place(angle: float) -> int:
    return int(angle / (2 * np.pi) * _N_HUES) % _N_HUES


def _widened(hues: NDArray[np.bool_]) -> NDArray[np.bool_]:
    steps = range(1 - _LIKE, _LIKE)
    return np.asarray(np.any([np.roll(hues, step) for step in steps], axis=0))


def _pieces(
    mask: NDArray[np.bool_],
) -> Iterator[tuple[tuple[slice, slice], NDArray[np.bool_]]]:
    """Yield the window and the pixels of every piece; gaps of two pixels part nothing."""
    joined = ndimage.binary_dilation(mask, disk(1))
    labels, _ = ndimage.label(joined, np.ones((3, 3)))
    for number, window in enumerate(ndimage.find_objects(labels), start=1):
        yield window, (labels[window] == number) & mask[window]
