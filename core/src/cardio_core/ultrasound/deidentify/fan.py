"""Two edges and an arc through the outline of a fan, by random sample consensus.

Positions are (y, x) in heights of a pixel: y is the row, x the column times the pixel's width over
its height. Angles are from straight down, positive to the right.

References
----------
Fischler MA, Bolles RC. Random sample consensus. Commun ACM 1981; 24: 381-395.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_N_DRAWS = 1500
_NEAR_PX = 1.5
_N_REFINEMENTS = 4
_MIN_POINTS = 12
_MAX_EDGE_RAD = np.radians(85.0)
_MIN_OPENING_RAD, _MAX_OPENING_RAD = np.radians(15.0), np.radians(160.0)
_POINTLESS_SHARE = 0.04
_TOLD_SHARE = 0.15
_AGREED_SHARE = 0.8
_LEFT, _RIGHT = -1.0, 1.0


@dataclass(frozen=True, slots=True)
class Fan:
    """A fan, and how well the outline agrees with it.

    Attributes
    ----------
    apex_y, apex_x : float
        Where the edges meet.
    low_rad, high_rad : float
        The left and the right edge.
    near, far : float
        First and last distance from the apex; `near` is 0 for a fan with a tip.
    edge_share, arc_share : float
        Share of each edge's length, and of the arc's angles inside the picture, that the outline
        follows; of the edges the lower of the two.
    """

    apex_y: float
    apex_x: float
    low_rad: float
    high_rad: float
    near: float
    far: float
    edge_share: float
    arc_share: float


@dataclass(frozen=True, slots=True)
class _Edge:
    """The line x = at_0 + slope · y."""

    at_0: float
    slope: float


def fit_fan(solid: NDArray[np.bool_], pixel_width: float, rng: np.random.Generator) -> Fan | None:
    """Fit a fan that opens downwards.

    `solid`, shape (n_rows, n_columns), is what belongs to the picture; `pixel_width` is in heights
    of a pixel; `rng` draws the samples. None where two edges do not meet above what lies between
    them.

    Examples
    --------
    >>> rows, columns = np.indices((120, 161))
    >>> angle = np.arctan2(columns - 80, rows - 5)
    >>> picture = (np.abs(angle) < 0.6) & (np.hypot(columns - 80, rows - 5) < 100)
    >>> fan = fit_fan(picture, 1.0, np.random.default_rng(0))
    >>> round(fan.apex_x), round(fan.high_rad, 1), round(fan.far)
    (80, 0.6, 100)
    """
    rows = np.flatnonzero(solid.any(axis=1))
    if rows.size < _MIN_POINTS:
        return None
    y = rows.astype(np.float64)
    first = solid[rows].argmax(axis=1)
    last = solid.shape[1] - 1 - solid[rows, ::-1].argmax(axis=1)
    # Beyond the picture's own border nothing is seen: such points are no outline.
    left = _edge(y, (first - 0.5) * pixel_width, first > 0, _LEFT, rng)
    right = _edge(y, (last + 0.5) * pixel_width, last < solid.shape[1] - 1, _RIGHT, rng)
    if left is None or right is None or right.slope <= left.slope:
        return None
    low, high = float(np.arctan(left.slope)), float(np.arctan(right.slope))
    apex_y = (left.at_0 - right.at_0) / (right.slope - left.slope)
    apex_x = left.at_0 + left.slope * apex_y
    if not _MIN_OPENING_RAD <= high - low <= _MAX_OPENING_RAD:
        return None
    near, far, arc_share = _radii(solid, pixel_width, (apex_y, apex_x), (low, high))
    if far <= near:
        return None
    shares = []
    for edge, angle, x in ((left, low, first - 0.5), (right, high, last + 0.5)):
        span = (y > apex_y + near * np.cos(angle)) & (y < apex_y + 0.97 * far * np.cos(angle))
        close = np.abs(x * pixel_width - edge.at_0 - edge.slope * y) * np.cos(angle) <= 2 * _NEAR_PX
        shares.append(float(close[span].mean()) if span.any() else 0.0)
    return Fan(apex_y, apex_x, low, high, near, far, min(shares), arc_share)


def _edge(
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    seen: NDArray[np.bool_],
    side: float,
    rng: np.random.Generator,
) -> _Edge | None:
    """Find the line that most points of one side follow and few lie beyond."""
    y, x = y[seen], x[seen]
    if y.size < _MIN_POINTS:
        return None
    pairs = rng.integers(0, y.size, (_N_DRAWS, 2))
    pairs = pairs[np.abs(y[pairs[:, 0]] - y[pairs[:, 1]]) >= max(0.1 * np.ptp(y), 3.0)]
    slopes = np.diff(x[pairs], axis=1)[:, 0] / np.diff(y[pairs], axis=1)[:, 0]
    kept = np.abs(np.arctan(slopes)) <= _MAX_EDGE_RAD
    pairs, slopes = pairs[kept], slopes[kept]
    if not slopes.size:
        return None
    at_0 = x[pairs[:, 0]] - slopes * y[pairs[:, 0]]
    away = side * (x - at_0[:, None] - slopes[:, None] * y) * np.cos(np.arctan(slopes))[:, None]
    score = (np.abs(away) <= _NEAR_PX).sum(axis=1) - 0.5 * (away > 2 * _NEAR_PX).sum(axis=1)
    best = int(score.argmax())
    line = _Edge(float(at_0[best]), float(slopes[best]))
    for _ in range(_N_REFINEMENTS):
        away = (x - line.at_0 - line.slope * y) * np.cos(np.arctan(line.slope))
        close = np.abs(away) <= _NEAR_PX
        if close.sum() < _MIN_POINTS or np.ptp(y[close]) == 0:
            return None
        slope, start = np.polyfit(y[close], x[close], 1)
        line = _Edge(float(start), float(slope))
    return line


def _radii(
    solid: NDArray[np.bool_],
    pixel_width: float,
    apex: tuple[float, float],
    angles: tuple[float, float],
) -> tuple[float, float, float]:
    """Return the first and last radius, and the share of angles whose last pixel is on the arc."""
    n_rows, n_columns = solid.shape
    rows, columns = np.nonzero(solid)
    down, across = rows - apex[0], columns * pixel_width - apex[1]
    radius, angle = np.hypot(down, across), np.arctan2(across, down)
    inside = (angle > angles[0]) & (angle < angles[1]) & (down > 0)
    radius, angle = radius[inside], angle[inside]
    if not radius.size:
        return 0.0, 0.0, 0.0
    n_bins = max(int((angles[1] - angles[0]) * radius.max() / 2), 8)
    place = np.minimum(
        ((angle - angles[0]) / (angles[1] - angles[0]) * n_bins).astype(int), n_bins - 1
    )
    far, near = np.zeros(n_bins), np.full(n_bins, np.inf)
    np.maximum.at(far, place, radius)
    np.minimum.at(near, place, radius)
    middle = angles[0] + (np.arange(n_bins) + 0.5) / n_bins * (angles[1] - angles[0])
    # Where the picture's border cuts a beam off, its end tells nothing of the arc.
    end_row = apex[0] + (far + 2.0) * np.cos(middle)
    end_column = (apex[1] + (far + 2.0) * np.sin(middle)) / pixel_width
    told = (far > 0) & (end_row < n_rows) & (end_column > -1) & (end_column < n_columns)
    last, share = _arc(far, told)
    central = near[int(0.25 * n_bins) : max(int(0.75 * n_bins), 1)]
    finite = central[np.isfinite(central)]
    first = float(np.percentile(finite, 10)) if finite.size else 0.0
    # The tip itself is narrower than the brush that takes lines away.
    return (0.0 if first < max(_POINTLESS_SHARE * last, 6.0) else first - 0.5), last, share


def _arc(far: NDArray[np.float64], told: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the radius that most beams end at and few go beyond, and the share that agrees.

    Where the border cuts nearly all beams off, the border is what ends the picture. A beam that it
    cuts off tells nothing of an arc but this: there is none before its end. Beams that end in dark
    cavities, each elsewhere, make no arc; where they agree, what goes on below is no fan.
    """
    ends = far[told]
    if ends.size < max(_MIN_POINTS, _TOLD_SHARE * far.size):
        return float(far.max()) + 0.5, 1.0
    close = (np.abs(ends - ends[:, None]) <= _NEAR_PX).sum(axis=1)
    score = close - 0.5 * (far - ends[:, None] > 2 * _NEAR_PX).sum(axis=1)
    if score.max() <= 0 and close.max() < _AGREED_SHARE * ends.size:
        return float(far.max()) + 0.5, float((~told).mean())
    radius = float(ends[score.argmax()])
    for _ in range(_N_REFINEMENTS):
        radius = float(ends[np.abs(ends - radius) <= _NEAR_PX].mean())
    agree = np.where(told, np.abs(far - radius), far - radius) <= 2 * _NEAR_PX
    # The last pixel's centre lies half a pixel before the arc on average.
    return radius + 0.5, float(agree[far > 0].mean())
