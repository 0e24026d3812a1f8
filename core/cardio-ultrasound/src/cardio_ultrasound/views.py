"""The views of a loop by name; nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_stats.errors import DataError
from cardio_ultrasound.deidentify.sector import fit_sector
from cardio_ultrasound.loop import Loop

VIEW_TITLES = {
    "a4c": "apical four-chamber",
    "a2c": "apical two-chamber",
    "a3c": "apical three-chamber",
    "plax": "parasternal long-axis",
    "psax": "parasternal short-axis",
    "subcostal": "subcostal",
    "other": "another view",
}
"""The field's words for every view."""

VIEW_NAMES = tuple(VIEW_TITLES)
"""The views that are told apart; ``other`` is none of those before it."""

UNKNOWN = "unknown"
"""No view is sure enough, or the loop cannot be looked at."""

# The small picture of a sector that the network looks at.

SIDE = 64
"""Rows and columns of the picture."""

_LIMIT = 3.0


def pictures(
    frames: NDArray[np.uint8], mask: NDArray[np.bool_], *, pixel_width: float = 1.0
) -> NDArray[np.float32]:
    """Return what the network sees of frames.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns)
        Grey.
    mask : ndarray of bool, shape (n_rows, n_columns)
        The sector, of one pixel at least.
    pixel_width : float
        Width of a pixel in heights of a pixel.

    Returns
    -------
    ndarray, shape (n_frames, 64, 64)
        The smallest square around the sector. Grey levels of the sector have mean 0 and standard
        deviation 1 in every frame, so that gain does not count, and end at ±3; outside it is 0.

    Examples
    --------
    >>> mask = np.zeros((60, 80), bool)
    >>> mask[10:50, 20:60] = True
    >>> frames = np.random.default_rng(0).integers(0, 255, (2, 60, 80), dtype=np.uint8)
    >>> seen = pictures(frames, mask)
    >>> seen.shape, abs(float(seen[0].mean())) < 0.05
    ((2, 64, 64), True)
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    height = rows[-1] - rows[0] + 1
    width = (columns[-1] - columns[0] + 1) * pixel_width
    size = float(max(height, width))
    down = _resampling((rows[0] + rows[-1]) / 2, size, mask.shape[0])
    across = _resampling((columns[0] + columns[-1]) / 2, size / pixel_width, mask.shape[1]).T
    share = down @ mask.astype(np.float32) @ across
    inside = share > 0.5
    made = np.zeros((len(frames), SIDE, SIDE), np.float32)
    for place, frame in zip(made, frames, strict=True):
        grey = (down @ (frame * mask).astype(np.float32) @ across) / np.maximum(share, 0.5)
        level = grey[inside]
        scaled = (level - level.mean()) / max(float(level.std()), 1.0)
        place[inside] = np.clip(scaled, -_LIMIT, _LIMIT)
    return made


def _resampling(middle: float, size: float, n: int) -> NDArray[np.float32]:
    """Return the weights, shape (64, n), of triangles as wide as a pixel of the picture."""
    step = size / SIDE
    centre = middle + (np.arange(SIDE) - (SIDE - 1) / 2) * step
    wide = max(step, 1.0)
    weight = np.maximum(1.0 - np.abs(np.arange(n) - centre[:, None]) / wide, 0.0)
    made: NDArray[np.float32] = (weight / wide).astype(np.float32)
    return made


# The view of a loop, or that it is unknown.

_N_FRAMES = 6
_LEAST_SPREAD = 2.0
"""Standard deviation of grey levels below which a sector shows nothing."""


@dataclass(frozen=True, slots=True)
class ViewSeen:
    """Which view a loop shows.

    Attributes
    ----------
    name : str
        One of `VIEW_NAMES`, or ``unknown``.
    probability : float
        Of the named view, or of the likeliest where it is unknown; NaN where nothing was looked at.
    sentence : str
        What a reader of the results should know, without a full stop.
    likeliest : str
        The likeliest of `VIEW_NAMES` where the view is unknown; empty where it is named, or where
        nothing was looked at.

    Examples
    --------
    >>> seen = ViewSeen("a4c", 0.97, "view: apical four-chamber (probability 0.97)")
    >>> seen.known, ViewSeen("unknown", 0.5, "view unknown").known
    (True, False)
    """

    name: str
    probability: float
    sentence: str
    likeliest: str = ""

    @property
    def known(self) -> bool:
        """Whether a view is named, be it ``other``."""
        return self.name in VIEW_TITLES


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
        ``unknown`` rather than a wrong view, and where there is no sector or colour covers it.

    Raises
    ------
    DataError
        A frame that cannot be decoded.

    Examples
    --------
    >>> from cardio_ultrasound.readers.arrays import ArraySource
    >>> frames = np.zeros((3, 60, 80), np.uint8)
    >>> black = Loop("made", ArraySource(frames), 3, (60, 80), np.array([0.0, 20, 40]), "stated")
    >>> view_of(black).name
    'unknown'
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
    if not mask.any() or max(float(frame[mask].std()) for frame in frames) < _LEAST_SPREAD:
        return _unknown("the sector shows nothing")
    from cardio_ultrasound.view_network import fitted_views  # torch only where it is needed

    fitted = fitted_views()
    found = fitted.probabilities(pictures(frames, mask, pixel_width=pixel_width))
    name, probability = fitted.views[int(found.argmax())], float(found.max())
    if probability < fitted.least_probability:
        why = f"view unknown: likeliest {VIEW_TITLES[name]}, probability {probability:.2f}"
        return ViewSeen(UNKNOWN, probability, why, name)
    return ViewSeen(name, probability, f"view: {VIEW_TITLES[name]} ({probability:.2f})")


def _unknown(why: str) -> ViewSeen:
    return ViewSeen(UNKNOWN, float("nan"), f"view unknown: {why}")
