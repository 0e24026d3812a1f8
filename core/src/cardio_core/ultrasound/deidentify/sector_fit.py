"""The sector of an ultrasound loop, fitted to its pixels: a fan of an apex, two edges and an arc.

Only what lies in the fan is picture. Text, scales, logos and traces stand outside; where they touch
it, the fit goes by what most of the outline agrees with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cardio_core.errors import DataError
from cardio_core.ultrasound.deidentify.fan import fit_fan
from cardio_core.ultrasound.deidentify.side_by_side import two_fans
from cardio_core.ultrasound.deidentify.tissue import bordered_box, look_over, solid_picture
from cardio_core.ultrasound.loops.loop import Box, Loop

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
    >>> from cardio_core.ultrasound.phantoms.sector import Sector
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
            "cut the clip in two"
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
