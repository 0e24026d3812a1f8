"""Hearts whose base descends: what the phantom does, and whether the rings follow it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from cardio_core.api import DataError
from cardio_spect_polar.phase.curves import without_inverted_rings
from cardio_spect_polar.phase.geometry import LongAxis, SampledWall, lay_rays, wall_on_rays
from cardio_spect_polar.phase.sampling import Rings, SampledHeart, sample_heart
from cardio_spect_polar.phase.summary import summarise
from cardio_spect_polar.readers.gated import GatedStack, withheld
from cardio_spect_polar.synthetic.imaging import Camera, image
from cardio_spect_polar.synthetic.truth import Truth
from cardio_spect_polar.synthetic.ventricle import Ventricle, lbbb_delay

SHORTENS = Ventricle(rv_activity=0.3, shortening_mm=10.0, twist_deg=10.0)
LBBB = replace(SHORTENS, delay_rr=lbbb_delay())
SMALL = Camera(n_rows=40, n_columns=40)


@cache
def found(
    ventricle: Ventricle = SHORTENS,
    camera: Camera = SMALL,
    rings: Rings = "moving",
    seed: int | None = None,
) -> tuple[SampledHeart, Truth]:
    """Image a ventricle and sample it unattended."""
    rng = None if seed is None else np.random.default_rng(seed)
    counts, voxel_mm, truth = image(ventricle, rng, camera)
    return sample_heart(GatedStack(counts, voxel_mm, apex_first=False), rings=rings), truth


def spread(heart: SampledHeart) -> tuple[float, float]:
    """Return phase SD and bandwidth."""
    indices = summarise(heart.sampled.curves, heart.sampled.geometry).indices
    return indices["psd_deg"], indices["pbw_deg"]


def base_of(heart: SampledHeart) -> np.ndarray:
    """Return the base of every gate along the stack, in mm."""
    assert heart.motion is not None
    return heart.motion.axis.at(heart.motion.base_by_slot_mm())[:, 0]


def test_the_phantom_descends_by_what_was_asked_and_keeps_its_muscle() -> None:
    bare = replace(SHORTENS, blood=0.0, background=0.0, rv_activity=0.0)
    counts, _, truth = image(bare, None, replace(SMALL, n_slots=16))
    muscle = counts.sum(axis=(1, 2, 3))
    assert np.ptp(muscle) / muscle.mean() < 0.002
    # A sixteenth of the cycle averages the extremes a little.
    assert np.ptp(truth.base_by_slot_mm) == pytest.approx(10.0, abs=0.6)
    systole = truth.volume_ml.argmin()
    assert abs(int(truth.base_by_slot_mm.argmax()) - int(systole)) <= 1
    still = image(replace(bare, shortening_mm=0.0), None, SMALL)[2]
    assert np.ptp(still.base_by_slot_mm) == 0
    assert truth.psd_deg == still.psd_deg == 0


def test_a_base_that_comes_too_far_is_refused() -> None:
    with pytest.raises(DataError, match="shortening_mm"):
        Ventricle(length_mm=60.0, shortening_mm=14.0)


def test_a_synchronous_heart_that_shortens_is_synchronous() -> None:
    heart, truth = found()
    psd, pbw = spread(heart)
    assert truth.psd_deg == 0
    assert psd <= 4
    assert pbw <= 12
    assert heart.volumes.ef_pct == pytest.approx(truth.ef_pct, abs=5)


def test_rings_at_fixed_slices_leave_the_wall_of_a_heart_that_shortens() -> None:
    """What moving rings are for; should this fail, they are no longer needed."""
    psd, pbw = spread(found(rings="fixed")[0])
    assert psd > 30
    assert pbw > 100


def test_a_left_bundle_branch_block_that_shortens_keeps_its_spread() -> None:
    heart, truth = found(LBBB)
    psd, pbw = spread(heart)
    assert abs(psd - truth.psd_deg) <= 3
    assert abs(pbw - truth.pbw_deg) <= 8


def test_a_heart_that_does_not_shorten_is_measured_as_with_fixed_rings() -> None:
    still = replace(LBBB, shortening_mm=0.0, twist_deg=0.0)
    moving, fixed = (spread(found(still, rings=rings)[0]) for rings in ("moving", "fixed"))
    assert moving == pytest.approx(fixed, abs=0.5)
    motion = found(still)[0].motion
    assert motion is not None
    assert motion.descent_mm < 0.5


@pytest.mark.parametrize("n_slots", [8, 16])
def test_the_base_is_found_in_every_gate(n_slots: int) -> None:
    heart, truth = found(camera=replace(SMALL, n_slots=n_slots))
    assert np.abs(base_of(heart) - truth.base_by_slot_mm).max() < 1.5


def test_the_base_is_found_in_the_noise_of_sixty_counts() -> None:
    heart, truth = found(camera=replace(SMALL, counts_per_voxel=60.0), seed=3)
    assert np.abs(base_of(heart) - truth.base_by_slot_mm).max() < 0.5 * heart.voxel_mm[0]


def test_the_lateral_base_is_seen_to_descend_farther_than_the_septal() -> None:
    uneven = replace(SHORTENS, shortening_difference=0.25, twist_deg=0.0)
    motion = found(uneven)[0].motion
    assert motion is not None
    septal, lateral = np.ptp(motion.shift_mm[:, [10, 30]], axis=0)
    assert lateral / septal == pytest.approx(1.25 / 0.75, abs=0.25)


@pytest.mark.parametrize("short_mm", [0.0, 8.0])
def test_a_septum_that_ends_early_is_left_at_its_own_end(short_mm: float) -> None:
    """The membranous septum takes up no tracer; elsewhere nothing may follow it."""
    heart, truth = found(replace(SHORTENS, short_septum_mm=short_mm, shortening_difference=0.0))
    motion = heart.motion
    assert motion is not None
    septal, anterior, lateral = (
        motion.axis.at(motion.base_by_angle_mm()[:, ray])[:, 0] for ray in (10, 0, 30)
    )
    half_slice_mm = 0.5 * heart.voxel_mm[0]
    assert np.abs(septal - truth.base_by_slot_mm - short_mm).max() < half_slice_mm
    for side in (anterior, lateral):
        assert np.abs(side - truth.base_by_slot_mm).max() < half_slice_mm
    # No sample of the septum lies beyond its end by more than half a slice.
    late = heart.volumes.end_systole
    last = heart.geometry_at(late).points_mm[-1, 10, 0]
    assert last > truth.base_by_slot_mm[late] + short_mm - half_slice_mm


def test_a_base_beyond_the_stack_is_a_caution() -> None:
    counts, voxel_mm, truth = image(SHORTENS, None, SMALL)
    # At end-diastole 8 mm of the wall are missing, at end-systole nothing is.
    missing = int(np.ceil((truth.base_by_slot_mm.min() + 8.0) / voxel_mm[0]))
    heart = sample_heart(GatedStack(counts[:, missing:], voxel_mm, apex_first=False))
    assert "caution" in {getattr(flag, "consequence", "none") for flag in heart.flags}
    assert withheld(heart.flags) == {}
    assert heart.volumes.ef_pct == pytest.approx(truth.ef_pct, abs=8)
    assert not any(getattr(flag, "consequence", "none") == "caution" for flag in found()[0].flags)


def test_empty_end_slices_and_count_jumps_do_not_move_the_base() -> None:
    plain = base_of(found()[0])
    empty = replace(SMALL, empty_ends=((2, 2, 1), (3, 2, 2), (4, 1, 0)))
    jump = replace(SMALL, slot_gain=(1.0, 1.0, 1.0, 1.3, 1.3, 1.0, 1.0, 1.0))
    for camera in (empty, jump):
        assert np.abs(base_of(found(camera=camera)[0]) - plain).max() < 0.5


def walled(phase_deg: np.ndarray) -> SampledWall:
    """Return a wall whose rings, from the apex on, have these phases."""
    rays = lay_rays(LongAxis((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)), 0.0, 60.0, 6.0)
    n_rings = len(rays.directions)
    phase = np.concatenate([np.full(n_rings - len(phase_deg), 130.0), phase_deg])
    middles = 2 * np.pi * (np.arange(8) + 0.5) / 8
    wave = np.cos(middles[:, None] - np.radians(phase))
    curves = np.repeat((100 + 10 * wave)[..., None], 40, axis=-1)
    return SampledWall(curves, wall_on_rays(rays, np.full((n_rings, 40), 30.0)))


@pytest.mark.parametrize(
    ("last_rings", "n_cut"),
    [
        ([130.0, 310.0], 1),
        ([310.0, 130.0], 2),
        ([210.0, 215.0], 0),
        ([310.0, 130.0, 130.0, 130.0, 130.0], 0),
    ],
    ids=["the last", "all beyond it too", "late, not inverted", "not at the base"],
)
def test_only_inverted_rings_of_the_base_are_cut(last_rings: list[float], n_cut: int) -> None:
    whole = walled(np.array(last_rings))
    left, cut = without_inverted_rings(whole)
    assert cut == n_cut
    n_left = len(whole.geometry.arc) - n_cut
    assert left.curves.shape == (8, n_left, 40)
    assert left.geometry.points_mm.shape == (n_left, 40, 3)
    assert np.array_equal(left.geometry.arc, whole.geometry.arc[:n_left])


def test_a_sample_that_thins_in_systole_thickens_by_a_negative_number() -> None:
    """110 counts fall to 90 in the inverted ring: -18 %; elsewhere 90 rise to 110: +22 %."""
    wall = walled(np.array([310.0]))
    thickening = summarise(wall.curves, wall.geometry).thickening
    assert thickening.min() == pytest.approx(-100 * 20 / 110, abs=0.5)
    assert thickening.max() == pytest.approx(100 * 20 / 90, abs=0.5)
