"""What makes a loop hard to read does what it says, and moves no truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from cardio_ultrasound import (
    Conditions,
    EchoScanner,
    Look,
    PointSpread,
    Sector,
    draw_conditions,
    draw_scatterers,
    mirrored_px,
    on_screen,
    renewed,
)
from cardio_ultrasound.simulation.b_mode import Shadow

SECTOR = Sector(depth_mm=60.0, half_angle_deg=34.0, n_rows=120, n_columns=140)
TIME_S = np.arange(6) / 50.0


def ecg(at_ms):
    return np.exp(-0.5 * (((at_ms - 40.0) % 800.0) / 15.0) ** 2)


def shown(plane=0.0, gain_db=0.0, look=None, n=2):
    """Return frames of tissue at rest, seen with a plane and a gain for each."""
    rng = np.random.default_rng(3)
    places = draw_scatterers(SECTOR, PointSpread(), rng)
    strengths = renewed(np.ones(len(places), np.float32), np.broadcast_to(plane, n), rng)
    scanner = EchoScanner(SECTOR, rng, look=look or Look(noise_db=-80.0, n_dropouts=0))
    return scanner.frames([places] * n, strengths, gain_db=np.broadcast_to(gain_db, n))


def intensity_correlation(one, other):
    """Correlate intensities, the square of a field's correlation (Goodman's moment theorem)."""
    inside = ndimage.binary_erosion(SECTOR.mask(), iterations=3)
    inside[: int(SECTOR.pixel_of([0.0, 30.0])[0])] = False  # reverberation stands still before it
    look = Look()
    level = [10 ** (frame[inside] / 255.0 * look.dynamic_range_db / 10.0) for frame in (one, other)]
    return float(np.corrcoef(*level)[0, 1])


@pytest.mark.parametrize("away", [0.5, 1.0])
def test_tissue_that_moves_through_the_plane_loses_its_speckle_as_far_as_is_said(away):
    first, second = shown(plane=[0.0, away])
    assert intensity_correlation(first, second) == pytest.approx(np.cos(away) ** 2, abs=0.12)
    assert second.mean() == pytest.approx(first.mean(), rel=0.03)


def test_the_plane_comes_back_after_systole_but_for_what_drifts():
    held = Conditions(decorrelation=0.4, drift=0.1)
    start, systole, later = held.plane_course([0.0, 1.0, 0.0], [0.0, 0.0, 1.0])
    assert np.cos(systole - start) == pytest.approx(0.6)
    assert np.cos(later - start) == pytest.approx(0.9)


def test_gain_that_is_turned_within_a_loop_brightens_all_that_follows():
    first, second = shown(gain_db=[0.0, 5.0])
    inside = SECTOR.mask() & (first > 40) & (first < 180)
    step = 255.0 / Look().dynamic_range_db * 5.0
    assert np.median((second.astype(float) - first)[inside]) == pytest.approx(step, abs=2.0)
    course = Conditions(gain_db=5.0, gain_at=0.5).gain_course_db(np.arange(50) / 50.0)
    assert course[0] == 0.0 and course[-1] == 5.0 and (np.diff(course) >= 0).all()


def test_a_shadow_lies_where_it_is_said_and_nowhere_else():
    plain = shown()
    shadow = Shadow(middle_deg=20.0, width_deg=3.0, begins_mm=15.0, loss_db=20.0)
    dark = shown(look=Look(noise_db=-80.0, n_dropouts=0, shadow=shadow))
    _, angle_deg = SECTOR.polar_of_pixels()
    low = np.indices(SECTOR.mask().shape)[0] > 60
    under = SECTOR.mask() & (np.abs(angle_deg - 20.0) < 2.0) & low
    beside = SECTOR.mask() & (angle_deg < 5.0)
    assert plain[:, under].mean() - dark[:, under].mean() > 60
    assert np.array_equal(plain[:, beside], dark[:, beside])


def test_points_of_the_picture_are_found_again_on_its_mirror_image():
    picture = np.zeros((SECTOR.n_rows, SECTOR.n_columns), np.uint8)
    picture[33, 17] = 255
    row, column = mirrored_px([33.0, 17.0], SECTOR).astype(int)
    assert picture[:, ::-1][row, column] == 255


@pytest.mark.parametrize("layout", ["", "a", "b", "c"])
def test_points_of_the_picture_are_found_again_on_the_screen(layout):
    frames = np.full((6, SECTOR.n_rows, SECTOR.n_columns), 60, np.uint8) * SECTOR.mask()
    frames[:, 63:66, 69:72] = 255
    held = Conditions(layout=layout, chroma_sd=4.0)
    seen = on_screen(frames, TIME_S, SECTOR, held, np.random.default_rng(0), ecg=ecg)
    row, column = seen.place([64.0, 70.0]).astype(int)
    luma = seen.frames.astype(float).mean(axis=(0, 3))
    assert luma[row, column] > 220
    assert seen.frames.shape[1] - SECTOR.n_rows >= (30 if layout else 0)
    assert (np.ptp(seen.frames[:, row - 40 : row], axis=-1) > 3).any()  # colours in a grey loop


def test_a_clean_recording_is_left_as_it_is():
    frames = shown()
    seen = on_screen(frames, TIME_S[:2], SECTOR, Conditions(), np.random.default_rng(0), ecg=ecg)
    assert np.array_equal(seen.frames, frames) and seen.offset_px == (0, 0)


def test_what_is_drawn_has_the_shares_that_it_states():
    drawn = [draw_conditions(np.random.default_rng([1, number])) for number in range(1500)]
    shares = {
        "shadow": (np.mean([one.look.shadow is not None for one in drawn]), 0.35),
        "gain": (np.mean([one.gain_db != 0 for one in drawn]), 0.35),
        "foreshortened": (np.mean([one.foreshortening < 1 for one in drawn]), 0.4),
        "mirrored": (np.mean([one.mirrored for one in drawn]), 0.125),
        "screen": (np.mean([one.layout != "" for one in drawn]), 0.4),
        "chroma": (np.mean([one.chroma_sd > 0 for one in drawn]), 0.25),
    }
    for name, (found, expected) in shares.items():
        # Four standard errors.
        assert abs(found - expected) < 4 * np.sqrt(expected * (1 - expected) / 1500), name
    assert all(-32 <= one.blood_db <= -14 for one in drawn)
    assert len({replace(one, look=Look()) for one in drawn}) == 1500
