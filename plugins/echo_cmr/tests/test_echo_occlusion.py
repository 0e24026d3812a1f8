"""Occluding segments: which pixels change, and to what; what a planted segment costs."""

from __future__ import annotations

import numpy as np
import pytest

from cardio_echo_cmr.clips import occluded, segments_of, smoothed
from cardio_echo_cmr.segments import SEGMENTS_OF_VIEW

SIDE = 112


@pytest.fixture(scope="module")
def video():
    """Speckle in a disc, black around it."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    disc = np.hypot(rows - 56, columns - 56) < 54
    return (np.clip(rng.rayleigh(50, (6, SIDE, SIDE)), 1, 255) * disc).astype(np.uint8)


@pytest.mark.parametrize("view", ["a4c", "a2c", "plax"])
@pytest.mark.parametrize("side", [112, 56])
def test_every_segment_that_labels_a_view_can_be_occluded(view, side):
    segments = segments_of(view, side)
    assert segments.numbers == SEGMENTS_OF_VIEW[view]
    for number, mask in zip(segments.numbers, segments.masks, strict=True):
        own = segments.labels == number
        assert (mask[own] == 1).all()
        assert 0 <= mask.min() <= mask.max() == 1


def test_a_mask_reaches_two_pixels_beyond_its_segment_and_not_four():
    segments = segments_of("a4c", SIDE)
    for number, mask in zip(segments.numbers, segments.masks, strict=True):
        rows, columns = np.nonzero(segments.labels == number)
        far = np.ones((SIDE, SIDE), bool)
        near = np.zeros((SIDE, SIDE), bool)
        for row, column in zip(rows, columns, strict=True):
            far[max(row - 4, 0) : row + 5, max(column - 4, 0) : column + 5] = False
            near[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = True
        assert (mask[far] == 0).all()
        assert (mask[near] == 1).all()


def test_only_the_mask_changes_and_outside_the_sector_stays_black(video):
    mask = segments_of("a4c", SIDE).masks[0]
    made = occluded(video, smoothed(video), mask)
    assert (made[:, mask == 0] == video[:, mask == 0]).all()
    assert (made[:, (video == 0).all(axis=0)] == 0).all()
    inside = (mask == 1) & (video > 0).any(axis=0)
    assert (made[:, inside] != video[:, inside]).mean() > 0.9


def test_what_is_shown_instead_has_the_mean_grey_and_no_speckle(video):
    inside = np.hypot(*(np.mgrid[:SIDE, :SIDE] - 56)) < 30
    smooth = smoothed(video)
    # Rayleigh speckle: the mean stays, the standard deviation of .52 of it goes.
    assert smooth[:, inside].mean() == pytest.approx(video[:, inside].mean(), rel=0.02)
    assert video[:, inside].std() / video[:, inside].mean() == pytest.approx(0.52, abs=0.03)
    assert smooth[:, inside].std() < 0.05 * video[:, inside].std()


def test_near_the_edge_of_the_sector_the_black_beyond_darkens_nothing():
    video = np.zeros((2, SIDE, SIDE), np.uint8)
    video[:, 20:90, 20:90] = 80
    smooth = smoothed(video)
    np.testing.assert_allclose(smooth[:, 20:90, 20:90], 80, rtol=1e-4)
    assert (smooth[video == 0] == 0).all()


def test_brightness_that_moves_with_time_is_kept_and_edges_are_not():
    # A wall that brightens: its slow grey is not what an occlusion takes away.
    video = np.zeros((3, SIDE, SIDE), np.uint8)
    video[0], video[1], video[2] = 40, 80, 160
    video[:, 56] = 255
    smooth = smoothed(video)
    assert np.diff(smooth[:, 10, 10]).tolist() == pytest.approx([40, 80], abs=1)
    assert (smooth[:, 56, 56] < video[:, 55, 56] + 20).all()
