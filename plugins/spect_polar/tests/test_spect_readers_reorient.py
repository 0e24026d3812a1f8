"""Slices along the body, turned to short-axis slices: by angles, and by what is found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from scipy import ndimage

from cardio_core.api import DataError
from cardio_core.testing import names, refuses
from cardio_spect_polar.readers.nm import read_nm
from cardio_spect_polar.readers.studies import read_gated
from cardio_spect_polar.synthetic.write_nm import write_nm

if TYPE_CHECKING:
    from pathlib import Path

MM = 6.4
N = (34, 44, 44)  # slices to the head, rows to the back, columns to the left
APEX = np.array([0.612372, -0.612372, -0.5])  # left and front by 45 degrees, down by 30
LATERAL = np.array([0.707107, 0.707107, 0.0])
INFERIOR = np.array([-0.353553, 0.353553, -0.866025])  # at right angles to both, and down
BASE_MM = (np.array(N[::-1]) - 1) / 2 * MM - 42 * APEX


def body(gut: float = 0.0, *, empty: bool = False) -> np.ndarray:
    """Sample a half ellipsoid's wall, brighter towards lateral, in eight gates that thicken."""
    z, y, x = np.indices(N) * MM
    offset = np.stack([x, y, z], axis=-1) - BASE_MM  # left, back, head
    along, side, down = offset @ APEX, offset @ LATERAL, offset @ INFERIOR
    out = np.hypot(side, down)
    share = np.hypot(along / 85.0, out / 32.0)
    wall = (np.abs(share - 1.0) * 32.0 < 6.0) & (along > 0)
    image = wall * (1.0 + 0.5 * side / 32.0) + 0.05
    image += gut * np.exp(-((offset - 45 * APEX - 62 * INFERIOR) ** 2).sum(-1) / (2 * 13.0**2))
    if empty:
        image = np.full(N, 0.05)
    image = ndimage.gaussian_filter(image, 5.5 / MM)
    beat = 1.0 + 0.1 * np.cos(2 * np.pi * (np.arange(8) + 0.5) / 8 - 2.4)
    return np.random.default_rng(0).poisson(150 * image * beat[:, None, None, None]).astype("f4")


def write_transaxial(path: Path, counts: np.ndarray, *, from_head: bool = False) -> Path:
    """Write slices along the body, from the feet up or from the head down."""
    values = counts[:, ::-1] if from_head else counts
    write_nm(path, values, (MM, MM, MM))
    made = pydicom.dcmread(path)
    del made.SliceProgressionDirection
    detector = Dataset()
    detector.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    made.DetectorInformationSequence = [detector]
    made.SpacingBetweenSlices = -MM if from_head else MM
    made.save_as(path)
    return path


def sidecar(path: Path, long_axis: object) -> None:
    path.with_name(path.name.split(".")[0] + ".json").write_text(
        json.dumps({"long_axis": long_axis})
    )


def middle_ring(counts: np.ndarray, voxel_mm: tuple[float, float, float]) -> tuple[float, ...]:
    """Return the wall's mean counts anterior, inferior, septal and lateral, mid-ventricle."""
    summed = counts.sum(axis=0)
    middle = np.argwhere(summed > 0.35 * summed.max()).mean(axis=0).round().astype(int)
    far = round(28.0 / voxel_mm[1])
    z, y, x = middle
    near = slice(z - 1, z + 2)
    places = ((y - far, x), (y + far, x), (y, x - far), (y, x + far))
    return tuple(
        float(summed[near, row - 1 : row + 2, column - 1 : column + 2].mean())
        for row, column in places
    )


@pytest.mark.parametrize("from_head", [False, True])
@pytest.mark.parametrize("long_axis", [[45, -30], "find"])
def test_transaxial_slices_become_short_axis_slices(
    tmp_path: Path, long_axis: object, from_head: bool
) -> None:
    path = write_transaxial(tmp_path / "a.dcm", body(), from_head=from_head)
    with refuses(DataError, "a.dcm", "--long-axis"):
        read_nm(path)
    given = tuple(long_axis) if isinstance(long_axis, list) else long_axis
    by_option = read_gated(path, long_axis=given)
    sidecar(path, long_axis)
    stack = read_gated(path)
    np.testing.assert_array_equal(by_option.counts, stack.counts)
    assert stack.apex_first is False
    assert stack.voxel_mm == (MM, MM, MM)
    assert stack.counts.shape[0] == 8
    anterior, inferior, septal, lateral = middle_ring(stack.counts, stack.voxel_mm)
    # Truth: 1 in front and below, 0.5 at the septum, 1.5 at the side.
    assert 0.85 < anterior / inferior < 1.18
    assert lateral / septal > 1.7
    # Towards the apex the cavity closes: the last third of the heart is narrower than the first.
    bright = stack.counts.sum(axis=0) > 0.35 * stack.counts.sum(axis=0).max()
    area = bright.sum(axis=(1, 2))[bright.any(axis=(1, 2))]
    first = np.flatnonzero(bright.any(axis=(1, 2)))
    outline = [np.ptp(np.argwhere(bright[i]), axis=0).mean() for i in first]
    assert outline[1] > 1.3 * outline[-2]
    assert area.size * MM == pytest.approx(91.0, abs=16.0)  # 85 mm and half a wall


def _angles(flag: str) -> tuple[float, float]:
    words = flag.split()
    numbers = [float(word) for word in words if word.lstrip("-").isdigit()]
    return numbers[0], numbers[1]


@pytest.mark.parametrize(("gut", "within_deg"), [(0.0, 4.0), (1.0, 4.0)])
def test_the_long_axis_is_found_with_and_without_a_bright_gut(
    tmp_path: Path, gut: float, within_deg: float
) -> None:
    path = write_transaxial(tmp_path / "a.dcm", body(gut))
    sidecar(path, "find")
    azimuth_deg, down_deg = _angles(read_gated(path).flags[0])
    assert np.hypot(azimuth_deg - 45, down_deg - 30) < within_deg


@pytest.mark.parametrize("counts", [body(3.0), body(empty=True)], ids=["gut outshines", "no heart"])
def test_where_no_ventricle_is_found_the_study_is_refused(
    tmp_path: Path, counts: np.ndarray
) -> None:
    path = write_transaxial(tmp_path / "a.dcm", counts)
    sidecar(path, "find")
    with pytest.raises(DataError) as caught:
        read_gated(path)
    assert names(caught.value, "left ventricle", "--long-axis", "AZIMUTH", "ELEVATION")


def test_a_nifti_along_the_body_is_turned_by_its_affine(tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    values = body().transpose(3, 2, 1, 0)  # columns to the left, rows to the back
    nib.save(nib.Nifti1Image(values, np.diag([-MM, -MM, MM, 1.0])), path)
    sidecar(path, [45, -30])
    turned = read_gated(path)
    write_transaxial(tmp_path / "b.dcm", body())
    sidecar(tmp_path / "b.dcm", [45, -30])
    expected = read_gated(tmp_path / "b.dcm").counts
    # The same heart, up to a tenth of a millimetre in its centre.
    np.testing.assert_allclose(turned.counts, expected, atol=0.05 * expected.max())
    assert turned.apex_first is False


def test_without_an_orientation_nothing_can_be_turned(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(body().transpose(3, 2, 1, 0), None), tmp_path / "a.nii")
    (tmp_path / "a.json").write_text('{"long_axis": "find", "voxel_mm": [6.4, 6.4, 6.4]}')
    with refuses(DataError, "a.nii", "affine"):
        read_gated(tmp_path / "a.nii")
    made = pydicom.dcmread(write_transaxial(tmp_path / "b.dcm", body()))
    del made.DetectorInformationSequence
    made.save_as(tmp_path / "b.dcm")
    sidecar(tmp_path / "b.dcm", "find")
    with refuses(DataError, "b.dcm", "orientation"):
        read_gated(tmp_path / "b.dcm")


@pytest.mark.parametrize("value", ["fit", [45], [45, -95], ["45", -30], 45])
def test_a_malformed_long_axis_is_refused(tmp_path: Path, value: object) -> None:
    path = write_transaxial(tmp_path / "a.dcm", body())
    sidecar(path, value)
    with refuses(DataError, "a.json", "long_axis"):
        read_gated(path)
