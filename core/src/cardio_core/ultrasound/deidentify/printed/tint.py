"""Whether a loop has colours of its own, or only those that a codec left in its greys."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_core.ultrasound.loops.colour import coloured, grey_of_rgb

_N_LEVELS = 16
_TINT = 3
"""Levels by which channels of a grey pixel may differ: JPEG rounds its colours."""

_AGREE = 0.7
_ENOUGH_SHARE = 0.005
_FLOW_SHARE = 0.005
_OFTEN = 0.2


class TintSurvey:
    """Looks at every frame for a colour map of the greys, and for areas of strong colour.

    A map gives nearly all pixels of one brightness the same colour; what a codec leaves has every
    hue, and a trace is few pixels of its brightness.

    Parameters
    ----------
    sector : ndarray of bool, shape (n_rows, n_columns)
        Where to look.

    Examples
    --------
    >>> sector = np.ones((40, 50), np.bool_)
    >>> for map_ in ((1.0, 1.0, 1.0), (1.0, 0.9, 0.7)):
    ...     survey = TintSurvey(sector)
    ...     grey = np.random.default_rng(0).integers(0, 255, (40, 50, 1))
    ...     survey.look_at((grey * map_).astype(np.uint8), np.zeros((40, 50), np.bool_))
    ...     survey.has_colour
    False
    True
    """

    def __init__(self, sector: NDArray[np.bool_]) -> None:
        self._sector = sector
        self._n_frames = 0
        self._n = np.zeros(_N_LEVELS)
        self._apart = np.zeros((2, 2, _N_LEVELS))
        self._strong = np.zeros(sector.shape, np.uint16)

    def look_at(self, rgb: NDArray[np.uint8], printed: NDArray[np.bool_]) -> None:
        """Add one RGB frame; `printed` are its coloured lines, which have no say."""
        self._n_frames += 1
        seen = self._sector & ~printed
        self._strong += coloured(rgb) & seen
        level = (grey_of_rgb(rgb)[seen] // (256 // _N_LEVELS)).astype(np.intp)
        red, green, blue = (rgb[..., channel][seen].astype(np.int16) for channel in range(3))
        self._n += np.bincount(level, minlength=_N_LEVELS)
        for place, other in enumerate((red, blue)):
            for side, more in enumerate((other - green > _TINT, green - other > _TINT)):
                self._apart[place, side] += np.bincount(level[more], minlength=_N_LEVELS)

    @property
    def has_colour(self) -> bool:
        """Whether what was seen has colours of its own."""
        enough = self._n > _ENOUGH_SHARE * self._n.sum()
        agree = self._apart[..., enough] / self._n[enough]
        often = self._strong >= max(_OFTEN * self._n_frames, 1)
        flow = float(often[self._sector].mean()) if self._sector.any() else 0.0
        return bool((agree > _AGREE).any()) or flow > _FLOW_SHARE
