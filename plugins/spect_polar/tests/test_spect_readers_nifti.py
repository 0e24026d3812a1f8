"""Gated NIfTI: one file or one a gate, every order of axes, dummies, damage, and sidecars."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest

from cardio_core.api import DataError
from cardio_spect_polar.readers.find import find_gated
from cardio_spect_polar.readers.study import read_gated

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = (8, 12, 20, 20)  # slots, slices, rows, columns
VOXEL = (4.0, 5.0, 6.0)  # columns, rows, slices, as NIfTI orders them
PLAIN = np.diag([*VOXEL, 1.0])
DUMMY = "1 × 1 × 1, a dummy"


def counts(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 900, SHAPE).astype(np.float32)


def as_nifti(values: np.ndarray) -> np.ndarray:
    """Order (slots, slices, rows, columns) as NIfTI does: (x, y, z, t)."""
    return values.transpose(3, 2, 1, 0)


def write(path: Path, values: np.ndarray, affine: np.ndarray | None = PLAIN, **header: Any) -> Path:
    image = nib.Nifti1Image(values, affine)
    for key, value in header.items():
        image.header[key] = value
    nib.save(image, path)
    return path


def write_gates(folder: Path, pattern: str, values: np.ndarray, first: int = 1) -> list[Path]:
    return [
        write(folder / pattern.format(first + gate), as_nifti(values)[..., gate])
        for gate in range(len(values))
    ]


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read_gated(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path.name}: expected ")
    return message


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


@pytest.mark.parametrize(
    ("pattern", "first"),
    [
        ("p7_gate{}.nii.gz", 1),
        ("p7_rest_g{:02d}.nii", 0),
        ("Gate {} p7.nii", 1),
        ("p7-frame-{}.nii", 1),
        ("{}.nii", 1),
        ("rest_{}.nii", 0),
        ("p7_stress_{}.nii", 1),
        ("p7 Rest{}.nii", 1),
        ("p7_{:04d}.nii.gz", 0),
    ],
)
def test_one_file_a_gate_is_read_in_the_order_of_the_gates(
    tmp_path: Path, pattern: str, first: int
) -> None:
    values = np.concatenate([counts(1), counts(2)])  # 16 gates: 10 must not come before 2
    write_gates(tmp_path, pattern, values, first)
    (study,) = find_gated(tmp_path)
    assert len(study.files) == 16
    np.testing.assert_array_equal(read_gated(study).counts, values)


def test_files_that_were_chosen_are_put_in_order(tmp_path: Path) -> None:
    files = write_gates(tmp_path, "p_gate{}.nii", counts())
    np.testing.assert_array_equal(read_gated(files[::-1]).counts, counts())


def test_stress_and_rest_of_two_patients_are_four_studies(tmp_path: Path) -> None:
    for patient in ("p1", "p2"):
        (tmp_path / patient).mkdir()
        for state in ("stress", "rest"):
            write_gates(tmp_path / patient, f"{state}_{{}}.nii", counts())
    write(tmp_path / "p1" / "rest_1_mask.nii", as_nifti(counts())[..., 0])
    (tmp_path / "p1" / "notes.txt").write_text("no study")
    found = find_gated(tmp_path)
    assert [(study.id, study.state, len(study.files)) for study in found] == [
        ("p1/rest", "rest", 8),
        ("p1/stress", "stress", 8),
        ("p2/rest", "rest", 8),
        ("p2/stress", "stress", 8),
    ]
    assert "expected the files of one gated study, found 2 studies" in refusal(tmp_path / "p1")


def test_a_folder_names_the_state_where_the_file_does_not(tmp_path: Path) -> None:
    (tmp_path / "REST").mkdir()
    write_gates(tmp_path / "REST", "gate{}.nii", counts())
    (study,) = find_gated(tmp_path)
    assert (study.id, study.state, read_gated(study).state) == ("REST", "rest", "rest")


def test_the_header_names_the_state_where_no_name_does(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", as_nifti(counts()), descrip=b"gated stress SA")
    assert read_gated(path).state == "stress"


def test_single_volumes_of_numbered_patients_are_not_taken_for_gates(tmp_path: Path) -> None:
    write_gates(tmp_path, "patient_{}.nii", counts())
    found = find_gated(tmp_path)
    assert len(found) == 8
    with pytest.raises(DataError, match=r"a fourth axis, of time, .* found a single volume"):
        read_gated(found[0])


def test_bare_numbers_are_gates_where_two_patients_are_numbered_alike(tmp_path: Path) -> None:
    for patient in ("a12", "b7"):
        write_gates(tmp_path, f"{patient}_{{}}.nii", counts())
    assert [(study.id, len(study.files)) for study in find_gated(tmp_path)] == [
        ("a12", 8),
        ("b7", 8),
    ]
    # The files of one of them are still its gates when they come alone.
    for study in find_gated(tmp_path):
        np.testing.assert_array_equal(read_gated(study.files).counts, counts())


def test_bare_numbers_are_gates_where_the_folder_bears_the_patients_name(tmp_path: Path) -> None:
    (tmp_path / "a12").mkdir()
    write_gates(tmp_path / "a12", "a12_{}.nii", counts())
    (study,) = find_gated(tmp_path)
    np.testing.assert_array_equal(read_gated(study).counts, counts())


@pytest.mark.parametrize(
    ("gone", "part"),
    [
        (2, "one file for each of 8 gates, found 1 gates without a file and 0 files too many"),
        (7, "at least 8 time slots, found 7"),
    ],
)
def test_a_missing_gate_is_refused(tmp_path: Path, gone: int, part: str) -> None:
    write_gates(tmp_path, "p_gate{}.nii", counts())[gone].unlink()
    (study,) = find_gated(tmp_path)
    with pytest.raises(DataError, match=part):
        read_gated(study)


def test_a_gate_given_twice_is_refused(tmp_path: Path) -> None:
    write_gates(tmp_path, "p_gate{}.nii", counts())
    write(tmp_path / "p_gate3.nii.gz", as_nifti(counts())[..., 2])
    with pytest.raises(DataError, match="0 gates without a file and 1 files too many"):
        read_gated(tmp_path)


def test_gates_that_differ_are_refused(tmp_path: Path) -> None:
    files = write_gates(tmp_path, "p_gate{}.nii", counts())
    write(files[3], as_nifti(counts())[..., 3], np.diag([4.0, 5.0, 6.6, 1.0]))
    with pytest.raises(DataError, match="expected the spacing of the first gate"):
        read_gated(files)
    write(files[3], as_nifti(counts())[:-1, ..., 3])
    with pytest.raises(DataError, match="expected gates of one shape, found 2 shapes"):
        read_gated(files)


@pytest.mark.parametrize("affine", [np.eye(4), None, np.diag([-1.0, -1.0, 1.0, 1.0])])
def test_a_spacing_of_one_is_a_dummy_and_must_be_named(
    tmp_path: Path, affine: np.ndarray | None
) -> None:
    path = write(tmp_path / "a.nii", as_nifti(counts()), affine)
    message = refusal(path)
    assert DUMMY in message
    assert "give them with --voxel-mm SLICE,ROW,COLUMN" in message
    stack = read_gated(path, voxel_mm=(6.4, 3.2, 3.2))
    assert stack.voxel_mm == (6.4, 3.2, 3.2)
    assert "distances of the voxels as given: the header has none" in stack.flags
    np.testing.assert_array_equal(stack.counts, counts())


def test_a_true_spacing_is_kept_whatever_is_configured(tmp_path: Path) -> None:
    stack = read_gated(write(tmp_path / "a.nii", as_nifti(counts())), voxel_mm=(6.4, 6.4, 6.4))
    assert stack.voxel_mm == (6.0, 5.0, 4.0)
    assert "distances of the voxels from the header, not as given" in stack.flags


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
    assert "array axis 1 read as slices: the other two are square" in stack.flags


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
    assert "of 1.5 to 20 mm, found 6 × 0.5 × 0.4" in refusal(path)


def test_a_claim_of_many_voxels_is_refused_before_they_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", as_nifti(counts()))
    content = bytearray(path.read_bytes())
    content[40:58] = np.array([4, 4096, 4096, 4096, 8, 1, 1, 1, 0], "<i2").tobytes()
    path.write_bytes(bytes(content))
    assert "at most 64000000 voxels in all frames, found 32768 frames" in refusal(path)


def test_an_unknown_code_of_units_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", as_nifti(counts()))
    content = bytearray(path.read_bytes())
    content[123] = 200  # xyzt_units
    path.write_bytes(bytes(content))
    assert "expected a NIfTI header of known codes" in refusal(path)


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
    assert "found a damaged one, or another kind of file" in refusal(path)
    assert "DOE" not in refusal(path)


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
    assert "a converter's JSON lies beside the file: not read" in read_gated(path).flags


def test_a_damaged_file_hides_no_other_study(tmp_path: Path) -> None:
    write(tmp_path / "good.nii", as_nifti(counts()))
    (tmp_path / "bad.nii").write_bytes(b"none")
    (tmp_path / "worse.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 50)
    (tmp_path / ".hidden.nii").write_bytes(b"none")
    assert [study.id for study in find_gated(tmp_path)] == ["bad", "good", "worse"]
    with pytest.raises(DataError, match="nowhere: expected a file or a folder, found none"):
        find_gated(tmp_path / "nowhere")


def test_files_that_are_named_are_taken_and_gates_among_them_grouped(tmp_path: Path) -> None:
    gates = write_gates(tmp_path, "p_gate{}.nii", counts())
    other = write(tmp_path / "p_mask.nii", as_nifti(counts()))
    assert [len(study.files) for study in find_gated([*gates, other])] == [8, 1]
    assert [study.files for study in find_gated(other)] == [(other,)]
