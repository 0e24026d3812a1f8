"""The phantom: what it shows moves as its truth says, and its cohort says what is in it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from sklearn.metrics import roc_auc_score

from cardio_mmode_septal_flash.synthetic.anatomy import MMODE_POINT, Anatomy, tissue_modes
from cardio_mmode_septal_flash.synthetic.patients import draw_beat_and_flash, draw_patient
from cardio_mmode_septal_flash.synthetic.septal_flash import (
    SECTOR,
    Beat,
    LoopSpec,
    SeptalMotion,
    SeptumTruth,
    septal_flash_loop,
    septum_truth,
)
from cardio_ultrasound import Conditions

from .mmode_studies import studies

FLASH = SeptalMotion(4.0, 20.0, 80.0, 1.5, 2.5, 40.0)


SPEC = LoopSpec(Anatomy(), Beat(75.0, 35.0, 115.0), FLASH)


@pytest.fixture(scope="module")
def frames() -> NDArray[np.uint8]:
    return septal_flash_loop(SPEC, np.random.default_rng(0))


def m_mode(
    frames: NDArray[np.uint8], truth: SeptumTruth, mm_per_px: float = SECTOR.spacing_mm
) -> tuple[NDArray, NDArray]:
    """Sample the line of the truth, three pixels wide, every quarter of a millimetre."""
    at_mm = np.arange(-20.0, 26.0, 0.25)
    aside = np.array([-truth.normal_px[1], truth.normal_px[0]])
    lines = []
    for step in (-1, 0, 1):
        start = truth.centre_px + step * aside
        points = start[:, None] + truth.normal_px[:, None] * at_mm / mm_per_px
        lines.append([map_coordinates(frame.astype(float), points, order=1) for frame in frames])
    return at_mm, np.mean(lines, axis=0)


def followed_mm(at_mm: NDArray, profiles: NDArray, ed_frame: int) -> NDArray:
    """Follow the end-diastolic profile of the septum from frame to frame by correlation."""
    near = np.abs(at_mm) <= 9.0
    found = np.zeros(len(profiles))
    later, earlier = range(ed_frame + 1, len(profiles)), range(ed_frame - 1, -1, -1)
    for order, before in ((later, -1), (earlier, 1)):
        for number in order:
            shifts = found[number + before] + np.arange(-2.5, 2.51, 0.25)
            alike = [
                np.corrcoef(
                    profiles[ed_frame][near],
                    np.interp(at_mm[near] + shift, at_mm, profiles[number]),
                )[0, 1]
                for shift in shifts
            ]
            best = int(np.clip(np.argmax(alike), 1, len(shifts) - 2))
            left, middle, right = alike[best - 1 : best + 2]
            found[number] = shifts[best] + 0.125 * (left - right) / (left - 2 * middle + right)
    return found


@pytest.mark.parametrize(
    ("difficulty", "number"),
    # Of the last three one is foreshortened, and two are mirrored and deeper.
    [
        ("clear", 2),
        ("clear", 6),
        ("medium", 1),
        ("medium", 4),
        ("subtle", 4),
        ("subtle", 22),
        ("subtle", 32),
    ],
)
def test_an_m_mode_shows_the_true_displacement_within_half_a_millimetre(
    difficulty: str, number: int
) -> None:
    rng = np.random.default_rng([5, number])
    study = next(draw_patient("p1", rng, difficulty=difficulty, confounder=False))
    truth = septum_truth(study.spec)
    frames = septal_flash_loop(study.spec, rng)
    at_mm, profiles = m_mode(frames, truth, study.spec.sector.spacing_mm)
    error = followed_mm(at_mm, profiles, study.spec.ed_frame) - truth.displacement_mm
    assert np.sqrt((error**2).mean()) <= 0.5


def test_the_subtle_cohort_has_other_recordings_of_the_hearts_that_it_would_have_clean() -> None:
    subtle, medium = studies(60, "subtle"), studies(60, "medium")
    assert [s.spec.anatomy for s in subtle] == [s.spec.anatomy for s in medium]
    assert len({s.spec.held for s in subtle}) == len(subtle)
    assert {s.spec.held for s in medium} == {None}
    flashes = [s.spec.septum.flash_mm for s in subtle]
    assert {flash for flash in flashes if flash < 1.0} == {0.0} and max(flashes) <= 3.0
    # Depth and foreshortening differ between the loops of a patient, the heart does not.
    pairs = [(a, b) for a, b in pairwise(subtle) if a.patient_id == b.patient_id]
    assert all(a.spec.anatomy == b.spec.anatomy for a, b in pairs)
    assert all(a.spec.sector != b.spec.sector for a, b in pairs)


def test_a_mirrored_deeper_view_has_the_same_motion_elsewhere_in_the_picture() -> None:
    held = Conditions(mirrored=True, depth=1.2)
    plain, other = septum_truth(SPEC), septum_truth(replace(SPEC, held=held))
    np.testing.assert_allclose(other.displacement_mm, plain.displacement_mm, atol=1e-9)
    across = [SECTOR.apex_column - plain.centre_px[1], other.centre_px[1] - SECTOR.apex_column]
    assert across[1] == pytest.approx(across[0] / 1.2)
    assert other.normal_px[1] == pytest.approx(-plain.normal_px[1])


def test_the_truth_is_the_prescribed_motion_where_nothing_else_moves() -> None:
    still = replace(SPEC, base_mm=0.0, breath_mm=0.0, lateral_mm=0.0, rate_hz=90.0)
    since_r = still.beat.since_r(1000 * still.time_s, still.lead_in_ms)
    expected = FLASH.inward_mm(since_r, still.beat)
    found = septum_truth(still).displacement_mm
    np.testing.assert_allclose(found, expected - expected[still.ed_frame], atol=0.05)
    in_flash = found[(since_r > 20) & (since_r < 100)]
    assert in_flash.max() == pytest.approx(4.0, abs=0.15)


def test_the_septum_lies_in_the_wall_between_two_cavities_at_the_end_diastolic_frame(
    frames: NDArray[np.uint8],
) -> None:
    truth = septum_truth(SPEC)
    picture = frames[SPEC.ed_frame].astype(float)
    line = truth.polyline_px
    tangent = np.gradient(line, axis=0)
    tangent /= np.hypot(*tangent.T)[:, None]
    right = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    right *= np.sign(right[:, 1:])
    towards = {mm: line + right * mm / SECTOR.spacing_mm for mm in (-11.0, 0.0, 11.0)}
    rv, wall, lv = (map_coordinates(picture, towards[mm][5:40].T, order=1).mean() for mm in towards)
    assert wall > 110
    assert rv < 0.4 * wall
    assert lv < 0.4 * wall


def test_the_polyline_has_62_equidistant_points_from_the_base_to_the_apex() -> None:
    truth = septum_truth(SPEC)
    assert truth.polyline_px.shape == (62, 2)
    gaps = np.hypot(*np.diff(truth.polyline_px, axis=0).T)
    np.testing.assert_allclose(gaps, gaps.mean(), rtol=2e-3)
    assert (np.diff(truth.polyline_px[:, 0]) < 0).all()
    assert np.array_equal(truth.centre_px, truth.polyline_px[14])


def test_the_normal_is_square_to_the_chord_from_point_10_to_20_and_points_to_the_left_ventricle(
    frames: NDArray[np.uint8],
) -> None:
    truth = septum_truth(SPEC)
    chord = truth.polyline_px[19] - truth.polyline_px[9]
    assert np.hypot(*truth.normal_px) == pytest.approx(1.0)
    assert truth.normal_px @ chord == pytest.approx(0.0, abs=1e-9)
    # The left ventricle is the wider cavity: blood begins behind the wall and goes on for 30 mm.
    at = truth.centre_px + np.outer(np.arange(8, 35) / SECTOR.spacing_mm, truth.normal_px)
    cavity = map_coordinates(frames[SPEC.ed_frame].astype(float), at.T, order=1)
    assert np.median(cavity) < 40


def test_a_flash_is_inward_ends_before_the_valve_opens_and_is_followed_by_a_rebound() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        beat, motion = draw_beat_and_flash(float(rng.uniform(2.0, 6.0)), rng)
        assert 50 <= beat.hr_bpm <= 110
        assert 20 <= beat.mvc_ms <= 50
        assert 90 <= beat.avo_ms <= 140
        assert 10 <= motion.onset_ms <= 40
        assert 60 <= motion.duration_ms <= 120
        assert motion.end_ms < beat.avo_ms
        assert beat.avc_ms < beat.rr_ms
        alone = replace(motion, systolic_mm=0.0)
        time_ms = np.arange(0.0, beat.rr_ms)
        inward = alone.inward_mm(time_ms, beat)
        assert inward.max() == pytest.approx(motion.flash_mm, rel=0.01)
        assert motion.onset_ms < time_ms[inward.argmax()] < motion.end_ms
        assert motion.end_ms < time_ms[inward.argmin()] < beat.avc_ms
        assert inward.min() < -0.25 * motion.flash_mm


def test_without_a_flash_the_septum_moves_inward_monotonously_until_the_valve_closes() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        beat, motion = draw_beat_and_flash(0.0, rng)
        inward = motion.inward_mm(np.linspace(0.0, beat.avc_ms, 300), beat)
        assert (np.diff(inward) >= 0).all()
        assert inward[-1] >= 4.0


def test_neither_the_clock_nor_systole_tells_anything_about_the_flash() -> None:
    rng = np.random.default_rng(3)
    drawn = [draw_beat_and_flash(flash, rng) for flash in [0.0, 4.0] * 400]
    flash = [motion.flash_mm > 0 for _, motion in drawn]
    for values in (
        [beat.avo_ms for beat, _ in drawn],
        [beat.mvc_ms for beat, _ in drawn],
        [beat.hr_bpm for beat, _ in drawn],
        [motion.systolic_mm for _, motion in drawn],
        [motion.systolic_onset_ms for _, motion in drawn],
    ):
        # Four standard errors of an AUC of .5 with 400 of each.
        assert roc_auc_score(flash, values) == pytest.approx(0.5, abs=4 * 0.0204)


def test_tissue_is_never_folded() -> None:
    anatomy = Anatomy(half_width_mm=25.0)
    u, v = np.meshgrid(np.arange(-70.0, 55.0, 0.5), np.arange(2.0, 115.0, 0.5))
    grid = np.stack([u.ravel(), v.ravel()], axis=1)
    modes = tissue_modes(anatomy, grid).reshape(5, *u.shape, 2)
    for weights in ((6, 0, 0, 0, 0), (-3.6, 4, 4, 2, 0), (7, 7, 9, 6.5, 1), (4, 7, -2.2, 0, -1)):
        place = np.stack([u, v], axis=-1) + np.tensordot(weights, modes, axes=1)
        du, dv = np.gradient(place, 0.5, axis=1), np.gradient(place, 0.5, axis=0)
        area = du[..., 0] * dv[..., 1] - du[..., 1] * dv[..., 0]
        assert area.min() > 0.1, weights


def test_the_mitral_valve_is_closed_in_systole_and_open_in_diastole() -> None:
    for rate in (50.0, 75.0, 110.0):
        beat = Beat(rate, 30.0, 110.0)
        systole = beat.mitral_opening(np.linspace(beat.mvc_ms, beat.avc_ms, 50))
        diastole = beat.mitral_opening(np.linspace(beat.avc_ms, beat.rr_ms, 200))
        assert systole.max() < 1e-6
        assert diastole.max() > 0.9


def test_two_beats_repeat_themselves_and_end_after_the_third_r_peak() -> None:
    spec = replace(SPEC, n_beats=2, breath_mm=0.0, rate_hz=75.0)  # 60 frames a beat
    assert spec.r_s.size == 3
    assert spec.time_s[-2] <= spec.r_s[-1] <= spec.time_s[-1]
    shown = septum_truth(spec).displacement_mm
    np.testing.assert_allclose(shown[60 : shown.size], shown[: shown.size - 60], atol=1e-6)


def test_beats_that_differ_have_their_own_length_and_their_own_flash() -> None:
    first = (SPEC.beat, replace(SPEC.septum, flash_mm=2.0, systolic_mm=0.0, rebound_mm=0.0))
    early = (replace(SPEC.beat, hr_bpm=120.0), replace(first[1], flash_mm=5.0))
    spec = replace(SPEC, septum=first[1], more_beats=(early, first), breath_mm=0.0, rate_hz=250.0)
    r_ms, at_ms = 1000 * spec.r_s, 1000 * spec.time_s
    assert np.diff(r_ms) == pytest.approx([SPEC.beat.rr_ms, 500.0, SPEC.beat.rr_ms])
    septum = spec.weights()[:, 0]
    for begin, flash_mm in zip(r_ms, (2.0, 5.0, 2.0), strict=False):
        early_systole = (at_ms > begin) & (at_ms < begin + 200)
        assert septum[early_systole].max() == pytest.approx(flash_mm, abs=0.05)
    alike = replace(SPEC, more_beats=((SPEC.beat, SPEC.septum),) * 2)
    np.testing.assert_allclose(alike.weights(), replace(SPEC, n_beats=3).weights(), atol=1e-9)


def test_a_lead_is_bright_in_the_right_heart_and_changes_nothing_else(
    frames: NDArray[np.uint8],
) -> None:
    led = septal_flash_loop(replace(SPEC, lead=True), np.random.default_rng(0))
    brighter = (led.mean(axis=0) - frames.mean(axis=0)) > 60
    assert brighter.sum() > 150
    left_of_septum = np.arange(SECTOR.n_columns) < septum_truth(SPEC).polyline_px[:, 1].min()
    assert not brighter[:, ~left_of_septum].any()
    right_of_lead = np.nonzero(left_of_septum)[0].max() + 10
    beyond = (led.astype(int) - frames)[:, :, right_of_lead:]
    assert np.abs(beyond).max() <= 2
    assert led[:, ~SECTOR.mask()].max() == 0


def test_low_contrast_is_low(frames: NDArray[np.uint8]) -> None:
    murky = septal_flash_loop(replace(SPEC, murky=True), np.random.default_rng(0))
    truth = septum_truth(SPEC)
    row, column = np.rint(truth.centre_px).astype(int)
    cavity = (slice(None), slice(row - 12, row + 13), slice(column + 22, column + 47))
    wall = (slice(None), slice(row - 12, row + 13), slice(column - 4, column + 5))
    clear = frames[wall].mean() - frames[cavity].mean()
    assert murky[wall].mean() - murky[cavity].mean() < 0.45 * clear


def test_the_m_mode_stands_on_the_fifteenth_point() -> None:
    assert MMODE_POINT == 14
