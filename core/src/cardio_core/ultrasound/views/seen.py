"""The view of a loop, or that it is unknown, or that nothing could look at it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_core.ultrasound.loops.loop import Loop
from cardio_core.ultrasound.views.names import NOT_CHECKED, VIEW_TITLES


@dataclass(frozen=True, slots=True)
class ViewSeen:
    """Which view a loop shows.

    Attributes
    ----------
    name : str
        One of `VIEW_NAMES`, ``unknown``, or ``not checked``.
    probability : float
        Of the named view, or of the likeliest where it is unknown; NaN where nothing was looked at.
    sentence : str
        What a reader of the results should know, without a full stop.

    Examples
    --------
    >>> seen = ViewSeen("a4c", 0.97, "view: apical four-chamber (probability 0.97)")
    >>> seen.known, seen.checked, ViewSeen("unknown", 0.5, "view unknown").known
    (True, True, False)
    """

    name: str
    probability: float
    sentence: str

    @property
    def known(self) -> bool:
        """Whether a view is named, be it ``other``."""
        return self.name in VIEW_TITLES

    @property
    def checked(self) -> bool:
        """Whether anything looked."""
        return self.name != NOT_CHECKED


def view_of(loop: Loop, mask: NDArray[np.bool_] | None = None) -> ViewSeen:
    """Return the view that a loop shows, by a few frames of its length.

    Parameters
    ----------
    loop : Loop
        A B-mode loop of one sector.
    mask : ndarray of bool, shape (n_rows, n_columns), optional
        Its sector; fitted where it is not given.

    Returns
    -------
    ViewSeen
        ``unknown`` rather than a wrong view, and where there is no sector or colour covers it;
        ``not checked`` without the training extra.

    Raises
    ------
    DataError
        A frame that cannot be decoded.

    Examples
    --------
    >>> from cardio_core.ultrasound.readers.arrays import ArraySource
    >>> frames = np.zeros((3, 60, 80), np.uint8)
    >>> black = Loop("made", ArraySource(frames), 3, (60, 80), np.array([0.0, 20, 40]), "stated")
    >>> view_of(black).name in ("unknown", "not checked")
    True
    """
    return ViewSeen(NOT_CHECKED, float("nan"), "view not checked: no network is fitted yet")


def view_of_frames(
    frames: NDArray[np.uint8], mask: NDArray[np.bool_], *, pixel_width: float = 1.0
) -> ViewSeen:
    """Return the view that grey frames show: see `view_of`.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns)
        A few moments of a loop.
    mask : ndarray of bool, shape (n_rows, n_columns)
        The sector.
    pixel_width : float
        Width of a pixel in heights of a pixel.
    """
    return ViewSeen(NOT_CHECKED, float("nan"), "view not checked: no network is fitted yet")
