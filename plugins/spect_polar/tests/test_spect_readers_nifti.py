"""Gated NIfTI: one file or one a gate, every order of axes, dummies, damage, and sidecars."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest
from spect_nifti_files import PLAIN, VOXEL, as_nifti, counts, refusal, write, write_gates

from cardio_core.api import DataError
from cardio_core.testing import names, refuses
from cardio_spect_polar.readers.studies import find_gated, read_gated

if TYPE_CHECKING:
    from pathlib import Path


DUMMY = "1 × 1 × 1, a dummy"


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_four_dimensions_are_columns_rows_slices_and_slots(tmp_path: Path, suffix: str) -> None:
    stack = read_gated(write(tmp_path / f"a{suffix}", as_nifti(counts())))
    np.testing.assert_array_equal(stack.counts, counts())
    assert stack.counts.dtype == np.float32
    assert stack.voxel_mm == (6.0, 5.0, 4.0)
    assert (stack.apex_first, stack.state, stack.rr_ms) == (None, None, None)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_scaled_integers_and_floats_give_the_same_counts(tmp_path: Path, dtype: type) -> None:
    values = as_nifti(counts() % 120)
    image = nib.Nifti1Image(values.astype(dtype), PLAIN)
    image.header.set_slope_inter(0.5, 2)
    nib.save(image, tmp_path / "a.nii")
    stored = nib.load(tmp_path / "a.nii").get_fdata()
    read = read_gated(tmp_path / "a.nii").counts
    np.testing.assert_allclose(as_nifti(read), stored, rtol=1e-6)


@pytest.mark.parametrize("affine", [np.eye(4), None, np.diag([-1.0, -1.0, 1.0, 1.0])])
def test_a_spacing_of_one_is_a_dummy_and_must_be_named(
    tmp_path: Path, affine: np.ndarray | None
) -> None:
    path = write(tmp_path / "a.nii", as_nifti(counts()), affine)
    message = refusal(path)
    assert DUMMY in message
    assert names(message, "--voxel-mm")
    stack = read_gated(path, voxel_mm=(6.4, 3.2, 3.2))
    assert stack.voxel_mm == (6.4, 3.2, 3.2)
    assert any(names(flag, "as given", "none") for flag in stack.flags)
    np.testing.assert_array_equal(stack.counts, counts())


def test_a_true_spacing_is_kept_whatever_is_configured(tmp_path: Path) -> None:
    stack = read_gated(write(tmp_path / "a.nii", as_nifti(counts())), voxel_mm=(6.4, 6.4, 6.4))
    assert stack.voxel_mm == (6.0, 5.0, 4.0)
    assert any(names(flag, "header", "not as given") for flag in stack.flags)


def test_units_of_metres_and_seconds_are_understood(tmp_path: Path) -> None:
    image = nib.Nifti1Image(as_nifti(counts()), np.diag([0.004, 0.005, 0.006, 1.0]))
    image.header.set_xyzt_units("meter", "sec")
    image.header.set_zooms((0.004, 0.005, 0.006, 0.1))
    nib.save(image, tmp_path / "a.nii")
    stack = read_gated(tmp_path / "a.nii")
    assert stack.voxel_mm == pytest.approx((6.0, 5.0, 4.0))
    assert stack.rr_ms == pytest.approx(800.0)


def oblique() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Directions of columns, rows and slices in a heart that points left, forward and down.

    x to the right, y to the front, z to the head; slices from the apex to the base.
    """
    apex = np.array([-0.5, 0.5, -(0.5**0.5)])
    lateral = np.array([-(0.5**0.5), -(0.5**0.5), 0.0])
    inferior = np.array([0.5, -0.5, -(0.5**0.5)])
    np.testing.assert_allclose(np.cross(lateral, inferior), -apex, atol=1e-12)
    return lateral, inferior, -apex


@pytest.mark.parametrize("turn", [(1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1), (-1, -1, -1)])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_an_oblique_affine_tells_every_axis(
    tmp_path: Path, turn: tuple[int, int, int], order: tuple[int, int, int]
) -> None:
    """Store columns, rows and slices in any order and direction, as the affine says."""
    canonical = as_nifti(counts())
    flips = tuple(slice(None, None, sign) for sign in turn)
    values = canonical[flips].transpose(*order, 3)
    directions = np.array(
        [sign * size * axis for sign, size, axis in zip(turn, VOXEL, oblique(), strict=True)]
    )
    affine = np.eye(4)
    affine[:3, :3] = directions[list(order)].T
    stack = read_gated(write(tmp_path / "a.nii", np.ascontiguousarray(values), affine))
    # The order of slices stays as it is in the file; apex_first says what it is.
    expected = counts()[:, :: turn[2]]
    np.testing.assert_array_equal(stack.counts, expected)
    assert stack.apex_first == (turn[2] == 1)
    assert stack.voxel_mm == pytest.approx((6.0, 5.0, 4.0))


def test_rows_that_a_converter_turned_upside_down_are_turned_back(tmp_path: Path) -> None:
    # dcm2niix stores the last DICOM row first, and says so: y grows with the index.
    values = as_nifti(counts())[:, ::-1]
    stack = read_gated(write(tmp_path / "a.nii", values, np.diag([-4.0, 5.0, 6.0, 1.0])))
    np.testing.assert_array_equal(stack.counts, counts())
    # SimpleITK keeps the rows of the DICOM file: y falls with the index.
    kept = write(tmp_path / "b.nii", as_nifti(counts()), np.diag([-4.0, -5.0, 6.0, 1.0]))
    np.testing.assert_array_equal(read_gated(kept).counts, counts())


def test_slices_that_were_stored_first_are_found_by_the_square_that_is_left(
    tmp_path: Path,
) -> None:
    values = counts().transpose(1, 2, 3, 0)  # numpy's (slices, rows, columns), then time
    stack = read_gated(write(tmp_path / "a.nii", values, np.diag([6.0, 5.0, 4.0, 1.0])))
    np.testing.assert_array_equal(stack.counts, counts())
    assert stack.voxel_mm == (6.0, 5.0, 4.0)
    assert any(names(flag, "axis 1", "slices") for flag in stack.flags)


@pytest.mark.parametrize("shape", [(20, 20, 12, 1, 8), (20, 20, 12, 8, 1)])
def test_axes_of_one_are_passed_over(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = write(tmp_path / "a.nii", as_nifti(counts()).reshape(shape))
    np.testing.assert_array_equal(read_gated(path).counts, counts())


def with_voxel(value: float) -> np.ndarray:
    values = as_nifti(counts())
    values[3, 4, 5, 6] = value
    return values


@pytest.mark.parametrize(
    ("values", "part"),
    [
        (counts(), "expected time as the fourth axis, of at most 32 slots, found 8 × 12 × 20"),
        (np.ones((20, 20, 12, 40), np.int16), "found 20 × 20 × 12 × 40; store time last"),
        (np.ones((20, 20, 12, 8, 3), np.int16), "expected four dimensions, time last, found 5"),
        (np.ones((20, 20, 12), np.int16), "found a single volume; export the gated study"),
        (np.ones((20, 20, 12, 2), np.int16), "expected at least 8 time slots, found 2"),
        (np.ones((20, 20, 12, 6), np.int16), "or allow 6 with --min-gates 6"),
        (np.ones((20, 20, 1, 8), np.int16), "found a stack of one slice"),
        (np.ones((4, 4, 12, 8), np.int16), "slices of at least 8 × 8, found 4 × 4"),
        (np.zeros((20, 20, 12, 8), np.int16), "expected counts, found zeros in all frames"),
        (as_nifti(counts()) * (np.arange(8) != 5), "found only zeros in slot 6"),
        (
            np.ones((20, 20, 12, 8), np.int16),
            "time slots that differ, found the same counts in all",
        ),
        (with_voxel(np.nan), "expected finite counts, found 1 voxels that are no number"),
        (with_voxel(np.inf), "expected finite counts, found 1 voxels that are no number"),
        (np.ones((20, 20, 12, 8), np.complex64), "found colours or complex numbers"),
    ],
)
def test_a_stack_that_cannot_be_used_is_refused_in_its_own_words(
    tmp_path: Path, values: np.ndarray, part: str
) -> None:
    assert part in refusal(write(tmp_path / "a.nii", values))


def test_distances_that_no_spect_has_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", as_nifti(counts()), np.diag([0.4, 0.5, 6.0, 1.0]))
    assert names(refusal(path), "1.5", "20", "6", "0.5", "0.4")


def test_a_claim_of_many_voxels_is_refused_before_they_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", as_nifti(counts()))
    content = bytearray(path.read_bytes())
    content[40:58] = np.array([4, 4096, 4096, 4096, 8, 1, 1, 1, 0], "<i2").tobytes()
    path.write_bytes(bytes(content))
    assert names(refusal(path), "64000000", "32768")


def test_an_unknown_code_of_units_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", as_nifti(counts()))
    content = bytearray(path.read_bytes())
    content[123] = 200  # xyzt_units
    path.write_bytes(bytes(content))
    assert names(refusal(path), "header", "codes")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kept", [0.0, 0.001, 0.3, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, kept: float, packed: bool) -> None:
    path = write(tmp_path / "a.nii", as_nifti(counts()))
    content = path.read_bytes()
    if packed:
        path = tmp_path / "a.nii.gz"
        content = gzip.compress(content)
    path.write_bytes(content[: int(kept * len(content))])
    refusal(path)


def test_a_text_file_called_nifti_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_text("DOE^JANE" * 100)
    message = refusal(path)
    assert names(message, "a.nii.gz", "damaged") and "DOE" not in message


def test_a_sidecar_outranks_header_and_configuration(tmp_path: Path) -> None:
    path = write(tmp_path / "a_rest.nii.gz", as_nifti(counts()), np.eye(4))
    (tmp_path / "a_rest.json").write_text(
        json.dumps(
            {
                "voxel_mm": [6.4, 3.2, 3.3],
                "state": "stress",
                "apex_first": True,
                "rr_ms": 900,
                "rejected_share": 0.1,
                "base_mm": 70.4,
                "apex_mm": 12.8,
            }
        )
    )
    stack = read_gated(path, voxel_mm=(9.0, 9.0, 9.0))
    assert stack.voxel_mm == (6.4, 3.2, 3.3)
    assert (stack.state, stack.apex_first, stack.rr_ms) == ("stress", True, 900.0)
    assert (stack.rejected_share, stack.base_mm, stack.apex_mm) == (0.1, 70.4, 12.8)
    (study,) = find_gated(tmp_path)
    assert study.state == "stress"


def test_a_sidecar_of_gates_is_named_as_what_they_share(tmp_path: Path) -> None:
    write_gates(tmp_path, "p7_stress_gate{}.nii", counts())
    (tmp_path / "p7_stress.json").write_text('{"apex_first": false}')
    assert read_gated(tmp_path).apex_first is False


@pytest.mark.parametrize(
    "axes", [["column", "row", "slice"], ["-row", "slice", "column"], ["-slice", "-column", "row"]]
)
def test_a_sidecar_can_name_the_axes(tmp_path: Path, axes: list[str]) -> None:
    # Axes of counts(): 0 slot, 1 slice, 2 row, 3 column.
    place = {"slice": 1, "row": 2, "column": 3}
    values = counts().transpose(*(place[name.removeprefix("-")] for name in axes), 0)
    flips = tuple(slice(None, None, -1 if name.startswith("-") else 1) for name in axes)
    path = write(tmp_path / "a.nii", np.ascontiguousarray(values[flips]))
    (tmp_path / "a.json").write_text(json.dumps({"axes": axes}))
    np.testing.assert_array_equal(read_gated(path).counts, counts())


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{", "one JSON object"),
        ("[1]", "one JSON object"),
        ('{"voxel": [1, 2, 3]}', "no keys but voxel_mm, axes, state"),
        ('{"voxel_mm": [6.4, 6.4]}', "voxel_mm as [slice, row, column]"),
        ('{"voxel_mm": [1, 1, 1]}', "of 1.5 to 20 mm, found 1 × 1 × 1"),
        ('{"voxel_mm": [6.4, 6.4, "6.4"]}', "a distance in voxel_mm"),
        ('{"state": "Rest"}', "state 'rest' or 'stress'"),
        ('{"state": ["rest"]}', "state 'rest' or 'stress'"),
        ('{"apex_first": 1}', "apex_first true or false"),
        ('{"rr_ms": NaN}', "rr_ms from 250 to 3000"),
        ('{"rejected_share": 20}', "rejected_share from 0 to 1"),
        ('{"base_mm": true}', "base_mm from -500 to 500"),
        ('{"axes": ["row", "row", "slice"]}', "axes as column, row and slice"),
        ('{"axes": "row"}', "axes as column, row and slice"),
    ],
)
def test_a_malformed_sidecar_is_refused(tmp_path: Path, text: str, part: str) -> None:
    path = write(tmp_path / "a.nii", as_nifti(counts()))
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError) as caught:
        read_gated(path)
    assert str(caught.value).startswith("a.json: expected ")
    assert part in str(caught.value)
    assert len(find_gated(tmp_path)) == 1  # one bad sidecar hides no other study


def test_a_converters_json_is_left_unread(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", as_nifti(counts()))
    (tmp_path / "a.json").write_text('{"ConversionSoftware": "dcm2niix", "Modality": "NM"}')
    assert any(names(flag, "JSON", "not read") for flag in read_gated(path).flags)


def test_a_damaged_file_hides_no_other_study(tmp_path: Path) -> None:
    write(tmp_path / "good.nii", as_nifti(counts()))
    (tmp_path / "bad.nii").write_bytes(b"none")
    (tmp_path / "worse.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 50)
    (tmp_path / ".hidden.nii").write_bytes(b"none")
    assert [study.id for study in find_gated(tmp_path)] == ["bad", "good", "worse"]
    with refuses(DataError, "nowhere"):
        find_gated(tmp_path / "nowhere")


def test_files_that_are_named_are_taken_and_gates_among_them_grouped(tmp_path: Path) -> None:
    gates = write_gates(tmp_path, "p_gate{}.nii", counts())
    other = write(tmp_path / "p_mask.nii", as_nifti(counts()))
    assert [len(study.files) for study in find_gated([*gates, other])] == [8, 1]
    assert [study.files for study in find_gated(other)] == [(other,)]
