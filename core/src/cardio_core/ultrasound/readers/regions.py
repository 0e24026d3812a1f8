"""Where in a DICOM ultrasound image the tissue is, and how large its pixels are.

References
----------
DICOM PS3.3 C.8.5.5 (US Region Calibration).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.errors import unusable
from cardio_core.ultrasound.loops.loop import Box

TWO_DIMENSIONAL, TISSUE, COLOUR_FLOW, CENTIMETRES = 1, 1, 2, 3
"""RegionSpatialFormat, RegionDataType and PhysicalUnits codes (C.8.5.5.1.1, 1.2, 1.15)."""

FACTORS = (3 / 4, 2 / 3, 5 / 8, 3 / 5, 1 / 2, 2 / 5, 3 / 8, 1 / 3, 1 / 4)
"""By how much exports shrink an image while they keep its header."""

_TOLERANCE = 0.02
_MIN_REACH = 0.75
_MOVING, _BRIGHT = 16, 32


@dataclass(frozen=True, slots=True)
class Region:
    """One item of the sequence of ultrasound regions, as the header writes it.

    First and last column and row are both inside; `mm_per_pixel` is the distance of rows, and of
    columns, None where the units are not cm.
    """

    x0: int
    y0: int
    x1: int
    y1: int
    mm_per_pixel: tuple[float, float] | None

    def box(self, factor: float, n_rows: int, n_columns: int) -> Box:
        """Return the pixels inside the image, after scaling by `factor`."""
        return Box(
            top=max(round(self.y0 * factor), 0),
            bottom=min(round((self.y1 + 1) * factor), n_rows),
            left=max(round(self.x0 * factor), 0),
            right=min(round((self.x1 + 1) * factor), n_columns),
        )


@dataclass(frozen=True, slots=True)
class Regions:
    """What the header says of all regions.

    `tissue` is the largest two-dimensional tissue region; `colour_flow` says whether a
    two-dimensional region of colour flow is declared; `flags` what a reader of the results should
    know.
    """

    tissue: Region | None
    colour_flow: bool
    flags: tuple[str, ...]


def read_regions(dataset: Any, name: str) -> Regions:
    """Read the sequence of ultrasound regions.

    Raises
    ------
    DataError
        A tissue region without extent.
    """
    items = [
        item
        for item in dataset.get("SequenceOfUltrasoundRegions") or []
        if item.get("RegionSpatialFormat") == TWO_DIMENSIONAL
    ]
    colour_flow = any(item.get("RegionDataType") == COLOUR_FLOW for item in items)
    tissue = [_region(item, name) for item in items if item.get("RegionDataType") == TISSUE]
    if not tissue:
        return Regions(None, colour_flow, ("no tissue region: pixel size unknown",))
    largest = max(tissue, key=lambda region: (region.x1 - region.x0) * (region.y1 - region.y0))
    flags = [f"the largest of {len(tissue)} tissue regions"] if len(tissue) > 1 else []
    if largest.mm_per_pixel is None:
        flags.append("pixel size unknown: the region's units are not cm")
    return Regions(largest, colour_flow, tuple(flags))


def reaches_outside(region: Region, n_rows: int, n_columns: int) -> bool:
    """Tell whether a region lies outside its image; one pixel is forgiven (last against end)."""
    return region.x1 > n_columns or region.y1 > n_rows


def fitting_factor(name: str, region: Region, frames: NDArray[np.uint8]) -> float:
    """Find the one factor by which a region fits an image that was made smaller.

    A factor fits where the scaled region lies inside the image, holds the picture (what moves,
    or in a still what is bright), and where the picture reaches over most of its depth.

    Frames, shape (n, rows, columns), are a few grey ones, spread over the loop.

    Raises
    ------
    DataError
        No factor fits, or several do.

    Examples
    --------
    >>> frames = np.zeros((2, 100, 100), np.uint8)
    >>> frames[1, 10:78, 20:80] = 90
    >>> fitting_factor("a.dcm", Region(30, 18, 170, 160, None), frames)
    0.5
    """
    n_rows, n_columns = frames.shape[1:]
    top, bottom, left, right = _picture(frames)
    fitting = []
    for factor in FACTORS:
        x0, y0 = region.x0 * factor, region.y0 * factor
        x1, y1 = (region.x1 + 1) * factor, (region.y1 + 1) * factor
        if x1 > n_columns + 1 or y1 > n_rows + 1:
            continue
        slack = _TOLERANCE * max(x1 - x0, y1 - y0)
        holds = top >= y0 - slack and bottom <= y1 + slack
        holds = holds and left >= x0 - slack and right <= x1 + slack
        if holds and bottom >= y0 + _MIN_REACH * (y1 - y0):
            fitting.append(factor)
    if len(fitting) != 1:
        raise unusable(
            name,
            "a tissue region inside the image, or one factor by which it fits",
            f"a region to {region.x1} × {region.y1} on {n_columns} × {n_rows} pixels"
            f" and {len(fitting)} such factors",
            "export the loop at its own size",
        )
    return fitting[0]


def _picture(frames: NDArray[np.uint8]) -> tuple[float, float, float, float]:
    """Return top, bottom, left and right of what moves, without the outer 1 % on each side."""
    shown = frames.max(axis=0) - frames.min(axis=0) > _MOVING
    if not shown.any():
        shown = frames.max(axis=0) > _BRIGHT
    if not shown.any():
        return 0.0, float(frames.shape[1]), 0.0, float(frames.shape[2])
    rows, columns = np.nonzero(shown)
    top, bottom = np.percentile(rows, (1, 99))
    left, right = np.percentile(columns, (1, 99))
    return float(top), float(bottom), float(left), float(right)


def _region(item: Any, name: str) -> Region:
    x0, y0, x1, y1 = (
        int(item.get(f"RegionLocation{corner}")) for corner in ("MinX0", "MinY0", "MaxX1", "MaxY1")
    )
    if not (0 <= x0 < x1 and 0 <= y0 < y1):
        raise unusable(name, "a tissue region with an extent", "an empty one", "export again")
    return Region(x0, y0, x1, y1, _mm_per_pixel(item))


def _mm_per_pixel(item: Any) -> tuple[float, float] | None:
    """Return the distances of rows and columns; the sign says the direction only."""
    distances = []
    for axis in "YX":
        delta = item.get(f"PhysicalDelta{axis}")
        units = item.get(f"PhysicalUnits{axis}Direction")
        if units != CENTIMETRES or delta is None:
            return None
        distances.append(abs(float(delta)) * 10.0)
    rows_mm, columns_mm = distances
    if not all(math.isfinite(mm) and mm > 0 for mm in distances):
        return None
    return rows_mm, columns_mm
