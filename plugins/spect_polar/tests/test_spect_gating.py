"""Lost beats: their size on paper, their correction, and studies that cannot be trusted."""

from __future__ import annotations

import numpy as np
import pytest

from cardio_core.api import DataError
from cardio_spect_polar.phase.gating import check_gating, check_slots, gate_gain, heart_box
from cardio_spect_polar.phase.geometry import WallGeometry

SLOTS = (np.arange(8) + 0.5) / 8


def phase_deg(curves: np.ndarray) -> np.ndarray:
    return np.degrees(np.angle(np.exp(2j * np.pi * SLOTS) @ curves))


def two_walls(lost: float) -> np.ndarray:
    """Two samples that change by 6 %, 72 degrees apart, and tissue that keeps the sum constant."""
    walls = [1 + 0.03 * np.cos(2 * np.pi * SLOTS - np.radians(d)) for d in (100, 172)]
    counts = np.stack([*walls, 4 - walls[0] - walls[1]], axis=1)[:, None, None, :]
    counts[-1] *= 1 - lost
    return counts


@pytest.mark.parametrize(("lost", "spread_deg"), [(0.0, 72), (0.05, 52), (0.10, 40)])
def test_lost_beats_draw_phases_together_as_published_and_correction_parts_them(
    lost: float, spread_deg: float
) -> None:
    """72 degrees shrink to 52 and 40, as reckoned beforehand for eight slots."""
    counts = two_walls(lost)
    shrunk = np.ptp(phase_deg(counts[:, 0, 0, :2]))
    assert shrunk == pytest.approx(spread_deg, abs=3)
    corrected, report = check_gating(counts)
    assert report.corrected is (lost > 0)
    assert np.ptp(phase_deg(corrected[:, 0, 0, :2])) == pytest.approx(72, abs=0.01)


def test_blood_that_leaves_in_systole_is_not_evened_out() -> None:
    counts = np.ones((8, 2, 2, 2)) * (1 - 0.03 * np.sin(np.pi * SLOTS) ** 2)[:, None, None, None]
    corrected, report = check_gating(counts)
    assert not report.corrected or np.array_equal(report.scale[:4], np.ones(4))
    assert np.array_equal(corrected[:3], counts[:3].astype(np.float32))


def test_only_counts_of_the_box_decide() -> None:
    counts = np.ones((8, 10, 10, 10))
    counts[-1, :, :, 5:] = 0.5
    box = (slice(None), slice(None), slice(0, 5))
    assert not check_gating(counts, box=box)[1].corrected
    assert check_gating(counts)[1].corrected


def test_correction_can_be_declined_and_is_then_flagged() -> None:
    counts = two_walls(0.1)
    corrected, report = check_gating(counts, correct=False)
    assert np.array_equal(corrected, counts.astype(np.float32))
    assert any("left as they are" in flag for flag in report.flags)


def test_two_thirds_of_the_last_slot_lost_or_many_rejected_beats_fail() -> None:
    for lost, caution in ((0.25, False), (0.35, True), (0.6, True)):
        report = check_gating(two_walls(lost))[1]
        assert report.failures == ()
        assert any(flag.consequence == "caution" for flag in report.flags) == caution
    assert "at least 35%" in check_gating(two_walls(0.7))[1].failures[0]
    assert "40% of the beats" in check_gating(two_walls(0), rejected_share=0.4)[1].failures[0]
    assert check_gating(two_walls(0), rejected_share=0.35)[1].failures == ()


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (np.ones((5, 2, 2, 2)), "at least 6 time slots, found 5"),
        (np.ones((8, 2, 2, 2)) * (np.arange(8) != 3)[:, None, None, None], "none in slot 4 of 8"),
        (np.zeros((8, 2, 2, 2)), "none in slot 1, 2, 3, 4, 5, 6, 7, 8"),
    ],
)
def test_too_few_or_empty_slots_are_refused_by_number(counts: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_slots(counts)


def test_negative_sums_are_refused_and_unusual_slots_flagged() -> None:
    with pytest.raises(DataError, match="positive counts"):
        check_gating(-np.ones((8, 2, 2, 2)))
    assert "10 time slots" in check_gating(np.ones((10, 2, 2, 2)))[1].flags[0]


def test_the_box_holds_the_wall_with_its_margin_and_ends_at_the_stack() -> None:
    points = np.array([[[20.0, 40.0, 40.0]], [[60.0, 60.0, 50.0]]])
    geometry = WallGeometry(points, points, np.array([0.2, 0.8]), np.ones((2, 1)), 1)
    z, y, x = heart_box((15, 32, 32), (5.0, 5.0, 5.0), geometry)
    assert (z.start, z.stop) == (1, 15)
    assert (y.start, y.stop) == (5, 16)
    assert (x.start, x.stop) == (5, 14)


REAL = np.array([0.95, 1.03, 1.07, 1.07, 1.03, 1.00, 0.98, 0.95])
"""Counts by gate, median of 39 real studies, the last gate's loss undone; the slope was .37."""


def test_counts_as_of_real_hearts_are_no_jump() -> None:
    """The scatter about the slope leaves a correlation of .98."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        bright = REAL ** (1 / 0.37)
        counts = REAL * np.exp(rng.normal(0.0, 0.008, 8))
        found = gate_gain(counts, bright)
        assert not found.jumps
        assert found.slope == pytest.approx(0.37, abs=0.1)


@pytest.mark.parametrize("slope", [-0.15, 0.0, 0.37, 0.55])
@pytest.mark.parametrize("step", [0.7, 0.8, 0.9, 1.1, 1.2, 1.3])
@pytest.mark.parametrize("gates", [[3], [2, 3], [0, 1], [1, 2, 3, 4], [6, 7]])
def test_a_gain_is_found_whatever_thickening_does_to_the_counts(
    slope: float, step: float, gates: list[int]
) -> None:
    thick = np.array([1.0, 1.08, 1.18, 1.2, 1.12, 1.05, 1.01, 0.99])
    gain = np.ones(8)
    gain[gates] = step
    found = gate_gain(gain * thick**slope, gain * thick)
    assert found.slope == pytest.approx(slope, abs=0.02)
    ratio = found.gain / gain
    assert np.ptp(ratio) / ratio.mean() < 0.01
    assert found.jumps is not (gates == [6, 7] and step < 1)


@pytest.mark.parametrize("dip", [0.03, -0.03])
def test_what_a_heart_does_by_itself_is_no_jump(dip: float) -> None:
    """Blood that leaves takes 2 % of the counts; beats that end early take more, at the end."""
    beat = np.array([0.0, 0.0, 0.5, 1.0, 1.0, 0.5, 0.0, 0.0])
    lost = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 0.97, 0.9, 0.75])
    for gain in (np.ones(8), lost):
        found = gate_gain(gain * (1 - dip * beat), gain * (1 + 0.15 * beat))
        assert not found.jumps
        assert found.gain[6:] == pytest.approx(gain[6:], abs=0.02)
