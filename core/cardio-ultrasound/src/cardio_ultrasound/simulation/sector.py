"""The sector of a phased array: where it lies in the picture, and how beams become pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse


@dataclass(frozen=True)
class Sector:
    """A sector with its tip at the top, as a cardiac phased array shows it.

    Positions in the body are (x, z) in mm: x from the middle to the right of the picture, z
    downwards from the tip. Positions in the picture are (row, column) in pixels, counted from 0 at
    the centre of the first pixel.

    Attributes
    ----------
    depth_mm : float
        Radius of the sector.
    half_angle_deg : float
        Angle between the middle and an edge, below 90.
    n_rows, n_columns : int
        Size of the picture.
    spacing_mm : float
        Distance of pixels, the same in both directions.
    apex_row : float
        Row of the tip; the tip lies in the middle of the columns.

    Examples
    --------
    >>> sector = Sector(depth_mm=140.0, half_angle_deg=36.0)
    >>> row, column = sector.pixel_of([0.0, 60.0])
    >>> float(row), float(column)
    (108.0, 143.5)
    >>> sector.mm_of([108.0, 143.5]).round(6).tolist()
    [0.0, 60.0]
    """

    depth_mm: float = 140.0
    half_angle_deg: float = 36.0
    n_rows: int = 256
    n_columns: int = 288
    spacing_mm: float = 0.6
    apex_row: float = 8.0

    @property
    def apex_column(self) -> float:
        """Column of the tip."""
        return (self.n_columns - 1) / 2

    def pixel_of(self, position_mm: ArrayLike) -> NDArray[np.float64]:
        """Return (row, column) of positions (x, z) in mm, both along the last axis."""
        position = np.asarray(position_mm, dtype=np.float64)
        row = self.apex_row + position[..., 1] / self.spacing_mm
        return np.stack([row, self.apex_column + position[..., 0] / self.spacing_mm], axis=-1)

    def mm_of(self, pixel: ArrayLike) -> NDArray[np.float64]:
        """Return (x, z) in mm of pixels (row, column), both along the last axis."""
        place = np.asarray(pixel, dtype=np.float64)
        x_mm = (place[..., 1] - self.apex_column) * self.spacing_mm
        return np.stack([x_mm, (place[..., 0] - self.apex_row) * self.spacing_mm], axis=-1)

    def polar_of_pixels(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return range in mm and angle in degrees (right positive) of every pixel."""
        pixels = np.moveaxis(np.indices((self.n_rows, self.n_columns)), 0, -1)
        x_mm, z_mm = np.moveaxis(self.mm_of(pixels), -1, 0)
        return np.hypot(x_mm, z_mm), np.degrees(np.arctan2(x_mm, z_mm))

    def mask(self) -> NDArray[np.bool_]:
        """Return which pixels lie in the sector, shape (n_rows, n_columns)."""
        range_mm, angle_deg = self.polar_of_pixels()
        inside: NDArray[np.bool_] = (range_mm <= self.depth_mm) & (
            np.abs(angle_deg) <= self.half_angle_deg
        )
        return inside

    def box_px(self) -> tuple[int, int, int, int]:
        """Return the first and last (row, column) of the sector's pixels: r0, c0, r1, c1."""
        rows, columns = np.nonzero(self.mask())
        return int(rows.min()), int(columns.min()), int(rows.max()), int(columns.max())

    def fits(self) -> bool:
        """Tell whether the whole sector lies in the picture."""
        bottom = self.apex_row + self.depth_mm / self.spacing_mm
        half = self.depth_mm * math.sin(math.radians(self.half_angle_deg)) / self.spacing_mm
        return self.apex_row >= 0 and bottom <= self.n_rows - 1 and half <= self.apex_column


class ScanConverter:
    """Bilinear scan conversion from beams to the pixels of a sector.

    The four weights of every pixel are worked out once, so that a frame costs one sparse product.

    Parameters
    ----------
    sector : Sector
        Where the pixels lie; those outside are 0.
    range_mm : array_like, shape (n_ranges,)
        Ranges of the samples of a beam, equally spaced.
    angle_deg : array_like, shape (n_beams,)
        Angles of the beams, equally spaced, right positive.

    Examples
    --------
    >>> sector = Sector(depth_mm=60.0, half_angle_deg=30.0, n_rows=64, n_columns=64, spacing_mm=1.0,
    ...                 apex_row=2.0)
    >>> ranges, angles = np.arange(0.0, 61.0), np.linspace(-30.0, 30.0, 61)
    >>> convert = ScanConverter(sector, ranges, angles)
    >>> picture = convert(np.repeat(ranges[:, None], 61, axis=1))
    >>> float(picture[42, 31].round(2)), float(picture[0, 0])  # 40 mm below the tip; outside
    (40.0, 0.0)
    """

    def __init__(self, sector: Sector, range_mm: ArrayLike, angle_deg: ArrayLike) -> None:
        ranges = np.asarray(range_mm, dtype=np.float64)
        angles = np.asarray(angle_deg, dtype=np.float64)
        self.shape = (sector.n_rows, sector.n_columns)
        pixel_range, pixel_angle = sector.polar_of_pixels()
        inside = np.flatnonzero(sector.mask())
        at_range = (pixel_range.ravel()[inside] - ranges[0]) / (ranges[1] - ranges[0])
        at_angle = (pixel_angle.ravel()[inside] - angles[0]) / (angles[1] - angles[0])
        within = (
            (at_range >= 0)
            & (at_range <= ranges.size - 1)
            & (at_angle >= 0)
            & (at_angle <= angles.size - 1)
        )
        self._matrix = _bilinear(
            inside[within],
            at_range[within],
            at_angle[within],
            (ranges.size, angles.size),
            sector.n_rows * sector.n_columns,
        )

    def __call__(self, polar: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the picture of one polar frame, shape (n_ranges, n_beams)."""
        picture: NDArray[np.float32] = self._matrix @ polar.astype(np.float32, copy=False).ravel()
        return picture.reshape(self.shape)


def _bilinear(
    pixel: NDArray[np.intp],
    at_row: NDArray[np.float64],
    at_column: NDArray[np.float64],
    shape: tuple[int, int],
    n_pixels: int,
) -> sparse.csr_matrix:
    """Return the sparse matrix that interpolates a grid of `shape` at fractional places."""
    row = np.minimum(np.floor(at_row).astype(np.intp), shape[0] - 2)
    column = np.minimum(np.floor(at_column).astype(np.intp), shape[1] - 2)
    down, right = at_row - row, at_column - column
    weights = [(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right]
    first = row * shape[1] + column
    sources = [first, first + 1, first + shape[1], first + shape[1] + 1]
    return sparse.csr_matrix(
        (np.concatenate(weights).astype(np.float32), (np.tile(pixel, 4), np.concatenate(sources))),
        shape=(n_pixels, shape[0] * shape[1]),
    )
