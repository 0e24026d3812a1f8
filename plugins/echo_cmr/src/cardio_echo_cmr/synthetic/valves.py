"""Leaflets of the valves that a view shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_echo_cmr.segments.wall import Wall

_PER_MM2 = 6.0
"""About ten in a resolution cell at the range of the valves."""

_LEAFLET_MM, LEAFLET_DB = 1.8, 2.0


@dataclass(frozen=True)
class Leaflets:
    """Scatterers of leaflets.

    Attributes
    ----------
    heart_mm : ndarray, shape (n, 2)
        Places (u, v), valves closed.
    inflow_mm, outflow_mm : ndarray, shape (n, 2)
        From closed to open, of the mitral and tricuspid, and of the aortic valve.
    """

    heart_mm: NDArray[np.float64]
    inflow_mm: NDArray[np.float64]
    outflow_mm: NDArray[np.float64]


def leaflets(wall: Wall, rng: np.random.Generator) -> Leaflets:
    """Draw the leaflets of a view; a short axis has none."""
    places, inflow, outflow = [np.zeros((0, 2))], [np.zeros((0, 2))], [np.zeros((0, 2))]
    for hinge, tip, open_tip, aortic in _shapes(wall):
        length = float(np.hypot(tip[0] - hinge[0], tip[1] - hinge[1]))
        n = round(_PER_MM2 * length * _LEAFLET_MM)
        along = rng.uniform(0.0, 1.0, n)
        sag = np.stack([np.zeros(n), rng.uniform(-0.5, 0.5, n) * _LEAFLET_MM], axis=1)
        sag[:, 1] += (2.0 if aortic else -2.0) * along * (1.0 - along)
        opening = np.outer(along, np.subtract(open_tip, tip))
        places.append(np.outer(1 - along, hinge) + np.outer(along, tip) + sag)
        inflow.append(opening * (not aortic))
        outflow.append(opening * aortic)
    return Leaflets(np.concatenate(places), np.concatenate(inflow), np.concatenate(outflow))


def _shapes(
    wall: Wall,
) -> tuple[tuple[tuple[float, float], tuple[float, float], tuple[float, float], bool], ...]:
    """Return hinge, closed tip and open tip of every leaflet, and whether it is aortic."""
    half, base = wall.half_width_mm, wall.length_mm
    right, septal = 0.9 * half, -half - wall.wall_mm / 2
    mitral = (
        ((-0.72 * half, base), (0.12 * half, base - 6.5), (-0.42 * half, base - 21.0), False),
        ((0.78 * half, base), (0.10 * half, base - 6.5), (0.60 * half, base - 13.0), False),
    )
    if wall.view == "a2c":
        return mitral
    if wall.view == "a4c":
        return (
            *mitral,
            ((septal, base - 1.0), (septal - 0.5 * right, base - 6.0), (septal - 4.0, base - 14.0),
             False),
            ((septal - 0.92 * right, base), (septal - 0.48 * right, base - 6.0),
             (septal - 0.75 * right, base - 15.0), False),
        )  # fmt: skip
    if wall.view == "plax":
        return (
            ((0.12 * half, base), (0.42 * half, base - 13.0), (-0.28 * half, base - 19.0), False),
            ((0.88 * half, base), (0.45 * half, base - 12.0), (0.74 * half, base - 13.0), False),
            ((-0.83 * half, base + 3.0), (-0.38 * half, base + 8.0), (-0.74 * half, base + 15.0),
             True),
            ((0.08 * half, base + 3.0), (-0.38 * half, base + 8.0), (0.0, base + 15.0), True),
        )  # fmt: skip
    return ()
