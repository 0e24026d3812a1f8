"""Curves that noise has drowned are taken together with their neighbours'."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from cardio_spect_polar.phase.cycle.uncertainty import phase_uncertainty
from cardio_spect_polar.phase.ventricle.wall import SampledWall

RAYS, RINGS = 1.5, 1.0
"""Standard deviations of the average over neighbours: 6 to 10 mm, about the camera's resolution."""

KNOWN_DEG = 6.0
"""A curve whose phase is known to so many degrees is half its own and half its neighbours'."""


def with_neighbours(sampled: SampledWall) -> SampledWall:
    """Let each curve borrow from its neighbours as far as its own phase is not known.

    The curve becomes (1 - w) of its own and w of its neighbours', w = s^2 / (s^2 + 6^2) with the
    standard error s of its phase in degrees. So curves without noise stay what they are, and what
    noise has made of a wall of 25 counts a voxel is averaged away, over a distance that the
    camera cannot resolve anyway. Neighbours are averaged as shares of their means, by counts: the
    mean of a curve, and with it perfusion, stays as it is.

    Of sixty random digital ventricles that shorten by 0 to 14 mm, at 25 to 200 counts a voxel, the
    error of the phase standard deviation fell from 12.2 degrees (median; 46.9 in 95 %) to 3.9
    (16.9), and without noise from 1.1 (3.1) to 1.0 (2.3).
    """
    curves = sampled.curves
    error = np.nan_to_num(phase_uncertainty(curves).sigma_deg, nan=180.0)
    weight = error**2 / (error**2 + KNOWN_DEG**2)
    mean = curves.mean(axis=0)
    beat = curves - mean
    near = _average(mean)
    share = np.divide(mean, near, out=np.zeros_like(mean), where=near > 0)
    borrowed = _average(beat) * share
    return replace(sampled, curves=mean + (1 - weight) * beat + weight * borrowed)


def _average(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average over rings and around, shape (..., n_rings, n_rays)."""
    around = gaussian_filter1d(values, RAYS, axis=-1, mode="wrap")
    return np.asarray(gaussian_filter1d(around, RINGS, axis=-2, mode="nearest"))
