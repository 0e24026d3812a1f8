"""The scan line and the M-mode: VTK beside scipy and torch, orientation, time, pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_mmode_septal_flash.mmode.picture import crop, mean_picture, resize, with_contrast
from cardio_mmode_septal_flash.mmode.reslice_torch import reslice_torch
from cardio_mmode_septal_flash.mmode.reslice_vtk import reslice_vtk
from cardio_mmode_septal_flash.mmode.time import column_times_ms, time_weights
from cardio_ultrasound import CycleVolume, ScanLine, centre_index, scan_line, shifted_lines

N_ROWS, N_COLUMNS = 123, 151


def random_volume(rng: np.random.Generator, *, even: bool = True) -> CycleVolume:
    n_frames, rr_ms = int(rng.integers(20, 40)), float(rng.uniform(600, 1100))
    steps = np.ones(n_frames - 1) if even else rng.uniform(0.4, 1.6, n_frames - 1)
    times = np.concatenate([[0.0], np.cumsum(steps)])
    times *= 1.04 * rr_ms / times[-1]
    times -= 0.02 * rr_ms
    size = (int(rng.integers(50, 90)), int(rng.integers(50, 90)))
    frames = rng.integers(0, 256, (n_frames, *size), dtype=np.uint8)
    spacing = (float(rng.uniform(0.3, 1.2)), float(rng.uniform(0.3, 1.2)))
    return CycleVolume(frames, times, rr_ms, spacing)


def random_line(rng: np.random.Generator, volume: CycleVolume) -> ScanLine:
    """Return an oblique line, part of which lies outside the picture."""
    angle = rng.uniform(0, 2 * np.pi)
    size = np.array(volume.frames.shape[1:])
    row, column = size * rng.uniform(0.3, 0.7, 2)
    extent_mm = float((size * volume.mm_per_pixel).max())
    return ScanLine(
        (float(row), float(column)),
        (float(np.sin(angle)), float(np.cos(angle))),
        -0.5 * extent_mm,
        0.7 * extent_mm,
    )


def by_scipy(volume: CycleVolume, line: ScanLine) -> np.ndarray:
    """Interpolate every place and time of the M-mode by scipy, 0 outside the picture."""
    row, column = line.places_px(N_ROWS, volume.mm_per_pixel).T
    at = column_times_ms(volume.rr_ms, N_COLUMNS)
    frame = np.interp(at, volume.times_ms, np.arange(len(volume.frames)))
    grid = np.broadcast_arrays(frame[None, :], row[:, None], column[:, None])
    floats = volume.frames.astype(np.float64)
    return ndimage.map_coordinates(floats, np.stack(grid), order=1, mode="constant", cval=0.0)


@pytest.mark.parametrize("seed", range(8))
def test_vtk_and_torch_equal_scipy_within_a_grey_level_on_random_volumes_and_lines(seed):
    rng = np.random.default_rng(seed)
    volume = random_volume(rng)
    lines = [random_line(rng, volume) for _ in range(3)]
    size = {"n_rows": N_ROWS, "n_columns": N_COLUMNS}
    by_vtk = reslice_vtk(volume, lines, **size).astype(float)
    (by_torch,) = reslice_torch([volume], [lines], **size)
    expected = np.stack([by_scipy(volume, line) for line in lines])
    assert (expected == 0).any(axis=(1, 2)).all()  # a part of every line is outside
    assert np.abs(by_vtk - expected).max() <= 1.0
    assert np.abs(by_torch - expected).max() <= 1.0
    assert np.abs(by_torch - by_vtk).max() <= 1.0


@pytest.mark.parametrize("seed", range(3))
def test_cubic_reslicing_is_the_same_in_vtk_and_torch(seed):
    rng = np.random.default_rng(50 + seed)
    volume = random_volume(rng)
    line = random_line(rng, volume)
    by_vtk = reslice_vtk(volume, [line], interpolation="cubic").astype(float)
    (by_torch,) = reslice_torch([volume], [[line]], interpolation="cubic")
    linear = reslice_vtk(volume, [line]).astype(float)
    assert np.abs(by_torch - by_vtk).max() <= 1.0
    assert np.abs(by_vtk - linear).max() > 20  # and it is another picture than the linear one


@pytest.mark.parametrize("seed", range(3))
def test_uneven_frames_are_interpolated_at_their_own_times(seed):
    rng = np.random.default_rng(80 + seed)
    volume = random_volume(rng, even=False)
    assert not volume.even
    line = random_line(rng, volume)
    size = {"n_rows": N_ROWS, "n_columns": N_COLUMNS}
    expected = by_scipy(volume, line)
    (by_torch,) = reslice_torch([volume], [[line]], **size)
    assert np.abs(by_torch[0] - expected).max() <= 1.0
    assert np.abs(reslice_vtk(volume, [line], **size)[0] - expected).max() <= 1.0


def test_a_batch_of_studies_gives_each_the_picture_that_it_gets_alone():
    rng = np.random.default_rng(3)
    volumes = [random_volume(rng, even=number != 1) for number in range(3)]
    lines = [[random_line(rng, one) for _ in range(n)] for n, one in enumerate(volumes, start=1)]
    size = {"n_rows": 60, "n_columns": 70}
    together = reslice_torch(volumes, lines, **size)
    for volume, own, made in zip(volumes, lines, together, strict=True):
        (alone,) = reslice_torch([volume], [own], **size)
        assert made.shape == (len(own), 60, 70)
        np.testing.assert_array_equal(made, alone)


@pytest.mark.parametrize("reslice", ["vtk", "torch"])
def test_a_cycle_that_ends_after_the_last_frame_holds_it(reslice):
    ramp = (40 * np.arange(5, dtype=np.uint8))[:, None, None] * np.ones((1, 30, 30), np.uint8)
    volume = CycleVolume(ramp, np.arange(5) * 20.0 + 10.0, 100.0, (1.0, 1.0))
    line = ScanLine((15.0, 15.0), (0.0, 1.0), -5.0, 5.0)
    if reslice == "vtk":
        made = reslice_vtk(volume, [line], n_rows=3, n_columns=10)[0]
    else:
        made = reslice_torch([volume], [[line]], n_rows=3, n_columns=10)[0][0]
    # Columns are 10 ms apart, the first frame lies at 10 ms, the last at 90 ms.
    assert made[1].tolist() == [0, 0, 20, 40, 60, 80, 100, 120, 140, 160]


def test_the_line_is_square_to_the_chord_from_point_10_to_20_and_points_right():
    arc = np.linspace(0.0, 1.2, 62)
    septum = np.stack([100 - 80 * np.sin(arc), 40 + 30 * (1 - np.cos(arc))], axis=1)
    spacing = (0.5, 0.8)
    line = scan_line(septum, spacing, np.ones((150, 150), bool))
    chord = (septum[19] - septum[9]) * spacing
    assert abs(chord @ line.normal) < 1e-9
    assert line.normal[1] > 0 and np.hypot(*line.normal) == pytest.approx(1.0)
    assert line.centre_px == tuple(septum[14])
    mirrored = scan_line(septum, spacing, np.ones((150, 150), bool), lv_left=True)
    np.testing.assert_allclose(mirrored.normal, -np.array(line.normal))


def test_the_line_ends_at_the_sectors_edge_on_the_side_of_the_left_ventricle():
    septum = np.stack([np.linspace(90, 29, 62), np.full(62, 40.0)], axis=1)
    sector = np.zeros((120, 120), bool)
    sector[:, 10:81] = True
    line = scan_line(septum, (0.5, 0.5), sector)
    assert line.to_mm == pytest.approx(20.0, abs=0.3)  # 40 columns of half a millimetre
    assert line.from_mm == -30.0  # towards the right ventricle it goes on outside


def test_a_septum_outside_the_sector_is_refused_in_one_line():
    septum = np.stack([np.linspace(90, 29, 62), np.full(62, 40.0)], axis=1)
    sector = np.zeros((120, 120), bool)
    sector[:, 60:] = True
    with refuses(DataError, "septum", "15", "0"):
        scan_line(septum, (1.0, 1.0), sector)


def test_shifted_lines_keep_the_normal_and_walk_along_the_septum():
    arc = np.linspace(0.0, 1.2, 62)
    septum = np.stack([100 - 80 * np.sin(arc), 40 + 30 * (1 - np.cos(arc))], axis=1)
    line = scan_line(septum, (1.0, 1.0), np.ones((150, 150), bool))
    shifted = shifted_lines(line, septum, centre_index(10, 20), 5)
    assert sorted(shifted) == list(range(-5, 6)) and next(iter(shifted)) == 0
    assert {one.normal for one in shifted.values()} == {line.normal}
    for shift, one in shifted.items():
        assert one == replace(line, centre_px=tuple(septum[14 + shift]))


def test_linear_time_weights_are_those_of_interpolation_and_sum_to_one():
    rng = np.random.default_rng(0)
    volume = random_volume(rng, even=False)
    weights = time_weights(volume, 200)
    np.testing.assert_allclose(weights.sum(axis=0), 1.0, atol=1e-6)
    values = rng.normal(size=len(volume.frames))
    expected = np.interp(column_times_ms(volume.rr_ms, 200), volume.times_ms, values)
    np.testing.assert_allclose(values @ weights, expected, atol=1e-5)


def test_pictures_are_cropped_to_the_first_250_rows_and_columns_and_resized_without_aliasing():
    mmode = np.random.default_rng(0).integers(0, 256, (2, 500, 500), dtype=np.uint8)
    np.testing.assert_array_equal(crop(mmode), mmode[:, :250, :250])
    stripes = np.zeros((1, 500, 500), np.uint8)
    stripes[:, ::2] = 200  # finer than the new pixels: only their mean may remain
    assert np.abs(resize(stripes, 250).astype(int) - 100).max() <= 1
    assert resize(crop(mmode)).shape == (2, 256, 256)


def test_contrast_keeps_the_mean_and_the_training_mean_is_that_of_all_pictures():
    rng = np.random.default_rng(1)
    pictures = rng.integers(100, 150, (70, 9, 9), dtype=np.uint8)
    np.testing.assert_allclose(mean_picture(pictures, block=32), pictures.mean(axis=0), rtol=1e-6)
    stronger = with_contrast(pictures.astype(np.float32), 1.5)
    np.testing.assert_allclose(stronger.mean(axis=(1, 2)), pictures.mean(axis=(1, 2)), rtol=1e-4)
    np.testing.assert_allclose(
        stronger.std(axis=(1, 2)), 1.5 * pictures.std(axis=(1, 2)), rtol=1e-4
    )
