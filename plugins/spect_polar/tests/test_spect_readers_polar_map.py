"""Numeric polar maps, and the pictures that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from cardio_core.api import DataError
from cardio_core.testing import names
from cardio_spect_polar.readers.polar_map import read_polar_map

SEGMENTS = np.round(np.linspace(0.6, 1.4, 17), 3)
GRID = np.round(np.random.default_rng(0).uniform(0.5, 3.5, (24, 72)), 4)


def text(values: np.ndarray) -> str:
    return "\n".join(",".join(str(value) for value in row) for row in np.atleast_2d(values)) + "\n"


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_polar_map(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path.name}: expected ")
    return message


def capture(path: Path, stored: np.ndarray, **elements: Any) -> Path:
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID, made.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3"
    made.PatientName = "DOE^JANE"
    made.Rows, made.Columns = stored.shape[:2]
    made.SamplesPerPixel = 1 if stored.ndim == 2 else stored.shape[2]
    made.PhotometricInterpretation = "MONOCHROME2" if stored.ndim == 2 else "RGB"
    if stored.ndim == 3:
        made.PlanarConfiguration = 0
    bits = 8 * stored.dtype.itemsize
    made.BitsAllocated, made.BitsStored, made.HighBit = bits, bits, bits - 1
    made.PixelRepresentation = 0
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    made.PixelData = stored.tobytes()
    made.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize(
    ("content", "unit"),
    [
        (text(SEGMENTS), None),
        (text(SEGMENTS[:, None]), None),
        ("# unit=ml/min/g\n" + text(SEGMENTS), "ml/min/g"),
        ("\ufeff# unit=dimensionless\r\n" + text(SEGMENTS), "1"),
        (
            "# unit = %\nSegment,perfusion\n"
            + "".join(f"{n},{SEGMENTS[n - 1]}\n" for n in range(17, 0, -1)),
            "%",
        ),
    ],
)
def test_seventeen_segments_are_read_from_a_row_a_column_or_pairs(
    tmp_path: Path, content: str, unit: str | None
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content, encoding="utf-8")
    read = read_polar_map(path)
    np.testing.assert_allclose(read.values, SEGMENTS, rtol=0)
    assert (read.unit, read.values.ndim) == (unit, 1)


def test_a_grid_is_read_ring_by_ring(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text(GRID))
    np.save(tmp_path / "b.npy", GRID)
    np.save(tmp_path / "c.npy", GRID.astype(np.float32).T.copy().T)
    for name in ("a.csv", "b.npy", "c.npy"):
        read = read_polar_map(tmp_path / name)
        np.testing.assert_allclose(read.values, GRID, rtol=1e-6)
        assert read.values.ndim == 2


def test_empty_cells_are_missing_values(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",".join(["0.9"] * 5 + ["", "NaN"] + ["1"] * 10))
    assert np.flatnonzero(np.isnan(read_polar_map(path).values)).tolist() == [5, 6]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("", "17 segments, or at least 3 rings of 4 angles, found an array of 0"),
        (text(SEGMENTS[:16]), "found an array of 1 × 16"),
        (text(np.ones((2, 72))), "found an array of 2 × 72"),
        (text(np.ones((24, 72))) + "1,2\n", "lines of equally many numbers"),
        ("ring,angle\n1,2\n", "numbers in every cell, found text"),
        ("# unit=ml/min/100g\n" + text(SEGMENTS), "a first line '# unit=ml/min/g'"),
        ("# flow of DOE^JANE\n" + text(SEGMENTS), "a first line '# unit=ml/min/g'"),
        ("segment,flow\n" + "1,0.9\n" * 17, "segments 1 to 17, each once"),
        ("segment,flow\n", "segments 1 to 17, each once"),
        (text(-SEGMENTS), "finite numbers of at least 0"),
        (text(SEGMENTS).replace("1.4", "inf"), "finite numbers of at least 0"),
        (",".join(["nan"] * 17), "found only missing values"),
        ("# unit=ml/min/g\n" + text(100 * SEGMENTS), "divide ml/min/100 g by 100"),
    ],
)
def test_a_table_that_is_no_polar_map_is_refused(tmp_path: Path, content: str, part: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    message = refusal(path)
    assert part in message
    assert "DOE" not in message


@pytest.mark.parametrize(
    ("array", "part"),
    [
        (np.ones((3, 24, 72)), "found an array of 3 × 24 × 72"),
        (np.ones((2000, 72), np.uint8), "found an array of 2000 × 72"),
        (np.ones(16), "found an array of 16"),
        (np.float64(1), "found an array of one number"),
        (np.ones((24, 72), complex), "an NPY array of numbers"),
        (np.array(["0.9"] * 17), "an NPY array of numbers"),
    ],
)
def test_an_array_that_is_no_polar_map_is_refused(
    tmp_path: Path, array: np.ndarray, part: str
) -> None:
    np.save(tmp_path / "a.npy", array)
    assert part in refusal(tmp_path / "a.npy")


class Payload:
    """What a hostile pickle would do: the attribute is set if anything unpickles it."""

    ran = False

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return setattr, (Payload, "ran", True)


def test_a_pickled_array_is_refused_and_not_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([Payload()] * 17, dtype=object), allow_pickle=True)
    assert names(refusal(tmp_path / "a.npy"), "NPY")
    assert not Payload.ran


def test_a_truncated_array_and_an_archive_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", GRID)
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[:-9])
    np.savez(tmp_path / "b.npz", GRID)
    (tmp_path / "b.npz").rename(tmp_path / "b.npy")
    for name in ("a.npy", "b.npy"):
        assert names(refusal(tmp_path / name), "NPY")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif", ".gif"])
@pytest.mark.parametrize("renamed", [False, True])
def test_pictures_are_refused_whatever_they_are_called(
    tmp_path: Path, suffix: str, renamed: bool
) -> None:
    picture = Image.fromarray(np.zeros((64, 64, 3), np.uint8))
    path = tmp_path / f"a{suffix}"
    picture.save(path)
    if renamed:
        path = path.rename(tmp_path / "map.csv")
    assert names(refusal(path), "picture", "numbers")


def test_a_grey_capture_with_a_rescale_slope_holds_numbers(tmp_path: Path) -> None:
    stored = np.arange(24 * 72, dtype="<u2").reshape(24, 72)
    path = capture(tmp_path / "a.dcm", stored, RescaleSlope="0.002", RescaleIntercept="0.1")
    np.testing.assert_allclose(read_polar_map(path).values, stored * 0.002 + 0.1)


def test_a_screenshot_is_refused(tmp_path: Path) -> None:
    colour = capture(tmp_path / "a.dcm", np.zeros((64, 64, 3), np.uint8))
    assert names(refusal(colour), "colour picture")
    grey = capture(tmp_path / "b.dcm", np.zeros((64, 64), np.uint8))
    assert names(refusal(grey), "rescale slope", "none")


@pytest.mark.parametrize("name", ["SC_rgb_small_odd.dcm", "JPEG-lossy.dcm"])
def test_the_captures_that_pydicom_ships_are_refused(name: str) -> None:
    found = get_testdata_file(name, download=False)
    assert found is not None
    refusal(Path(str(found)))


def test_what_is_not_there_or_no_file_of_numbers_is_refused(tmp_path: Path) -> None:
    assert names(refusal(tmp_path / "a.csv"), "a.csv", "found none")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00\x81")
    assert names(refusal(tmp_path / "b.csv"), "CSV")
    (tmp_path / "c.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\1" * 40)
    assert "a readable DICOM image" in refusal(tmp_path / "c.dcm")
    (tmp_path / "d.csv").write_bytes(b"1" * 34_000_000)
    assert names(refusal(tmp_path / "d.csv"), "1024", "34000000")
