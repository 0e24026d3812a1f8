"""What counting noise does to phases, on hearts imaged again and again, and what is taken off.

The same expected counts are drawn many times and read on the same wall; so the scatter of every
sample's phase is known without any formula, and the stated error can be held against it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from cardio_spect_polar.phase.curves import sample_wall
from cardio_spect_polar.phase.cycle import first_harmonic, phase_uncertainty
from cardio_spect_polar.phase.sampling import sample_heart
from cardio_spect_polar.phase.summary import summarise
from cardio_spect_polar.readers.gated import GatedStack
from cardio_spect_polar.synthetic.imaging import Camera, image
from cardio_spect_polar.synthetic.truth import Truth
from cardio_spect_polar.synthetic.ventricle import Ventricle, lbbb_delay, with_segments

SCARRED = Ventricle(
    rv_activity=0.3,
    thickening=(0.25,) * 17,
    perfusion=with_segments((1.0,) * 17, (3, 4, 9, 10, 15), 0.3),
    delay_rr=lbbb_delay(),
    shortening_mm=10.0,
    twist_deg=8.0,
)
N_DRAWS = 12


@dataclass(frozen=True)
class Draws:
    """One heart counted again and again."""

    truth: Truth
    scatter_deg2: np.ndarray
    stated_deg2: np.ndarray
    ratio: np.ndarray
    indices: list[dict[str, float]]

    def error(self, name: str, truth_deg: float) -> float:
        """Return the root mean square error of an index."""
        return float(np.sqrt(np.mean([(found[name] - truth_deg) ** 2 for found in self.indices])))


@cache
def counted(counts_per_voxel: float, n_slots: int = 8) -> Draws:
    """Draw the noise of one heart many times, read on the wall that was found without noise."""
    camera = Camera(n_rows=40, n_columns=40, n_slots=n_slots, counts_per_voxel=counts_per_voxel)
    expected, voxel_mm, truth = image(SCARRED, None, camera)
    heart = sample_heart(GatedStack(expected, voxel_mm, apex_first=False))
    geometry = heart.sampled.geometry
    quiet = first_harmonic(heart.sampled.curves)
    rng = np.random.default_rng(int(counts_per_voxel))
    off, stated, errors, indices = [], [], [], []
    for _ in range(N_DRAWS):
        noisy = rng.poisson(expected).astype(float)
        curves = sample_wall(noisy, heart.voxel_mm, geometry, motion=heart.motion).curves
        found = phase_uncertainty(curves)
        phase = first_harmonic(curves).phase_deg
        off.append((phase - quiet.phase_deg + 180) % 360 - 180)
        stated.append(found.sigma_deg**2)
        errors.append(found.amplitude_se)
        indices.append(summarise(curves, geometry).indices)
    ratio = quiet.amplitude / np.mean(errors, axis=0)
    return Draws(truth, np.mean(np.square(off), axis=0), np.mean(stated, axis=0), ratio, indices)


@pytest.mark.parametrize(
    ("counts", "n_slots"), [(60.0, 8), pytest.param(30.0, 16, marks=pytest.mark.slow)]
)
def test_stated_errors_are_the_scatter_of_phases_in_images(counts: float, n_slots: int) -> None:
    """Well known samples, faint ones and those of the scar alike."""
    drawn = counted(counts, n_slots)
    edges = [0.0, 2.0, 4.0, 8.0, np.inf]
    for low, high in pairwise(edges):
        some = (drawn.ratio >= low) & (drawn.ratio < high)
        if some.sum() >= 40:
            stated = np.sqrt(drawn.stated_deg2[some].mean())
            assert stated == pytest.approx(np.sqrt(drawn.scatter_deg2[some].mean()), rel=0.2)


def test_at_least_half_of_what_noise_adds_is_taken_off() -> None:
    """A third of the wall is a scar, where phases are hardly known."""
    drawn = counted(60.0)
    for name, truth_deg in (("psd", drawn.truth.psd_deg), ("pbw", drawn.truth.pbw_deg)):
        added = drawn.error(f"{name}_deg", truth_deg)
        assert added > truth_deg / 2
        assert drawn.error(f"{name}_corrected_deg", truth_deg) < added / 2


def test_a_heart_that_is_well_counted_is_left_as_it_is() -> None:
    camera = Camera(n_rows=40, n_columns=40)
    counts, voxel_mm, _ = image(replace(SCARRED, perfusion=(1.0,) * 17), None, camera)
    heart = sample_heart(GatedStack(counts, voxel_mm, apex_first=False))
    found = summarise(heart.sampled.curves, heart.sampled.geometry).indices
    assert found["psd_corrected_deg"] == pytest.approx(found["psd_deg"], abs=0.5)
    assert found["pbw_corrected_deg"] == pytest.approx(found["pbw_deg"], abs=1.5)
