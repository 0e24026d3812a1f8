"""Rings at the base that thin while the ventricle thickens: they are off the wall, and are cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cardio_spect_polar.phase.cycle.harmonics import first_harmonic
from cardio_spect_polar.phase.ventricle.wall import SampledWall

BASAL_ARC = 0.8
"""Rings of the last fifth of the way from the apex may be cut; others never are."""


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
