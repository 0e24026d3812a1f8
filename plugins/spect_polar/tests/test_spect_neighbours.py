"""Noisy curves borrow from their neighbours; others do not, and perfusion never does."""

from __future__ import annotations

import numpy as np
import pytest

from cardio_spect_polar.phase.curves import with_neighbours
from cardio_spect_polar.phase.cycle import first_harmonic
from cardio_spect_polar.phase.geometry import LongAxis, SampledWall, lay_rays, wall_on_rays

MIDDLES = 2 * np.pi * (np.arange(8) + 0.5) / 8


def walled(phase_deg: np.ndarray, level: np.ndarray, noise: float) -> SampledWall:
    """Return a wall of twenty rings that beats by a tenth at these phases, by ray."""
    rays = lay_rays(LongAxis((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)), 0.0, 80.0, 4.0)
    n_rings = len(rays.directions)
    wave = 1 + 0.1 * np.cos(MIDDLES[:, None] - np.radians(phase_deg))
    curves = np.repeat((level * wave)[:, None], n_rings, axis=1)
    curves = curves + np.random.default_rng(4).normal(0, noise, curves.shape)
    return SampledWall(curves, wall_on_rays(rays, np.full((n_rings, 40), 30.0)))


def off_deg(sampled: SampledWall, phase_deg: np.ndarray) -> np.ndarray:
    found = first_harmonic(sampled.curves).phase_deg
    return np.abs((found - phase_deg + 180) % 360 - 180)


def test_a_sudden_step_of_phase_stays_where_nothing_is_noisy() -> None:
    """Half the wall is 90 degrees late; an average over neighbours would bend the border."""
    step = np.where(np.arange(40) < 20, 130.0, 220.0)
    clean = walled(step, np.full(40, 100.0), noise=0.05)
    assert off_deg(with_neighbours(clean), step).max() < 2


def test_noise_of_a_synchronous_wall_falls_by_half_or_more() -> None:
    """Noise of the amplitude's size: the phase of one curve is known to 30 degrees."""
    phase = np.full(40, 130.0)
    noisy = walled(phase, np.full(40, 100.0), noise=10.0)
    before, after = (
        np.sqrt((off_deg(wall, phase) ** 2).mean()) for wall in (noisy, with_neighbours(noisy))
    )
    assert before > 25
    assert after < before / 2


def test_the_means_of_the_curves_and_a_scar_stay_as_they_are() -> None:
    scar = np.where(np.abs(np.arange(40) - 20) < 5, 30.0, 100.0)
    noisy = walled(np.full(40, 130.0), scar, noise=10.0)
    after = with_neighbours(noisy)
    assert after.curves.mean(axis=0) == pytest.approx(noisy.curves.mean(axis=0))
    # What is borrowed is the neighbours' share of their mean: a scar beats by a tenth, too.
    found = first_harmonic(after.curves)
    assert np.median((found.amplitude / found.mean)[:, 17:24]) == pytest.approx(0.1, abs=0.05)
