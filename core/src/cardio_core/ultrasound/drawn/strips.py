"""Where a picture has lines of one ink that cross much of the screen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_INK, _SATURATED = 70, 0.35
_WIDE_SHARE, _FILLED_SHARE = 0.35, 0.6
_HEIGHT_PX, _HEIGHT_SHARE = 8, 0.35
_N_INKS = 8


@dataclass(frozen=True, eq=False)
class Strip:
    """A part of the screen that one ink crosses.

    Attributes
    ----------
    inks : ndarray of uint8, shape (n_frames, n_rows, n_columns)
        Every ink that is in it, as `inks_of` numbers them.
    ink : int
        That of the line.
    """

    inks: NDArray[np.uint8]
    ink: int

    @property
    def line(self) -> NDArray[np.bool_]:
        """Where the line is, shape (n_frames, n_rows, n_columns)."""
        return np.asarray(self.inks == self.ink)


def inks_of(rgb: NDArray[np.uint8], outside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the ink of every pixel: 0 none, 1 grey, 2 to 7 hues of 60 degrees."""
    channels = rgb.astype(np.float32)
    high, low = channels.max(axis=-1), channels.min(axis=-1)
    strong = (high - low) > _SATURATED * high
    angle = np.arctan2(
        np.sqrt(3) * (channels[..., 1] - channels[..., 2]),
        2 * channels[..., 0] - channels[..., 1] - channels[..., 2],
    )
    hue = (np.round(angle / (np.pi / 3)) % 6).astype(np.uint8) + 2
    found = np.where(strong, hue, 1).astype(np.uint8)
    found[(high < _INK) | ~outside] = 0
    return found


def strips_of(frames: NDArray[np.uint8]) -> list[Strip]:
    """Return what crosses much of the screen.

    `frames` are inks, shape (n_frames, n_rows, n_columns).
    """
    n_rows, n_columns = frames.shape[1:]
    made = []
    for ink in range(1, _N_INKS):
        often = (frames == ink).mean(axis=0) if (frames == ink).any() else None
        if often is None:
            continue
        seen = ndimage.binary_dilation(often > 0, np.ones((3, 5), np.bool_))
        labels, _ = ndimage.label(seen)
        for number, window in enumerate(ndimage.find_objects(labels), start=1):
            rows, columns = window
            wide = columns.stop - columns.start >= _WIDE_SHARE * n_columns
            high = _HEIGHT_PX <= rows.stop - rows.start <= _HEIGHT_SHARE * n_rows
            if wide and high and (labels[window] == number).any(axis=0).mean() >= _FILLED_SHARE:
                own = np.flatnonzero(((labels[window] == number) & (often[window] > 0)).any(axis=0))
                left, right = columns.start + int(own[0]), columns.start + int(own[-1]) + 1
                made.append(Strip(frames[:, rows.start : rows.stop, left:right], ink))
    return made
