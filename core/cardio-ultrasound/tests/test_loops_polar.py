"""Beams before scan conversion, and the conversion against analytic truth and scipy."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_ultrasound import read_loop, scan_conversion

ANGLES = np.radians(np.linspace(-40, 35, 96))
DEPTHS_MM = np.arange(2.0, 80.0, 0.4)


def pixel_centres_mm(convert):
    """x and z of every pixel, from the point where the beams meet."""
    rows, columns = np.mgrid[: convert.size[0], : convert.size[1]]
    x = (columns - convert.sector.apex_column) * convert.spacing_mm
    z = (rows - convert.sector.apex_row) * convert.spacing_mm
    return x, z


def well_inside(x, z, margin_mm=1.0):
    angle, depth = np.arctan2(x, z), np.hypot(x, z)
    across = margin_mm / np.maximum(depth, 1e-6)
    inside = (angle > ANGLES[0] + across) & (angle < ANGLES[-1] - across)
    return inside & (depth > DEPTHS_MM[0] + margin_mm) & (depth < DEPTHS_MM[-1] - margin_mm)


def test_a_smooth_scene_comes_out_where_it_is():
    convert = scan_conversion(ANGLES, DEPTHS_MM, 0.4)
    depth, angle = np.meshgrid(DEPTHS_MM, ANGLES)
    x, z = depth * np.sin(angle), depth * np.cos(angle)

    def scene(x_mm, z_mm):
        return 120 + 60 * np.sin(x_mm / 9) * np.cos(z_mm / 11) + 0.3 * z_mm

    at = pixel_centres_mm(convert)
    inside = well_inside(*at)
    assert inside.mean() > 0.4
    assert np.abs(convert(scene(x, z)).astype(float) - scene(*at))[inside].max() <= 1.0


def test_it_is_bilinear_interpolation_where_pixels_are_as_fine_as_depths():
    rng = np.random.default_rng(1)
    beams = rng.integers(0, 256, (96, DEPTHS_MM.size), dtype=np.uint8)
    convert = scan_conversion(ANGLES, DEPTHS_MM, 0.4)
    x, z = pixel_centres_mm(convert)
    beam = np.interp(np.arctan2(x, z), ANGLES, np.arange(96))
    sample = (np.hypot(x, z) - 2.0) / 0.4
    expected = map_coordinates(beams.astype(float), [beam, sample], order=1)
    inside = well_inside(x, z)
    assert np.abs(convert(beams).astype(float) - expected)[inside].max() <= 1.0


def test_constant_beams_are_constant_in_the_sector_and_zero_outside():
    convert = scan_conversion(ANGLES, DEPTHS_MM, 0.7)
    image = convert(np.full((96, DEPTHS_MM.size), 200))
    assert set(np.unique(image)) == {0, 200}
    x, z = pixel_centres_mm(convert)
    assert (image[well_inside(x, z)] == 200).all()
    area_mm2 = (ANGLES[-1] - ANGLES[0]) * (DEPTHS_MM[-1] ** 2 - DEPTHS_MM[0] ** 2) / 2
    assert (image > 0).sum() * 0.7**2 == pytest.approx(area_mm2, rel=0.005)
    far = (np.hypot(x, z) > 81) | (np.arctan2(x, z) > ANGLES[-1] + 0.05)
    assert (image[far] == 0).all()


def test_detail_finer_than_a_pixel_is_averaged_and_does_not_alias():
    depths = np.arange(2.0, 80.0, 0.1)
    beams = np.tile(np.where(np.arange(depths.size) % 2, 255, 0), (96, 1))  # 0.2 mm stripes
    image = scan_conversion(ANGLES, depths, 0.8)(beams).astype(float)
    x, z = pixel_centres_mm(scan_conversion(ANGLES, depths, 0.8))
    inside = well_inside(x, z, margin_mm=2.0)
    # A point sample would swing between 0 and 255.
    assert image[inside].std() < 15
    assert image[inside].mean() == pytest.approx(127.5, abs=4)


def test_a_point_lands_in_the_right_pixel_and_angles_run_to_the_right():
    beams = np.zeros((96, DEPTHS_MM.size))
    beams[80, 150] = 255  # 23.2 degrees to the right, 62 mm deep
    convert = scan_conversion(ANGLES, DEPTHS_MM, 0.4)
    row, column = np.unravel_index(np.argmax(convert(beams)), convert.size)
    x, z = (axis[row, column] for axis in pixel_centres_mm(convert))
    assert x == pytest.approx(62 * np.sin(ANGLES[80]), abs=0.4)
    assert z == pytest.approx(62 * np.cos(ANGLES[80]), abs=0.4)


@pytest.mark.parametrize(
    ("angles", "depths", "spacing_mm", "match"),
    [
        (np.linspace(-40, 40, 96), DEPTHS_MM, 0.4, "are they in degrees"),
        (ANGLES[::-1], DEPTHS_MM, 0.4, "ascending angles"),
        (ANGLES, DEPTHS_MM[::-1], 0.4, "depths from 0 or more"),
        (ANGLES, DEPTHS_MM**2, 0.4, "even steps"),
        (ANGLES, DEPTHS_MM * np.nan, 0.4, "finite numbers"),
        (ANGLES[:1], DEPTHS_MM, 0.4, "at least 2"),
        (ANGLES, DEPTHS_MM, 0.0, "a distance above 0"),
        (ANGLES, DEPTHS_MM, 0.03, "at most 4194304 pixels"),
    ],
)
def test_impossible_geometry_is_refused(angles, depths, spacing_mm, match):
    with pytest.raises(DataError, match=match):
        scan_conversion(angles, depths, spacing_mm)


def arrays(**others):
    rng = np.random.default_rng(2)
    beams = rng.integers(0, 256, (5, 96, DEPTHS_MM.size), dtype=np.uint8)
    made = {"beams": beams, "angles_rad": ANGLES, "depths_mm": DEPTHS_MM}
    made |= {"frame_times_ms": np.array([0, 18, 36, 54, 72.0]), "r_times_ms": np.array([30.0])}
    made |= others
    return {key: value for key, value in made.items() if value is not None}


def write_npz(path, values):
    np.savez_compressed(path, **values)


def write_hdf5(path, values):
    with h5py.File(path, "w") as file:
        for key, value in values.items():
            file[key] = value


@pytest.mark.parametrize(("name", "write"), [("a.npz", write_npz), ("a.h5", write_hdf5)])
def test_beams_are_read_converted_and_timed(tmp_path, name, write):
    values = arrays()
    write(tmp_path / name, values)
    loop = read_loop(tmp_path / name, spacing_mm=0.5)
    convert = scan_conversion(ANGLES, DEPTHS_MM, 0.5)
    for frame, beams in zip(loop.stack(), values["beams"], strict=True):
        np.testing.assert_array_equal(frame, convert(beams))
    np.testing.assert_array_equal(loop.stack(1, 5, 2), loop.stack()[1:5:2])
    assert loop.frame(2, colour=True).shape == (*loop.size, 3)
    assert (loop.time_source, loop.r_source, loop.mm_per_pixel) == ("file", "file", (0.5, 0.5))
    np.testing.assert_array_equal(loop.frame_times_ms, [0, 18, 36, 54, 72])
    np.testing.assert_array_equal(loop.r_times_ms, [30.0])
    assert loop.sector.far_mm == DEPTHS_MM[-1]


@pytest.mark.parametrize(("name", "write"), [("a.npz", write_npz), ("a.h5", write_hdf5)])
@pytest.mark.parametrize(
    ("others", "match"),
    [
        ({"beams": None}, "expected an array named beams, found none"),
        ({"beams": np.zeros((5, 96), np.uint8)}, r"shape \(frames, beams, depths\)"),
        ({"beams": np.zeros((5, 90, 195), np.uint8)}, "angles_rad of 90 beams"),
        ({"beams": np.zeros((5, 96, 195), np.uint16)}, "beams of 8 bits"),
        ({"beams": np.full((5, 96, 195), 300.0)}, "beams from 0 to 255"),
        ({"angles_rad": None}, "angles_rad of 96 beams"),
        ({"angles_rad": np.degrees(ANGLES)}, "are they in degrees"),
        ({"frame_times_ms": None}, "the time of every frame"),
        ({"frame_times_ms": np.arange(4.0)}, "5 frame times, one a frame, found 4"),
    ],
)
def test_wrong_arrays_are_refused(tmp_path, name, write, others, match):
    write(tmp_path / name, arrays(**others))
    with pytest.raises(DataError, match=match):
        read_loop(tmp_path / name).stack()


def test_a_rate_may_stand_for_the_times(tmp_path):
    write_npz(tmp_path / "a.npz", arrays(frame_times_ms=None, frame_rate_hz=np.float64(80)))
    assert read_loop(tmp_path / "a.npz").frame_rate_hz == pytest.approx(80)


@pytest.mark.parametrize("name", ["a.npz", "a.h5"])
def test_damaged_files_are_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"nothing of the kind" * 20)
    with refuses(DataError, name, code="damaged"):
        read_loop(tmp_path / name)


def test_damage_inside_an_npz_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    write_npz(path, arrays())
    data = np.frombuffer(path.read_bytes(), np.uint8)
    rng = np.random.default_rng(4)
    refusals = 0
    for _ in range(40):
        damaged = data.copy()
        damaged[rng.integers(0, data.size, 20)] = rng.integers(0, 256, 20)
        path.write_bytes(damaged.tobytes())
        try:
            read_loop(path).stack()
        except DataError as error:
            assert str(error).startswith("a.npz: expected")
            refusals += 1
    assert refusals > 30


def test_links_out_of_an_hdf5_are_not_followed(tmp_path):
    write_hdf5(tmp_path / "other.h5", {"beams": arrays()["beams"]})
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for key, value in arrays(beams=None).items():
            file[key] = value
        file["beams"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "beams")
    with refuses(DataError, "a.h5"):
        read_loop(tmp_path / "a.h5")
