"""What is thinner than a wall: leaflets of the valves, and a pacing lead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_mmode_septal_flash.synthetic.anatomy import Anatomy

_PER_MM2 = 6.0
"""Ten in a resolution cell at the range of the valves."""

_LEAFLET_MM, _LEAFLET_DB = 1.8, 2.0
_LEAD_MM, _LEAD_DB = 1.1, 12.0
_LEAD_TAIL = ((0.0, 0.0), (4.0, -14.0), (8.0, -20.0))
"""Copies of the lead behind it, in mm along the beam, and how much weaker they are."""


@dataclass(frozen=True)
class Strands:
    """Scatterers of thin structures.

    Attributes
    ----------
    heart_mm : ndarray, shape (n, 2)
        Places (u, v) at rest, valves closed.
    opening_mm : ndarray, shape (n, 2)
        From closed to open.
    level_db : ndarray, shape (n,)
        Relative to myocardium.
    """

    heart_mm: NDArray[np.float64]
    opening_mm: NDArray[np.float64]
    level_db: NDArray[np.float64]


def leaflets(anatomy: Anatomy, rng: np.random.Generator) -> Strands:
    """Draw the leaflets of the mitral and the tricuspid valve."""
    base, half, edge = anatomy.length_mm, anatomy.half_width_mm, anatomy.wall_mm / 2
    rv = anatomy.rv_width_mm
    septal_rv = -half - edge
    # Hinge, closed tip and open tip of each leaflet.
    shapes = (
        ((-0.72 * half, base), (0.12 * half, base - 6.5), (-0.42 * half, base - 21.0)),
        ((0.78 * half, base), (0.10 * half, base - 6.5), (0.60 * half, base - 13.0)),
        ((septal_rv, base - 1.0), (septal_rv - 0.5 * rv, base - 6.0), (septal_rv - 4, base - 14)),
        ((septal_rv - 0.92 * rv, base), (septal_rv - 0.48 * rv, base - 6.0),
         (septal_rv - 0.75 * rv, base - 15.0)),
    )  # fmt: skip
    closed, opening = [], []
    for hinge, tip, open_tip in shapes:
        length = float(np.hypot(tip[0] - hinge[0], tip[1] - hinge[1]))
        n = round(_PER_MM2 * length * _LEAFLET_MM)
        along = rng.uniform(0.0, 1.0, n)
        shift = rng.uniform(-0.5, 0.5, n) * _LEAFLET_MM
        sag = 2.0 * along * (1.0 - along)
        middle = np.outer(1 - along, hinge) + np.outer(along, tip)
        closed.append(middle + np.stack([np.zeros(n), shift - sag], axis=1))
        opening.append(np.outer(along, np.subtract(open_tip, tip)))
    places = np.concatenate(closed)
    return Strands(places, np.concatenate(opening), np.full(len(places), _LEAFLET_DB))


def pacing_lead(anatomy: Anatomy, rng: np.random.Generator) -> Strands:
    """Draw a lead from the right atrium to the apex of the right ventricle, with its tail."""
    base, half, edge = anatomy.length_mm, anatomy.half_width_mm, anatomy.wall_mm / 2
    septal_rv = -half - edge
    bend = np.array([
        [septal_rv - 0.80 * anatomy.rv_width_mm, base + 24.0],
        [septal_rv - 0.20 * anatomy.rv_width_mm, base + 6.0],
        [septal_rv - 0.75 * anatomy.rv_width_mm, 0.75 * base],
        [-0.78 * half - edge - 3.0, 0.38 * base],
    ])  # fmt: skip
    curve = _bezier(bend, np.linspace(0.0, 1.0, 200))
    length = float(np.hypot(*np.diff(curve, axis=0).T).sum())
    n = round(_PER_MM2 * length * _LEAD_MM)
    thread = _bezier(bend, rng.uniform(0.0, 1.0, n)) + rng.uniform(-0.5, 0.5, (n, 2)) * _LEAD_MM
    places = np.concatenate([thread + np.array([0.0, behind]) for behind, _ in _LEAD_TAIL])
    level = np.concatenate([np.full(n, _LEAD_DB + weaker) for _, weaker in _LEAD_TAIL])
    return Strands(places, np.zeros_like(places), level)


def _bezier(points: NDArray[np.float64], share: ArrayLike) -> NDArray[np.float64]:
    """Return places on the cubic Bézier curve of four points, shares from 0 to 1."""
    t = np.asarray(share, dtype=np.float64)[:, None]
    return np.asarray(
        (1 - t) ** 3 * points[0]
        + 3 * (1 - t) ** 2 * t * points[1]
        + 3 * (1 - t) * t**2 * points[2]
        + t**3 * points[3]
    )
