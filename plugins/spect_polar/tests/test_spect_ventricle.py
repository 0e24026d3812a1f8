"""The digital ventricle against analytic volumes, brute force, and Fourier sums of its own beat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from cardio_core.api import DataError
from cardio_spect_polar.polar.maps import segment_means
from cardio_spect_polar.synthetic.imaging import Camera, Cloud, draw_camera, image, spread
from cardio_spect_polar.synthetic.truth import beat_phase_deg
from cardio_spect_polar.synthetic.ventricle import (
    Ventricle,
    angles,
    cavity_ml,
    draw_ventricle,
    lbbb_delay,
    mesh,
    motion,
    over_wall,
    pose,
    with_segments,
)

NORMAL = (1.0,) * 17
INFERIOR = (3, 4, 5, 9, 10, 11)
LBBB = Ventricle(
    length_mm=95.0, radius_mm=32.0, thickening=(0.2,) * 17, delay_rr=lbbb_delay(), tilt_deg=8.0
)
SMALL = Camera(n_rows=32, n_columns=32, n_subframes=2)


def disc_volume_ml(ventricle: Ventricle, time_rr: np.ndarray, surface: str) -> np.ndarray:
    """Volume inside a moving surface by discs: half the integral of r² over depth and angle."""
    latitude = np.linspace(np.pi / 2, 0.0, 1501)
    at = mesh(ventricle, latitude, angles(24))
    inner, thickness = motion(at, ventricle, time_rr)
    x = inner if surface == "endocardium" else inner + thickness
    r = at.foot_mm[0] + x * at.normal[0]
    s = at.foot_mm[1] + x * at.normal[1]
    strips = (r[:, 1:] ** 2 + r[:, :-1] ** 2) / 2 * (s[:, :-1] - s[:, 1:])
    return 0.5 * strips.sum(axis=(1, 2)) * (2 * np.pi / 24) / 1000


def measured_phase(counts: np.ndarray, voxel_mm, geometry) -> np.ndarray:
    """Largest count within 12 mm of the known wall in every gate, then its first harmonic."""
    away = np.arange(-12.0, 12.5, 0.5)
    points = geometry.points_mm[..., None, :] + away[:, None] * geometry.directions[..., None, :]
    place = np.moveaxis(points / np.array(voxel_mm), -1, 0)
    curves = np.stack([map_coordinates(gate, place, order=3).max(axis=-1) for gate in counts])
    time = (np.arange(len(counts)) + 0.5) / len(counts)
    return np.degrees(np.angle(np.tensordot(np.exp(2j * np.pi * time), curves, 1))) % 360


def apart_deg(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return (first - second + 180) % 360 - 180


def test_the_cavity_is_half_an_ellipsoid_at_end_diastole():
    volume = cavity_ml(Ventricle(length_mm=80.0, radius_mm=25.0), np.array([0.0]))
    assert volume[0] == pytest.approx(2 / 3 * np.pi * 25**2 * 80 / 1000, rel=1e-9)


@pytest.mark.parametrize("radius_mm", [24.0, 37.0])
def test_the_wall_keeps_its_volume_while_it_thickens_unevenly(radius_mm):
    ventricle = replace(LBBB, radius_mm=radius_mm, thickening=(0.4,) * 17)
    time = np.linspace(0.0, 1.0, 9)
    wall = disc_volume_ml(ventricle, time, "epicardium") - disc_volume_ml(
        ventricle, time, "endocardium"
    )
    assert wall == pytest.approx(wall[0], rel=1e-4)


def test_the_cavity_by_integration_is_the_cavity_by_discs_at_every_time():
    time = np.linspace(0.0, 1.0, 9)
    assert cavity_ml(LBBB, time) == pytest.approx(
        disc_volume_ml(LBBB, time, "endocardium"), rel=2e-4
    )


def test_volumes_and_ejection_fraction_belong_together():
    _, _, truth = image(LBBB, camera=SMALL)
    assert truth.ef_pct == pytest.approx(100 * (truth.edv_ml - truth.esv_ml) / truth.edv_ml)
    assert truth.esv_ml < truth.volume_ml.min() < truth.volume_ml.max() < truth.edv_ml
    assert truth.gated_ef_pct < truth.ef_pct


def test_even_a_narrow_heart_that_thickens_much_keeps_a_cavity_at_its_tip():
    ventricle = Ventricle(length_mm=110.0, radius_mm=22.0, thickening=(0.45,) * 17)
    at = mesh(ventricle, np.linspace(0.0, np.pi / 2, 40), angles(8))
    inner, thickness = motion(at, ventricle, np.linspace(0, 1, 17))
    assert np.min(inner + 1 / at.k2_per_mm) >= 1 - 1e-6
    assert thickness[:, :20].max() == pytest.approx(9.5 * 1.45, rel=1e-3)


@pytest.mark.parametrize("n_slots", [8, 16])
def test_the_true_phase_is_that_of_a_fourier_sum_of_the_delayed_beat(n_slots):
    """g written anew: a raised cosine up to .38 RR and down again in .37 RR, averaged in gates."""
    _, _, truth = image(LBBB, camera=replace(SMALL, n_slots=n_slots))
    fine = (np.arange(n_slots * 500) + 0.5) / (n_slots * 500)
    wave = []
    for delay in over_wall(LBBB.delay_rr, np.arange(40) * 9.0, truth.geometry.arc[-1]):
        t = (fine - delay) % 1
        rise, fall = (1 - np.cos(np.pi * t / 0.38)) / 2, (1 + np.cos(np.pi * (t - 0.38) / 0.37)) / 2
        g = np.where(t < 0.38, rise, np.where(t < 0.75, fall, 0.0))
        gates = g.reshape(n_slots, -1).mean(axis=1)
        wave.append(np.conj(np.fft.fft(gates)[1]) * np.exp(1j * np.pi / n_slots))
    expected = np.degrees(np.angle(wave)) % 360
    assert np.abs(apart_deg(truth.phase_deg[-1], expected)).max() < 0.1
    assert np.ptp(truth.phase_deg[-1]) > 45


def test_a_healthy_beat_peaks_at_the_phase_of_the_normal_database():
    """Published normal peak phases are 134.5 (men) and 140.2 degrees (women)."""
    assert beat_phase_deg(Ventricle(end_systole_rr=0.38)) == pytest.approx(135.8, abs=0.05)


def test_a_synchronous_heart_without_noise_is_measured_synchronous():
    counts, voxel_mm, truth = image(Ventricle())
    error = apart_deg(measured_phase(counts, voxel_mm, truth.geometry), truth.phase_deg)
    assert np.abs(error).max() < 0.5
    assert truth.psd_deg == 0
    assert truth.pbw_deg == 0


def test_phases_of_a_left_bundle_branch_block_are_found_where_they_are_planted():
    counts, voxel_mm, truth = image(LBBB)
    phase = measured_phase(counts, voxel_mm, truth.geometry)
    found = segment_means(phase, truth.segments, circular=True)
    error = apart_deg(found, truth.segment_phase_deg)
    assert np.sqrt(np.mean(error**2)) < 5
    assert found[5 - 1] - found[2 - 1] > 30  # inferolateral after anteroseptal


def test_every_gate_holds_the_same_counts_of_the_wall():
    ventricle = replace(LBBB, blood=0.0, background=0.0)
    counts, _, _ = image(ventricle)
    total = counts.sum(axis=(1, 2, 3))
    assert total == pytest.approx(total[0], rel=2e-4)


@pytest.mark.parametrize("uptake", [0.2, 0.5, 0.8])
def test_counts_of_the_wall_follow_its_perfusion(uptake):
    ventricle = Ventricle(
        perfusion=with_segments(NORMAL, INFERIOR, uptake), blood=0.0, background=0.0
    )
    counts, voxel_mm, truth = image(ventricle, camera=Camera(fwhm_mm=10.0))
    middle = np.argmin(np.abs(truth.geometry.arc - 0.7))
    place = truth.geometry.points_mm[middle] / np.array(voxel_mm)
    anterior, inferior = map_coordinates(counts.mean(axis=0), place[[0, 20]].T, order=3)
    assert inferior / anterior == pytest.approx(uptake, abs=0.04)
    assert truth.segment_perfusion[9] == pytest.approx(uptake, abs=0.1 * (1 - uptake))


@pytest.mark.parametrize(
    ("segment", "axis", "side"), [(7, 1, 0), (10, 1, 1), (8, 2, 0), (11, 2, 1), (17, 0, 1)]
)
def test_segments_lie_where_the_canonical_orientation_puts_them(segment, axis, side):
    """Rows from anterior to inferior, columns from the septum, slices from the base."""
    hot = Ventricle(perfusion=with_segments((0.0,) * 17, (segment,), 1.0), blood=0, background=0)
    counts = image(hot, camera=SMALL)[0]
    total = counts.sum(axis=0)
    along = total.sum(axis=tuple(other for other in range(3) if other != axis))
    centre = np.average(np.arange(total.shape[axis]), weights=along)
    beyond = centre - (total.shape[axis] - 1) / 2
    assert (beyond > 1.5) if side else (beyond < -1.5)


def test_scar_is_the_share_of_samples_with_less_than_half_the_uptake():
    _, _, truth = image(Ventricle(perfusion=with_segments(NORMAL, (1, 7), 0.0)), camera=SMALL)
    share = 100 * np.mean(np.isin(truth.segments, (1, 7)))
    assert truth.scar_pct == pytest.approx(share, abs=1.5)


def test_the_pieces_add_up_to_their_gaussians():
    rng = np.random.default_rng(4)
    points, weights = rng.uniform(20, 44, (40, 3)), rng.uniform(1, 2, 40)
    found = spread(Cloud(points[None], weights[None]), (10, 11, 12), (6.0, 5.0, 5.5), 5.0)[0]
    grid = np.stack(
        np.meshgrid(6.0 * np.arange(10), 5.0 * np.arange(11), 5.5 * np.arange(12), indexing="ij"),
        axis=-1,
    )
    distance = ((grid[..., None, :] - points) ** 2).sum(axis=-1)
    expected = (weights * np.exp(-distance / 50)).sum(axis=-1) / (2 * np.pi * 25) ** 1.5
    assert np.abs(found - expected).max() < 3e-3 * expected.max()


def test_finer_pieces_change_nothing(monkeypatch):
    from cardio_spect_polar.synthetic import imaging
    from cardio_spect_polar.synthetic import imaging as spreading

    camera = replace(SMALL, fwhm_mm=10.0, n_slots=2, n_subframes=2)
    coarse, _, _ = image(LBBB, camera=camera)
    for module, name, value in (
        (imaging, "_PER_SD", 0.5),
        (imaging, "_N_DEPTHS", 8),
        (imaging, "_N_CAVITY", 16),
        (spreading, "_STEP", 0.25),
    ):
        monkeypatch.setattr(module, name, value)
    fine, _, _ = image(LBBB, camera=camera)
    assert np.abs(coarse - fine).max() < 2e-3 * fine.max()


def test_the_last_gate_loses_what_the_drop_off_says_and_no_other_gate_does():
    whole, _, _ = image(LBBB, camera=SMALL)
    cut, _, _ = image(LBBB, camera=replace(SMALL, drop_off=0.15))
    assert cut[-1] == pytest.approx(0.85 * whole[-1])
    assert np.array_equal(cut[:-1], whole[:-1])


def test_the_brightest_voxel_has_the_counts_that_were_asked_for():
    counts, _, _ = image(LBBB, camera=replace(SMALL, counts_per_voxel=73.0))
    assert counts.mean(axis=0).max() == pytest.approx(73.0, rel=1e-9)


def test_noise_is_poisson():
    expected, _, _ = image(LBBB, camera=SMALL)
    noisy, _, _ = image(LBBB, np.random.default_rng(11), SMALL)
    bright = expected > 5
    score = (noisy - expected)[bright] / np.sqrt(expected[bright])
    n = score.size
    assert np.array_equal(noisy, np.rint(noisy))
    assert abs(score.mean()) < 4 / np.sqrt(n)
    assert abs(score.var() - 1) < 4 * np.sqrt(2 / n)


def test_one_seed_gives_one_image_and_another_seed_another():
    first, second, other = (
        image(LBBB, np.random.default_rng(seed), SMALL)[0] for seed in (3, 3, 4)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("towards_deg", [0.0, 135.0])
def test_a_tilted_heart_lies_along_its_long_axis(towards_deg):
    ventricle = Ventricle(
        tilt_deg=10.0, tilt_towards_deg=towards_deg, offset_mm=(9.0, -6.0), blood=0, background=0
    )
    counts, voxel_mm, truth = image(ventricle)
    total = counts.sum(axis=0)
    y, x = (np.arange(64) * voxel_mm[axis] for axis in (1, 2))
    inside = np.arange(7, 15)
    mass = total[inside].sum(axis=(1, 2))
    found = np.stack(
        [total[inside].sum(axis=2) @ y / mass, total[inside].sum(axis=1) @ x / mass], axis=-1
    )
    expected = truth.centre_at(inside * voxel_mm[0])
    assert np.abs(found - expected).max() < 2
    lean = np.array([-np.cos(np.radians(towards_deg)), -np.sin(np.radians(towards_deg))])
    slope = (expected[-1] - expected[0]) / (voxel_mm[0] * (len(inside) - 1))
    assert slope == pytest.approx(np.tan(np.radians(10)) * lean, abs=1e-9)


def test_a_place_in_the_heart_is_found_again():
    at = pose(LBBB, (26, 64, 64), (6.4, 6.4, 6.4))
    points = at.place(np.array([20.0, 5.0]), np.array([10.0, 80.0]), np.array([100.0, 300.0]))
    radius, depth, angle = at.locate(points)
    assert radius == pytest.approx([20.0, 5.0])
    assert depth == pytest.approx([10.0, 80.0])
    assert angle == pytest.approx([100.0, 300.0])


def test_the_known_wall_runs_through_the_middle_of_the_wall():
    _, _, truth = image(LBBB, camera=SMALL)
    geometry = truth.geometry
    arc, angle = truth.arc_and_angle(geometry.points_mm)
    assert np.abs(arc - geometry.arc[:, None]).max() < 0.02
    assert np.abs(apart_deg(angle, np.arange(40) * 9.0)).max() < 1e-6
    assert np.all(np.diff(geometry.arc) > 0)
    assert np.linalg.norm(geometry.directions, axis=-1) == pytest.approx(1.0)
    assert truth.phase_at(geometry.points_mm) == pytest.approx(truth.phase_deg, abs=1.0)


def test_the_samples_stand_for_the_area_of_the_middle_of_the_wall():
    """The surface of revolution that lies half a thickness outside half an ellipsoid."""
    _, _, truth = image(Ventricle(thickening=(0.0,) * 17), camera=SMALL)
    u = np.linspace(0.0, np.pi / 2, 20001)
    stretch = np.hypot(26.0 * np.sin(u), 85.0 * np.cos(u))
    r = 26.0 * np.cos(u) + 4.75 * 85.0 * np.cos(u) / stretch
    s = 85.0 * np.sin(u) + 4.75 * 26.0 * np.sin(u) / stretch
    area = np.sum(np.pi * (r[1:] + r[:-1]) * np.hypot(np.diff(r), np.diff(s)))
    assert truth.geometry.area_mm2.sum() == pytest.approx(area, rel=0.005)


def test_a_heart_lies_between_its_base_and_its_apex():
    counts, voxel_mm, truth = image(Ventricle(blood=0, background=0))
    brightest = counts.sum(axis=0).max(axis=(1, 2))
    above = np.flatnonzero(brightest > brightest.max() / 2) * voxel_mm[0]
    assert abs(above[0] - truth.base_mm) <= voxel_mm[0]
    assert abs(above[-1] - truth.apex_mm) <= voxel_mm[0]


def test_the_membranous_septum_takes_up_nothing_and_enters_no_phase():
    ventricle = replace(LBBB, tilt_deg=0.0, short_septum_mm=14.0, blood=0.0, background=0.0)
    counts, voxel_mm, truth = image(ventricle, camera=replace(SMALL, fwhm_mm=10.0))
    septum, lateral = (
        map_coordinates(counts.mean(axis=0), (points / np.array(voxel_mm)).T, order=3)
        for points in (truth.geometry.points_mm[:, 10], truth.geometry.points_mm[:, 30])
    )
    assert septum[-1] < 0.35 * lateral[-1]
    assert septum[-4] > 0.9 * lateral[-4]
    missing = np.isnan(truth.phase_deg)
    assert missing[-1, 10]
    assert not missing[:-3].any()
    assert not missing[:, 20:].any()
    assert np.isfinite([truth.psd_deg, truth.pbw_deg, *truth.segment_phase_deg]).all()


def test_gut_liver_and_right_ventricle_add_counts_where_they_lie():
    plain, voxel_mm, truth = image(Ventricle(), camera=SMALL)
    for more, place, angle in (
        ({"gut_activity": 1.0}, 58.0, 185.0),
        ({"rv_activity": 0.4}, 42.0, 32.0),
        ({"liver_activity": 0.8}, 72.0, 155.0),
    ):
        counts, _, _ = image(Ventricle(**more), camera=SMALL)
        point = truth.pose.place(np.array(place), np.array(30.0), np.array(angle))
        z, y, x = np.rint(point / np.array(voxel_mm)).astype(int)
        assert counts[0, z, y, x] > plain[0, z, y, x] + 5


def test_drawn_hearts_and_cameras_stay_in_the_ranges_of_the_method_page():
    rng = np.random.default_rng(1)
    hearts, cameras = zip(
        *[(draw_ventricle(rng), draw_camera(rng)) for _ in range(200)], strict=True
    )
    for name, low, high in (
        ("length_mm", 70, 110), ("radius_mm", 22, 38), ("thickness_mm", 8, 11),
        ("end_systole_rr", 0.34, 0.42), ("tilt_deg", 0, 10), ("shortening_mm", 0, 14),
        ("shortening_difference", 0.05, 0.25), ("twist_deg", 0, 15), ("liver_activity", 0, 0.9),
    ):  # fmt: skip
        values = [getattr(heart, name) for heart in hearts]
        assert low <= min(values) < max(values) <= high
    for name, low, high in (
        ("fwhm_mm", 10, 16),
        ("counts_per_voxel", 25, 200),
        ("drop_off", 0, 0.2),
    ):
        values = [getattr(camera, name) for camera in cameras]
        assert low <= min(values) < max(values) <= high
    assert {camera.n_slots for camera in cameras} == {8, 16}
    assert draw_ventricle(rng, length_mm=50.0).shortening_mm < 50.0 / 4  # fits a short heart


def test_a_ventricle_or_camera_that_cannot_be_is_refused():
    with pytest.raises(DataError, match="17 segments"):
        Ventricle(perfusion=(1.0,) * 16)
    with pytest.raises(DataError, match="no negative"):
        Ventricle(perfusion=(-1.0,) * 17)
    with pytest.raises(DataError, match="drop-off"):
        Camera(drop_off=1.0)
    with pytest.raises(DataError, match="above 0"):
        Camera(n_slots=0)
