"""From true flow to the maps that a PET scanner would give: texture, partial volume, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from cardio_spect_polar.polar.segments import segments_of
from cardio_spect_polar.synthetic.flow.patients import TERRITORIES, TrueFlow

Floats = NDArray[np.float64]

N_RINGS, N_ANGLES = 24, 72

SEGMENTS_OF_TERRITORY = {
    "LAD": (1, 2, 7, 8, 13, 14, 17),
    "RCA": (3, 4, 9, 10, 15),
    "LCX": (5, 6, 11, 12, 16),
}
"""Cerqueira et al., Circulation 2002;105:539, figure 5."""


@dataclass(frozen=True)
class Scanner:
    """How a scanner turns flow into a map.

    Attributes
    ----------
    gain : float
        Of every flow; a scanner that reads 15 % too high has 1.15. Reserve does not change.
    counts_per_flow : float
        Counts of a pixel per ml/min/g: 100 give 10 % noise at a flow of 1.
    blur_rings, blur_angles : float
        SD of the spill-over between neighbours, in rings and in angles.
    apex_recovery : float
        Share of the flow recovered at the thin apex.
    """

    gain: float = 1.0
    counts_per_flow: float = 60.0
    blur_rings: float = 1.0
    blur_angles: float = 2.0
    apex_recovery: float = 0.85


def grid_places() -> tuple[Floats, Floats]:
    """Return arc (0 at the apex, 1 at the base) and angle (degrees) of every pixel of the grid.

    Examples
    --------
    >>> arc, angle_deg = grid_places()
    >>> arc.shape, float(arc[-1, 0]), float(angle_deg[0, -1])
    ((24, 72), 0.9791666666666666, 355.0)
    """
    arc = (np.arange(N_RINGS) + 0.5) / N_RINGS
    angle_deg = np.arange(N_ANGLES) * 360.0 / N_ANGLES
    grid = np.meshgrid(arc, angle_deg, indexing="ij")
    return grid[0], grid[1]


def true_maps(flow: TrueFlow, patient: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return one patient's flow at rest and at stress, shape (24, 72), ml/min/g, noise-free.

    Rest and stress share their texture, whose mean is 1, so that the mean flow is the drawn one.
    """
    arc, angle_deg = grid_places()
    texture = np.ones_like(arc)
    for order in (1, 2):
        size, at_deg = rng.normal(0, 0.04), rng.uniform(0, 360)
        texture += size * np.cos(np.radians(order * (angle_deg - at_deg)))
    texture /= texture.mean()
    segments = segments_of(arc, angle_deg)
    reserve = np.full(arc.shape, np.exp(flow.log_mfr[patient]))
    for place, name in enumerate(TERRITORIES):
        if flow.stenosed[patient, place]:
            inside = np.isin(segments, SEGMENTS_OF_TERRITORY[name])
            reserve[inside] *= flow.severity[patient, place]
    rest = flow.rest[patient] * texture
    return rest, rest * reserve


def measured(flow: Floats, scanner: Scanner, rng: np.random.Generator) -> Floats:
    """Return a map as the scanner gives it, ml/min/g, never negative."""
    arc, _ = grid_places()
    recovery = 1 - (1 - scanner.apex_recovery) * np.clip(1 - arc / 0.3, 0, 1)
    counts = rng.poisson(_blurred(flow * recovery, scanner) * scanner.counts_per_flow)
    # The reconstruction filter smooths noise as much as the wall.
    return scanner.gain * _blurred(counts / scanner.counts_per_flow, scanner)


def _blurred(values: Floats, scanner: Scanner) -> Floats:
    along_rings = gaussian_filter1d(values, scanner.blur_rings, axis=0, mode="nearest")
    made: Floats = gaussian_filter1d(along_rings, scanner.blur_angles, axis=1, mode="wrap")
    return made
