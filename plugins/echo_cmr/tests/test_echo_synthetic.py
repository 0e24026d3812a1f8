"""The phantom keeps what its truth says: speckle, motion, thickness and files."""

from __future__ import annotations

import csv
import filecmp
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_echo_cmr.segments import DEPTH_MM, HALF_ANGLE_DEG, VIEWS, Wall, default_geometry
from cardio_echo_cmr.synthetic import synthesize
from cardio_echo_cmr.synthetic.findings import draw_findings
from cardio_echo_cmr.synthetic.heart import SHORTENING, Ventricle
from cardio_echo_cmr.synthetic.loop import (
    SPREAD,
    SYSTOLE_ENDS,
    Beat,
    LoopSpec,
    contraction,
    echo_loop,
    sector_of,
)
from cardio_echo_cmr.synthetic.patients import draw_person, draw_studies
from cardio_ultrasound import EchoScanner, Look, Sector, draw_scatterers, fit_sector, read_loop

CLEAR = Look(noise_db=-60.0, haze_db=-60.0, echoes_db=-60.0, n_dropouts=0)


def test_speckle_of_tissue_is_fully_developed() -> None:
    # Burckhardt 1978: mean over standard deviation of a Rayleigh envelope is 1.91.
    sector = Sector(depth_mm=110.0, half_angle_deg=38.0)
    look = Look(
        dynamic_range_db=120.0, white_db=40.0, slider_error_db=0.0, noise_db=-90.0, haze_db=-90.0,
        echoes_db=-90.0, n_dropouts=0,
    )  # fmt: skip
    rng = np.random.default_rng(11)
    places = draw_scatterers(sector, SPREAD, rng, per_cell=Look().per_cell)
    scanner = EchoScanner(sector, rng, spread=SPREAD, look=look)
    (grey,) = scanner.beams([places], np.ones(len(places), np.float32))
    middle = (scanner.range_mm > 20) & (scanner.range_mm < 100)
    across = np.abs(scanner.angle_deg) < 30
    decibel = grey[np.ix_(middle, across)] * 120.0 / 255.0 - 80.0
    envelope = 10.0 ** (decibel / 20.0)
    assert Look().per_cell >= 10
    assert envelope.mean() / envelope.std() == pytest.approx(1.91, abs=0.1)


def loop_of(view: str, amplitude: dict[int, float], thickness: dict[int, float]) -> np.ndarray:
    """Return the frames at end diastole and at end systole."""
    geometry = default_geometry(view)
    spec = LoopSpec(
        geometry,
        Ventricle(geometry.wall, amplitude, thickness),
        Beat(60.0),
        sector_of(DEPTH_MM[view], HALF_ANGLE_DEG),
        rate_hz=1.0 / SYSTOLE_ENDS,
        n_frames=2,
        breath_mm=0.0,
        look=CLEAR,
    )
    return echo_loop(spec, np.random.default_rng(2))


def wall_point(wall: Wall, eccentric: np.ndarray, depth_mm: float) -> np.ndarray:
    """Return places (u, v) at a distance from the middle of the wall, outward positive."""
    cosine, sine = np.cos(eccentric), np.sin(eccentric)
    outward = np.stack([cosine / wall.half_width_mm, -sine / wall.length_mm], axis=-1)
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
    middle = np.stack([wall.half_width_mm * cosine, wall.length_mm * (1.0 - sine)], axis=-1)
    return middle + depth_mm * outward


def wall_depths_mm(frame: np.ndarray, view: str, segment: int) -> tuple[float, float]:
    """Find endocardium and epicardium of the middle of a segment in a picture, inward negative.

    Grey levels along the normals are averaged over 24 lines; a border is where they pass the mean
    of cavity and wall.
    """
    geometry, sector = default_geometry(view), sector_of(DEPTH_MM[view], HALF_ANGLE_DEG)
    at = geometry.wall.segments.index(segment)
    angle = geometry.wall.borders[at : at + 2].mean() + np.linspace(-0.1, 0.1, 24)
    depth_mm = np.arange(-17.0, 8.0, 0.25)
    lines = np.stack([wall_point(geometry.wall, angle, d) for d in depth_mm])
    rows, columns = np.moveaxis(sector.pixel_of(geometry.to_body(lines)), -1, 0)
    smooth = ndimage.gaussian_filter(frame.astype(float), 1.0)
    profile = ndimage.map_coordinates(smooth, [rows, columns], order=1).mean(axis=1)
    level = (np.percentile(profile, 10) + np.percentile(profile, 85)) / 2
    bright = np.flatnonzero(profile > level)
    return float(depth_mm[bright[0]]), float(depth_mm[bright[-1]])


@pytest.mark.parametrize("view", ["other", "a2c", "a4c"])
def test_endocardium_moves_in_the_pictures_as_far_as_the_truth_says(view: str) -> None:
    rng = np.random.default_rng(8)
    # Not the apex, which hardly goes inwards, nor walls with a papillary muscle before them.
    named = [
        s for s in Wall(view).segments if s <= 12 and not (view == "other" and s in (9, 10, 11))
    ]
    amplitude = dict.fromkeys(range(1, 18), 1.0)
    drawn = rng.permutation(np.linspace(0.0, 1.3, len(named)))
    amplitude.update(zip(named, drawn.tolist(), strict=True))
    still, systole = loop_of(view, amplitude, dict.fromkeys(range(1, 18), 1.0))
    moved_mm = [
        wall_depths_mm(still, view, s)[0] - wall_depths_mm(systole, view, s)[0] for s in named
    ]
    true = [amplitude[s] for s in named]
    slope, intercept = np.polyfit(true, moved_mm, 1)
    assert np.corrcoef(true, moved_mm)[0, 1] > 0.93
    # 24 % of half the width of 27 to 28 mm, in the long axis a little less towards the apex.
    assert 4.5 < slope < 8.0
    assert abs(intercept) < 1.2


def test_thinned_wall_is_thinner_in_the_picture() -> None:
    usual = dict.fromkeys(range(1, 18), 1.0)
    frames = {
        share: loop_of("other", usual, {**usual, 7: share, 12: share})[0] for share in (1.0, 0.55)
    }
    thickness = {}
    for share, frame in frames.items():
        for segment in (7, 8):
            inner, _ = wall_depths_mm(frame, "other", segment)
            thickness[share, segment] = Wall("other").wall_mm / 2 - inner
    assert thickness[0.55, 8] == pytest.approx(thickness[1.0, 8], abs=0.5)
    lost_mm = thickness[1.0, 7] - thickness[0.55, 7]
    assert lost_mm == pytest.approx(0.45 * 9.5, abs=1.2)


def test_tissue_keeps_its_volume_within_a_twentieth() -> None:
    ring = default_geometry("other").wall
    angle = np.linspace(-np.pi, np.pi, 721)[:-1]
    heart = Ventricle(ring)

    def area(at: float) -> float:
        circle = wall_point(ring, angle, at)
        now = circle + heart.systole(circle)
        return float(np.pi * np.hypot(*(now - [0.0, ring.length_mm]).T).mean() ** 2)

    inner, outer = -ring.wall_mm / 2, ring.wall_mm / 2
    before = np.pi * ((ring.half_width_mm + outer) ** 2 - (ring.half_width_mm + inner) ** 2)
    kept = (area(outer) - area(inner)) / before * (1.0 - SHORTENING)
    assert kept == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("view", VIEWS)
def test_no_two_places_of_the_heart_come_together(view: str) -> None:
    rng = np.random.default_rng(4)
    wall = default_geometry(view).wall
    grid = np.stack(np.meshgrid(np.arange(-45.0, 45.0), np.arange(-6.0, 110.0)), axis=-1)
    place = wall.place(grid.reshape(-1, 2))
    near = (np.abs(place.depth_mm) < 9.0).reshape(grid.shape[:2])[:-1, :-1]
    for _ in range(5):
        found = draw_findings(rng)
        heart = Ventricle(wall, found.amplitude, found.thickness)
        moved = grid + heart.systole(grid.reshape(-1, 2)).reshape(grid.shape)
        across, along = np.diff(moved, axis=1)[:-1], np.diff(moved, axis=0)[:, :-1]
        stretch = across[..., 0] * along[..., 1] - across[..., 1] * along[..., 0]
        assert np.mean(stretch[near] > 0.05) > 0.995


def test_systole_takes_a_third_of_the_beat_and_has_no_jump() -> None:
    phase = np.linspace(0.0, 1.0, 1001)
    course = contraction(phase)
    assert phase[course.argmax()] == pytest.approx(0.35, abs=0.021)
    assert np.abs(np.diff(course)).max() < 0.01
    assert course[[0, -1]] == pytest.approx(0.0, abs=1e-9)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    synthesize(folder, task="view", n_patients=2, seed=6)  # the second lacks a view
    return folder


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "cohort.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_patient_is_the_same_for_every_task_and_in_a_cohort_of_any_size(
    cohort: Path, tmp_path: Path
) -> None:
    synthesize(tmp_path, task="wma", n_patients=1, seed=6)
    again = sorted(path.name for path in (tmp_path / "loops").iterdir())
    assert len(again) >= 3
    _, different, absent = filecmp.cmpfiles(
        tmp_path / "loops", cohort / "loops", again, shallow=False
    )
    assert (different, absent) == ([], [])
    assert rows_of(tmp_path) == [r for r in rows_of(cohort) if r["patient_id"] == "p001"]


def test_loops_are_colour_dicom_that_the_shared_reader_takes_for_greyscale(cohort: Path) -> None:
    import pydicom

    truth = json.loads((cohort / "truth.json").read_text())
    for row in rows_of(cohort):
        for view, known in truth["studies"][row["study_id"]].items():
            path = cohort / row[f"path_echo_{view}"]
            header = pydicom.dcmread(path, stop_before_pixels=True)
            loop = read_loop(path)
            assert header.PhotometricInterpretation == "YBR_FULL_422"
            assert (loop.colour_doppler, loop.flags) == (False, ())
            assert loop.n_frames == known["n_frames"]
            assert loop.frame_rate_hz == pytest.approx(known["rate_hz"], rel=1e-4)
            assert loop.mm_per_pixel == pytest.approx((known["mm_per_pixel"],) * 2, rel=1e-4)


def test_a_name_stands_in_the_header_and_beside_the_sector_and_a_trace_below_it(
    cohort: Path,
) -> None:
    import pydicom

    truth = json.loads((cohort / "truth.json").read_text())
    row = rows_of(cohort)[0]
    view, known = next(iter(truth["studies"][row["study_id"]].items()))
    path = cohort / row[f"path_echo_{view}"]
    assert str(pydicom.dcmread(path).PatientName) == truth["patients"]["p001"]["name"]
    sector = sector_of(known["depth_mm"], known["half_angle_deg"])
    picture = np.asarray(read_loop(path).frame(0))
    outside = np.where(ndimage.binary_dilation(sector.mask(), iterations=9), 0, picture)
    bottom = sector.box_px()[2]
    assert (outside[:36, :100] > 150).sum() > 60
    assert (outside[bottom + 4 :].max(axis=0) > 60).mean() > 0.95  # a trace from side to side
    assert outside[60 : bottom - 10].max() < 12  # ringing of JPEG at most


def fitted_and_true(cohort: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    truth = json.loads((cohort / "truth.json").read_text())
    for row in rows_of(cohort):
        for view, known in truth["studies"][row["study_id"]].items():
            fitted = fit_sector(read_loop(cohort / row[f"path_echo_{view}"]))
            true = sector_of(known["depth_mm"], known["half_angle_deg"]).mask()
            assert not fitted.poor
            assert (fitted.mask() & true).sum() > 0.94 * true.sum()
            yield fitted.mask(), true


def test_the_sector_of_every_clean_loop_can_be_fitted_within_its_edge(tmp_path: Path) -> None:
    synthesize(tmp_path, n_patients=1, seed=6, difficulty="medium")
    for fitted, true in fitted_and_true(tmp_path):
        assert not (fitted & ~true).any()


def test_a_coarse_jpeg_moves_the_sectors_edge_by_less_than_its_blocks(cohort: Path) -> None:
    for fitted, true in fitted_and_true(cohort):
        assert not (fitted & ~ndimage.binary_dilation(true, iterations=8)).any()


def test_the_default_loop_is_another_recording_of_the_same_heart() -> None:
    person = draw_person("p", np.random.default_rng(3), difficulty="subtle")
    both = [
        list(draw_studies(person, np.random.default_rng(4), clean=clean)) for clean in (True, False)
    ]
    for clean, held in zip(*both, strict=True):
        assert clean.loops.keys() == held.loops.keys()
        for view, one in held.loops.items():
            assert one.held is not None and clean.loops[view].held is None
            assert one.beat == clean.loops[view].beat
            assert one.ventricle.amplitude == clean.loops[view].ventricle.amplitude
            assert one.ventricle.wall == one.geometry.wall
            assert one.geometry.anchor_mm == clean.loops[view].geometry.anchor_mm


def test_a_mirrored_loop_is_the_mirror_image_of_what_it_was() -> None:
    person = draw_person("p", np.random.default_rng(3), difficulty="subtle")
    study = next(draw_studies(person, np.random.default_rng(4), clean=False))
    spec = replace(study.loops["a4c"], n_frames=2)
    shown = [
        echo_loop(replace(spec, held=replace(spec.held, mirrored=seen)), np.random.default_rng(1))
        for seen in (False, True)
    ]
    assert np.array_equal(shown[0][:, :, ::-1], shown[1])


def test_missing_views_and_values_are_left_empty_in_the_table(cohort: Path) -> None:
    truth = json.loads((cohort / "truth.json").read_text())
    for row in rows_of(cohort):
        there = {view for view in VIEWS if row[f"path_echo_{view}"]}
        assert there == set(truth["studies"][row["study_id"]])
        person = truth["patients"][row["patient_id"]]
        assert [s for s in range(1, 18) if row[f"wma_seg_{s:02d}"] == "1"] == person["wma"]
        assert [s for s in range(1, 18) if row[f"lge_seg_{s:02d}"] == "1"] == person["lge"]


def test_what_does_not_exist_is_refused_by_name(tmp_path: Path) -> None:
    with refuses(DataError, "synthetic cohort", "hard", code="unknown"):
        synthesize(tmp_path, task="wma", difficulty="hard")
    with refuses(DataError, "synthetic cohort", "1", "0", code="too_few"):
        synthesize(tmp_path, task="wma", n_patients=0)


def test_speckle_moves_with_the_tissue_between_frames() -> None:
    geometry = default_geometry("other")
    spec = LoopSpec(
        geometry, Ventricle(geometry.wall), Beat(60.0), sector_of(125.0, 38.0), n_frames=12,
        rate_hz=60.0, look=CLEAR,
    )  # fmt: skip
    frames = echo_loop(spec, np.random.default_rng(1)).astype(float)
    wall = sector_wall(spec)
    near, far = (
        np.mean([np.corrcoef(a[wall], b[wall])[0, 1] for a, b in pairs])
        for pairs in (pairwise(frames[:3]), [(frames[0], frames[11])])
    )
    fresh = echo_loop(replace(spec, n_frames=1), np.random.default_rng(2))[0].astype(float)
    assert near > 0.8 > far
    assert abs(np.corrcoef(frames[0][wall], fresh[wall])[0, 1]) < near - 0.4


def sector_wall(spec: LoopSpec) -> np.ndarray:
    """Return which pixels lie in the middle half of the wall at end diastole."""
    pixels = np.moveaxis(np.indices((spec.sector.n_rows, spec.sector.n_columns)), 0, -1)
    heart = spec.geometry.to_heart(spec.sector.mm_of(pixels)).reshape(-1, 2)
    depth = spec.geometry.wall.place(heart).depth_mm.reshape(pixels.shape[:2])
    return np.asarray((np.abs(depth) < spec.geometry.wall.wall_mm / 4) & spec.sector.mask())
