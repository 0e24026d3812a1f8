"""Where the AHA segments lie in the square picture."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from cardio_echo_cmr.segments import (
    DEPTH_MM,
    HALF_ANGLE_DEG,
    SEGMENTS_OF_VIEW,
    VIEWS,
    default_geometry,
    geometry_map,
    segment_map,
)
from cardio_echo_cmr.synthetic.heart import Ventricle
from cardio_echo_cmr.synthetic.loop import Beat, LoopSpec, echo_loop, sector_of
from cardio_echo_cmr.synthetic.patients import draw_person, draw_studies
from cardio_ultrasound import Look

SHORT_AXIS = (7, 8, 9, 10, 11, 12)


def centre_of(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask).mean(axis=0)


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_the_segments_of_its_set_and_no_other(view: str) -> None:
    seen = set(np.unique(segment_map(view)).tolist()) - {0}
    assert seen == set(SEGMENTS_OF_VIEW.get(view, SHORT_AXIS))


def test_walls_lie_on_the_side_of_the_picture_where_echocardiographers_see_them() -> None:
    four, two, long, short = (segment_map(view) for view in VIEWS)
    # (left, right): septum and lateral wall, inferior and anterior wall.
    for picture, left, right in ((four, 3, 6), (four, 14, 16), (two, 4, 1), (two, 15, 13)):
        assert centre_of(picture == left)[1] + 15 < centre_of(picture == right)[1]
    # (above, below): apex and base, septum and posterior wall, anterior and inferior wall.
    for picture, above, below in (
        (four, 17, 3), (four, 14, 9), (four, 9, 3), (long, 2, 5), (long, 8, 11), (short, 7, 10),
    ):  # fmt: skip
        assert centre_of(picture == above)[0] + 5 < centre_of(picture == below)[0]
    assert centre_of(long == 8)[1] < centre_of(long == 2)[1]  # the base is at the right
    assert centre_of(short == 9)[1] < centre_of(short == 12)[1]


def test_the_short_axis_gives_every_segment_a_sixth_of_the_ring() -> None:
    ring = segment_map("other", 448)
    n_pixels = np.bincount(ring.ravel(), minlength=13)[7:13]
    # All of the ring lies in the sector but a corner of the lateral wall.
    assert np.abs(n_pixels / n_pixels.max() - 1).max() < 0.1


def test_the_map_keeps_its_proportions_at_any_size() -> None:
    small, large = segment_map("a4c", 56), segment_map("a4c", 224)
    agreement = small == large[2::4, 2::4]
    assert agreement.mean() > 0.98
    assert small.dtype == np.uint8
    assert large.shape == (224, 224)


def test_a_view_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="found 'psax'"):
        segment_map("psax")


def square(picture: np.ndarray, spec: LoopSpec, side: int = 112) -> np.ndarray:
    """Crop to the sector's box made square about its middle, and shrink."""
    top, left, bottom, right = spec.sector.box_px()
    half = max(bottom - top, right - left) / 2
    row, column = (top + bottom) / 2, (left + right) / 2
    box = (column - half, row - half, column + half, row + half)
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BOX, box=box))


@pytest.mark.parametrize("view", VIEWS)
def test_wall_that_is_thinned_in_the_picture_lies_where_the_map_says(view: str) -> None:
    geometry = default_geometry(view)
    sector = sector_of(DEPTH_MM[view], HALF_ANGLE_DEG)
    look = Look(noise_db=-80.0, haze_db=-60.0, echoes_db=-60.0, n_dropouts=0)

    def picture(thinned: int | None) -> np.ndarray:
        share = {segment: 0.5 if segment == thinned else 1.0 for segment in range(1, 18)}
        ventricle = Ventricle(geometry.wall, thickness=share)
        # One frame, at end diastole.
        spec = LoopSpec(
            geometry, ventricle, Beat(60.0), sector, n_frames=1, breath_mm=0.0, look=look
        )
        frame = echo_loop(spec, np.random.default_rng(5))[0]
        return square(padded_by_dark(frame).astype(np.float32), in_padded(spec))

    usual = picture(None)
    atlas = segment_map(view)
    known = ndimage.binary_dilation(atlas > 0, iterations=2)
    for segment in np.unique(atlas[atlas > 0]):
        # Beyond the segments of a long axis its wall goes on as its neighbour.
        changed = (np.abs(picture(int(segment)) - usual) > 25) & known
        ours = atlas == segment
        distance_px = np.hypot(*(centre_of(changed) - centre_of(ours)))
        assert distance_px < 5, (segment, distance_px)
        # What is changed lies in this segment rather than in its neighbours.
        hit = np.bincount(atlas[changed], minlength=18)[1:]
        assert hit.argmax() + 1 == segment


_PAD = 60


def padded_by_dark(frame: np.ndarray) -> np.ndarray:
    """Add dark rows and columns, so that a square about the sector fits in."""
    return np.pad(frame, ((_PAD, _PAD), (_PAD, _PAD)))


def in_padded(spec: LoopSpec) -> LoopSpec:
    sector = spec.sector
    wider = replace(
        sector,
        n_rows=sector.n_rows + 2 * _PAD,
        n_columns=sector.n_columns + 2 * _PAD,
        apex_row=sector.apex_row + _PAD,
    )
    assert math.isclose(wider.apex_column, sector.apex_column + _PAD)
    return replace(spec, sector=wider)


@pytest.mark.parametrize("view", VIEWS)
def test_hearts_of_patients_lie_near_the_map(view: str) -> None:
    atlas = segment_map(view)
    away_px = []
    for stream in np.random.default_rng(3).spawn(25):
        person = draw_person("p", stream, difficulty="medium")
        spec = next(draw_studies(person, stream)).loops.get(view)
        if spec is not None:
            sector = spec.sector
            own = geometry_map(
                spec.geometry, depth_mm=sector.depth_mm, half_angle_deg=sector.half_angle_deg
            )
            for segment in np.unique(own[own > 0]):
                away_px.append(np.hypot(*(centre_of(own == segment) - centre_of(atlas == segment))))
    # A segment is about 15 pixels long.
    assert np.mean(away_px) < 4.0
    assert np.quantile(away_px, 0.95) < 9.0
