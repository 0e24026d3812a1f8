"""The view of a loop, or that it is unknown, or that nothing could look at it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_core.compute.installing import install_extra
from cardio_core.errors import DataError
from cardio_core.ultrasound.deidentify.sector_fit import fit_sector
from cardio_core.ultrasound.loops.loop import Loop
from cardio_core.ultrasound.views.names import NOT_CHECKED, UNKNOWN, VIEW_TITLES
from cardio_core.ultrasound.views.picture import pictures

_N_FRAMES = 6
_LEAST_SPREAD = 2.0
"""Standard deviation of grey levels below which a sector shows nothing."""


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
    step = -(-loop.n_frames // _N_FRAMES)
    frames = np.stack(list(loop.frames(step=step)))
    if loop.colour_doppler:
        return _unknown("colour covers the tissue")
    if mask is None:
        try:
            fitted = fit_sector(loop)
        except DataError:
            return _unknown("no sector found")
        if fitted.poor:
            return _unknown("no clear sector found")
        mask = fitted.mask()
    rows_mm, columns_mm = loop.mm_per_pixel or (1.0, 1.0)
    return view_of_frames(frames, mask, pixel_width=columns_mm / rows_mm)


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

    Examples
    --------
    >>> frames = np.zeros((3, 60, 80), np.uint8)
    >>> view_of_frames(frames, np.ones((60, 80), bool)).known
    False
    """
    try:
        from cardio_core.ultrasound.views.fitted import fitted_views
    except ImportError:
        sentence = f"view not checked: it needs the training extra ({install_extra('train')})"
        return ViewSeen(NOT_CHECKED, float("nan"), sentence)
    if not mask.any() or max(float(frame[mask].std()) for frame in frames) < _LEAST_SPREAD:
        return _unknown("the sector shows nothing")
    fitted = fitted_views()
    shown = pictures(frames, mask, pixel_width=pixel_width)
    found = fitted.probabilities(shown)
    name, probability = fitted.views[int(found.argmax())], float(found.max())
    if name == "subcostal":
        # On a mirrored screen the parasternal long axis lies as the heart does from below.
        mirrored = fitted.probabilities(np.ascontiguousarray(shown[:, :, ::-1]))
        if mirrored[fitted.views.index("plax")] >= fitted.least_probability:
            return _unknown("subcostal, or parasternal long-axis on a mirrored screen", probability)
    if probability < fitted.least_probability:
        return _unknown(
            f"likeliest {VIEW_TITLES[name]}, probability {probability:.2f}", probability
        )
    return ViewSeen(name, probability, f"view: {VIEW_TITLES[name]} ({probability:.2f})")


def _unknown(why: str, probability: float = float("nan")) -> ViewSeen:
    return ViewSeen(UNKNOWN, probability, f"view unknown: {why}")
