"""Clips that were masked and made small before anybody got them: 112 pixels, as EchoNet's are."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from cardio_ultrasound import Look, Sector, draw_scatterers, fit_sector
from cardio_ultrasound.deidentify.sector import fit_fan, fixed_triangle, two_fans
from cardio_ultrasound.deidentify.tissue import bordered_box
from cardio_ultrasound.simulation.b_mode import EchoScanner, PointSpread

N = 224
SPREAD = PointSpread(axial_mm=1.0, lateral_deg=(2.5, 3.5))


@cache
def recorded(half_angle_deg: float, radius: float, tip: float, seed: int = 0):
    """A loop and its sector; radius and row of the tip are shares of the picture's side.

    Cavities are black, and the lower one runs to the foot of the picture.
    """
    sector = Sector(150.0, half_angle_deg, N, N, 150.0 / (radius * N), tip * N)
    rng = np.random.default_rng(0)
    places = draw_scatterers(sector, SPREAD, rng)
    amplitude = np.ones(len(places), np.float32)
    x_mm, z_mm = places.T
    ventricle = (x_mm / 28) ** 2 + ((z_mm - 75) / 45) ** 2 < 1
    atrium = (x_mm / 20) ** 2 + ((z_mm - 130) / 22) ** 2 < 1
    amplitude[ventricle | atrium] = 0.01
    scanner = EchoScanner(sector, rng, spread=SPREAD, look=Look(noise_db=-50))
    return scanner.frames([places + np.float32(step) for step in range(6)], amplitude), sector


def small(frames, truth, *, border: int = 0, side: int = 112):
    """Mask a loop by the fixed triangle, make it small, and put black columns and rows around."""
    kept = fixed_triangle(truth.shape)
    inner = (side - 2 * border,) * 2
    shown = [cv2.resize(frame * kept, inner, interpolation=cv2.INTER_AREA) for frame in frames]
    share = cv2.resize((truth & kept).astype(np.float32), inner, interpolation=cv2.INTER_AREA)
    return np.pad(shown, ((0, 0), *[(border, border)] * 2)), np.pad(share > 0.5, border)


def overlap(mask, truth) -> float:
    return float((mask & truth).sum() / (mask | truth).sum())


@pytest.mark.parametrize("border", [0, 3, 5])
@pytest.mark.parametrize(
    ("half_angle_deg", "radius", "tip"),
    [
        pytest.param(36.0, 0.9, 0.04, id="whole"),
        pytest.param(45.0, 1.1, -0.03, id="tip and arc cut off"),
        pytest.param(40.0, 1.05, 0.05, id="sides and arc cut off"),
        pytest.param(33.0, 1.08, 0.02, id="arc cut off"),
    ],
)
def test_a_small_masked_clip_keeps_its_sector(half_angle_deg, radius, tip, border):
    frames, sector = recorded(half_angle_deg, radius, tip)
    frames, truth = small(frames, sector.mask(), border=border)
    fitted = fit_sector(frames)
    assert not fitted.poor
    assert overlap(fitted.mask(), truth) >= 0.93


def test_the_top_of_a_cavity_that_runs_to_the_foot_is_not_the_arc():
    down, right = np.indices((106, 112))
    angle = np.abs(np.arctan2(right - 56, down))
    cavity = (down > 28 + 0.3 * (right - 56) ** 2) & (np.abs(right - 56) < 18)
    fan = fit_fan((angle < np.radians(27)) & ~cavity, 1.0, np.random.default_rng(0))
    assert fan.far > 100
    assert fan.arc_share > 0.5


def test_a_black_cavity_that_narrows_with_depth_is_no_gap_between_two_fans():
    down, right = np.indices((112, 112))
    fan = (np.abs(right - 56) < 0.7 * down) & (np.hypot(down, right - 56) < 105)
    cavity = (np.abs(right - 56) < 22 - 0.2 * (down - 35)) & (down > 35) & (down < 100)
    assert not two_fans(fan & ~cavity)


def test_borders_are_told_from_a_fan_that_lies_free():
    frames, sector = recorded(40.0, 1.05, 0.05)
    shown, _ = small(frames, sector.mask(), border=5)
    box = bordered_box(shown.max(axis=0) > 6)
    assert (box.left, box.right, box.bottom) == (5, 107, 107)
    frames, sector = recorded(36.0, 0.9, 0.04)
    assert bordered_box(small(frames, sector.mask(), border=5)[0].max(axis=0) > 6) is None
