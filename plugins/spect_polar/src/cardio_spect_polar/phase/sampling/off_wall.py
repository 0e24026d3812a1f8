"""Samples at the base that are not on the wall: whole rings, and rays whose own wall ends early."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from cardio_spect_polar.phase.cycle.harmonics import first_harmonic
from cardio_spect_polar.phase.ventricle.wall import SampledWall

BASAL_ARC = 0.8
"""Rings of the last fifth of the way from the apex may be cut; others never are."""

MIDDLE_ARC, EARLY_ARC = (0.35, 0.7), 0.65
"""A ray's own level is that of the middle of the wall; it may end from here on."""

ENDS_SHARE = 0.5
"""A ray ends where it holds less than this share of its own level."""

NEIGHBOURS = 3
"""Rays whose counts are averaged before that, so that noise ends none."""


def without_inverted_rings(sampled: SampledWall) -> tuple[SampledWall, int]:
    """Cut basal rings whose thickness falls while the rest of the wall thickens.

    A ring that lies beyond the base in systole and on the wall in diastole loses counts when the
    rest gains them, so its phase is off by about 180 degrees. No conduction delay does that to a
    whole ring. A ring of the basal fifth goes, with all beyond it, where its mean first harmonic
    lies more than 90 degrees from that of the rest.

    Returns
    -------
    SampledWall
        Without them; arc lengths stay what they were.
    int
        How many rings were cut.
    """
    geometry = sampled.geometry
    found = first_harmonic(sampled.curves)
    wave = found.amplitude * np.exp(1j * np.radians(np.nan_to_num(found.phase_deg)))
    basal = geometry.arc > BASAL_ARC
    reference = wave[~basal].sum()
    thickens = np.real(wave.sum(axis=1) * np.conj(reference)) >= 0
    bad = np.flatnonzero(basal & ~thickens)
    if len(bad) == 0:
        return sampled, 0
    keep = slice(0, int(bad[0]))
    left = replace(
        geometry,
        points_mm=geometry.points_mm[keep],
        directions=geometry.directions[keep],
        arc=geometry.arc[keep],
        area_mm2=geometry.area_mm2[keep],
    )
    return SampledWall(sampled.curves[:, keep], left), len(geometry.arc) - int(bad[0])


def beyond_wall(
    curves: NDArray[np.floating], arc: NDArray[np.floating], share: float = ENDS_SHARE
) -> NDArray[np.bool_]:
    """Return which samples lie beyond the end of their own ray's wall.

    The septum ends 5 to 15 mm before the lateral wall. A ring is laid where most of the wall is;
    its septal rays may lie on the membranous septum or the outflow tract, whose counts follow what
    moves nearby rather than the wall. From the base inwards, a ray is beyond its wall up to the
    first ring where it holds at least `share` of its level in the middle of the ventricle.

    A basal scar falls below that too. It carries no phase, and keeps its perfusion.

    Parameters
    ----------
    curves : ndarray, shape (n_slots, n_rings, n_rays)
        Counts; rings from the apex to the base.
    arc : ndarray, shape (n_rings,)
        Of the rings, 0 (apex) to 1.
    share : float
        0 ends no ray.

    Returns
    -------
    ndarray of bool, shape (n_rings, n_rays)

    Examples
    --------
    >>> curves = np.full((8, 10, 40), 60.0)
    >>> curves[:, 8:, 5:15] = 20.0
    >>> beyond_wall(curves, np.linspace(0.05, 0.95, 10)).sum(axis=1).tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 8, 8]
    """
    mean = uniform_filter1d(np.asarray(curves, np.float64).mean(axis=0), NEIGHBOURS, mode="wrap")
    middle = (arc >= MIDDLE_ARC[0]) & (arc <= MIDDLE_ARC[1])
    if not middle.any():
        return np.zeros(mean.shape, dtype=bool)
    faint = mean < share * np.median(mean[middle], axis=0)
    faint &= (arc > EARLY_ARC)[:, None]
    return np.asarray(np.logical_and.accumulate(faint[::-1])[::-1])
