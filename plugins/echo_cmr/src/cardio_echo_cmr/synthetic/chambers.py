"""What a view shows around the left ventricle: other chambers, great vessels, and the valves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_echo_cmr.segments.wall import Wall

_PER_MM2 = 6.0
"""About ten in a resolution cell at the range of the valves."""

_LEAFLET_MM, LEAFLET_DB = 1.8, 2.0


@dataclass(frozen=True)
class Chamber:
    """A chamber or vessel: an ellipse of blood with a wall.

    Attributes
    ----------
    centre_mm, radii_mm : tuple of float
        (u, v) of its middle, and its semi-axes.
    wall_db, wall_mm : float
        Level, 0 dB being myocardium, and thickness of its wall.
    squeeze_mm : float
        How far its wall goes inwards in systole; atria grow.
    beyond_base : bool or None
        Whether it lies beyond the base, before it, or (None) on both sides.
    """

    centre_mm: tuple[float, float]
    radii_mm: tuple[float, float]
    wall_db: float = -5.0
    wall_mm: float = 2.5
    squeeze_mm: float = 0.0
    beyond_base: bool | None = None

    def depth(
        self, heart_mm: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the first-order distance of points, inside negative, and normals inwards."""
        away = (heart_mm - np.array(self.centre_mm)) / np.array(self.radii_mm)
        rho = np.maximum(np.hypot(away[:, 0], away[:, 1]), 1e-3)
        slope = away / np.array(self.radii_mm)
        steepness = np.maximum(np.hypot(slope[:, 0], slope[:, 1]), 1e-6)
        return (rho - 1.0) * rho / steepness, -slope / steepness[:, None]


def chambers(wall: Wall) -> tuple[Chamber, ...]:
    """Return what lies around the left ventricle; of two that overlap the later one is seen.

    Examples
    --------
    >>> from cardio_echo_cmr.segments.wall import Wall
    >>> [len(chambers(Wall(view))) for view in ("a4c", "a2c", "plax", "other")]
    [3, 1, 4, 1]
    """
    half, base, edge = wall.half_width_mm, wall.length_mm, wall.wall_mm / 2
    septal = -half - edge
    right = 0.9 * half
    left_atrium = Chamber((0.04 * half, base + 13.0), (0.93 * half, 23.0), -6.0, 2.5, -2.0, True)
    if wall.view == "a2c":
        return (left_atrium,)
    if wall.view == "a4c":
        return (
            Chamber((-0.55 * half, base), (0.45 * half + edge + right, 0.82 * base), -4.0, 4.0,
                    3.0, False),
            Chamber((septal - 0.55 * right, base + 11.0), (0.56 * right, 21.0), -6.0, 2.5, -2.0,
                    True),
            left_atrium,
        )  # fmt: skip
    if wall.view == "other":
        return (Chamber((septal + 3.0, base), (0.9 * half, 1.15 * half), -4.0, 3.5, 3.0),)
    return (
        Chamber((septal - 0.42 * half, 0.8 * base), (0.4 * half, 0.65 * base), -3.0, 3.5, 2.0),
        Chamber((0.58 * half, base + 20.0), (0.6 * half, 23.0), -6.0, 2.5, -2.0, True),
        Chamber((1.65 * half, base + 10.0), (0.32 * half, 0.32 * half), -3.0, 2.5, 0.0),
        Chamber((-0.38 * half, base + 26.0), (0.48 * half, 42.0), 1.0, 2.5, 0.0, True),
    )


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
