"""Two edges and an arc through the outline of a fan, by random sample consensus.

Positions are (y, x) in heights of a pixel: y is the row, x the column times the pixel's width over
its height. Angles are from straight down, positive to the right.

References
----------
Fischler MA, Bolles RC. Random sample consensus. Commun ACM 1981; 24: 381-395.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cardio_stats.errors import DataError
from cardio_ultrasound.deidentify.tissue import bordered_box, look_over, solid_picture
from cardio_ultrasound.loop import Box, Loop

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
    retained = np.abs(np.arctan(slopes)) <= _MAX_EDGE_RAD
    pairs, slopes = pairs[retained], slopes[retained]
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
    visible = (far > 0) & (end_row < n_rows) & (end_column > -1) & (end_column < n_columns)
    last, share = _arc(far, visible)
    central = near[int(0.25 * n_bins) : max(int(0.75 * n_bins), 1)]
    finite = central[np.isfinite(central)]
    first = float(np.percentile(finite, 10)) if finite.size else 0.0
    # The tip itself is narrower than the brush that takes lines away.
    return (0.0 if first < max(_POINTLESS_SHARE * last, 6.0) else first - 0.5), last, share


def _arc(far: NDArray[np.float64], visible: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the radius that most beams end at and few go beyond, and the share that agrees.

    Where the border cuts nearly all beams off, the border is what ends the picture. A beam that it
    cuts off tells nothing of an arc but this: there is none before its end. Beams that end in dark
    cavities, each elsewhere, make no arc; where they agree, what goes on below is no fan.
    """
    ends = far[visible]
    if ends.size < max(_MIN_POINTS, _TOLD_SHARE * far.size):
        return float(far.max()) + 0.5, 1.0
    close = (np.abs(ends - ends[:, None]) <= _NEAR_PX).sum(axis=1)
    score = close - 0.5 * (far - ends[:, None] > 2 * _NEAR_PX).sum(axis=1)
    if score.max() <= 0 and close.max() < _AGREED_SHARE * ends.size:
        return float(far.max()) + 0.5, float((~visible).mean())
    radius = float(ends[score.argmax()])
    for _ in range(_N_REFINEMENTS):
        radius = float(ends[np.abs(ends - radius) <= _NEAR_PX].mean())
    agree = np.where(visible, np.abs(far - radius), far - radius) <= 2 * _NEAR_PX
    # The last pixel's centre lies half a pixel before the arc on average.
    return radius + 0.5, float(agree[far > 0].mean())


# Two fans on one screen: what lies between their tips is dark, and narrows with depth.

_GAP_SHARE, _ROWS_SHARE = 0.08, 0.1
_MIDDLE = (0.25, 0.75)
_NARROWS = -0.8


def two_fans(solid: NDArray[np.bool_]) -> bool:
    """Say whether a picture is of two fans beside each other, apart or in touch.

    From row to row the widest dark gap between lit pixels is followed. Between two fans it lies in
    the middle and narrows as their edges come together; behind a shadow it widens, as beams do.

    Parameters
    ----------
    solid : ndarray of bool, shape (n_rows, n_columns)
        What belongs to the picture.

    Examples
    --------
    >>> rows, columns = np.indices((120, 260))
    >>> def fan(tip):
    ...     angle = np.arctan2(columns - tip, rows - 2)
    ...     return (np.abs(angle) < 0.6) & (np.hypot(columns - tip, rows - 2) < 100)
    >>> two_fans(fan(80) | fan(170)), two_fans(fan(130))
    (True, False)
    >>> shadow = np.abs(np.arctan2(columns - 130, rows - 2)) < 0.1
    >>> two_fans(fan(130) & ~shadow)
    False
    """
    # Between two fans it is open to the sky; a cavity that narrows with depth lies under tissue.
    solid = np.logical_or.accumulate(solid, axis=0)
    rows = np.flatnonzero(solid.any(axis=1))
    columns = np.flatnonzero(solid.any(axis=0))
    if not rows.size:
        return False
    width = int(columns[-1] - columns[0] + 1)
    found = [gap for row in rows if (gap := _widest_gap(solid[row])) is not None]
    gaps = np.array([(size, middle) for size, middle in found], dtype=np.float64).reshape(-1, 2)
    places = (gaps[:, 1] - columns[0]) / width
    wide = (gaps[:, 0] > _GAP_SHARE * width) & (places > _MIDDLE[0]) & (places < _MIDDLE[1])
    # From the first wide gap to where it closes; between the arcs below it may open again.
    first = int(wide.argmax()) if wide.any() else 0
    end = first + int((~wide[first:]).argmax()) if (~wide[first:]).any() else len(wide)
    run = gaps[first:end, 0]
    if not wide.any() or len(run) < max(_ROWS_SHARE * rows.size, 3) or np.ptp(run) == 0:
        return False
    return bool(np.corrcoef(np.arange(len(run)), run)[0, 1] < _NARROWS)


def _widest_gap(row: NDArray[np.bool_]) -> tuple[int, float] | None:
    """Return the width and the middle of the widest dark run between lit pixels."""
    lit = np.flatnonzero(row)
    if lit.size < 2:
        return (0, float(lit.mean())) if lit.size else None
    steps = np.diff(lit)
    place = int(steps.argmax())
    return int(steps[place] - 1), float(lit[place] + lit[place + 1]) / 2


# The sector of an ultrasound loop, fitted to its pixels: a fan of an apex, two edges and an arc.
#
# Only what lies in the fan is picture. Text, scales, logos and traces stand outside; where they
# touch it, the fit goes by what most of the outline agrees with.

_N_FRAMES = 32
_MIN_SHARE = 0.03
_POOR = 0.5
_RIM_PX = 2.0
_NO_SECTOR = "check that the clip shows a sector, upright, and its region"


@dataclass(frozen=True, slots=True)
class FittedSector:
    """A fan in the picture.

    Attributes
    ----------
    apex_row, apex_column : float
        Where the edges meet, in pixels from the centre of pixel (0, 0); may lie outside.
    left_deg, right_deg : float
        The edges, from straight down, positive to the right; measured in mm where pixels are not
        square.
    inner_px, outer_px : float
        First and last distance from the apex, in heights of a pixel; `inner_px` is 0 for a fan with
        a tip.
    pixel_width : float
        Width of a pixel in heights of a pixel.
    size : tuple of int
        Rows and columns of the picture.
    region : Box or None
        Nothing outside is in the sector.
    confidence : float
        0 to 1: the lowest of twice the share of each edge's length, and of the arc's angles, that
        the outline follows (dark tissue hides the rest), and of 1 less five times the share of lit
        pixels outside the fan. Half is what `poor` asks for.

    Examples
    --------
    >>> fan = FittedSector(5.0, 80.0, -35.0, 35.0, 0.0, 100.0, 1.0, (120, 161), None, 1.0)
    >>> mask = fan.mask()
    >>> bool(mask[60, 80]), bool(mask[60, 10]), fan.poor
    (True, False, False)
    """

    apex_row: float
    apex_column: float
    left_deg: float
    right_deg: float
    inner_px: float
    outer_px: float
    pixel_width: float
    size: tuple[int, int]
    region: Box | None
    confidence: float

    @property
    def poor(self) -> bool:
        """Whether the outline agrees too little with the fan to be relied on."""
        return self.confidence < _POOR

    def mask(self, *, erode_px: float = 1.0) -> NDArray[np.bool_]:
        """Return which pixels lie in the fan, at least `erode_px` from its edges and arcs.

        Returns
        -------
        ndarray of bool, shape (n_rows, n_columns)
        """
        rows, columns = np.ogrid[: self.size[0], : self.size[1]]
        down = rows - self.apex_row
        across = (columns - self.apex_column) * self.pixel_width
        left, right = np.radians(self.left_deg), np.radians(self.right_deg)
        radius = np.hypot(down, across)
        inside: NDArray[np.bool_] = (
            (across * np.cos(left) - down * np.sin(left) >= erode_px)
            & (down * np.sin(right) - across * np.cos(right) >= erode_px)
            & (radius <= self.outer_px - erode_px)
            & (radius >= (self.inner_px + erode_px if self.inner_px > 0 else 0.0))
        )
        if self.region is not None:
            cut = np.zeros_like(inside)
            cut[self.region.window] = inside[self.region.window]
            return cut
        return inside


def fit_sector(
    frames: Loop | Iterable[NDArray[np.uint8]],
    region: Box | None = None,
    seed: int = 0,
    *,
    pixel_width: float = 1.0,
) -> FittedSector:
    """Fit the sector of a loop.

    Pixels that are lit or change, the largest piece of them, and a fan through its outline by
    random sample consensus. Coloured lines (ECG, respiration) are left out before; areas of colour
    (flow) are not.

    Parameters
    ----------
    frames : Loop, or iterable of ndarray of uint8, shape (n_rows, n_columns) or (..., 3)
        Of a `Loop` 32 frames over its whole length are looked at, and its region and pixel size are
        used; an array or an iterable is looked at whole, frame by frame.
    region : Box, optional
        Nothing outside is looked at.
    seed : int
        Of the random samples.
    pixel_width : float
        Width of a pixel in heights of a pixel; a `Loop` knows its own.

    Returns
    -------
    FittedSector
        Look at `poor` before relying on it.

    Raises
    ------
    DataError
        There is no sector, or there are two: pictures that are almost black, or whose outline is
        no fan, or that show one beside the other.

    Examples
    --------
    >>> from cardio_ultrasound.simulation.sector import Sector
    >>> truth = Sector(depth_mm=60.0, half_angle_deg=40.0, n_rows=120, n_columns=140)
    >>> rng = np.random.default_rng(0)
    >>> frames = rng.integers(20, 200, (4, 120, 140), dtype=np.uint8) * truth.mask()
    >>> found = fit_sector(frames)
    >>> abs(found.apex_row - truth.apex_row) < 2, abs(found.right_deg - 40.0) < 1
    (True, True)
    """
    if isinstance(frames, Loop):
        return _fit_loop(frames, region, seed)
    return _fit("loop", frames, region, pixel_width, seed)


def _fit_loop(loop: Loop, region: Box | None, seed: int) -> FittedSector:
    rows_mm, columns_mm = loop.mm_per_pixel or (1.0, 1.0)
    region = region or loop.region
    if loop.sector is not None:
        known = loop.sector
        return FittedSector(
            known.apex_row,
            known.apex_column,
            float(np.degrees(known.low_rad)),
            float(np.degrees(known.high_rad)),
            known.near_mm / rows_mm,
            known.far_mm / rows_mm,
            columns_mm / rows_mm,
            loop.size,
            region,
            1.0,
        )
    step = max(loop.n_frames // _N_FRAMES, 1)
    frames = loop.frames(step=step, colour=True)
    return _fit(loop.name, frames, region, columns_mm / rows_mm, seed)


def _fit(
    name: str,
    frames: Iterable[NDArray[np.uint8]],
    region: Box | None,
    pixel_width: float,
    seed: int,
) -> FittedSector:
    seen = look_over(frames)
    if seen.n_frames == 0:
        raise DataError(f"{name}: expected frames to find a sector in, found none; {_NO_SECTOR}")
    solid = solid_picture(seen, region)
    if solid.mean() < _MIN_SHARE:
        raise DataError(
            f"{name}: expected a sector of tissue, found pictures that are almost black; "
            + _NO_SECTOR
        )
    if two_fans(solid):
        raise DataError(
            f"{name}: expected one sector, found two side by side; export each picture alone, or "
            "cut the clip in two",
            code="ambiguous",
        )
    boxes = [region]
    ends = None if region is not None else bordered_box(solid)
    if ends is not None and (ends.height, ends.width) != solid.shape:
        boxes.append(ends)  # black borders: neither its edges nor its arc
    fans = [fan for box in boxes if (fan := _fan_of(solid, box, pixel_width, seed)) is not None]
    fitted = max(fans, key=lambda fan: _agrees(fan, solid), default=None)
    if fitted is None:
        raise DataError(
            f"{name}: expected the outline of a sector, two edges that meet and an arc, found "
            f"another; {_NO_SECTOR}"
        )
    return fitted


def _fan_of(
    solid: NDArray[np.bool_], region: Box | None, pixel_width: float, seed: int
) -> FittedSector | None:
    """Fit a fan inside a region; None where there is none."""
    box = region or Box(0, solid.shape[0], 0, solid.shape[1])
    fan = fit_fan(solid[box.window], pixel_width, np.random.default_rng(seed))
    if fan is None:
        return None
    fitted = FittedSector(
        apex_row=fan.apex_y + box.top,
        apex_column=fan.apex_x / pixel_width + box.left,
        left_deg=float(np.degrees(fan.low_rad)),
        right_deg=float(np.degrees(fan.high_rad)),
        inner_px=fan.near,
        outer_px=fan.far,
        pixel_width=pixel_width,
        size=(solid.shape[0], solid.shape[1]),
        region=region,
        confidence=0.0,
    )
    outside = float((solid & ~fitted.mask(erode_px=-_RIM_PX)).sum() / solid.sum())
    shares = (1.0, 2.0 * fan.edge_share, 2.0 * fan.arc_share, 1.0 - 5.0 * outside)
    return replace(fitted, confidence=round(max(min(shares), 0.0), 3))


def _agrees(fitted: FittedSector, solid: NDArray[np.bool_]) -> float:
    """Return the area that a fan and the picture share, of the area of both together."""
    mask = fitted.mask(erode_px=0.0)
    return float((mask & solid).sum() / (mask | solid).sum())


# Where in the picture the sector is, whatever its shape: the hull of its pixels.

_DARK = 6
_SECTOR_HULL_MIN_SHARE = 0.05
_SECTOR_HULL_N_FRAMES = 24


def sector_hull(frames: NDArray[np.uint8], region: Box | None = None) -> NDArray[np.bool_]:
    """Find the sector: the convex hull of the largest thing that is not black.

    Text, rulers and traces are thin or stand apart; an opening takes them away. It follows what is
    seen, where `fit_sector` follows a fan: rely on it to measure in, not to take print away.

    Parameters
    ----------
    frames : ndarray, shape (n_frames, n_rows, n_columns)
        A few are looked at.
    region : Box, optional
        Nothing outside is looked at.

    Returns
    -------
    ndarray of bool, shape (n_rows, n_columns)

    Raises
    ------
    DataError
        There is nothing but black, or only small things.

    Examples
    --------
    >>> frames = np.zeros((4, 100, 100), np.uint8)
    >>> rows, columns = np.indices((100, 100))
    >>> frames[:, np.abs(columns - 50) < 0.6 * rows] = 40
    >>> sector = sector_hull(frames)
    >>> bool(sector[80, 50]), bool(sector[10, 10])
    (True, False)
    """
    looked_at = frames[:: max(len(frames) // _SECTOR_HULL_N_FRAMES, 1)]
    bright = (looked_at.max(axis=0) > _DARK).astype(np.uint8)
    if region is not None:
        outside = np.ones(bright.shape, dtype=bool)
        outside[region.window] = False
        bright[outside] = 0
    radius = max(round(min(bright.shape) / 100), 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    solid = cv2.morphologyEx(cv2.medianBlur(bright, 5), cv2.MORPH_CLOSE, kernel)
    solid = cv2.morphologyEx(solid, cv2.MORPH_OPEN, kernel)
    n_parts, labels, measured, _ = cv2.connectedComponentsWithStats(solid)
    areas = measured[1:, cv2.CC_STAT_AREA]
    if n_parts < 2 or areas.max() < _SECTOR_HULL_MIN_SHARE * bright.size:
        raise DataError(
            "loop: expected a sector of tissue, found pictures that are almost black; "
            "check the clip, or its region"
        )
    # Dropout can part a sector: what is at least a tenth of the largest part belongs to it.
    retained = np.isin(labels, 1 + np.flatnonzero(areas >= 0.1 * areas.max()))
    hull = cv2.convexHull(np.argwhere(retained)[:, ::-1].astype(np.int32))
    filled = cv2.fillConvexPoly(np.zeros(bright.shape, dtype=np.uint8), hull, 1)
    sector: NDArray[np.bool_] = filled.astype(bool)
    return sector


# Which pixels of a loop are its sector, relied on to leave out what is printed beside it.

FIXED_TRIANGLE = "no clear sector found: a fixed triangle was kept, with whatever is printed in it"
"""Flag of a loop that was cut by the fixed triangle."""

_BY_HAND = "leave the clip out, or mask it by hand"
_OVERLAP = 0.1


def clear_sector(loop: Loop, *, otherwise: str = _BY_HAND) -> FittedSector:
    """Return the sector of a loop, or refuse one that its outline mostly disagrees with.

    32 frames over its length are looked at. `otherwise` says in a refusal what to do without a
    sector.

    Raises
    ------
    DataError
        No sector, one that cannot be relied on to leave out what is printed beside it, or a frame
        that cannot be decoded.
    """
    fitted = fit_sector(loop)
    if fitted.poor:
        raise DataError(
            f"{loop.name}: expected the outline of one sector, found one that a fan fits poorly "
            f"({fitted.confidence:.2f} of 1), so that print may stay; {otherwise}"
        )
    return fitted


def sector_mask(
    loop: Loop, *, triangle: bool = False, otherwise: str = _BY_HAND
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Return the pixels of a loop that are its sector, and what to know about them.

    Parameters
    ----------
    loop : Loop
        As of :func:`clear_sector`.
    triangle : bool
        Where there is no clear sector, return the fixed triangle instead of refusing the loop.
    otherwise : str
        What to do without a sector, for the refusal.

    Returns
    -------
    mask : ndarray of bool, shape (n_rows, n_columns)
        One pixel inside the fitted outline.
    flags : tuple of str
        `TRIANGLE_KEPT`, or none.

    Raises
    ------
    DataError
        As of :func:`clear_sector`, where no triangle is asked for.
    """
    try:
        return clear_sector(loop, otherwise=otherwise).mask(), ()
    except DataError:
        if not triangle:
            raise
        return fixed_triangle(loop.size), (FIXED_TRIANGLE,)


def fixed_triangle(size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the triangle that EchoNet-Dynamic's conversion keeps, whatever the picture shows.

    Parameters
    ----------
    size : tuple of int
        Rows and columns; the triangle lies in the largest square in their middle.

    Notes
    -----
    A right angle whose tip stands a tenth of the side right of the middle of the first row, as
    published (Ouyang et al., Nature 2020; 580: 252-256, and its code). It repeats that procedure;
    it removes neither text nor traces that stand in it.

    Examples
    --------
    >>> fixed_triangle((10, 10)).sum(axis=1).tolist()
    [0, 1, 3, 5, 7, 8, 9, 10, 10, 10]
    """
    n = min(size)
    top, left = (size[0] - n) // 2, (size[1] - n) // 2
    row, column = np.ogrid[:n, :n]
    edge = n // 2 + int(n * _OVERLAP)
    mask = np.zeros(size, dtype=bool)
    mask[top : top + n, left : left + n] = (column + row > edge) & (column - row < edge)
    return mask
