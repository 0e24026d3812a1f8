"""What phantoms of a moving heart share: walls that are ellipses, leaflets, courses of a beat.

Positions in the heart are (u, v) in mm: v runs along the long axis from the apex to the base, u
across it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Point = tuple[float, float]

_PER_MM2 = 6.0
"""About ten in a resolution cell at the range of the valves."""

_LEAFLET_MM = 1.8
LEAFLET_DB = 2.0


def bump(at: Floats, begin: float, end: float) -> Floats:
    """Return a squared sine from 0 over 1 to 0.

    Examples
    --------
    >>> bump(np.array([0.0, 2.0, 3.0, 9.0]), 1.0, 3.0).round(6).tolist()
    [0.0, 1.0, 0.0, 0.0]
    """
    share = np.clip((at - begin) / (end - begin), 0.0, 1.0)
    return np.asarray(np.sin(np.pi * share) ** 2, dtype=np.float64)


def rise(at: Floats, begin: float, end: float) -> Floats:
    """Return a smooth step from 0 to 1.

    Examples
    --------
    >>> rise(np.array([0.0, 2.0, 9.0]), 1.0, 3.0).round(6).tolist()
    [0.0, 0.5, 1.0]
    """
    share = np.clip((at - begin) / (end - begin), 0.0, 1.0)
    return np.asarray(np.sin(0.5 * np.pi * share) ** 2, dtype=np.float64)


def fade(beyond_mm: Floats, over_mm: float) -> Floats:
    """Return 1 at 0 and below, 0 from `over_mm`, a squared cosine between.

    Examples
    --------
    >>> fade(np.array([-1.0, 5.0, 10.0]), 10.0).round(6).tolist()
    [1.0, 0.5, 0.0]
    """
    share = np.clip(beyond_mm / over_mm, 0.0, 1.0)
    return np.asarray(np.cos(0.5 * np.pi * share) ** 2, dtype=np.float64)


def gaussian_waves(
    at: Floats, waves: Sequence[tuple[float, float, float]], period: float
) -> Floats:
    """Return an ECG made of Gaussians, each given by height, middle and width, beat after beat."""
    trace = np.zeros(at.shape)
    for height, middle, width in waves:
        for turn in (-period, 0.0, period):
            trace += height * np.exp(-0.5 * ((at - middle + turn) / width) ** 2)
    return trace


def from_ellipse(away_mm: Floats, radii_mm: Point) -> tuple[Floats, Floats]:
    """Return how far points lie from an ellipse about (0, 0), and the way inwards.

    Parameters
    ----------
    away_mm : ndarray, shape (n, 2)
        Places relative to its middle.
    radii_mm : tuple of float
        Semi-axes.

    Returns
    -------
    depth_mm : ndarray, shape (n,)
        First-order distance, exact along the axes; negative inside.
    inward : ndarray, shape (n, 2)
        Unit normals.

    Examples
    --------
    >>> depth, inward = from_ellipse(np.array([[30.0, 0.0], [0.0, 5.0]]), (25.0, 25.0))
    >>> depth.round(6).tolist(), inward[0].tolist()
    ([5.0, -20.0], [-1.0, -0.0])
    """
    share = away_mm / np.array(radii_mm)
    rho = np.maximum(np.hypot(share[:, 0], share[:, 1]), 1e-3)
    slope = share / np.array(radii_mm)
    steepness = np.maximum(np.hypot(slope[:, 0], slope[:, 1]), 1e-6)
    return (rho - 1.0) * rho / steepness, -slope / steepness[:, None]


@dataclass(frozen=True)
class WallPlace:
    """Where points lie relative to the middle of the left ventricle's wall.

    Attributes
    ----------
    depth_mm : ndarray, shape (n,)
        Distance from the middle of the wall, negative towards the cavity.
    inward : ndarray, shape (n, 2)
        Unit normals (u, v) towards the cavity.
    eccentric : ndarray, shape (n,)
        Eccentric angle in radians: 0 and π at the base of either wall, π/2 at the apex.
    """

    depth_mm: Floats
    inward: Floats
    eccentric: Floats


def wall_place(
    heart_mm: Floats, half_width_mm: float, length_mm: float, *, ring: bool = False
) -> WallPlace:
    """Return where points (u, v) lie relative to a wall that is half an ellipse, or a whole one.

    Parameters
    ----------
    heart_mm : ndarray, shape (n, 2)
        The apex is at (0, 0).
    half_width_mm, length_mm : float
        Semi-axes.
    ring : bool
        Whether the wall is closed; else it goes straight on below the base.

    Examples
    --------
    >>> wall_place(np.array([[28.0, 90.0]]), 25.0, 80.0).depth_mm.round(6).tolist()
    [3.0]
    """
    away = np.stack([heart_mm[:, 0], length_mm - heart_mm[:, 1]], axis=1)
    if not ring:
        away[:, 1] = np.maximum(away[:, 1], 0.0)
    depth_mm, inward = from_ellipse(away, (half_width_mm, length_mm))
    eccentric = np.arctan2(away[:, 1] / length_mm, away[:, 0] / half_width_mm)
    return WallPlace(depth_mm, inward * (1.0, -1.0), eccentric)


def leaflet(
    hinge: Point, tip: Point, open_tip: Point, rng: np.random.Generator, *, sags: float = -2.0
) -> tuple[Floats, Floats]:
    """Draw the scatterers of a leaflet.

    Parameters
    ----------
    hinge, tip, open_tip : tuple of float
        Places (u, v): where it hangs, and its end, closed and open.
    rng : numpy.random.Generator
    sags : float
        Four times as far as its middle lies off the straight line, in mm along v.

    Returns
    -------
    closed_mm, opening_mm : ndarray, shape (n, 2)
        Places of the closed leaflet, and from there to those of the open one.
    """
    length = float(np.hypot(tip[0] - hinge[0], tip[1] - hinge[1]))
    n = round(_PER_MM2 * length * _LEAFLET_MM)
    along = rng.uniform(0.0, 1.0, n)
    aside = np.stack([np.zeros(n), rng.uniform(-0.5, 0.5, n) * _LEAFLET_MM], axis=1)
    aside[:, 1] += sags * along * (1.0 - along)
    straight = np.outer(1 - along, hinge) + np.outer(along, tip)
    return straight + aside, np.outer(along, np.subtract(open_tip, tip))


def mitral_leaflets(half_width_mm: float, base_mm: float) -> tuple[tuple[Point, Point, Point], ...]:
    """Return hinge, closed tip and open tip of both mitral leaflets in an apical view."""
    half, base = half_width_mm, base_mm
    return (
        ((-0.72 * half, base), (0.12 * half, base - 6.5), (-0.42 * half, base - 21.0)),
        ((0.78 * half, base), (0.10 * half, base - 6.5), (0.60 * half, base - 13.0)),
    )


def thinned(
    heart_mm: Floats,
    level_db: Floats,
    blood: NDArray[np.bool_],
    share: float,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Keep a share of the scatterers of blood, and make these stronger.

    Clear blood lies at the level of the noise, so that nobody sees how many they are made of, and
    they are two fifths of all.
    """
    stays = ~blood | (rng.uniform(size=level_db.shape) < share)
    level = np.where(blood, level_db - 10.0 * np.log10(share), level_db)
    return heart_mm[stays], level[stays]


def glance_db(body_mm: Floats, inward: Floats, in_wall: NDArray[np.bool_]) -> Floats:
    """Return what walls lose whose fibres the beam runs along: up to 4 dB.

    Parameters
    ----------
    body_mm : ndarray, shape (n, 2)
        Places (x, z) in the sector.
    inward : ndarray, shape (n, 2)
        Unit normals of the wall, in the same directions.
    in_wall : ndarray of bool, shape (n,)
    """
    beam = body_mm / np.maximum(np.hypot(*body_mm.T), 1e-6)[:, None]
    square = np.abs((beam * inward).sum(axis=1))
    return np.where(in_wall, -4.0 * (1.0 - square), 0.0)
