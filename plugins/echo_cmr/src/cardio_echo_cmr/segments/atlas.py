"""Where the AHA-17 segments lie in a view, in the coordinates of the small square picture."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cardio_echo_cmr.segments.pose import (
    DEPTH_MM,
    HALF_ANGLE_DEG,
    VIEWS,
    Geometry,
    default_geometry,
)

SEGMENT_NAMES = (
    "basal anterior", "basal anteroseptal", "basal inferoseptal",
    "basal inferior", "basal inferolateral", "basal anterolateral",
    "mid anterior", "mid anteroseptal", "mid inferoseptal",
    "mid inferior", "mid inferolateral", "mid anterolateral",
    "apical anterior", "apical septal", "apical inferior", "apical lateral", "apex",
)  # fmt: skip
"""Names of segments 1 to 17 (Cerqueira et al., Circulation 2002;105:539-542)."""


def segment_map(view: str, side: int = 112) -> NDArray[np.uint8]:
    """Return the AHA segment of every pixel, for a heart of usual size and place at end diastole.

    Parameters
    ----------
    view : {"a4c", "a2c", "plax", "other"}
        The view; ``other`` is a short axis through the papillary muscles (segments 7 to 12).
    side : int
        Pixels of the square picture, whose middle is that of the sector's bounding box and whose
        side is the longer one of that box.

    Returns
    -------
    ndarray, shape (side, side), uint8
        1 to 17, 0 outside the wall and the sector.

    Raises
    ------
    ValueError
        A view that does not exist.

    Examples
    --------
    >>> sorted({int(number) for number in np.unique(segment_map("plax"))})
    [0, 2, 5, 8, 11]
    >>> bool((segment_map("a4c")[:, :56] == 9).any()), bool((segment_map("a4c")[:, 70:] == 9).any())
    (True, False)
    """
    if view not in VIEWS:
        raise ValueError(f"expected a view of {', '.join(VIEWS)}, found {view!r}")
    return geometry_map(
        default_geometry(view), depth_mm=DEPTH_MM[view], half_angle_deg=HALF_ANGLE_DEG, side=side
    )


def geometry_map(
    geometry: Geometry, *, depth_mm: float, half_angle_deg: float, side: int = 112
) -> NDArray[np.uint8]:
    """Return the AHA segment of every pixel for one geometry and field of view.

    Parameters
    ----------
    geometry : Geometry
        The heart at end diastole.
    depth_mm, half_angle_deg : float
        The sector.
    side : int
        Pixels of the square picture, as for `segment_map`.

    Returns
    -------
    ndarray, shape (side, side), uint8
        1 to 17, 0 outside the wall and the sector.
    """
    crop_mm = max(depth_mm, 2.0 * depth_mm * math.sin(math.radians(half_angle_deg)))
    offset = ((np.arange(side) + 0.5) / side - 0.5) * crop_mm
    z, x = np.meshgrid(offset + depth_mm / 2.0, offset, indexing="ij")
    heart = geometry.to_heart(np.stack([x.ravel(), z.ravel()], axis=1))
    place = geometry.wall.place(heart)
    wall = geometry.wall
    inside = np.abs(place.depth_mm) <= wall.wall_mm / 2.0
    if not wall.is_ring:
        inside &= heart[:, 1] <= wall.length_mm
    angle_deg = np.degrees(np.arctan2(x, z)).ravel()
    inside &= (np.hypot(x, z).ravel() <= depth_mm) & (np.abs(angle_deg) <= half_angle_deg)
    segment = np.where(inside, wall.segment_at(place.eccentric), 0)
    return np.asarray(segment, dtype=np.uint8).reshape(side, side)
