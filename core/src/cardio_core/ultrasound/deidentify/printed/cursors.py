"""Cursors that run along a trace: upright lines that a loop shows again and again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_core.ultrasound.loops.colour import BRIGHT

_EVEN, _CURSOR_PX = 2, 12
_MOST_KINDS = 4
_SAME_PX, _SHARE, _MIN_FRAMES = 4, 0.4, 3


def cursor_lines(grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return upright lines of one bright level and of one or two pixels' width, with their rims.

    A cursor that runs along a trace is grey in grey loops, and in colour where two pixels share
    their colour. Speckle has no such runs. The frame and the mask have the shape (n_rows,
    n_columns).

    Examples
    --------
    >>> frame = np.random.default_rng(0).integers(0, 255, (60, 60), dtype=np.uint8)
    >>> frame[20:50, 30] = 206
    >>> found = cursor_lines(frame)
    >>> bool(found[20:50, 30].all()), bool(found[:, :28].any())
    (True, False)
    """
    level = grey.astype(np.int16)
    even = np.zeros(grey.shape, np.bool_)
    even[1:] = (np.abs(np.diff(level, axis=0)) <= _EVEN) & (level[1:] >= BRIGHT)
    # One difference less than there are pixels, on either side of a run.
    run = np.ones((max(_CURSOR_PX, grey.shape[0] // 25) - 1, 1), np.bool_)
    lines = ndimage.binary_opening(even, run)
    if not lines.any():
        return np.asarray(lines)
    lines &= ~ndimage.binary_opening(lines, np.ones((1, 3), np.bool_))
    return np.asarray(ndimage.binary_dilation(lines, np.ones((3, 3), np.bool_)))


@dataclass(frozen=True)
class Cursors:
    """Where the cursors of a loop begin and end.

    Attributes
    ----------
    rows : tuple of tuple of int
        First and last row of each kind of line that many frames have.
    """

    rows: tuple[tuple[int, int], ...]

    def lines_in(self, grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return the cursors of one frame, shape (n_rows, n_columns)."""
        kept = np.zeros(grey.shape, np.bool_)
        if not self.rows:
            return kept
        labels, _ = ndimage.label(cursor_lines(grey))
        for number, window in enumerate(ndimage.find_objects(labels), start=1):
            if any(_alike((window[0].start, window[0].stop - 1), rows) for rows in self.rows):
                kept[window] |= labels[window] == number
        return kept


class CursorSurvey:
    """Looks at every frame for upright lines that begin and end at the same rows.

    A codec's flat blocks have such lines as well, a few pixels wide and anywhere; a cursor has the
    height of its trace, whatever it stands on.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> survey = CursorSurvey()
    >>> for n in range(8):
    ...     frame = rng.integers(0, 255, (60, 60), dtype=np.uint8)
    ...     frame[20:50, 5 + 6 * n] = 206
    ...     survey.look_at(frame)
    >>> survey.cursors().rows
    ((20, 50),)
    """

    def __init__(self) -> None:
        self._found: list[set[tuple[int, int]]] = []

    def look_at(self, grey: NDArray[np.uint8]) -> None:
        """Add one grey frame."""
        labels, _ = ndimage.label(cursor_lines(grey))
        windows = ndimage.find_objects(labels)
        self._found.append({(rows.start, rows.stop - 1) for rows, _ in windows})

    def cursors(self) -> Cursors:
        """Return those that enough frames have."""
        enough = max(min(_MIN_FRAMES, len(self._found)), _SHARE * len(self._found))
        all_rows = sorted({rows for found in self._found for rows in found})
        often = [rows for rows in all_rows if self._n_like(rows) >= enough]
        kept: list[tuple[int, int]] = []
        for rows in sorted(often, key=self._n_like, reverse=True):
            if not any(_alike(rows, one) for one in kept):
                kept.append(rows)
        # A scanner has a cursor or two, which traces part; a codec at a low rate has such lines of
        # many heights.
        return Cursors(tuple(kept) if len(kept) <= _MOST_KINDS else ())

    def _n_like(self, rows: tuple[int, int]) -> int:
        return sum(any(_alike(rows, one) for one in found) for found in self._found)


def _alike(first: tuple[int, int], second: tuple[int, int]) -> bool:
    return all(abs(a - b) <= _SAME_PX for a, b in zip(first, second, strict=True))
